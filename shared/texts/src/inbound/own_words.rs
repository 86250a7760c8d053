//! Finds the customer's own words in a text: without quotations, reactions to a message, and the phone's signature.
//!
//! Over SMS, a phone sends a reaction as a text that quotes the message. iOS writes `Liked “…”`.
//! Google Messages writes `👍 to “…”`. Source, read 2026-11-26: <https://github.com/quik-sms/quik/pull/533>.
//! The verbs of all languages are not listed anywhere, so the quotation marks alone decide.

use super::lexicon::Lexicon;
use super::sentences::is_picture;
use super::spelling;

/// The most characters that are read from the beginning of a text. `WhatsApp` takes 4,096 in one message.
const BEGINNING_MAX: usize = 3_072;
/// The most characters that are read from the end of a longer text.
const END_MAX: usize = 1_024;
/// The most words of a line that a phone's mail program adds.
const SIGNATURE_WORDS_MAX: usize = 8;
/// The devices and programs that name themselves below a text.
const DEVICES: [&str; 14] = [
    "iphone",
    "iphonea",
    "ipad",
    "android",
    "samsung",
    "galaxy",
    "outlook",
    "huawei",
    "xiaomi",
    "blackberry",
    "pixel",
    "gmail",
    "protonmail",
    "yahoo",
];

/// Returns the customer's own words; `None` for a reaction, or a text that only quotes.
pub(super) fn of(text: &str, lexicons: &[&Lexicon]) -> Option<String> {
    let text = without_signature(&capped(text));
    let parts = quotations(&text);
    if !parts.has_quotation() {
        return Some(text);
    }
    let outside = spelling::tokens(&parts.outside);
    let begins_with_picture = parts.outside.trim_start().chars().next().is_some_and(is_picture);
    let says = |lexicon: &&Lexicon| lexicon.is_quoting(&outside);
    if !begins_with_picture && lexicons.iter().any(says) {
        return Some(parts.unquoted);
    }
    (!outside.is_empty()).then_some(parts.outside)
}

/// Returns a text of bounded length: its beginning, and its end if it is longer. Characters that show nothing are dropped.
fn capped(text: &str) -> String {
    let visible = |c: &char| !spelling::shows_nothing(*c);
    let end = text.char_indices().rev().nth(END_MAX.saturating_sub(1)).map_or(0, |(at, _)| at);
    let beginning = text.char_indices().nth(BEGINNING_MAX).map_or(text.len(), |(at, _)| at);
    let (Some(first), Some(last)) = (text.get(..beginning), text.get(end.max(beginning)..)) else {
        return String::new();
    };
    let mut capped: String = first.chars().filter(visible).collect();
    if end > beginning {
        capped.push('\n');
    }
    capped.extend(last.chars().filter(visible));
    capped
}

/// Drops quoted lines, and everything from a signature on.
fn without_signature(text: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for line in text.lines() {
        let trimmed = line.trim();
        if trimmed.starts_with('>') {
            continue;
        }
        let begins_signature = trimmed == "--" || line == "-- " || trimmed == "___";
        if !kept.is_empty() && (begins_signature || is_device_line(trimmed)) {
            break;
        }
        if !trimmed.is_empty() {
            kept.push(line);
        }
    }
    kept.join("\n")
}

fn is_device_line(line: &str) -> bool {
    let words = spelling::tokens(line);
    words.len() <= SIGNATURE_WORDS_MAX
        && words.iter().any(|word| DEVICES.iter().any(|known| spelling::squeeze(known) == *word))
}

/// A text as its quotations and the rest.
struct Parts {
    outside: String,
    /// The text without its quotation marks.
    unquoted: String,
    quoted: usize,
}

impl Parts {
    const fn has_quotation(&self) -> bool {
        self.quoted > 0
    }
}

/// Separates what stands in quotation marks. Marks may be nested, and a reaction may cut the last one off.
fn quotations(text: &str) -> Parts {
    let characters: Vec<char> = text.chars().collect();
    let mut parts = Parts { outside: String::new(), unquoted: String::new(), quoted: 0 };
    let mut open: Vec<char> = Vec::new();
    let mut begin = 0;
    for (at, character) in characters.iter().copied().enumerate() {
        match mark_at(&characters, at, &open) {
            Some(Mark::Opens) => {
                if open.is_empty() {
                    begin = parts.outside.len();
                    parts.outside.push(' ');
                }
                open.push(character);
                parts.unquoted.push(' ');
            }
            Some(Mark::Closes) => {
                open.pop();
                parts.quoted = parts.quoted.saturating_add(usize::from(open.is_empty()));
                parts.unquoted.push(' ');
            }
            None => {
                parts.unquoted.push(character);
                if open.is_empty() {
                    parts.outside.push(character);
                }
            }
        }
    }
    let is_cut = text.trim_end().ends_with(['…', '.']) && begin > 0;
    match open.first() {
        // The mark never closes, so that it opened nothing, unless the quotation was cut off.
        Some(mark) if is_cut || is_directed(*mark) => parts.quoted = parts.quoted.saturating_add(1),
        Some(_) => return Parts { outside: text.to_owned(), unquoted: text.to_owned(), quoted: 0 },
        None => {}
    }
    parts
}

#[derive(Clone, Copy)]
enum Mark {
    Opens,
    Closes,
}

const fn is_directed(mark: char) -> bool {
    matches!(mark, '“' | '„' | '«' | '「' | '『' | '‹')
}

/// Reads a quotation mark. The same mark opens in one language and closes in another.
fn mark_at(characters: &[char], at: usize, open: &[char]) -> Option<Mark> {
    let get = |place: Option<usize>| place.and_then(|place| characters.get(place)).copied();
    let before = get(at.checked_sub(1));
    let next = get(at.checked_add(1));
    let is_space = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
    let top = open.last().copied();
    match get(Some(at))? {
        '„' | '‚' | '「' | '『' | '‹' => Some(Mark::Opens),
        '」' | '』' | '›' => top.map(|_| Mark::Closes),
        '“' if matches!(top, Some('„')) => Some(Mark::Closes),
        '“' => Some(Mark::Opens),
        '”' if top.is_some() => Some(Mark::Closes),
        '”' => Some(Mark::Opens),
        '«' if matches!(top, Some('»')) => Some(Mark::Closes),
        '«' => Some(Mark::Opens),
        '»' if top.is_some() => Some(Mark::Closes),
        '»' => Some(Mark::Opens),
        // A straight mark opens before a word and closes after one.
        '"' | '＂' if top.is_none() => Some(Mark::Opens),
        '"' | '＂' => {
            let opens = before.is_some_and(char::is_whitespace) && !is_space(next);
            Some(if opens { Mark::Opens } else { Mark::Closes })
        }
        // An apostrophe is no quotation mark, except around a whole quotation at the end of a text.
        '\'' | '‘' if top.is_none() => {
            let last = characters.iter().rfind(|c| !c.is_whitespace());
            let quotes = at > 0
                && before.is_some_and(char::is_whitespace)
                && !is_space(next)
                && matches!(last, Some('\'' | '’'));
            quotes.then_some(Mark::Opens)
        }
        '\'' | '’' if matches!(top, Some('\'' | '‘')) => {
            let is_last = characters.iter().skip(at.saturating_add(1)).all(|c| c.is_whitespace());
            is_last.then_some(Mark::Closes)
        }
        _ => None,
    }
}
