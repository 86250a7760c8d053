//! Reads whole texts that can only mean yes or no.

use super::lexicon::{Keyword, Lexicon};
use super::sentences::{Sentence, is_picture};
use super::spelling::plain;

/// The longest text that may be an answer, in bytes.
const ANSWER_MAX: usize = 64;

/// A whole text as an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Yes,
    No,
    /// It may be an answer of either kind, or asks.
    Ambiguous,
    None,
}

/// Reads a text in the first of the languages that knows it. An approval must be one of the listed texts exactly.
pub(super) fn answer(text: &str, sentences: &[Sentence], lexicons: &[&Lexicon]) -> Answer {
    if text.len() > ANSWER_MAX || text.contains(['?', '¿', '？', '؟']) {
        return Answer::None;
    }
    let said = plain(text);
    let words: Vec<String> = sentences.iter().flat_map(Sentence::words).collect();
    let is_no = |lexicon: &Lexicon| {
        !text.chars().any(is_doubtful)
            && lexicon.cover(&words, Keyword::No, &[]).is_some_and(|found| found)
    };
    for lexicon in lexicons {
        match (lexicon.yes.contains(&said), is_no(lexicon)) {
            (true, true) => return Answer::Ambiguous,
            (false, false) if lexicon.neither.contains(&said) => return Answer::Ambiguous,
            (true, false) => return Answer::Yes,
            (false, true) => return Answer::No,
            (false, false) => {}
        }
    }
    Answer::None
}

/// Returns whether it is a picture that does not deny.
const fn is_doubtful(c: char) -> bool {
    is_picture(c) && !matches!(c, '\u{1F44E}' | '\u{1F645}' | '\u{1F6AB}' | '\u{274C}' | '\u{270B}')
}
