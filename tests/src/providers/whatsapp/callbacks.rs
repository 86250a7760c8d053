//! Meta's callbacks, byte for byte: escaped, signed, and with several events in one call where asked for.

use std::fmt::Write;

use domain::values::time::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Map, Value, json};
use sha2::Sha256;

use super::{APP_SECRET, ButtonAction, CloudApi, NUMBER_ID, SentMessage};

/// A customer with WhatsApp.
#[derive(Clone, Debug)]
pub struct Person {
    /// Their number as WhatsApp writes it, without the `+`.
    pub number: String,
    /// Their id for this business.
    pub user_id: String,
    /// Whether they have a username, which hides their number.
    pub has_username: bool,
}

/// A callback as it is on the wire.
#[derive(Clone, Debug)]
pub struct SignedCallback {
    /// Its body.
    pub body: String,
    /// The header `X-Hub-Signature-256`.
    pub signature: String,
}

/// Returns the id under which WhatsApp knows a number. In Mexico, Brazil and Argentina it has the older form of mobiles.
#[must_use]
pub fn wa_id(number: &str) -> String {
    let older = match (number.len(), number.get(..2)) {
        (12, Some("52")) => number.get(2..).map(|rest| format!("521{rest}")),
        (12, Some("54")) => number.get(2..).map(|rest| format!("549{rest}")),
        (13, Some("55")) if number.get(4..5) == Some("9") => {
            number.get(..4).zip(number.get(5..)).map(|(area, rest)| format!("{area}{rest}"))
        }
        (_, _) => None,
    };
    older.unwrap_or_else(|| number.to_owned())
}

impl Person {
    /// Returns the customer with that number, which begins with `+`.
    #[must_use]
    pub fn at(phone: &str) -> Self {
        let number = wa_id(phone.trim_start_matches('+'));
        // The number cannot be told from it.
        let user_id = format!("US.{}77", number.chars().rev().collect::<String>());
        Self { number, user_id, has_username: false }
    }

    /// The same person with a username.
    #[must_use]
    pub fn with_username(self) -> Self {
        Self { has_username: true, ..self }
    }
}

impl CloudApi {
    /// The customer taps the button of that label in a message.
    ///
    /// # Panics
    /// When the message has no such button, or it tells nothing.
    #[must_use]
    pub fn taps(&self, who: &Person, message: &SentMessage, label: &str, now: Timestamp) -> Value {
        let what = match &message.button(label).action {
            ButtonAction::Reply(id) => json!({
                "type": "interactive",
                "interactive": { "type": "button_reply", "button_reply": { "id": id, "title": label } },
            }),
            ButtonAction::QuickReply(payload) => {
                json!({ "type": "button", "button": { "payload": payload, "text": label } })
            }
            ButtonAction::Open(_) | ButtonAction::Call => {
                panic!("nothing is told of a tap on {label}")
            }
        };
        let context = json!({ "from": "15550783881", "id": message.id });
        self.inbound(who, &what, Some(context), now)
    }

    /// The customer writes something.
    #[must_use]
    pub fn writes(&self, who: &Person, words: &str, now: Timestamp) -> Value {
        self.inbound(who, &json!({ "type": "text", "text": { "body": words } }), None, now)
    }

    /// The customer taps a button of a message that Assent did not send.
    #[must_use]
    pub fn chooses(&self, who: &Person, label: &str, now: Timestamp) -> Value {
        let payload = format!("offer-{}", label.to_lowercase());
        let button = json!({ "payload": payload, "text": label });
        self.inbound(who, &json!({ "type": "button", "button": button }), None, now)
    }

