//! The words of each language, read once from the files in `words/`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::classes::{CLASSES, Class, WordClasses};
use super::pattern::{Pattern, Purpose};
use super::spelling;

/// The files. `@` begins the words of one or several languages, and `@ *` those of all.
const FILES: [&str; 9] = [
    include_str!("words/others.txt"),
    include_str!("words/de.txt"),
    include_str!("words/en.txt"),
    include_str!("words/es.txt"),
    include_str!("words/fr.txt"),
    include_str!("words/it.txt"),
    include_str!("words/nl.txt"),
    include_str!("words/pl.txt"),
    include_str!("words/pt.txt"),
];

/// The shortest keyword in which a slip of one letter is recognised.
const SLIP_LENGTH_MIN: usize = 7;
/// The longest word that is compared with keywords.
const SLIP_LENGTH_MAX: usize = 24;

static LEXICONS: LazyLock<BTreeMap<String, Lexicon>> = LazyLock::new(read_all);

/// Returns the words of a language by its primary subtag; `None` for a language without a list.
pub(super) fn of(tag: &str) -> Option<&'static Lexicon> {
    LEXICONS.get(tag)
}

const PURPOSES: [(&str, Purpose); 4] = [
    ("stop-phrase", Purpose::Stop),
    ("no-phrase", Purpose::No),
    ("mask", Purpose::Mask),
    ("instruct", Purpose::Instruct),
];

/// A kind of keyword.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Keyword {
    /// Stops messages as a sentence of its own.
    Stop,
    /// Stops messages as a whole text; each strong keyword is one too.
    Alone,
    /// Starts messages as a whole text.
    Start,
    /// Denies as a whole text.
    No,
    /// What may stand around a quotation of the customer's own: "I said …".
    Quoted,
    /// Several words that change the meaning of no keyword beside them.
    Filler,
    /// Several words that may stand around a strong keyword.
    Frame,
}

const KEYWORDS: [(&str, Keyword); 5] = [
    ("stop", Keyword::Stop),
    ("alone", Keyword::Alone),
    ("start", Keyword::Start),
    ("no", Keyword::No),
    ("quoted", Keyword::Quoted),
];

/// The words of one language.
#[derive(Debug, Default)]
pub(super) struct Lexicon {
    /// The words of each class.
    pub(super) classes: WordClasses,
    /// Keywords by their first word.
    keywords: BTreeMap<String, Vec<(Keyword, Vec<String>)>>,
    patterns: BTreeMap<String, Vec<Pattern>>,
    /// Patterns that begin with a class.
    class_patterns: Vec<Pattern>,
    slips: Vec<String>,
    unspaced: Vec<String>,
    /// Whole texts that approve, as they are written.
    pub(super) yes: Vec<String>,
    /// Whole texts that sound like an answer of another language.
    pub(super) neither: Vec<String>,
}

fn read_all() -> BTreeMap<String, Lexicon> {
    let mut lexicons: BTreeMap<String, Lexicon> = BTreeMap::new();
    let mut common: Vec<&str> = Vec::new();
    for file in FILES {
        let mut tags: Vec<&str> = Vec::new();
        for line in file.lines().filter(|line| !line.starts_with('#')) {
            if let Some(header) = line.strip_prefix("@ ") {
                tags = header.split_whitespace().collect();
                continue;
            }
            for tag in &tags {
                match *tag {
                    "*" => common.push(line),
                    tag => lexicons.entry(tag.to_owned()).or_default().add(line),
                }
            }
        }
    }
    for lexicon in lexicons.values_mut() {
        common.iter().for_each(|line| lexicon.add(line));
    }
    lexicons
}

