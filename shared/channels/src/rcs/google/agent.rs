//! A brand's agent at Google, as its settings state it.

use ports::ReceiptKinds;
use serde::{Deserialize, Serialize};

use super::account::KeyFile;
use crate::settings::{BaseUrl, InvalidSetting, RotatedSecret, identifier};

/// The receipts that Google sends.
pub(super) const RECEIPTS: ReceiptKinds = ReceiptKinds { delivered: true, read: true };

/// The settings of an agent.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::rcs) struct Settings {
    /// The agent, with or without `@rbm.goog`.
    agent_id: String,
    /// The region that hosts the agent, which never changes.
    region: Region,
    /// The partner's key file.
    pub(super) service_account: KeyFile,
    /// The token that the webhook was registered with, or several while one is rotated. It signs callbacks.
    pub(super) client_token: RotatedSecret,
    /// The kind of message that a prompt is. An agent with several uses must set it.
    #[serde(default)]
    traffic_type: TrafficType,
    /// The address of a stand-in.
    #[serde(default)]
    base_url: Option<BaseUrl>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Region {
    Us,
    Europe,
    Asia,
}

/// The traffic type of a prompt. By default that is a service that the customer asked for. It is never a promotion.
#[derive(Clone, Copy, Default, Deserialize, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum TrafficType {
    Authentication,
    Transaction,
    #[default]
    ServiceRequest,
    Acknowledgement,
}

/// A checked agent.
pub(super) struct Agent {
    /// The id without `@rbm.goog`.
    pub(super) id: String,
    pub(super) traffic_type: TrafficType,
    pub(super) base: BaseUrl,
}

impl Agent {
    /// Checks the settings.
    ///
    /// # Errors
    ///
    /// [`InvalidSetting`] for a malformed id and for an empty client token.
    pub(super) fn new(settings: &Settings) -> Result<Self, InvalidSetting> {
        let id = bare_id(&settings.agent_id).to_owned();
        identifier("agent_id", &id, "-_.")?;
        settings.client_token.check("client_token")?;
        let base = match &settings.base_url {
            Some(base) => base.clone(),
            None => BaseUrl::try_from(settings.region.address().to_owned())?,
        };
        Ok(Self { id, traffic_type: settings.traffic_type, base })
    }
}

impl Region {
    const fn address(self) -> &'static str {
        match self {
            Self::Us => "https://us-rcsbusinessmessaging.googleapis.com",
            Self::Europe => "https://europe-rcsbusinessmessaging.googleapis.com",
            Self::Asia => "https://asia-rcsbusinessmessaging.googleapis.com",
        }
    }
}

/// Strips the domain that some of Google's own texts append to an agent's id.
pub(super) fn bare_id(agent: &str) -> &str {
    agent.strip_suffix("@rbm.goog").unwrap_or(agent)
}
