//! Phone numbers in E.164. They are personal data, so that neither `Debug` nor a log shows one.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A phone number in E.164: `+`, then 7 to 15 digits that do not begin with zero.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Phone(String);

/// A text that is not an E.164 number.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a phone number is E.164: '+', then 7 to 15 digits, the first not zero")]
pub struct InvalidPhone;

impl Phone {
    /// Returns the number, for a channel's call.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the masked number that requesters see: the first digit and the last four.
    #[must_use]
    pub fn masked(&self) -> String {
        let first: String = self.0.chars().take(2).collect();
        let count = self.0.chars().count();
        let last: String = self.0.chars().skip(count.saturating_sub(4)).collect();
        format!("{first}•••••{last}")
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Phone(…)")
    }
}

impl FromStr for Phone {
    type Err = InvalidPhone;

    fn from_str(text: &str) -> Result<Self, InvalidPhone> {
        let digits = text.strip_prefix('+').ok_or(InvalidPhone)?;
        let fits = (7..=15).contains(&digits.len())
            && digits.bytes().all(|b| b.is_ascii_digit())
            && !digits.starts_with('0');
        if fits { Ok(Self(text.to_owned())) } else { Err(InvalidPhone) }
    }
}

impl Serialize for Phone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Phone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phone_that_is_not_e164_is_refused() {
        for bad in
            ["15551230001", "+0555123000", "+123456", "+1234567890123456", "+1555abc0001", "+"]
        {
            assert_eq!(bad.parse::<Phone>(), Err(InvalidPhone), "{bad}");
        }
    }

    #[test]
    fn phone_debug_shows_the_mask_only() {
        let phone: Phone = "+15551230001".parse().unwrap();
        assert_eq!(phone.masked(), "+1•••••0001");
        assert!(!format!("{phone:?}").contains("0001"));
    }
}
