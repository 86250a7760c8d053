//! WhatsApp in the world: Meta's stand-in behind the wire, and what customers do in their chats.
//!
//! Meta's callbacks come late, twice or never, and others call in Meta's place.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use bytes::Bytes;
use domain::ask::Ask;
use domain::consent::ApprovalMethod;
use domain::journal::EntryKind;
use domain::request::{PromptRecord, Request};
use domain::values::id::{PromptId, RequestId};
use domain::values::time::Timestamp;
use http::{HeaderMap, HeaderValue, Method};
use serde_json::{Value, json};

use super::acts::Wish;
use super::brand::OTHER_APP_SECRET;
use super::calls::{PHONES, payment};
use super::oracle::SECRET;
use super::outside::Outside;
use super::stripe::Answer;
use super::work::{End, Running, Work};
use super::world::World;
use crate::standins::whatsapp::{
    ButtonAction, CloudApi, Person, Posted, Sent, posted, refusal, signature_by,
};

/// The channel's name.
pub(super) const NAME: &str = "whatsapp";
/// The most calls of Meta that are remembered before they are made.
const POSTS_MAX: usize = 24;
/// The errors of a message after it was taken.
///
/// The number has no WhatsApp, the chat had closed, Meta held it back, or no reason is given.
const FAILURES: [u32; 4] = [131_026, 131_047, 131_049, 131_053];
/// The last digits of a number that has no WhatsApp, as Meta says at once.
///
/// The second constant is for a number of which Meta says so later.
const NOT_ON_WHATSAPP: &str = "9001";
const LOST_ON_WHATSAPP: &str = "9004";

/// Meta, with the brand's number on it.
#[derive(Default)]
pub(super) struct Chats {
    cloud: CloudApi,
    /// Meta's callbacks that are not delivered yet.
    posts: Vec<Post>,
}

/// One call of Meta's.
#[derive(Clone, Debug)]
struct Post {
    posted: Posted,
    told: Told,
}

/// The meaning of a callback of Meta for the oracle.
#[derive(Clone, Debug)]
enum Told {
    /// A tap on a button.
    Answer,
    /// A tap on something that we did not write.
    MadeUp,
    /// A message's delivery status.
    Receipt,
    /// Words that are no answer, or the STOP of a sender who may not be known.
    Words,
    /// A STOP from that phone.
    Stop(String),
    /// The same of a start.
    Start(String),
}

impl Outside {
    /// Meta takes a call; some numbers have no WhatsApp.
    pub(super) fn at_meta(&mut self, request: &http::Request<Bytes>, now: Timestamp) -> Answer {
        let (parts, body) = request.clone().into_parts();
        let called = serde_json::from_slice::<Value>(&body).unwrap_or_default();
        let to = called.get("to").and_then(Value::as_str).unwrap_or_default();
        if to.ends_with(NOT_ON_WHATSAPP) {
            return refusal(400, 131_026, "Message undeliverable");
        }
        let free = called.get("type") == Some(&json!("interactive"));
        let delayed = self.faults.delayed;
        // A chat that we think open is closed at Meta: of what the customer did last, it told us late.
        if free && self.rng.happens(delayed) {
            self.counts("found a chat on WhatsApp closed");
            return refusal(400, 131_047, "Re-engagement message");
        }
        let before = self.chats.cloud.sent().len();
        let taken = catch_unwind(AssertUnwindSafe(|| {
            // A call that is not as documented panics.
            self.chats.cloud.answers(&parts, &body, now)
        }));
        let Ok((status, answer)) = taken else {
            self.oracle.broken.push("META: a call that is not documented".to_owned());
            return (400, Value::Null);
        };
        let sent = self.chats.cloud.sent();
        if let Some(message) = sent.get(before) {
            self.counts(match message.kind.as_str() {
                "button" => "asked by buttons on WhatsApp",
                "cta_url" => "asked by a link on WhatsApp",
                _ => "asked by a template on WhatsApp",
            });
            self.sends_to(&format!("+{}", message.to));
        }
        (status, answer)
    }

