//! The GSM 7-bit alphabet of SMS (3GPP TS 23.038): the cost of a text, and how to stay within it.

/// The septets of one segment.
pub(super) const SEGMENT: usize = 160;

const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?\
    ¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
const EXTENDED: &str = "^{}\\[~]|€";

/// Returns the septets of a character; `None` for one that would turn the message into UCS-2 (70 characters).
pub(super) fn cost(c: char) -> Option<usize> {
    if BASIC.contains(c) {
        Some(1)
    } else if EXTENDED.contains(c) {
        Some(2)
    } else {
        None
    }
}

/// Returns the septets of a text; `None` where it needs UCS-2.
pub(super) fn septets(text: &str) -> Option<usize> {
    text.chars().map(cost).sum()
}

/// Returns the segments of a text.
///
/// Each of several segments has a header, which leaves 153 septets, or 67 characters in UCS-2.
#[must_use]
pub fn segments(text: &str) -> usize {
    let (units, whole, part) = match septets(text) {
        Some(septets) => (septets, SEGMENT, 153),
        None => (text.encode_utf16().count(), 70, 67),
    };
    if units <= whole { 1 } else { units.div_ceil(part) }
}

/// Writes a text in the alphabet, folding only accents, quotes and dashes; `None` where that is not enough.
///
/// A payee and a link are never folded, and of an amount only its spaces and apostrophes.
pub(super) fn folded(text: &str) -> Option<String> {
    let mut folded = String::with_capacity(text.len());
    for c in text.chars() {
        match cost(c) {
            Some(_) => folded.push(c),
            None => folded.push_str(folded_character(c)?),
        }
    }
    Some(folded)
}

/// Returns our words in the alphabet of text messages, where folding accents is enough for that.
pub(super) fn plain(text: &str) -> String {
    folded(text).unwrap_or_else(|| text.to_owned())
}

fn folded_character(c: char) -> Option<&'static str> {
    Some(match c {
        'á' | 'â' | 'ã' | 'ą' | 'ă' => "a",
        'Á' | 'À' | 'Â' | 'Ã' | 'Ą' | 'Ă' => "A",
        'ç' | 'ć' | 'č' => "c",
        'Ć' | 'Č' => "C",
        'ď' => "d",
        'Ď' => "D",
        'ê' | 'ë' | 'ę' | 'ě' => "e",
        'È' | 'Ê' | 'Ë' | 'Ę' | 'Ě' => "E",
        'ğ' => "g",
        'Ğ' => "G",
        'í' | 'î' | 'ï' | 'ı' => "i",
        'Í' | 'Ì' | 'Î' | 'Ï' | 'İ' => "I",
        'ł' => "l",
        'Ł' => "L",
        'ń' | 'ň' => "n",
        'Ń' | 'Ň' => "N",
        'ó' | 'ô' | 'õ' | 'ő' => "o",
        'Ó' | 'Ò' | 'Ô' | 'Õ' | 'Ő' => "O",
        'ř' => "r",
        'Ř' => "R",
        'ś' | 'š' | 'ş' | 'ș' => "s",
        'Ś' | 'Š' | 'Ş' | 'Ș' => "S",
        'ť' | 'ţ' | 'ț' => "t",
        'Ť' | 'Ţ' | 'Ț' => "T",
        'ú' | 'û' | 'ů' | 'ű' => "u",
        'Ú' | 'Ù' | 'Û' | 'Ů' | 'Ű' => "U",
        'ý' => "y",
        'Ý' => "Y",
        'ź' | 'ż' | 'ž' => "z",
        'Ź' | 'Ż' | 'Ž' => "Z",
        'œ' => "oe",
        '‘' | '’' | '‚' => "'",
        '“' | '”' | '„' | '«' | '»' => "\"",
        '–' | '—' | '‑' => "-",
        '…' => "...",
        'º' => "o",
        'ª' => "a",
        '\u{A0}' | '\u{202F}' => " ",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_alphabet_has_128_places_and_a_few_that_cost_two() {
        // 127 characters and the escape to the second table.
        assert_eq!(BASIC.chars().count(), 127);
        assert_eq!(septets("Zahlung: 5 €"), Some(13));
        assert_eq!(septets("naïve"), None);
        assert_eq!(septets("🙂"), None);
    }

    #[test]
    fn segments_of_long_texts_are_shorter() {
        for (text, expected) in [
            (String::new(), 1),
            ("a".repeat(160), 1),
            ("a".repeat(161), 2),
            ("a".repeat(306), 2),
            ("a".repeat(307), 3),
            ("€".repeat(80), 1),
            ("€".repeat(81), 2),
            ("я".repeat(70), 1),
            ("я".repeat(71), 2),
            ("🙂".repeat(35), 1),
            ("🙂".repeat(36), 2),
        ] {
            assert_eq!(segments(&text), expected, "{text}");
        }
    }

    #[test]
    fn fold_changes_accents_and_punctuation_only() {
        assert_eq!(folded("Façade – “garçon”").as_deref(), Some("Facade - \"garcon\""));
        assert_eq!(folded("Größe").as_deref(), Some("Größe"));
        assert_eq!(folded("Счёт 4711"), None);
        assert!(
            "áÁçêÈíÍóÓúÚœ‘“–…ºª".chars().all(|c| folded_character(c).and_then(septets).is_some())
        );
    }
}
