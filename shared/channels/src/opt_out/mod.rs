//! Reads whether a customer's text stops a brand's messages, or starts them again.
//!
//! The law requires a sender to honour any reasonable wording: a keyword in any spelling, or a plain sentence.
//! In the US that is 47 CFR 64.1200(a)(10), in force since 2025-04-11. Source, read 2026-11-26:
//! <https://compliancepoint.com/marketing-compliance/fccs-consent-revocation-rule-language-analysis-and-compliance-insights>.
//! UNVERIFIED: have counsel confirm the rule and the keywords of each other country before going live.
//!
//! A text that is wrongly read as a stop costs one prompt; a missed stop is a breach. So the reading leans to "stop",
//! except in a sentence that says "don't stop".

mod keywords;
mod spelling;

use keywords::List;

/// A customer's decision about a brand's messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Preference {
    /// Send no more messages.
    Stop,
    /// Send messages again.
    Start,
}

/// Returns the decision that `text` states; `None` for any other text.
pub(crate) fn preference(text: &str) -> Option<Preference> {
    let text = FoldedText { tokens: spelling::tokens(text) };
    if text.is_one_of(&keywords::STOP) || text.asks_to_stop() {
        return Some(Preference::Stop);
    }
    text.is_one_of(&keywords::START).then_some(Preference::Start)
}

/// A text as its folded words.
struct FoldedText {
    tokens: Vec<String>,
}

impl FoldedText {
    /// Whether the text is one or several entries of `list`, with nothing but fillers around them.
    fn is_one_of(&self, list: &List) -> bool {
        let rest = self.without_fillers();
        let is_single = |token: &String| list.iter().any(|known| *known == [token.as_str()]);
        list.contains(&self.tokens)
            || list.contains(&rest)
            || (!rest.is_empty() && rest.iter().all(is_single))
    }

    fn without_fillers(&self) -> Vec<String> {
        let is_filler =
            |token: &String| keywords::FILLERS.iter().flatten().any(|known| known == token);
        self.tokens.iter().filter(|token| !is_filler(token)).cloned().collect()
    }

    /// Whether a sentence asks for no more messages.
    fn asks_to_stop(&self) -> bool {
        self.ends_messages()
            || self.forbids_contact()
            || self.has_phrase()
            || self.has_unspaced_phrase()
    }

    /// "Stop sending me these", but not "don't stop texting me".
    fn ends_messages(&self) -> bool {
        self.positions(keywords::END_VERBS)
            .any(|at| !self.is_negated(at, 2) && self.has(keywords::END_OBJECTS, at + 1, 4))
    }

    /// "Do not text me", "never contact me again", "no more messages", "I don't want your texts".
    fn forbids_contact(&self) -> bool {
        let is_past = |at: usize| self.has(keywords::PAST_VERBS, at.saturating_sub(3), at.min(3));
        self.positions(keywords::NEGATIONS).filter(|at| !is_past(*at)).any(|at| {
            let mut verbs = self
                .positions(keywords::CONTACT_VERBS)
                .filter(|verb| (at + 1..at + 4).contains(verb));
            let has_object = verbs.any(|verb| self.has(keywords::CONTACT_OBJECTS, verb + 1, 3));
            let refuses_messages = self.has(keywords::DESIRE_VERBS, at + 1, 2)
                && self.has(keywords::MESSAGE_NOUNS, at + 1, 6);
            has_object || refuses_messages
        })
    }

    fn has_phrase(&self) -> bool {
        keywords::PHRASES.iter().any(|phrase| {
            let found = self.tokens.windows(phrase.len()).position(|window| window == phrase);
            found.is_some_and(|at| !self.is_negated(at, 4))
        })
    }

    fn has_unspaced_phrase(&self) -> bool {
        let text = self.tokens.concat();
        keywords::UNSPACED_PHRASES.iter().any(|phrase| text.contains(&phrase.concat()))
    }

    fn positions(&self, list: &'static str) -> impl Iterator<Item = usize> {
        self.tokens
            .iter()
            .enumerate()
            .filter(move |(_, token)| is_in(token, list))
            .map(|(at, _)| at)
    }

    fn is_negated(&self, at: usize, within: usize) -> bool {
        let from = at.saturating_sub(within);
        self.has(keywords::NEGATIONS, from, at - from)
    }

    /// Whether one of the `count` words from `from` on is in `list`.
    fn has(&self, list: &str, from: usize, count: usize) -> bool {
        self.tokens.iter().skip(from).take(count).any(|token| is_in(token, list))
    }
}

fn is_in(token: &str, list: &str) -> bool {
    list.split(' ').any(|word| spelling::squeeze(word) == token)
}

#[cfg(test)]
mod tests;
