//! Tests of the negotiation, and of amounts by region.

use super::*;

fn tag(text: &str) -> Language {
    text.parse().unwrap()
}

fn nearest(language: &str, fallback: &str) -> &'static str {
    TextLanguage::nearest(&tag(language), &tag(fallback)).tag()
}

#[test]
fn nearest_language_is_customers_then_brands_then_english() {
    for (language, fallback, expected) in [
        ("de-CH-1996", "fr", "de"),
        ("es-419", "fr", "es"),
        ("lb", "fr-BE", "fr"),
        ("lb", "sw", "en"),
        ("den", "sw", "en"),
        ("zh-TW", "en", "zh-Hant"),
        ("zh-HK", "en", "zh-Hant"),
        ("zh-MO", "en", "zh-Hant"),
        ("yue-HK", "en", "zh-Hant"),
        ("zh-Hans-HK", "en", "zh-Hans"),
        ("zh-Hant-CN", "en", "zh-Hant"),
        ("zh", "en", "zh-Hans"),
        ("zh-SG", "en", "zh-Hans"),
        ("cmn-CN", "en", "zh-Hans"),
        ("no", "en", "nb"),
        ("nn-NO", "en", "nb"),
        ("nb-NO", "en", "nb"),
        ("pt-AO", "en", "pt"),
        ("pt-PT", "en", "pt"),
        ("pt", "en", "pt"),
        ("pt-BR", "en", "pt-BR"),
        ("iw-IL", "en", "he"),
        ("ar-MA", "en", "ar"),
        ("mo", "en", "ro"),
    ] {
        assert_eq!(nearest(language, fallback), expected, "{language}, {fallback}");
    }
}

#[test]
fn amount_is_written_as_in_the_customers_region() {
    let shown = |language: &str, minor, currency: &str| {
        let money = Money::new(minor, currency.parse().unwrap()).unwrap();
        Locale::nearest(&tag(language), &tag("en")).amount(money)
    };
    for (language, minor, currency, expected) in [
        ("en-GB", 4250, "EUR", "42.50 EUR"),
        ("en", 87_654_321, "EUR", "876,543.21 EUR"),
        ("en-IN", 1_234_567_890, "INR", "1,23,45,678.90 INR"),
        ("hi", 1_234_567_890, "INR", "1,23,45,678.90 INR"),
        ("en-ZA", 123_456, "ZAR", "1\u{A0}234,56 ZAR"),
        ("es-MX", 123_456, "USD", "1,234.56 USD"),
        ("es-ES", 123_456, "USD", "1234,56 USD"),
        ("es-ES", 1_234_567, "USD", "12.345,67 USD"),
        ("es-AR", 123_456, "ARS", "1.234,56 ARS"),
        ("de", 123_456, "EUR", "1.234,56 EUR"),
        ("de-AT", 123_456, "EUR", "1.234,56 EUR"),
        ("de-CH", 123_456, "CHF", "1'234.56 CHF"),
        ("fr", 123_456, "EUR", "1\u{202F}234,56 EUR"),
        ("fr-CH", 123_456, "CHF", "1'234.56 CHF"),
        ("fr-CA", 123_456, "CAD", "1\u{A0}234,56 CAD"),
        ("pt-BR", 123_456, "BRL", "1.234,56 BRL"),
        ("pt", 123_456, "EUR", "1234,56 EUR"),
        ("pt", 1_234_567, "EUR", "12\u{A0}345,67 EUR"),
        ("pt-AO", 123_456, "AOA", "1\u{A0}234,56 AOA"),
        ("ar-EG", 123_456, "EGP", "١٬٢٣٤٫٥٦ EGP"),
        ("ar-MA", 123_456, "MAD", "1.234,56 MAD"),
        ("he", 123_456, "ILS", "1,234.56 ILS"),
        ("ja", 123_456, "JPY", "123,456 JPY"),
        ("pl", 123_456, "PLN", "1234,56 PLN"),
        ("zh-TW", 123_456, "TWD", "1,234.56 TWD"),
        // A region that the language's table lacks has the language's own format.
        ("de-US", 123_456, "USD", "1.234,56 USD"),
    ] {
        assert_eq!(shown(language, minor, currency), expected, "{language}");
    }
}

#[test]
fn amount_has_all_decimals_of_its_currency_in_every_language() {
    let english = tag("en");
    for language in TextLanguage::ALL {
        let locale = Locale::nearest(&tag(language.tag()), &english);
        let digits = |minor, currency: &str| {
            let shown = locale.amount(Money::new(minor, currency.parse().unwrap()).unwrap());
            let (number, code) = shown.rsplit_once(' ').unwrap();
            assert_eq!(code, currency);
            let marks = number.chars().filter(|c| !c.is_numeric());
            let last: Vec<char> = marks.collect();
            (number.chars().filter(|c| c.is_numeric()).count(), last.len())
        };
        assert_eq!(digits(12_345, "KWD"), (5, 1), "12.345 dinars have one mark, {language:?}");
        assert_eq!(digits(123, "JPY"), (3, 0), "yen have no decimals, {language:?}");
    }
    // Twelve dinars and a third must not read as twelve thousand.
    for (language, expected) in
        [("es-MX", "12.345 KWD"), ("es-ES", "12,345 KWD"), ("de", "12,345 KWD")]
    {
        let money = Money::new(12_345, "KWD".parse().unwrap()).unwrap();
        assert_eq!(Locale::nearest(&tag(language), &english).amount(money), expected);
    }
}

#[test]
fn amount_beside_text_from_right_to_left_is_isolated() {
    let money = Money::new(4250, "EUR".parse().unwrap()).unwrap();
    let shown = |language: &str| Locale::nearest(&tag(language), &tag("en")).isolated_amount(money);
    assert_eq!(shown("he"), "\u{2068}42.50 EUR\u{2069}");
    assert_eq!(shown("de"), "42,50 EUR");
}

#[test]
fn every_language_has_formats() {
    for language in TextLanguage::ALL {
        let locale = Locale::nearest(&tag(language.tag()), &tag("en"));
        assert_eq!(locale.language(), language);
        assert!(locale.formats.is_some(), "{language:?}");
    }
}

#[test]
fn accepted_language_is_the_browsers_first_that_is_ours() {
    for (header, expected) in [
        ("de-CH,de;q=0.9,en;q=0.8", Some("de-CH")),
        ("lb, fr-LU;q=0.8, en;q=0.9", Some("en")),
        ("sw;q=0.9, zh-TW;q=0.5, *;q=0.1", Some("zh-TW")),
        ("en;q=0, fr", Some("fr")),
        ("en;q=0.0", None),
        ("*", None),
        ("", None),
        ("de;q=2, fr;q=0.1", Some("fr")),
        ("de;q=x, fr;q=0.1", Some("fr")),
        ("de ; q=0.2 , fr;q=0.3", Some("fr")),
        ("x-klingon, tlh", None),
    ] {
        let found = accepted(header);
        assert_eq!(found.as_ref().map(Language::as_str), expected, "{header}");
    }
}

#[test]
fn counted_text_has_the_digits_of_the_region() {
    let counted = PluralText::Same { other: "{n}!" };
    let shown = |language: &str| Locale::nearest(&tag(language), &tag("en")).counted(&counted, 15);
    assert_eq!(shown("ar-EG"), "١٥!");
    assert_eq!(shown("ar-MA"), "15!");
}
