//! The contract tests of the `Channel` port over the sandbox phone, and the phone's own behaviour.

#[cfg(test)]
#[path = "../../../channels/src/contract_tests.rs"]
mod contract_tests;
#[cfg(test)]
#[expect(dead_code, reason = "the adapters of `channels` use the rest of their doubles")]
#[path = "../../../channels/src/doubles.rs"]
mod doubles;
#[cfg(test)]
mod phone;
#[cfg(test)]
mod under_test;

#[cfg(test)]
use channels::{Deps, Registry};
