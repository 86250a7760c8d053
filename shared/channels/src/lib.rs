#![doc = include_str!("../README.md")]

mod adapter;
mod answers;
mod apple;
mod aws;
#[cfg(test)]
mod contract_tests;
#[cfg(test)]
mod doubles;
pub mod message_limits;
mod opt_out;
mod rcs;
mod registry;
mod sandbox;
mod settings;
mod sms;
mod tokens;
mod whatsapp;

pub use adapter::Deps;
pub use registry::Registry;
