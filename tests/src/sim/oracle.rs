//! The oracle: sees everything that is committed and every charge, and says at once what no longer holds.

use std::collections::{BTreeMap, BTreeSet};

use domain::ask::Ask;
use domain::invariants;
use domain::journal::{EntryKind, JournalEntry};
use domain::outcome::{Details, Outcome};
use domain::request::{CancelRedirect, Request, State};
use domain::values::id::{CardId, RequestId};
use domain::values::time::Timestamp;
use domain::webhook::WebhookEvent;
use ports::{Item, Write};
use records::storage::decode;

use super::accounts::Circuit;
use super::endpoint::Endpoint;
use super::provider::Provider;
use super::refunds::misreported;
use super::stripe::{Charged, Stripe};
use crate::doubles::given_elsewhere;

/// A word within every secret of a customer or a processor: redirect URLs, codes, tokens, claims.
pub(super) const SECRET: &str = "sesame";
/// The same of the sandbox's: its pages, and its test cards.
const SANDBOX_SECRETS: [&str; 2] = ["/sandbox/checkout/", "pm_card_"];

/// Whether a text shows a secret (C6).
pub(super) fn shows_a_secret(text: &str) -> bool {
    text.contains(SECRET) || SANDBOX_SECRETS.iter().any(|secret| text.contains(secret))
}

/// What a requester reads, without the facts that a customer released to it: nowhere else may they be.
pub(super) fn besides_claims(body: &[u8]) -> String {
    let Ok(mut read) = serde_json::from_slice::<serde_json::Value>(body) else {
        return String::from_utf8_lossy(body).into_owned();
    };
    let identity = read.pointer_mut("/outcome/identity");
    if let Some(identity) = identity.and_then(serde_json::Value::as_object_mut) {
        identity.remove("claims");
    }
    read.to_string()
}

/// The oracle's record of one request.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The request as it was committed last.
    pub request: Request,
    /// Its version.
    pub version: u64,
    /// Its webhooks, in order.
    pub webhooks: BTreeMap<u32, WebhookEvent>,
}

/// The oracle, which checks C1 to C6.
#[derive(Default)]
pub struct Oracle {
    /// Every request there ever was.
    pub seen: BTreeMap<RequestId, Seen>,
    /// The requests whose customers really said yes, with all that a yes takes.
    pub approved: BTreeSet<RequestId>,
    /// The rules that no longer hold.
    pub broken: Vec<String>,
    /// How often each way was gone that a run should go.
    pub(super) payment_options: BTreeMap<&'static str, u64>,
    /// Which request each call of the requester made, or gave money back of.
    made: BTreeMap<String, RequestId>,
    /// The accounts and kinds of call that are known to be refused: until when, and since which step.
    pub(super) shut: BTreeMap<Circuit, (Timestamp, u64)>,
    /// The hosts that ever refused our key.
    pub(super) refused: BTreeSet<&'static str>,
}

/// The findings of one transaction.
#[derive(Default)]
pub(super) struct Noticed {
    /// The lines for the run's story.
    pub(super) lines: Vec<String>,
    /// The phones that a prompt is about to be sent to.
    pub(super) asked: Vec<String>,
}

/// The items of a transaction that are about requests.
#[derive(Default)]
struct Parts {
    request: Option<(Request, u64)>,
    events: Vec<JournalEntry>,
    webhooks: Vec<WebhookEvent>,
}

impl Oracle {
    fn breaks(&mut self, id: &str, what: impl std::fmt::Display) {
        self.broken.push(format!("{id}: {what}"));
    }

