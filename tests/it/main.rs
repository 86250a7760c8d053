//! The tests that need more than one crate, in one binary.

#[cfg(test)]
mod adyen;
#[cfg(test)]
mod architecture;
#[cfg(test)]
mod aws_bill;
#[cfg(test)]
mod browser;
#[cfg(test)]
mod cost;
#[cfg(test)]
mod deployed;
#[cfg(test)]
mod deployed_agents;
#[cfg(test)]
mod deployed_faults;
#[cfg(test)]
mod deployed_identity;
#[cfg(test)]
mod events;
#[cfg(test)]
mod flows;
#[cfg(test)]
mod formats;
#[cfg(test)]
mod inputs;
#[cfg(test)]
mod isolation;
#[cfg(test)]
mod kill;
#[cfg(test)]
mod list_cost;
#[cfg(test)]
mod live;
#[cfg(test)]
mod openapi;
#[cfg(test)]
mod openid;
#[cfg(test)]
mod providers;
#[cfg(test)]
mod replies;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod stripe;
#[cfg(test)]
mod stripe_end_to_end;
#[cfg(test)]
mod stripe_end_to_end_hosted;
