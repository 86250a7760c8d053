//! AWS End User Messaging, which the RCS and SMS channels share: the signed call, its errors, and the topic's events.

mod client;
mod errors;
pub(crate) mod events;
mod statuses;
#[cfg(test)]
mod tests;

pub(crate) use client::{Client, LifeSeconds, Origination, check_origination, context};
