//! The text of a prompt: payee, ask and amount, in one SMS segment where possible.

use super::bidi::isolated;
use super::{TextLanguage, gsm7, segments};
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
/// A text message folds them into the GSM alphabet, where folding accents is enough for that.
pub(super) struct Words {
    /// Ends a sentence.
    pub(super) full_stop: &'static str,
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

/// Fills the templates of one prompt, spelled as a channel takes them.
struct Template<'a> {
    spoken: TextLanguage,
    asks: &'static str,
    content: &'a PromptContent<'a>,
    /// Spells our own words and amounts. A payee stays as it is.
    spell: fn(&str) -> String,
}

impl Template<'_> {
    fn fill(&self, template: &str) -> String {
        let Self { spoken, asks, content, spell } = *self;
        let own = |value: Option<&str>| spell(&isolated(spoken, value.unwrap_or_default()));
        let payee = isolated(spoken, content.payee);
        let payee = if content.by_assistant {
            filled(&spell(spoken.prompt().assistant), &[("payee", &payee)])
        } else {
            payee.into_owned()
        };
        let (money, code) = (own(content.money), own(content.code));
        let values =
            [("payee", &*payee), ("asks", &spell(asks)), ("money", &money), ("code", &code)];
        filled(&spell(template), &values)
    }

    /// Fills the sentence of the ask, and names the card.
    fn sentence(&self, card: Option<String>) -> String {
        let words = self.spoken.prompt();
        let sentence = self.fill(match self.content.kind {
            AskKind::Payment => words.payment,
            AskKind::PaymentMethod => words.payment_method,
            AskKind::Identity => words.identity,
        });
        let Some(card) = card else { return sentence };
        let card = isolated(self.spoken, &card);
        format!("{sentence}{}", filled(&(self.spell)(words.with), &[("card", &card)]))
    }

    /// Fills the sentence that names the session code; empty without one.
    fn code(&self) -> String {
        let code = self.content.code.map(|_| self.fill(self.spoken.prompt().code));
        code.map(|sentence| format!(" {sentence}")).unwrap_or_default()
    }
}

fn written(spoken: TextLanguage, asks: &'static str, content: &PromptContent<'_>) -> PromptTexts {
    let (words, page) = (spoken.prompt(), spoken.page());
    let rich = Template { spoken, asks, content, spell: str::to_owned };
    let title = match content.kind {
        AskKind::Payment => words.title_payment,
        AskKind::PaymentMethod => words.title_payment_method,
        AskKind::Identity => words.title_identity,
    };
    let stop = words.full_stop;
    let pick = if content.picks { format!(" {}{stop}", page.pick_code) } else { String::new() };
    let tail = format!("{stop}{}{pick} {}", rich.code(), page.warning);
    let purpose = Purpose { spoken, label: page.purpose.to_owned(), text: content.description };
    let named = rich.sentence(content.card.and_then(CardName::dotted));
    PromptTexts {
        tag: spoken.tag(),
        title: rich.fill(title),
        body: body(&named, &purpose, &tail),
        text: text(&Template { spell: gsm7::plain, ..rich }),
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
    spoken: TextLanguage,
    label: String,
    text: &'a str,
}

impl Purpose<'_> {
    /// Returns the purpose in quotation marks and brackets, cut to `room`; `None` where too little would remain.
    fn quoted(&self, room: usize, cost: impl Fn(char) -> usize) -> Option<String> {
        // A quotation mark of its own would end the quotation.
        let is_mark =
            |c: char| "\"\u{201C}\u{201D}\u{201E}\u{201F}\u{AB}\u{BB}\u{2033}\u{FF02}".contains(c);
        let text: String = self.text.chars().map(|c| if is_mark(c) { '\'' } else { c }).collect();
        let isolates = isolated(self.spoken, &text).chars().count() - text.chars().count();
        let around = format!(" ({}: \"\")", self.label);
        let room = room.checked_sub(around.chars().map(&cost).sum())?.checked_sub(isolates)?;
        let text = shortened(&text, room, cost)?;
        Some(format!(" ({}: \"{}\")", self.label, isolated(self.spoken, &text)))
    }
}

fn body(sentence: &str, purpose: &Purpose<'_>, tail: &str) -> String {
    let taken = sentence.chars().count() + tail.chars().count();
    let purpose = purpose.quoted(BODY_MAX.saturating_sub(taken), |_| 1).unwrap_or_default();
    format!("{sentence}{purpose}{tail}")
}

/// Returns the first variant that fits one segment: with the warning and a purpose, before without.
///
/// A language outside the GSM alphabet has two segments, as a link leaves 18 characters of one. The page names the card
/// again, so a text that would need another segment for it leaves it out. Our own link comes before the requester's words,
/// so that the first link of the message is ours.
fn text(template: &Template<'_>) -> String {
    let Template { spoken, content, spell, .. } = *template;
    let (words, link) = (spoken.prompt(), content.link);
    let (stop, code) = (words.full_stop, template.code());
    let (answer, unexpected) = (spell(words.answer), spell(words.unexpected));
    let most = if gsm7::septets(&answer).is_some() { 1 } else { 2 };
    let shortest = |sentence: &str| format!("{sentence}{stop}{code} {answer} {link}");
    let named = template.sentence(content.card.and_then(CardName::plain));
    let is_short = segments(&shortest(&named)) <= most;
    let sentence = if is_short { named } else { template.sentence(None) };
    let warned = format!("{sentence}{stop}{code} {unexpected} {answer} {link}");
    let plain = shortest(&sentence);
    let description = if content.describes { content.description } else { "" };
    let folded = gsm7::folded(description).unwrap_or_default();
    let label = spell(spoken.page().purpose);
    let purpose = Purpose { spoken, label: label.clone(), text: &folded };
    let described = [&warned, &plain].into_iter().find_map(|message| {
        let room = gsm7::SEGMENT.checked_sub(gsm7::septets(message)?)?;
        let cost = |c| gsm7::cost(c).unwrap_or(gsm7::SEGMENT);
        Some(format!("{message}{}", purpose.quoted(room, cost)?))
    });
    let bare = || {
        let fits = |text: &&String| segments(text) <= most;
        [&warned, &plain].into_iter().find(fits).cloned()
    };
    described.or_else(bare).unwrap_or_else(|| {
        if most > 1 {
            return plain.clone();
        }
        let around = label.chars().count() + 7;
        let purpose = Purpose { spoken, label, text: description };
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
