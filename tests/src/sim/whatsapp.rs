//! WhatsApp: the fake behind the wire, what customers do in chats, and the webhooks of Meta and of forgers.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use bytes::Bytes;
use domain::consent::ApprovalMethod;
use domain::journal::EntryKind;
use domain::request::{PromptRecord, Request};
use domain::values::id::{PromptId, RequestId};
use domain::values::time::Timestamp;
use http::{HeaderMap, HeaderValue, Method};
use serde_json::{Value, json};

use super::brand::OTHER_APP_SECRET;
use super::customer::CustomerReply;
use super::environment::Environment;
use super::opt_outs::{KeywordReport, SenderIds};
use super::replays::ReplayableWebhook;
use super::requester::{PHONES, payment};
use super::scenario::Choice;
use super::webhooks::CallbackCall;
use super::work::{Work, WorkFuture, WorkResult};
use super::world::Simulation;
use crate::providers::whatsapp::{
    ButtonAction, CloudApi, Person, SentMessage, SignedCallback, posted, refusal, signature_by,
};
use crate::providers::{Answer, SECRET};
use crate::rng::Weights;

/// The channel's name.
pub(super) const NAME: &str = "whatsapp";
/// The most calls of Meta that are remembered before they are made.
const CALLBACKS_MAX: usize = 24;
/// Meta's error codes after it took a message: unknown number, closed chat, held back, no reason.
const FAILURES: [u32; 4] = [131_026, 131_047, 131_049, 131_053];
/// The last digits of a number without WhatsApp, which Meta rejects at once, and of one that fails later.
const NOT_ON_WHATSAPP: &str = "9001";
const LOST_ON_WHATSAPP: &str = "9004";

/// What happens on WhatsApp that is no answer to a prompt.
const ON_WHATSAPP: &[Choice] = &[
    (6, "answers in words", Simulation::answers_in_words),
    (2, "writes something", Simulation::writes_a_secret),
    (1, "an old word comes", Simulation::reports_old_keyword),
    (2, "a receipt of WhatsApp comes", Simulation::whatsapp_status_comes),
    (1, "a requester asks for capabilities", Simulation::looks_up),
    (3, "a webhook of Meta comes", Simulation::meta_webhook_comes),
];

/// What Meta reports of a message; `None` is a failure.
const STATUSES: &Weights<Option<&str>> =
    &[(5, Some("delivered")), (2, Some("read")), (2, Some("sent")), (1, None)];

/// Meta, with the brand's number on it.
#[derive(Default)]
pub(super) struct Meta {
    pub(super) cloud: CloudApi,
    /// Meta's callbacks that are not delivered yet.
    posts: Vec<MetaCallback>,
}

/// One call of Meta's.
#[derive(Clone, Debug)]
pub(super) struct MetaCallback {
    posted: SignedCallback,
    meaning: CallbackMeaning,
}

/// The meaning of a callback of Meta for the oracle.
#[derive(Clone, Debug)]
enum CallbackMeaning {
    /// A tap on one of our buttons.
    Answer,
    /// A tap on something that we did not write.
    Forged,
    /// A message's delivery status.
    Receipt,
    /// Words that are no answer, or an opt-out of an unknown sender.
    Words,
    /// An opt-out of that phone.
    Stop(KeywordReport),
    /// An opt-in of that phone.
    Start(KeywordReport),
}