    fn counts(&mut self, option: &'static str) {
        let count = self.oracle.payment_options.entry(option).or_default();
        *count = count.saturating_add(1);
    }
}

/// Which way an answer on WhatsApp goes that a run should go.
pub(super) fn option(after: &Request, what: &EntryKind) -> Option<&'static str> {
    let here = |prompt: PromptId| {
        after.prompt(prompt).is_some_and(|prompt| prompt.channel.as_str() == NAME)
    };
    if let EntryKind::Approved { consent } = what {
        let option = match consent.method {
            ApprovalMethod::Tap => "said yes in a chat on WhatsApp",
            ApprovalMethod::Reply => "said yes in words on WhatsApp",
            ApprovalMethod::Page | ApprovalMethod::SandboxTap | ApprovalMethod::Paid => {
                "said yes by a link on WhatsApp"
            }
        };
        return here(consent.prompt).then_some(option);
    }
    let EntryKind::Denied { prompt: Some(prompt), .. } = what else { return None };
    here(*prompt).then_some("said no on WhatsApp")
}

/// The label of the button that means what the customer wishes, if it is one that tells something.
fn label(wish: Wish, code: Option<&str>) -> Option<&str> {
    match wish {
        Wish::Yes | Wish::WrongCode | Wish::NoCode => Some(code.unwrap_or("Approve")),
        Wish::No => Some("Decline"),
        Wish::NotMe => Some("This is not me"),
        Wish::Hosted | Wish::MoreTime => None,
    }
}

impl World {
    /// What there is on the customer's WhatsApp of a prompt.
    fn chatted(&self, request: RequestId, prompt: PromptId) -> Option<Sent> {
        let reference = format!("{request}.{prompt}");
        let sent = self.shared.lock().chats.cloud.sent();
        sent.into_iter().find(|message| message.reference == reference)
    }

    /// The address of the page that a message on WhatsApp leads to, from a button or from its text.
    pub(super) fn chatted_link(&self, request: RequestId, prompt: PromptId) -> Option<String> {
        let message = self.chatted(request, prompt)?;
        let behind = message.buttons.iter().find_map(|button| match &button.action {
            ButtonAction::Open(url) => Some(url.clone()),
            ButtonAction::Reply(_) | ButtonAction::QuickReply(_) | ButtonAction::Call => None,
        });
        let written = || message.text.split_whitespace().find(|word| word.contains("/c/"));
        behind.or_else(|| written().map(str::to_owned))
    }

    /// Taps the button of a message on WhatsApp that means what the customer wishes. `None` means that it has no such
    /// button. Returns whether the customer tapped, since the call may be made up.
    pub(super) fn taps_in_chat(
        &mut self,
        request: &Request,
        prompt: &PromptRecord,
        (wish, code): (Wish, Option<&str>),
    ) -> Option<bool> {
        let message = self.chatted(request.id, prompt.id)?;
        let label = label(wish, code)?;
        let button = message.buttons.iter().find(|button| button.label == label)?;
        if !matches!(button.action, ButtonAction::Reply(_) | ButtonAction::QuickReply(_)) {
            return None;
        }
        let made_up = self.plan.requests > 1 && self.roll(5) == 0;
        let who = self.person(&format!("+{}", message.to));
        let now = self.now();
        let mut tap = self.shared.lock().chats.cloud.taps(&who, &message, label, now);
        if made_up {
            self.make_up(&mut tap);
        }
        self.say(|| format!("{wish:?} by {label} to {reference}", reference = message.reference));
        self.meta_tells(&[tap], if made_up { Told::MadeUp } else { Told::Answer });
        Some(!made_up)
    }

