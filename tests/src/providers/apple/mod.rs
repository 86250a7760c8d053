//! Apple's side of Messages for Business: the gateway for messages, the one for payments, and the customers behind them.
#![expect(clippy::panic, reason = "a stand-in fails the test it is in")]

mod callbacks;
mod schema;
mod token;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use bytes::Bytes;
use domain::digest::digest_hex;
use domain::values::time::Timestamp;
use http::request::Parts;
use http::{Method, Request, header};
use ports::ClientIdentity;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::lock::lock;

pub use callbacks::{Person, SignedCallback, posted};
pub use schema::{PaymentSheet, SentMessage};

/// Where messages go.
pub const HOST: &str = "mspgw.push.apple.com";
/// Where merchant sessions come from.
pub const PAY_HOST: &str = "apple-pay-gateway.apple.com";
/// Where long replies are kept.
pub const REPLY_HOST: &str = "cvws.icloud-content.com";
/// Apple's id of the business.
pub const BUSINESS: &str = "a884eddf-0000-0000-0000-000000000000";
/// The provider the business works through.
pub const CSP: &str = "6d8f7a52-1c1e-4f0a-9f3e-0a2b4c6d8e10";
/// The provider's secret, in base64.
pub const SECRET: &str = "YXBpLXNlY3JldC1vZi10aGUtcHJvdmlkZXItb2YtZGVtbw==";
/// The Apple Pay merchant identifier.
pub const MERCHANT: &str = "merchant.com.example.callcentre";
/// The host that is registered for the merchant.
pub const DOMAIN: &str = "pay.example.com";
/// A line of the merchant identity's private key.
pub const KEY_LINE: &str = "MC4CAQAwBQYDK2VwBCIEIG1lcmNoYW50LWtleS1vZi10aGUtZGVtby1icmFuZA";
/// What every payment token's data begins with.
pub const TOKEN_DATA: &str = "sealed-by-the-secure-element-";

const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
/// The key of a long reply, its sealed text and its plain text; computed with OpenSSL.
const REPLY_KEY: &str = "404142434445464748494A4B4C4D4E4F505152535455565758595A5B5C5D5E5F";
const REPLY_SEALED: &str = "what-the-device-sealed-for-this-reply";
const REPLY_PLAIN: &str =
    "118cb2f6cd774dbe6710ec7a38fbd93854c61515daf378752e09cfa72a330c7e28514014ed";

/// The channel's settings, without Apple Pay.
#[must_use]
pub fn settings() -> Value {
    json!({ "business_id": BUSINESS, "csp_id": CSP, "api_secret": SECRET })
}

/// The channel's settings for a merchant.
#[must_use]
pub fn paying_settings() -> Value {
    let mut settings = settings();
    settings["apple_pay"] = json!({
        "merchant_identifier": MERCHANT, "domain_name": DOMAIN, "country": "DE",
        "networks": ["visa", "masterCard"], "certificate": CERTIFICATE, "key": key(),
    });
    settings
}

fn key() -> String {
    format!("-----BEGIN PRIVATE KEY-----\n{KEY_LINE}\n-----END PRIVATE KEY-----\n")
}

/// A session that was given out.
struct Session {
    whole: Value,
    context: String,
    used: bool,
}

/// Both gateways, and what customers did.
#[derive(Default)]
pub struct Gateway(Mutex<State>);

#[derive(Default)]
struct State {
    /// The customers who wrote to the business, and the features of their devices.
    people: BTreeMap<String, Vec<String>>,
    sent: Vec<SentMessage>,
    sessions: Vec<Session>,
    /// Long replies that wait to be fetched, by their address.
    kept: BTreeMap<String, Value>,
    inbound_count: u64,
    complaints: Vec<String>,
}

/// A status and a body.
type Answer = (u16, String);

impl Gateway {
    /// Returns what is answered to a call: a status and a body.
    pub fn answers(&self, parts: &Parts, body: &[u8], now: Timestamp) -> Answer {
        let call = &Request::from_parts(parts.clone(), Bytes::copy_from_slice(body));
        let mut state = self.lock();
        let answered = match call.uri().host() {
            Some(PAY_HOST) => state.gives_session(call),
            Some(REPLY_HOST) => state.serves_reply(call),
            _ => state.serves(call, now),
        };
        answered.unwrap_or_else(|refusal| refusal)
    }

    /// Every message that was taken, in that order.
    #[must_use]
    pub fn sent(&self) -> Vec<SentMessage> {
        self.lock().sent.clone()
    }

    /// The newest message.
    ///
    /// # Panics
    /// When none was taken.
    #[must_use]
    pub fn newest(&self) -> SentMessage {
        self.sent().pop().expect("a message was sent")
    }

    /// Returns how many merchant sessions were given out.
    #[must_use]
    pub fn sessions(&self) -> usize {
        self.lock().sessions.len()
    }

    /// Returns what calls had in them that Apple does not document.
    #[must_use]
    pub fn complaints(&self) -> Vec<String> {
        self.lock().complaints.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.0)
    }
}

fn header<'a>(call: &'a Request<Bytes>, name: &str) -> &'a str {
    let mut values = call.headers().get_all(name).iter();
    let value = values.next().and_then(|value| value.to_str().ok()).unwrap_or_default();
    if values.next().is_some() { "twice" } else { value }
}

impl State {
    /// Refuses what no provider's own client would send, and remembers it.
    fn complains(&mut self, complaint: impl Into<String>) -> Answer {
        let complaint = complaint.into();
        self.complaints.push(complaint.clone());
        (400, complaint)
    }

