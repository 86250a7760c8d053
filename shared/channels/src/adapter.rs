//! The parts of every adapter: the ports it may touch, its settings, and its entry in the registry.

use std::sync::Arc;

use domain::brand::{Brand, ChannelSetup, Mode};
use domain::random::Random;
use ports::{Channel, Clock, Http, Ports, Signer, Source};

use crate::tokens::Tokens;

/// The ports that a channel may touch.
#[derive(Clone)]
pub struct Deps {
    /// Calls to providers.
    pub http: Arc<dyn Http>,
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
            clock: Arc::clone(&ports.clock),
            random: Arc::clone(&ports.random),
            signer,
        }
    }
}

/// A channel, or the error in its settings.
pub type OpenResult = Result<Box<dyn Channel>, Source>;

/// One kind of channel: its name in a brand's settings, and its constructor.
///
/// ```
/// use channels::{AdapterConfig, AdapterKind, OpenResult};
///
/// /// A kind that exists in settings and cannot be used yet.
/// struct Announced;
///
/// impl AdapterKind for Announced {
///     fn name(&self) -> &'static str {
///         "announced"
///     }
///
///     fn open(&self, config: &AdapterConfig<'_>) -> OpenResult {
///         Err(format!("channel `{}` is of a kind that is only announced", config.setup.name).into())
///     }
/// }
///
/// /// Adds the kind to those of this crate.
/// fn with_announced(deps: channels::Deps) -> channels::Registry {
///     channels::Registry::new(deps).with(Announced)
/// }
/// assert_eq!(Announced.name(), "announced");
/// ```
pub trait AdapterKind: Send + Sync {
    /// Returns the name by which settings choose this kind.
    fn name(&self) -> &'static str;

    /// Opens a channel with a brand's settings.
    ///
    /// # Errors
    /// The settings are not what the adapter documents. No setting's value is quoted.
    fn open(&self, config: &AdapterConfig<'_>) -> OpenResult;
}

/// A kind of this crate.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) open: fn(&AdapterConfig<'_>) -> OpenResult,
}

impl AdapterKind for Kind {
    fn name(&self) -> &'static str {
        self.name
    }

    fn open(&self, config: &AdapterConfig<'_>) -> OpenResult {
        (self.open)(config)
    }
}

/// The input of an adapter's constructor.
pub struct AdapterConfig<'a> {
    /// The ports that the adapter uses.
    pub deps: &'a Deps,
    /// Access tokens that channels of this process fetched before.
    pub(crate) tokens: &'a Arc<Tokens>,
    /// The brand whose channel is opened.
    pub brand: &'a Brand,
    /// The mode in which the channel is opened.
    pub mode: Mode,
    /// The channel's name and settings from the brand's secret.
    pub setup: &'a ChannelSetup,
}