    /// Replaces the tap's postback with one that is not ours.
    fn make_up(&self, tap: &mut Value) {
        let roll = self.roll(3);
        let places = ["/messages/0/interactive/button_reply/id", "/messages/0/button/payload"];
        for place in places {
            let Some(postback) = tap.pointer_mut(place) else { continue };
            let ours = postback.as_str().unwrap_or_default();
            let text = match roll {
                0 => "Approve".to_owned(),
                1 => "0".repeat(ours.len()),
                // Another action with the proof of this one: the second byte says which.
                _ => ours
                    .char_indices()
                    .map(|(place, digit)| if place == 3 { flipped(digit) } else { digit })
                    .collect(),
            };
            *postback = json!(text);
        }
    }

    /// The customer who has that phone, now and then under a name that tells no number.
    fn person(&self, phone: &str) -> Person {
        let person = Person::at(phone);
        if self.plan.requests > 1 && self.roll(5) == 0 { person.with_username() } else { person }
    }

    /// Something happens on WhatsApp that is no answer to a prompt.
    pub(super) fn chats(&mut self) {
        match self.roll(12) {
            8.. => self.answers_in_words(),
            0 | 1 => {
                let phone = self.shared.lock().rng.pick(&PHONES).copied().unwrap_or_default();
                // A customer's words are not stored.
                self.writes_in_chat(phone, SECRET);
            }
            2..4 => self.chat_receipt(),
            4 => self.looks_up(),
            _ => self.hears_of_chats(),
        }
    }

    /// The customer answers in words, which mean what nothing else can be meant by when they are written.
    fn answers_in_words(&mut self) {
        let Some((request, _)) = self.some_prompt() else { return };
        let phone = request.customer.phone.as_str();
        let (words, now) = (if self.roll(4) > 0 { "yes" } else { "no" }, self.now());
        {
            let outside = &mut *self.shared.lock();
            let asked = |request: &Request| {
                let here = |prompt: &PromptRecord| prompt.channel.as_str() == NAME;
                let theirs = request.customer.phone.as_str() == phone;
                theirs && request.answerable(now).is_ok() && request.prompts.iter().any(here)
            };
            let seen = outside.oracle.seen.values().map(|seen| &seen.request);
            let open: Vec<&Request> = seen.filter(|seen| asked(seen)).collect();
            let only = match open.as_slice() {
                [only] if words == "yes" => Some(only),
                _ => None,
            };
            // No word moves money.
            let meant = only.filter(|only| !matches!(only.ask, Ask::Payment { .. }));
            let meant = meant.map(|only| only.id);
            outside.oracle.approved.extend(meant);
        }
        self.writes_in_chat(phone, words);
    }

    /// The customer writes something on WhatsApp.
    pub(super) fn writes_in_chat(&mut self, phone: &str, words: &str) {
        let who = self.person(phone);
        let now = self.now();
        let told = match words {
            // Who that is may not be known.
            "STOP" if who.has_username => Told::Words,
            "STOP" => Told::Stop(phone.to_owned()),
            "START" => Told::Start(phone.to_owned()),
            _ => Told::Words,
        };
        let text = self.shared.lock().chats.cloud.writes(&who, words, now);
        self.say(|| format!("{phone} writes {words} on WhatsApp"));
        self.meta_tells(&[text], told);
    }

    /// Meta tells how messages fare: out of order, several at once, or never.
    fn chat_receipt(&mut self) {
        if self.happens(|faults| faults.receipt_lost) {
            return;
        }
        let now = self.now();
        let statuses: Vec<Value> = {
            let outside = &mut *self.shared.lock();
            let sent = outside.chats.cloud.sent();
            let count = outside.rng.between(1, 2);
            let statuses = (0..count).filter_map(|_| {
                let message = outside.rng.pick(&sent)?;
                let lost = message.to.ends_with(LOST_ON_WHATSAPP);
                let cloud = &outside.chats.cloud;
                Some(match outside.rng.below(10) {
                    _ if lost => cloud.fails(message, 131_026, now),
                    0..5 => cloud.fares(message, "delivered", now),
                    5 | 6 => cloud.fares(message, "read", now),
                    7 | 8 => cloud.fares(message, "sent", now),
                    _ => {
                        let code = outside.rng.pick(&FAILURES).copied().unwrap_or_default();
                        cloud.fails(message, code, now)
                    }
                })
            });
            statuses.collect()
        };
        if !statuses.is_empty() {
            self.meta_tells(&statuses, Told::Receipt);
        }
    }

