//! A fake Twilio: takes texts and Content templates, and signs callbacks.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::Request;
use serde_json::{Value, json};
use sha1::Sha1;

use crate::providers::Answer;

/// The host of Twilio's API.
pub const HOST: &str = "api.twilio.com";
/// The longest id of a quick reply: <https://www.twilio.com/docs/content/content-types-overview>, read 2026-11-27.
const PAYLOAD_MAX: usize = 128;

/// The form of a message.
struct Form(Vec<(String, String)>);

impl Form {
    fn of(body: &[u8]) -> Self {
        Self(form_urlencoded::parse(body).into_owned().collect())
    }

    fn text(&self, name: &str) -> String {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    }

    /// Returns the code with which Twilio refuses the message; `None` for one that it takes.
    fn fault(&self) -> Option<u32> {
        let [to, from, service, body, sid] =
            ["To", "From", "MessagingServiceSid", "Body", "ContentSid"].map(|name| self.text(name));
        let scheme = |address: &str| address.split_once(':').map(|(scheme, _)| scheme.to_owned());
        let is_one = |one: &str, other: &str| one.is_empty() != other.is_empty();
        if to.is_empty() {
            return Some(21_604);
        }
        if !is_one(&from, &service) {
            return Some(21_603);
        }
        if !from.is_empty() && scheme(&from) != scheme(&to) {
            return Some(21_910);
        }
        if !is_one(&body, &sid) {
            return Some(21_619);
        }
        (!sid.is_empty() && !is_filled(&self.text("ContentVariables"))).then_some(21_656)
    }
}

/// Returns whether these are the variables of a template: `1`, `2` and so on, each a line of text.
fn is_filled(variables: &str) -> bool {
    let Ok(Value::Object(variables)) = serde_json::from_str(variables) else { return false };
    let numbers = (1..=variables.len()).map(|number| number.to_string());
    let is_line = |value: &Value| {
        let text = value.as_str().unwrap_or_default();
        let is_payload = text.bytes().all(|byte| byte.is_ascii_hexdigit());
        !text.is_empty()
            && !text.contains(['\n', '\t'])
            && (!is_payload || text.chars().count() <= PAYLOAD_MAX)
    };
    let mut numbers = numbers.map(|number| variables.get(&number));
    numbers.all(|value| value.is_some_and(is_line))
}

/// Returns the answer to a message, the `count`-th call of a world.
pub(crate) fn answer(body: &[u8], count: usize) -> Answer {
    match Form::of(body).fault() {
        Some(code) => (400, json!({ "code": code })),
        None => (201, json!({ "sid": format!("SM{count:032x}"), "status": "queued" })),
    }
}

/// Twilio, with one account.
#[derive(Clone, Debug, Default)]
pub struct Twilio {
    /// The token in force.
    pub token: String,
    /// Every text it took, in order.
    pub sent: Vec<Text>,
}

/// One text.
#[derive(Clone, Debug)]
pub struct Text {
    /// The customer's phone.
    pub to: String,
    /// The link in it.
    pub link: String,
    /// The callback's address, with the reference in its query.
    pub callback: String,
}

impl Twilio {
    /// Takes one call; some numbers cannot be reached.
    pub(crate) fn take(&mut self, request: &Request<Bytes>) -> Answer {
        let given = request.headers().get("authorization").and_then(|value| value.to_str().ok());
        let pair = STANDARD.encode(format!("AC1:{}", self.token));
        if given != Some(format!("Basic {pair}").as_str()) {
            return (401, json!({ "code": 20003 }));
        }
        let form = Form::of(request.body());
        if let Some(code) = form.fault() {
            return (400, json!({ "code": code }));
        }
        let to = form.text("To");
        if to.ends_with("9004") {
            return (400, json!({ "code": 21211 }));
        }
        let body = form.text("Body");
        let link = body.split_whitespace().find(|word| word.contains("/c/")).unwrap_or_default();
        let sid = format!("SM{:032x}", self.sent.len());
        self.sent.push(Text { to, link: link.to_owned(), callback: form.text("StatusCallback") });
        (201, json!({ "sid": sid, "status": "queued", "error_code": Value::Null }))
    }

    /// Returns Twilio's signature of a callback: the header's value for this address and form.
    #[must_use]
    pub fn signature(&self, url: &str, form: &[(&str, &str)]) -> String {
        let mut sorted = form.to_vec();
        sorted.sort_unstable();
        let mut text = url.to_owned();
        for (name, value) in sorted {
            text.push_str(name);
            text.push_str(value);
        }
        let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(self.token.as_bytes()) else {
            return String::new();
        };
        mac.update(text.as_bytes());
        STANDARD.encode(mac.finalize().into_bytes())
    }
}
