//! What needs more than one crate, in one binary.

#[cfg(test)]
mod adyen;
#[cfg(test)]
mod architecture;
#[cfg(test)]
mod browser;
#[cfg(test)]
mod deployed;
#[cfg(test)]
mod deployed_faults;
#[cfg(test)]
mod events;
#[cfg(test)]
mod flat;
#[cfg(test)]
mod flows;
#[cfg(test)]
mod formats;
#[cfg(test)]
mod inputs;
#[cfg(test)]
mod kill;
#[cfg(test)]
mod live;
#[cfg(test)]
mod neighbours;
#[cfg(test)]
mod openid;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod standins;
#[cfg(test)]
mod stripe;
#[cfg(test)]
mod stripe_whole;
#[cfg(test)]
mod stripe_whole_hosted;
