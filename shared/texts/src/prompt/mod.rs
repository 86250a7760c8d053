//! The text of a prompt: payee, ask and amount, in one SMS segment where possible.

use super::{TextLanguage, gsm7};
use domain::ask::AskKind;
use domain::card_name::CardName;
use domain::values::language::Language;
use ports::Labels;

/// The shortest description, in characters, that still says something. A shorter one is omitted.
const TELLING: usize = 8;
/// The most characters of a description in a text of several segments.
const DESCRIPTION_MAX: usize = 60;
/// The longest body of a channel, in characters.
const BODY_MAX: usize = 400;

/// The content of a prompt.
#[derive(Clone, Copy)]
pub struct PromptContent<'a> {
    /// The payee, as the customer knows it.
    pub payee: &'a str,
    /// Whether an AI agent of the payee asks. The customer reads so.
    pub by_assistant: bool,
    /// The amount as the customer reads it; `None` where it is no payment.
    pub money: Option<&'a str>,
    /// The saved card that a yes charges; `None` where the ask names none.
    pub card: Option<&'a CardName>,
    /// The purpose, in the requester's words; may be empty.
    pub description: &'a str,
    /// Whether a text message quotes the purpose. Without it, only the page shows the purpose.
    pub describes: bool,
    /// The kind of ask.
    pub kind: AskKind,
    /// The URL of the consent page.
    pub link: &'a str,
    /// The session code, on a channel without a page.
    pub code: Option<&'a str>,
    /// Whether the buttons are three numbers, of which the customer picks the agent's.
    pub picks: bool,
}

/// The text of a prompt.
#[derive(Clone)]
pub struct PromptTexts {
    /// The tag of the text's language, which may differ from the requested one.
    pub tag: &'static str,
    /// The heading, at most 60 characters.
    pub title: String,
    /// The body without the link, at most 400 characters unless payee and amount alone are longer.
    pub body: String,
    /// The prompt for a text-only channel: it begins with the payee. Only the quoted purpose can follow the link.
    pub text: String,
    /// The labels of the buttons.
    pub labels: Labels,
}

/// The templates of one language, with `{payee}`, `{asks}`, `{money}` and `{code}`.
///
/// They use only the GSM alphabet.
pub(super) struct Words {
    pub(super) title_payment: &'static str,
    pub(super) title_payment_method: &'static str,
    pub(super) title_identity: &'static str,
    pub(super) payment: &'static str,
    pub(super) payment_method: &'static str,
    pub(super) identity: &'static str,
    /// Follows the amount, where the ask names a saved card.
    pub(super) with: &'static str,
    /// The payee, where its AI agent asks.
    pub(super) assistant: &'static str,
    pub(super) asks: &'static str,
    pub(super) still_asks: &'static str,
    pub(super) code: &'static str,
    pub(super) unexpected: &'static str,
    pub(super) answer: &'static str,
    pub(super) open: &'static str,
}

/// Renders the prompt in the nearest language.
#[must_use]
pub fn prompt(
    language: &Language,
    fallback: &Language,
    content: &PromptContent<'_>,
) -> PromptTexts {
    let spoken = TextLanguage::nearest(language, fallback);
    written(spoken, spoken.prompt().asks, content)
}

/// Renders the prompt as a reminder.
#[must_use]
pub fn reminder(
    language: &Language,
    fallback: &Language,
    content: &PromptContent<'_>,
) -> PromptTexts {
    let spoken = TextLanguage::nearest(language, fallback);
    written(spoken, spoken.prompt().still_asks, content)
}

fn written(spoken: TextLanguage, asks: &str, content: &PromptContent<'_>) -> PromptTexts {
    let (words, page) = (spoken.prompt(), spoken.page());
    let (title, sentence) = match content.kind {
        AskKind::Payment => (words.title_payment, words.payment),
        AskKind::PaymentMethod => (words.title_payment_method, words.payment_method),
        AskKind::Identity => (words.title_identity, words.identity),
    };
    let payee = if content.by_assistant {
        filled(words.assistant, &[("payee", content.payee)])
    } else {
        content.payee.to_owned()
    };
    let values = [
        ("payee", payee.as_str()),
        ("asks", asks),
        ("money", content.money.unwrap_or_default()),
        ("code", content.code.unwrap_or_default()),
    ];
    let sentence = filled(sentence, &values);
    let with = |card: Option<String>| match card {
        Some(card) => format!("{sentence}{}", filled(words.with, &[("card", &card)])),
        None => sentence.clone(),
    };
    let named = with(content.card.and_then(CardName::dotted));
    // The page names the card again, so a text that would need another segment for it leaves it out.
    let plain = with(content.card.and_then(CardName::plain));
    let code =
        content.code.map(|_| format!(" {}", filled(words.code, &values))).unwrap_or_default();
    let pick = if content.picks { format!(" {}.", page.pick_code) } else { String::new() };
    let tail = format!(".{code}{pick} {}", page.warning);
    PromptTexts {
        tag: spoken.tag(),
        title: filled(title, &values),
        body: body(&named, &Purpose { label: page.purpose, text: content.description }, &tail),
        text: text(spoken, [&plain, &sentence], &code, content),
        labels: Labels {
            approve: page.approve.to_owned(),
            deny: page.deny.to_owned(),
            not_me: page.not_me.to_owned(),
            open: words.open.to_owned(),
        },
    }
}

