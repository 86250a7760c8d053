//! Delivery of webhooks to the requester's endpoint.

mod delivery;
mod delivery_limit;
mod delivery_result;
mod endpoint;
mod event_bus;

pub use delivery_limit::InFlightLimit;

pub(crate) use delivery::Deliveries;