    /// A requester asks how a customer can be reached.
    fn looks_up(&mut self) {
        let phone = self.shared.lock().rng.pick(&PHONES).copied().unwrap_or_default();
        let body = json!({ "customer": { "phone": phone }, "ask": payment(4200) }).to_string();
        let headers = self.headers(None);
        let machine = Arc::clone(&self.machine);
        let running: Running = Box::pin(async move {
            End::Answered(machine.intake.capabilities(&headers, body.as_bytes()).await)
        });
        self.employ(Work::Other("look-up"), running);
    }

    /// Meta calls: at once where one request is all there is, and otherwise now, later, twice or never.
    fn meta_tells(&mut self, values: &[Value], told: Told) {
        let post = Post { posted: posted(values), told };
        if self.plan.requests == 1 {
            return self.meta_calls(post);
        }
        let copies = self.roll(3);
        {
            let posts = &mut self.shared.lock().chats.posts;
            posts.extend((0..copies).map(|_| post.clone()));
            let forget = posts.len().saturating_sub(POSTS_MAX);
            posts.drain(..forget);
        }
        if self.roll(2) == 0 {
            self.meta_calls(post);
        }
    }

    /// Delivers a callback of Meta late or once more, or one that an impostor made of the same event.
    fn hears_of_chats(&mut self) {
        let post = {
            let outside = &mut *self.shared.lock();
            let place = outside.rng.place(outside.chats.posts.len());
            let Some(post) = outside.chats.posts.get(place).cloned() else { return };
            if outside.rng.happens(600) {
                outside.chats.posts.swap_remove(place);
            }
            post
        };
        if self.roll(4) == 0 { self.impostor_calls(&post) } else { self.meta_calls(post) }
    }

    fn meta_calls(&mut self, post: Post) {
        let work = match post.told {
            Told::Answer => Work::Other("answer"),
            Told::MadeUp => Work::MadeUp,
            Told::Receipt => Work::Other("receipt"),
            Told::Words => Work::Other("words"),
            Told::Stop(_) | Told::Start(_) if self.is_opting() => return,
            Told::Stop(phone) => {
                self.shared.lock().counts("wrote STOP on WhatsApp");
                Work::Stop(phone)
            }
            Told::Start(phone) => self.opts_in(&phone),
        };
        self.posts(("shop", &post.posted.signature), &post.posted.body, work);
    }

    /// Calls as an impostor or for another brand, which says nothing about this brand's requests.
    fn impostor_calls(&mut self, post: &Post) {
        let Posted { body, signature } = &post.posted;
        let theirs = signature_by(OTHER_APP_SECRET, body.as_bytes());
        match self.roll(3) {
            0 => self.posts(("shop", &theirs), body, Work::Unheard),
            1 => self.posts(("other", signature), body, Work::Unheard),
            _ => self.posts(("other", &theirs), body, Work::MadeUp),
        }
    }

    fn posts(&mut self, (brand, signature): (&'static str, &str), body: &str, work: Work) {
        let mut headers = HeaderMap::new();
        if let Ok(value) = HeaderValue::from_str(signature) {
            headers.insert("x-hub-signature-256", value);
        }
        self.say(|| format!("Meta's word to {brand}: {body}"));
        let path = format!("/callbacks/{brand}/{NAME}");
        let body = Bytes::from(body.to_owned());
        self.calls_back_with((Method::POST, path, brand), headers, body, work);
    }
}

/// Another digit.
const fn flipped(digit: char) -> char {
    if digit == '0' { '1' } else { '0' }
}
