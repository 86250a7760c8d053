//! Records the customer's answer.
