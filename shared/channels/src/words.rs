//! The words that end messages and begin them again, in the languages customers write; most are in `words/`.

use std::sync::LazyLock;

use crate::spelling;

/// Words and phrases, each as its folded tokens.
pub(crate) type List = LazyLock<Vec<Vec<String>>>;

/// Alone, or with nothing but [`FILLERS`] around them, these end messages.
pub(crate) static STOP: List = LazyLock::new(|| read(include_str!("../words/stop.txt")));
/// Alone, or with nothing but [`FILLERS`] around them, these begin messages again.
pub(crate) static START: List = LazyLock::new(|| read(include_str!("../words/start.txt")));
/// Words that change nothing about the one beside them.
pub(crate) static FILLERS: List = LazyLock::new(|| read(include_str!("../words/fillers.txt")));
/// Phrases that end messages wherever they stand, unless a "no" stands before them.
pub(crate) static PHRASES: List = LazyLock::new(|| read(include_str!("../words/phrases.txt")));
/// The same for scripts written without spaces.
pub(crate) static UNSPACED_PHRASES: List =
    LazyLock::new(|| read(include_str!("../words/unspaced_phrases.txt")));

/// Verbs that, said of messages, end them: "stop texting me", "quit sending these".
pub(crate) const END_VERBS: &str = "stop quit cease end halt discontinue";
/// What those verbs are said of.
pub(crate) const END_OBJECTS: &str = "texting txting sending messaging contacting writing bothering spamming \
    harassing calling emailing smsing pinging texts txts messages message msgs sms text spam contact communication \
    communications notifications alerts reminders";
/// A "no" before what follows.
pub(crate) const NEGATIONS: &str = "dont not never no wont cannot cant without";
/// Before a "no", these make it a tale and not a wish: "I did not send messages".
pub(crate) const TALES: &str = "did have has had";
/// What nobody should do any more: "do not text me", "never contact me again".
pub(crate) const CONTACTS: &str = "text txt message msg contact sms bother write email spam call";
/// Whom it should not be done to.
pub(crate) const CONTACTED: &str = "me us anymore again";
/// How one says that something is not wanted.
pub(crate) const WANTS: &str = "more want send need like";
/// What is not wanted: "no more messages", "I don't want these texts".
pub(crate) const UNWANTED: &str = "texts txts messages msgs sms spam notifications alerts";

fn read(file: &str) -> Vec<Vec<String>> {
    let lines = file.lines().filter(|line| !line.starts_with('#'));
    let entries = lines.flat_map(|line| line.split(',')).map(spelling::tokens);
    entries.filter(|tokens| !tokens.is_empty()).collect()
}
