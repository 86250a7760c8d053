//! The brand as customers see it beside its name: logo, colour, contact and legal links.
//!
//! Each rule is checked when the settings are read, so that a page never shows what it should not.

mod colour;
mod logo;
mod png;
mod svg;

use serde::{Deserialize, Deserializer};

pub use colour::{AccentColours, Colour};
pub use logo::{InvalidLogo, Logo, LogoFormat};

use crate::brand::Mode;
use crate::values::address;
use crate::values::phone::Phone;
use crate::values::text::DisplayText;

/// The most bytes of a link.
const LINK_MAX: usize = 300;

/// The settings `branding` of a brand.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Branding {
    /// The logo; `None` shows the name alone.
    pub logo: Option<Logo>,
    /// The colours of the main button; `None` keeps the page's own.
    pub accent: Option<AccentColours>,
    /// The phone number where customers ask questions.
    pub support_phone: Option<Phone>,
    /// The page where customers ask questions.
    pub support_url: Option<Link>,
    /// The brand's terms.
    pub terms_url: Option<Link>,
    /// The brand's privacy notice.
    pub privacy_url: Option<Link>,
    /// The name of a payment on the customer's statement.
    pub statement_descriptor: Option<StatementDescriptor>,
}

/// A public `https` page of the brand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link(String);

impl Link {
    /// Returns the address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the host, by which a page shows the link.
    #[must_use]
    pub fn host(&self) -> &str {
        let rest = self.0.split_once("://").map_or(self.as_str(), |(_, rest)| rest);
        rest.split(['/', '?']).next().unwrap_or(rest)
    }
}

impl<'de> Deserialize<'de> for Link {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.len() > LINK_MAX || !address::is_allowed(&text, Mode::Live) {
            return Err(serde::de::Error::custom(
                "a link is https, without credentials or fragment, in at most 300 characters",
            ));
        }
        Ok(Self(text))
    }
}

/// The name of a payment on a statement, in the form that card networks take.
///
/// Stripe wants 5 to 22 Latin characters with a letter among them, and none of `<>\'"*`
/// (<https://docs.stripe.com/get-started/account/statement-descriptors>, read 2026-11-26).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementDescriptor(String);

impl StatementDescriptor {
    /// Returns the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for StatementDescriptor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let is_printable = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        let fits = (5..=22).contains(&text.len())
            && is_printable
            && text.bytes().any(|byte| byte.is_ascii_alphabetic())
            && !text.contains(['<', '>', '\\', '\'', '"', '*'])
            && DisplayText::<22>::new(&text).is_ok();
        if !fits {
            return Err(serde::de::Error::custom(
                "a statement descriptor has 5 to 22 ASCII characters, a letter among them, and none of <>\\'\"*",
            ));
        }
        Ok(Self(text))
    }
}

#[cfg(test)]
mod tests;
