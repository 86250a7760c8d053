//! The Http port over TLS.
//!
//! **Touches** the network.
//! **Never** follows a redirect, reads the machine's certificate store (it costs start-up), or retries a call that may
//! have been sent.

mod address;
#[cfg(test)]
mod calls;
mod client;
mod identity;
mod resolver;

pub use address::is_public;
pub use client::Client;
