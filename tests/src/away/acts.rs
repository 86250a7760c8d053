//! The events of a run, one step at a time, and what must hold when everything has come to rest.

use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use consent_callback::{ApprovalPayload, CustomerReply, ReplyError, ReplySource};
use domain::authorization::{Credential, CredentialKind};
use domain::consent::ApprovalMethod;
use domain::keys;
use domain::message::{Message, MessageResult};
use domain::outcome::{DenialReason, Details, Outcome};
use domain::redirect_url::RedirectUrl;
use domain::request::State;
use domain::seal;
use domain::seal_binding::Binding;
use http::HeaderMap;
use ports::Clock;
use records::storage::VersionedRequest;
use sandbox::{Books, SandboxVisit};
use serde_json::json;

use super::outside::Faults;
use super::stories::{AT_THE_BANK, Gives};
use super::till::{BASE, Till, WEBHOOK_SECRET, finish, poll};
use crate::doubles::given_elsewhere;
use crate::standins::stripe;

/// The number of events until faults stop.
const STEPS: u64 = 240;
/// The most events after that.
const REST_MAX: u32 = 4_000;
/// The most workers at once.
const WORKERS_MAX: usize = 4;

type Running = Pin<Box<dyn Future<Output = Option<Message>> + Send>>;

/// Runs a story, and says how it ended.
pub(super) fn run(till: &Till) -> Result<String, String> {
    let mut run =
        Run { till, workers: Vec::new(), pages: Vec::new(), recent: Vec::new(), resting: false };
    run.work(till.answering(till.story.gives));
    for _ in 0..STEPS {
        run.step();
    }
    till.shared.lock().faults = Faults::default();
    run.resting = true;
    run.comes_to_rest()?;
    run.holds()
}

struct Run<'a> {
    till: &'a Till,
    workers: Vec<Running>,
    /// Every page that the customer was ever sent to: they are all still open in some tab.
    pages: Vec<String>,
    /// Messages that were handled.
    recent: Vec<Message>,
    /// Whether nothing goes wrong any more.
    resting: bool,
}

