//! The keywords and phrases that stop a brand's messages or start them again; most are in `keywords/`.

use std::sync::LazyLock;

use super::spelling;

/// Keywords and phrases, each as its folded tokens.
pub(super) type List = LazyLock<Vec<Vec<String>>>;

/// Keywords that stop messages: alone, or with nothing but [`FILLERS`] around them.
pub(super) static STOP: List = LazyLock::new(|| read(include_str!("keywords/stop.txt")));
/// Keywords that start messages again: alone, or with nothing but [`FILLERS`] around them.
pub(super) static START: List = LazyLock::new(|| read(include_str!("keywords/start.txt")));
/// Words that do not change the meaning of the keyword beside them.
pub(super) static FILLERS: List = LazyLock::new(|| read(include_str!("keywords/fillers.txt")));
/// Phrases that stop messages at any place in a text, unless a negation stands before them.
pub(super) static PHRASES: List = LazyLock::new(|| read(include_str!("keywords/phrases.txt")));
/// The same in scripts written without spaces.
pub(super) static UNSPACED_PHRASES: List =
    LazyLock::new(|| read(include_str!("keywords/unspaced_phrases.txt")));

/// Verbs that stop messages if an [`END_OBJECTS`] word follows: "stop texting me", "quit sending these".
pub(super) const END_VERBS: &str = "stop quit cease end halt discontinue";
/// The objects of [`END_VERBS`].
pub(super) const END_OBJECTS: &str = "texting txting sending messaging contacting writing bothering spamming \
    harassing calling emailing smsing pinging texts txts messages message msgs sms text spam contact communication \
    communications notifications alerts reminders";
/// Words that negate what follows.
pub(super) const NEGATIONS: &str = "dont not never no wont cannot cant without";
/// Before a negation, these report the past and ask for nothing: "I did not send messages".
pub(super) const PAST_VERBS: &str = "did have has had";
/// Verbs that a negation forbids: "do not text me", "never contact me again".
pub(super) const CONTACT_VERBS: &str =
    "text txt message msg contact sms bother write email spam call";
/// The words that must follow a [`CONTACT_VERBS`] word.
pub(super) const CONTACT_OBJECTS: &str = "me us anymore again";
/// After a negation, these say that the customer does not want something.
pub(super) const DESIRE_VERBS: &str = "more want send need like";
/// The messages that the customer does not want: "no more messages", "I don't want these texts".
pub(super) const MESSAGE_NOUNS: &str = "texts txts messages msgs sms spam notifications alerts";

fn read(file: &str) -> Vec<Vec<String>> {
    let lines = file.lines().filter(|line| !line.starts_with('#'));
    let entries = lines.flat_map(|line| line.split(',')).map(spelling::tokens);
    entries.filter(|tokens| !tokens.is_empty()).collect()
}