    /// Sees a transaction.
    pub(super) fn committed(
        &mut self,
        writes: &[Write],
        outside: (&Stripe, &Provider, &Endpoint),
        now: Timestamp,
    ) -> Noticed {
        let (stripe, provider, endpoint) = outside;
        let mut parts = Parts::default();
        let mut partition = None;
        for write in writes {
            let Write::Put { item, .. } = write else { continue };
            // The sandbox's ledger is the processor's own and holds its test cards.
            let ours = !item.key.pk.starts_with("SANDBOX#");
            let key = format!("{:?} {:?}", item.key, item.index);
            if ours && (shows_a_secret(&item.body) || shows_a_secret(&key)) {
                self.breaks("C6", format!("a secret lies open in {}", item.key.pk));
            }
            if let Some(id) = item.key.pk.strip_prefix("REQ#") {
                partition = id.parse().ok();
                self.read(item, &mut parts);
            }
        }
        let mut noticed = Noticed::default();
        if let Some((request, version)) = parts.request.take() {
            noticed.lines.push(format!(
                "commits {} v{version} {} {:?}",
                request.id,
                request.state_name(),
                parts.events.iter().map(|event| &event.what).collect::<Vec<_>>(),
            ));
            let sending =
                parts.events.iter().any(|event| matches!(event.what, EntryKind::Sending { .. }));
            noticed.asked.extend(sending.then(|| request.customer.phone.as_str().to_owned()));
            self.changed(request, version, &parts.events, (stripe, provider, now));
        }
        if let Some(id) = partition {
            for webhook in parts.webhooks {
                noticed.lines.push(format!("webhook {} of {id}: {:?}", webhook.seq, webhook));
                self.told(id, webhook, endpoint);
            }
        }
        noticed
    }

    fn read(&mut self, item: &Item, parts: &mut Parts) {
        let sk = item.key.sk.as_str();
        let read = if sk == "REQ" {
            decode(&item.body).map(|request| parts.request = Some((request, item.version)))
        } else if sk.starts_with("EVT#") {
            decode(&item.body).map(|event| parts.events.push(event))
        } else if sk == "CLAIMS" {
            // What was released is sealed; only the requester opens it.
            Ok(())
        } else {
            decode(&item.body).map(|webhook| parts.webhooks.push(webhook))
        };
        if read.is_err() {
            self.breaks("FORMAT", sk);
        }
    }

    fn changed(
        &mut self,
        after: Request,
        version: u64,
        events: &[JournalEntry],
        (stripe, provider, now): (&Stripe, &Provider, Timestamp),
    ) {
        let id = after.id;
        let before = self.seen.get(&id);
        let mut wrong: Vec<String> = Vec::new();
        let old = before.map(|seen| &seen.request);
        wrong.extend(invariants::broken(old, &after, events).into_iter().map(str::to_owned));
        if version != before.map_or(0, |seen| seen.version).saturating_add(1) {
            wrong.push("ORDER: a version was skipped or written twice".to_owned());
        }
        wrong.extend(unchained(old, &after, events));
        wrong.extend(miscounted(&after, (stripe, provider)));
        wrong.extend(old.and_then(|old| brought_twice(old, events)));
        wrong.extend(misreported(&after, events, (stripe, now)));
        let calls = old.is_none().then(|| after.session.id.clone());
        let known = old.map_or(0, |old| old.refunds.len());
        let reasons = after.refunds.iter().skip(known).filter_map(|new| new.reason.as_ref());
        for call in calls.into_iter().chain(reasons.map(|text| text.as_str().to_owned())) {
            if self.made.insert(call, id).is_some() {
                wrong.push("ONCE: one call was taken twice".to_owned());
            }
        }
        if after.approval().is_some() && !self.approved.contains(&id) {
            wrong.push("C1: a yes that no customer said".to_owned());
        }
        let late = |old: &Request| {
            let new = after.approval().filter(|_| old.approval().is_none());
            new.is_some_and(|(consent, _)| consent.at >= old.expires_at)
        };
        if old.is_some_and(late) {
            wrong.push("C1: a yes after the deadline".to_owned());
        }
        let payment_options = |event: &JournalEntry| {
            [option(&after, &event.what), super::whatsapp::option(&after, &event.what)]
        };
        for option in events.iter().flat_map(payment_options).flatten() {
            let count = self.payment_options.entry(option).or_default();
            *count = count.saturating_add(1);
        }
        let webhooks = self.seen.remove(&id).map(|seen| seen.webhooks).unwrap_or_default();
        self.seen.insert(id, Seen { request: after, version, webhooks });
        for what in wrong {
            self.breaks(&what, id);
        }
    }

