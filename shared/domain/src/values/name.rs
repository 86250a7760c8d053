//! Configured names: of brands, channels and processors.

use std::fmt;
use std::str::FromStr;

use super::json_text::text_in_json;

/// A text that is not a name: 1 to 32 of `a-z`, `0-9` and `-`, beginning with a letter.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a name is 1 to 32 of a-z, 0-9 and '-', beginning with a letter")]
pub struct InvalidName;

fn check(text: &str) -> Result<(), InvalidName> {
    let fits = text.len() <= 32
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if fits { Ok(()) } else { Err(InvalidName) }
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Returns the name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = InvalidName;

            fn from_str(text: &str) -> Result<Self, InvalidName> {
                check(text)?;
                Ok(Self(text.to_owned()))
            }
        }

        text_in_json!($name);
    )*};
}

names! {
    /// The name of a brand, part of its keys and URLs.
    BrandName;
    /// The name of a channel in a brand's settings, such as `sms`.
    ChannelName;
    /// The name of a processor in a brand's settings, such as `stripe`.
    ProcessorName;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_with_url_or_key_syntax_is_refused() {
        for bad in ["", "Acme", "a_b", "a/b", "a#b", "-a", "1a", &"a".repeat(33)] {
            assert_eq!(bad.parse::<BrandName>(), Err(InvalidName), "{bad}");
        }
        assert_eq!("acme-2".parse::<BrandName>().unwrap().as_str(), "acme-2");
    }
}