/// The requester's words, which a message quotes as such.
struct Purpose<'a> {
    label: &'static str,
    text: &'a str,
}

impl Purpose<'_> {
    /// Returns the purpose in quotation marks and brackets, cut to `room`; `None` where too little would remain.
    fn quoted(&self, room: usize, cost: impl Fn(char) -> usize) -> Option<String> {
        // A quotation mark of its own would end the quotation.
        let is_mark =
            |c: char| "\"\u{201C}\u{201D}\u{201E}\u{201F}\u{AB}\u{BB}\u{2033}\u{FF02}".contains(c);
        let text: String = self.text.chars().map(|c| if is_mark(c) { '\'' } else { c }).collect();
        let around = format!(" ({}: \"\")", self.label);
        let room = room.checked_sub(around.chars().map(&cost).sum())?;
        let text = shortened(&text, room, cost)?;
        Some(format!(" ({}: \"{text}\")", self.label))
    }
}

fn body(sentence: &str, purpose: &Purpose<'_>, tail: &str) -> String {
    let taken = sentence.chars().count() + tail.chars().count();
    let purpose = purpose.quoted(BODY_MAX.saturating_sub(taken), |_| 1).unwrap_or_default();
    format!("{sentence}{purpose}{tail}")
}

/// Returns the first variant that fits one segment: with the warning and a purpose, before without.
///
/// The first sentence is taken if any variant with it fits. Our own link comes before the requester's words, so that the
/// first link of the message is ours.
fn text(
    spoken: TextLanguage,
    [sentence, shorter]: [&str; 2],
    code: &str,
    content: &PromptContent<'_>,
) -> String {
    let (words, link) = (spoken.prompt(), content.link);
    let shortest = format!("{sentence}.{code} {} {link}", words.answer);
    let fits = gsm7::septets(&shortest).is_some_and(|septets| septets <= gsm7::SEGMENT);
    let sentence = if fits { sentence } else { shorter };
    let warned = format!("{sentence}.{code} {} {} {link}", words.unexpected, words.answer);
    let plain = format!("{sentence}.{code} {} {link}", words.answer);
    let text = if content.describes { content.description } else { "" };
    let folded = gsm7::folded(text).unwrap_or_default();
    let label = spoken.page().purpose;
    let purpose = Purpose { label, text: &folded };
    let described = [&warned, &plain].into_iter().find_map(|message| {
        let room = gsm7::SEGMENT.checked_sub(gsm7::septets(message)?)?;
        let cost = |c| gsm7::cost(c).unwrap_or(gsm7::SEGMENT);
        Some(format!("{message}{}", purpose.quoted(room, cost)?))
    });
    let bare = || {
        let fits =
            |text: &&String| gsm7::septets(text).is_some_and(|septets| septets <= gsm7::SEGMENT);
        [&warned, &plain].into_iter().find(fits).cloned()
    };
    described.or_else(bare).unwrap_or_else(|| {
        let purpose = Purpose { label, text };
        let around = label.chars().count() + 7;
        let purpose = purpose.quoted(DESCRIPTION_MAX + around, |_| 1).unwrap_or_default();
        format!("{warned}{purpose}")
    })
}

/// Cuts a description to `room`, with `...` at the cut; `None` when too little would remain.
fn shortened(text: &str, room: usize, cost: impl Fn(char) -> usize) -> Option<String> {
    let total: usize = text.chars().map(&cost).sum();
    if text.is_empty() {
        return None;
    }
    if total <= room {
        return Some(text.to_owned());
    }
    let mut left = room.checked_sub(3)?;
    let mut kept = String::new();
    for c in text.chars() {
        let Some(rest) = left.checked_sub(cost(c)) else { break };
        left = rest;
        kept.push(c);
    }
    let kept = kept.trim_end();
    (kept.chars().count() >= TELLING).then(|| format!("{kept}..."))
}

/// Fills a template in one pass, so that a value that looks like a placeholder stays as it is.
pub(super) fn filled(template: &str, values: &[(&str, &str)]) -> String {
    let mut text = String::with_capacity(template.len() + 64);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        let (name, behind) = after.split_once('}').unwrap_or((after, ""));
        text.push_str(
            values.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value),
        );
        rest = behind;
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests;
