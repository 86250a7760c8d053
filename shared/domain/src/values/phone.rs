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
    /// Returns the number of an erased customer: an empty text, which no channel reaches.
    #[must_use]
    pub const fn erased() -> Self {
        Self(String::new())
    }

    /// Returns whether it is that of an erased customer.
    #[must_use]
    pub const fn is_erased(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the number, for a channel's call.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the other spellings under which a provider may report this number.
    ///
    /// Mexico and Argentina once wrote a digit before the area code of a mobile. Brazil added a ninth digit behind it.
    /// WhatsApp's ids still have the older form. One spelling never belongs to another customer than the other.
    ///
    /// Source: <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages>, read
    /// 2026-11-26, on ids that differ from numbers. UNVERIFIED: the three plans are from memory. Before going live in one
    /// of these countries, send to a mobile there, and compare `contacts[].wa_id` in the answer.
    #[must_use]
    pub fn variants(&self) -> Vec<Self> {
        let text = self.0.as_str();
        let with = |variant: String| vec![Self(variant)];
        let moved = |country: &str, digit: &str| {
            let rest = text.strip_prefix(country)?;
            match (rest.len(), rest.strip_prefix(digit)) {
                (11, Some(national)) => Some(with(format!("{country}{national}"))),
                (10, _) => Some(with(format!("{country}{digit}{rest}"))),
                _ => None,
            }
        };
        let brazil = || {
            let (area, rest) = text.strip_prefix("+55")?.split_at_checked(2)?;
            let is_mobile = |local: &str| local.starts_with(['6', '7', '8', '9']);
            match (rest.len(), rest.strip_prefix('9')) {
                (9, Some(local)) if is_mobile(local) => Some(with(format!("+55{area}{local}"))),
                (8, _) if is_mobile(rest) => Some(with(format!("+55{area}9{rest}"))),
                _ => None,
            }
        };
        moved("+52", "1").or_else(|| moved("+54", "9")).or_else(brazil).unwrap_or_default()
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
        if text.is_empty() {
            return Ok(Self::erased());
        }
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
    fn phone_variant_is_the_same_mobile_in_another_spelling() {
        for (one, other) in [
            ("+525512345678", "+5215512345678"),
            ("+541123456789", "+5491123456789"),
            ("+551187654321", "+5511987654321"),
        ] {
            let [one, other] = [one, other].map(|text| text.parse::<Phone>().unwrap());
            assert_eq!((one.variants(), other.variants()), (vec![other], vec![one]));
        }
        // A landline of Brazil, other lengths, other countries.
        for none in ["+551132654321", "+55113265432", "+52551234567", "+15551230001", "+5491"] {
            let Ok(phone) = none.parse::<Phone>() else { continue };
            assert_eq!(phone.variants(), [], "{none}");
        }
    }

    #[test]
    fn erased_phone_is_stored_empty_and_shows_no_digit() {
        let erased: Phone = serde_json::from_str("\"\"").unwrap();
        assert_eq!(erased, Phone::erased());
        assert_eq!(serde_json::to_string(&erased).unwrap(), "\"\"");
        assert_eq!(erased.masked(), "•••••");
        assert_eq!("".parse::<Phone>(), Err(InvalidPhone), "no requester sends it");
    }

    #[test]
    fn phone_debug_shows_the_mask_only() {
        let phone: Phone = "+15551230001".parse().unwrap();
        assert_eq!(phone.masked(), "+1•••••0001");
        assert!(!format!("{phone:?}").contains("0001"));
    }
}
