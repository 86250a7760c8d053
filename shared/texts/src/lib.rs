//! The texts for customers in every supported language, as data and pure functions.
#![doc = include_str!("../README.md")]

mod de;
mod en;
mod es;
mod fr;
mod gsm7;
pub mod inbound;
mod money;
mod page;
mod prompt;
mod say;
mod thread;

pub use gsm7::segments;
pub use money::amount;
pub use page::PageTexts;
pub use prompt::{PromptContent, PromptTexts, prompt, reminder};
pub use say::{SayContent, SpokenSentence, say};
pub use thread::{ThreadContent, ThreadMessageKind, ThreadTexts, thread};

use domain::values::language::Language;

/// A supported language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextLanguage {
    /// German.
    De,
    /// English.
    En,
    /// Spanish.
    Es,
    /// French.
    Fr,
}

impl TextLanguage {
    /// Every supported language.
    pub const ALL: [Self; 4] = [Self::De, Self::En, Self::Es, Self::Fr];

    /// Returns the nearest language: the customer's, else the brand's, else English.
    #[must_use]
    pub fn nearest(language: &Language, fallback: &Language) -> Self {
        Self::look_up(language).or_else(|| Self::look_up(fallback)).unwrap_or(Self::En)
    }

    /// Looks a tag up (RFC 4647, 3.4). Ours are all bare languages, so the look-up ends at the first subtag.
    fn look_up(language: &Language) -> Option<Self> {
        Self::ALL.into_iter().find(|spoken| spoken.tag() == language.primary())
    }

    /// Returns the BCP 47 tag.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        self.page().tag
    }

    /// Returns the texts of the consent page.
    #[must_use]
    pub const fn page(self) -> &'static PageTexts {
        match self {
            Self::De => &de::PAGE,
            Self::En => &en::PAGE,
            Self::Es => &es::PAGE,
            Self::Fr => &fr::PAGE,
        }
    }

    const fn thread(self) -> &'static thread::ThreadWords {
        match self {
            Self::De => &de::THREAD,
            Self::En => &en::THREAD,
            Self::Es => &es::THREAD,
            Self::Fr => &fr::THREAD,
        }
    }

    const fn prompt(self) -> &'static prompt::Words {
        match self {
            Self::De => &de::PROMPT,
            Self::En => &en::PROMPT,
            Self::Es => &es::PROMPT,
            Self::Fr => &fr::PROMPT,
        }
    }

    const fn sentences(self) -> &'static say::Sentences {
        match self {
            Self::De => &de::SAY,
            Self::En => &en::SAY,
            Self::Es => &es::SAY,
            Self::Fr => &fr::SAY,
        }
    }
}

/// Returns the texts of the consent page in the nearest language.
#[must_use]
pub fn page(language: &Language, fallback: &Language) -> &'static PageTexts {
    TextLanguage::nearest(language, fallback).page()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nearest(language: &str, fallback: &str) -> TextLanguage {
        TextLanguage::nearest(&language.parse().unwrap(), &fallback.parse().unwrap())
    }

    #[test]
    fn nearest_language_is_customers_then_brands_then_english() {
        assert_eq!(nearest("de-CH-1996", "fr"), TextLanguage::De);
        assert_eq!(nearest("es-419", "fr"), TextLanguage::Es);
        assert_eq!(nearest("nl-BE", "fr-BE"), TextLanguage::Fr);
        assert_eq!(nearest("nl", "ja"), TextLanguage::En);
        assert_eq!(nearest("den", "ja"), TextLanguage::En, "den is Slavey, not German");
    }
}
