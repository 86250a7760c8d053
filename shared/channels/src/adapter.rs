//! What every adapter is made from: the ports it may touch, its settings, and its entry in the registry.

use std::sync::Arc;

use domain::brand::{Brand, ChannelSetup, Mode};
use domain::random::Random;
use ports::{Channel, Clock, Http, Ports, Signer, Source, Store};

use crate::tokens::Tokens;

/// The ports that a channel may touch.
#[derive(Clone)]
pub struct Deps {
    /// Calls to providers.
    pub http: Arc<dyn Http>,
    /// The sandbox phone's messages.
    pub store: Arc<dyn Store>,
    /// The current time, for signatures and time limits.
    pub clock: Arc<dyn Clock>,
    /// Randomness for identifiers that a provider wants to be new in each call.
    pub random: Arc<dyn Random>,
    /// Signs calls to AWS with the machine's own identity; `None` on a machine without one.
    pub signer: Option<Arc<dyn Signer>>,
}

impl Deps {
    /// Takes what channels may touch of a function's ports. `signer` is `None` on a machine without an identity.
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

/// A kind of channel: its name in the settings, and the function that opens one.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) open: fn(&AdapterConfig<'_>) -> Result<Box<dyn Channel>, Source>,
}

/// The input of an adapter's constructor.
pub(crate) struct AdapterConfig<'a> {
    pub(crate) deps: &'a Deps,
    /// Access tokens that channels of this process fetched before.
    pub(crate) tokens: &'a Arc<Tokens>,
    pub(crate) brand: &'a Brand,
    pub(crate) mode: Mode,
    pub(crate) setup: &'a ChannelSetup,
}
