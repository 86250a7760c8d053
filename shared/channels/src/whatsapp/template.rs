//! Templates that Meta approved, and how a prompt fills one.

use std::collections::{BTreeMap, BTreeSet};

use domain::values::language::Language;
use ports::{MessageForm, MessagePreview, Prompt};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::message_limits::WHATSAPP;
use crate::placeholders::{self, PlaceholderValue, PlaceholderValues};
use crate::previews::texts_at;
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
    /// The body's placeholders, in order.
    #[serde(default)]
    body: Vec<Placeholder>,
    /// The buttons, in order.
    buttons: Vec<TemplateButton>,
}

/// A placeholder: its value, and its name in a template whose placeholders have names.
#[derive(Clone, Deserialize)]
#[serde(from = "PlaceholderSetting")]
struct Placeholder {
    value: PlaceholderValue,
    name: Option<String>,
}

/// A placeholder in the settings: the value alone, or an object with a name.
#[derive(Deserialize)]
#[serde(untagged)]
enum PlaceholderSetting {
    Positional(PlaceholderValue),
    Named(NamedPlaceholder),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NamedPlaceholder {
    /// The name of the placeholder, as in `{{name}}`.
    name: String,
    value: PlaceholderValue,
}

impl From<PlaceholderSetting> for Placeholder {
    fn from(setting: PlaceholderSetting) -> Self {
        match setting {
            PlaceholderSetting::Positional(value) => Self { value, name: None },
            PlaceholderSetting::Named(named) => Self { value: named.value, name: Some(named.name) },
        }
    }
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
    /// Checks a template: it can approve and deny, and has the brand's `own` language.
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
        let denies = settings.buttons.contains(&TemplateButton::Deny);
        if !denies || !settings.buttons.iter().any(approves) {
            return Err(InvalidSetting { field: "templates.buttons" });
        }
        check_names(settings)?;
        let template = Self {
            name: settings.name.clone(),
            languages,
            header: settings.header.clone(),
            body: settings.body.clone(),
            buttons: settings.buttons.clone(),
        };
        // The brand's own language is the fallback for every customer.
        if template.code(own).is_some() { Ok(template) } else { Err(LANGUAGES) }
    }

    /// Fills the template with the prompt; `None` if the prompt lacks a value that the template needs.
    pub(super) fn message(&self, prompt: &Prompt, own: &Language) -> Option<Value> {
        let code = self.code(&prompt.language).or_else(|| self.code(own))?;
        let is_body = |text: &Placeholder| matches!(text.value, PlaceholderValue::Body);
        let has_body = self.header.iter().chain(&self.body).any(is_body);
        let filled = PlaceholderValues { prompt, own, has_body };
        let mut components = Vec::new();
        if let Some(placeholder) = &self.header {
            let text = placeholder.parameter(&filled, WHATSAPP.title_max)?;
            components.push(json!({ "type": "header", "parameters": [text] }));
        }
        if !self.body.is_empty() {
            let texts = self.body.iter();
            let texts = texts.map(|text| text.parameter(&filled, WHATSAPP.body_max));
            let texts: Option<Vec<Value>> = texts.collect();
            components.push(json!({ "type": "body", "parameters": texts? }));
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

    /// Returns what fills the template; `None` if the prompt does not fit it. Its own words are known at Meta alone.
    pub(super) fn preview(&self, prompt: &Prompt, own: &Language) -> Option<MessagePreview> {
        let message = self.message(prompt, own)?;
        let components = message.pointer("/template/components").and_then(Value::as_array)?;
        let filled = |kind: &str| {
            let component = components.iter().find(|component| component["type"] == kind);
            component.map(|component| texts_at(component, "/parameters", "/text"))
        };
        Some(MessagePreview {
            form: MessageForm::Template,
            title: filled("header").and_then(|texts| texts.into_iter().next()),
            text: filled("body").unwrap_or_default().join("\n"),
            buttons: Vec::new(),
            template: Some(self.name.clone()),
        })
    }

    /// Returns Meta's code for the language nearest to `language`.
    fn code(&self, language: &Language) -> Option<&str> {
        placeholders::nearest(&self.languages, language)
    }
}

const LANGUAGES: InvalidSetting = InvalidSetting { field: "templates.languages" };

/// Checks the names of a template's placeholders: all of them have one, or none has.
///
/// Meta's names have lower-case letters, digits and underscores, and occur once.
/// Source: <https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/overview>. UNVERIFIED: second
/// hand. Before going live, send a template with named placeholders.
fn check_names(settings: &Settings) -> Result<(), InvalidSetting> {
    let all: Vec<&Placeholder> = settings.header.iter().chain(&settings.body).collect();
    let names: BTreeSet<&str> = all.iter().filter_map(|one| one.name.as_deref()).collect();
    let has_names = all.iter().filter(|one| one.name.is_some()).count();
    let is_plain = |name: &&str| {
        let known = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        !name.is_empty() && name.bytes().all(known)
    };
    let is_whole = has_names == 0 || (has_names == all.len() && names.len() == all.len());
    if is_whole && names.iter().all(is_plain) {
        Ok(())
    } else {
        Err(InvalidSetting { field: "templates.body" })
    }
}

impl Placeholder {
    /// Writes the parameter; `None` if the prompt lacks its value. Meta refuses line breaks, tabs and runs of spaces in it.
    ///
    /// UNVERIFIED: before going live, send a value with each of them to a test template.
    fn parameter(&self, filled: &PlaceholderValues<'_>, max: usize) -> Option<Value> {
        let text = filled.line(self.value, max)?;
        Some(match &self.name {
            Some(name) => json!({ "type": "text", "parameter_name": name, "text": text }),
            None => json!({ "type": "text", "text": text }),
        })
    }
}

fn button_component(index: usize, button: TemplateButton, prompt: &Prompt) -> Option<Value> {
    let (kind, parameter) = match button {
        TemplateButton::Approve => reply(prompt, &prompt.labels.approve)?,
        TemplateButton::Deny => reply(prompt, &prompt.labels.deny)?,
        TemplateButton::NotMe => reply(prompt, &prompt.labels.not_me)?,
        // The template's URL ends with the last part of the link.
        TemplateButton::Page => {
            let token = placeholders::link_token(prompt)?;
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
    let postback = placeholders::postback(prompt, label)?;
    Some(("quick_reply", json!({ "type": "payload", "payload": postback })))
}
