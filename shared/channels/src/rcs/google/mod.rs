//! RCS through Google's RBM API.
//!
//! Google ignores a message whose id it has seen from the agent, and the id is the prompt's own: whatever became of a
//! call, it can be made again.

mod account;
mod callback;
mod calls;
mod signature;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::brand::{ChannelSetup, Mode};
use domain::contact::Contact;
use domain::keys;
use domain::ports::{
    Accepted, CallbackError, Capability, Channel, Prompt, Random, ReceiptKinds, Received, Resend,
    Retraction, SendError, UnverifiedCallback,
};
use domain::values::phone::Phone;
use domain::values::time::Timestamp;
use http::StatusCode;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::AdapterConfig;
use crate::settings::{BaseUrl, InvalidSetting, identifier};
use account::{KeyFile, ServiceAccount};
use calls::Caller;

const TIMEOUT: Duration = Duration::from_secs(10);
/// A look-up is made while somebody waits on the line, and a prompt can be tried without one.
const LOOK_UP_TIMEOUT: Duration = Duration::from_millis(1_500);
const RECEIPTS: ReceiptKinds = ReceiptKinds { delivered: true, read: true };

/// What the brand, or its partner at Google, keeps of its agent.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    /// The agent, with or without `@rbm.goog`.
    agent_id: String,
    /// Where the agent is hosted, which never changes.
    region: Region,
    /// The partner's key file.
    service_account: KeyFile,
    /// What the webhook was registered with: it signs callbacks.
    client_token: SecretString,
    /// What kind of message a prompt is; an agent for several uses must say so.
    #[serde(default)]
    traffic_type: TrafficType,
    /// Where the API listens, for a stand-in.
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

/// What a prompt is to Google: what the customer asked for, unless told otherwise. It is never a promotion.
#[derive(Clone, Copy, Default, Deserialize, Serialize)]
#[serde(rename_all = "UPPERCASE")]
enum TrafficType {
    Authentication,
    Transaction,
    #[default]
    ServiceRequest,
    Acknowledgement,
}

/// A brand's agent, ready for use.
struct Agent {
    /// Without `@rbm.goog`.
    id: String,
    traffic_type: TrafficType,
    base: BaseUrl,
}

/// The channel.
pub(super) struct Google {
    agent: Agent,
    client_token: SecretString,
    /// The agent whose events are left to the test mode, which is asked after the live one.
    left: Option<String>,
    caller: Caller,
    random: Arc<dyn Random>,
}

impl Google {
    pub(super) fn new(
        settings: Settings,
        opening: &AdapterConfig<'_>,
    ) -> Result<Self, InvalidSetting> {
        let Settings { agent_id, region, service_account, client_token, traffic_type, base_url } =
            settings;
        let id = bare(&agent_id).to_owned();
        identifier("agent_id", &id, "-_.")?;
        // An empty key would make a signature anybody can compute.
        if client_token.expose_secret().is_empty() {
            return Err(InvalidSetting { field: "client_token" });
        }
        let base = match base_url {
            Some(base) => base,
            None => BaseUrl::try_from(region.address().to_owned())?,
        };
        let outside = opening.outside;
        let caller = Caller {
            account: ServiceAccount::new(service_account)?,
            tokens: Arc::clone(opening.tokens),
            http: Arc::clone(&outside.http),
            clock: Arc::clone(&outside.clock),
        };
        let left = tested(opening, &client_token).filter(|agent| *agent != id);
        let (agent, random) = (Agent { id, traffic_type, base }, Arc::clone(&outside.random));
        Ok(Self { agent, client_token, left, caller, random })
    }
}

/// The agent of the test mode's channel of this name, where one webhook reports for it and for the live one.
fn tested(opening: &AdapterConfig<'_>, token: &SecretString) -> Option<String> {
    let (own, tests) = (opening.setup, &opening.brand.setup(Mode::Test).channels);
    let same = |setup: &&ChannelSetup| setup.name == own.name && setup.kind == own.kind;
    let namesake = tests.iter().find(same).filter(|_| opening.mode == Mode::Live)?;
    let super::Settings::Google(other) = namesake.settings.read().ok()? else { return None };
    let reports = keys::same(other.client_token.expose_secret(), token.expose_secret());
    reports.then(|| bare(&other.agent_id).to_owned())
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

/// An agent's id without the domain that some of Google's own texts have behind it.
fn bare(agent: &str) -> &str {
    agent.strip_suffix("@rbm.goog").unwrap_or(agent)
}

#[async_trait]
impl Channel for Google {
    fn resend(&self) -> Resend {
        Resend::Safe
    }

    fn receipts(&self) -> ReceiptKinds {
        RECEIPTS
    }

    async fn capability(&self, to: &Phone, _: &Contact, _: Timestamp) -> Capability {
        let mut fresh = [0; 16];
        self.random.fill(&mut fresh);
        wire::capability(match wire::question(&self.agent, to, fresh) {
            Ok(call) => self.caller.call(call, LOOK_UP_TIMEOUT).await,
            Err(_) => Err(SendError::Person { reason: "settings" }),
        })
    }

    async fn send(&self, prompt: &Prompt) -> Result<Accepted, SendError> {
        let Ok(call) = wire::message(&self.agent, prompt) else {
            return Err(SendError::Person { reason: "settings" });
        };
        let answer = self.caller.call(call, TIMEOUT).await?;
        wire::accepted(prompt.reference.prompt, answer.status(), answer.body())
    }

    /// Taken back means out of Google's queue. What is on the phone stays there; Google answers 404 for it.
    async fn retract(&self, retraction: &Retraction) -> bool {
        let Ok(call) = wire::revocation(&self.agent, retraction) else { return false };
        let answer = self.caller.call(call, TIMEOUT).await;
        answer.is_ok_and(|answer| answer.status() == StatusCode::OK)
    }

    fn receive(&self, callback: &UnverifiedCallback) -> Result<Received, CallbackError> {
        match signature::verify(&self.client_token, callback)? {
            signature::Proven::Handshake { secret } => Ok(callback::echo(secret)),
            signature::Proven::Event { data } => {
                callback::read((&self.agent.id, self.left.as_deref()), &data)
            }
        }
    }
}

#[cfg(test)]
mod tests;
