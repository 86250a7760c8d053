//! WhatsApp through Meta's Cloud API: buttons in the chat, or the approved template that a chat has to begin with.
//!
//! Within 24 hours of the customer's last message or tap a prompt is a free-form message whose buttons come back to us;
//! before that only a template that Meta approved is taken. The Cloud API knows no idempotency key, so that a message
//! whose answer was lost is in doubt. Payments within WhatsApp itself are not used: their money goes through a processor
//! that is linked to the account at Meta, past the ones the brand has here.

mod callback;
mod signature;
mod template;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::brand::Mode;
use domain::contact::Contact;
use domain::keys;
use domain::ports::{
    Accepted, CallbackError, Capability, Channel, Http, Prompt, Reach, ReceiptKinds, Received,
    Resend, Retraction, SendError, Source, UnverifiedCallback,
};
use domain::values::language::Language;
use domain::values::phone::Phone;
use domain::values::time::Timestamp;
use http::Method;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;

use crate::answers;
use crate::settings::{BaseUrl, InvalidSetting, identifier};
use crate::{AdapterConfig, Kind};
use template::Template;

/// WhatsApp through the Cloud API.
pub(crate) const KIND: Kind = Kind { name: "whatsapp", open };

const TIMEOUT: Duration = Duration::from_secs(10);
/// For how long after the customer's last message free-form ones are taken, less ten minutes for clocks that differ and
/// for what is on its way.
const WINDOW: Duration = Duration::from_secs(24 * 3_600 - 600);

/// What the brand keeps of its number at Meta.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// Meta's id of the number messages come from, not the number itself.
    phone_number_id: String,
    /// A system user's token, which does not expire.
    access_token: SecretString,
    /// The app's secret: it signs callbacks.
    app_secret: SecretString,
    /// What was typed in beside the callback's address at Meta: proves the one call that carries no signature.
    verify_token: SecretString,
    /// Which version of the Graph API is called.
    #[serde(default = "newest")]
    api_version: String,
    /// The approved templates, best first: the first one that can say what is asked is sent.
    templates: Vec<template::Settings>,
    /// Where the Graph API listens, for a stand-in.
    #[serde(default)]
    base_url: Option<BaseUrl>,
}

/// The newest version the sources of this adapter describe.
fn newest() -> String {
    "v25.0".to_owned()
}

/// A brand's number, ready for use.
struct Account {
    messages: String,
    access_token: SecretString,
    templates: Vec<Template>,
    language: Language,
}

struct WhatsApp {
    account: Account,
    app_secret: SecretString,
    verify_token: SecretString,
    numbers: Numbers,
    http: Arc<dyn Http>,
}

fn open(opening: &AdapterConfig<'_>) -> Result<Box<dyn Channel>, Source> {
    let settings: Settings = opening.setup.settings.read()?;
    let numbers = Numbers::new(opening, &settings);
    let account = account(&settings, &opening.brand.language)?;
    // An empty secret would make a proof that anybody has.
    for (field, secret) in
        [("app_secret", &settings.app_secret), ("verify_token", &settings.verify_token)]
    {
        if secret.expose_secret().is_empty() {
            return Err(InvalidSetting { field }.into());
        }
    }
    let Settings { app_secret, verify_token, .. } = settings;
    let http = Arc::clone(&opening.outside.http);
    Ok(Box::new(WhatsApp { account, app_secret, verify_token, numbers, http }))
}

fn account(settings: &Settings, language: &Language) -> Result<Account, InvalidSetting> {
    identifier("phone_number_id", &settings.phone_number_id, "")?;
    identifier("api_version", &settings.api_version, ".")?;
    if settings.templates.is_empty() {
        return Err(InvalidSetting { field: "templates" });
    }
    let templates: Result<Vec<Template>, InvalidSetting> =
        settings.templates.iter().map(|template| Template::new(template, language)).collect();
    let base = match &settings.base_url {
        Some(base) => base.clone(),
        None => BaseUrl::try_from("https://graph.facebook.com".to_owned())?,
    };
    let path = format!("/{}/{}/messages", settings.api_version, settings.phone_number_id);
    Ok(Account {
        messages: base.join(&path),
        access_token: settings.access_token.clone(),
        templates: templates?,
        language: language.clone(),
    })
}

