//! Languages as BCP 47 tags, and the look-up of RFC 4647.

use std::fmt;
use std::str::FromStr;

use super::json_text::text_in_json;

/// A language tag of BCP 47 in canonical case, such as `en-GB`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Language(String);

/// A text that is not a language tag.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a language is a BCP 47 tag such as en-GB")]
pub struct InvalidLanguage;

impl Language {
    /// Returns the tag.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the first subtag, the language itself: `en` of `en-GB`.
    #[must_use]
    pub fn primary(&self) -> &str {
        self.0.split('-').next().unwrap_or_default()
    }

    /// Returns the script, such as `Hant` of `zh-Hant-TW`; `None` where the tag names none.
    #[must_use]
    pub fn script(&self) -> Option<&str> {
        self.before_extensions().find(|tag| tag.len() == 4 && starts_with_letter(tag))
    }

    /// Returns the region, such as `TW` of `zh-Hant-TW` or `419` of `es-419`; `None` where the tag names none.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        let is_number = |tag: &str| tag.len() == 3 && tag.bytes().all(|byte| byte.is_ascii_digit());
        self.before_extensions()
            .find(|tag| (tag.len() == 2 && starts_with_letter(tag)) || is_number(tag))
    }

    /// Returns the subtags behind the first, up to the extensions, which begin with a single letter.
    fn before_extensions(&self) -> impl Iterator<Item = &str> {
        self.0.split('-').skip(1).take_while(|tag| tag.len() > 1)
    }
}

fn starts_with_letter(tag: &str) -> bool {
    tag.starts_with(|c: char| c.is_ascii_alphabetic())
}

impl Default for Language {
    fn default() -> Self {
        Self("en".to_owned())
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Language {
    type Err = InvalidLanguage;

    fn from_str(text: &str) -> Result<Self, InvalidLanguage> {
        let mut tag = String::with_capacity(text.len());
        for (position, subtag) in text.split('-').enumerate() {
            let plain = (1..=8).contains(&subtag.len())
                && subtag.bytes().all(|b| b.is_ascii_alphanumeric());
            let leads = position > 0
                || ((2..=3).contains(&subtag.len())
                    && subtag.bytes().all(|b| b.is_ascii_alphabetic()));
            if !plain || !leads || text.len() > 35 {
                return Err(InvalidLanguage);
            }
            if position > 0 {
                tag.push('-');
            }
            tag.push_str(&canonical_case(position, subtag));
        }
        Ok(Self(tag))
    }
}

/// Writes a subtag in its canonical case: regions upper, scripts title, others lower (RFC 5646, 2.1.1).
fn canonical_case(position: usize, subtag: &str) -> String {
    match (position, subtag.len()) {
        (1.., 2) => subtag.to_ascii_uppercase(),
        (1.., 4) if subtag.starts_with(|c: char| c.is_ascii_alphabetic()) => {
            let (head, tail) = subtag.split_at(1);
            format!("{}{}", head.to_ascii_uppercase(), tail.to_ascii_lowercase())
        }
        _ => subtag.to_ascii_lowercase(),
    }
}

text_in_json!(Language);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn language_names_its_script_and_its_region() {
        for (tag, script, region) in [
            ("en", None, None),
            ("es-419", None, Some("419")),
            ("zh-hant-tw", Some("Hant"), Some("TW")),
            ("zh-yue-HK", None, Some("HK")),
            ("de-CH-1996", None, Some("CH")),
            ("ar-u-nu-latn", None, None),
        ] {
            let language: Language = tag.parse().unwrap();
            assert_eq!((language.script(), language.region()), (script, region), "{tag}");
        }
    }

    #[test]
    fn language_parse_gives_canonical_case_or_refuses() {
        assert_eq!("EN-gb".parse::<Language>().unwrap().as_str(), "en-GB");
        assert_eq!("zh-hANT-tw".parse::<Language>().unwrap().as_str(), "zh-Hant-TW");
        for bad in ["", "e", "english-language", "en_GB", "en-", "12"] {
            assert_eq!(bad.parse::<Language>(), Err(InvalidLanguage), "{bad}");
        }
    }
}