impl Lexicon {
    /// Adds a line of a file: a section's name, a colon, and its entries.
    fn add(&mut self, line: &str) {
        let Some((section, entries)) = line.split_once(':') else { return };
        for entry in entries.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            self.add_entry(section, entry);
        }
    }

    fn add_entry(&mut self, section: &str, entry: &str) {
        let tokens = spelling::tokens(entry);
        if let Some((_, keyword)) = KEYWORDS.iter().find(|(known, _)| *known == section) {
            self.add_keyword(*keyword, tokens);
        } else if let Some((_, class)) = CLASSES.iter().find(|(known, _)| *known == section) {
            match (tokens.as_slice(), class) {
                ([_, _, ..], Class::Filler) => self.add_keyword(Keyword::Filler, tokens),
                ([_, _, ..], Class::Frame) => self.add_keyword(Keyword::Frame, tokens),
                _ => tokens.into_iter().for_each(|token| self.classes.add(token, *class)),
            }
        } else if let Some((_, purpose)) = PURPOSES.iter().find(|(known, _)| *known == section) {
            let Some(pattern) = Pattern::read(entry, *purpose) else { return };
            match pattern.first_words() {
                Some(words) => {
                    for word in words {
                        self.patterns.entry(word.clone()).or_default().push(pattern.clone());
                    }
                }
                None => self.class_patterns.push(pattern),
            }
        } else {
            match section {
                "slip" => self.slips.extend(tokens),
                "unspaced" => self.unspaced.push(tokens.concat()),
                "yes" => self.yes.push(spelling::plain(entry)),
                "neither" => self.neither.push(spelling::plain(entry)),
                _ => {}
            }
        }
    }

    fn add_keyword(&mut self, keyword: Keyword, tokens: Vec<String>) {
        let Some(first) = tokens.first().cloned() else { return };
        let known = self.keywords.entry(first).or_default();
        known.push((keyword, tokens));
        known.sort_by_key(|(_, tokens)| std::cmp::Reverse(tokens.len()));
    }

    /// Returns whether a word belongs to a class.
    pub(super) fn is(&self, word: &str, class: Class) -> bool {
        self.classes.has(word, class)
    }

    /// Returns whether a word changes the meaning of no keyword.
    pub(super) fn is_filler(&self, word: &str) -> bool {
        self.is(word, Class::Filler) || word.bytes().all(|byte| byte.is_ascii_digit())
    }

    /// Returns whether a word is a keyword of any kind.
    pub(super) fn knows(&self, word: &str) -> bool {
        let single = |(_, tokens): &(Keyword, Vec<String>)| tokens.len() == 1;
        self.keywords.get(word).is_some_and(|known| known.iter().any(single))
            || self.yes.iter().any(|known| known == word)
    }

    /// Returns whether a word is a keyword that stops messages, with one letter wrong, missing, added or exchanged.
    pub(super) fn is_misspelled(&self, word: &str) -> bool {
        if self.slips.iter().any(|slip| slip == word) {
            return true;
        }
        let letters: Vec<char> = word.chars().collect();
        if !(SLIP_LENGTH_MIN.saturating_sub(1)..=SLIP_LENGTH_MAX).contains(&letters.len()) {
            return false;
        }
        let keywords = self.keywords.values().flatten();
        let stops = keywords.filter(|(kind, _)| matches!(kind, Keyword::Stop | Keyword::Alone));
        stops
            .filter_map(
                |(_, tokens)| if let [only] = tokens.as_slice() { Some(only) } else { None },
            )
            .any(|keyword| {
                let keyword: Vec<char> = keyword.chars().collect();
                keyword.len() >= SLIP_LENGTH_MIN && spelling::differ_by_one(&letters, &keyword)
            })
    }

    /// Returns the patterns that may begin with a word.
    pub(super) fn patterns_at(&self, word: &str) -> impl Iterator<Item = &Pattern> {
        self.patterns.get(word).into_iter().flatten().chain(&self.class_patterns)
    }

    /// Returns whether a sentence has a phrase of a script that is written without spaces.
    pub(super) fn has_unspaced(&self, words: &[String]) -> bool {
        if self.unspaced.is_empty() {
            return false;
        }
        let text = words.concat();
        self.unspaced.iter().any(|phrase| text.contains(phrase))
    }

    /// Returns whether words introduce a quotation of the customer's own: "I said", "please".
    pub(super) fn is_quoting(&self, words: &[String]) -> bool {
        words.is_empty() || self.cover(words, Keyword::Quoted, &[]).is_some()
    }

    /// Returns whether keywords of a kind, fillers and words of `name` cover all words.
    ///
    /// `None` if they do not; otherwise whether there is a keyword.
    pub(super) fn cover(&self, words: &[String], kind: Keyword, name: &[String]) -> Option<bool> {
        let (mut rest, mut found) = (words, false);
        while let Some((word, after)) = rest.split_first() {
            let length = |kind| self.keyword_at(rest, kind).map_or(0, <[String]>::len);
            let is_framed = kind == Keyword::Stop && self.is(word, Class::Frame);
            let around = length(Keyword::Filler).max(if kind == Keyword::Stop {
                length(Keyword::Frame)
            } else {
                0
            });
            if length(kind) > 0 {
                found = true;
                rest = rest.get(length(kind)..).unwrap_or_default();
            } else if around > 0 {
                rest = rest.get(around..).unwrap_or_default();
            } else if self.is_filler(word) || is_framed || name.contains(word) {
                rest = after;
            } else {
                return None;
            }
        }
        Some(found)
    }

    fn keyword_at(&self, words: &[String], kind: Keyword) -> Option<&[String]> {
        let known = self.keywords.get(words.first()?)?;
        let counts =
            |known: Keyword| known == kind || (kind == Keyword::Alone && known == Keyword::Stop);
        known
            .iter()
            .find(|(known, tokens)| counts(*known) && words.starts_with(tokens))
            .map(|(_, tokens)| tokens.as_slice())
    }
}

