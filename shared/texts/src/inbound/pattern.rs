//! The patterns of a language.
//!
//! A pattern is a row of words. `a/b` stands for either word, and `<class>` for any word of a class of the language. `...`
//! stands for up to three words. Each match looks at a bounded number of words, so that reading a text is linear.

use super::classes::{Class, WordClasses};
use super::spelling;

/// The most words that `...` stands for.
const GAP_MAX: usize = 3;

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
    pub(super) fn matches(&self, classes: &WordClasses, words: &[String]) -> Option<usize> {
        take(classes, &self.elements, words)
    }

    /// Returns whether the pattern begins with a negation of its own.
    pub(super) fn negates(&self, classes: &WordClasses, first: &str) -> bool {
        match self.elements.first() {
            Some(Element::Class(class)) => *class == Class::Not,
            Some(Element::Word(_)) => classes.has(first, Class::Not),
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

fn take(classes: &WordClasses, elements: &[Element], words: &[String]) -> Option<usize> {
    let Some((element, rest)) = elements.split_first() else { return Some(0) };
    if let Element::Gap = element {
        return (0..=GAP_MAX.min(words.len())).find_map(|skipped| {
            let taken = take(classes, rest, words.get(skipped..)?)?;
            Some(skipped.saturating_add(taken))
        });
    }
    let (word, after) = words.split_first()?;
    let fits = match element {
        Element::Word(alternatives) => alternatives.contains(word),
        Element::Class(class) => classes.has(word, *class),
        Element::Gap => false,
    };
    if !fits {
        return None;
    }
    Some(take(classes, rest, after)?.saturating_add(1))
}
