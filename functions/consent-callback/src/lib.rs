//! Records the customer's answer.

pub mod page;
