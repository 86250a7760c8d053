//! An attacker with the table's write rights, who lacks the consent key, the link key and the private sealing keys.
//!
//! Between two steps, the attacker writes or puts back items, and queues messages. What must hold then is in `oracle/approvals.rs`.

use std::sync::Arc;
use std::time::Duration;

use domain::ask::{Ask, AskHash};
use domain::brand::Mode;
use domain::consent::{ApprovalMethod, Consent};
use domain::message::{Message, Step};
use domain::request::{PromptRecord, Request, State};
use domain::values::id::RequestId;
use domain::values::money::Money;
use http::HeaderMap;
use ports::{Expect, Item, Key, Write};
use records::saved_cards;
use records::saved_cards::SavedCard;
use records::storage::{LinkTarget, decode, encode, put_link};

use super::customer::{browser_headers, nonce};
use super::environment::Environment;
use super::plan::{Failure, Plan};
use super::ports::block_on;
use super::scenario::Choice;
use super::work::{Work, WorkFuture, WorkResult};
use super::world::Simulation;

/// The most items that the attacker remembers.
const ITEMS_MAX: usize = 160;
/// One of so many seeds has an attacker, who acts in one of so many steps.
const SEEDS: u64 = 5;
const STEPS: u64 = 12;
/// How often the attacker acts days after all has ended.
const FORGERIES_AT_THE_END: usize = 4;
/// A token that the attacker made up.
const TOKEN: &str = "AAAAAAAAAAAAAAAAAAAAAA";

/// What the attacker does.
const FORGERIES: &[Choice] = &[
    (3, "an attacker alters what is asked", |world| world.alters(alter_ask)),
    (1, "an attacker turns a request to another customer", |world| world.alters(turn)),
    (3, "an attacker writes a consent", |world| world.alters(write_consent)),
    (3, "an attacker alters a consent", |world| world.alters(alter_consent)),
    (3, "an attacker swaps authorizations", |world| world.alters(swap_authorizations)),
    (3, "an attacker puts back an approval", |world| world.alters(put_back_approval)),
    (2, "an attacker swaps prompts", |world| world.alters(swap_prompts)),
    (2, "an attacker changes counters", |world| world.alters(change_counters)),
    (3, "an attacker puts back an item", Simulation::puts_back),
    (1, "an attacker moves an item", Simulation::moves_item),
    (2, "an attacker follows a link of their own", Simulation::follows_own_link),
    (1, "an attacker gives a saved card away", Simulation::gives_card_away),
    (2, "an attacker ties an id of their own", Simulation::ties_own_id),
];

/// The attacker's knowledge for one forgery.
struct ForgeryInput {
    /// Another request, or the same.
    other: Request,
    /// An older state of the request.
    old: Request,
    /// An older state of the other request.
    old_other: Request,
    /// A number that was drawn.
    roll: u64,
}

/// The items that an attacker has read.
#[derive(Default)]
pub(super) struct Attacker {
    items: Vec<Item>,
}

impl Environment {
    /// The attacker reads what is written.
    pub(super) fn attacker_reads(&mut self, writes: &[Write]) {
        let Some(attacker) = &mut self.attacker else { return };
        for write in writes {
            let Write::Put { item, .. } = write else { continue };
            // The processor's own books, and the customer's own phone.
            if ["SANDBOX#", "PHONE#"].iter().any(|other| item.key.pk.starts_with(other)) {
                continue;
            }
            if attacker.items.len() >= ITEMS_MAX {
                let place = self.rng.place(ITEMS_MAX);
                attacker.items.swap_remove(place);
            }
            attacker.items.push(item.clone());
        }
    }
}

fn consent_of(request: &mut Request) -> Option<&mut Consent> {
    match &mut request.state {
        State::Authorized { consent, .. } | State::Processing { consent, .. } => Some(consent),
        State::Pending | State::Prompted | State::Closed { .. } => None,
    }
}

