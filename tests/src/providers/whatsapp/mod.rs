//! A stand-in for Meta's Cloud API.
//!
//! It takes messages as strictly as documented, and keeps each customer's 24 hours. It shows the phone, and writes
//! callbacks as Meta does, with escapes and signature.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a call that is not as documented fails the test it is made in; JSON is indexed"
)]

mod callbacks;
mod checks;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use domain::values::time::Timestamp;
use http::request::Parts;
use serde_json::{Value, json};

use crate::lock::lock;

pub use callbacks::{Person, SignedCallback, posted, signature, signature_by, signed, wa_id};

/// The API's host.
pub const HOST: &str = "graph.facebook.com";
/// Meta's id of the brand's number.
pub const NUMBER_ID: &str = "106540352242922";
/// What calls are proven with.
pub const ACCESS_TOKEN: &str = "EAAG-access-token-of-the-demo-brand";
/// What callbacks are signed with.
pub const APP_SECRET: &str = "0a1b2c3d4e5f60718293a4b5c6d7e8f9";
/// What the address of callbacks is verified with.
pub const VERIFY_TOKEN: &str = "verify-token-of-the-demo-brand";

const WINDOW: Duration = Duration::from_secs(24 * 3_600);

/// The settings of a brand whose templates were approved here.
#[must_use]
pub fn settings() -> Value {
    let languages = json!({ "en": "en_US", "de": "de" });
    json!({
        "phone_number_id": NUMBER_ID,
        "access_token": ACCESS_TOKEN,
        "app_secret": APP_SECRET,
        "verify_token": VERIFY_TOKEN,
        "templates": [
            { "name": "approve_payment_v1", "languages": languages, "header": "title",
              "body": ["payee", "amount", "body"], "buttons": ["approve", "deny", "not_me"] },
            { "name": "view_payment_v1", "languages": languages,
              "body": ["payee", "amount"], "buttons": ["page", "fixed", "deny"] },
            { "name": "view_request_v1", "languages": languages, "body": ["body"], "buttons": ["page", "deny"] },
        ],
    })
}

/// A message that was taken.
#[derive(Clone, Debug)]
pub struct SentMessage {
    /// Meta's id for it.
    pub id: String,
    /// The number it went to.
    pub to: String,
    /// What comes back with its statuses.
    pub reference: String,
    /// `button`, `cta_url` or the template's name.
    pub kind: String,
    /// All its text, as the phone shows it.
    pub text: String,
    /// Its buttons.
    pub buttons: Vec<Button>,
    /// Meta's id of the message that it quotes.
    pub quotes: Option<String>,
}

/// A button on the phone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Button {
    /// What it says.
    pub label: String,
    /// What tapping it does.
    pub action: ButtonAction,
}

/// The action of a button.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ButtonAction {
    /// Brings this back, as a button of a free-form message.
    Reply(String),
    /// Brings this back, as a button of a template.
    QuickReply(String),
    /// Opens an address. Nothing is told of it.
    Open(String),
    /// Calls the brand.
    Call,
}

/// An answer to a call: a status and a body.
pub type Answer = (u16, Value);

#[derive(Default)]
struct State {
    /// When each number last wrote or tapped.
    inbound: BTreeMap<String, Timestamp>,
    sent: Vec<SentMessage>,
    inbound_count: u64,
}

/// The Cloud API, with one number on it.
#[derive(Default)]
pub struct CloudApi(Mutex<State>);

impl CloudApi {
    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.0)
    }

    /// The prompts that were taken, in their order.
    #[must_use]
    pub fn sent(&self) -> Vec<SentMessage> {
        let all = self.state().sent.clone();
        all.into_iter().filter(|message| message.quotes.is_none()).collect()
    }

    /// The messages that quote a prompt, in their order.
    #[must_use]
    pub fn thread_messages(&self) -> Vec<SentMessage> {
        let all = self.state().sent.clone();
        all.into_iter().filter(|message| message.quotes.is_some()).collect()
    }

    /// The newest message.
    #[must_use]
    pub fn newest(&self) -> SentMessage {
        self.sent().pop().expect("a message was sent")
    }

    /// Answers a call, and fails the test where the call is not documented.
    #[must_use]
    pub fn answers(&self, parts: &Parts, body: &[u8], now: Timestamp) -> Answer {
        if parts.headers["authorization"] != format!("Bearer {ACCESS_TOKEN}") {
            return refusal(401, 190, "Error validating access token");
        }
        let body = checks::call(parts, body);
        let to = checks::recipient(&body);
        let mut state = self.state();
        let (kind, text, buttons) = if body["type"] == "template" {
            match checks::template(&body["template"]) {
                Ok(shown) => shown,
                Err(refused) => return refused,
            }
        } else {
            let shown = if body["type"] == "text" {
                checks::text_message(&body["text"])
            } else {
                checks::interactive(&body["interactive"])
            };
            let open = state.inbound.get(&wa_id(&to)).is_some_and(|last| last.until(now) < WINDOW);
            if !open {
                return refusal(400, 131_047, "Re-engagement message");
            }
            shown
        };
        let id = format!("wamid.HBgL{:040X}", state.sent.len() + 1);
        let reference = body["biz_opaque_callback_data"].as_str().unwrap_or_default().to_owned();
        let template = body["type"] == "template";
        let message = if template {
            json!({ "id": id, "message_status": "accepted" })
        } else {
            json!({ "id": id })
        };
        let quotes = body["context"]["message_id"].as_str().map(str::to_owned);
        let is_known = |quoted: &String| state.sent.iter().any(|sent| sent.id == *quoted);
        assert!(quotes.iter().all(is_known), "a message that was never sent is quoted: {body}");
        state.sent.push(SentMessage { id, to: to.clone(), reference, kind, text, buttons, quotes });
        let contact = json!({ "input": format!("+{to}"), "wa_id": wa_id(&to) });
        let taken = json!({ "messaging_product": "whatsapp", "contacts": [contact], "messages": [message] });
        (200, taken)
    }
}

/// A refusal in Meta's envelope.
#[must_use]
pub fn refusal(status: u16, code: u32, title: &str) -> Answer {
    let error = json!({
        "message": format!("(#{code}) {title}"),
        "type": "OAuthException",
        "code": code,
        "error_data": { "messaging_product": "whatsapp", "details": format!("{title}.") },
        "fbtrace_id": "AbCdEfGhIjKlMnOpQrStUvW",
    });
    (status, json!({ "error": error }))
}

impl SentMessage {
    /// The button of that label.
    ///
    /// # Panics
    /// Panics when the customer got no message.
    #[must_use]
    pub fn button(&self, label: &str) -> &Button {
        let found = self.buttons.iter().find(|button| button.label == label);
        found.unwrap_or_else(|| panic!("no button says {label}: {:?}", self.buttons))
    }

    /// The labels of its buttons.
    #[must_use]
    pub fn labels(&self) -> Vec<&str> {
        self.buttons.iter().map(|button| button.label.as_str()).collect()
    }

    /// The address that its button opens.
    ///
    /// # Panics
    /// When it has no such button.
    #[must_use]
    pub fn link(&self) -> &str {
        let mut links = self.buttons.iter().filter_map(|button| match &button.action {
            ButtonAction::Open(url) => Some(url.as_str()),
            ButtonAction::Reply(_) | ButtonAction::QuickReply(_) | ButtonAction::Call => None,
        });
        links.next().expect("a button opens a page")
    }
}
