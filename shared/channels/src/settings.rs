//! Checks that several channels' settings share. Their errors name the setting and never quote its value.

use domain::settings::is_withheld;
use ports::CallbackError;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

/// A setting cannot be used. The error has its name alone, as its value may be a secret.
#[derive(Debug, thiserror::Error)]
#[error("invalid setting `{field}`")]
pub(crate) struct InvalidSetting {
    /// The setting's name.
    pub(crate) field: &'static str,
}

/// A secret, or several while one is rotated: a text, or a list of texts.
///
/// Our calls use the first one. A webhook that any of them signed is verified.
#[derive(Clone, Deserialize)]
#[serde(from = "OneOrMany")]
pub(crate) struct RotatedSecret(Vec<SecretString>);

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(SecretString),
    Many(Vec<SecretString>),
}

impl From<OneOrMany> for RotatedSecret {
    fn from(given: OneOrMany) -> Self {
        match given {
            OneOrMany::One(secret) => Self(vec![secret]),
            OneOrMany::Many(secrets) => Self(secrets),
        }
    }
}

impl RotatedSecret {
    /// Checks that there is a secret, and no empty one. A stranger can compute a signature under an empty key.
    ///
    /// # Errors
    ///
    /// [`InvalidSetting`] that names `field`.
    pub(crate) fn check(&self, field: &'static str) -> Result<(), InvalidSetting> {
        let has_empty = self.0.iter().any(|secret| secret.expose_secret().is_empty());
        if self.0.is_empty() || has_empty { Err(InvalidSetting { field }) } else { Ok(()) }
    }

    /// Returns the secret of our own calls.
    ///
    /// # Errors
    ///
    /// [`InvalidSetting`] that names `field` without a secret.
    pub(crate) fn current(&self, field: &'static str) -> Result<&SecretString, InvalidSetting> {
        self.0.first().ok_or(InvalidSetting { field })
    }

    /// Returns every secret that verifies, the one of our own calls first. A withheld one verifies nothing.
    pub(crate) fn all(&self) -> impl Iterator<Item = &SecretString> {
        self.0.iter().filter(|secret| !is_withheld(secret))
    }

    /// Verifies with each secret in turn, until one does not refuse it as forged.
    ///
    /// # Errors
    ///
    /// [`CallbackError`] of `verify`; [`CallbackError::Forged`] without a secret.
    pub(crate) fn verify<T>(
        &self,
        verify: impl Fn(&SecretString) -> Result<T, CallbackError>,
    ) -> Result<T, CallbackError> {
        let mut result = Err(CallbackError::Forged);
        for secret in self.all() {
            result = verify(secret);
            if !matches!(result, Err(CallbackError::Forged)) {
                break;
            }
        }
        result
    }
}

/// The base URL of a provider's API, without a slash at its end.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct BaseUrl(String);

impl BaseUrl {
    /// Appends `path`.
    pub(crate) fn join(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }
}

impl TryFrom<String> for BaseUrl {
    type Error = InvalidSetting;

    fn try_from(text: String) -> Result<Self, InvalidSetting> {
        let invalid = || InvalidSetting { field: "base_url" };
        let Ok(uri) = text.parse::<http::Uri>() else { return Err(invalid()) };
        let known = matches!(uri.scheme_str(), Some("http" | "https"));
        // A password in a URL would end up in the provider's access log.
        let plain = uri.authority().is_some_and(|authority| !authority.as_str().contains('@'));
        if !known || !plain || uri.query().is_some() || text.contains('#') {
            return Err(invalid());
        }
        Ok(Self(text.trim_end_matches('/').to_owned()))
    }
}

/// Checks an identifier that becomes part of a path or a header: ASCII letters, digits and `extra` only.
///
/// # Errors
///
/// [`InvalidSetting`] that names `field`.
pub(crate) fn identifier(
    field: &'static str,
    text: &str,
    extra: &str,
) -> Result<(), InvalidSetting> {
    let plain = |c: char| c.is_ascii_alphanumeric() || extra.contains(c);
    if !text.is_empty() && text.len() <= 256 && text.chars().all(plain) {
        Ok(())
    } else {
        Err(InvalidSetting { field })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_url_is_absolute_and_carries_no_password() {
        for bad in [
            "",
            "api.example.com",
            "ftp://a",
            "https://u:p@a.example",
            "https://a?x=1",
            "https://a#b",
            "/x",
        ] {
            let error = BaseUrl::try_from(bad.to_owned()).unwrap_err();
            assert_eq!(error.to_string(), "invalid setting `base_url`", "{bad}");
        }
        let base = BaseUrl::try_from("http://127.0.0.1:4010/".to_owned()).unwrap();
        assert_eq!(base.join("/x"), "http://127.0.0.1:4010/x");
    }
}