impl Environment {
    /// Meta takes a call; some numbers have no WhatsApp.
    pub(super) fn at_meta(&mut self, request: &http::Request<Bytes>, now: Timestamp) -> Answer {
        let (parts, body) = request.clone().into_parts();
        let called = serde_json::from_slice::<Value>(&body).unwrap_or_default();
        let to = called.get("to").and_then(Value::as_str).unwrap_or_default();
        if to.ends_with(NOT_ON_WHATSAPP) {
            return refusal(400, 131_026, "Message undeliverable");
        }
        let free = called.get("type") == Some(&json!("interactive"));
        let delayed = self.faults.delayed.saturating_mul(2);
        // A chat that we think open is closed at Meta, which reported the customer's last message late.
        if free && self.rng.happens(delayed) {
            self.reached("found a chat on WhatsApp closed");
            return refusal(400, 131_047, "Re-engagement message");
        }
        let before = self.meta.cloud.sent().len();
        let beside = self.meta.cloud.thread_messages().len();
        let taken = catch_unwind(AssertUnwindSafe(|| {
            // A call that is not as documented panics.
            self.meta.cloud.answers(&parts, &body, now)
        }));
        let Ok((status, answer)) = taken else {
            self.oracle.broken.push("META: a call that is not documented".to_owned());
            return (400, Value::Null);
        };
        let sent = self.meta.cloud.sent();
        if let Some(message) = sent.get(before) {
            self.reached(match message.kind.as_str() {
                "button" => "asked by buttons on WhatsApp",
                "cta_url" => "asked by a link on WhatsApp",
                _ => "asked by a template on WhatsApp",
            });
            self.sends_to(&format!("+{}", message.to));
        }
        let followed = self.meta.cloud.thread_messages();
        if let Some(message) = followed.get(beside).filter(|message| is_way_out(message)) {
            self.reached("asked with a way out on WhatsApp");
            self.sends_to(&format!("+{}", message.to));
        }
        (status, answer)
    }

    pub(super) fn reached(&mut self, point: &'static str) {
        let count = self.oracle.reached.entry(point).or_default();
        *count = count.saturating_add(1);
    }
}

/// Returns the point that an event on WhatsApp reaches, if runs should reach it.
pub(super) fn reached(after: &Request, what: &EntryKind) -> Option<&'static str> {
    let here = |prompt: PromptId| {
        after.prompt(prompt).is_some_and(|prompt| prompt.channel.as_str() == NAME)
    };
    if let EntryKind::Approved { consent } = what {
        let point = match consent.method {
            ApprovalMethod::Tap => "said yes in a chat on WhatsApp",
            ApprovalMethod::Reply => "said yes in words on WhatsApp",
            ApprovalMethod::Page | ApprovalMethod::SandboxTap | ApprovalMethod::Paid => {
                "said yes by a link on WhatsApp"
            }
        };
        return here(consent.prompt).then_some(point);
    }
    let EntryKind::Denied { prompt: Some(prompt), .. } = what else { return None };
    here(*prompt).then_some("said no on WhatsApp")
}

/// Returns whether a message has the buttons that deny, and no others.
pub(super) fn is_way_out(message: &SentMessage) -> bool {
    message.labels() == ["Decline", "This is not me"]
}

/// The label of the button that means what the customer replies, if it is one that tells something.
fn label(reply: CustomerReply, code: Option<&str>) -> Option<&str> {
    match reply {
        CustomerReply::Yes | CustomerReply::WrongCode | CustomerReply::NoCode => {
            Some(code.unwrap_or("Approve"))
        }
        CustomerReply::No => Some("Decline"),
        CustomerReply::NotMe => Some("This is not me"),
        CustomerReply::Hosted | CustomerReply::MoreTime => None,
    }
}

impl Simulation {
    /// Returns a prompt's message on the customer's WhatsApp.
    fn whatsapp_message(&self, request: RequestId, prompt: PromptId) -> Option<SentMessage> {
        let reference = format!("{request}.{prompt}");
        let sent = self.shared.lock().meta.cloud.sent();
        sent.into_iter().find(|message| message.reference == reference)
    }

    /// Returns the address of the page behind a message's button, or in its text where no button is left.
    pub(super) fn whatsapp_link(&self, request: RequestId, prompt: PromptId) -> Option<String> {
        let message = self.whatsapp_message(request, prompt)?;
        let behind = message.buttons.iter().find_map(|button| match &button.action {
            ButtonAction::Open(url) => Some(url.clone()),
            ButtonAction::Reply(_) | ButtonAction::QuickReply(_) | ButtonAction::Call => None,
        });
        let written = || message.text.split_whitespace().find(|word| word.contains("/c/"));
        behind.or_else(|| written().map(str::to_owned))
    }