    fn told(&mut self, id: RequestId, webhook: WebhookEvent, endpoint: &Endpoint) {
        let mut wrong = Vec::new();
        if webhook.delivered_at.is_some() && !endpoint.taken.contains_key(&webhook.id.to_string()) {
            wrong.push("C3: a webhook counts as delivered that was never taken");
        }
        let Some(seen) = self.seen.get_mut(&id) else { return };
        if let Some(before) = seen.webhooks.get(&webhook.seq) {
            if before.id != webhook.id || before.payload != webhook.payload {
                wrong.push("C3: a webhook changed");
            }
            if before.is_settled() {
                wrong.push("C3: a webhook that was settled is open again");
            }
        }
        seen.webhooks.insert(webhook.seq, webhook);
        for what in wrong {
            self.breaks(what, id);
        }
    }

    /// Sees a charge or a card kept: that happened just now.
    pub(super) fn charged(&mut self, charge: &Charged, stripe: &Stripe, now: Timestamp) {
        let mut wrong = Vec::new();
        let id = charge.request.parse::<RequestId>().ok();
        match id.and_then(|id| self.seen.get(&id)) {
            None => wrong.push("C1: a charge for an unknown request".to_owned()),
            Some(Seen { request, .. }) => {
                let asked = match &request.ask {
                    Ask::Payment { money, .. } => {
                        Some(Some((money.amount(), money.currency().code().to_owned())))
                    }
                    Ask::PaymentMethod { .. } => Some(None),
                    Ask::Identity { .. } => None,
                };
                if asked.as_ref() != Some(&charge.price) {
                    wrong.push("C1: something else was charged than asked".to_owned());
                }
                if !self.approved.contains(&request.id) {
                    wrong.push("C1: a charge without a yes".to_owned());
                }
                if !self.is_own_card(request, charge, stripe) {
                    wrong.push("C1: another card on file than this customer's".to_owned());
                }
                let acts_on = charge.session.as_ref().unwrap_or(&charge.object);
                let ours = request.open_attempt().is_some_and(|attempt| {
                    attempt.started_at().is_some_and(|at| at <= now)
                        && attempt.reference().is_some_and(|known| known.0 == *acts_on)
                });
                if !ours || !matches!(request.state, State::Processing { .. }) {
                    wrong.push(format!("C5: a charge in state {}", request.state_name()));
                }
            }
        }
        if stripe.charges_of(&charge.request) + stripe.kept_for(&charge.request) != 1 {
            wrong.push("C2: charged or kept twice".to_owned());
        }
        for what in wrong {
            self.breaks(&what, &charge.request);
        }
    }

    /// Whether a card on file is charged only for its own customer, and only where the request asks for it.
    fn is_own_card(&self, request: &Request, charge: &Charged, stripe: &Stripe) -> bool {
        let is_kept = |known: &&Charged| {
            known.price.is_none() && known.method == charge.method && charge.price.is_some()
        };
        let kept = stripe.charges.iter().find(is_kept);
        match (kept, request.ask.card()) {
            (None, None) => true,
            (None, Some(_)) | (Some(_), None) => false,
            (Some(kept), Some(asked)) => self.cards().iter().any(|(owner, card)| {
                *card == asked
                    && owner.id.to_string() == kept.request
                    && owner.customer.phone == request.customer.phone
            }),
        }
    }

    /// The cards that are on file, each with the request that put it there.
    pub(super) fn cards(&self) -> Vec<(&Request, CardId)> {
        let kept = self.seen.values().filter_map(|seen| match &seen.request.state {
            State::Closed {
                outcome: Outcome::Fulfilled { receipt: Details::Card { card, .. }, .. },
                ..
            } => Some((&seen.request, *card)),
            State::Closed { .. }
            | State::Pending
            | State::Prompted
            | State::Authorized { .. }
            | State::Processing { .. } => None,
        });
        kept.collect()
    }

