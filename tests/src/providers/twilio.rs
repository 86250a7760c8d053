//! A fake Twilio: takes texts and signs callbacks.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::Request;
use serde_json::{Value, json};
use sha1::Sha1;

use crate::providers::Answer;

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
        let form: Vec<(String, String)> =
            form_urlencoded::parse(request.body()).into_owned().collect();
        let text = |name: &str| {
            let found = form.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| value.clone()).unwrap_or_default()
        };
        let to = text("To");
        if to.ends_with("9004") {
            return (400, json!({ "code": 21211 }));
        }
        let body = text("Body");
        let link = body.split_whitespace().find(|word| word.contains("/c/")).unwrap_or_default();
        let sid = format!("SM{:032x}", self.sent.len());
        self.sent.push(Text { to, link: link.to_owned(), callback: text("StatusCallback") });
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