/// Asks for more money, or for what another request asks, with the right hashes.
fn alter_ask(request: &mut Request, input: &ForgeryInput) {
    if let Ask::Payment { money, .. } = &mut request.ask
        && input.roll.is_multiple_of(2)
    {
        let more = Money::new(money.amount().saturating_add(60_000), money.currency());
        *money = more.unwrap_or(*money);
    } else {
        request.ask = input.other.ask.clone();
    }
    request.ask_hash = AskHash::of(request.id, &request.brand, &request.payee, &request.ask);
    let ask_hash = request.ask_hash.clone();
    if let Some(consent) = consent_of(request) {
        consent.ask_hash = ask_hash;
    }
}

fn turn(request: &mut Request, input: &ForgeryInput) {
    request.customer = input.other.customer.clone();
    request.address.clone_from(&input.other.address);
}

/// Writes a consent that this customer did not give, beside an authorization that a customer gave.
fn write_consent(request: &mut Request, input: &ForgeryInput) {
    let approvals = [&input.old_other, &input.other, &input.old];
    let Some((consent, sealed)) = approvals.into_iter().find_map(Request::approval) else { return };
    let (mut consent, sealed) = (consent.clone(), sealed.clone());
    consent.ask_hash = request.ask_hash.clone();
    if let Some(prompt) = request.prompts.last() {
        consent.prompt = prompt.id;
    }
    if input.roll.is_multiple_of(3) {
        consent.signature = None;
    }
    request.state = State::Authorized { consent, sealed };
}

fn alter_consent(request: &mut Request, input: &ForgeryInput) {
    let Some(consent) = consent_of(request) else { return };
    match input.roll % 4 {
        0 => consent.at = consent.at.after(Duration::from_secs(60)),
        1 => consent.method = ApprovalMethod::Page,
        2 => consent.code_matched = !consent.code_matched,
        _ => consent.signature = None,
    }
}

fn swap_authorizations(request: &mut Request, input: &ForgeryInput) {
    let theirs =
        [&input.other, &input.old_other, &input.old].into_iter().find_map(Request::approval);
    let (Some((_, theirs)), Some((consent, _))) = (theirs, request.approval()) else { return };
    let consent = consent.clone();
    request.state = State::Authorized { consent, sealed: theirs.clone() };
}

/// Puts a used approval back, with the attempts as they are, as they were, or without any.
fn put_back_approval(request: &mut Request, input: &ForgeryInput) {
    if input.old.approval().is_none() {
        return;
    }
    request.state = input.old.state.clone();
    match input.roll % 3 {
        0 => request.attempts.clear(),
        1 => request.attempts.clone_from(&input.old.attempts),
        _ => {}
    }
}

fn swap_prompts(request: &mut Request, input: &ForgeryInput) {
    let own = request.prompts.last().map(|prompt| prompt.id);
    let theirs = input.other.prompts.last().cloned();
    let (Some(own), Some(theirs)) = (own, theirs) else { return };
    match input.roll % 3 {
        0 => request.prompts.push(theirs),
        1 => request.prompts = vec![PromptRecord { id: own, ..theirs }],
        _ => request.prompts.clone_from(&input.old.prompts),
    }
}

fn change_counters(request: &mut Request, input: &ForgeryInput) {
    match input.roll % 8 {
        0 => request.attempts.clear(),
        1 => request.attempts_max = 99,
        2 => request.session_code = None,
        3 => request.expires_at = request.expires_at.after(Duration::from_secs(86_400)),
        4 => request.by_tap = true,
        5 => request.refunds.clear(),
        6 => request.state = State::Prompted,
        _ => {
            for attempt in &mut request.attempts {
                attempt.attempt_no = attempt.attempt_no.saturating_add(1);
            }
        }
    }
}

impl Simulation {
    /// Returns whether an attacker writes the table in this run.
    pub(super) const fn has_attacker(plan: &Plan) -> bool {
        plan.requests > 1 && plan.seed % SEEDS == SEEDS - 1
    }