    /// Lists what is not at rest: open requests, and webhooks that are neither delivered nor given up on.
    #[must_use]
    pub fn unsettled(&self) -> Vec<String> {
        let open = self.seen.values().filter(|seen| {
            let webhooks: Vec<WebhookEvent> = seen.webhooks.values().cloned().collect();
            !invariants::settled(&seen.request, &webhooks)
        });
        open.map(|seen| {
            let request = &seen.request;
            format!("C3: {} is {} and not settled", request.id, request.state_name())
        })
        .collect()
    }
}

/// Which way an event goes, if it is one that a run should go.
fn option(after: &Request, what: &EntryKind) -> Option<&'static str> {
    if let EntryKind::Fulfilled { .. } = what {
        return Some(match &after.ask {
            Ask::Payment { card: None, .. } => "paid",
            Ask::Payment { card: Some(_), .. } => "paid by a card on file",
            Ask::PaymentMethod { .. } => "kept a card",
            Ask::Identity { .. } => "released claims",
        });
    }
    let payment_options = [
        (matches!(what, EntryKind::Redirected { .. }), "redirected"),
        (matches!(what, EntryKind::Returned { .. }), "returned"),
        (
            matches!(what, EntryKind::RedirectCancelled { by: CancelRedirect::Customer, .. }),
            "redirect cancelled by the customer",
        ),
        (
            matches!(what, EntryKind::RedirectCancelled { by: CancelRedirect::Requester, .. }),
            "redirect cancelled by the requester",
        ),
        (matches!(what, EntryKind::AttemptReported { .. }), "reported"),
        (matches!(what, EntryKind::Refunded { .. }), "gave money back"),
        (matches!(what, EntryKind::RefundFailed { .. }), "could not give money back"),
        (
            matches!(what, EntryKind::AttemptFailed { code, .. } if code == "authentication_lost"),
            "lost a code",
        ),
        (matches!(what, EntryKind::AttemptFailed { code, .. } if code == "customer_left"), "left"),
    ];
    payment_options.into_iter().find_map(|(goes, option)| goes.then_some(option))
}

/// Whether a customer who has come back brings something in place of what they brought, which may be in use.
fn brought_twice(before: &Request, events: &[JournalEntry]) -> Option<String> {
    let back = before.open_attempt().is_some_and(|attempt| {
        attempt.redirect.as_ref().is_some_and(|redirect| redirect.returned_at().is_some())
    });
    let again = events.iter().any(|event| matches!(event.what, EntryKind::Returned { .. }));
    (back && again).then(|| "ONCE: a customer came back twice".to_owned())
}

/// Whether the events are a chain without a gap, and the request knows its end.
fn unchained(before: Option<&Request>, after: &Request, events: &[JournalEntry]) -> Option<String> {
    let mut seq = before.map_or(0, |before| before.entries);
    let mut chain = before.map_or_else(String::new, |before| before.chain.clone());
    for event in events {
        seq = seq.saturating_add(1);
        if event.seq != seq || event.previous != chain {
            return Some("CHAIN: an event is not behind the one before it".to_owned());
        }
        chain = event.hash();
    }
    let whole = seq == after.entries && chain == after.chain;
    (!whole).then(|| "CHAIN: the request does not know its last event".to_owned())
}

/// Whether the processor's books and ours agree on a closed request.
fn miscounted(after: &Request, (stripe, provider): (&Stripe, &Provider)) -> Option<String> {
    let State::Closed { outcome, .. } = &after.state else { return None };
    let id = after.id.to_string();
    let (charges, kept) = (stripe.charges_of(&id), stripe.kept_for(&id));
    let fulfilled = matches!(outcome, Outcome::Fulfilled { .. });
    let due = usize::from(fulfilled);
    let right = match &after.ask {
        Ask::Payment { .. } => (charges, kept) == (due, 0),
        // A card that was given in a browser that does not count stays at the processor, unused.
        Ask::PaymentMethod { .. } => {
            charges == 0 && (due..=due.saturating_add(given_elsewhere(after))).contains(&kept)
        }
        Ask::Identity { .. } => {
            (charges, kept) == (0, 0) && (!fulfilled || provider.exchanged(&id) > 0)
        }
    };
    let state = after.state_name();
    (!right).then(|| format!("C2: {state} with {charges} charges and {kept} cards kept"))
}
