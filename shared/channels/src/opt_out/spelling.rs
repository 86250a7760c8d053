//! Folds the spellings of a word into one: case, accents, width, look-alike letters and repeated letters.

use unicode_normalization::UnicodeNormalization;

/// Returns the folded words of a text.
pub(super) fn tokens(text: &str) -> Vec<String> {
    let folded = fold(text);
    let mut tokens: Vec<String> =
        folded.split_whitespace().map(|token| squeeze(&unmix(token))).collect();
    // "S T O P", "s.t.o.p"
    if tokens.len() > 2 && tokens.iter().all(|token| token.chars().count() == 1) {
        tokens = vec![squeeze(&tokens.concat())];
    }
    tokens.dedup();
    tokens
}

/// Lowers case, folds width and accents, drops apostrophes, and turns all but letters and digits into spaces.
fn fold(text: &str) -> String {
    let joined = text.chars().filter(|c| !is_invisible(*c));
    let plain = joined.nfkd().flat_map(char::to_lowercase).nfkd().filter(|c| !is_mark(*c));
    plain
        .map(|c| if c.is_alphanumeric() || is_vowel_sign(c) { look_alike(c) } else { ' ' })
        .collect()
}

/// Whether it is an apostrophe, or a character that shows nothing.
fn is_invisible(c: char) -> bool {
    matches!(c, '\'' | '\u{2018}' | '\u{2019}' | '\u{02BC}' | '`' | '\u{B4}')
        || matches!(c, '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{2060}'..='\u{2064}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}')
}

/// Whether it is an accent, an Arabic vowel mark or the Arabic stretch, which people leave out.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36F}' | '\u{591}'..='\u{5C7}' | '\u{640}' | '\u{64B}'..='\u{65F}' | '\u{670}')
}

/// Whether it belongs to its word: a sign of an Indic or Thai script, or a voicing mark of kana.
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
