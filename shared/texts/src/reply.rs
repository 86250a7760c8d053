//! Free-text replies that can only mean yes or no.

use super::TextLanguage;
use domain::values::language::Language;

/// The messages of one language that mean yes or no: lower case, without punctuation at their ends.
pub(super) struct Replies {
    pub(super) yes: &'static [&'static str],
    pub(super) no: &'static [&'static str],
}

/// The meaning of a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The customer approves.
    Yes,
    /// The customer denies.
    No,
}

/// Returns the meaning of a whole message, in the language of the prompt.
///
/// `None` for a message that is not plainly yes or no: a question, a sentence, another language.
#[must_use]
pub fn reply(text: &str, language: &Language, fallback: &Language) -> Option<Reply> {
    let Replies { yes, no } = TextLanguage::nearest(language, fallback).replies();
    let said = plain(text)?;
    match (yes.contains(&said.as_str()), no.contains(&said.as_str())) {
        (true, false) => Some(Reply::Yes),
        (false, true) => Some(Reply::No),
        (true, true) | (false, false) => None,
    }
}

/// Normalises a message: lower case, single spaces, one kind of apostrophe, no punctuation at its ends.
///
/// `None` for a question.
fn plain(text: &str) -> Option<String> {
    if text.len() > 64 || text.contains(['?', '¿', '？']) {
        return None;
    }
    let lower = text.to_lowercase().replace('’', "'");
    let words = lower.split_whitespace().map(|word| word.trim_matches(is_punctuation));
    Some(words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" "))
}

fn is_punctuation(c: char) -> bool {
    c.is_ascii_punctuation() || "¡…“”„‘‚«»‹›–—。！，".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str, language: &str) -> Option<Reply> {
        reply(text, &language.parse().unwrap(), &Language::default())
    }

    #[test]
    fn reply_yes_or_no_counts_in_any_spelling() {
        for text in ["yes", " Yes. ", "YES!!", "\"yes\"", "Yes,  please", "I agree", "approve"] {
            assert_eq!(said(text, "en-GB"), Some(Reply::Yes), "{text}");
        }
        for text in ["no", "No.", "no, thanks!", "I DON’T agree"] {
            assert_eq!(said(text, "en"), Some(Reply::No), "{text}");
        }
        assert_eq!(said("¡Sí!", "es-419"), Some(Reply::Yes));
        assert_eq!(said("D’accord.", "fr-CA"), Some(Reply::Yes));
        assert_eq!(said("Nein, danke", "de-AT"), Some(Reply::No));
        assert_eq!(said("yes", "nl"), Some(Reply::Yes), "asked in the brand's language");
    }

    #[test]
    fn reply_that_is_no_plain_answer_is_ignored() {
        for text in [
            "",
            "?",
            "...",
            "yes?",
            "yes but why",
            "yes no",
            "yes 👎",
            "no, yes",
            "ok",
            "not yes",
            "yesyes",
            "ja",
            "stop",
            "cancel",
            "1",
            &"yes ".repeat(40),
        ] {
            assert_eq!(said(text, "en"), None, "{text}");
        }
    }

    #[test]
    fn reply_takes_button_labels_and_no_word_means_both() {
        for spoken in TextLanguage::ALL {
            let tag = spoken.tag();
            let page = spoken.page();
            assert_eq!(said(page.approve, tag), Some(Reply::Yes), "{tag}");
            assert_eq!(said(page.deny, tag), Some(Reply::No), "{tag}");
            let Replies { yes, no } = spoken.replies();
            for word in yes.iter().chain(*no) {
                assert_eq!(plain(word).as_deref(), Some(*word), "{tag} {word}");
                assert!(said(word, tag).is_some(), "{tag} {word}");
            }
        }
    }
}
