//! The parameters of a step, as people type them in a flow. They are texts, and an empty one counts as missing.

use std::collections::BTreeMap;

use domain::problem::{FieldError, Problem};
use domain::values::language::Language;
use serde_json::{Map, Value, json};

use super::Conversation;
use super::answer::spelled;

/// The most digits of a number: as many as the largest amount has.
const DIGITS_MAX: usize = 15;

/// The parameters of a step.
#[derive(Clone, Default)]
pub(crate) struct Parameters(BTreeMap<String, String>);

impl Parameters {
    /// Takes the texts and numbers of an object. Other values are none.
    pub(crate) fn of(object: &Map<String, Value>) -> Self {
        let text = |value: &Value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(spelled_number(number)),
            Value::Bool(truth) => Some(truth.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        };
        let named = |(name, value): (&String, &Value)| Some((name.clone(), text(value)?));
        Self(object.iter().filter_map(named).collect())
    }

    /// Takes those whose name begins with a prefix, without it.
    pub(crate) fn with_prefix(object: &Map<String, Value>, prefix: &str) -> Self {
        let Self(all) = Self::of(object);
        let own =
            |(name, text): (String, String)| Some((name.strip_prefix(prefix)?.to_owned(), text));
        Self(all.into_iter().filter_map(own).collect())
    }

    /// Returns a text; `None` where it is missing or empty.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|text| text.trim()).filter(|text| !text.is_empty())
    }

    /// Returns a text that must be there.
    ///
    /// # Errors
    /// A [`Problem`] that names the parameter.
    pub(crate) fn required(&self, name: &str) -> Result<&str, Problem> {
        self.text(name).ok_or_else(|| fault(name, "missing", "the parameter is missing"))
    }

    /// Returns a whole number. Digits alone count, so that `42.50` or `1e3` is never another amount.
    ///
    /// # Errors
    /// A [`Problem`] that names the parameter.
    pub(crate) fn number(&self, name: &str) -> Result<Option<u64>, Problem> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let is_plain = text.len() <= DIGITS_MAX && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse().ok().filter(|_| is_plain);
        let rule = "the parameter is a whole number in digits; an amount is in minor units";
        number.map(Some).ok_or_else(|| fault(name, "value", rule))
    }

    /// Returns the body of `POST /v1/requests`.
    ///
    /// # Errors
    /// A [`Problem`] that names a parameter. Intake checks everything else.
    pub(super) fn ask(&self, conversation: &Conversation) -> Result<Value, Problem> {
        let session = Object::default()
            .text("kind", Some(conversation.kind))
            .text("id", Some(&conversation.id));
        let session = session.text("agent", self.text("agent"));
        let mut body = Object::default();
        body.insert("customer", self.customer(conversation)?);
        body.insert("session", session.0.into());
        body.insert("ask", self.asked()?);
        if let Some(channels) = self.text("channels") {
            body.insert("channels", list(channels));
        }
        if let Some(seconds) = self.number("expires_in")? {
            body.insert("expires_in", json!(seconds));
        }
        let metadata = Object::default().text("reference", self.text("reference"));
        let metadata = metadata.text("retry_of", self.text("retry_of")).0;
        if !metadata.is_empty() {
            body.insert("metadata", metadata.into());
        }
        Ok(body.0.into())
    }

    fn customer(&self, conversation: &Conversation) -> Result<Value, Problem> {
        let phone = self.text("phone").or(conversation.phone.as_deref());
        let phone = phone.ok_or_else(|| {
            fault("phone", "missing", "the platform told no number; set the parameter")
        })?;
        // A platform's own language is a hint. Only one that a flow set is checked.
        let hint = conversation.language.as_deref().map(spelled);
        let hint = hint.filter(|hint| hint.parse::<Language>().is_ok());
        let language = self.text("language").map(str::to_owned).or(hint);
        let customer = Object::default().text("phone", Some(phone)).text("name", self.text("name"));
        Ok(customer.text("language", language.as_deref()).0.into())
    }

    fn asked(&self) -> Result<Value, Problem> {
        let kind = self.text("kind").unwrap_or("payment");
        let description = self.text("description").or_else(|| self.text("reference"));
        let mut ask = Object::default().text("kind", Some(kind)).text("description", description);
        if kind == "payment" {
            ask = ask.text("currency", self.text("currency"));
            ask = ask.text("payment_method", self.text("payment_method"));
            if let Some(amount) = self.number("amount")? {
                ask.insert("amount", json!(amount));
            }
        }
        if let Some(claims) = self.text("claims").filter(|_| kind == "identity") {
            ask.insert("claims", list(claims));
        }
        Ok(ask.0.into())
    }
}

