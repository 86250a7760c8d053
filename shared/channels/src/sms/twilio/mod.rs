//! SMS through Twilio.
//!
//! Twilio knows no idempotency key: a text whose answer was lost is in doubt, and a repeat may be a second text.

mod callback;
mod signature;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::contact::Contact;
use domain::ports::{
    Accepted, CallbackError, Capability, Channel, Http, Prompt, Reach, ReceiptKinds, Received,
    Resend, Retraction, SendError, UnverifiedCallback,
};
use domain::values::phone::Phone;
use domain::values::time::Timestamp;
use secrecy::SecretString;
use serde::Deserialize;

use crate::Deps;
use crate::answers;
use crate::settings::{BaseUrl, InvalidSetting, identifier};

const TIMEOUT: Duration = Duration::from_secs(10);

/// What the brand keeps of its account at Twilio.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    /// `AC…`.
    account_sid: String,
    /// The account's primary token: it signs callbacks, and calls too where there is no key for them.
    auth_token: SecretString,
    /// A key for calls, so that the token itself can stay out of them.
    #[serde(default)]
    api_key: Option<ApiKey>,
    /// The number texts come from. This or a messaging service.
    #[serde(default)]
    from: Option<String>,
    /// `MG…`, which picks the number itself.
    #[serde(default)]
    messaging_service_sid: Option<String>,
    /// Where Twilio listens, for a stand-in.
    #[serde(default)]
    base_url: Option<BaseUrl>,
}

/// A key for calls.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ApiKey {
    /// `SK…`.
    sid: String,
    secret: SecretString,
}

/// Whom texts come from.
enum Sender {
    Number(String),
    Service(String),
}

/// A brand's account, ready for use.
struct Account {
    sid: String,
    user: String,
    password: SecretString,
    sender: Sender,
    base: BaseUrl,
}

/// The channel.
pub(super) struct Twilio {
    account: Account,
    auth_token: SecretString,
    http: Arc<dyn Http>,
}

impl Twilio {
    pub(super) fn new(settings: Settings, outside: &Deps) -> Result<Self, InvalidSetting> {
        let Settings { account_sid, auth_token, api_key, from, messaging_service_sid, base_url } =
            settings;
        identifier("account_sid", &account_sid, "")?;
        let sender = match (from, messaging_service_sid) {
            (Some(number), None) if !number.is_empty() => Sender::Number(number),
            (None, Some(service)) if !service.is_empty() => Sender::Service(service),
            (Some(_) | None, Some(_) | None) => return Err(InvalidSetting { field: "from" }),
        };
        let (user, password) = match api_key {
            Some(key) => (key.sid, key.secret),
            None => (account_sid.clone(), auth_token.clone()),
        };
        identifier("api_key", &user, "")?;
        let base = match base_url {
            Some(base) => base,
            None => BaseUrl::try_from("https://api.twilio.com".to_owned())?,
        };
        let account = Account { sid: account_sid, user, password, sender, base };
        Ok(Self { account, auth_token, http: Arc::clone(&outside.http) })
    }
}

#[async_trait]
impl Channel for Twilio {
    fn resend(&self) -> Resend {
        Resend::Doubles
    }

    fn receipts(&self) -> ReceiptKinds {
        ReceiptKinds { delivered: true, read: false }
    }

    async fn capability(&self, _: &Phone, _: &Contact, _: Timestamp) -> Capability {
        super::capability(self.receipts())
    }

    async fn send(&self, prompt: &Prompt) -> Result<Accepted, SendError> {
        let Ok(call) = wire::message(&self.account, prompt) else {
            return Err(SendError::Person { reason: "settings" });
        };
        let answer =
            self.http.call(call, Reach::Configured, TIMEOUT).await.map_err(answers::without)?;
        wire::accepted(answer.status(), answer.body())
    }

    /// A text that is on its way cannot be called back; only a scheduled one could.
    async fn retract(&self, _: &Retraction) -> bool {
        false
    }

    fn receive(&self, callback: &UnverifiedCallback) -> Result<Received, CallbackError> {
        signature::verify(&self.auth_token, callback)?;
        callback::read(callback)
    }
}

#[cfg(test)]
mod tests;
