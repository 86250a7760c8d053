//! Templates that Meta approved, and how a prompt fills one.

use std::collections::BTreeMap;

use domain::values::language::Language;
use ports::{ButtonAction, Prompt};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::message_limits::{WHATSAPP, cut};
use crate::settings::{InvalidSetting, identifier};

/// The settings of a template.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    /// The template's name at Meta.
    name: String,
    /// The approved languages: BCP 47 tags, each with Meta's code. The brand's own language must be one of them.
    languages: BTreeMap<String, String>,
    /// The value of the heading's placeholder; `None` if the heading has none.
    #[serde(default)]
    header: Option<Placeholder>,
    /// The values of the body's placeholders, in order.
    #[serde(default)]
    body: Vec<Placeholder>,
    /// The buttons, in order.
    buttons: Vec<TemplateButton>,
}

/// The value of a placeholder.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Placeholder {
    /// The name of the payee.
    Payee,
    /// The amount. A prompt without one does not fit the template.
    Amount,
    /// The prompt's heading.
    Title,
    /// The prompt's sentences.
    Body,
}

/// The action of a template's button.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum TemplateButton {
    /// A quick reply that approves. Only a prompt that a tap can approve fits the template.
    Approve,
    /// A quick reply that denies.
    Deny,
    /// A quick reply: "this is not me".
    NotMe,
    /// A link to the page. Its URL ends in a placeholder for the link's token.
    Page,
    /// A button without a parameter, such as one that calls the brand.
    Fixed,
}

/// A checked template.
pub(super) struct Template {
    name: String,
    languages: Vec<(Language, String)>,
    header: Option<Placeholder>,
    body: Vec<Placeholder>,
    buttons: Vec<TemplateButton>,
}

impl Template {
    /// Checks a template: it can approve, and has the brand's `own` language.
    ///
    /// # Errors
    ///
    /// [`InvalidSetting`] for the first malformed setting.
    pub(super) fn new(settings: &Settings, own: &Language) -> Result<Self, InvalidSetting> {
        identifier("templates.name", &settings.name, "_")?;
        let mut languages = Vec::new();
        for (tag, code) in &settings.languages {
            let Ok(language) = tag.parse() else { return Err(LANGUAGES) };
            identifier("templates.languages", code, "_")?;
            languages.push((language, code.clone()));
        }
        let approves = |button: &TemplateButton| {
            matches!(button, TemplateButton::Approve | TemplateButton::Page)
        };
        if !settings.buttons.iter().any(approves) {
            return Err(InvalidSetting { field: "templates.buttons" });
        }
        let template = Self {
            name: settings.name.clone(),
            languages,
            header: settings.header,
            body: settings.body.clone(),
            buttons: settings.buttons.clone(),
        };
        // The brand's own language is the fallback for every customer.
        if template.code(own).is_some() { Ok(template) } else { Err(LANGUAGES) }
    }

    /// Fills the template with the prompt; `None` if the prompt lacks a value that the template needs.
    pub(super) fn message(&self, prompt: &Prompt, own: &Language) -> Option<Value> {
        let code = self.code(&prompt.language).or_else(|| self.code(own))?;
        let mut components = Vec::new();
        if let Some(placeholder) = self.header {
            let text = parameter(&value(placeholder, prompt, own)?, WHATSAPP.title_max);
            components.push(json!({ "type": "header", "parameters": [text] }));
        }
        if !self.body.is_empty() {
            let values = self.body.iter().map(|placeholder| value(*placeholder, prompt, own));
            let values: Option<Vec<String>> = values.collect();
            let texts = values?.into_iter().map(|text| parameter(&text, WHATSAPP.body_max));
            components.push(json!({ "type": "body", "parameters": texts.collect::<Vec<_>>() }));
        }
        for (index, button) in
            self.buttons.iter().enumerate().filter(|(_, b)| **b != TemplateButton::Fixed)
        {
            components.push(button_component(index, *button, prompt)?);
        }
        Some(json!({
            "type": "template",
            "template": {
                "name": self.name, "language": { "code": code }, "components": components,
            },
        }))
    }

    /// Returns Meta's code for the language nearest to `language`, by the look-up of RFC 4647, section 3.4.
    fn code(&self, language: &Language) -> Option<&str> {
        let mut tag = language.as_str();
        loop {
            if let Some((_, code)) = self.languages.iter().find(|(known, _)| known.as_str() == tag)
            {
                return Some(code);
            }
            (tag, _) = tag.rsplit_once('-')?;
        }
    }
}

const LANGUAGES: InvalidSetting = InvalidSetting { field: "templates.languages" };

fn value(placeholder: Placeholder, prompt: &Prompt, own: &Language) -> Option<String> {
    match placeholder {
        Placeholder::Payee => Some(prompt.payee.clone()),
        Placeholder::Amount => {
            prompt.money.map(|money| texts::amount(&prompt.language, own, money))
        }
        Placeholder::Title => Some(prompt.title.clone()),
        Placeholder::Body => Some(prompt.body.clone()),
    }
}

/// Writes the value of a placeholder. Meta refuses line breaks, tabs and runs of spaces in one.
///
/// UNVERIFIED: before going live, send a value with each of them to a test template.
fn parameter(text: &str, max: usize) -> Value {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    json!({ "type": "text", "text": cut(&line, max) })
}

fn button_component(index: usize, button: TemplateButton, prompt: &Prompt) -> Option<Value> {
    let (kind, parameter) = match button {
        TemplateButton::Approve => reply(prompt, &prompt.labels.approve)?,
        TemplateButton::Deny => reply(prompt, &prompt.labels.deny)?,
        TemplateButton::NotMe => reply(prompt, &prompt.labels.not_me)?,
        // The template's URL ends with the last part of the link.
        TemplateButton::Page => {
            let (_, token) = prompt.link.rsplit_once('/')?;
            ("url", json!({ "type": "text", "text": token }))
        }
        TemplateButton::Fixed => return None,
    };
    Some(json!({
        "type": "button", "sub_type": kind, "index": index.to_string(), "parameters": [parameter],
    }))
}

/// Returns the postback of the prompt's button with this label.
fn reply(prompt: &Prompt, label: &str) -> Option<(&'static str, Value)> {
    let postback = prompt.buttons.iter().find_map(|button| match &button.action {
        ButtonAction::Reply { postback } if button.label == label => Some(postback),
        ButtonAction::Reply { .. } | ButtonAction::Open { .. } => None,
    })?;
    Some(("quick_reply", json!({ "type": "payload", "payload": postback })))
}
