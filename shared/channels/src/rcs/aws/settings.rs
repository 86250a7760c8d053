//! The settings of an RCS agent at AWS.

use serde::Deserialize;

use crate::aws;
use crate::settings::{BaseUrl, InvalidSetting};

/// The settings of an agent.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::rcs) struct Settings {
    /// The agent's region.
    pub(super) region: String,
    /// An agent or pool, by id or ARN.
    pub(super) origination_identity: String,
    /// The destination of events. Without it no receipt arrives, so silence means nothing.
    #[serde(default)]
    pub(super) configuration_set: Option<String>,
    /// A text that the service sends where RCS does not reach the customer, instead of the request's next route.
    #[serde(default)]
    pub(super) sms_fallback: Option<SmsFallback>,
    /// The address of a stand-in.
    #[serde(default)]
    pub(super) base_url: Option<BaseUrl>,
}

/// A text that the service sends in place of a card.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SmsFallback {
    /// A number or sender id, by value, id or ARN. The service takes neither pool nor agent here.
    pub(super) origination_identity: String,
    /// The seconds that a card has to arrive. Then the service revokes the card and sends the text.
    #[serde(default = "half_a_minute")]
    pub(super) after_seconds: u32,
}

const fn half_a_minute() -> u32 {
    30
}

impl SmsFallback {
    /// Checks that the sender is a number or a sender id.
    ///
    /// # Errors
    ///
    /// [`InvalidSetting`] for a pool, an agent or a malformed identity.
    pub(super) fn check(&self) -> Result<(), InvalidSetting> {
        aws::check_origination("sms_fallback", &self.origination_identity)?;
        let kinds = ["pool-", "rcs-", ":pool/", ":rcs-agent/"];
        if kinds.iter().any(|kind| self.origination_identity.contains(kind)) {
            return Err(InvalidSetting { field: "sms_fallback" });
        }
        Ok(())
    }
}
