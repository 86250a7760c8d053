//! AWS End User Messaging, which the RCS and SMS channels share: the signed call, its errors, and the topic's events.
//!
//! Mail through SES is signed by the same client.

mod client;
mod errors;
pub(crate) mod events;
mod statuses;
#[cfg(test)]
mod tests;

pub(crate) use client::{Client, LifeSeconds, Origination, Service, check_origination, context};
pub(crate) use errors::is_id;
