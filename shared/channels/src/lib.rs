//! The channels, one folder each.
//!
//! **Touches** nothing but the ports it is handed: calls to providers, the store for the sandbox phone, the machine's
//! own signature.
//! **Never** reads a clock, the environment or a secret that is not in the settings it is given, and never repeats a
//! call by itself: what to do next is told by the error. The one exception is a call that was refused because a kept
//! token had run out, which is made again with a new one.

mod answers;
mod apple;
#[cfg(test)]
mod contract_tests;
#[cfg(test)]
mod doubles;
mod eum;
mod eum_events;
pub mod message_limits;
mod opt_out;
mod rcs;
mod sandbox;
mod settings;
mod sms;
mod spelling;
mod tokens;
mod whatsapp;
mod words;

use std::sync::Arc;

use domain::brand::{Brand, ChannelSetup, Mode};
use domain::ports::{
    Channel, Channels, Clock, Http, OpenChannelError, Ports, Random, Signer, Source, Store,
    error_chain,
};
use domain::values::name::ChannelName;
use tokens::Tokens;

/// Every kind of channel there is, in alphabetical order.
const KINDS: &[Kind] = &[apple::KIND, rcs::KIND, sandbox::KIND, sms::KIND, whatsapp::KIND];

/// Everything outside that a channel may touch.
#[derive(Clone)]
pub struct Deps {
    /// Calls to providers.
    pub http: Arc<dyn Http>,
    /// Where the sandbox phone keeps its messages.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness, for what a provider wants to be new each time.
    pub random: Arc<dyn Random>,
    /// Signs calls with the machine's own identity, where it has one.
    pub signer: Option<Arc<dyn Signer>>,
}

impl Deps {
    /// Hands over a function's ports, its way out, and its signer where it has one.
    #[must_use]
    pub fn new(ports: &Ports, http: &Arc<dyn Http>, signer: Option<Arc<dyn Signer>>) -> Self {
        Self {
            http: Arc::clone(http),
            store: Arc::clone(&ports.store),
            clock: Arc::clone(&ports.clock),
            random: Arc::clone(&ports.random),
            signer,
        }
    }
}

/// Opens a brand's channels by the kind its settings name. Logs the setting that is wrong, so that no caller has to.
pub struct Registry {
    outside: Deps,
    tokens: Arc<Tokens>,
}

/// One kind of channel: the word in the settings, and how such a channel is opened.
pub(crate) struct Kind {
    name: &'static str,
    open: fn(&AdapterConfig<'_>) -> Result<Box<dyn Channel>, Source>,
}

/// What a channel is opened with.
pub(crate) struct AdapterConfig<'a> {
    outside: &'a Deps,
    /// What was fetched by channels opened before.
    tokens: &'a Arc<Tokens>,
    brand: &'a Brand,
    mode: Mode,
    setup: &'a ChannelSetup,
}

/// A `kind` that is not in the list.
#[derive(Debug, thiserror::Error)]
#[error("setting `kind` names no kind of channel")]
struct UnknownKind;

impl Registry {
    /// A registry whose channels touch `outside`.
    #[must_use]
    pub fn new(outside: Deps) -> Self {
        Self { outside, tokens: Arc::default() }
    }
}

impl Channels for Registry {
    fn open(
        &self,
        brand: &Brand,
        mode: Mode,
        name: &ChannelName,
    ) -> Result<Box<dyn Channel>, OpenChannelError> {
        let setups = &brand.setup(mode).channels;
        let setup =
            setups.iter().find(|setup| setup.name == *name).ok_or(OpenChannelError::Absent)?;
        let opening =
            AdapterConfig { outside: &self.outside, tokens: &self.tokens, brand, mode, setup };
        let kind = KINDS.iter().find(|kind| kind.name == setup.kind);
        let opened = kind.ok_or_else(|| Source::from(UnknownKind));
        opened.and_then(|kind| (kind.open)(&opening)).map_err(|error| {
            tracing::error!(
                brand.name = %brand.name, brand.mode = ?mode, channel.name = %name,
                channel.kind = setup.kind, error = error_chain(error.as_ref()),
                "channel settings invalid"
            );
            OpenChannelError::Settings(error)
        })
    }
}
