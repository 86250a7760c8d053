//! The alphabet of SMS (3GPP TS 23.038): what a text costs in one segment, and how to stay within it.

/// How many septets one segment holds.
pub(super) const SEGMENT: usize = 160;

const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?\
    ¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
const EXTENDED: &str = "^{}\\[~]|€";

/// How many septets a character takes; `None` for one that would turn the whole message into UCS-2 (70 characters).
pub(super) fn cost(c: char) -> Option<usize> {
    if BASIC.contains(c) {
        Some(1)
    } else if EXTENDED.contains(c) {
        Some(2)
    } else {
        None
    }
}

/// How many septets a text takes, if it can be written in them.
pub(super) fn septets(text: &str) -> Option<usize> {
    text.chars().map(cost).sum()
}

/// How many segments a text is sent as. A text of several leaves room in each for where it belongs: 153 septets, or 67
/// characters where one of them is not in the alphabet.
#[must_use]
pub fn segments(text: &str) -> usize {
    let (units, whole, part) = match septets(text) {
        Some(septets) => (septets, SEGMENT, 153),
        None => (text.encode_utf16().count(), 70, 67),
    };
    if units <= whole { 1 } else { units.div_ceil(part) }
}

/// Writes a text in the alphabet, dropping only accents and the shapes of quotes and dashes; `None` where that is not
/// enough. Never used on a payee, an amount or a link, which stay as they are.
pub(super) fn folded(text: &str) -> Option<String> {
    let mut folded = String::with_capacity(text.len());
    for c in text.chars() {
        match cost(c) {
            Some(_) => folded.push(c),
            None => folded.push_str(plain(c)?),
        }
    }
    Some(folded)
}

fn plain(c: char) -> Option<&'static str> {
    Some(match c {
        'á' | 'â' | 'ã' => "a",
        'Á' | 'À' | 'Â' | 'Ã' => "A",
        'ç' => "c",
        'ê' | 'ë' => "e",
        'È' | 'Ê' | 'Ë' => "E",
        'í' | 'î' | 'ï' => "i",
        'Í' | 'Ì' | 'Î' | 'Ï' => "I",
        'ó' | 'ô' | 'õ' => "o",
        'Ó' | 'Ò' | 'Ô' | 'Õ' => "O",
        'ú' | 'û' => "u",
        'Ú' | 'Ù' | 'Û' => "U",
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
    fn a_text_costs_a_segment_or_parts_that_are_shorter_than_one() {
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
    fn only_accents_and_shapes_of_punctuation_are_folded() {
        assert_eq!(folded("Façade – “garçon”").as_deref(), Some("Facade - \"garcon\""));
        assert_eq!(folded("Größe").as_deref(), Some("Größe"));
        assert_eq!(folded("Счёт 4711"), None);
        assert!("áÁçêÈíÍóÓúÚœ‘“–…ºª".chars().all(|c| plain(c).and_then(septets).is_some()));
    }
}
