//! The answer of a step: one flat object of texts, in which every name is always there.

use std::collections::BTreeMap;

use domain::problem::{Code, Problem};
use domain::values::language::Language;
use serde::Serialize;
use texts::SayContent;

use crate::asking::Brief;

/// The problems after which no message reached the customer's phone.
const UNREACHABLE: [Code; 3] =
    [Code::AddressOptedOut, Code::NumberNotAllowed, Code::ChannelNotConfigured];

/// An answer of texts alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct FlatAnswer(BTreeMap<&'static str, String>);

impl FlatAnswer {
    /// Returns the answer for a request.
    pub(crate) fn of(brief: &Brief) -> Self {
        let over = brief.over.to_string();
        Self(BTreeMap::from([
            ("ok", "true".to_owned()),
            ("error", String::new()),
            ("detail", String::new()),
            ("id", brief.id.clone()),
            ("state", brief.state.clone()),
            ("over", over),
            ("version", brief.version.clone()),
            ("say", brief.say.clone()),
            ("say_language", brief.say_language.clone()),
            ("code", brief.code.clone()),
            ("reason", brief.reason.clone()),
            ("transaction_code", brief.transaction_code.clone()),
            ("spoken_transaction_code", apart(&brief.transaction_code)),
            ("last4", brief.last4.clone()),
            ("next_wait", brief.next_wait.clone()),
            ("news", "true".to_owned()),
            ("next_attempt", String::new()),
        ]))
    }

    /// Returns the answer of a step that was refused, with a sentence for the customer.
    pub(crate) fn refused(problem: &Problem, language: Option<&str>, brand: &Language) -> Self {
        let language = language.and_then(|language| spelled(language).parse().ok());
        let content = if UNREACHABLE.contains(&problem.code) {
            SayContent::Undeliverable
        } else {
            SayContent::Failed
        };
        let said = texts::say(content, language.as_ref().unwrap_or(brand), brand);
        let refused = Self::without_request("refused");
        let refused = refused.with("say", said.text).with("say_language", said.tag.to_owned());
        refused.with_problem(problem)
    }

    /// Returns the answer of a cancel where nothing was asked.
    pub(crate) fn none() -> Self {
        Self::without_request("none")
    }

    /// Returns the answer of a step that could not tell how the request stands.
    pub(crate) fn unknown(problem: &Problem) -> Self {
        let unknown = Self::without_request("unknown").with("over", "false".to_owned());
        unknown.with("news", "false".to_owned()).with_problem(problem)
    }

    fn without_request(state: &str) -> Self {
        Self::of(&Brief {
            id: String::new(),
            state: state.to_owned(),
            over: true,
            version: String::new(),
            say: String::new(),
            say_language: String::new(),
            code: String::new(),
            reason: String::new(),
            transaction_code: String::new(),
            last4: String::new(),
            next_wait: "0".to_owned(),
        })
    }

    /// Adds why the step was refused.
    pub(crate) fn with_problem(self, problem: &Problem) -> Self {
        let (code, ..) = problem.code.facts();
        let refused = self.with("ok", "false".to_owned()).with("error", code.to_owned());
        refused.with("detail", problem.detail.clone())
    }

    /// Sets a text.
    pub(crate) fn with(mut self, name: &'static str, text: String) -> Self {
        self.0.insert(name, text);
        self
    }

    /// Returns a text, or an empty one.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.0.get(name).map(String::as_str).unwrap_or_default()
    }

    /// Returns every name with its text.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.iter().map(|(name, text)| (*name, text.as_str()))
    }
}

/// Returns a code with a pause after each character, as a voice reads it.
fn apart(code: &str) -> String {
    let characters = code.chars().filter(|character| character.is_alphanumeric());
    characters.map(String::from).collect::<Vec<_>>().join(", ")
}

/// Returns a platform's name of a language as BCP 47 spells it.
pub(super) fn spelled(language: &str) -> String {
    language.replace('_', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusal_has_every_name_and_a_sentence() {
        let problem = Problem::new(Code::AddressOptedOut, "the customer wrote STOP");
        let refused = FlatAnswer::refused(&problem, Some("de_DE"), &Language::default());
        let texts: BTreeMap<_, _> = refused.texts().collect();
        assert_eq!(texts.len(), FlatAnswer::none().texts().count());
        assert_eq!((texts["ok"], texts["over"], texts["state"]), ("false", "true", "refused"));
        assert_eq!((texts["error"], texts["say_language"]), ("address-opted-out", "de"));
        assert!(!texts["say"].is_empty());
        let failed = Problem::new(Code::InvalidRequest, "the amount is missing");
        let refused = FlatAnswer::refused(&failed, Some("xx-bad-"), &Language::default());
        assert_ne!(refused.text("say"), texts["say"]);
    }
}
