//! The flat arguments of the tools, and the bodies of the API that they become.

use serde_json::{Map, Value, json};

/// The arguments of every tool that asks.
const COMMON: [&str; 10] = [
    "phone",
    "email",
    "description",
    "session_id",
    "session_kind",
    "call_id",
    "retry_of",
    "language",
    "expires_in",
    "channel",
];
const PAYMENT: [&str; 12] = with(["amount", "currency"]);
const CLAIMS: [&str; 12] = with(["claims", "claims"]);
/// The kind of a session without an argument.
const SESSION_KIND: &str = "voice";

const fn with(own: [&'static str; 2]) -> [&'static str; 12] {
    let [a, b, c, d, e, f, g, h, i, j] = COMMON;
    let [own, other] = own;
    [a, b, c, d, e, f, g, h, i, j, own, other]
}

/// Returns the names of the arguments of a tool that asks.
pub(super) const fn of(tool: &str) -> &'static [&'static str] {
    match tool.as_bytes() {
        b"request_payment" => &PAYMENT,
        b"request_claims" => &CLAIMS,
        _ => &COMMON,
    }
}

/// Returns the name of the argument that became a field of the body.
pub(super) fn name_of(pointer: &str) -> &str {
    match pointer {
        "/session/id" => "session_id",
        "/session/kind" => "session_kind",
        "/channels" | "/channels/0" => "channel",
        "Idempotency-Key" => "call_id",
        other if other.starts_with("/ask/claims") => "claims",
        other => other.rsplit('/').next().unwrap_or(other),
    }
}

/// Arguments that are taken out one by one. All of them are known, and `null` counts as left out.
pub(super) struct Arguments(Map<String, Value>);

impl Arguments {
    pub(super) fn new(arguments: &Map<String, Value>, known: &[&str]) -> Result<Self, String> {
        if let Some(other) = arguments.keys().find(|name| !known.contains(&name.as_str())) {
            // The name is the model's own, and may be long.
            let other: String = other.chars().take(40).collect();
            let known = known.join(", ");
            return Err(format!("The tool has no argument {other}. It has {known}."));
        }
        let given = arguments.iter().filter(|(_, value)| !value.is_null());
        Ok(Self(given.map(|(name, value)| (name.clone(), value.clone())).collect()))
    }

    /// Takes a text; `None` without one.
    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, String> {
        match self.0.remove(name) {
            None => Ok(None),
            Some(Value::String(text)) if !text.is_empty() => Ok(Some(text)),
            Some(_) => Err(format!("{name} must be a text that is not empty.")),
        }
    }

    /// Takes a text that must be there.
    pub(super) fn required(&mut self, name: &str) -> Result<String, String> {
        self.text(name)?.ok_or_else(|| format!("{name} is missing."))
    }

    /// Takes a whole number between two bounds; `None` without one.
    pub(super) fn number(&mut self, name: &str, min: u64, max: u64) -> Result<Option<u64>, String> {
        let Some(value) = self.0.remove(name) else { return Ok(None) };
        // Versions are answered as texts, so that a model may send one back as it is.
        let number = value.as_u64().or_else(|| value.as_str()?.parse().ok());
        match number {
            Some(number) if (min..=max).contains(&number) => Ok(Some(number)),
            Some(_) | None => Err(format!("{name} must be a whole number, {min} to {max}.")),
        }
    }

    fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name)
    }

    /// Makes the body of `POST /v1/requests`. Fields that are missing or wrong are the API's to report.
    pub(super) fn ask(&mut self, tool: &str) -> Value {
        let mut ask = Map::new();
        let kind = match tool {
            "request_payment" => "payment",
            "request_claims" => "identity",
            _ => "payment_method",
        };
        ask.insert("kind".to_owned(), kind.into());
        self.put(&mut ask, &["amount", "currency", "claims", "description"]);
        let mut customer = Map::new();
        self.put(&mut customer, &["phone", "email", "language"]);
        let mut session = Map::new();
        let session_kind = self.take("session_kind").unwrap_or_else(|| SESSION_KIND.into());
        session.insert("kind".to_owned(), session_kind);
        if let Some(id) = self.take("session_id") {
            session.insert("id".to_owned(), id);
        }
        let mut body = json!({ "customer": customer, "session": session, "ask": ask });
        if let Some(fields) = body.as_object_mut() {
            self.put(fields, &["expires_in"]);
            if let Some(channel) = self.take("channel") {
                fields.insert("channels".to_owned(), json!([channel]));
            }
        }
        body
    }

    /// Makes the body of `POST /v1/capabilities`. Without an amount, it is about a card.
    pub(super) fn reach(&mut self) -> Value {
        let mut ask = Map::new();
        let is_payment = self.0.contains_key("amount") || self.0.contains_key("currency");
        let kind = if is_payment { "payment" } else { "payment_method" };
        ask.insert("kind".to_owned(), kind.into());
        ask.insert("description".to_owned(), "Reach".into());
        self.put(&mut ask, &["amount", "currency"]);
        let mut customer = Map::new();
        self.put(&mut customer, &["phone", "email"]);
        json!({ "customer": customer, "ask": ask })
    }

    fn put(&mut self, into: &mut Map<String, Value>, names: &[&str]) {
        for name in names {
            if let Some(value) = self.take(name) {
                into.insert((*name).to_owned(), value);
            }
        }
    }
}
