//! The processors, one folder each, and the list of them.
//!
//! **Touches** only the ports it is handed: `Http`, and for the sandbox `Store` and `Clock`.
//! **Never** draws a key: a repeated call is the same call, byte for byte.

use std::sync::Arc;

use domain::brand::{Brand, Mode, Settings};
use domain::ports::{
    Clock, Http, OpenProcessorError, Ports, Processor, Processors, Source, Store, error_chain,
};
use domain::values::name::ProcessorName;

mod adyen;
mod openid;
pub mod sandbox;
mod stripe;
mod wallets;

/// Everything a processor can touch.
pub struct Deps {
    /// Calls to a processor's API.
    pub http: Arc<dyn Http>,
    /// Where the sandbox keeps its ledger.
    pub store: Arc<dyn Store>,
    /// The sandbox's idea of time.
    pub clock: Arc<dyn Clock>,
}

impl Deps {
    /// Hands over a function's ports and its way out.
    #[must_use]
    pub fn new(ports: &Ports, http: &Arc<dyn Http>) -> Self {
        Self {
            http: Arc::clone(http),
            store: Arc::clone(&ports.store),
            clock: Arc::clone(&ports.clock),
        }
    }
}

/// One adapter: what settings call it, and how it is opened.
struct Kind {
    name: &'static str,
    open: fn(&AdapterConfig<'_>) -> OpenResult,
}

/// What an adapter is opened with.
pub(crate) struct AdapterConfig<'a> {
    outside: &'a Deps,
    brand: &'a Brand,
    mode: Mode,
    settings: &'a Settings,
}

/// A processor, or what is wrong with its settings.
type OpenResult = Result<Box<dyn Processor>, Source>;

/// The adapters there are, by name.
const KINDS: &[Kind] = &[adyen::KIND, openid::KIND, sandbox::KIND, stripe::KIND];

/// What settings may call an adapter, in alphabetical order.
pub fn kinds() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|kind| kind.name)
}

/// Opens a brand's processors. Logs the setting that is wrong, so that no caller has to.
pub struct Registry {
    outside: Deps,
}

impl Registry {
    /// Opens processors that touch these ports.
    #[must_use]
    pub const fn new(outside: Deps) -> Self {
        Self { outside }
    }
}

/// A `kind` that is not in the list.
#[derive(Debug, thiserror::Error)]
#[error("setting `kind` names no kind of processor")]
struct UnknownKind;

impl Processors for Registry {
    fn open(
        &self,
        brand: &Brand,
        mode: Mode,
        name: &ProcessorName,
    ) -> Result<Box<dyn Processor>, OpenProcessorError> {
        let mut setups = brand.setup(mode).processors.iter();
        let setup = setups.find(|setup| setup.name == *name).ok_or(OpenProcessorError::Absent)?;
        let kind = KINDS
            .iter()
            .find(|kind| kind.name == setup.kind)
            .ok_or_else(|| Source::from(UnknownKind));
        let opening =
            AdapterConfig { outside: &self.outside, brand, mode, settings: &setup.settings };
        kind.and_then(|kind| (kind.open)(&opening)).map_err(|error| {
            tracing::error!(
                brand.name = %brand.name, brand.mode = ?mode, processor.name = %name,
                processor.kind = setup.kind, error = error_chain(error.as_ref()),
                "processor settings invalid"
            );
            OpenProcessorError::Settings(error)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_folder_is_listed_once_and_in_order() {
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
        let mut folders: Vec<String> = std::fs::read_dir(source)
            .unwrap()
            .map(|entry| entry.unwrap())
            .filter(|entry| entry.file_type().unwrap().is_dir())
            .map(|entry| entry.file_name().into_string().unwrap())
            .collect();
        folders.sort();
        assert_eq!(kinds().collect::<Vec<_>>(), folders);
    }
}
