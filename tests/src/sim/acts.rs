//! The acts of customers and their providers: taps, pages, receipts, STOP and START.

use std::sync::Arc;

use bytes::Bytes;
use domain::ask::Ask;
use domain::request::{PromptRecord, Request};
use domain::values::id::PromptId;
use http::{HeaderMap, HeaderValue, Method, Response, header};
use ports::MessagePath;
use serde_json::json;

use super::brand::BASE;
use super::texts::Text;
use super::whatsapp;
use super::work::{End, Running, Work};
use super::world::World;

/// A customer's act on a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Yes,
    /// Yes, and the rest on the processor's own page.
    Hosted,
    WrongCode,
    NoCode,
    No,
    NotMe,
    MoreTime,
}

const CARDS: [&str; 4] = [
    "pm_card_visa",
    "pm_card_visa_chargeDeclinedInsufficientFunds",
    "pm_card_visa_chargeDeclinedStolenCard",
    "pm_card_authenticationRequired",
];

impl World {
    pub(super) fn customer_acts(&mut self) {
        match self.roll(38) {
            30.. => self.chats(),
            0..10 => self.answers(),
            10..12 => {
                // Two taps, or two devices.
                self.answers();
                self.answers();
            }
            12 => self.message_limits(),
            13..21 => self.is_away(),
            21 => self.comes_back_again(),
            22..24 => self.hears(),
            24..28 => self.receipt(),
            28 if self.roll(5) == 0 => self.writes("STOP"),
            _ => {
                if self.roll(3) == 0 {
                    self.writes("START");
                } else {
                    self.receipt();
                }
            }
        }
    }

    /// A prompt of some request, most often of one that is open.
    pub(super) fn some_prompt(&self) -> Option<(Request, PromptRecord)> {
        let outside = &mut *self.shared.lock();
        let all = || outside.oracle.seen.values().map(|seen| &seen.request);
        let open: Vec<&Request> = all().filter(|request| !request.is_closed()).collect();
        let any = open.is_empty() || outside.rng.happens(150);
        let among = if any { all().collect() } else { open };
        let request = (*outside.rng.pick(&among)?).clone();
        let prompt = outside.rng.pick(&request.prompts)?.clone();
        Some((request, prompt))
    }

    fn wish(&self, ask: &Ask) -> Wish {
        let hosted_often = match ask {
            Ask::Identity { .. } => 26,
            Ask::Payment { .. } | Ask::PaymentMethod { .. } => 8,
        };
        match self.roll(40) {
            roll if roll < hosted_often => Wish::Hosted,
            0..28 => Wish::Yes,
            28 | 29 => Wish::WrongCode,
            30 => Wish::NoCode,
            31..34 => Wish::No,
            34 => Wish::NotMe,
            _ => Wish::MoreTime,
        }
    }

    /// The customer answers a prompt, in time and rightly or not.
    fn answers(&mut self) {
        let Some((request, prompt)) = self.some_prompt() else { return };
        let wish = self.wish(&request.ask);
        let card = match self.roll(10) {
            0..6 => CARDS.first(),
            6..8 => CARDS.get(1),
            8 => CARDS.get(2),
            _ => CARDS.get(3),
        };
        self.answers_with(&request, &prompt, (wish, card.copied().unwrap_or_default()));
    }

