//! Identifiers. Each carries its kind in its text, and none can be guessed from another.

use std::fmt;
use std::str::FromStr;

use ulid::Ulid;

use super::json_text::display_in_json;
use super::time::Timestamp;

/// A text that is not an identifier of the expected kind.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidId {
    /// The prefix of the kind is missing.
    #[error("an id of this kind begins with {expected}")]
    Prefix {
        /// The expected prefix.
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
            /// The prefix of every identifier of this kind.
            pub const PREFIX: &'static str = $prefix;

            /// Makes an identifier from the time and ten bytes of randomness.
            #[must_use]
            pub fn new(at: Timestamp, random: [u8; 10]) -> Self {
                $(let random = $placed(random);)?
                Self(from_parts(at, random))
            }

            /// Returns the identifier's 16 bytes.
            #[must_use]
            pub const fn to_bytes(self) -> [u8; 16] {
                self.0.to_bytes()
            }

            /// Makes the identifier of 16 bytes.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Ulid::from_bytes(bytes))
            }

            /// Returns when the identifier was made.
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

        display_in_json!($name);
    )*};
}

/// Sets the fixed bits of a version 7 UUID (RFC 9562, section 5.7) within the randomness.
///
/// The identifier can then also be written as a UUID, for providers that accept nothing else.
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
    /// Returns the identifier as a UUID, for providers that want one as the message's id.
    #[must_use]
    pub fn to_uuid(self) -> String {
        let text = format!("{:032x}", self.0.0);
        let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| text.get(part).unwrap_or(""));
        parts.join("-")
    }

    /// Parses a UUID of [`PromptId::to_uuid`], in upper or lower case.
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
    /// The id of a saved card.
    CardId "crd_";
    /// The id of a consent.
    ConsentId "cns_";
    /// The id of a webhook event: the `webhook-id` of every delivery attempt.
    WebhookEventId "evt_";
    /// The id of a prompt.
    PromptId "prm_" as_uuid;
    /// The id of a request.
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
    fn id_of_another_kind_is_refused_by_its_prefix() {
        let prompt = PromptId::new(Timestamp::from_millis(1), [7; 10]).to_string();
        assert_eq!(prompt.parse::<RequestId>(), Err(InvalidId::Prefix { expected: "req_" }));
        assert!(prompt.parse::<PromptId>().is_ok());
        assert_eq!(prompt.to_lowercase().parse::<PromptId>(), Err(InvalidId::Body));
    }
}
