//! C1 to C7: what holds even if steps are duplicated, reordered, delayed, crashed or timed out.
//!
//! Pure predicates over a request before and after a change, cited by these ids in tests, logs and the README. C3 says
//! that every accepted request ends and the requester learns it. It is a promise about time: [`settled`] checks it at rest.
//! C7 is about all requests of a key: [`exceeded_ceiling`] checks it at each new one.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::api_key::{KeyLimit, KeySettings};
use crate::ask::{AskHash, AskKind};
use crate::consent::ApprovalMethod;
use crate::journal::{EntryKind, JournalEntry};
use crate::outcome::{Details, Outcome};
use crate::request::{AttemptEnd, Request, ReturnBrowser, State};
use crate::values::money::Currency;

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

/// The ids of the invariants a change breaks; none for a sound one.
#[must_use]
pub fn broken(
    before: Option<&Request>,
    after: &Request,
    entries: &[JournalEntry],
) -> Vec<&'static str> {
    let checks = [
        ("C1", consented(before, after, entries) && kept_by_the_customer(before, after)),
        ("C2", charged_once(after) && refunds_within_charge(after)),
        ("C4", stays_closed(before, after)),
        ("C5", no_call_once_closed(before, after)),
        ("C6", authorization_gone(after)),
    ];
    checks.into_iter().filter_map(|(id, holds)| (!holds).then_some(id)).collect()
}

/// C1: the call that moves money begins only under a consent to exactly this ask, given before the deadline.
fn consented(before: Option<&Request>, after: &Request, entries: &[JournalEntry]) -> bool {
    let starts = entries
        .iter()
        .any(|event| matches!(event.what, EntryKind::Started { .. } | EntryKind::Leased { .. }));
    if !starts {
        return true;
    }
    let exact = AskHash::of(after.id, &after.brand, &after.payee, &after.ask);
    let coded = after.session_code.is_some();
    before.and_then(Request::approval).is_some_and(|(consent, _)| {
        consent.ask_hash == exact
            && consent.at < after.expires_at
            && (consent.code_matched || !coded)
    })
}

/// C1: a card or claims are kept after a return in the browser that left, or with the session code.
fn kept_by_the_customer(before: Option<&Request>, after: &Request) -> bool {
    let kept = matches!(
        &after.state,
        State::Closed {
            outcome: Outcome::Fulfilled { receipt: Details::Card { .. } | Details::Claims(_), .. },
            ..
        }
    );
    let Some(before) = before.filter(|before| kept && !before.is_closed()) else { return true };
    let on_page =
        before.approval().is_some_and(|(consent, _)| consent.method == ApprovalMethod::Page);
    let redirect = before.open_attempt().and_then(|attempt| attempt.redirect.as_ref());
    redirect.filter(|_| on_page).is_none_or(|redirect| match redirect.browser {
        Some(ReturnBrowser::Same | ReturnBrowser::Confirmed) => true,
        Some(ReturnBrowser::Other) | None => false,
    })
}

/// C2: at most one attempt charged, and a new one only after those before it are known not to have.
fn charged_once(after: &Request) -> bool {
    let settled = after
        .attempts
        .iter()
        .rev()
        .skip(1)
        .all(|attempt| attempt.end() == Some(AttemptEnd::NotCharged));
    let charged =
        after.attempts.iter().filter(|attempt| attempt.end() == Some(AttemptEnd::Charged)).count();
    let fulfilled =
        matches!(&after.state, State::Closed { outcome: Outcome::Fulfilled { .. }, .. });
    settled && charged == usize::from(fulfilled)
}

/// C2 the other way round: no more is refunded than was charged.
fn refunds_within_charge(after: &Request) -> bool {
    let given = after.refunds.iter().filter(|refund| refund.counts());
    let given = given.fold(0_u64, |sum, refund| sum.saturating_add(refund.amount));
    given <= after.charge().map_or(0, |charge| charge.amount)
}

/// C4: a terminal state never changes.
fn stays_closed(before: Option<&Request>, after: &Request) -> bool {
    before.is_none_or(|before| !before.is_closed() || before.state == after.state)
}

/// C5: once closed without a yes, nothing happens at a processor.
fn no_call_once_closed(before: Option<&Request>, after: &Request) -> bool {
    let unanswered =
        before.is_none_or(|before| !before.is_closed() || before.attempts == after.attempts);
    let left_open = after.is_closed() && after.attempts.iter().any(|attempt| attempt.is_open());
    unanswered && !left_open
}

/// C6: a closed request holds no authorization, neither sealed nor as a redirect.
fn authorization_gone(after: &Request) -> bool {
    let kept = after.attempts.iter().any(|attempt| attempt.redirect.is_some());
    (after.approval().is_none() && !kept) || !after.is_closed()
}

/// Returns the limit of its key that a new request exceeds beside the earlier ones (C7). `None` is for a sound one.
///
/// It counts the requests themselves, and asks neither the key's usage nor any guard.
#[must_use]
pub fn exceeded_ceiling<'a>(
    key: &KeySettings,
    before: impl IntoIterator<Item = &'a Request>,
    new: &Request,
) -> Option<KeyLimit> {
    let kind = AskKind::of(&new.ask);
    if key.asks.as_ref().is_some_and(|asks| !asks.contains(&kind)) {
        return Some(KeyLimit::Asks);
    }
    if new.routes.iter().any(|channel| !key.may_use(channel)) {
        return Some(KeyLimit::Channels);
    }
    let money = new.ask.money();
    let most = |amounts: &Option<BTreeMap<Currency, u64>>| {
        let money = money?;
        amounts.as_ref().map(|amounts| amounts.get(&money.currency()).copied().unwrap_or(0))
    };
    let amount = money.map_or(0, |money| money.amount());
    if most(&key.amount_max).is_some_and(|most| amount > most) {
        return Some(KeyLimit::AmountMax);
    }
    let (hour, day) = (new.created_at.before(HOUR), new.created_at.before(DAY));
    let (mut asked, mut sum) = (1_u32, amount);
    for request in before {
        if request.created_at > hour {
            asked = asked.saturating_add(1);
        }
        let same = request.ask.money().filter(|other| {
            request.created_at > day
                && money.is_some_and(|money| money.currency() == other.currency())
        });
        sum = sum.saturating_add(same.map_or(0, |money| money.amount()));
    }
    if key.asks_per_hour.is_some_and(|most| asked > most) {
        return Some(KeyLimit::AsksPerHour);
    }
    most(&key.amount_per_day).is_some_and(|most| sum > most).then_some(KeyLimit::AmountPerDay)
}

/// C3, seen at rest: the request and its refunds ended, and each webhook event was delivered or openly abandoned.
#[must_use]
pub fn settled(request: &Request, webhooks: &[crate::webhook::WebhookEvent]) -> bool {
    let told = u32::try_from(webhooks.len()).is_ok_and(|count| count == request.webhooks);
    request.is_over()
        && told
        && webhooks.iter().all(|webhook| webhook.delivered_at.is_some() || webhook.given_up)
}
