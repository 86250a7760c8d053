//! The choice of a customer's language among ours, with the region for its formats.

use domain::values::language::Language;
use domain::values::money::Money;
use domain::values::time_zone::LocalTime;

use crate::bidi::isolated;
use crate::cldr::Formats;
use crate::page::PageTexts;
use crate::{PluralText, TextLanguage};

/// The most languages of a browser that are considered.
const ACCEPTED_MAX: usize = 16;

impl TextLanguage {
    /// Returns the nearest language: the customer's, else the brand's, else English.
    #[must_use]
    pub fn nearest(language: &Language, fallback: &Language) -> Self {
        Self::look_up(language).or_else(|| Self::look_up(fallback)).unwrap_or(Self::En)
    }

    /// Looks a tag up (RFC 4647, 3.4), with the scripts of Chinese, the two Portugueses, and languages under other codes.
    ///
    /// Cantonese and Mandarin are read as Chinese, both Norwegians as Bokmål, and Moldavian as Romanian.
    fn look_up(tag: &Language) -> Option<Self> {
        let region = tag.region().unwrap_or_default();
        match tag.primary() {
            "zh" | "cmn" | "yue" => {
                let traditional = match tag.script() {
                    Some(script) => script == "Hant",
                    None => tag.primary() == "yue" || ["TW", "HK", "MO"].contains(&region),
                };
                Some(if traditional { Self::ZhHant } else { Self::ZhHans })
            }
            "pt" if region == "BR" => Some(Self::PtBr),
            "iw" => Some(Self::He),
            "no" | "nn" => Some(Self::Nb),
            "mo" => Some(Self::Ro),
            primary => Self::ALL.into_iter().find(|language| language.tag() == primary),
        }
    }
}

/// A supported language, and how its numbers and dates are written in a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Locale {
    language: TextLanguage,
    /// `None` only where the tables lack a language, which a test excludes.
    formats: Option<Formats>,
}

impl Locale {
    /// Returns the locale of the nearest language, with the region of the tag that named it.
    #[must_use]
    pub fn nearest(language: &Language, fallback: &Language) -> Self {
        let tags = [language, fallback].into_iter();
        let mut found = tags.filter_map(|tag| Some((TextLanguage::look_up(tag)?, tag.region())));
        let (language, region) = found.next().unwrap_or((TextLanguage::En, None));
        let with_region = format!("{}-{}", language.tag(), region.unwrap_or_default());
        Self { language, formats: Formats::of(&[with_region.as_str(), language.tag()]) }
    }

    /// Returns the language.
    #[must_use]
    pub const fn language(&self) -> TextLanguage {
        self.language
    }

    /// Returns the texts of the consent page.
    #[must_use]
    pub const fn page(&self) -> &'static PageTexts {
        self.language.page()
    }

    /// Writes an amount with the marks, groups and digits of the locale, and the currency's code behind it.
    ///
    /// It has all decimals of the currency's minor unit. The code and its place are the same everywhere: symbols such as `$`
    /// are those of many currencies.
    #[must_use]
    pub fn amount(&self, money: Money) -> String {
        let plain = money.to_string();
        let (digits, code) = plain.split_once(' ').unwrap_or((&plain, ""));
        let number = self.formats.map_or_else(|| digits.to_owned(), |known| known.number(digits));
        format!("{number} {code}")
    }

    /// Writes an amount that keeps its order beside text from right to left, as [`Locale::amount`] does.
    #[must_use]
    pub fn isolated_amount(&self, money: Money) -> String {
        isolated(self.language, &self.amount(money)).into_owned()
    }

    /// Fills a counted text in the form and with the digits of a number.
    #[must_use]
    pub fn counted(&self, text: &PluralText, n: u64) -> String {
        let (_, form) = text.form(n);
        let plain = n.to_string();
        let digits = self
            .formats
            .map_or(plain.clone(), |known| plain.chars().map(|digit| known.digit(digit)).collect());
        form.replace("{n}", &digits)
    }

    /// Writes a time to the minute, with its zone's short name behind it.
    #[must_use]
    pub fn date_time(&self, at: &LocalTime) -> String {
        let known = self.formats.map(|known| known.date_time(at.minute));
        let minute = known.unwrap_or_else(|| at.minute.to_string());
        format!("{minute} {}", at.zone)
    }
}

/// Returns the first language of an `Accept-Language` header (RFC 9110, 12.5.4) that we have texts in.
#[must_use]
pub fn accepted(header: &str) -> Option<Language> {
    let ranges = header.split(',').take(ACCEPTED_MAX);
    let mut wanted: Vec<(u16, Language)> = ranges.filter_map(weighted).collect();
    // The sort is stable: of equal weights the first counts.
    wanted.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    wanted.into_iter().map(|(_, tag)| tag).find(|tag| TextLanguage::look_up(tag).is_some())
}

/// Reads a language range with its weight in thousandths; `None` without a language, and for one that is refused.
fn weighted(range: &str) -> Option<(u16, Language)> {
    let mut parts = range.split(';').map(str::trim);
    let tag = parts.next()?.parse().ok()?;
    let weight = match parts.next().map(|part| part.strip_prefix("q=").unwrap_or_default()) {
        None => 1000,
        Some(weight) => {
            let (whole, part) = weight.split_once('.').unwrap_or((weight, ""));
            if part.len() > 3 {
                return None;
            }
            format!("{whole}{part:0<3}").parse().ok().filter(|weight| *weight <= 1000)?
        }
    };
    (weight > 0).then_some((weight, tag))
}

#[cfg(test)]
mod tests;