    /// The attacker acts between two steps, in runs with an attacker.
    pub(super) fn attacker_acts(&mut self) {
        if self.shared.lock().attacker.is_some() && self.roll(STEPS) == 0 {
            self.choose(FORGERIES);
        }
    }

    /// The attacker comes back after days, when a processor has forgotten its idempotency keys.
    pub(super) fn attacker_returns(&mut self) -> Result<(), Failure> {
        if self.shared.lock().attacker.is_none() {
            return Ok(());
        }
        for _ in 0..FORGERIES_AT_THE_END {
            self.choose(FORGERIES);
            self.deliver();
            self.run_workers()?;
        }
        Ok(())
    }

    fn pick_request(&self) -> Option<RequestId> {
        let environment = &mut *self.shared.lock();
        let ids: Vec<RequestId> = environment.oracle.requests.keys().copied().collect();
        environment.rng.pick(&ids).copied()
    }

    fn stored(&self, id: RequestId) -> Option<(Item, Request)> {
        let key = Key { pk: format!("REQ#{id}"), sk: "REQ".to_owned() };
        let item = block_on(self.tables.store().read(&key)).ok()??;
        let request = decode(&item.body).ok()?;
        Some((item, request))
    }

    /// Returns a request as it was once. One that was approved is preferred.
    fn older(&self, id: RequestId) -> Option<Request> {
        let environment = &mut *self.shared.lock();
        let attacker = environment.attacker.as_ref()?;
        let of = |item: &&Item| item.key.sk == "REQ" && item.key.pk == format!("REQ#{id}");
        let known = attacker.items.iter().filter(of);
        let known: Vec<Request> = known.filter_map(|item| decode(&item.body).ok()).collect();
        let approved: Vec<&Request> =
            known.iter().filter(|request| request.approval().is_some()).collect();
        let is_chosen = environment.rng.happens(800);
        match environment.rng.pick(&approved).filter(|_| is_chosen) {
            Some(approved) => Some((*approved).clone()),
            None => environment.rng.pick(&known).cloned(),
        }
    }

    /// Returns an item that the attacker has seen, by how its key begins.
    pub(super) fn seen_by_attacker(&self, begins: &str) -> Option<Item> {
        let environment = &mut *self.shared.lock();
        let items = environment.attacker.as_ref()?.items.iter();
        let known: Vec<&Item> = items.filter(|item| item.key.pk.starts_with(begins)).collect();
        environment.rng.pick(&known).map(|item| (*item).clone())
    }

    pub(super) fn attacker_writes(&self, item: Item) {
        self.trace(|| format!("an attacker writes {:?}: {}", item.key, item.body));
        let written =
            block_on(self.tables.store().write(vec![Write::Put { item, expect: Expect::Any }]));
        self.trace(|| format!("... {written:?}"));
    }

    /// Writes a request as the attacker wants it, and often queues the message that has it used.
    fn alters(&mut self, forge: fn(&mut Request, &ForgeryInput)) {
        let (Some(id), Some(other)) = (self.pick_request(), self.pick_request()) else { return };
        let (Some((item, mut request)), Some((_, other))) = (self.stored(id), self.stored(other))
        else {
            return;
        };
        let old = self.older(id).unwrap_or_else(|| request.clone());
        let old_other = self.older(other.id).unwrap_or_else(|| other.clone());
        let before = request.clone();
        forge(&mut request, &ForgeryInput { other, old, old_other, roll: self.roll(24) });
        let Some(body) = encode(&request).ok().filter(|_| request != before) else { return };
        self.attacker_writes(Item { body, ..item });
        if self.roll(4) > 0 {
            self.queues_fetch(id);
        }
    }

    fn queues_fetch(&self, id: RequestId) {
        let fetch = Message::new(Step::Fetch, id);
        drop(block_on(self.tables.queue().send(&fetch, Duration::ZERO)));
    }