    /// The customer taps the button that means what they reply. Returns whether the tap is genuine, and `None` where
    /// there is no such button.
    pub(super) fn taps_on_whatsapp(
        &mut self,
        request: &Request,
        prompt: &PromptRecord,
        reply: CustomerReply,
        code: Option<&str>,
    ) -> Option<bool> {
        let own = self.whatsapp_message(request.id, prompt.id)?;
        let label = label(reply, code)?;
        let beside = self.shared.lock().meta.cloud.thread_messages();
        let beside = beside.into_iter().filter(is_way_out);
        let beside = beside.filter(|message| message.quotes.as_ref() == Some(&own.id));
        let has_button = |message: &SentMessage| message.labels().contains(&label);
        let message = [own.clone()].into_iter().chain(beside).find(has_button)?;
        let button = message.buttons.iter().find(|button| button.label == label)?;
        if !matches!(button.action, ButtonAction::Reply(_) | ButtonAction::QuickReply(_)) {
            return None;
        }
        let forged = self.plan.requests > 1 && self.roll(5) == 0;
        let who = self.person(&format!("+{}", message.to));
        let now = self.now();
        let mut tap = self.shared.lock().meta.cloud.taps(&who, &message, label, now);
        if forged {
            self.forge(&mut tap);
        }
        self.trace(|| {
            format!("{reply:?} by {label} to {reference}", reference = message.reference)
        });
        self.meta_reports(
            &[tap],
            if forged { CallbackMeaning::Forged } else { CallbackMeaning::Answer },
        );
        Some(!forged)
    }

    /// Returns the owner of that phone, now and then with a username that hides the number.
    fn person(&self, phone: &str) -> Person {
        let person = Person::at(phone);
        if self.plan.requests > 1 && self.roll(5) == 0 { person.with_username() } else { person }
    }

    /// Something happens on WhatsApp that is no answer to a prompt.
    pub(super) fn acts_on_whatsapp(&mut self) {
        self.choose(ON_WHATSAPP);
    }

    /// A customer writes words, which no worker may keep.
    fn writes_a_secret(&mut self) {
        let phone = self.shared.lock().rng.pick(&PHONES).copied().unwrap_or_default();
        self.writes_on_whatsapp(phone, SECRET);
    }

    /// The customer writes something on WhatsApp.
    pub(super) fn writes_on_whatsapp(&mut self, phone: &str, words: &str) {
        self.writes_at(phone, words, self.now());
    }

    /// Meta reports what a customer wrote at that time, or the button of another message that the customer tapped.
    pub(super) fn writes_at(&mut self, phone: &str, words: &str, at: Timestamp) {
        let who = self.person(phone);
        let ids = if who.has_username { SenderIds::Id } else { SenderIds::Both };
        let is_word = matches!(words, "STOP" | "START");
        let is_chosen = is_word && self.plan.requests > 1 && self.roll(3) == 0;
        let text = {
            let cloud = &self.shared.lock().meta.cloud;
            if is_chosen { cloud.chooses(&who, words, at) } else { cloud.writes(&who, words, at) }
        };
        let message = text.pointer("/messages/0/id").map(ToString::to_string).unwrap_or_default();
        let word = KeywordReport { phone: phone.to_owned(), written_at: Some(at), message, ids };
        let meaning = match words {
            "STOP" => CallbackMeaning::Stop(word),
            "START" => CallbackMeaning::Start(word),
            _ => CallbackMeaning::Words,
        };
        self.trace(|| format!("{phone} wrote {words} on WhatsApp at {at}, chosen {is_chosen}"));
        self.meta_reports(&[text], meaning);
    }

    /// A person says yes who is no customer of ours.
    pub(super) fn stranger_says_yes(&mut self, who: &Person) {
        let yes = self.shared.lock().meta.cloud.writes(who, "yes", self.now());
        self.trace(|| "a stranger said yes on WhatsApp".to_owned());
        self.meta_reports(&[yes], CallbackMeaning::Words);
    }

    /// Meta tells how messages fare: out of order, several at once, or never.
    fn whatsapp_status_comes(&mut self) {
        if self.happens(|faults| faults.receipt_lost) {
            return;
        }
        let now = self.now();
        let statuses: Vec<Value> = {
            let environment = &mut *self.shared.lock();
            let cloud = &environment.meta.cloud;
            let sent = [cloud.sent(), cloud.thread_messages()].concat();
            let count = environment.rng.between(1, 2);
            let statuses = (0..count).filter_map(|_| {
                let message = environment.rng.pick(&sent)?;
                let lost = message.to.ends_with(LOST_ON_WHATSAPP);
                let cloud = &environment.meta.cloud;
                let status = environment.rng.weighted(STATUSES).flatten();
                Some(match status {
                    _ if lost => cloud.fails(message, 131_026, now),
                    Some(status) => cloud.status(message, status, now),
                    None => {
                        let code = environment.rng.pick(&FAILURES).copied().unwrap_or_default();
                        cloud.fails(message, code, now)
                    }
                })
            });
            statuses.collect()
        };
        if !statuses.is_empty() {
            self.meta_reports(&statuses, CallbackMeaning::Receipt);
        }
    }

