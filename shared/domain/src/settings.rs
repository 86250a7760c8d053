//! An adapter's settings, as they are in the brand's secret.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer};

/// What stands for a secret setting in a function that may not read it. No credential is this text.
pub const WITHHELD: &str = "withheld";

/// Returns whether a secret setting is one that this function may not read.
#[must_use]
pub fn is_withheld(secret: &SecretString) -> bool {
    secret.expose_secret() == WITHHELD
}

/// Reads a list of secrets. It is empty where this function may not read them, so that none verifies anything.
///
/// # Errors
/// The error of the format, for anything else than a list of texts.
pub fn secrets<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<SecretString>, D::Error> {
    match Secrets::deserialize(deserializer)? {
        Secrets::List(secrets) => Ok(secrets),
        Secrets::Text(text) if is_withheld(&text) => Ok(Vec::new()),
        Secrets::Text(_) => Err(serde::de::Error::custom("a list of secrets is needed")),
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Secrets {
    List(Vec<SecretString>),
    Text(SecretString),
}

/// An adapter's settings, credentials among them: `Debug` shows nothing of them.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Settings(serde_json::Map<String, serde_json::Value>);

impl Settings {
    /// Reads the settings as the adapter's own type.
    ///
    /// ```
    /// #[derive(serde::Deserialize)]
    /// struct Account {
    ///     id: u32,
    /// }
    /// let error = domain::brand::Settings::default().read::<Account>().err().unwrap();
    /// assert_eq!(error.to_string(), "setting `id` is missing");
    /// ```
    ///
    /// # Errors
    /// [`InvalidSettings`] names the setting and quotes no value.
    pub fn read<T: serde::de::DeserializeOwned>(&self) -> Result<T, InvalidSettings> {
        let value = serde_json::Value::Object(self.0.clone());
        serde_path_to_error::deserialize(value).map_err(|error| InvalidSettings::of(&error))
    }
}

impl Settings {
    /// Returns the path of the first value that is an `http` address; `None` without one. Live mode takes none.
    #[must_use]
    pub fn plain_http(&self) -> Option<String> {
        self.0.iter().find_map(|(name, value)| plain_http_in(name, value))
    }
}

fn plain_http_in(path: &str, value: &serde_json::Value) -> Option<String> {
    match value {
        serde_json::Value::String(text) => {
            let is_plain = text.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("http://"));
            is_plain.then(|| path.to_owned())
        }
        serde_json::Value::Array(values) => {
            let mut values = values.iter().enumerate();
            values.find_map(|(place, value)| plain_http_in(&format!("{path}[{place}]"), value))
        }
        serde_json::Value::Object(members) => {
            members.iter().find_map(|(name, value)| plain_http_in(&format!("{path}.{name}"), value))
        }
        serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => None,
    }
}

impl From<serde_json::Map<String, serde_json::Value>> for Settings {
    fn from(map: serde_json::Map<String, serde_json::Value>) -> Self {
        Self(map)
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Settings(…)")
    }
}

/// Settings that cannot be read. Names the first setting that is wrong, and quotes no value of it.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSettings {
    /// A setting of this path has no value.
    #[error("setting `{0}` is missing")]
    Missing(String),
    /// A setting of this path has a value that breaks its rule.
    #[error("setting `{path}` is invalid{}", rule.as_ref().map_or(String::new(), |rule| format!(": {rule}")))]
    Invalid {
        /// The path of the setting.
        path: String,
        /// The rule that the value breaks; `None` where its text may quote the value.
        rule: Option<String>,
    },
    /// A setting without a meaning. Its name is not shown, since a secret may stand in its place.
    #[error("unknown setting{} beside the known ones: {known}", place(parent))]
    Unknown {
        /// The path of the object that holds the setting; empty for the settings themselves.
        parent: String,
        /// The names of the settings that have a meaning there.
        known: String,
    },
}

fn place(parent: &str) -> String {
    if parent.is_empty() { String::new() } else { format!(" in `{parent}`") }
}