/// Returns every language's words.
#[cfg(test)]
pub(super) fn all() -> impl Iterator<Item = (&'static str, &'static Lexicon)> {
    LEXICONS.iter().map(|(tag, lexicon)| (tag.as_str(), lexicon))
}

/// Returns what the files hold and nothing reads.
#[cfg(test)]
pub(super) fn unknown_entries() -> Vec<String> {
    let sections = ["slip", "unspaced", "yes", "neither"];
    let is_section = |name: &str| {
        KEYWORDS.iter().any(|(known, _)| *known == name)
            || CLASSES.iter().any(|(known, _)| *known == name)
            || PURPOSES.iter().any(|(known, _)| *known == name)
            || sections.contains(&name)
    };
    let is_class = |entry: &str| {
        let names = entry.split('<').skip(1);
        let mut alternatives = entry.split([',', ' ']).filter(|part| part.contains('/'));
        names.into_iter().all(|name| name.split('>').next().and_then(Class::named).is_some())
            && alternatives
                .all(|part| part.split('/').all(|word| spelling::tokens(word).len() == 1))
    };
    let lines = FILES.iter().flat_map(|file| file.lines()).filter(|line| !line.starts_with('#'));
    // Only fillers and frames may have several words; of other classes, each would count alone.
    let is_single = |section: &str, entries: &str| {
        let is_class = CLASSES.iter().any(|(known, _)| *known == section);
        let mut sizes = entries.split(',').map(|entry| spelling::tokens(entry).len());
        !is_class || matches!(section, "filler" | "frame") || sizes.all(|size| size <= 1)
    };
    let unknown = |line: &&str| match line.split_once(':') {
        Some((section, entries)) => {
            !is_section(section) || !is_class(entries) || !is_single(section, entries)
        }
        None => !line.starts_with('@') && !line.starts_with('#') && !line.is_empty(),
    };
    lines.filter(unknown).map(str::to_owned).collect()
}

#[cfg(test)]
impl Lexicon {
    /// Returns the keywords of one kind.
    pub(super) fn keywords_of(&self, kind: Keyword) -> impl Iterator<Item = &[String]> {
        let of_kind = move |(known, _): &&(Keyword, Vec<String>)| *known == kind;
        self.keywords.values().flatten().filter(of_kind).map(|(_, tokens)| tokens.as_slice())
    }
}
