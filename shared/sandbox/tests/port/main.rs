//! The contract tests of the `Processor` port over the sandbox, and its behaviour through the registry.

#[cfg(test)]
#[path = "../../../processors/tests/port/contract_fixture.rs"]
mod contract_fixture;
#[cfg(test)]
#[path = "../../../processors/tests/port/contract_tests.rs"]
mod contract_tests;
#[cfg(test)]
#[path = "../../../processors/tests/port/doubles.rs"]
#[expect(dead_code, reason = "only Stripe keeps an answer under its idempotency key")]
mod doubles;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod sandbox;
#[cfg(test)]
mod sandbox_wallets;
#[cfg(test)]
#[path = "../../../processors/tests/port/wallets.rs"]
mod wallets;

#[cfg(test)]
use std::sync::Arc;

#[cfg(test)]
use ::sandbox::Sandbox;
#[cfg(test)]
use ports::Store;
#[cfg(test)]
use processors::{Deps, Registry};

/// Returns the kinds over which the contract tests run.
#[cfg(test)]
fn kinds() -> impl Iterator<Item = &'static str> {
    ["sandbox"].into_iter()
}

/// Returns the store of a world.
#[cfg(test)]
fn store(doubles: &doubles::Doubles) -> Arc<dyn Store> {
    Arc::<doubles::MemoryStore>::clone(&doubles.store)
}

/// Returns the sandbox of a world.
#[cfg(test)]
fn sandbox_of(doubles: &doubles::Doubles) -> Sandbox {
    Sandbox::over(store(doubles), doubles.deps().clock)
}

/// Returns the registry under test.
#[cfg(test)]
fn registry(doubles: &doubles::Doubles, deps: Deps) -> Registry {
    Registry::new(deps).with(sandbox_of(doubles))
}
