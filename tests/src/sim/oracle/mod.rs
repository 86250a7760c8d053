//! The oracle: it sees each commit and each charge, and reports at once what no longer holds.

use std::collections::{BTreeMap, BTreeSet};

use domain::ask::Ask;
use domain::invariants;
use domain::journal::{EntryKind, JournalEntry};
use domain::outcome::{Details, Outcome};
use domain::request::{Request, State};
use domain::values::id::{CardId, PromptId, RequestId};
use domain::values::time::Timestamp;
use domain::webhook::WebhookEvent;
use ports::{Item, Write};
use records::storage::decode;

use self::approvals::{CustomerApprovals, second_authorization};
use self::ceilings::named_call;
use self::circuit_breakers::Circuit;
use self::erasure::Records;
use self::reached::reached;
use self::refunds::misreported;
use crate::doubles::orphaned_cards_max;
use crate::providers::endpoint::Endpoint;
use crate::providers::openid::OpenIdProvider;
use crate::providers::shows_a_secret;
use crate::providers::stripe::{ChargeRecord, Stripe};

mod adyen;
pub(super) mod approvals;
mod ceilings;
mod circuit_breakers;
pub(crate) mod entries;
mod erasure;
mod reached;
mod refunds;
mod statistics;
mod threads;

/// Returns what a requester reads, without the released claims, which may be nowhere else.
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

/// A request with its webhooks, as they were committed last.
#[derive(Clone, Debug)]
pub struct RequestRecord {
    /// The request as it was committed last.
    pub request: Request,
    /// Its version.
    pub version: u64,
    /// Its webhooks, in order.
    pub webhooks: BTreeMap<u32, WebhookEvent>,
}

/// The knowledge of the oracle.
#[derive(Default)]
pub struct Oracle {
    /// Each request that was ever committed.
    pub requests: BTreeMap<RequestId, RequestRecord>,
    /// The requests that customers really approved, with everything that an approval takes.
    pub approved: BTreeSet<RequestId>,
    /// The items that are stored now.
    pub(super) records: Records,
    /// What customers were shown, and each yes of theirs.
    pub(super) customer_approvals: CustomerApprovals,
    /// The rules that no longer hold.
    pub broken: Vec<String>,
    /// How often requests came to each point that runs should reach.
    pub(super) reached: BTreeMap<&'static str, u64>,
    /// The messages that followed an answer and arrived on a sandbox phone.
    arrived: BTreeSet<PromptId>,
    /// The request that each call made or refunded.
    made: BTreeMap<String, RequestId>,
    /// The accounts and kinds of call that are known to be refused: until when, and since which step.
    pub(super) open_circuits: BTreeMap<Circuit, (Timestamp, u64)>,
    /// The hosts that ever refused our key.
    pub(super) refused: BTreeSet<&'static str>,
}

/// The writes of one transaction.
#[derive(Default)]
pub(super) struct CommitReport {
    /// The lines of the log.
    pub(super) lines: Vec<String>,
    /// The phones that a prompt is about to be sent to.
    pub(super) asked: Vec<String>,
}

/// The items of a transaction that are about requests.
#[derive(Default)]
struct CommitParts {
    request: Option<(Request, u64)>,
    events: Vec<JournalEntry>,
    webhooks: Vec<WebhookEvent>,
}

/// The fakes at the time of a commit.
pub(super) struct FakeStates<'a> {
    pub(super) stripe: &'a Stripe,
    pub(super) provider: &'a OpenIdProvider,
    pub(super) endpoint: &'a Endpoint,
    pub(super) now: Timestamp,
}

impl Oracle {
    fn breaks(&mut self, id: &str, what: impl std::fmt::Display) {
        self.broken.push(format!("{id}: {what}"));
    }

