//! Text for customers: bounded, and free of characters that could disguise the payee or the amount.

mod contact_details;
mod visible;

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

pub use contact_details::{ContactDetail, contact_detail};

/// The word that stands for erased text.
pub const ERASED: &str = "erased";

/// Text that is safe to display: 1 to `MAX` characters, trimmed.
///
/// It has a letter or a digit, and no character that a reader does not see.
///
/// Such characters can make an amount or a payee read as another. They are refused, not dropped: the customer sees what
/// the requester sent.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct DisplayText<const MAX: usize>(String);

/// A text that is not safe to display.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidText {
    /// Nothing is left after trimming.
    #[error("the text is empty")]
    Empty,
    /// The text has more characters than its field takes.
    #[error("the text is longer than {max} characters")]
    Long {
        /// The limit of the field, in characters.
        max: usize,
    },
    /// The text holds a character that a reader does not see, or more marks or spaces than a reader expects.
    #[error("the text holds a control, invisible or direction-changing character")]
    Disguise,
    /// The text has neither a letter nor a digit.
    #[error("the text has no letter and no digit")]
    Blank,
}

impl<const MAX: usize> DisplayText<MAX> {
    /// Validates a text.
    ///
    /// # Errors
    /// [`InvalidText`] with the rule that the text breaks.
    pub fn new(text: &str) -> Result<Self, InvalidText> {
        let text = Self::bounded(text)?;
        if visible::is_disguised(text) {
            return Err(InvalidText::Disguise);
        }
        if !visible::has_letter_or_digit(text) {
            return Err(InvalidText::Blank);
        }
        Ok(Self(text.to_owned()))
    }

    /// Checks the length alone.
    fn bounded(text: &str) -> Result<&str, InvalidText> {
        let text = text.trim();
        if text.is_empty() {
            return Err(InvalidText::Empty);
        }
        if text.chars().count() > MAX {
            return Err(InvalidText::Long { max: MAX });
        }
        Ok(text)
    }

    /// Returns the text that stands for an erased one.
    #[must_use]
    pub fn erased() -> Self {
        Self(ERASED.to_owned())
    }

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> fmt::Debug for DisplayText<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DisplayText({} characters)", self.0.chars().count())
    }
}

/// Reads a stored text, which was validated when it came. A later version of Unicode must not make it unreadable.
impl<'de, const MAX: usize> Deserialize<'de> for DisplayText<MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let text = Self::bounded(&text).map_err(serde::de::Error::custom)?;
        if text.chars().any(char::is_control) {
            return Err(serde::de::Error::custom(InvalidText::Disguise));
        }
        Ok(Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_could_disguise_an_amount_is_refused() {
        assert_eq!(DisplayText::<20>::new("pay \u{202E}05.24"), Err(InvalidText::Disguise));
        assert_eq!(DisplayText::<20>::new("a\u{0}b"), Err(InvalidText::Disguise));
        assert_eq!(DisplayText::<20>::new("   "), Err(InvalidText::Empty));
        for blank in ["\u{3164}", "\u{2800}\u{2800}", "\u{301}", "---", "!"] {
            assert!(DisplayText::<20>::new(blank).is_err(), "{blank:?}");
        }
        assert_eq!(DisplayText::<3>::new("four"), Err(InvalidText::Long { max: 3 }));
        assert_eq!(DisplayText::<20>::new(" Zoë's bill ").unwrap().as_str(), "Zoë's bill");
    }
}