/// The numbers that report to this channel's address. An app at Meta has one callback address and one secret, so that a
/// brand's number for tests and its real one report to the same place.
struct Numbers {
    /// Meta's id of this channel's own.
    own: String,
    /// That of the number the channel has in the other mode, where both belong to one app.
    other: Option<String>,
    /// What is for the other number alone is left to it, as the test mode is asked after the live one.
    leaves_to_other: bool,
}

impl Numbers {
    fn new(opening: &AdapterConfig<'_>, own: &Settings) -> Self {
        let other = match opening.mode {
            Mode::Live => Mode::Test,
            Mode::Test => Mode::Live,
        };
        let namesakes =
            opening.brand.setup(other).channels.iter().filter(|setup| {
                setup.name == opening.setup.name && setup.kind == opening.setup.kind
            });
        let secret = own.app_secret.expose_secret();
        let theirs = namesakes.filter_map(|setup| setup.settings.read::<Settings>().ok());
        let same_app = |other: &Settings| keys::same(other.app_secret.expose_secret(), secret);
        let other = theirs.filter(same_app).map(|other| other.phone_number_id).next();
        Self {
            own: own.phone_number_id.clone(),
            other: other.filter(|other| *other != own.phone_number_id),
            leaves_to_other: opening.mode == Mode::Live,
        }
    }

    fn is_other(&self, number: &str) -> bool {
        self.other.as_deref() == Some(number)
    }
}

fn window_is_open(contact: &Contact, now: Timestamp) -> bool {
    contact.last_inbound.is_some_and(|last| last.until(now) < WINDOW)
}

impl WhatsApp {
    async fn sends(&self, prompt: &Prompt, message: &Value) -> Result<Accepted, SendError> {
        let Ok(call) = wire::call(&self.account, prompt, message) else {
            return Err(SendError::Person { reason: "settings" });
        };
        let answer =
            self.http.call(call, Reach::Configured, TIMEOUT).await.map_err(answers::without)?;
        wire::accepted(answer.status(), answer.body())
    }
}

#[async_trait]
impl Channel for WhatsApp {
    fn resend(&self) -> Resend {
        Resend::Doubles
    }

    fn receipts(&self) -> ReceiptKinds {
        ReceiptKinds { delivered: true, read: true }
    }

    /// Meta answers nothing about a number before it is written to.
    async fn capability(&self, _: &Phone, contact: &Contact, now: Timestamp) -> Capability {
        let reason = if window_is_open(contact, now) { "window_open" } else { "not_checked" };
        Capability {
            reachable: true,
            rich: true,
            wallets: Vec::new(),
            receipts: self.receipts(),
            reason: Some(reason),
        }
    }

    /// Where the window turns out to be closed after all, nothing was sent, and the template goes out instead.
    async fn send(&self, prompt: &Prompt) -> Result<Accepted, SendError> {
        if window_is_open(&prompt.contact, prompt.now) {
            let sent = self.sends(prompt, &wire::free_form(prompt)).await;
            if !matches!(sent, Err(SendError::Unreachable { reason: wire::OUTSIDE_WINDOW })) {
                return sent;
            }
        }
        let language = &self.account.language;
        match self.account.templates.iter().find_map(|template| template.filled(prompt, language)) {
            Some(message) => self.sends(prompt, &message).await,
            None => Err(SendError::Person { reason: "template" }),
        }
    }

    /// A business cannot take a message back.
    async fn retract(&self, _: &Retraction) -> bool {
        false
    }

    fn receive(&self, callback: &UnverifiedCallback) -> Result<Received, CallbackError> {
        if callback.method == Method::GET {
            return callback::handshake(&self.verify_token, &callback.url);
        }
        signature::verify(&self.app_secret, &callback.headers, &callback.body)?;
        if callback.method != Method::POST {
            return Err(CallbackError::Malformed);
        }
        callback::read(&self.numbers, &callback.body)
    }
}

#[cfg(test)]
mod tests;
