#![doc = include_str!("../README.md")]

mod address;
#[cfg(test)]
mod calls;
mod client;
mod identity;
mod pool;
mod resolver;

pub use address::is_public;
pub use client::{Client, CreateClientError};