    /// Checks a transaction.
    pub(super) fn committed(&mut self, writes: &[Write], fakes: &FakeStates<'_>) -> CommitReport {
        self.records.written(writes);
        let mut parts = CommitParts::default();
        let mut partition = None;
        for write in writes {
            let Write::Put { item, .. } = write else { continue };
            // The sandbox's ledger is the processor's own and holds its test cards.
            let ours = !item.key.pk.starts_with("SANDBOX#");
            let key = format!("{:?} {:?}", item.key, item.index);
            if ours && (shows_a_secret(&item.body) || shows_a_secret(&key)) {
                self.breaks("C6", format!("a secret lies open in {}", item.key.pk));
            }
            if item.key.pk.starts_with("PHONE#") {
                self.followed(item);
            }
            if let Some(id) = item.key.pk.strip_prefix("REQ#") {
                partition = id.parse().ok();
                self.read(item, &mut parts);
            }
        }
        let mut noticed = CommitReport::default();
        if let Some((request, version)) = parts.request.take() {
            let before = self.requests.get(&request.id).map(|seen| &seen.request);
            parts.events = entries::added(before, &request, std::mem::take(&mut parts.events));
            noticed.lines.push(format!(
                "commits {} v{version} {} {:?}",
                request.id,
                request.state_name(),
                parts.events.iter().map(|event| &event.what).collect::<Vec<_>>(),
            ));
            let sending =
                parts.events.iter().any(|event| matches!(event.what, EntryKind::Sending { .. }));
            noticed.asked.extend(sending.then(|| request.customer.phone.as_str().to_owned()));
            self.changed(request, version, &parts.events, fakes);
        }
        if let Some(id) = partition {
            for webhook in parts.webhooks {
                noticed.lines.push(format!("webhook {} of {id}: {:?}", webhook.seq, webhook));
                self.webhook_stored(id, webhook, fakes.endpoint);
            }
        }
        noticed
    }

