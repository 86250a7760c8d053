//! The text of a message in the thread of a prompt: beside it, or after the customer's answer.

use super::bidi::isolated;
use super::gsm7::plain;
use super::prompt::filled;
use super::{TextLanguage, segments};
use domain::ask::CLAIMS;
use domain::card_name::CardName;
use domain::values::language::Language;

/// The fact that a message tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ThreadMessageKind {
    /// The customer paid.
    Paid,
    /// A card is kept on file.
    CardKept,
    /// Claims were shared.
    ClaimsShared,
    /// The card was declined, and the customer may try again.
    CardDeclined,
    /// The identity provider did not confirm, and the customer may try again.
    NotConfirmed,
    /// The processor declined or failed.
    Failed,
    /// The customer denied, and may still report "this is not me".
    Denied,
    /// The customer reported "this is not me".
    NotMe,
    /// Another number than the agent's was picked.
    WrongCode,
    /// The deadline passed.
    Expired,
    /// The requester withdrew the request.
    Cancelled,
    /// A tapped button no longer counts.
    Spent,
    /// The customer may deny a prompt whose own message has no button for it.
    WayOut,
}

impl ThreadMessageKind {
    /// Every fact.
    pub const ALL: [Self; 13] = [
        Self::Paid,
        Self::CardKept,
        Self::ClaimsShared,
        Self::CardDeclined,
        Self::NotConfirmed,
        Self::Failed,
        Self::Denied,
        Self::NotMe,
        Self::WrongCode,
        Self::Expired,
        Self::Cancelled,
        Self::Spent,
        Self::WayOut,
    ];
}

/// The content of a message.
#[derive(Clone, Copy)]
pub struct ThreadContent<'a> {
    /// The fact that the customer reads.
    pub kind: ThreadMessageKind,
    /// The heading of the prompt.
    pub asked: &'a str,
    /// The payee, as the customer knows it.
    pub payee: &'a str,
    /// The amount as the customer reads it; `None` where it is no payment.
    pub money: Option<&'a str>,
    /// The card that was used or kept; `None` where none is known.
    pub card: Option<&'a CardName>,
    /// The names of the claims that were shared, each of [`CLAIMS`].
    pub claims: &'a [&'a str],
    /// The transaction code; `None` without a success.
    pub code: Option<&'a str>,
    /// The time of the success; `None` without one.
    pub time: Option<&'a str>,
    /// The URL of the consent page, where the customer may go on; `None` where nothing is left to do.
    pub link: Option<&'a str>,
    /// Whether the message has the button "this is not me".
    pub asks_not_me: bool,
}

/// The text of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThreadTexts {
    /// The heading, at most 60 characters unless the amount alone is longer.
    pub title: String,
    /// The text below the heading.
    pub body: String,
    /// The message for a text-only channel, in one SMS segment.
    pub text: String,
}

/// The texts of one language, with `{payee}`, `{money}` and `{button}`.
pub(super) struct ThreadWords {
    pub(super) paid: &'static str,
    pub(super) card_kept: &'static str,
    pub(super) claims_shared: &'static str,
    pub(super) card_declined: &'static str,
    pub(super) denied: &'static str,
    pub(super) asks_not_me: &'static str,
    pub(super) not_me: &'static str,
    pub(super) spent: &'static str,
    pub(super) spent_hint: &'static str,
    /// Stands beside the buttons that deny.
    pub(super) way_out: &'static str,
}

