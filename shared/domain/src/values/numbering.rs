//! The world's numbering: which country codes are assigned, and which numbers belong to services.
//!
//! The table is written by `shared/domain/numbering.py` from libphonenumber's data.

use super::phone::Phone;

const TABLE: &str = include_str!("numbering.txt");
/// The digits of a number of North America, without its country code.
const NORTH_AMERICA_DIGITS: usize = 10;

/// The facts of the numbering plan about a phone number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NumberFacts {
    /// The country: ISO 3166-1 alpha-2, or `001` for services without a country.
    pub region: &'static str,
    /// Whether it is a number of a service or a satellite, and of no person: premium rate, freephone, voicemail.
    pub is_service: bool,
}

/// A number that no subscriber can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnassignedNumber {
    /// The country code is assigned to no country or service.
    #[error("no country or service has this country code")]
    CountryCode,
    /// A zero follows the country code of a country whose numbers have none there.
    #[error("this country has no zero behind its country code; leave the zero out")]
    TrunkZero,
    /// The number has no area code that North America uses, or not ten digits.
    #[error("a number of country code 1 has ten digits, the first of them 2 to 9")]
    AreaCode,
}

/// Returns what the numbering plan says of a number.
///
/// # Errors
/// [`UnassignedNumber`] when no subscriber can have it.
pub fn number_facts(phone: &Phone) -> Result<NumberFacts, UnassignedNumber> {
    let digits = phone.as_str().trim_start_matches('+');
    let rows = TABLE.lines().filter(|line| !line.starts_with('#'));
    // No country code is the beginning of another.
    let row = rows.filter_map(|row| {
        let mut fields = row.split(' ');
        let national = digits.strip_prefix(fields.next()?)?;
        Some((national, fields))
    });
    let Some((national, mut fields)) = row.into_iter().next() else {
        return Err(UnassignedNumber::CountryCode);
    };
    let (Some(main), Some(zero)) = (fields.next(), fields.next()) else {
        return Err(UnassignedNumber::CountryCode);
    };
    if main == "001" {
        return Ok(NumberFacts { region: main, is_service: true });
    }
    let has_area_code = national.starts_with(|c: char| ('2'..='9').contains(&c));
    if main == "US" && !(has_area_code && national.len() == NORTH_AMERICA_DIGITS) {
        return Err(UnassignedNumber::AreaCode);
    }
    if national.starts_with('0') && zero != "0" {
        return Err(UnassignedNumber::TrunkZero);
    }
    let mut facts = NumberFacts { region: main, is_service: false };
    for field in fields {
        if let Some(prefix) = field.strip_prefix('-') {
            facts.is_service |= national.starts_with(prefix);
        } else if let Some((prefix, region)) = field.split_once('=')
            && national.starts_with(prefix)
        {
            facts.region = region;
        }
    }
    Ok(facts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::unwrap_in_result, reason = "a text that is no number fails the test")]
    fn facts(text: &str) -> Result<NumberFacts, UnassignedNumber> {
        number_facts(&text.parse().unwrap())
    }

    #[test]
    fn number_that_no_subscriber_has_is_refused() {
        use UnassignedNumber::{AreaCode, CountryCode, TrunkZero};
        for (text, error) in [
            ("+4402079460000", TrunkZero),
            ("+49030123456", TrunkZero),
            ("+330123456789", TrunkZero),
            ("+999123456789", CountryCode),
            ("+210123456789", CountryCode),
            ("+10000000000", AreaCode),
            ("+15551230", AreaCode),
            ("+155512300011", AreaCode),
        ] {
            assert_eq!(facts(text), Err(error), "{text}");
        }
    }

    #[test]
    fn numbers_of_people_have_their_country() {
        for (text, region) in [
            ("+390612345678", "IT"),
            ("+2250123456789", "CI"),
            ("+15551230001", "US"),
            ("+12045550100", "CA"),
            ("+18765550100", "JM"),
            ("+442079460000", "GB"),
            ("+447400123456", "GB"),
            ("+4915112345678", "DE"),
            ("+34600123456", "ES"),
            ("+33612345678", "FR"),
            ("+5351234567", "CU"),
            ("+77011234567", "KZ"),
            ("+79111234567", "RU"),
            ("+919812345678", "IN"),
            ("+5511961234567", "BR"),
            ("+5215512345678", "MX"),
        ] {
            assert_eq!(facts(text), Ok(NumberFacts { region, is_service: false }), "{text}");
        }
    }

    #[test]
    fn numbers_of_services_are_told_apart() {
        for (text, region) in [
            ("+9791234567", "001"),
            ("+88213123456", "001"),
            ("+88216123456789", "001"),
            ("+881612345678", "001"),
            ("+8881234567", "001"),
            ("+870773111632", "001"),
            ("+80012345678", "001"),
            ("+19005550100", "US"),
            ("+18005550100", "US"),
            ("+449098790000", "GB"),
            ("+447012345678", "GB"),
            ("+37190000000", "LV"),
            ("+499001234567", "DE"),
            ("+33891234567", "FR"),
        ] {
            assert_eq!(facts(text), Ok(NumberFacts { region, is_service: true }), "{text}");
        }
    }
}