    fn read(&mut self, item: &Item, parts: &mut CommitParts) {
        let sk = item.key.sk.as_str();
        let read = if sk == "REQ" {
            decode(&item.body).map(|request| parts.request = Some((request, item.version)))
        } else if sk.starts_with("EVT#") {
            decode(&item.body).map(|event| parts.events.push(event))
        } else if sk == "CLAIMS" {
            // The released claims, sealed: only the requester reads them.
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
        fakes: &FakeStates<'_>,
    ) {
        let id = after.id;
        self.customer_approvals.shows(&after, events);
        let before = self.requests.get(&id);
        let mut wrong: Vec<String> = Vec::new();
        let old = before.map(|seen| &seen.request);
        let known = before.map_or(0, |record| record.version);
        wrong.extend(broken_by_commit(old, known, &after, version, events));
        wrong.extend(miscounted(&after, fakes));
        wrong.extend(old.and_then(|old| second_authorization(old, events)));
        wrong.extend(misreported(&after, events, fakes));
        if old.is_none() {
            wrong.extend(self.exceeded(&after));
        }
        let calls = old.is_none().then(|| named_call(&after));
        let known = old.map_or(0, |old| old.refunds.len());
        let reasons = after.refunds.iter().skip(known).filter_map(|new| new.reason.as_ref());
        for call in calls.into_iter().chain(reasons.map(|text| text.as_str().to_owned())) {
            if self.made.insert(call, id).is_some() {
                wrong.push("ONCE: one call was taken twice".to_owned());
            }
        }
        if after.approval().is_some() && !self.approved.contains(&id) {
            wrong.push("C1: an approval that no customer gave".to_owned());
        }
        let late = |old: &Request| {
            let new = after.approval().filter(|_| old.approval().is_none());
            new.is_some_and(|(consent, _)| consent.at >= old.expires_at)
        };
        if old.is_some_and(late) {
            wrong.push("C1: a yes after the deadline".to_owned());
        }
        let points = |event: &JournalEntry| {
            [reached(&after, &event.what), super::whatsapp::reached(&after, &event.what)]
        };
        for point in events.iter().flat_map(points).flatten() {
            let count = self.reached.entry(point).or_default();
            *count = count.saturating_add(1);
        }
        let webhooks = self.requests.remove(&id).map(|seen| seen.webhooks).unwrap_or_default();
        self.requests.insert(id, RequestRecord { request: after, version, webhooks });
        for what in wrong {
            self.breaks(&what, id);
        }
    }

    fn webhook_stored(&mut self, id: RequestId, webhook: WebhookEvent, endpoint: &Endpoint) {
        let mut wrong = Vec::new();
        if webhook.delivered_at.is_some() && !endpoint.taken.contains_key(&webhook.id.to_string()) {
            wrong.push("C3: a webhook counts as delivered that the requester did not take");
        }
        let Some(seen) = self.requests.get_mut(&id) else { return };
        if let Some(before) = seen.webhooks.get(&webhook.seq) {
            let is_erased = webhook.payload == before.erased(webhook.due_at).payload;
            if before.id != webhook.id || (before.payload != webhook.payload && !is_erased) {
                wrong.push("C3: a webhook changed");
            }
            if before.is_settled() && !(is_erased && webhook.is_settled()) {
                wrong.push("C3: a webhook that was settled is open again");
            }
        }
        seen.webhooks.insert(webhook.seq, webhook);
        for what in wrong {
            self.breaks(what, id);
        }
    }

    /// Checks a charge or a saved card at the moment it happens.
    pub(super) fn charged(&mut self, charge: &ChargeRecord, stripe: &Stripe, now: Timestamp) {
        let mut wrong = Vec::new();
        let id = charge.request.parse::<RequestId>().ok();
        match id.and_then(|id| self.requests.get(&id)) {
            None => wrong.push("C1: a charge for an unknown request".to_owned()),
            Some(RequestRecord { request, .. }) => {
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
        wrong.extend(self.customer_approvals.explains_charge(charge, stripe));
        let unused = id.and_then(|id| self.requests.get(&id));
        let unused = unused.map_or(0, |seen| orphaned_cards_max(&seen.request));
        let times = stripe.charges_of(&charge.request) + stripe.saved_cards_of(&charge.request);
        if !(1..=unused.saturating_add(1)).contains(&times) {
            wrong.push("C2: charged or kept twice".to_owned());
        }
        for what in wrong {
            self.breaks(&what, &charge.request);
        }
    }

    /// Returns whether a saved card is charged only for its owner and only where the request names it.
    fn is_own_card(&self, request: &Request, charge: &ChargeRecord, stripe: &Stripe) -> bool {
        let is_kept = |known: &&ChargeRecord| {
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

    /// Returns the saved cards, each with the request that saved it.
    pub(super) fn cards(&self) -> Vec<(&Request, CardId)> {
        let on_file = self.requests.values().filter(|seen| seen.request.erased_at.is_none());
        let kept = on_file.filter_map(|seen| match &seen.request.state {
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

    /// Returns what is not settled: open requests, and webhooks neither delivered nor given up on.
    #[must_use]
    pub fn unfinished(&self) -> Vec<String> {
        let open = self.requests.values().filter(|seen| {
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

/// Returns what a commit breaks by itself: an invariant, the order of versions or the chain of events.
pub(crate) fn broken_by_commit(
    before: Option<&Request>,
    version_before: u64,
    after: &Request,
    version: u64,
    events: &[JournalEntry],
) -> Vec<String> {
    let broken = invariants::broken(before, after, events);
    let mut broken: Vec<String> = broken.into_iter().map(str::to_owned).collect();
    if version != version_before.saturating_add(1) {
        broken.push("ORDER: a version was skipped or written twice".to_owned());
    }
    broken.extend(unchained(before, after, events));
    broken
}

/// Returns the message when the events are no chain without a gap, or the request does not know its end.
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

/// Returns the message when the processor's books and ours differ on a closed request.
fn miscounted(after: &Request, fakes: &FakeStates<'_>) -> Option<String> {
    let FakeStates { stripe, provider, .. } = fakes;
    let State::Closed { outcome, .. } = &after.state else { return None };
    let id = after.id.to_string();
    let (charges, kept) = (stripe.charges_of(&id), stripe.saved_cards_of(&id));
    let fulfilled = matches!(outcome, Outcome::Fulfilled { .. });
    let due = usize::from(fulfilled);
    let right = match &after.ask {
        // Adyen's books are compared once all its webhooks came.
        Ask::Payment { .. } if after.processor.as_str() == "adyen" => true,
        Ask::Payment { .. } => (charges, kept) == (due, 0),
        // A card that was given in a browser that does not count stays at the processor, unused.
        Ask::PaymentMethod { .. } => {
            charges == 0 && (due..=due.saturating_add(orphaned_cards_max(after))).contains(&kept)
        }
        Ask::Identity { .. } => {
            (charges, kept) == (0, 0) && (!fulfilled || provider.exchanged(&id) > 0)
        }
    };
    let state = after.state_name();
    (!right).then(|| format!("C2: {state} with {charges} charges and {kept} cards kept"))
}
