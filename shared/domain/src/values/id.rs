//! Identifiers: each carries its kind in its text, and is never guessed from a count.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use ulid::Ulid;

use super::time::Timestamp;

/// Why a text is not an identifier of the kind asked for.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidId {
    /// The text does not begin with the kind's prefix.
    #[error("an id of this kind begins with {expected}")]
    Prefix {
        /// The prefix of the kind.
        expected: &'static str,
    },
    /// What follows the prefix is not 26 characters of Crockford's base 32.
    #[error("the part behind the prefix is not an identifier")]
    Body,
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident $prefix:literal $($placed:ident)?;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Ulid);

        impl $name {
            /// What every identifier of this kind begins with.
            pub const PREFIX: &'static str = $prefix;

            /// Makes an identifier from the time and ten bytes of randomness.
            #[must_use]
            pub fn new(at: Timestamp, random: [u8; 10]) -> Self {
                $(let random = $placed(random);)?
                Self(from_parts(at, random))
            }

            /// The identifier's sixteen bytes.
            #[must_use]
            pub const fn to_bytes(self) -> [u8; 16] {
                self.0.to_bytes()
            }

            /// The identifier of these bytes.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Ulid::from_bytes(bytes))
            }

            /// When it was made.
            #[must_use]
            pub fn made_at(self) -> Timestamp {
                Timestamp::from_millis(i64::try_from(self.0.timestamp_ms()).unwrap_or(i64::MAX))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let body = text.strip_prefix($prefix).ok_or(InvalidId::Prefix { expected: $prefix })?;
                let Ok(id) = Ulid::from_string(body) else { return Err(InvalidId::Body) };
                // One identifier has one text: lower case and aliases (`i`, `l`, `o`) are refused.
                if id.to_string() == body { Ok(Self(id)) } else { Err(InvalidId::Body) }
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

/// The bits of a version 7 UUID (RFC 9562, section 5.7) have fixed places within the randomness, so that the identifier can
/// also be written as one, for providers that take nothing else.
const fn as_uuid(mut random: [u8; 10]) -> [u8; 10] {
    let [version, _, variant, ..] = &mut random;
    *version = (*version & 0x0f) | 0x70;
    *variant = (*variant & 0x3f) | 0x80;
    random
}

fn from_parts(at: Timestamp, random: [u8; 10]) -> Ulid {
    let millis = u64::try_from(at.as_millis()).unwrap_or(0);
    let mut wide = [0_u8; 16];
    for (to, from) in wide.iter_mut().skip(6).zip(random) {
        *to = from;
    }
    Ulid::from_parts(millis, u128::from_be_bytes(wide))
}

impl PromptId {
    /// The same identifier as a UUID: what providers that want one are given as the message's id.
    #[must_use]
    pub fn to_uuid(self) -> String {
        let text = format!("{:032x}", self.0.0);
        let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| text.get(part).unwrap_or(""));
        parts.join("-")
    }

    /// Reads what [`PromptId::to_uuid`] wrote, whatever the case a provider gives it back in.
    #[must_use]
    pub fn from_uuid(text: &str) -> Option<Self> {
        let placed = text.len() == 36
            && [8, 13, 18, 23].iter().all(|at| text.as_bytes().get(*at) == Some(&b'-'));
        let digits: String = text.chars().filter(|c| *c != '-').collect();
        let sound = placed && digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_hexdigit());
        sound.then(|| u128::from_str_radix(&digits, 16).ok().map(|id| Self(Ulid(id)))).flatten()
    }
}

ids! {
    /// Names one card on file.
    CardId "crd_";
    /// Names one consent.
    ConsentId "cns_";
    /// Names one notice; the `webhook-id` of every attempt to deliver it.
    WebhookEventId "ntc_";
    /// Names one prompt.
    PromptId "prm_" as_uuid;
    /// Names one request.
    RequestId "req_";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_is_also_a_uuid_of_version_7_and_comes_back_from_it() {
        for fill in [0, 0x55, 0xff] {
            let prompt = PromptId::new(Timestamp::from_millis(1_767_225_600_000), [fill; 10]);
            let uuid = prompt.to_uuid();
            assert_eq!(uuid.as_bytes()[14], b'7', "{uuid}");
            assert!(b"89ab".contains(&uuid.as_bytes()[19]), "{uuid}");
            assert_eq!(PromptId::from_uuid(&uuid), Some(prompt));
            assert_eq!(PromptId::from_uuid(&uuid.to_uppercase()), Some(prompt));
            assert_eq!(PromptId::from_bytes(prompt.to_bytes()), prompt);
        }
        for bad in [
            "",
            "019b76da-a800-7000-8000-00000000000",
            "019b76daa80070008000000000000000",
            "019b76da-a800-7000-8000-00000000000g",
            "+19b76da-a800-7000-8000-000000000000",
        ] {
            assert_eq!(PromptId::from_uuid(bad), None, "{bad}");
        }
    }

    #[test]
    fn an_id_of_another_kind_is_refused_by_its_prefix() {
        let prompt = PromptId::new(Timestamp::from_millis(1), [7; 10]).to_string();
        assert_eq!(prompt.parse::<RequestId>(), Err(InvalidId::Prefix { expected: "req_" }));
        assert!(prompt.parse::<PromptId>().is_ok());
        assert_eq!(prompt.to_lowercase().parse::<PromptId>(), Err(InvalidId::Body));
    }
}