/// Renders a message in the nearest language.
#[must_use]
pub fn thread(
    language: &Language,
    fallback: &Language,
    content: &ThreadContent<'_>,
) -> ThreadTexts {
    let spoken = TextLanguage::nearest(language, fallback);
    let (words, page) = (spoken.thread(), spoken.page());
    let fill = |template: &str| {
        let money = isolated(spoken, content.money.unwrap_or_default());
        let payee = isolated(spoken, content.payee);
        let values = [("payee", &*payee), ("money", &*money), ("button", page.not_me)];
        filled(template, &values)
    };
    let (title, hint) = match content.kind {
        ThreadMessageKind::Paid => return receipt(spoken, &fill(words.paid), content),
        ThreadMessageKind::CardKept => return receipt(spoken, words.card_kept, content),
        ThreadMessageKind::ClaimsShared => return receipt(spoken, words.claims_shared, content),
        ThreadMessageKind::CardDeclined => (words.card_declined, page.refused.to_owned()),
        ThreadMessageKind::NotConfirmed => (page.failed, page.refused_identity.to_owned()),
        ThreadMessageKind::Failed => (page.failed, page.failed_hint.to_owned()),
        ThreadMessageKind::Denied if content.asks_not_me => {
            (page.denied, format!("{} {}", words.denied, fill(words.asks_not_me)))
        }
        ThreadMessageKind::Denied => (page.denied, words.denied.to_owned()),
        ThreadMessageKind::NotMe => (page.denied, fill(words.not_me)),
        ThreadMessageKind::WrongCode => (page.wrong_code, page.wrong_code_hint.to_owned()),
        ThreadMessageKind::Expired => (page.expired, page.expired_hint.to_owned()),
        ThreadMessageKind::Cancelled => (page.cancelled, page.cancelled_hint.to_owned()),
        ThreadMessageKind::Spent => (words.spent, words.spent_hint.to_owned()),
        ThreadMessageKind::WayOut => (content.asked, words.way_out.to_owned()),
    };
    let payee = isolated(spoken, content.payee);
    let stop = spoken.prompt().full_stop;
    let end = content.link.map(|link| format!(" {link}")).unwrap_or_default();
    // A text has no buttons.
    let said = if content.kind == ThreadMessageKind::Denied { words.denied } else { &hint };
    let (short, long) = (plain(title), plain(said));
    let variants = [
        format!("{payee}: {long}{end}"),
        format!("{long}{end}"),
        format!("{payee}: {short}{stop}{end}"),
        format!("{short}{stop}{end}"),
    ];
    ThreadTexts { title: title.to_owned(), body: hint, text: one_segment(&variants) }
}

/// Writes what was done, with the card, the time and the transaction code.
fn receipt(spoken: TextLanguage, done: &str, content: &ThreadContent<'_>) -> ThreadTexts {
    let page = spoken.page();
    let named = |claim: &&str| {
        let known = CLAIMS.iter().zip(page.claims).find(|(known, _)| *known == claim);
        known.map(|(_, name)| name)
    };
    let claims: Vec<&str> = content.claims.iter().filter_map(named).collect();
    let stop = spoken.prompt().full_stop;
    let own = |text: String| isolated(spoken, &text).into_owned();
    let code = own(content.code.unwrap_or_default().to_owned());
    let code = format!("{}: {code}", page.transaction_code);
    let payee = &*isolated(spoken, content.payee);
    let dotted = content.card.and_then(CardName::dotted).map(own);
    let spelt = content.card.and_then(CardName::plain).map(own);
    let labelled = |label: &str, text: &str| format!("{label}: {text}");
    let (to, card) = match content.kind {
        ThreadMessageKind::CardKept => (payee.to_owned(), dotted),
        ThreadMessageKind::Paid
        | ThreadMessageKind::ClaimsShared
        | ThreadMessageKind::CardDeclined
        | ThreadMessageKind::NotConfirmed
        | ThreadMessageKind::Failed
        | ThreadMessageKind::Denied
        | ThreadMessageKind::NotMe
        | ThreadMessageKind::WrongCode
        | ThreadMessageKind::Expired
        | ThreadMessageKind::Cancelled
        | ThreadMessageKind::Spent
        | ThreadMessageKind::WayOut => {
            (labelled(page.payee, payee), dotted.map(|card| labelled(page.pays_with, &card)))
        }
    };
    let claims = (!claims.is_empty()).then(|| claims.join(", "));
    let time = content.time.map(|time| own(time.to_owned()));
    let plain_time = time.as_deref().map(plain);
    let lines = [Some(to), claims, card, time, Some(code.clone())];
    let body = lines.into_iter().flatten().collect::<Vec<_>>().join("\n");
    let spelt = spelt.as_deref();
    let parts = |parts: &[Option<&str>]| {
        let parts: Vec<&str> = parts.iter().copied().flatten().collect();
        parts.join(", ")
    };
    let (short, plain_code) = (plain(done), plain(&code));
    let done_text = Some(short.as_str());
    let variants = [
        format!(
            "{payee}: {}{stop} {plain_code}",
            parts(&[done_text, spelt, plain_time.as_deref()])
        ),
        format!("{payee}: {}{stop} {plain_code}", parts(&[done_text, spelt])),
        format!("{payee}: {short}{stop} {plain_code}"),
        format!("{short}{stop} {plain_code}"),
    ];
    ThreadTexts { title: done.to_owned(), body, text: one_segment(&variants) }
}

/// Returns the first variant in one segment, else in two, or the last.
fn one_segment(variants: &[String]) -> String {
    let fits = |most| variants.iter().find(|text| segments(text) <= most);
    fits(1).or_else(|| fits(2)).or(variants.last()).cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests;
