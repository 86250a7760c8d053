//! Splits a text into sentences, and each sentence into the parts between commas.

use super::spelling;

/// A sentence, as folded words.
#[derive(Clone, Debug)]
pub(super) struct Sentence {
    /// The parts between commas, dashes, brackets and pictures; none is empty.
    pub(super) clauses: Vec<Vec<String>>,
}

impl Sentence {
    /// Returns the words of the whole sentence.
    pub(super) fn words(&self) -> Vec<String> {
        self.clauses.concat()
    }

    /// Returns the place at which the part of the sentence begins that has the word at `at`.
    pub(super) fn begin_of_clause(&self, at: usize) -> usize {
        let mut begin: usize = 0;
        for clause in &self.clauses {
            let end = begin.saturating_add(clause.len());
            if at < end {
                break;
            }
            begin = end;
        }
        begin
    }
}

/// The end of a piece of a text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Sentence,
    Clause,
}

/// Splits a text into its sentences. A sentence without a word is left out.
pub(super) fn split(text: &str) -> Vec<Sentence> {
    let spelled = spelling::tokens(text);
    if let [_] = spelled.as_slice() {
        return vec![Sentence { clauses: vec![spelled] }];
    }
    let mut sentences = Vec::new();
    let (mut clauses, mut piece) = (Vec::new(), String::new());
    let characters: Vec<char> = text.chars().collect();
    for (at, character) in characters.iter().enumerate() {
        let end = end_at(&characters, at);
        piece.push(if end.is_some() { ' ' } else { *character });
        if end.is_some() {
            push_clause(&mut clauses, &mut piece);
        }
        if end == Some(End::Sentence) && !clauses.is_empty() {
            sentences.push(Sentence { clauses: std::mem::take(&mut clauses) });
        }
    }
    push_clause(&mut clauses, &mut piece);
    if !clauses.is_empty() {
        sentences.push(Sentence { clauses });
    }
    sentences
}

fn push_clause(clauses: &mut Vec<Vec<String>>, piece: &mut String) {
    let words = spelling::tokens(piece);
    piece.clear();
    if !words.is_empty() {
        clauses.push(words);
    }
}

/// Returns what the character at a place ends, if anything.
fn end_at(characters: &[char], at: usize) -> Option<End> {
    let get = |place: Option<usize>| place.and_then(|place| characters.get(place)).copied();
    let (before, next) = (get(at.checked_sub(1)), get(at.checked_add(1)));
    let is_space = |c: Option<char>| c.is_none_or(char::is_whitespace);
    match get(Some(at))? {
        '\n' | '\r' | '!' | '?' | '…' | '。' | '！' | '？' | '；' | ';' | '؟' | '؛' | '।' | '۔'
        | '¡' | '¿' => Some(End::Sentence),
        // A full stop between letters belongs to a word: "s.t.o.p", "42.50". Before a capital it ends a sentence.
        '.' => {
            let two_letters = before.is_some_and(char::is_alphabetic)
                && get(at.checked_sub(2)).is_some_and(char::is_alphabetic);
            let ends = next.is_none_or(|c| !c.is_alphanumeric())
                || (two_letters && next.is_some_and(char::is_uppercase));
            ends.then_some(End::Sentence)
        }
        ',' | '，' | '、' | '،' | '(' | ')' | '[' | ']' | '—' | '–' | '|' | '/' | '•' => {
            Some(End::Clause)
        }
        ':' | '：' => is_space(next).then_some(End::Clause),
        '-' | '*' | '~' => (is_space(before) || is_space(next)).then_some(End::Clause),
        character => is_picture(character).then_some(End::Clause),
    }
}

/// Returns whether a character is an emoji or another symbol.
pub(super) const fn is_picture(c: char) -> bool {
    matches!(c, '\u{2190}'..='\u{2BFF}' | '\u{1F000}'..='\u{1FAFF}')
}