impl Run<'_> {
    fn roll(&self, bound: u64) -> u64 {
        self.till.shared.lock().rng.below(bound)
    }

    fn work(&mut self, running: Running) {
        self.workers.push(running);
    }

    fn step(&mut self) {
        match self.roll(20) {
            0..11 if !self.workers.is_empty() => self.turn(),
            0..15 => self.delivers(),
            15..18 => self.customer_acts(),
            18 => self.time_passes(),
            _ => {
                finish(self.till.wire.arrives());
            }
        }
    }

    /// Gives one worker a turn, or lets it die before.
    fn turn(&mut self) {
        let (place, dies) = {
            let outside = &mut *self.till.shared.lock();
            let often = outside.faults.crash;
            (outside.rng.place(self.workers.len()), outside.happens("a worker dies", often))
        };
        if place >= self.workers.len() {
            return;
        }
        let mut worker = self.workers.swap_remove(place);
        if dies {
            self.till.shared.lock().say(|| "a worker dies".to_owned());
            return;
        }
        match poll(worker.as_mut()) {
            Poll::Pending => self.workers.push(worker),
            Poll::Ready(Some(message)) => self.till.comes_again(message),
            Poll::Ready(None) => {}
        }
    }

    fn delivers(&mut self) {
        if self.workers.len() >= WORKERS_MAX {
            return;
        }
        let twice = !self.resting && self.roll(25) == 0;
        let message = match self.recent.last().filter(|_| twice) {
            Some(message) => Some(message.clone()),
            None => self.till.next_due(),
        };
        let Some(message) = message else { return self.time_passes() };
        self.till.shared.lock().say(|| format!("handles {:?}", message.parts()));
        self.recent.push(message.clone());
        // The queue keeps the message until it is handled, for the worker that follows one that died.
        let hidden = self.till.clock.now().after(Duration::from_secs(180));
        self.till.shared.lock().messages.push((hidden, message.clone()));
        let machine = Arc::clone(&self.till.machine);
        let shared = self.till.shared.clone();
        self.work(Box::pin(async move {
            let handled = machine.handle(&message).await;
            let messages = &mut shared.lock().messages;
            let own = messages.iter().position(|(due, kept)| *due == hidden && *kept == message);
            if let Some(own) = own {
                messages.swap_remove(own);
            }
            (handled == MessageResult::Again).then_some(message)
        }));
    }

    fn time_passes(&self) {
        let far = self.roll(40) == 0;
        let most = if far { 2_000 } else { 20 };
        let seconds = self.till.shared.lock().rng.between(1, most);
        self.till.clock.pass(Duration::from_secs(seconds));
        self.till.shared.lock().say(|| format!("{seconds} s pass"));
    }

    fn customer_acts(&mut self) {
        self.looks_where_to_go();
        match self.roll(12) {
            0..3 if self.is_asked() || self.roll(12) == 0 => {
                let gives = match self.roll(6) {
                    0 => Gives::Card("pm_card_visa"),
                    1 => Gives::Card(AT_THE_BANK),
                    2 => Gives::Hosted,
                    _ => self.till.story.gives,
                };
                self.work(self.till.answering(gives));
            }
            3 if self.roll(4) == 0 => self.work(self.till.declining()),
            3 => self.work(self.till.wanting_back()),
            4 => self.work(self.till.hearing()),
            5 | 6 => self.work(self.till.returning()),
            _ => self.visits(),
        }
    }

    /// Whether the customer is asked, and has not answered.
    fn is_asked(&self) -> bool {
        self.till.stored().is_some_and(|request| request.is_open_to_answers())
    }

    /// The customer learns of the page they are to go on to.
    fn looks_where_to_go(&mut self) {
        let Some(request) = self.till.stored() else { return };
        let Some(attempt) = request.open_attempt() else { return };
        let Some(redirect) = &attempt.redirect else { return };
        let binding = Binding::attempt(&request, attempt.attempt_no);
        let opened = seal::open(&self.till.brand, &binding, &redirect.sealed);
        let Ok(RedirectUrl(url)) = opened else { return };
        if !self.pages.contains(&url) {
            self.pages.push(url);
        }
    }

    /// The customer is at one of the pages they were ever sent to, and does something there.
    fn visits(&self) {
        let url = self.till.shared.lock().rng.pick(&self.pages).cloned();
        let Some(url) = url else { return };
        let form = match self.roll(8) {
            0 => None,
            1 => Some("card=pm_card_chargeDeclined&is_me=no"),
            _ => Some("card=pm_card_visa&is_me=yes"),
        };
        self.at(&url, form);
    }

    fn at(&self, url: &str, form: Option<&str>) {
        let id = url.rsplit('/').next().unwrap_or_default();
        let visit = SandboxVisit { id, form: form.map(str::as_bytes) };
        finish(self.till.pages.page(&visit)).ok();
        let outside = &mut *self.till.shared.lock();
        outside.counts("a customer is at the processor's page");
        outside.say(|| format!("at {url}: {form:?}"));
    }

    /// Ends the faults, then lets every worker finish and handles what is due until nothing is left.
    fn comes_to_rest(&mut self) -> Result<(), String> {
        for _ in 0..REST_MAX {
            if !self.workers.is_empty() {
                self.turn();
                continue;
            }
            self.looks_where_to_go();
            if self.till.stored().is_none_or(|request| request.is_closed()) {
                return Ok(());
            }
            let next = self.till.shared.lock().messages.iter().map(|(due, _)| *due).min();
            match next {
                Some(due) => self.till.clock.pass_until(due),
                None => return Err("C3: nothing is owed to a request that is open".to_owned()),
            }
            self.delivers();
        }
        Err("C3: it never comes to rest".to_owned())
    }

    /// What was told is what was done, then and for ever.
    fn holds(&mut self) -> Result<String, String> {
        let end = self.agrees()?;
        // Calls that have no caller any more arrive, and customers find the pages that they had left open.
        self.till.clock.pass(Duration::from_secs(4_000));
        while finish(self.till.wire.arrives()) {}
        for url in self.pages.clone() {
            self.at(&url, Some("card=pm_card_visa&is_me=yes"));
        }
        self.till.clock.pass(Duration::from_secs(10));
        let later = self.agrees().map_err(|broken| format!("much later: {broken}"))?;
        if end == later { Ok(end) } else { Err(format!("C4: {end} became {later}")) }
    }

    fn agrees(&self) -> Result<String, String> {
        let request = self.till.stored().ok_or("the request is gone")?;
        let State::Closed { outcome, .. } = &request.state else {
            return Err(format!("C3: it is {}", request.state_name()));
        };
        let (charges, cards) = match outcome {
            Outcome::Fulfilled { receipt: Details::Payment(receipt), .. } => {
                let asked = request.ask.money().map(|money| money.amount());
                if Some(receipt.amount) != asked {
                    return Err(format!("told of {} for {asked:?}", receipt.amount));
                }
                (1, 0)
            }
            Outcome::Fulfilled { receipt: Details::Card { .. }, .. } => (0, 1),
            Outcome::Fulfilled { receipt: Details::Claims(_), .. }
            | Outcome::Denied { .. }
            | Outcome::Expired
            | Outcome::Cancelled
            | Outcome::Undeliverable { .. }
            | Outcome::Failed { .. } => (0, 0),
        };
        let (told, books) = (Books { charges, cards, refunded: 0 }, self.till.books());
        // A card that was given while its customer never came back is not kept, and the processor still has it.
        let elsewhere = u32::try_from(given_elsewhere(&request)).unwrap_or(u32::MAX);
        let unkept = books.cards.saturating_sub(told.cards);
        if books == (Books { cards: books.cards, ..told })
            && unkept <= elsewhere
            && books.cards >= told.cards
        {
            return Ok(outcome.state_name().to_owned());
        }
        Err(format!(
            "C2: {} is told as {told:?}, and the books say {books:?}",
            outcome.state_name()
        ))
    }
}

