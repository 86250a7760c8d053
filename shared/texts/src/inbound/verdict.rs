//! Reads the meaning of a sentence by the patterns of its language.

use super::classes::Class;
use super::lexicon::Lexicon;
use super::pattern::Purpose;
use super::sentences::Sentence;

/// How far before a pattern a negation counts.
const NEGATION_REACH: usize = 3;
/// The most words of a text beside an instruction that make it the customer's own: "Reply STOP to opt out".
const INSTRUCTION_REST_MAX: usize = 3;
/// A word that no pattern has, in place of a masked one.
const MASKED: &str = "\u{0}";

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
            if let Some(length) = pattern.matches(&lexicon.classes, rest) {
                found.push((at, length, pattern.negates(&lexicon.classes, first)));
            }
        }
    }
    found
}
