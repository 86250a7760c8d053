//! Reads what a customer writes: whether it stops or starts a brand's messages, or answers yes or no.
//!
//! The law requires a sender to honour any reasonable wording: a keyword in any spelling, or a plain sentence.
//! In the US that is 47 CFR 64.1200(a)(10), in force since 2025-04-11. Source, read 2026-11-26:
//! <https://compliancepoint.com/marketing-compliance/fccs-consent-revocation-rule-language-analysis-and-compliance-insights>.
//! UNVERIFIED: have counsel confirm the rule and the keywords of each other country before going live.
//!
//! A missed stop is a breach. A false stop blocks a number on every channel. So a text is read sentence by sentence, in
//! the languages of the customer and the brand, and in English. A quotation or a reaction is not the customer's own words.
//!
//! ```
//! use texts::inbound::{Listener, Meaning};
//!
//! let (spanish, english) = ("es".parse()?, "en".parse()?);
//! let listener = Listener::new([&spanish, &english], "Acme");
//! assert_eq!(listener.meaning("¿Quién es? Baja."), Some(Meaning::Stop));
//! assert_eq!(listener.meaning("Please stop the payment"), Some(Meaning::No));
//! assert_eq!(listener.meaning("Liked “Reply STOP to opt out”"), None);
//! # Ok::<(), domain::values::language::InvalidLanguage>(())
//! ```

mod answers;
mod classes;
mod lexicon;
mod own_words;
mod pattern;
mod sentences;
mod spelling;
mod verdict;

use domain::values::language::Language;

use lexicon::{Keyword, Lexicon};
use sentences::Sentence;
use verdict::Verdict;

/// The meaning of a customer's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// Send no more messages.
    Stop,
    /// Send messages again.
    Start,
    /// The customer approves.
    Yes,
    /// The customer denies.
    No,
}

/// Reads texts in the languages of one customer and one brand, and in English.
#[derive(Clone, Debug)]
pub struct Listener {
    lexicons: Vec<&'static Lexicon>,
    /// The words of the brand's name, which do not change the meaning of a keyword: "STOP Acme".
    name: Vec<String>,
}

impl Listener {
    /// Returns a listener for these languages, the customer's first, and for the brand of that name.
    pub fn new<'a>(languages: impl IntoIterator<Item = &'a Language>, name: &str) -> Self {
        let mut lexicons: Vec<&'static Lexicon> = Vec::new();
        let tags = languages.into_iter().map(Language::primary).chain(["en"]);
        for lexicon in tags.filter_map(lexicon::of) {
            if !lexicons.iter().any(|known| std::ptr::eq(*known, lexicon)) {
                lexicons.push(lexicon);
            }
        }
        Self { lexicons, name: spelling::tokens(name) }
    }

    /// Returns the meaning of `text`; `None` for any other text.
    ///
    /// A stop prevails over every other meaning. The time is linear in the length of the text.
    #[must_use]
    pub fn meaning(&self, text: &str) -> Option<Meaning> {
        let own = own_words::of(text, &self.lexicons)?;
        let sentences = sentences::split(&own);
        let lexicons = self.lexicons.iter();
        let readings: Vec<Meaning> =
            lexicons.filter_map(|lexicon| self.read(lexicon, &sentences)).collect();
        for prevails in [Meaning::Stop, Meaning::Start] {
            if readings.contains(&prevails) {
                return Some(prevails);
            }
        }
        match answers::answer(&own, &sentences, &self.lexicons) {
            answers::Answer::Yes => Some(Meaning::Yes),
            answers::Answer::No => Some(Meaning::No),
            answers::Answer::Ambiguous => None,
            answers::Answer::None => readings.contains(&Meaning::No).then_some(Meaning::No),
        }
    }

    /// Reads a text in one language: a stop, a start, or a denial in a sentence.
    fn read(&self, lexicon: &Lexicon, sentences: &[Sentence]) -> Option<Meaning> {
        if self.is_misspelled(lexicon, sentences) {
            return Some(Meaning::Stop);
        }
        let whole = |keyword| {
            let mut parts = sentences.iter().map(|sentence| self.cover(lexicon, sentence, keyword));
            let mut found = false;
            parts.all(|part| part.inspect(|has_keyword| found |= has_keyword).is_some()) && found
        };
        if whole(Keyword::Alone) {
            return Some(Meaning::Stop);
        }
        let is_short = sentences.len() < 2;
        let mut denies = false;
        for sentence in sentences {
            if self.is_strong(lexicon, sentence) {
                return Some(Meaning::Stop);
            }
            let verdict = verdict::verdict(lexicon, sentence, is_short);
            match verdict {
                Verdict::Stop => return Some(Meaning::Stop),
                Verdict::No => denies = true,
                Verdict::None => {}
            }
        }
        if whole(Keyword::Start) {
            return Some(Meaning::Start);
        }
        denies.then_some(Meaning::No)
    }

    /// Returns whether a sentence, or a part of it between commas, is a strong keyword and nothing more.
    fn is_strong(&self, lexicon: &Lexicon, sentence: &Sentence) -> bool {
        let covers = |words: &[String]| {
            let words = verdict::masked(lexicon, words);
            lexicon.cover(&words, Keyword::Stop, &self.name).is_some_and(|found| found)
        };
        covers(&sentence.words())
            || (sentence.clauses.len() > 1 && sentence.clauses.iter().any(|clause| covers(clause)))
    }

    /// Returns whether keywords and fillers cover a whole sentence; `None` if not, else whether it has a keyword.
    fn cover(&self, lexicon: &Lexicon, sentence: &Sentence, keyword: Keyword) -> Option<bool> {
        lexicon.cover(&verdict::masked(lexicon, &sentence.words()), keyword, &self.name)
    }

    /// Returns whether the whole text is one keyword with a slip of one letter.
    fn is_misspelled(&self, lexicon: &Lexicon, sentences: &[Sentence]) -> bool {
        let words = sentences.iter().flat_map(|sentence| sentence.clauses.iter().flatten());
        let mut rest = words.filter(|word| !lexicon.is_filler(word) && !self.name.contains(word));
        match (rest.next(), rest.next()) {
            (Some(word), None) => {
                let known = |lexicon: &&&Lexicon| lexicon.knows(word);
                lexicon.is_misspelled(word) && self.lexicons.iter().find(known).is_none()
            }
            (Some(_) | None, _) => false,
        }
    }
}

#[cfg(test)]
mod tests;
