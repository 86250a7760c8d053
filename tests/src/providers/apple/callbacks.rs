//! Apple's callbacks, packed and with token and headers, and what a device sends to a payment gateway.

use std::io::Write;

use domain::values::time::Timestamp;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::schema::BID;
use super::{BUSINESS, Gateway, REPLY_KEY, REPLY_SEALED, SentMessage, TOKEN_DATA, token};

/// A customer with an Apple device.
#[derive(Clone, Debug)]
pub struct Person {
    /// Apple's id for them at this business.
    pub handle: String,
    /// What their device can do.
    pub features: Vec<String>,
}

/// A callback as it is on the wire.
#[derive(Clone, Debug)]
pub struct SignedCallback {
    /// Its headers.
    pub headers: Vec<(&'static str, String)>,
    /// Its body, packed.
    pub body: Vec<u8>,
}

impl Person {
    /// A customer whose device has these features.
    #[must_use]
    pub fn with(name: &str, features: &[&str]) -> Self {
        let features = features.iter().map(|feature| (*feature).to_owned()).collect();
        Self { handle: format!("urn:mbid:AQAAY{name}=="), features }
    }
}

impl Gateway {
    /// The customer writes, perhaps through a link that carries its purpose.
    #[must_use]
    pub fn writes(
        &self,
        who: &Person,
        words: &str,
        intent: Option<&str>,
        now: Timestamp,
    ) -> SignedCallback {
        self.lock().people.insert(who.handle.clone(), who.features.clone());
        let mut what = json!({ "type": "text", "body": words, "locale": "en_GB" });
        if let Some(intent) = intent {
            what["intent"] = json!(intent);
            what["group"] = json!("billing");
        }
        self.tells(who, what, now)
    }

    /// The customer chooses a button of a message.
    ///
    /// # Panics
    /// When the message has no such button.
    #[must_use]
    pub fn taps(
        &self,
        who: &Person,
        message: &SentMessage,
        label: &str,
        now: Timestamp,
    ) -> SignedCallback {
        let reply = reply(message, label);
        self.tells(who, json!({ "type": "interactive", "interactiveData": reply }), now)
    }

    /// The same by a reply too long to be sent along.
    ///
    /// # Panics
    /// When the message has no such button.
    #[must_use]
    pub fn taps_at_length(
        &self,
        who: &Person,
        message: &SentMessage,
        label: &str,
        now: Timestamp,
    ) -> SignedCallback {
        let url = "https://kept.example/reply-1";
        self.lock().kept.insert(url.to_owned(), reply(message, label));
        let reference = json!({
            "bid": BID, "url": url, "owner": "owner-1", "signature": "81a619c8",
            "key": format!("00{REPLY_KEY}"), "size": REPLY_SEALED.len(), "title": "Pay?",
        });
        self.tells(who, json!({ "type": "interactive", "interactiveDataRef": reference }), now)
    }

    /// The customer types, leaves, or does something else that has a type only.
    #[must_use]
    pub fn action(&self, who: &Person, kind: &str, now: Timestamp) -> SignedCallback {
        self.tells(who, json!({ "type": kind }), now)
    }

    fn tells(&self, who: &Person, what: Value, now: Timestamp) -> SignedCallback {
        let number = {
            let mut state = self.lock();
            state.inbound_count += 1;
            state.inbound_count
        };
        let id = format!("0c316beb-66a4-4d0f-9d4e-{number:012x}");
        let mut message =
            json!({ "v": 1, "id": id, "sourceId": who.handle, "destinationId": BUSINESS });
        if let (Value::Object(message), Value::Object(what)) = (&mut message, what) {
            message.extend(what);
        }
        let mut posted = posted(message.to_string().as_bytes(), now);
        posted.headers.extend([
            ("id", id),
            ("source-id", who.handle.clone()),
            ("destination-id", BUSINESS.to_owned()),
            ("capability-list", who.features.join(",")),
            ("device-agent", "iPhone OS".to_owned()),
        ]);
        posted
    }
}

/// Any body, as Apple posts one.
#[must_use]
pub fn posted(body: &[u8], now: Timestamp) -> SignedCallback {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(body).expect("memory takes everything");
    let headers = vec![
        ("authorization", token::inbound(now)),
        ("content-encoding", "gzip".to_owned()),
        ("content-type", "application/json".to_owned()),
    ];
    SignedCallback { headers, body: packed.finish().expect("memory takes everything") }
}

fn reply(message: &SentMessage, label: &str) -> Value {
    let place = message.buttons.iter().position(|(title, _)| title == label);
    let place = place.unwrap_or_else(|| panic!("no button says {label}: {:?}", message.buttons));
    let item = |(title, identifier): &(String, String)| json!({ "identifier": identifier, "title": title });
    let mut data = json!({ "version": "1.0", "requestIdentifier": message.request_identifier });
    if message.kind == "quick-reply" {
        let items: Vec<Value> = message.buttons.iter().map(item).collect();
        let chosen = &message.buttons[place].1;
        data["quick-reply"] =
            json!({ "items": items, "selectedIndex": place, "selectedIdentifier": chosen });
    } else {
        let mut chosen = item(&message.buttons[place]);
        chosen["order"] = json!(place);
        chosen["style"] = json!("icon");
        data["listPicker"] =
            json!({ "sections": [{ "title": "You Selected", "order": 0, "items": [chosen] }] });
        data["replyMessage"] = json!({ "title": label, "style": "icon" });
    }
    json!({ "bid": BID, "sessionIdentifier": message.id, "data": data })
}

impl SentMessage {
    /// Returns what the device sends to the gateway once the customer has paid: where to, and what. Nothing signs it.
    ///
    /// # Panics
    /// When the message asks for no payment.
    #[must_use]
    pub fn pays(&self, times: u32) -> (String, Value) {
        let asked = self.asked.as_ref().expect("the message asks for a payment");
        let header =
            json!({ "ephemeralPublicKey": "MFkw", "publicKeyHash": "x", "transactionId": "ab" });
        let data = json!({
            "version": "EC_v1", "data": format!("{TOKEN_DATA}{times}"), "signature": "MIAG", "header": header,
        });
        let method = json!({ "displayName": "Visa 1234", "network": "Visa", "type": "debit" });
        let token = json!({
            "paymentData": data, "paymentMethod": method,
            "transactionIdentifier": format!("{times:064X}"),
        });
        let payment = json!({ "paymentToken": token, "billingContact": {}, "shippingContact": {} });
        let body = json!({ "requestIdentifier": self.request_identifier, "version": 1, "payment": payment });
        (asked.gateway.clone(), body)
    }
}
