//! Google's RBM API: one agent, one service account, and phones that do RCS unless told otherwise.
#![expect(
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "JSON is indexed, and a stand-in fails the test it is in"
)]

mod schema;
mod token;
mod webhook;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use domain::values::time::Timestamp;
use http::request::Parts;
use http::{Method, header};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::lock::lock;

pub use webhook::SignedEvent;

/// Where the API of agents in Europe listens.
pub const HOST: &str = "europe-rcsbusinessmessaging.googleapis.com";
/// Where tokens are had.
pub const TOKEN_HOST: &str = "oauth2.googleapis.com";
/// The agent's id at the platform.
pub const AGENT: &str = "demo-agent";
/// What the agent's webhook was registered with.
pub const CLIENT_TOKEN: &str = "client-token-of-the-demo-agent";
/// What every access token begins with.
pub const TOKEN_PREFIX: &str = "ya29.stand-in";
/// A line of the service account's private key.
pub const KEY_LINE: &str = "sDWq/3D+gVib9EkV13KvOU82M+wWZm3RQ05to85kIUC3bKWzzJsD1cjS13ACoCbo";

/// The channel's settings for the agent.
#[must_use]
pub fn settings() -> Value {
    json!({
        "provider": "google", "agent_id": AGENT, "region": "europe", "client_token": CLIENT_TOKEN,
        "service_account": token::key_file(),
    })
}

/// The fate of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It waits for the phone.
    Queued,
    /// It is on the phone.
    Delivered,
    /// It was taken back in time.
    Revoked,
}

/// A message that was taken.
#[derive(Clone, Debug)]
pub struct Message {
    /// The number it went to.
    pub phone: String,
    /// Its id, which its sender chose.
    pub id: String,
    /// The card's content.
    pub card: Value,
    /// The fate of it.
    pub fate: Fate,
    /// When it is no longer delivered.
    pub expires_at: Timestamp,
}

/// The API, the phones behind it, and what their owners do.
#[derive(Default)]
pub struct Rbm(Mutex<State>);

#[derive(Default)]
struct State {
    tokens: BTreeMap<String, Timestamp>,
    granted: u64,
    messages: Vec<Message>,
    look_ups: BTreeSet<String>,
    without: BTreeSet<String>,
    complaints: Vec<String>,
}

/// A status and Google's word for it.
type Refusal = (u16, &'static str, String);

impl Rbm {
    /// Returns what the API answers: a status and a body.
    pub fn answers(&self, parts: &Parts, body: &[u8], now: Timestamp) -> (u16, Value) {
        let mut state = self.lock();
        let answered = match parts.uri.host() {
            Some(TOKEN_HOST) => state.grants(parts, body, now),
            _ => state.serves(parts, body, now),
        };
        answered.map_or_else(
            |(status, word, message)| {
                let error = json!({ "code": status, "message": message, "status": word });
                (status, json!({ "error": error }))
            },
            |body| (200, body),
        )
    }

    /// Each message that was taken, in order, without repeats.
    #[must_use]
    pub fn messages(&self) -> Vec<Message> {
        self.lock().messages.clone()
    }

    /// Returns what calls had in them that Google does not document.
    #[must_use]
    pub fn complaints(&self) -> Vec<String> {
        self.lock().complaints.clone()
    }

    /// From now on the number does no RCS.
    pub fn loses_rcs(&self, phone: &str) {
        self.lock().without.insert(phone.to_owned());
    }

    /// From now on no token that was granted counts.
    pub fn withdraws_tokens(&self) {
        self.lock().tokens.clear();
    }

    /// Returns how many tokens were granted.
    #[must_use]
    pub fn granted(&self) -> u64 {
        self.lock().granted
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.0)
    }
}

impl State {
    /// Refuses what no provider's own client would send, and remembers it.
    fn complains(&mut self, complaint: String) -> Refusal {
        self.complaints.push(complaint.clone());
        (400, "INVALID_ARGUMENT", complaint)
    }

    fn grants(&mut self, parts: &Parts, body: &[u8], now: Timestamp) -> Result<Value, Refusal> {
        token::check(parts, body, now).map_err(|complaint| self.complains(complaint))?;
        self.granted += 1;
        let token = format!("{TOKEN_PREFIX}-{}", self.granted);
        self.tokens.insert(token.clone(), now.after(Duration::from_secs(3599)));
        Ok(json!({ "access_token": token, "expires_in": 3599, "token_type": "Bearer" }))
    }