impl InvalidSettings {
    /// Takes only the field and the expected type from the error: the rest of its message may quote a secret.
    pub(crate) fn of(error: &serde_path_to_error::Error<serde_json::Error>) -> Self {
        let (path, message) = (error.path().to_string(), error.inner().to_string());
        let path = path.trim_end_matches('?').trim_end_matches('.');
        let message = without_position(&message);
        if message.starts_with("unknown field `") {
            let known = message.rsplit_once("`, expected ").map_or("none", |(_, known)| known);
            let known = known.trim_start_matches("one of ").to_owned();
            return Self::Unknown { parent: parent(error.path()), known };
        }
        if let Some(field) = quoted(message, "missing field `") {
            return Self::Missing(joined(path, field));
        }
        // The field is one of the known ones, since no other may stand there.
        if let Some(field) = quoted(message, "duplicate field `") {
            let rule = Some("expected once".to_owned());
            return Self::Invalid { path: joined(path, field), rule };
        }
        let rule = message.rsplit_once(", expected ").map(|(_, rule)| format!("expected {rule}"));
        Self::Invalid { path: path.to_owned(), rule }
    }

    /// Takes the rule from the message too, where the types are this crate's own: their messages quote no value.
    pub(crate) fn of_own_types(error: &serde_path_to_error::Error<serde_json::Error>) -> Self {
        let message = error.inner().to_string();
        let invalid = ["invalid type", "invalid value", "invalid length", "unknown variant"];
        let quotes = invalid.iter().any(|start| message.starts_with(start));
        match Self::of(error) {
            Self::Invalid { path, rule: None } if !quotes => {
                Self::Invalid { path, rule: Some(without_position(&message).to_owned()) }
            }
            known @ (Self::Missing(_) | Self::Invalid { .. } | Self::Unknown { .. }) => known,
        }
    }
}

/// Returns the message without the line and column that JSON text adds.
fn without_position(message: &str) -> &str {
    message.rsplit_once(" at line ").map_or(message, |(message, _)| message)
}

/// Returns the name that stands in backticks after `start`.
fn quoted<'a>(message: &'a str, start: &str) -> Option<&'a str> {
    message.strip_prefix(start).and_then(|rest| rest.split('`').next())
}

fn joined(path: &str, field: &str) -> String {
    if path.is_empty() { field.to_owned() } else { format!("{path}.{field}") }
}

/// Returns the path without its last part, which is the unknown name.
fn parent(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let mut parts: Vec<&Segment> = path.iter().collect();
    parts.pop();
    parts.iter().fold(String::new(), |path, part| match part {
        Segment::Seq { .. } => format!("{path}{part}"),
        Segment::Map { .. } | Segment::Enum { .. } | Segment::Unknown => {
            joined(&path, &part.to_string())
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        #[expect(dead_code, reason = "only its reading is of interest")]
        account: Option<NestedSettings>,
        #[expect(dead_code, reason = "only its reading is of interest")]
        key: String,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct NestedSettings {
        #[expect(dead_code, reason = "only its reading is of interest")]
        id: u32,
    }

    #[test]
    fn plain_http_address_is_found_at_any_depth() {
        let path = |settings: serde_json::Value| {
            Settings::from(settings.as_object().unwrap().clone()).plain_http()
        };
        assert_eq!(path(json!({ "base_url": "https://a", "note": "see http://a", "n": 1 })), None);
        assert_eq!(path(json!({ "base_url": "http://a" })).as_deref(), Some("base_url"));
        let nested = json!({ "account": { "token_uri": "HTTP://a" } });
        assert_eq!(path(nested).as_deref(), Some("account.token_uri"));
        assert_eq!(path(json!({ "urls": [null, "http://a"] })).as_deref(), Some("urls[1]"));
    }

    #[test]
    fn settings_invalid_names_the_setting_and_quotes_nothing() {
        for (settings, expected) in [
            (json!({}), "setting `key` is missing"),
            (json!({ "key": 7 }), "setting `key` is invalid: expected a string"),
            (json!({ "key": "k", "account": {} }), "setting `account.id` is missing"),
            (
                json!({ "key": "k", "account": { "id": "s3cret" } }),
                "setting `account.id` is invalid: expected u32",
            ),
            (
                json!({ "key": "k", "s3cret`, expected x": 1 }),
                "unknown setting beside the known ones: `account` or `key`",
            ),
            (
                json!({ "key": "k", "account": { "id": 1, "s3cret": 1 } }),
                "unknown setting in `account` beside the known ones: `id`",
            ),
        ] {
            let settings = Settings::from(settings.as_object().unwrap().clone());
            let error = settings.read::<Sample>().unwrap_err();
            assert_eq!(error.to_string(), expected);
        }
    }
}
