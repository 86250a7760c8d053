//! A brand's account at Twilio, as its settings state it.

use secrecy::SecretString;
use serde::Deserialize;

use crate::settings::{BaseUrl, InvalidSetting, RotatedSecret, identifier};

/// The settings of an account at Twilio.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// `AC…`.
    pub(super) account_sid: String,
    /// The account's primary token, or several while one is rotated. Each verifies callbacks. The first one signs calls
    /// where there is no API key.
    pub(super) auth_token: RotatedSecret,
    /// An API key for calls, so that they do not carry the token itself.
    #[serde(default)]
    pub(super) api_key: Option<ApiKey>,
    /// The number or agent that messages come from. Set this or the messaging service.
    #[serde(default)]
    pub(super) from: Option<String>,
    /// `MG…`: a messaging service, which picks the number itself.
    #[serde(default)]
    pub(super) messaging_service_sid: Option<String>,
    /// The address of a stand-in.
    #[serde(default)]
    pub(super) base_url: Option<BaseUrl>,
}

/// An API key.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ApiKey {
    /// `SK…`.
    sid: String,
    secret: SecretString,
}

/// The sender of messages.
pub(super) enum TextSender {
    Number(String),
    MessagingService(String),
}

impl TextSender {
    /// Returns whether a customer's text names this sender: by its number, or by the number's messaging service.
    pub(super) fn is_addressee(&self, to: Option<&str>, service: Option<&str>) -> bool {
        match self {
            Self::Number(number) => to == Some(number.as_str()),
            Self::MessagingService(sid) => service == Some(sid.as_str()),
        }
    }
}

/// A checked account.
pub(super) struct Account {
    pub(super) sid: String,
    pub(super) user: String,
    pub(super) password: SecretString,
    pub(super) sender: TextSender,
    pub(super) base: BaseUrl,
}

impl Account {
    /// Checks the settings.
    ///
    /// # Errors
    ///
    /// [`InvalidSetting`] for the first malformed one, and for two senders or none.
    pub(super) fn new(settings: &Settings) -> Result<Self, InvalidSetting> {
        identifier("account_sid", &settings.account_sid, "")?;
        settings.auth_token.check("auth_token")?;
        let sender = match (&settings.from, &settings.messaging_service_sid) {
            (Some(number), None) if !number.is_empty() => TextSender::Number(number.clone()),
            (None, Some(sid)) if !sid.is_empty() => TextSender::MessagingService(sid.clone()),
            (Some(_) | None, Some(_) | None) => return Err(InvalidSetting { field: "from" }),
        };
        let (user, password) = match &settings.api_key {
            Some(key) => (key.sid.clone(), key.secret.clone()),
            None => {
                let token = settings.auth_token.current("auth_token")?;
                (settings.account_sid.clone(), token.clone())
            }
        };
        identifier("api_key", &user, "")?;
        let base = match &settings.base_url {
            Some(base) => base.clone(),
            None => BaseUrl::try_from("https://api.twilio.com".to_owned())?,
        };
        Ok(Self { sid: settings.account_sid.clone(), user, password, sender, base })
    }
}
