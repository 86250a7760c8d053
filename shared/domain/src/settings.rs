//! An adapter's settings, as they are in the brand's secret.

use std::fmt;

use serde::Deserialize;

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

/// Settings that their adapter cannot read. Names the first setting that is wrong, and quotes no value of it.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSettings {
    /// A setting of this path has no value.
    #[error("setting `{0}` is missing")]
    Missing(String),
    /// A setting of this path has a value that the adapter does not take.
    #[error("setting `{0}` is invalid")]
    Invalid(String),
    /// A setting that the adapter does not know. Its name is not shown, since a secret may stand in its place.
    #[error("unknown setting beside those the adapter knows: {0}")]
    Unknown(String),
}

impl InvalidSettings {
    /// Takes only what the adapter's own type says from the error: the rest of its message may quote a secret.
    fn of(error: &serde_path_to_error::Error<serde_json::Error>) -> Self {
        let (path, message) = (error.path().to_string(), error.inner().to_string());
        let path = path.trim_end_matches('?').trim_end_matches('.');
        if message.starts_with("unknown field `") {
            let known = message.rsplit_once("`, expected ").map_or("none", |(_, known)| known);
            return Self::Unknown(known.trim_start_matches("one of ").to_owned());
        }
        let missing = message.strip_prefix("missing field `");
        match missing.and_then(|rest| rest.split('`').next()) {
            None => Self::Invalid(path.to_owned()),
            Some(field) if path.is_empty() => Self::Missing(field.to_owned()),
            Some(field) => Self::Missing(format!("{path}.{field}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        #[expect(dead_code, reason = "only its reading is of interest")]
        account: Option<Nested>,
        #[expect(dead_code, reason = "only its reading is of interest")]
        key: String,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Nested {
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
            (json!({ "key": 7 }), "setting `key` is invalid"),
            (json!({ "key": "k", "account": {} }), "setting `account.id` is missing"),
            (
                json!({ "key": "k", "account": { "id": "s3cret" } }),
                "setting `account.id` is invalid",
            ),
            (
                json!({ "key": "k", "s3cret`, expected x": 1 }),
                "unknown setting beside those the adapter knows: `account` or `key`",
            ),
            (
                json!({ "key": "k", "account": { "id": 1, "s3cret": 1 } }),
                "unknown setting beside those the adapter knows: `id`",
            ),
        ] {
            let settings = Settings::from(settings.as_object().unwrap().clone());
            let error = settings.read::<Sample>().unwrap_err();
            assert_eq!(error.to_string(), expected);
        }
    }
}
