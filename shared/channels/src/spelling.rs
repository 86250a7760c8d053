//! One spelling for the many a word is written in: case, accents, width, look-alikes and repeated letters fold away.

use unicode_normalization::UnicodeNormalization;

/// The words of a text, folded.
pub(crate) fn tokens(text: &str) -> Vec<String> {
    let folded = fold(text);
    let mut tokens: Vec<String> =
        folded.split_whitespace().map(|token| squeezed(&unmixed(token))).collect();
    // "S T O P", "s.t.o.p"
    if tokens.len() > 2 && tokens.iter().all(|token| token.chars().count() == 1) {
        tokens = vec![squeezed(&tokens.concat())];
    }
    tokens.dedup();
    tokens
}

/// Lower case, full width and accents folded, apostrophes gone, everything else that is no letter or digit a space.
fn fold(text: &str) -> String {
    let joined = text.chars().filter(|c| !is_silent(*c));
    let plain = joined.nfkd().flat_map(char::to_lowercase).nfkd().filter(|c| !is_mark(*c));
    plain.map(|c| if c.is_alphanumeric() || is_vowel_sign(c) { alike(c) } else { ' ' }).collect()
}

/// Apostrophes, and characters that show nothing.
fn is_silent(c: char) -> bool {
    matches!(c, '\'' | '\u{2018}' | '\u{2019}' | '\u{02BC}' | '`' | '\u{B4}')
        || matches!(c, '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{2060}'..='\u{2064}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}')
}

/// Accents, Arabic vowel marks and the Arabic stretch, which people leave out.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36F}' | '\u{591}'..='\u{5C7}' | '\u{640}' | '\u{64B}'..='\u{65F}' | '\u{670}')
}

/// Signs of Indic and Thai scripts, and the marks that voice kana, which belong to their word.
fn is_vowel_sign(c: char) -> bool {
    matches!(c, '\u{900}'..='\u{DFF}' | '\u{E31}'..='\u{E4E}' | '\u{3099}' | '\u{309A}')
        && !matches!(c, '\u{964}' | '\u{965}')
}

/// Letters that one keyboard writes for another's.
const fn alike(c: char) -> char {
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

/// A word that mixes Latin letters with look-alikes is read as Latin: "ST0P", or with a Cyrillic "О".
fn unmixed(token: &str) -> String {
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

/// Each run of one letter as that letter: "STOPPP" is "stop".
pub(crate) fn squeezed(token: &str) -> String {
    let mut letters: Vec<char> = token.chars().collect();
    letters.dedup();
    letters.into_iter().collect()
}
