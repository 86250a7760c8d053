//! Tests of the tables.

use super::*;

fn number(locale: &str, plain: &str) -> String {
    Formats::of(&[locale]).unwrap().number(plain)
}

#[test]
fn tables_name_their_source() {
    for table in [FORMATS, MONTHS, include_str!("plurals.tsv")] {
        let mut header = table.lines().skip(1);
        assert!(
            header.next().unwrap().starts_with("# Source: Unicode CLDR 48.2.0, read 2026-11-26.")
        );
    }
}

#[test]
fn every_row_of_the_tables_can_be_used() {
    let noon = CalendarMinute { year: 2026, month: 12, day: 31, hour: 12, minute: 5 };
    let rows = FORMATS.lines().filter(|line| !line.starts_with('#'));
    let tags: Vec<&str> = rows.flat_map(|row| row.split('\t').next().unwrap().split(' ')).collect();
    assert!(tags.len() > 250, "{}", tags.len());
    for tag in tags {
        let formats = Formats::of(&[tag]).unwrap();
        let shown = formats.date_time(noon);
        let letters = ["MMM", "y", "HH", "mm", "{", "'", "_", "~", "^"];
        assert!(!letters.iter().any(|left| shown.contains(left)), "{tag}: {shown}");
        assert!(shown.chars().filter(|c| c.is_numeric()).count() >= 9, "{tag}: {shown}");
        let number = formats.number("1234567.891");
        assert_eq!(number.chars().filter(|c| c.is_numeric()).count(), 10, "{tag}: {number}");
        assert!(!number.contains(['_', '~', '^']), "{tag}: {number}");
    }
}

#[test]
fn groups_follow_the_size_and_the_least_digits() {
    assert_eq!(number("en", "999.50"), "999.50");
    assert_eq!(number("en", "1000"), "1,000");
    assert_eq!(number("en-IN", "12345678.90"), "1,23,45,678.90");
    assert_eq!(number("es", "1234.56"), "1234,56");
    assert_eq!(number("es", "12345.67"), "12.345,67");
    assert_eq!(number("pl", "1234.56"), "1234,56");
    assert_eq!(number("pl", "12345.67"), "12\u{A0}345,67");
    assert_eq!(number("ar-EG", "1234.5"), "١٬٢٣٤٫٥");
}

#[test]
fn dates_and_times_read_as_their_locale_writes_them() {
    let shown = |tag: &str, hour| {
        let at = CalendarMinute { year: 2026, month: 11, day: 6, hour, minute: 4 };
        Formats::of(&[tag]).unwrap().date_time(at)
    };
    for (tag, expected) in [
        ("en", "Nov 6, 2026, 3:04\u{202F}PM"),
        ("en-GB", "6 Nov 2026, 15:04"),
        ("de", "06.11.2026, 15:04"),
        ("es-MX", "6 nov 2026, 3:04\u{202F}p.m."),
        ("fr-CA", "6 nov. 2026, 15 h 04"),
        ("pt-BR", "6 de nov. de 2026, 15:04"),
        ("fi", "6.11.2026 klo 15.04"),
        ("ar-EG", "٠٦\u{200F}/١١\u{200F}/٢٠٢٦، ٣:٠٤ م"),
        ("ar-MA", "06\u{200F}/11\u{200F}/2026، 15:04"),
        ("he", "6 בנוב׳ 2026, 15:04"),
        ("ja", "2026/11/06 15:04"),
        ("ko", "2026. 11. 6. 오후 3:04"),
        ("zh-Hant", "2026年11月6日 下午3:04"),
        ("uk", "6 лист. 2026\u{202F}р., 15:04"),
    ] {
        assert_eq!(shown(tag, 15), expected, "{tag}");
    }
    assert_eq!(shown("en", 0), "Nov 6, 2026, 12:04\u{202F}AM");
    assert_eq!(shown("en", 12), "Nov 6, 2026, 12:04\u{202F}PM");
}
