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
    ($($(#[$doc:meta])* $name:ident $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Ulid);

        impl $name {
            /// What every identifier of this kind begins with.
            pub const PREFIX: &'static str = $prefix;

            /// Makes an identifier from the time and ten bytes of randomness.
            #[must_use]
            pub fn new(at: Timestamp, random: [u8; 10]) -> Self {
                Self(from_parts(at, random))
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

fn from_parts(at: Timestamp, random: [u8; 10]) -> Ulid {
    let millis = u64::try_from(at.as_millis()).unwrap_or(0);
    let mut wide = [0_u8; 16];
    for (to, from) in wide.iter_mut().skip(6).zip(random) {
        *to = from;
    }
    Ulid::from_parts(millis, u128::from_be_bytes(wide))
}

ids! {
    /// Names one consent.
    ConsentId "cns_";
    /// Names one notice; the `webhook-id` of every attempt to deliver it.
    NoticeId "ntc_";
    /// Names one prompt.
    PromptId "prm_";
    /// Names one request.
    RequestId "req_";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_of_another_kind_is_refused_by_its_prefix() {
        let prompt = PromptId::new(Timestamp::from_millis(1), [7; 10]).to_string();
        assert_eq!(prompt.parse::<RequestId>(), Err(InvalidId::Prefix { expected: "req_" }));
        assert!(prompt.parse::<PromptId>().is_ok());
        assert_eq!(prompt.to_lowercase().parse::<PromptId>(), Err(InvalidId::Body));
    }
}