    fn inbound(&self, who: &Person, what: &Value, context: Option<Value>, now: Timestamp) -> Value {
        let mut state = self.state();
        // A message that is reported late shuts no window that a newer one opened.
        let last = state.inbound.entry(who.number.clone()).or_insert(now);
        *last = now.max(*last);
        state.inbound_count += 1;
        let mut message = Map::new();
        if !who.has_username {
            message.insert("from".to_owned(), json!(who.number));
        }
        message.insert("from_user_id".to_owned(), json!(who.user_id));
        message.insert("id".to_owned(), json!(format!("wamid.IN{}", state.inbound_count)));
        message.insert("timestamp".to_owned(), json!(now.as_secs().to_string()));
        message.extend(context.map(|context| ("context".to_owned(), context)));
        message.extend(what.as_object().cloned().unwrap_or_default());
        let contact = if who.has_username {
            let profile = json!({ "name": "Zoë ✅", "username": "zoe" });
            json!({ "profile": profile, "user_id": who.user_id })
        } else {
            let profile = json!({ "name": "Zoë ✅" });
            json!({ "profile": profile, "wa_id": who.number, "user_id": who.user_id })
        };
        value(&json!({ "contacts": [contact], "messages": [message] }))
    }

    /// Returns a status webhook of a message: `sent`, `delivered`, `read`.
    #[must_use]
    pub fn status(&self, message: &SentMessage, status: &str, now: Timestamp) -> Value {
        let pricing = json!({
            "billable": true, "pricing_model": "PMP", "type": "regular", "category": "utility",
        });
        let mut report = Self::status_value(message, status, now);
        report["pricing"] = pricing;
        value(&json!({ "statuses": [report] }))
    }

    /// A message that will not arrive, with the code that says why.
    #[must_use]
    pub fn fails(&self, message: &SentMessage, code: u32, now: Timestamp) -> Value {
        let mut report = Self::status_value(message, "failed", now);
        report["errors"] = json!([{
            "code": code,
            "title": "Message undeliverable",
            "message": "Message undeliverable",
            "error_data": { "details": "Message Undeliverable." },
            "href": "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/",
        }]);
        value(&json!({ "statuses": [report] }))
    }

    fn status_value(message: &SentMessage, status: &str, now: Timestamp) -> Value {
        json!({
            "id": message.id,
            "status": status,
            "timestamp": now.as_secs().to_string(),
            "recipient_id": wa_id(&message.to),
            "biz_opaque_callback_data": message.reference,
        })
    }
}

fn value(members: &Value) -> Value {
    let mut value = json!({
        "messaging_product": "whatsapp",
        "metadata": { "display_phone_number": "15550783881", "phone_number_id": NUMBER_ID },
    });
    if let (Value::Object(value), Value::Object(members)) = (&mut value, members) {
        value.extend(members.clone());
    }
    value
}

/// One callback that tells of all these, each in a change of its own.
#[must_use]
pub fn posted(values: &[Value]) -> SignedCallback {
    let changes = values.iter().map(|value| json!({ "value": value, "field": "messages" }));
    let entries: Vec<Value> =
        changes.map(|change| json!({ "id": "102290129340398", "changes": [change] })).collect();
    signed(&json!({ "object": "whatsapp_business_account", "entry": entries }))
}

/// Any body, escaped and signed as Meta does.
#[must_use]
pub fn signed(body: &Value) -> SignedCallback {
    let body = escaped(&body.to_string());
    let signature = signature(body.as_bytes());
    SignedCallback { body, signature }
}

/// Meta's signature, told independently of the code that verifies it.
#[must_use]
pub fn signature(body: &[u8]) -> String {
    signature_by(APP_SECRET, body)
}

/// The same with the secret of any app.
#[must_use]
pub fn signature_by(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any key will do");
    mac.update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

/// JSON as Meta writes it: only ASCII, and no bare `/` or `@`. All of these are within texts.
fn escaped(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '/' => escaped.push_str("\\/"),
            '@' => escaped.push_str("\\u0040"),
            c if c.is_ascii() => escaped.push(c),
            c => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    write!(escaped, "\\u{unit:04x}").expect("a text takes any text");
                }
            }
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_escaped_reads_the_same_and_is_ascii() {
        let value =
            json!({ "a": "Zoë ✅ 😀", "b": "me@example.com https://x.example/", "c": "\"\\\n" });
        let text = escaped(&value.to_string());
        assert!(text.is_ascii() && text.contains(r"Zo\u00eb \u2705 \ud83d\ude00"), "{text}");
        assert!(text.contains(r"me\u0040example.com https:\/\/x.example\/"), "{text}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }
}