    fn serves(&mut self, parts: &Parts, body: &[u8], now: Timestamp) -> Result<Value, Refusal> {
        let bearer = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = bearer.and_then(|bearer| bearer.strip_prefix("Bearer "));
        if token.and_then(|token| self.tokens.get(token)).is_none_or(|until| *until <= now) {
            return Err((401, "UNAUTHENTICATED", "no valid authentication credential".to_owned()));
        }
        let query = parts.uri.query().unwrap_or_default();
        let query: BTreeMap<String, String> =
            form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        if query.get("agentId").is_none_or(|agent| agent != AGENT) {
            return Err((
                403,
                "PERMISSION_DENIED",
                "the caller does not have permission".to_owned(),
            ));
        }
        let path: Vec<&str> = parts.uri.path().split('/').collect();
        let names: Vec<&str> = query.keys().map(String::as_str).collect();
        match (&parts.method, path.as_slice(), names.as_slice()) {
            (
                &Method::GET,
                ["", "v1", "phones", phone, "capabilities"],
                ["agentId", "requestId"],
            ) => self.looks_up(phone, &query["requestId"], body),
            (
                &Method::POST,
                ["", "v1", "phones", phone, "agentMessages"],
                ["agentId", "messageId"],
            ) => {
                let json = parts.headers.get(header::CONTENT_TYPE);
                if json.is_none_or(|kind| kind != "application/json") {
                    return Err(self.complains("a message that is not JSON".to_owned()));
                }
                self.takes(phone, &query["messageId"], body, now)
            }
            (&Method::DELETE, ["", "v1", "phones", phone, "agentMessages", id], ["agentId"]) => {
                self.revokes(phone, id, now)
            }
            _ => Err(self.complains("no such method".to_owned())),
        }
    }

