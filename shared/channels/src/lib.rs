#![doc = include_str!("../README.md")]

mod adapter;
mod answers;
mod apple;
mod aws;
#[cfg(test)]
mod contract_tests;
#[cfg(test)]
#[expect(dead_code, reason = "only kinds of other crates keep anything in the store")]
mod doubles;
mod email;
mod json;
mod link;
pub mod message_limits;
mod placeholders;
#[cfg(test)]
mod preview_tests;
mod previews;
mod rcs;
mod registry;
mod senders;
mod settings;
mod sms;
mod sms_capability;
#[cfg(test)]
mod thread_tests;
mod tokens;
mod twilio;
#[cfg(test)]
mod under_test;
mod whatsapp;
mod window;

pub use adapter::{AdapterConfig, AdapterKind, Deps, OpenResult};
pub use registry::Registry;