    pub(super) fn answers_with(
        &mut self,
        request: &Request,
        prompt: &PromptRecord,
        how: (Wish, &str),
    ) {
        let (wish, card) = how;
        let session = request.session_code.as_ref();
        let code = session.and_then(|session| match wish {
            Wish::WrongCode => {
                session.choices.iter().find(|choice| **choice != session.code).cloned()
            }
            Wish::NoCode => None,
            Wish::Yes | Wish::Hosted | Wish::No | Wish::NotMe | Wish::MoreTime => {
                Some(session.code.clone())
            }
        });
        let right = code.as_deref() == session.map(|session| session.code.as_str());
        let yes = matches!(wish, Wish::Yes | Wish::Hosted | Wish::WrongCode | Wish::NoCode);
        let chats = prompt.channel.as_str() == whatsapp::NAME;
        if chats && let Some(tapped) = self.taps_in_chat(request, prompt, (wish, code.as_deref())) {
            if yes && right && tapped {
                self.said_yes(request, prompt);
            }
            return;
        }
        let is_text = chats || prompt.channel.as_str() == "sms";
        let only_opens = !is_text && wish == Wish::Hosted && self.taps_buttons();
        let on_page = is_text || (wish == Wish::Hosted && !only_opens);
        // A button that only opens the page says nothing, and neither does a made-up call.
        let button = only_opens || (!on_page && self.taps_buttons());
        let forged = button && self.roll(4) == 0;
        let means_yes = yes && right && !forged && !only_opens;
        let running = if on_page {
            self.answers_page(request, prompt, (wish, code, card))
        } else if button {
            self.postback(request, prompt, (wish, code.as_deref()), forged)
        } else {
            self.taps(request, prompt.id, (wish, code, card))
        };
        let Some(running) = running else { return };
        if means_yes {
            self.said_yes(request, prompt);
        }
        self.say(|| format!("{wish:?} with {card} to {} of {}", prompt.id, request.id));
        self.employ(Work::Other("answer"), running);
    }

    /// The customer said yes, with all that a yes takes, to a message that none replaced. Whether that was in time is seen when
    /// it is committed: more time may have been given meanwhile.
    fn said_yes(&self, request: &Request, prompt: &PromptRecord) {
        if prompt.in_force() {
            self.shared.lock().oracle.approved.insert(request.id);
        }
    }

    /// Half of all taps come as a channel brings them, where there is more than one request.
    fn taps_buttons(&self) -> bool {
        self.plan.requests > 1 && self.roll(2) == 0
    }

    fn taps(
        &self,
        request: &Request,
        prompt: PromptId,
        how: (Wish, Option<String>, &str),
    ) -> Option<Running> {
        let (wish, code, card) = how;
        let action = match wish {
            Wish::Yes | Wish::WrongCode | Wish::NoCode => "approve",
            Wish::No => "deny",
            Wish::NotMe => "not_me",
            Wish::MoreTime | Wish::Hosted => return None,
        };
        let body = json!({ "action": action, "session_code": code, "card": card }).to_string();
        let machine = Arc::clone(&self.machine);
        let (phone, prompt) = (request.customer.phone.as_str().to_owned(), prompt.to_string());
        Some(Box::pin(async move {
            let path = MessagePath { phone: &phone, id: &prompt };
            let callback = &machine.consent_callback;
            End::Answered(
                callback.sandbox_calls().tap(&HeaderMap::new(), path, body.as_bytes()).await,
            )
        }))
    }

    /// The text that came for a prompt.
    fn text(&self, request: &Request, prompt: PromptId) -> Option<Text> {
        let reference = format!("{}.{prompt}", request.id);
        let outside = self.shared.lock();
        outside.texts.sent.iter().find(|text| text.callback.ends_with(&reference)).cloned()
    }

    fn answers_page(
        &self,
        request: &Request,
        prompt: &PromptRecord,
        how: (Wish, Option<String>, &str),
    ) -> Option<Running> {
        let (wish, code, card) = how;
        let action = match wish {
            Wish::Yes | Wish::WrongCode | Wish::NoCode => "approve",
            Wish::Hosted => "approve_hosted",
            Wish::No => "deny",
            Wish::NotMe => "not_me",
            Wish::MoreTime => "extend",
        };
        let token = match prompt.channel.as_str() {
            "sms" => last(&self.text(request, prompt.id)?.link)?,
            whatsapp::NAME => last(&self.chatted_link(request.id, prompt.id)?)?,
            _ => self.token(prompt.id),
        };
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("action", action).append_pair("card", card);
        if let Some(code) = code {
            form.append_pair("session_code", &code);
        }
        let form = form.finish();
        let machine = Arc::clone(&self.machine);
        Some(Box::pin(async move {
            let consent_page = machine.consent_callback.page();
            let page = match consent_page.open(&token, "", &HeaderMap::new()).await {
                Ok(page) => page,
                Err(problem) => return End::Answered(Err(problem)),
            };
            let Some(nonce) = nonce(&page) else { return End::Answered(Ok(page)) };
            let body = format!("{form}&nonce={nonce}");
            End::Answered(consent_page.submit(&token, &HeaderMap::new(), body.as_bytes()).await)
        }))
    }