impl Till {
    /// The customer says yes.
    pub(super) async fn answers(&self, gives: Gives) -> Result<VersionedRequest, ReplyError> {
        let payload = payload(gives);
        let given = ReplySource {
            request: self.request,
            prompt: self.prompt,
            method: ApprovalMethod::Page,
        };
        let answer = CustomerReply::Approve { session_code: None, payload };
        self.machine.consent_callback.approvals().record(given, &answer).await
    }

    fn answering(&self, gives: Gives) -> Running {
        self.saying(CustomerReply::Approve { session_code: None, payload: payload(gives) })
    }

    fn declining(&self) -> Running {
        self.saying(CustomerReply::Deny(DenialReason::Customer))
    }

    fn saying(&self, answer: CustomerReply) -> Running {
        let machine = Arc::clone(&self.machine);
        let prompt = self.stored().and_then(|request| {
            request.prompts.iter().rev().find(|prompt| prompt.in_force()).map(|prompt| prompt.id)
        });
        let prompt = prompt.unwrap_or(self.prompt);
        let given = ReplySource { request: self.request, prompt, method: ApprovalMethod::Page };
        self.shared.lock().say(|| format!("the customer says {answer:?}"));
        Box::pin(async move {
            machine.consent_callback.approvals().record(given, &answer).await.ok();
            None
        })
    }

    /// The customer is on our page again, and wants another way.
    fn wanting_back(&self) -> Running {
        let machine = Arc::clone(&self.machine);
        let token = keys::link_token(&self.brand.link_key, self.prompt);
        let hash = self.stored().map(|request| request.ask_hash);
        let nonce = hash.map(|hash| keys::page_nonce(&self.brand.link_key, self.prompt, &hash));
        let form = format!("nonce={}&action=back", nonce.unwrap_or_default());
        self.shared.lock().say(|| "the customer wants another way".to_owned());
        Box::pin(async move {
            let page = &machine.consent_callback;
            page.page().submit(&token, &HeaderMap::new(), form.as_bytes()).await.ok();
            None
        })
    }

    /// The customer comes back to our page in the browser that left.
    fn returning(&self) -> Running {
        let machine = Arc::clone(&self.machine);
        let token = keys::link_token(&self.brand.link_key, self.prompt);
        let value = keys::browser_token(&self.brand.link_key, self.request, self.prompt);
        let id = self.request;
        let cookie = format!("__Host-assent-{id}={value}; assent-{id}={value}");
        let mut headers = HeaderMap::new();
        if let Ok(cookie) = http::HeaderValue::from_str(&cookie) {
            headers.insert(http::header::COOKIE, cookie);
        }
        self.shared.lock().say(|| "the customer is back on our page".to_owned());
        Box::pin(async move {
            machine.consent_callback.page().open(&token, "done=1", &headers).await.ok();
            None
        })
    }

    /// Stripe tells that something happened, true or not.
    fn hearing(&self) -> Running {
        let machine = Arc::clone(&self.machine);
        let object = json!({ "metadata": { "request_id": self.request } });
        let event = json!({ "object": "event", "livemode": false, "data": { "object": object },
            "type": "checkout.session.completed" });
        let body = event.to_string();
        let header = stripe::signature(WEBHOOK_SECRET, self.clock.now(), body.as_bytes());
        let call = http::Request::post(format!("{BASE}/callbacks/shop/stripe"))
            .header("stripe-signature", header)
            .body(());
        self.shared.lock().say(|| "stripe tells of it".to_owned());
        Box::pin(async move {
            let Ok(call) = call else { return None };
            let (parts, ()) = call.into_parts();
            let heard = &machine.consent_callback;
            heard.receive("shop", "stripe", &parts, Bytes::from(body)).await.ok();
            None
        })
    }
}

fn payload(gives: Gives) -> ApprovalPayload {
    match gives {
        Gives::Hosted => ApprovalPayload::Hosted,
        Gives::Card(card) => ApprovalPayload::TestCard(card.to_owned()),
        Gives::Kept => ApprovalPayload::Empty,
        Gives::GooglePay => {
            let secret = r#"{"id":"tok_1A","object":"token","livemode":false}"#;
            ApprovalPayload::Wallet(Credential::new(CredentialKind::GooglePay, secret))
        }
    }
}