    fn reaches(&mut self, phone: &str) -> Result<(), Refusal> {
        let digits = phone.strip_prefix('+').unwrap_or_default();
        if !(7..=15).contains(&digits.len()) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(self.complains(format!("{phone} is not E.164")));
        }
        if self.without.contains(phone) {
            let message = "The specified phone number cannot be reached by RBM at this time.";
            return Err((404, "NOT_FOUND", message.to_owned()));
        }
        Ok(())
    }

    fn looks_up(&mut self, phone: &str, id: &str, body: &[u8]) -> Result<Value, Refusal> {
        if Uuid::try_parse(id).is_err() || !body.is_empty() {
            return Err(self.complains(format!("a look-up named {id}")));
        }
        // Google ignores it, and documents no answer.
        if !self.look_ups.insert(id.to_owned()) {
            return Err(self.complains("a look-up's name that was used before".to_owned()));
        }
        self.reaches(phone)?;
        Ok(json!({ "features": ["RICHCARD_STANDALONE", "ACTION_OPEN_URL", "ACTION_DIAL"] }))
    }

    fn takes(
        &mut self,
        phone: &str,
        id: &str,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Value, Refusal> {
        if Uuid::try_parse(id).is_err() {
            return Err(self.complains(format!("{id} is no UUID")));
        }
        let (card, life) = schema::check(body).map_err(|complaint| self.complains(complaint))?;
        self.reaches(phone)?;
        let expires_at = now.after(Duration::from_secs(life));
        let name = format!("phones/{phone}/agentMessages/{id}");
        let answer = json!({
            "name": name, "sendTime": now.to_string(), "expireTime": expires_at.to_string(),
        });
        // A repeat is ignored. What is answered to it is not documented; here it is the same again.
        if !self.messages.iter().any(|message| message.id == id) {
            let (phone, id) = (phone.to_owned(), id.to_owned());
            self.messages.push(Message { phone, id, card, fate: Fate::Queued, expires_at });
        }
        Ok(answer)
    }

    fn revokes(&mut self, phone: &str, id: &str, now: Timestamp) -> Result<Value, Refusal> {
        let gone = || (404, "NOT_FOUND", "Requested entity was not found.".to_owned());
        let mut messages = self.messages.iter_mut();
        let message = messages.find(|message| message.id == id && message.phone == phone);
        let message = message.ok_or_else(gone)?;
        if message.fate != Fate::Queued || message.expires_at <= now {
            return Err(gone());
        }
        message.fate = Fate::Revoked;
        Ok(json!({}))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_796_083_200_000);

    fn call(method: &Method, path: &str, token: &str) -> Parts {
        http::Request::builder()
            .method(method)
            .uri(format!("https://{HOST}{path}"))
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .body(())
            .unwrap()
            .into_parts()
            .0
    }

    /// An API to which one token was granted.
    fn open() -> Rbm {
        let rbm = Rbm::default();
        let until = NOW.after(Duration::from_secs(60));
        rbm.lock().tokens.insert("a-token".to_owned(), until);
        rbm
    }

    fn status(rbm: &Rbm, method: &Method, path: &str) -> u16 {
        rbm.answers(&call(method, path, "a-token"), b"", NOW).0
    }

    #[test]
    fn call_without_token_or_agent_is_refused() {
        let (rbm, id) = (open(), "0b6f1f6e-6a8b-4d0e-9c36-3a8f4c8b7d11");
        let path = format!("/v1/phones/+15551230001/capabilities?requestId={id}");
        assert_eq!(status(&rbm, &Method::GET, &path), 403);
        assert_eq!(status(&rbm, &Method::GET, &format!("{path}&agentId=other")), 403);
        let path = format!("{path}&agentId={AGENT}");
        assert_eq!(rbm.answers(&call(&Method::GET, &path, "x"), b"", NOW).0, 401);
        let late = NOW.after(Duration::from_secs(60));
        assert_eq!(rbm.answers(&call(&Method::GET, &path, "a-token"), b"", late).0, 401);
        assert_eq!(status(&rbm, &Method::GET, &path), 200);
        assert!(rbm.complaints().is_empty());
        assert_eq!(status(&rbm, &Method::GET, &path), 400, "a look-up's name is used once");
        assert_eq!(rbm.complaints().len(), 1);
    }

    #[test]
    fn what_is_no_call_of_the_api_is_complained_about() {
        let (rbm, agent) = (open(), format!("agentId={AGENT}"));
        for (number, (method, path)) in [
            (Method::GET, format!("/v1/phones/15551230001/capabilities?requestId=0b6f1f6e-6a8b-4d0e-9c36-3a8f4c8b7d11&{agent}")),
            (Method::GET, format!("/v1/phones/+15551230001/capabilities?requestId=1&{agent}")),
            (Method::GET, format!("/v1/phones/+15551230001/capabilities?{agent}")),
            (Method::POST, format!("/v1/phones/+15551230001/agentMessages?messageId=1&{agent}")),
            (Method::POST, format!("/v1/phones/+15551230001/agentMessages?messageId=0b6f1f6e-6a8b-4d0e-9c36-3a8f4c8b7d11&{agent}")),
            (Method::PUT, format!("/v1/phones/+15551230001/agentMessages?{agent}")),
        ]
        .into_iter()
        .enumerate()
        {
            assert_eq!(status(&rbm, &method, &path), 400, "{method} {path}");
            assert_eq!(rbm.complaints().len(), number + 1);
        }
    }

    #[test]
    fn a_message_that_was_never_taken_cannot_be_taken_back() {
        let path = format!("/v1/phones/+15551230001/agentMessages/x?agentId={AGENT}");
        assert_eq!(status(&open(), &Method::DELETE, &path), 404);
    }

    #[test]
    fn unsigned_assertion_gets_no_token() {
        let rbm = open();
        let form = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=e30.e30.AAAA";
        let call = http::Request::builder()
            .method(Method::POST)
            .uri(format!("https://{TOKEN_HOST}/token"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(())
            .unwrap();
        assert_eq!(rbm.answers(&call.into_parts().0, form.as_bytes(), NOW).0, 400);
        assert_eq!((rbm.complaints().len(), rbm.granted()), (1, 0));
    }

    #[test]
    fn the_line_that_must_never_be_found_is_in_the_key() {
        let key = token::key_file()["private_key"].as_str().unwrap().to_owned();
        assert!(key.lines().any(|line| line == KEY_LINE));
    }
}
