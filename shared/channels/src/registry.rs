//! The list of kinds, and the port that opens a brand's channels by it.

use std::sync::Arc;

use domain::brand::{Brand, Mode};
use domain::ports::{Channel, Channels, OpenChannelError};
use domain::values::name::ChannelName;

use crate::adapter::{AdapterConfig, Deps, Kind};
use crate::tokens::Tokens;
use crate::{apple, rcs, sandbox, sms, whatsapp};

/// Every kind of channel, in alphabetical order.
pub(crate) const KINDS: &[Kind] =
    &[apple::KIND, rcs::KIND, sandbox::KIND, sms::KIND, whatsapp::KIND];

/// Opens a brand's channels by the kind that its settings name.
pub struct Registry {
    deps: Deps,
    tokens: Arc<Tokens>,
}

/// The settings name a kind that is not in [`KINDS`].
#[derive(Debug, thiserror::Error)]
#[error("unknown channel kind")]
struct UnknownKind;

impl Registry {
    /// Creates a registry whose channels touch `deps` and nothing else.
    #[must_use]
    pub fn new(deps: Deps) -> Self {
        Self { deps, tokens: Arc::default() }
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
        let config = AdapterConfig { deps: &self.deps, tokens: &self.tokens, brand, mode, setup };
        let kind = KINDS.iter().find(|kind| kind.name == setup.kind);
        let kind = kind.ok_or_else(|| OpenChannelError::Settings(UnknownKind.into()))?;
        (kind.open)(&config).map_err(OpenChannelError::Settings)
    }
}
