//! Text for customers: bounded, and free of characters that could disguise the payee or the amount.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

/// Text that is safe to display: 1 to `MAX` characters, trimmed, without control, bidi-override or invisible ones.
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
    /// The text holds a control, bidi-override or invisible character.
    #[error("the text holds a control or direction-changing character")]
    Disguise,
}

impl<const MAX: usize> DisplayText<MAX> {
    /// Validates a text.
    ///
    /// # Errors
    /// [`InvalidText`] with the rule that the text breaks.
    pub fn new(text: &str) -> Result<Self, InvalidText> {
        let text = text.trim();
        if text.is_empty() {
            return Err(InvalidText::Empty);
        }
        if text.chars().count() > MAX {
            return Err(InvalidText::Long { max: MAX });
        }
        if text.chars().any(disguises) {
            return Err(InvalidText::Disguise);
        }
        Ok(Self(text.to_owned()))
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

impl<'de, const MAX: usize> Deserialize<'de> for DisplayText<MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::new(&text).map_err(serde::de::Error::custom)
    }
}

fn disguises(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}')
        || matches!(c, '\u{FEFF}' | '\u{00AD}' | '\u{061C}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_could_disguise_an_amount_is_refused() {
        assert_eq!(DisplayText::<20>::new("pay \u{202E}05.24"), Err(InvalidText::Disguise));
        assert_eq!(DisplayText::<20>::new("a\u{0}b"), Err(InvalidText::Disguise));
        assert_eq!(DisplayText::<20>::new("   "), Err(InvalidText::Empty));
        assert_eq!(DisplayText::<3>::new("four"), Err(InvalidText::Long { max: 3 }));
        assert_eq!(DisplayText::<20>::new(" Zoë's bill ").unwrap().as_str(), "Zoë's bill");
    }
}