    /// Puts back an item as it was, of any kind. Its version is the newest, so that our functions go on from it.
    fn puts_back(&mut self) {
        let old = {
            let environment = &mut *self.shared.lock();
            let Some(attacker) = &environment.attacker else { return };
            environment.rng.pick(&attacker.items).cloned()
        };
        let Some(old) = old else { return };
        let now = block_on(self.tables.store().read(&old.key)).ok().flatten();
        let version = now.map_or(old.version, |item| item.version);
        let id = old.key.pk.strip_prefix("REQ#").and_then(|id| id.parse().ok());
        self.attacker_writes(Item { version, ..old });
        if let Some(id) = id.filter(|_| self.roll(2) == 0) {
            self.queues_fetch(id);
        }
    }

    /// Writes a journal entry or a webhook of one request for another.
    fn moves_item(&mut self) {
        let Some(to) = self.pick_request() else { return };
        let item = {
            let environment = &mut *self.shared.lock();
            let Some(attacker) = &environment.attacker else { return };
            let parts = |item: &&Item| item.key.pk.starts_with("REQ#") && item.key.sk != "REQ";
            let parts: Vec<&Item> = attacker.items.iter().filter(parts).collect();
            environment.rng.pick(&parts).map(|item| (*item).clone())
        };
        let Some(mut item) = item else { return };
        item.key.pk = format!("REQ#{to}");
        self.attacker_writes(item);
    }

    /// Lets a token of their own lead to a prompt, and approves there, with the code that the table shows.
    fn follows_own_link(&mut self) {
        let Some((request, prompt)) = self.some_prompt() else { return };
        let (brand, id) = (request.brand.clone(), request.id);
        let target = LinkTarget { brand, request: id, prompt: prompt.id };
        let Ok(Write::Put { item, .. }) = put_link(TOKEN, &target, self.now()) else { return };
        self.attacker_writes(item);
        let stored = self.stored(id).map_or(request, |(_, stored)| stored);
        let code = stored.session_code.map(|session| session.code).unwrap_or_default();
        let (genuine, machine) = (self.token(prompt.id), Arc::clone(&self.machine));
        // The nonce of a page that the attacker may have seen.
        let sees = self.roll(2) == 0;
        let running: WorkFuture = Box::pin(async move {
            let page = machine.consent_callback.page();
            let from = if sees { genuine.as_str() } else { TOKEN };
            let opened = match page.open(from, "", &browser_headers()).await {
                Ok(opened) => opened,
                Err(problem) => return WorkResult::Answered(Err(problem)),
            };
            let nonce = nonce(&opened).unwrap_or_default();
            let body =
                format!("action=approve&card=pm_card_visa&session_code={code}&nonce={nonce}");
            WorkResult::Answered(page.submit(TOKEN, &HeaderMap::new(), body.as_bytes()).await)
        });
        self.employ(Work::Other("an attacker's approval"), running);
    }

    /// Gives one customer's saved card to another.
    fn gives_card_away(&mut self) {
        let (card, heir) = {
            let environment = &mut *self.shared.lock();
            let cards: Vec<_> =
                environment.oracle.cards().into_iter().map(|(_, card)| card).collect();
            let heirs: Vec<String> = environment
                .oracle
                .requests
                .values()
                .map(|seen| seen.request.address.clone())
                .collect();
            let (card, heir) = (environment.rng.pick(&cards), environment.rng.pick(&heirs));
            let (Some(card), Some(heir)) = (card.copied(), heir.cloned()) else { return };
            (card, heir)
        };
        let brand = self.keeper.now().name.clone();
        let store = self.tables.store();
        let Ok(Some(saved)) = block_on(saved_cards::load(store, &brand, Mode::Test, card)) else {
            return;
        };
        let saved = SavedCard { address: heir, ..saved };
        if let Ok(Write::Put { item, .. }) = saved_cards::put(&brand, Mode::Test, card, &saved) {
            self.attacker_writes(item);
        }
    }
}
