//! The contract tests of the `Processor` port over the sandbox, and its behaviour through the registry.

#[cfg(test)]
#[path = "../../../processors/tests/port/contract_tests.rs"]
mod contract_tests;
#[cfg(test)]
#[path = "../../../processors/tests/port/doubles.rs"]
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
fn store(world: &doubles::World) -> Arc<dyn Store> {
    Arc::<doubles::Memory>::clone(&world.store)
}

/// Returns the sandbox of a world.
#[cfg(test)]
fn sandbox_of(world: &doubles::World) -> Sandbox {
    Sandbox::over(store(world), world.deps().clock)
}

/// Returns the registry under test.
#[cfg(test)]
fn registry(world: &doubles::World, deps: Deps) -> Registry {
    Registry::new(deps).with(sandbox_of(world))
}
