//! Amounts as each language writes them, always with the currency's code.

use super::TextLanguage;
use domain::values::language::Language;
use domain::values::money::Money;

/// Writes an amount with the language's decimal mark and groups of three, such as `1.234,50 EUR` in German.
#[must_use]
pub fn amount(language: &Language, fallback: &Language, money: Money) -> String {
    // Only characters of the GSM alphabet.
    let (group, mark) = match TextLanguage::nearest(language, fallback) {
        TextLanguage::En => (',', '.'),
        TextLanguage::De | TextLanguage::Es => ('.', ','),
        TextLanguage::Fr => (' ', ','),
    };
    let plain = money.to_string();
    let (digits, code) = plain.split_once(' ').unwrap_or((&plain, ""));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let mut text = String::with_capacity(plain.len() + 4);
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place) % 3 == 0 {
            text.push(group);
        }
        text.push(digit);
    }
    if !part.is_empty() {
        text.push(mark);
        text.push_str(part);
    }
    format!("{text} {code}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amount_has_the_decimal_mark_of_each_language() {
        let shown = |language: &str, minor, currency: &str| {
            let money = Money::new(minor, currency.parse().unwrap()).unwrap();
            amount(&language.parse().unwrap(), &Language::default(), money)
        };
        assert_eq!(shown("en-GB", 4250, "EUR"), "42.50 EUR");
        assert_eq!(shown("en", 87_654_321, "EUR"), "876,543.21 EUR");
        assert_eq!(shown("de", 87_654_321, "EUR"), "876.543,21 EUR");
        assert_eq!(shown("fr", 87_654_321, "EUR"), "876 543,21 EUR");
        assert_eq!(shown("es-MX", 1_000, "JPY"), "1.000 JPY");
        assert_eq!(shown("ja", 4250, "KWD"), "4.250 KWD");
    }
}
