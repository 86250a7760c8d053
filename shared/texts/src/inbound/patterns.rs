//! Matches the patterns of a language against a sentence.
//!
//! A pattern is a row of words. `a/b` stands for either word, and `<class>` for any word of a class of the language. `...`
//! stands for up to three words. Each match looks at a bounded number of words, so that reading a text is linear.

use super::lexicon::{Class, Lexicon};
use super::sentences::Sentence;
use super::spelling;

/// The most words that `...` stands for.
const GAP_MAX: usize = 3;
/// How far before a pattern a negation counts.
const NEGATION_REACH: usize = 3;
/// The most words of a text beside an instruction that make it the customer's own: "Reply STOP to opt out".
const INSTRUCTION_REST_MAX: usize = 3;
/// A word that no pattern has, in place of a masked one.
const MASKED: &str = "\u{0}";

/// One place of a pattern.
#[derive(Clone, Debug)]
enum Element {
    Word(Vec<String>),
    Class(Class),
    Gap,
}

/// The purpose of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Stops messages, unless a negation stands before it.
    Stop,
    /// Denies what is asked.
    No,
    /// Says nothing, although its words may.
    Mask,
    /// Tells others how to stop, as our own messages do.
    Instruct,
}

/// A pattern of a language.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    pub(super) purpose: Purpose,
    elements: Vec<Element>,
}

impl Pattern {
    /// Reads a pattern; `None` for an empty one.
    pub(super) fn read(text: &str, purpose: Purpose) -> Option<Self> {
        let elements: Vec<Element> = text.split_whitespace().flat_map(element).collect();
        (!elements.is_empty()).then_some(Self { purpose, elements })
    }

    /// Returns the words with which the pattern may begin; `None` when it begins with a class.
    pub(super) fn first_words(&self) -> Option<&[String]> {
        match self.elements.first()? {
            Element::Word(words) => Some(words),
            Element::Class(_) | Element::Gap => None,
        }
    }

    /// Returns how many words the pattern takes at the beginning of `words`; `None` if it does not match.
    fn matches(&self, lexicon: &Lexicon, words: &[String]) -> Option<usize> {
        take(lexicon, &self.elements, words)
    }

    /// Returns whether the pattern begins with a negation of its own.
    fn negates(&self, lexicon: &Lexicon, first: &str) -> bool {
        match self.elements.first() {
            Some(Element::Class(class)) => *class == Class::Not,
            Some(Element::Word(_)) => lexicon.is(first, Class::Not),
            Some(Element::Gap) | None => false,
        }
    }
}

fn element(text: &str) -> Vec<Element> {
    if text == "..." {
        return vec![Element::Gap];
    }
    if let Some(class) = text.strip_prefix('<').and_then(|text| text.strip_suffix('>')) {
        return Class::named(class).map(Element::Class).into_iter().collect();
    }
    let alternatives: Vec<Vec<String>> = text.split('/').map(spelling::tokens).collect();
    if let [words] = alternatives.as_slice() {
        return words.iter().map(|word| Element::Word(vec![word.clone()])).collect();
    }
    vec![Element::Word(alternatives.concat())]
}

fn take(lexicon: &Lexicon, elements: &[Element], words: &[String]) -> Option<usize> {
    let Some((element, rest)) = elements.split_first() else { return Some(0) };
    if let Element::Gap = element {
        return (0..=GAP_MAX.min(words.len())).find_map(|skipped| {
            let taken = take(lexicon, rest, words.get(skipped..)?)?;
            Some(skipped.saturating_add(taken))
        });
    }
    let (word, after) = words.split_first()?;
    let fits = match element {
        Element::Word(alternatives) => alternatives.contains(word),
        Element::Class(class) => lexicon.is(word, *class),
        Element::Gap => false,
    };
    if !fits {
        return None;
    }
    Some(take(lexicon, rest, after)?.saturating_add(1))
}

/// The meaning of a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Stop,
    No,
    None,
}

/// Reads a sentence. `is_whole` says that the text has no other sentence.
pub(super) fn verdict(lexicon: &Lexicon, sentence: &Sentence, is_whole: bool) -> Verdict {
    let words = sentence.words();
    if lexicon.has_unspaced(&words) {
        return Verdict::Stop;
    }
    let found = |words: &[String], purpose| matches_of(lexicon, words, purpose);
    let instructs = |(_, length, _): &(usize, usize, bool)| {
        !is_whole || words.len() > length.saturating_add(INSTRUCTION_REST_MAX)
    };
    if found(&words, Purpose::Instruct).iter().any(instructs) {
        return Verdict::None;
    }
    let words = masked(lexicon, &words);
    let stops = |(at, _, negates): &(usize, usize, bool)| {
        let begin = at.saturating_sub(NEGATION_REACH).max(sentence.begin_of_clause(*at));
        let before = words.get(begin..*at).unwrap_or_default();
        let has = |class| before.iter().any(|word| lexicon.is(word, class));
        if *negates { !has(Class::Past) } else { !has(Class::Not) || defies(lexicon, &words, *at) }
    };
    if found(&words, Purpose::Stop).iter().any(stops) {
        return Verdict::Stop;
    }
    let asks = words.first().is_some_and(|first| lexicon.is(first, Class::Ask));
    if asks || found(&words, Purpose::No).is_empty() { Verdict::None } else { Verdict::No }
}

/// Returns the words with those replaced that say nothing here: "bus stop".
pub(super) fn masked(lexicon: &Lexicon, words: &[String]) -> Vec<String> {
    let mut masked = words.to_vec();
    for (at, length, _) in matches_of(lexicon, words, Purpose::Mask) {
        for word in masked.iter_mut().skip(at).take(length) {
            MASKED.clone_into(word);
        }
    }
    masked
}

/// Returns whether a negation only repeats the demand: "if you don't stop", "why won't you stop".
fn defies(lexicon: &Lexicon, words: &[String], at: usize) -> bool {
    words.iter().take(at).any(|word| lexicon.is(word, Class::Despite))
}

/// Returns each match of a purpose: its place, its length, and whether it begins with a negation of its own.
fn matches_of(lexicon: &Lexicon, words: &[String], purpose: Purpose) -> Vec<(usize, usize, bool)> {
    let mut found = Vec::new();
    for (at, first) in words.iter().enumerate() {
        let Some(rest) = words.get(at..) else { continue };
        for pattern in lexicon.patterns_at(first).filter(|pattern| pattern.purpose == purpose) {
            if let Some(length) = pattern.matches(lexicon, rest) {
                found.push((at, length, pattern.negates(lexicon, first)));
            }
        }
    }
    found
}
