//! Puts a prompt in front of the customer.
