//! The rules on prose that can be counted, and where a source file breaks them.

mod counters;
pub(super) mod source;

use std::fmt;

use self::source::{Kind, Prose};

/// The words and phrases of rules 7 and 8, one a line.
const WORDS: &str = include_str!("words.txt");
/// Words that alone make no summary.
const EMPTY: [&str; 22] = [
    "a", "an", "by", "how", "its", "many", "much", "no", "such", "that", "the", "these", "this",
    "those", "what", "when", "where", "which", "who", "whose", "why", "yes",
];
const SENTENCE_WORDS_MAX: usize = 20;
const NAME_LENGTH_MAX: usize = 60;

/// A rule that a source file can break.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Rule {
    /// A word or phrase of rules 7 and 8 in a comment, a text or a function's name.
    Word,
    /// A mark such as M, S or O in brackets, in place of a source.
    Mark,
    /// A function's name of more than 60 characters.
    LongName,
    /// A summary that says no more than its item's name.
    EmptySummary,
    /// A sentence of more than 20 words.
    LongSentence,
    /// A sentence with more than one colon or semicolon.
    Joints,
}

impl Rule {
    pub(super) const ALL: [Self; 6] = [
        Self::Word,
        Self::Mark,
        Self::LongName,
        Self::EmptySummary,
        Self::LongSentence,
        Self::Joints,
    ];
}

/// One place that breaks a rule.
#[derive(Debug)]
pub(super) struct Offence {
    pub(super) rule: Rule,
    pub(super) line: usize,
    pub(super) excerpt: String,
}

impl fmt::Display for Offence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}: {}", self.line, self.rule, self.excerpt)
    }
}

type Words<'a> = &'a [(usize, String)];

fn joined(words: Words<'_>) -> String {
    let words: Vec<&str> = words.iter().map(|(_, word)| word.as_str()).collect();
    words.join(" ")
}

/// Splits words into their parts in lower case, so that a possessive and a snake-case name match too.
/// `None` keeps its capital, since the value is no phrase, and `Option::is_none` in a literal is code.
fn parts(words: Words<'_>) -> Vec<(usize, String)> {
    let mut parts = Vec::new();
    for (line, word) in words {
        let is_value = word.trim_matches(|c: char| !c.is_alphanumeric()) == "None";
        let word = word.replace("::is_none", "").replace(".is_none()", "");
        let lower = if is_value { word } else { word.to_lowercase() };
        let split = lower.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty());
        parts.extend(split.map(|part| (*line, part.to_owned())));
    }
    parts
}

fn banned_words(prose: &Prose) -> Vec<Offence> {
    let parts = parts(&prose.words);
    let mut offences = Vec::new();
    for phrase in WORDS.lines() {
        let wanted: Vec<&str> = phrase.split(' ').collect();
        for window in parts.windows(wanted.len()) {
            let is_same = window.iter().zip(&wanted).all(|((_, part), word)| {
                part == word || (wanted.len() == 1 && part.strip_suffix('s') == Some(*word))
            });
            if is_same {
                let excerpt = phrase.to_owned();
                offences.push(Offence { rule: Rule::Word, line: window[0].0, excerpt });
            }
        }
    }
    offences
}

fn marks(prose: &Prose) -> Vec<Offence> {
    let mark = |word: &String| ["M", "S", "O"].iter().any(|m| word.contains(&format!("[{m}]")));
    let marked = prose.words.iter().filter(|(_, word)| mark(word));
    marked
        .map(|(line, word)| Offence { rule: Rule::Mark, line: *line, excerpt: word.clone() })
        .collect()
}

/// The sentences of a paragraph.
fn sentences(words: Words<'_>) -> Vec<Words<'_>> {
    let ends = |word: &str| {
        word.trim_end_matches(['"', '\'', ')', '`', '*', '”', '_']).ends_with(['.', '!', '?'])
    };
    let begins = |word: &str| {
        word.trim_start_matches(['"', '\'', '(', '*', '“', '_'])
            .starts_with(|c: char| c.is_uppercase() || c.is_numeric() || "`[".contains(c))
    };
    let (mut found, mut start) = (Vec::new(), 0);
    for at in 1..words.len() {
        if ends(&words[at - 1].1) && begins(&words[at].1) {
            found.push(&words[start..at]);
            start = at;
        }
    }
    found.push(&words[start..]);
    found
}

/// The colons and semicolons of a sentence, besides those of code between backticks.
fn joints(sentence: Words<'_>) -> usize {
    let text = format!("{} ", joined(sentence));
    let outside = text.split('`').step_by(2);
    outside.map(|part| part.matches(": ").count() + part.matches("; ").count()).sum()
}

fn sentence_shapes(prose: &Prose) -> Vec<Offence> {
    let mut offences = Vec::new();
    for sentence in sentences(&prose.words).into_iter().filter(|sentence| !sentence.is_empty()) {
        let spoken = sentence.iter().filter(|(_, w)| w.contains(char::is_alphanumeric)).count();
        let line = sentence[0].0;
        if spoken > SENTENCE_WORDS_MAX {
            let excerpt = format!("{spoken} words: {}", joined(sentence));
            offences.push(Offence { rule: Rule::LongSentence, line, excerpt });
        } else if joints(sentence) > 1 {
            let excerpt = joined(sentence);
            offences.push(Offence { rule: Rule::Joints, line, excerpt });
        }
    }
    offences
}

fn summary(prose: &Prose) -> Option<Offence> {
    let saying =
        parts(&prose.words).into_iter().filter(|(_, p)| !EMPTY.contains(&p.as_str())).count();
    let starts_with_article =
        prose.words.first().is_some_and(|(_, word)| ["The", "A", "An"].contains(&word.as_str()));
    let is_empty = saying == 0 || (saying == 1 && starts_with_article);
    let excerpt = joined(&prose.words);
    is_empty.then(|| Offence { rule: Rule::EmptySummary, line: prose.line(), excerpt })
}

fn long_name(prose: &Prose) -> Option<Offence> {
    let excerpt = joined(&prose.words);
    let is_long = excerpt.chars().count() > NAME_LENGTH_MAX;
    is_long.then(|| Offence { rule: Rule::LongName, line: prose.line(), excerpt })
}

/// Returns where a file breaks the rules.
pub(super) fn offences(prose: &[Prose]) -> Vec<Offence> {
    let mut found = Vec::new();
    for piece in prose {
        found.extend(banned_words(piece));
        match piece.kind {
            Kind::Comment | Kind::Summary => {
                found.extend(marks(piece));
                found.extend(sentence_shapes(piece));
            }
            Kind::Name => found.extend(long_name(piece)),
            Kind::Text => {}
        }
        if piece.kind == Kind::Summary {
            found.extend(summary(piece));
        }
    }
    found.sort_by_key(|offence| offence.line);
    found
}
