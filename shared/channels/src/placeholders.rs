//! The values with which a prompt fills a template that its provider keeps.

use domain::values::language::Language;
use ports::{ButtonAction, Prompt};
use serde::Deserialize;

use crate::message_limits::cut;

/// The value of a placeholder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PlaceholderValue {
    /// The name of the payee.
    Payee,
    /// The amount. A prompt without one does not fit the template.
    Amount,
    /// The prompt's heading.
    Title,
    /// The prompt's sentences.
    Body,
}

/// The content of a template's placeholders.
#[derive(Clone, Copy)]
pub(crate) struct PlaceholderValues<'a> {
    /// The prompt that fills the template.
    pub(crate) prompt: &'a Prompt,
    /// The brand's own language.
    pub(crate) own: &'a Language,
    /// Whether one of the placeholders is the prompt's sentences.
    pub(crate) has_body: bool,
}

impl PlaceholderValues<'_> {
    /// Writes a value in one line of at most `max` characters; `None` if the prompt lacks it.
    pub(crate) fn line(&self, value: PlaceholderValue, max: usize) -> Option<String> {
        let Self { prompt, own, has_body } = *self;
        let text = match value {
            PlaceholderValue::Payee => prompt.payee.clone(),
            PlaceholderValue::Amount => {
                let amount =
                    prompt.money.map(|money| texts::amount(&prompt.language, own, money))?;
                // The card is named before a yes, also in a template without the body's sentences.
                match prompt.card.as_ref().filter(|_| !has_body) {
                    Some(card) => format!("{amount} ({card})"),
                    None => amount,
                }
            }
            PlaceholderValue::Title => prompt.title.clone(),
            PlaceholderValue::Body => prompt.body.clone(),
        };
        let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        Some(cut(&line, max))
    }
}

/// Returns the postback of the prompt's reply button with this label; `None` if it has no such button.
pub(crate) fn postback<'a>(prompt: &'a Prompt, label: &str) -> Option<&'a str> {
    prompt.buttons.iter().find_map(|button| match &button.action {
        ButtonAction::Reply { postback } if button.label == label => Some(postback.as_str()),
        ButtonAction::Reply { .. } | ButtonAction::Open { .. } => None,
    })
}

/// Returns the label and the postback of one of the prompt's numbers to pick; `None` without such a number.
pub(crate) fn pick(prompt: &Prompt, place: usize) -> Option<(&str, &str)> {
    let labels = &prompt.labels;
    let others = [&labels.approve, &labels.deny, &labels.not_me];
    let picks = prompt.buttons.iter().filter(|button| !others.contains(&&button.label));
    let mut replies = picks.filter_map(|button| match &button.action {
        ButtonAction::Reply { postback } => Some((button.label.as_str(), postback.as_str())),
        ButtonAction::Open { .. } => None,
    });
    replies.nth(place)
}

/// Returns whether the message has a button that approves or leads to it.
pub(crate) fn can_approve(message: &Prompt) -> bool {
    let denials = [&message.labels.deny, &message.labels.not_me];
    message.buttons.iter().any(|button| !denials.contains(&&button.label))
}

/// Returns the last part of the prompt's link, with which the URL of a template's button ends.
pub(crate) fn link_token(prompt: &Prompt) -> Option<&str> {
    prompt.link.rsplit_once('/').map(|(_, token)| token)
}

/// Returns what is kept for the language nearest to `wanted`, by the look-up of RFC 4647, section 3.4.
pub(crate) fn nearest<'a>(known: &'a [(Language, String)], wanted: &Language) -> Option<&'a str> {
    let mut tag = wanted.as_str();
    loop {
        if let Some((_, kept)) = known.iter().find(|(language, _)| language.as_str() == tag) {
            return Some(kept);
        }
        (tag, _) = tag.rsplit_once('-')?;
    }
}
