//! The setting `labels`: what of a request's metadata and session goes to a processor, and the text on the statement.
//!
//! Metadata can be personal, so nothing of it goes anywhere unless the brand names it.

use ports::{RequestLabels, UnsupportedLabel};
use serde::Deserialize;

/// The setting `labels`, as the brand's secret has it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct LabelSettings {
    /// The names of the metadata that goes to the processor.
    metadata: Vec<String>,
    /// Whether the requester's id of the session goes to the processor, as `session_id`.
    session_id: bool,
    /// The text on the customer's statement.
    statement: Option<StatementText>,
    /// The prefix that the account puts before that text, where it puts one.
    statement_prefix: Option<String>,
    /// The name of the metadata that holds the requester's order number.
    order_reference: Option<String>,
}

/// The source of the text on a statement.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StatementText {
    /// The same for every payment.
    Text(String),
    /// The value of this metadata, where the request has it.
    Metadata(String),
}

/// A processor's rules for labels.
pub(crate) struct LabelRules {
    /// The most metadata of the requester.
    pub(crate) entries_max: usize,
    /// The most characters of a name.
    pub(crate) name_max: usize,
    /// The most characters of a value.
    pub(crate) value_max: usize,
    /// Whether the processor takes metadata of that name. Our own names are taken by none.
    pub(crate) is_name: fn(&str) -> bool,
    /// The rule for the text on a statement, in words for the requester.
    pub(crate) statement: &'static str,
    /// Whether the text, after a prefix of that length, fits a statement.
    pub(crate) is_statement: fn(&str, Option<usize>) -> bool,
    /// Whether the account may put a prefix before the text.
    pub(crate) has_prefix: bool,
    /// The most characters of an order number; `None` where the processor takes none.
    pub(crate) order_max: Option<usize>,
}

/// The labels that a processor gets, checked against its rules.
pub(crate) struct Labels {
    settings: LabelSettings,
    rules: &'static LabelRules,
}

/// The reason why the setting cannot be used. No value is quoted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InvalidLabels {
    #[error("labels.metadata has too many names, or a name that the processor does not take")]
    Metadata,
    #[error("labels.statement breaks the processor's rules")]
    Statement,
    #[error("labels.statement_prefix is not 2 to 10 characters, or the processor has none")]
    StatementPrefix,
    #[error("labels.order_reference is not a name of metadata, or the processor takes none")]
    OrderReference,
}

/// The names that our own labels have.
const OWN_NAMES: [&str; 3] = ["request_id", "attempt", SESSION_ID];
/// The name under which the session's id goes to a processor.
pub(crate) const SESSION_ID: &str = "session_id";
/// The most characters of a name of metadata in a request.
const REQUEST_NAME_MAX: usize = 40;

impl Labels {
    /// Checks the setting.
    pub(crate) fn new(
        settings: LabelSettings,
        rules: &'static LabelRules,
    ) -> Result<Self, InvalidLabels> {
        let sent = |name: &String| {
            is_metadata_name(name, rules.name_max)
                && (rules.is_name)(name)
                && !OWN_NAMES.contains(&name.as_str())
        };
        if settings.metadata.len() > rules.entries_max || !settings.metadata.iter().all(sent) {
            return Err(InvalidLabels::Metadata);
        }
        let is_prefix = |prefix: &String| rules.has_prefix && (2..=10).contains(&prefix.len());
        if settings.statement_prefix.as_ref().is_some_and(|prefix| !is_prefix(prefix)) {
            return Err(InvalidLabels::StatementPrefix);
        }
        let labels = Self { settings, rules };
        let fits = match &labels.settings.statement {
            Some(StatementText::Text(text)) => labels.is_statement(text),
            Some(StatementText::Metadata(name)) => is_metadata_name(name, REQUEST_NAME_MAX),
            None => true,
        };
        if !fits {
            return Err(InvalidLabels::Statement);
        }
        let order = labels.settings.order_reference.as_ref();
        if order.is_some_and(|name| {
            rules.order_max.is_none() || !is_metadata_name(name, REQUEST_NAME_MAX)
        }) {
            return Err(InvalidLabels::OrderReference);
        }
        Ok(labels)
    }

    /// Judges a request's labels before the customer is asked.
    pub(crate) fn check(&self, labels: RequestLabels<'_>) -> Result<(), UnsupportedLabel> {
        let rules = self.rules;
        for (name, value) in self.metadata(labels) {
            if value.chars().count() > rules.value_max {
                let rule = "the processor takes shorter values";
                return Err(UnsupportedLabel::metadata(name, rule));
            }
        }
        if self.session(labels).is_some_and(|id| id.chars().count() > rules.value_max) {
            let rule = "the processor takes shorter values";
            return Err(UnsupportedLabel { pointer: "/session/id".to_owned(), rule });
        }
        if let Some(StatementText::Metadata(name)) = &self.settings.statement
            && self.statement(labels).is_some_and(|text| !self.is_statement(text))
        {
            return Err(UnsupportedLabel::metadata(name, rules.statement));
        }
        let order = self.settings.order_reference.as_ref().zip(self.order_reference(labels));
        if let Some((name, number)) = order
            && rules.order_max.is_some_and(|most| number.chars().count() > most)
        {
            let rule = "the processor takes shorter order numbers";
            return Err(UnsupportedLabel::metadata(name, rule));
        }
        Ok(())
    }

    /// Returns the metadata that goes to the processor, in the order of the setting.
    pub(crate) fn metadata<'a>(
        &'a self,
        labels: RequestLabels<'a>,
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        let names = self.settings.metadata.iter();
        // An empty value would remove an entry at some processors.
        names.filter_map(move |name| {
            let value = labels.metadata.get(name).filter(|value| !value.is_empty())?;
            Some((name.as_str(), value.as_str()))
        })
    }

    /// Returns the session's id; `None` where it stays here.
    pub(crate) fn session<'a>(&self, labels: RequestLabels<'a>) -> Option<&'a str> {
        Some(labels.session).filter(|id| self.settings.session_id && !id.is_empty())
    }

    /// Returns the text on the statement; `None` where the account's own text stands alone.
    pub(crate) fn statement<'a>(&'a self, labels: RequestLabels<'a>) -> Option<&'a str> {
        match self.settings.statement.as_ref()? {
            StatementText::Text(text) => Some(text),
            StatementText::Metadata(name) => {
                labels.metadata.get(name).map(String::as_str).filter(|text| !text.is_empty())
            }
        }
    }

    /// Returns the requester's order number.
    pub(crate) fn order_reference<'a>(&'a self, labels: RequestLabels<'a>) -> Option<&'a str> {
        let number = labels.metadata.get(self.settings.order_reference.as_ref()?)?;
        Some(number.as_str()).filter(|number| !number.is_empty())
    }

    fn is_statement(&self, text: &str) -> bool {
        let prefix = self.settings.statement_prefix.as_ref().map(String::len);
        (self.rules.is_statement)(text, prefix)
    }
}

fn is_metadata_name(name: &str, most: usize) -> bool {
    (1..=most).contains(&name.chars().count())
}
