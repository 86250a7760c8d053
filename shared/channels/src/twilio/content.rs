//! Content templates at Twilio, and how a message fills one.
//!
//! Its numbered variables stand in texts, in ids and titles of quick replies, and at the end of a URL. An id has at most
//! 128 characters, and ours have 96. Source: Twilio's page <https://www.twilio.com/docs/content/content-types-overview> in a
//! third-party copy, read 2026-11-27. UNVERIFIED: before going live, send each template once to a test device, and tap each
//! of its buttons.

use std::collections::BTreeMap;

use domain::values::language::Language;
use ports::{MessageForm, MessagePreview, Prompt};
use serde::Deserialize;
use serde_json::Value;

use crate::message_limits::MessageLimits;
use crate::placeholders::{self, PlaceholderValue, PlaceholderValues};
use crate::settings::{InvalidSetting, identifier};

/// The settings of a Content template.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TemplateSettings {
    /// The template's SID (`HX…`) by the language of its texts. The brand's own language must be one of them.
    content: BTreeMap<String, String>,
    /// What the variables `{{1}}`, `{{2}}` and so on hold, in order.
    variables: Vec<Variable>,
    /// Whether `WhatsApp` has not approved the template, so that it fits within the window alone.
    #[serde(default)]
    pub(super) only_in_window: bool,
}

/// The content of a variable.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Variable {
    /// The name of the payee.
    Payee,
    /// The amount. A prompt without one does not fit the template.
    Amount,
    /// The message's heading.
    Title,
    /// The message's sentences.
    Body,
    /// The id of a quick reply that approves. Only a prompt that a tap can approve fits the template.
    Approve,
    /// The id of a quick reply that denies.
    Deny,
    /// The id of a quick reply: "this is not me".
    NotMe,
    /// The first of the three numbers among which the customer picks the session code.
    #[serde(rename = "choice_1")]
    FirstChoice,
    /// The second number.
    #[serde(rename = "choice_2")]
    SecondChoice,
    /// The third number.
    #[serde(rename = "choice_3")]
    ThirdChoice,
    /// The id of the quick reply that picks the first number.
    #[serde(rename = "pick_1")]
    FirstPick,
    /// The id of the quick reply that picks the second number.
    #[serde(rename = "pick_2")]
    SecondPick,
    /// The id of the quick reply that picks the third number.
    #[serde(rename = "pick_3")]
    ThirdPick,
    /// The end of the URL of a button that opens the page.
    Page,
}

/// The variables of a template in which the customer picks the session code. It has all of them or none.
const PICKS: [Variable; 6] = [
    Variable::FirstChoice,
    Variable::SecondChoice,
    Variable::ThirdChoice,
    Variable::FirstPick,
    Variable::SecondPick,
    Variable::ThirdPick,
];

/// The messages that a template is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Prompts.
    Prompt,
    /// Messages in the thread of a prompt that have a button.
    Thread,
}

/// A checked template.
pub(super) struct Template {
    content: Vec<(Language, String)>,
    variables: Vec<Variable>,
    /// Whether a button approves or leads to it.
    approves: bool,
    /// Whether it fits within the window of `WhatsApp` alone.
    pub(super) only_in_window: bool,
}

/// A template that a message has filled.
pub(super) struct FilledTemplate {
    /// The template's SID.
    pub(super) sid: String,
    /// The variables with their texts, in the template's order.
    variables: Vec<(Variable, String)>,
}

impl FilledTemplate {
    /// Returns the variables as Twilio takes them: a JSON object by their numbers.
    pub(super) fn content_variables(&self) -> String {
        let texts = self.variables.iter().map(|(_, text)| Value::from(text.as_str()));
        let numbered = texts.zip(1_u32..).map(|(text, number)| (number.to_string(), text));
        Value::Object(numbered.collect()).to_string()
    }

    /// Returns what fills the template. Its own words are known at Twilio alone.
    pub(super) fn preview(&self) -> MessagePreview {
        let texts = |wanted| {
            let used = self.variables.iter().filter(move |(one, _)| one.use_of() == wanted);
            used.map(|(_, text)| text.clone()).collect::<Vec<_>>()
        };
        MessagePreview {
            form: MessageForm::Template,
            title: None,
            text: texts(VariableUse::Sentence).join("\n"),
            buttons: texts(VariableUse::Choice),
            template: Some(self.sid.clone()),
        }
    }
}