/// An object that is put together.
#[derive(Default)]
struct Object(Map<String, Value>);

impl Object {
    fn insert(&mut self, name: &str, value: Value) {
        self.0.insert(name.to_owned(), value);
    }

    fn text(mut self, name: &str, text: Option<&str>) -> Self {
        if let Some(text) = text {
            self.insert(name, json!(text));
        }
        self
    }
}

/// Reads a list that commas or spaces separate.
fn list(text: &str) -> Value {
    let entries = text.split([',', ' ']).filter(|entry| !entry.is_empty());
    entries.map(str::to_owned).collect()
}

/// Writes a whole number without a fraction, since Dialogflow's numbers are all floating.
fn spelled_number(number: &serde_json::Number) -> String {
    let text = number.to_string();
    text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
}

fn fault(name: &str, code: &'static str, detail: &'static str) -> Problem {
    Problem::fields(vec![FieldError::in_parameter(name, code, detail)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(value: &Value) -> Parameters {
        Parameters::of(value.as_object().unwrap())
    }

    fn conversation() -> Conversation {
        Conversation {
            platform: "connect",
            kind: "ivr",
            id: "c-1".to_owned(),
            phone: Some("+15551230001".to_owned()),
            language: Some("en_US".to_owned()),
            wait_max: 6,
        }
    }

    #[test]
    fn typed_parameters_become_the_body_of_a_request() {
        let typed = json!({
            "amount": "4250", "currency": "EUR", "reference": "Invoice 4711", "channels": "rcs, sms",
            "expires_in": "240", "language": "", "unknown": "x",
        });
        let body = parameters(&typed).ask(&conversation()).unwrap();
        let expected = json!({
            "customer": { "phone": "+15551230001", "language": "en-US" },
            "session": { "kind": "ivr", "id": "c-1" },
            "ask": { "kind": "payment", "amount": 4250, "currency": "EUR", "description": "Invoice 4711" },
            "channels": ["rcs", "sms"], "expires_in": 240, "metadata": { "reference": "Invoice 4711" },
        });
        assert_eq!(body, expected);
        let claims =
            json!({ "kind": "identity", "claims": "email birthdate", "description": "Age" });
        let body = parameters(&claims).ask(&conversation()).unwrap();
        assert_eq!(body["ask"]["claims"], json!(["email", "birthdate"]));
    }

    #[test]
    fn amount_counts_in_digits_alone() {
        for bad in ["42.50", "1e3", "-1", "+1", "4 250", "0x10", "1000000000000000", "٤٢"] {
            let refused = parameters(&json!({ "amount": bad })).number("amount");
            assert_eq!(refused.unwrap_err().errors.len(), 1, "{bad}");
        }
        for good in [json!("4250"), json!(4250), json!(4250.0), json!(" 4250 ")] {
            assert_eq!(
                parameters(&json!({ "amount": good })).number("amount").unwrap(),
                Some(4250)
            );
        }
        assert_eq!(parameters(&json!({ "amount": "" })).number("amount").unwrap(), None);
    }

    #[test]
    fn caller_without_a_number_is_refused() {
        let hidden = Conversation { phone: None, language: Some("x".to_owned()), ..conversation() };
        let refused = parameters(&json!({ "amount": "1" })).ask(&hidden).unwrap_err();
        assert!(refused.detail.contains("phone"), "{}", refused.detail);
        let named = parameters(&json!({ "phone": "+15551230002" })).ask(&hidden).unwrap();
        assert_eq!(named["customer"], json!({ "phone": "+15551230002" }));
    }
}
