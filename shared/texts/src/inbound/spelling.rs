//! Folds the spellings of a word into one: case, accents, width, look-alike letters and repeated letters.

use unicode_normalization::UnicodeNormalization;

/// Returns the folded words of a text.
pub(super) fn tokens(text: &str) -> Vec<String> {
    let folded = fold(text);
    let mut tokens: Vec<String> =
        folded.split_whitespace().map(|token| squeeze(&unmix(token))).collect();
    tokens.dedup();
    joined(tokens)
}

/// Joins three or more single letters in a row: "S T O P", "s.t.o.p".
fn joined(tokens: Vec<String>) -> Vec<String> {
    let mut words: Vec<String> = Vec::with_capacity(tokens.len());
    let mut letters: Vec<String> = Vec::new();
    let is_letter = |token: &String| {
        let mut characters = token.chars();
        characters.next().is_some_and(char::is_alphabetic) && characters.next().is_none()
    };
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        if !is_letter(&token) {
            words.push(token);
            continue;
        }
        letters.push(token);
        if tokens.peek().is_none_or(|next| !is_letter(next)) {
            match letters.len() {
                0..=2 => words.append(&mut letters),
                _ => words.push(squeeze(&std::mem::take(&mut letters).concat())),
            }
        }
    }
    words
}

/// Lowers case, folds width and accents, drops apostrophes, and turns all but letters and digits into spaces.
fn fold(text: &str) -> String {
    let joined = without_apostrophes(text);
    let plain = joined.nfkd().flat_map(char::to_lowercase).nfkd().filter(|c| !is_mark(*c));
    plain
        .map(|c| if c.is_alphanumeric() || is_vowel_sign(c) { look_alike(c) } else { ' ' })
        .collect()
}

/// Drops apostrophes and what shows nothing. A French or Italian article before an apostrophe becomes a word.
fn without_apostrophes(text: &str) -> String {
    let mut joined = String::with_capacity(text.len());
    let mut word: (usize, char) = (0, ' ');
    for c in text.chars() {
        if shows_nothing(c) {
            continue;
        }
        if !is_apostrophe(c) {
            word = if c.is_alphabetic() { (word.0.saturating_add(1), c) } else { (0, ' ') };
            joined.push(c);
        } else if word.0 == 1 && "cdjlmnstCDJLMNST".contains(word.1) {
            word = (0, ' ');
            joined.push(' ');
        }
    }
    joined
}

const fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '\u{2018}' | '\u{2019}' | '\u{02BC}' | '`' | '\u{B4}')
}

/// Returns whether it is a character that shows nothing.
pub(super) const fn shows_nothing(c: char) -> bool {
    matches!(c, '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}'
        | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}')
}

/// Returns whether it is an accent, an Arabic vowel mark or the Arabic stretch, which people leave out.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36F}' | '\u{591}'..='\u{5C7}' | '\u{640}' | '\u{64B}'..='\u{65F}' | '\u{670}')
}

/// Returns whether it belongs to its word. Signs of Indic and Thai scripts and voicing marks of kana do.
fn is_vowel_sign(c: char) -> bool {
    matches!(c, '\u{900}'..='\u{DFF}' | '\u{E31}'..='\u{E4E}' | '\u{3099}' | '\u{309A}')
        && !matches!(c, '\u{964}' | '\u{965}')
}

/// Maps a letter that a keyboard writes in place of another's to that one.
const fn look_alike(c: char) -> char {
    match c {
        'ı' => 'i',
        'ς' => 'σ',
        'ی' | 'ى' => 'ي',
        'ک' => 'ك',
        'đ' => 'd',
        'ł' => 'l',
        'ø' => 'o',
        _ => c,
    }
}

/// Reads a word that mixes Latin letters with look-alikes as Latin: "ST0P", or with a Cyrillic "О".
fn unmix(token: &str) -> String {
    if !token.chars().any(|c| c.is_ascii_lowercase()) {
        return token.to_owned();
    }
    token.chars().map(latin).collect()
}

const fn latin(c: char) -> char {
    match c {
        'а' | 'α' => 'a',
        'в' => 'b',
        'с' => 'c',
        'е' | 'ε' => 'e',
        'н' => 'h',
        'і' | 'ι' | '1' => 'i',
        'к' | 'κ' => 'k',
        'м' => 'm',
        'о' | 'ο' | '0' => 'o',
        'р' | 'ρ' => 'p',
        'ѕ' | '5' | '$' => 's',
        'т' | 'τ' => 't',
        'х' | 'χ' => 'x',
        'у' => 'y',
        _ => c,
    }
}

/// Shortens each run of one letter to that letter: "STOPPP" is "stop".
pub(super) fn squeeze(token: &str) -> String {
    let mut letters: Vec<char> = token.chars().collect();
    letters.dedup();
    letters.into_iter().collect()
}

/// Returns whether two words differ by one letter that is wrong, missing, added or exchanged with its neighbour.
pub(super) fn differ_by_one(one: &[char], other: &[char]) -> bool {
    let (short, long) = if one.len() <= other.len() { (one, other) } else { (other, one) };
    let same = short.iter().zip(long).take_while(|(a, b)| a == b).count();
    let (Some(short), Some(long)) = (short.get(same..), long.get(same..)) else { return false };
    match (short, long) {
        ([], [_]) => true,
        ([a, b, rest @ ..], [c, d, others @ ..]) if a == d && b == c && rest == others => true,
        ([_, rest @ ..], [_, others @ ..]) if rest.len() == others.len() => rest == others,
        (rest, [_, others @ ..]) => rest == others,
        (_, []) => false,
    }
}

/// Normalises a text: lower case, single spaces, one kind of apostrophe, no punctuation at the ends of its words.
pub(super) fn plain(text: &str) -> String {
    let lower = text.to_lowercase().replace('’', "'");
    let words = lower.split_whitespace().map(|word| word.trim_matches(is_punctuation));
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

fn is_punctuation(c: char) -> bool {
    c.is_ascii_punctuation() || "¡…“”„‘‚«»‹›–—。！，".contains(c)
}