impl Template {
    /// Checks a template: it has the brand's `own` language, and what its purpose needs. A prompt's can approve and deny. A
    /// thread's has heading, sentences and a button.
    ///
    /// # Errors
    ///
    /// [`InvalidSetting`] for the first malformed setting.
    pub(super) fn new(
        settings: &TemplateSettings,
        own: &Language,
        purpose: Purpose,
    ) -> Result<Self, InvalidSetting> {
        let mut content = Vec::new();
        for (tag, sid) in &settings.content {
            let Ok(language) = tag.parse() else { return Err(CONTENT) };
            identifier("templates.content", sid, "")?;
            content.push((language, sid.clone()));
        }
        let variables = settings.variables.clone();
        let approves = approves(&variables).ok_or(VARIABLES)?;
        if !is_useful(&variables, approves, purpose) {
            return Err(VARIABLES);
        }
        // The brand's own language is the fallback for every customer.
        if placeholders::nearest(&content, own).is_none() {
            return Err(CONTENT);
        }
        Ok(Self { content, variables, approves, only_in_window: settings.only_in_window })
    }

    /// Fills the template with the message; `None` if the message does not fit it.
    ///
    /// A message fits if it has each value that the template needs. If it has a button that approves, so must the template.
    pub(super) fn fill(
        &self,
        message: &Prompt,
        own: &Language,
        limits: &MessageLimits,
    ) -> Option<FilledTemplate> {
        if placeholders::can_approve(message) && !self.approves {
            return None;
        }
        let nearest = |language| placeholders::nearest(&self.content, language);
        let sid = nearest(&message.language).or_else(|| nearest(own))?.to_owned();
        let has_body = self.variables.contains(&Variable::Body);
        let values = PlaceholderValues { prompt: message, own, has_body };
        let filled = self.variables.iter().map(|one| Some((*one, one.text(&values, limits)?)));
        Some(FilledTemplate { sid, variables: filled.collect::<Option<_>>()? })
    }
}

const CONTENT: InvalidSetting = InvalidSetting { field: "templates.content" };
const VARIABLES: InvalidSetting = InvalidSetting { field: "templates.variables" };

/// Returns whether a button approves or leads to it; `None` where the numbers to pick are not whole.
fn approves(variables: &[Variable]) -> Option<bool> {
    let has = |one: Variable| variables.contains(&one);
    let picks = PICKS.into_iter().filter(|one| has(*one)).count();
    let has_picks = picks == PICKS.len();
    (has_picks || picks == 0).then(|| has_picks || has(Variable::Approve) || has(Variable::Page))
}

/// Returns whether the variables are those that the purpose needs.
fn is_useful(variables: &[Variable], approves: bool, purpose: Purpose) -> bool {
    let has = |one: Variable| variables.contains(&one);
    match purpose {
        Purpose::Prompt => approves && has(Variable::Deny),
        Purpose::Thread => {
            let has_button = approves || has(Variable::Deny) || has(Variable::NotMe);
            has_button && has(Variable::Title) && has(Variable::Body)
        }
    }
}

/// The part of a message that a variable fills.
#[derive(Clone, Copy, PartialEq, Eq)]
enum VariableUse {
    /// Words of the message.
    Sentence,
    /// The label of a button.
    Choice,
    /// Nothing: the id of a button, or the end of a link.
    Hidden,
}

impl Variable {
    const fn use_of(self) -> VariableUse {
        match self {
            Self::Payee | Self::Amount | Self::Title | Self::Body => VariableUse::Sentence,
            Self::FirstChoice | Self::SecondChoice | Self::ThirdChoice => VariableUse::Choice,
            Self::Approve
            | Self::Deny
            | Self::NotMe
            | Self::FirstPick
            | Self::SecondPick
            | Self::ThirdPick
            | Self::Page => VariableUse::Hidden,
        }
    }

    fn text(self, values: &PlaceholderValues<'_>, limits: &MessageLimits) -> Option<String> {
        let (prompt, labels) = (values.prompt, &values.prompt.labels);
        let line = |value| values.line(value, limits.body_max);
        let reply = |label: &str| placeholders::postback(prompt, label).map(str::to_owned);
        let choice = |place| placeholders::pick(prompt, place).map(|(label, _)| label.to_owned());
        let pick = |place| placeholders::pick(prompt, place).map(|(_, id)| id.to_owned());
        match self {
            Self::Payee => line(PlaceholderValue::Payee),
            Self::Amount => line(PlaceholderValue::Amount),
            Self::Title => values.line(PlaceholderValue::Title, limits.title_max),
            Self::Body => line(PlaceholderValue::Body),
            Self::Approve => reply(&labels.approve),
            Self::Deny => reply(&labels.deny),
            Self::NotMe => reply(&labels.not_me),
            Self::FirstChoice => choice(0),
            Self::SecondChoice => choice(1),
            Self::ThirdChoice => choice(2),
            Self::FirstPick => pick(0),
            Self::SecondPick => pick(1),
            Self::ThirdPick => pick(2),
            // A message in a thread has a link only where the customer may go on.
            Self::Page => placeholders::link_token(prompt)
                .filter(|_| placeholders::can_approve(prompt))
                .map(str::to_owned),
        }
    }
}
