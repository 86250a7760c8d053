//! The texts for customers in every supported language, as data and pure functions.
#![doc = include_str!("../README.md")]

mod bidi;
mod cldr;
mod gsm7;
pub mod inbound;
mod languages;
mod negotiation;
mod page;
mod plural_text;
mod prompt;
mod say;
mod thread;

pub use gsm7::segments;
pub use languages::TextLanguage;
pub use negotiation::{Locale, accepted};
pub use page::PageTexts;
pub use plural_text::PluralText;
pub use prompt::{PromptContent, PromptTexts, prompt, reminder};
pub use say::{SayContent, SpokenSentence, say};
pub use thread::{ThreadContent, ThreadMessageKind, ThreadTexts, thread};

use domain::values::language::Language;
use domain::values::money::Money;
use domain::values::time_zone::LocalTime;

/// Returns the texts of the consent page in the nearest language.
#[must_use]
pub fn page(language: &Language, fallback: &Language) -> &'static PageTexts {
    TextLanguage::nearest(language, fallback).page()
}

/// Returns the language in which a customer's messages are written, by the tag of its texts.
#[must_use]
pub fn used(language: Option<&Language>, fallback: &Language) -> Option<Language> {
    TextLanguage::nearest(language.unwrap_or(fallback), fallback).tag().parse().ok()
}

/// Writes an amount as [`Locale::amount`] does, in the nearest language.
#[must_use]
pub fn amount(language: &Language, fallback: &Language, money: Money) -> String {
    Locale::nearest(language, fallback).amount(money)
}

/// Writes a time as [`Locale::date_time`] does, in the nearest language.
#[must_use]
pub fn date_time(language: &Language, fallback: &Language, at: &LocalTime) -> String {
    Locale::nearest(language, fallback).date_time(at)
}
