//! The sentences that a voice reads out, one for each state of a request.

use domain::ask::AskKind;
use domain::values::language::Language;

use crate::TextLanguage;

/// The state of a request, as far as its sentence differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SayContent<'a> {
    /// The message is on its way.
    Sending,
    /// The message waits for an answer.
    Waiting {
        /// The session code; `None` where the ask needs none.
        code: Option<&'a str>,
        /// Whether an earlier attempt failed, so that the customer answers once more.
        again: bool,
    },
    /// The customer is on the processor's page.
    HostedPage,
    /// The customer approved, and the processor works.
    Working,
    /// The result is unknown.
    InDoubt,
    /// The processor did what was asked.
    Fulfilled(AskKind),
    /// The customer denied.
    Denied,
    /// The customer picked another number than the agent's.
    WrongCode,
    /// The deadline passed.
    Expired,
    /// The requester withdrew the request.
    Cancelled,
    /// No message reached the phone.
    Undeliverable,
    /// The processor declined or failed.
    Failed,
}

/// The sentences of one language. `{code}` stands for the session code.
#[derive(Debug)]
pub(super) struct Sentences {
    pub(super) sending: &'static str,
    pub(super) waiting: &'static str,
    pub(super) waiting_code: &'static str,
    pub(super) again: &'static str,
    pub(super) again_code: &'static str,
    pub(super) hosted_page: &'static str,
    pub(super) working: &'static str,
    pub(super) in_doubt: &'static str,
    pub(super) paid: &'static str,
    pub(super) card_saved: &'static str,
    pub(super) identified: &'static str,
    pub(super) denied: &'static str,
    pub(super) wrong_code: &'static str,
    pub(super) expired: &'static str,
    pub(super) cancelled: &'static str,
    pub(super) undeliverable: &'static str,
    pub(super) failed: &'static str,
}

/// A sentence with the tag of its language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpokenSentence {
    /// The BCP 47 tag of the sentence's language.
    pub tag: &'static str,
    /// The sentence, at most 180 characters.
    pub text: String,
}

/// Returns the sentence that a voice reads out, in the nearest language.
#[must_use]
pub fn say(content: SayContent<'_>, language: &Language, fallback: &Language) -> SpokenSentence {
    let spoken = TextLanguage::nearest(language, fallback);
    let sentences = spoken.sentences();
    let text = match content {
        SayContent::Sending => sentences.sending,
        SayContent::Waiting { code: None, again: false } => sentences.waiting,
        SayContent::Waiting { code: Some(_), again: false } => sentences.waiting_code,
        SayContent::Waiting { code: None, again: true } => sentences.again,
        SayContent::Waiting { code: Some(_), again: true } => sentences.again_code,
        SayContent::HostedPage => sentences.hosted_page,
        SayContent::Working => sentences.working,
        SayContent::InDoubt => sentences.in_doubt,
        SayContent::Fulfilled(AskKind::Payment) => sentences.paid,
        SayContent::Fulfilled(AskKind::PaymentMethod) => sentences.card_saved,
        SayContent::Fulfilled(AskKind::Identity) => sentences.identified,
        SayContent::Denied => sentences.denied,
        SayContent::WrongCode => sentences.wrong_code,
        SayContent::Expired => sentences.expired,
        SayContent::Cancelled => sentences.cancelled,
        SayContent::Undeliverable => sentences.undeliverable,
        SayContent::Failed => sentences.failed,
    };
    let text = match content {
        // A voice reads `07` digit by digit only where they stand apart.
        SayContent::Waiting { code: Some(code), .. } => text.replace("{code}", &apart(code)),
        SayContent::Waiting { code: None, .. }
        | SayContent::Sending
        | SayContent::HostedPage
        | SayContent::Working
        | SayContent::InDoubt
        | SayContent::Fulfilled(_)
        | SayContent::Denied
        | SayContent::WrongCode
        | SayContent::Expired
        | SayContent::Cancelled
        | SayContent::Undeliverable
        | SayContent::Failed => text.to_owned(),
    };
    SpokenSentence { tag: spoken.tag(), text }
}

/// Puts a space between the digits of a code.
fn apart(code: &str) -> String {
    let mut digits = String::new();
    for digit in code.chars() {
        if !digits.is_empty() {
            digits.push(' ');
        }
        digits.push(digit);
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every_content() -> Vec<SayContent<'static>> {
        let waits = [None, Some("07")]
            .into_iter()
            .flat_map(|code| [false, true].map(|again| SayContent::Waiting { code, again }));
        let done = [AskKind::Payment, AskKind::PaymentMethod, AskKind::Identity];
        waits
            .chain(done.map(SayContent::Fulfilled))
            .chain([
                SayContent::Sending,
                SayContent::HostedPage,
                SayContent::Working,
                SayContent::InDoubt,
                SayContent::Denied,
                SayContent::WrongCode,
                SayContent::Expired,
                SayContent::Cancelled,
                SayContent::Undeliverable,
                SayContent::Failed,
            ])
            .collect()
    }

    fn said(content: SayContent<'_>, spoken: TextLanguage) -> SpokenSentence {
        let language = spoken.tag().parse().unwrap();
        say(content, &language, &language)
    }

    #[test]
    fn say_is_one_short_sentence_without_symbols() {
        for spoken in TextLanguage::ALL {
            for content in every_content() {
                let SpokenSentence { tag, text } = said(content, spoken);
                assert_eq!(tag, spoken.tag());
                // Chinese, Japanese and Korean say the same in fewer characters.
                assert!((10..=180).contains(&text.chars().count()), "{text}");
                let marks = " ,.'-،、，。।\u{93C}\u{94D}";
                assert!(text.chars().all(|c| c.is_alphanumeric() || marks.contains(c)), "{text}");
                let stop = spoken.prompt().full_stop;
                assert!(text.ends_with(stop) && text.matches(stop).count() == 1, "{text}");
                assert_eq!(text.contains("0 7"), text.contains(char::is_numeric), "{text}");
            }
        }
    }

    #[test]
    fn say_differs_by_content_and_language() {
        let all = TextLanguage::ALL.into_iter().flat_map(|spoken| {
            // The two Portugueses share some sentences.
            let shared = if spoken == TextLanguage::PtBr { "pt-BR" } else { "" };
            let text = move |content| format!("{shared}{}", said(content, spoken).text);
            every_content().into_iter().map(text)
        });
        let mut texts: Vec<String> = all.collect();
        let count = texts.len();
        texts.sort_unstable();
        texts.dedup();
        assert_eq!(texts.len(), count);
    }

    #[test]
    fn say_with_a_code_names_its_digits_apart() {
        let content = SayContent::Waiting { code: Some("07"), again: false };
        for spoken in TextLanguage::ALL {
            assert!(said(content, spoken).text.contains(" 0 7"));
        }
    }
}
