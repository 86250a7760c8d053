//! Countries, by their codes of ISO 3166-1 alpha-2.

use std::fmt;
use std::str::FromStr;

use super::json_text::text_in_json;

/// A country's code, such as `DE`.
#[derive(Clone, PartialEq, Eq)]
pub struct Country(String);

/// A text that is not a country's code.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a country is two capital letters, such as DE")]
pub struct InvalidCountry;

impl FromStr for Country {
    type Err = InvalidCountry;

    fn from_str(text: &str) -> Result<Self, InvalidCountry> {
        let is_code = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase());
        if is_code { Ok(Self(text.to_owned())) } else { Err(InvalidCountry) }
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_in_json!(Country);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn country_is_two_capital_letters() {
        assert_eq!(format!("{:?}", "DE".parse::<Country>().unwrap()), "DE");
        for wrong in ["", "de", "DEU", "D1", "ÄÖ"] {
            assert_eq!(wrong.parse::<Country>(), Err(InvalidCountry), "{wrong}");
        }
    }
}
