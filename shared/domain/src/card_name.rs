//! The name of a card, as its holder reads it.

use serde::{Deserialize, Serialize};

use crate::processor_result::{CardReceipt, Receipt};

/// The brand of a card and its last digits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardName {
    /// The card's brand, such as `visa`; `None` where the processor does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brand: Option<String>,
    /// The card's last four digits; `None` where the processor does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last4: Option<String>,
}

impl CardName {
    /// Returns the name with dots for the hidden digits, such as `Visa •••• 4242`; `None` where neither part is known.
    ///
    /// ```
    /// use domain::card_name::CardName;
    ///
    /// let card = |brand: &str, last4: &str| CardName {
    ///     brand: Some(brand.to_owned()),
    ///     last4: (!last4.is_empty()).then(|| last4.to_owned()),
    /// };
    /// assert_eq!(card("visa", "4242").dotted().as_deref(), Some("Visa •••• 4242"));
    /// assert_eq!(card("amex", "").dotted().as_deref(), Some("American Express"));
    /// assert_eq!(card("jcb", "0505").plain().as_deref(), Some("JCB 0505"));
    /// assert_eq!(CardName { brand: None, last4: None }.dotted(), None);
    /// ```
    #[must_use]
    pub fn dotted(&self) -> Option<String> {
        self.joined(" •••• ", "•••• ")
    }

    /// Returns the name in letters that every text message has, such as `Visa 4242`; `None` where neither part is known.
    #[must_use]
    pub fn plain(&self) -> Option<String> {
        self.joined(" ", "")
    }

    fn joined(&self, between: &str, before: &str) -> Option<String> {
        match (self.brand.as_deref().map(brand_name), &self.last4) {
            (Some(brand), Some(last4)) => Some(format!("{brand}{between}{last4}")),
            (Some(brand), None) => Some(brand),
            (None, Some(last4)) => Some(format!("{before}{last4}")),
            (None, None) => None,
        }
    }
}

impl From<&Receipt> for CardName {
    fn from(receipt: &Receipt) -> Self {
        Self { brand: receipt.card_brand.clone(), last4: receipt.last4.clone() }
    }
}

impl From<&CardReceipt> for CardName {
    fn from(receipt: &CardReceipt) -> Self {
        Self { brand: receipt.card_brand.clone(), last4: receipt.last4.clone() }
    }
}

fn brand_name(word: &str) -> String {
    match word {
        "amex" => "American Express".to_owned(),
        "jcb" => "JCB".to_owned(),
        other => {
            let mut letters = other.chars();
            let first = letters.next().map(|letter| letter.to_uppercase().to_string());
            first.unwrap_or_default() + letters.as_str()
        }
    }
}
