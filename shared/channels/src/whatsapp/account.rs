//! A brand's number at Meta, as its settings state it.

use domain::values::language::Language;
use secrecy::SecretString;
use serde::Deserialize;

use super::template::{self, Template};
use crate::settings::{BaseUrl, InvalidSetting, RotatedSecret, identifier};

/// The settings of a number.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    /// Meta's id of the sending number, which is not the number itself.
    pub(super) phone_number_id: String,
    /// A system user's token, which does not expire.
    access_token: SecretString,
    /// The app's secret, which signs callbacks, or several while one is rotated.
    pub(super) app_secret: RotatedSecret,
    /// The token that was entered with the callback URL at Meta. It proves the one call that carries no signature.
    pub(super) verify_token: RotatedSecret,
    /// The version of the Graph API.
    #[serde(default = "newest_version")]
    api_version: String,
    /// The approved templates, best first. The channel sends the first one that fits the prompt.
    templates: Vec<template::Settings>,
    /// The address of a stand-in.
    #[serde(default)]
    base_url: Option<BaseUrl>,
}

/// The newest version that the sources of this adapter describe.
fn newest_version() -> String {
    "v25.0".to_owned()
}

/// A checked number.
pub(super) struct Account {
    /// The URL that takes messages.
    pub(super) messages: String,
    pub(super) access_token: SecretString,
    pub(super) templates: Vec<Template>,
    pub(super) language: Language,
}

impl Account {
    /// Checks the settings of a brand that speaks `language`.
    ///
    /// # Errors
    ///
    /// [`InvalidSetting`] for the first malformed one.
    pub(super) fn new(settings: &Settings, language: &Language) -> Result<Self, InvalidSetting> {
        identifier("phone_number_id", &settings.phone_number_id, "")?;
        identifier("api_version", &settings.api_version, ".")?;
        if settings.templates.is_empty() {
            return Err(InvalidSetting { field: "templates" });
        }
        let templates: Result<Vec<Template>, InvalidSetting> =
            settings.templates.iter().map(|template| Template::new(template, language)).collect();
        let base = match &settings.base_url {
            Some(base) => base.clone(),
            None => BaseUrl::try_from("https://graph.facebook.com".to_owned())?,
        };
        let path = format!("/{}/{}/messages", settings.api_version, settings.phone_number_id);
        Ok(Self {
            messages: base.join(&path),
            access_token: settings.access_token.clone(),
            templates: templates?,
            language: language.clone(),
        })
    }
}
