//! The numbers that report to one callback URL.

use domain::brand::Mode;
use domain::keys;
use secrecy::ExposeSecret;

use super::account::Settings;
use crate::adapter::AdapterConfig;

/// The numbers that report to this channel's callback URL.
///
/// An app at Meta has one callback URL and one secret. So a brand's test number and its live number report to the same
/// channel name.
pub(super) struct Numbers {
    /// Meta's id of this channel's own number.
    pub(super) own: String,
    /// Meta's id of the number in the other mode, if both belong to one app.
    other: Option<String>,
    /// Whether a callback for the other number alone is left to the other mode. The test mode is asked after the live
    /// one.
    pub(super) leaves_to_other: bool,
}

impl Numbers {
    /// Finds the other mode's number of this channel name.
    pub(super) fn new(config: &AdapterConfig<'_>, own: &Settings) -> Self {
        let other = match config.mode {
            Mode::Live => Mode::Test,
            Mode::Test => Mode::Live,
        };
        let namesakes = config
            .brand
            .setup(other)
            .channels
            .iter()
            .filter(|setup| setup.name == config.setup.name && setup.kind == config.setup.kind);
        let secret = own.app_secret.expose_secret();
        let others = namesakes.filter_map(|setup| setup.settings.read::<Settings>().ok());
        let same_app = |other: &Settings| keys::same(other.app_secret.expose_secret(), secret);
        let other = others.filter(same_app).map(|other| other.phone_number_id).next();
        Self {
            own: own.phone_number_id.clone(),
            other: other.filter(|other| *other != own.phone_number_id),
            leaves_to_other: config.mode == Mode::Live,
        }
    }

    pub(super) fn is_other(&self, number: &str) -> bool {
        self.other.as_deref() == Some(number)
    }
}