    fn serves(&mut self, call: &Request<Bytes>, now: Timestamp) -> Result<Answer, Answer> {
        if call.headers().get(header::AUTHORIZATION).is_none() {
            return Err((401, String::new()));
        }
        token::check(header(call, "authorization"), now).map_err(|why| {
            self.complains(why);
            (403, String::new())
        })?;
        if header(call, "source-id") != BUSINESS {
            return Err(self.complains("a call for another business"));
        }
        match (call.method(), call.uri().path()) {
            (&Method::POST, "/v1/message") => self.takes(call),
            (&Method::GET, "/v1/preDownload") => self.says_where(call),
            (&Method::POST, "/v1/decodePayload") => self.decodes(call),
            (method, path) => Err(self.complains(format!("no such call: {method} {path}"))),
        }
    }

    fn takes(&mut self, call: &Request<Bytes>) -> Result<Answer, Answer> {
        if header(call, "content-type") != "application/json" {
            return Err(self.complains("a message that is not JSON"));
        }
        if header(call, "auto-reply") != "true" {
            return Err(self.complains("a message of a machine's that does not say so"));
        }
        let read = schema::read(call.body()).map_err(|why| self.complains(why))?;
        if header(call, "id") != read.id || header(call, "destination-id") != read.to {
            return Err(self.complains("headers that name another message or customer"));
        }
        let Some(features) = self.people.get(&read.to) else { return Err((404, String::new())) };
        let can = |feature: &str| features.is_empty() || features.iter().any(|has| has == feature);
        let shown = match read.kind {
            "quick-reply" => !features.is_empty() && can("QUICK"),
            "list-picker" => can("LIST"),
            _ => true,
        };
        if !shown {
            return Err(self.complains(format!("a {} that the device cannot show", read.kind)));
        }
        if let Some(asked) = &read.asked {
            self.redeems(asked)?;
        }
        self.sent.push(read);
        Ok((200, String::new()))
    }

    /// A session counts once, for the address it was made for, as it was given.
    fn redeems(&mut self, asked: &PaymentSheet) -> Result<(), Answer> {
        let mut sessions = self.sessions.iter_mut();
        let session = sessions.find(|session| session.whole == asked.session && !session.used);
        let Some(session) = session else {
            return Err(self.complains("a merchant session that was never given, or was used"));
        };
        session.used = true;
        if session.context != asked.gateway {
            return Err(self.complains("payment gateway url mismatch"));
        }
        Ok(())
    }

    fn gives_session(&mut self, call: &Request<Bytes>) -> Result<Answer, Answer> {
        if (call.method(), call.uri().path()) != (&Method::POST, "/paymentservices/paymentSession")
        {
            return Err(self.complains("no such call to Apple Pay"));
        }
        let shown = call.extensions().get::<ClientIdentity>().is_some_and(|shown| {
            shown.certificate_pem.expose_secret() == CERTIFICATE
                && shown.key_pem.expose_secret() == key()
        });
        if !shown {
            self.complains("a merchant session that was not asked for as the merchant");
            return Err((417, "not registered merchant".to_owned()));
        }
        let context = schema::session(call.body()).map_err(|why| self.complains(why))?;
        let number = self.sessions.len() + 1;
        let whole = json!({
            "epochTimestamp": 1_767_225_600_000_u64, "expiresAt": 1_767_225_900_000_u64,
            "merchantSessionIdentifier": format!("SSH{number:060X}"), "nonce": format!("{number:08x}"),
            "merchantIdentifier": digest_hex(MERCHANT.as_bytes()).to_uppercase(),
            "domainName": DOMAIN, "displayName": "Demo Books", "signature": "3080".repeat(1_400),
            "initiative": "messaging", "initiativeContext": context,
        });
        self.sessions.push(Session { whole: whole.clone(), context, used: false });
        Ok((200, whole.to_string()))
    }

    fn says_where(&mut self, call: &Request<Bytes>) -> Result<Answer, Answer> {
        let asked = ["mmcs-url", "mmcs-owner", "mmcs-signature"].map(|name| header(call, name));
        let [url, owner, signature] = asked;
        if !self.kept.contains_key(url) || owner != "owner-1" || signature != "gaYZyA==" {
            return Err(self.complains(format!("nothing is kept at {url}")));
        }
        let at = format!("https://{REPLY_HOST}{}", url.trim_start_matches("https://kept.example"));
        Ok((200, json!({ "download-url": at }).to_string()))
    }

    fn serves_reply(&mut self, call: &Request<Bytes>) -> Result<Answer, Answer> {
        let url = format!("https://kept.example{}", call.uri().path());
        if call.headers().get(header::AUTHORIZATION).is_some() {
            return Err(self.complains("the provider's token was shown to a stranger"));
        }
        if call.method() != Method::GET || !self.kept.contains_key(&url) {
            return Err(self.complains("nothing is kept there"));
        }
        Ok((200, REPLY_SEALED.to_owned()))
    }

    fn decodes(&mut self, call: &Request<Bytes>) -> Result<Answer, Answer> {
        if header(call, "bid") != schema::BID || hex::encode(call.body()) != REPLY_PLAIN {
            return Err(self.complains("a reply that was not opened with its key"));
        }
        match self.kept.pop_first() {
            Some((_, reply)) => Ok((200, json!({ "interactiveData": reply }).to_string())),
            None => Err(self.complains("a reply that no customer gave")),
        }
    }
}
