//! The contract tests of the `Processor` port over every kind of this crate, and the adapters through their registry.

#[cfg(test)]
mod adyen;
#[cfg(test)]
mod contract_fixture;
#[cfg(test)]
mod contract_tests;
#[cfg(test)]
mod doubles;
#[cfg(test)]
mod live_mode;
#[cfg(test)]
mod stripe;
#[cfg(test)]
mod wallets;

#[cfg(test)]
use processors::{Deps, Registry, kinds};

/// Returns the registry under test.
#[cfg(test)]
fn registry(_: &doubles::Doubles, deps: Deps) -> Registry {
    Registry::new(deps)
}