    /// Opens the page, as a customer or a link preview does.
    fn message_limits(&mut self) {
        let Some((request, prompt)) = self.some_prompt() else { return };
        let Some(text) = self.text(&request, prompt.id) else { return };
        let Some(token) = last(&text.link) else { return };
        let machine = Arc::clone(&self.machine);
        let running: Running = Box::pin(async move {
            End::Answered(machine.consent_callback.page().open(&token, "", &HeaderMap::new()).await)
        });
        self.employ(Work::Other("look"), running);
    }

    /// A provider tells how a text fares: late, twice, out of order, or never.
    fn receipt(&mut self) {
        if self.happens(|faults| faults.receipt_lost) {
            return;
        }
        let text = {
            let outside = &mut *self.shared.lock();
            outside.rng.pick(&outside.texts.sent).cloned()
        };
        let Some(text) = text else { return };
        let status = match self.roll(8) {
            0..5 => "delivered",
            5 | 6 => "sent",
            _ => "undelivered",
        };
        self.say(|| format!("receipt {status} {}", text.callback));
        let form = [("MessageStatus", status), ("MessageSid", "SM1")];
        self.calls_back(&text.callback, &form, Work::Other("receipt"));
    }

    /// A customer writes STOP or START.
    fn writes(&mut self, word: &'static str) {
        if self.is_opting() {
            return;
        }
        let phones = ["+15551230001", "+15551230002"];
        let phone = self.shared.lock().rng.pick(&phones).copied().unwrap_or_default();
        if self.roll(2) == 0 { self.opts(phone, word) } else { self.writes_in_chat(phone, word) }
    }

    /// One wish at a time, since the order of two at once is undefined.
    pub(super) fn is_opting(&self) -> bool {
        self.workers.iter().any(|worker| matches!(worker.work, Work::Start | Work::Stop(_)))
    }

    /// A phone says that it wants messages again.
    pub(super) fn opts_in(&self, phone: &str) -> Work {
        self.shared.lock().stopped.remove(phone);
        Work::Start
    }

    pub(super) fn opts(&mut self, phone: &str, word: &'static str) {
        let work = if word == "STOP" { Work::Stop(phone.to_owned()) } else { self.opts_in(phone) };
        self.say(|| format!("{phone} writes {word}"));
        let sid = format!("SM{}", self.steps);
        let form = [("From", phone), ("Body", word), ("MessageSid", sid.as_str())];
        self.calls_back(&format!("{BASE}/callbacks/shop/sms"), &form, work);
    }

    /// Twilio calls back, with its signature.
    pub(super) fn calls_back(&mut self, url: &str, form: &[(&str, &str)], work: Work) {
        let signature = self.shared.lock().texts.signature(url, form);
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let Some(path) = url.strip_prefix(BASE) else { return };
        let request = http::Request::builder()
            .method(Method::POST)
            .uri(path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(
                "x-twilio-signature",
                HeaderValue::from_str(&signature).unwrap_or(HeaderValue::from_static("")),
            )
            .body(());
        let Ok(request) = request else { return };
        let (parts, ()) = request.into_parts();
        let machine = Arc::clone(&self.machine);
        let running: Running = Box::pin(async move {
            let callback = &machine.consent_callback;
            End::Answered(callback.receive("shop", "sms", &parts, Bytes::from(body)).await)
        });
        self.employ(work, running);
    }
}

/// Returns the last segment of an address.
fn last(link: &str) -> Option<String> {
    link.rsplit('/').next().map(str::to_owned)
}

/// Returns the nonce of a page's form.
pub(super) fn nonce(page: &Response<Bytes>) -> Option<String> {
    let text = String::from_utf8_lossy(page.body());
    let (_, rest) = text.split_once("name=\"nonce\" value=\"")?;
    rest.split_once('"').map(|(nonce, _)| nonce.to_owned())
}
