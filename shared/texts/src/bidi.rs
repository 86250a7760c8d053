//! Keeps names, amounts and codes in order inside a text of the other direction.

use std::borrow::Cow;

use crate::TextLanguage;

/// The characters that begin and end an isolate whose direction is that of its first letter (UAX 9, 2.4).
const ISOLATE: [char; 2] = ['\u{2068}', '\u{2069}'];

/// Isolates a value in a text of a language, where either runs from right to left.
///
/// An isolate does not decide the direction of its paragraph. So a text that begins with a payee keeps its own.
/// A link is never isolated: phones would take the last character for a part of it.
///
/// UNVERIFIED: a phone without Unicode 6.3, of 2013, may draw boxes. Before going live, send a text in Arabic to an old phone.
pub(super) fn isolated(language: TextLanguage, value: &str) -> Cow<'_, str> {
    let [begin, end] = ISOLATE;
    if value.is_empty() || !(language.is_rtl() || value.chars().any(is_rtl)) {
        return Cow::Borrowed(value);
    }
    Cow::Owned(format!("{begin}{value}{end}"))
}

/// Returns whether a character is in a block of scripts from right to left.
const fn is_rtl(c: char) -> bool {
    matches!(c,
        '\u{0590}'..='\u{08FF}'
        | '\u{FB1D}'..='\u{FDFF}'
        | '\u{FE70}'..='\u{FEFF}'
        | '\u{10800}'..='\u{10FFF}'
        | '\u{1E800}'..='\u{1EFFF}')
}
