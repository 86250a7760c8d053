//! The kind over which the contract tests of channels run here.

use std::sync::Arc;

use channels::Registry;
use ports::{Clock, Store};
use sandbox::Sandbox;

use crate::doubles::{ManualClock, Memory, World};

pub(crate) fn kinds() -> impl Iterator<Item = &'static str> {
    ["sandbox"].into_iter()
}

pub(crate) fn registry(world: &World) -> Registry {
    let store: Arc<dyn Store> = Arc::<Memory>::clone(&world.store);
    let clock: Arc<dyn Clock> = Arc::<ManualClock>::clone(&world.clock);
    Registry::new(world.deps()).with(Sandbox::over(store, clock))
}

/// Returns the folder of the kind's sample settings, from the sources of `channels`.
pub(crate) fn settings_folder(kind: &str) -> String {
    format!("../../{kind}/src/phone/fixtures/settings")
}