    /// A requester asks how a customer can be reached.
    fn looks_up(&mut self) {
        let phone = self.shared.lock().rng.pick(&PHONES).copied().unwrap_or_default();
        let body = json!({ "customer": { "phone": phone }, "ask": payment(4200) }).to_string();
        let headers = self.headers(None);
        let machine = Arc::clone(&self.machine);
        let running: WorkFuture = Box::pin(async move {
            WorkResult::Answered(machine.intake.capabilities(&headers, body.as_bytes()).await)
        });
        self.employ(Work::Other("look-up"), running);
    }

    /// Meta sends a webhook: at once where there is one request, otherwise now, later, twice or never.
    fn meta_reports(&mut self, values: &[Value], meaning: CallbackMeaning) {
        let post = MetaCallback { posted: posted(values), meaning };
        if self.plan.requests == 1 {
            return self.meta_calls(post);
        }
        let copies = self.roll(3);
        {
            let posts = &mut self.shared.lock().meta.posts;
            posts.extend((0..copies).map(|_| post.clone()));
            let forget = posts.len().saturating_sub(CALLBACKS_MAX);
            posts.drain(..forget);
        }
        if self.roll(2) == 0 {
            self.meta_calls(post);
        }
    }

    /// A webhook of Meta comes late or once more, or a forger sends it.
    fn meta_webhook_comes(&mut self) {
        let post = {
            let environment = &mut *self.shared.lock();
            let place = environment.rng.place(environment.meta.posts.len());
            let Some(post) = environment.meta.posts.get(place).cloned() else { return };
            if environment.rng.happens(600) {
                environment.meta.posts.swap_remove(place);
            }
            post
        };
        if self.roll(4) == 0 {
            self.forged_meta_callback_comes(&post);
        } else {
            self.meta_calls(post);
        }
    }

    pub(super) fn meta_calls(&mut self, post: MetaCallback) {
        self.remember_for_replay(ReplayableWebhook::Meta(post.clone()));
        let work = match post.meaning {
            CallbackMeaning::Answer => Work::Other("answer"),
            CallbackMeaning::Forged => Work::Forged,
            CallbackMeaning::Receipt => Work::Other("receipt"),
            CallbackMeaning::Words => Work::Other("words"),
            CallbackMeaning::Stop(_) | CallbackMeaning::Start(_) if self.is_opting() => return,
            CallbackMeaning::Stop(word) => {
                self.shared.lock().reached("wrote STOP on WhatsApp");
                self.opts_out_by(word)
            }
            CallbackMeaning::Start(word) => self.opts_in(word),
        };
        self.posts("shop", &post.posted.signature, &post.posted.body, work);
    }

    /// A forger's webhook, or one for another brand, must touch none of this brand's requests.
    fn forged_meta_callback_comes(&mut self, post: &MetaCallback) {
        let SignedCallback { body, signature } = &post.posted;
        let theirs = signature_by(OTHER_APP_SECRET, body.as_bytes());
        match self.roll(3) {
            0 => self.posts("shop", &theirs, body, Work::Unauthenticated),
            1 => self.posts("other", signature, body, Work::Unauthenticated),
            _ => self.posts("other", &theirs, body, Work::Forged),
        }
    }

    fn posts(&mut self, brand: &'static str, signature: &str, body: &str, work: Work) {
        let mut headers = HeaderMap::new();
        if let Ok(value) = HeaderValue::from_str(signature) {
            headers.insert("x-hub-signature-256", value);
        }
        self.trace(|| format!("Meta's word to {brand}: {body}"));
        let path = format!("/callbacks/{brand}/{NAME}");
        let body = Bytes::from(body.to_owned());
        self.posts_callback_with(
            CallbackCall { method: Method::POST, path, brand, headers, body },
            work,
        );
    }
}
