//! The tests that need more than one crate, in one binary.

#![cfg(test)]

/// A tenth of the simulation's CPU was allocation with the allocator of the C library.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

mod adyen;
mod architecture;
mod aws_bill;
mod browser;
mod cost;
mod deployed;
mod deployed_agents;
mod deployed_faults;
mod deployed_identity;
mod events;
mod flows;
mod formats;
mod inputs;
mod isolation;
mod kill;
mod list_cost;
mod live;
mod openapi;
mod openid;
mod providers;
mod replies;
mod simulation;
mod stripe;
mod stripe_end_to_end;
mod stripe_end_to_end_hosted;
