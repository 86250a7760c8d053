//! Stripe's objects: their states, and their JSON.

pub(crate) mod intent;
pub(crate) mod method;
pub(crate) mod refund;
pub(crate) mod session;
pub(crate) mod setup;
