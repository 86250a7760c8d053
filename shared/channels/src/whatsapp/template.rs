//! Templates that Meta approved: what each needs of a prompt, and the prompt put into the first that can say it.

use std::collections::BTreeMap;

use domain::ports::{ButtonAction, Prompt};
use domain::texts;
use domain::values::language::Language;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::message_limits::{WHATSAPP, cut};
use crate::settings::{InvalidSetting, identifier};

/// What the brand says of one of its templates.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    /// Its name at Meta.
    name: String,
    /// The languages it was approved in: the customer's, in BCP 47, and Meta's code for it. The brand's own must be there.
    languages: BTreeMap<String, String>,
    /// What fills the one place in its heading, if there is one.
    #[serde(default)]
    header: Option<Word>,
    /// What fills the places of its body, in their order.
    #[serde(default)]
    body: Vec<Word>,
    /// What its buttons are, in their order.
    buttons: Vec<Button>,
}

/// What a place of a template is filled with.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Word {
    /// Who asks.
    Payee,
    /// How much: only of an ask that has an amount.
    Amount,
    /// The prompt's heading.
    Title,
    /// The prompt's sentences.
    Body,
}

/// What a button of a template does.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Button {
    /// A quick reply: the yes. Only for a prompt that may be answered by a tap.
    Approve,
    /// A quick reply: the no.
    Deny,
    /// A quick reply: "this is not me".
    NotMe,
    /// A link whose address ends in a place, which is filled with the link's token.
    Page,
    /// A button of its own that takes nothing, such as one that calls the brand.
    Fixed,
}

/// A template, ready for use.
pub(super) struct Template {
    name: String,
    languages: Vec<(Language, String)>,
    header: Option<Word>,
    body: Vec<Word>,
    buttons: Vec<Button>,
}

impl Template {
    /// Takes a template that has a way to say yes, and the brand's own language.
    pub(super) fn new(settings: &Settings, own: &Language) -> Result<Self, InvalidSetting> {
        identifier("templates.name", &settings.name, "_")?;
        let mut languages = Vec::new();
        for (tag, code) in &settings.languages {
            let Ok(language) = tag.parse() else { return Err(LANGUAGES) };
            identifier("templates.languages", code, "_")?;
            languages.push((language, code.clone()));
        }
        let answers = |button: &Button| matches!(button, Button::Approve | Button::Page);
        if !settings.buttons.iter().any(answers) {
            return Err(InvalidSetting { field: "templates.buttons" });
        }
        let template = Self {
            name: settings.name.clone(),
            languages,
            header: settings.header,
            body: settings.body.clone(),
            buttons: settings.buttons.clone(),
        };
        // Then there is always a language to fall back to.
        if template.code(own).is_some() { Ok(template) } else { Err(LANGUAGES) }
    }

    /// The message that says the prompt with this template; `None` where the prompt lacks what the template needs.
    pub(super) fn filled(&self, prompt: &Prompt, own: &Language) -> Option<Value> {
        let code = self.code(&prompt.language).or_else(|| self.code(own))?;
        let mut components = Vec::new();
        if let Some(word) = self.header {
            let text = parameter(&said(word, prompt, own)?, WHATSAPP.title_max);
            components.push(json!({ "type": "header", "parameters": [text] }));
        }
        if !self.body.is_empty() {
            let words = self.body.iter().map(|word| said(*word, prompt, own));
            let words: Option<Vec<String>> = words.collect();
            let texts = words?.into_iter().map(|word| parameter(&word, WHATSAPP.body_max));
            components.push(json!({ "type": "body", "parameters": texts.collect::<Vec<_>>() }));
        }
        for (index, button) in self.buttons.iter().enumerate().filter(|(_, b)| **b != Button::Fixed)
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

    /// Meta's code for the language nearest to `language`: the look-up of RFC 4647, 3.4.
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

fn said(word: Word, prompt: &Prompt, own: &Language) -> Option<String> {
    match word {
        Word::Payee => Some(prompt.payee.clone()),
        Word::Amount => prompt.money.map(|money| texts::amount(&prompt.language, own, money)),
        Word::Title => Some(prompt.title.clone()),
        Word::Body => Some(prompt.body.clone()),
    }
}

/// A place's text: Meta refuses line breaks, tabs and runs of spaces in one.
fn parameter(text: &str, max: usize) -> Value {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    json!({ "type": "text", "text": cut(&line, max) })
}

fn button_component(index: usize, button: Button, prompt: &Prompt) -> Option<Value> {
    let (kind, parameter) = match button {
        Button::Approve => reply(prompt, &prompt.labels.approve)?,
        Button::Deny => reply(prompt, &prompt.labels.deny)?,
        Button::NotMe => reply(prompt, &prompt.labels.not_me)?,
        // What the template's own address ends with is the link's last part.
        Button::Page => {
            let (_, token) = prompt.link.rsplit_once('/')?;
            ("url", json!({ "type": "text", "text": token }))
        }
        Button::Fixed => return None,
    };
    Some(json!({
        "type": "button", "sub_type": kind, "index": index.to_string(), "parameters": [parameter],
    }))
}

/// What the prompt's own button of that label brings back.
fn reply(prompt: &Prompt, label: &str) -> Option<(&'static str, Value)> {
    let postback = prompt.buttons.iter().find_map(|button| match &button.action {
        ButtonAction::Reply { postback } if button.label == label => Some(postback),
        ButtonAction::Reply { .. } | ButtonAction::Open { .. } => None,
    })?;
    Some(("quick_reply", json!({ "type": "payload", "payload": postback })))
}
