//! Actions of customers and their providers: taps, pages, receipts, opt-outs and opt-ins.

use std::sync::Arc;

use bytes::Bytes;
use domain::ask::Ask;
use domain::request::{PromptRecord, Request};
use domain::values::id::PromptId;
use http::{HeaderMap, HeaderValue, Method, Response, header};
use ports::MessagePath;
use serde_json::json;

use super::brand::BASE;
use super::given_reply::GivenReply;
use super::opt_outs::KeywordReport;
use super::replays::ReplayableWebhook;
use super::requester::REACHED;
use super::scenario::{GOOGLE_PAY, REPLIES_FOR_CLAIMS, SAVED};
use super::story_runner::VISA;
use super::whatsapp;
use super::work::{Work, WorkFuture, WorkResult};
use super::world::Simulation;
use crate::providers::twilio::Text;
use crate::rng::Weights;
use crate::world::BROWSER;

/// What Google Pay gives for a gateway's token, as Stripe's is.
const GOOGLE_PAY_TOKEN: &str = r#"{"id":"tok_1A","object":"token","livemode":false}"#;

/// A customer's reply to a prompt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CustomerReply {
    /// An approval with the right code.
    #[default]
    Yes,
    /// An approval, with the rest on the processor's own page.
    Hosted,
    /// An approval with another code than the agent said.
    WrongCode,
    /// An approval without a code.
    NoCode,
    /// A denial without a report.
    No,
    /// A denial that reports a request which the customer did not expect.
    NotMe,
    /// A wish for more time.
    MoreTime,
}

/// What Twilio reports of a text.
const STATUSES: &Weights<&str> = &[(5, "delivered"), (2, "sent"), (1, "undelivered")];

/// Returns the headers of an ordinary browser, which is no preview.
pub(super) fn browser_headers() -> HeaderMap {
    [(header::USER_AGENT, HeaderValue::from_static(BROWSER))].into_iter().collect()
}

impl Simulation {
    /// Two taps, or two devices.
    pub(super) fn answers_twice(&mut self) {
        self.answers();
        self.answers();
    }

    /// The customer opts out, not often.
    pub(super) fn opts_out(&mut self) {
        if self.roll(5) == 0 { self.writes("STOP") } else { self.opts_in_or_receipt() }
    }

    pub(super) fn opts_in_or_receipt(&mut self) {
        if self.roll(3) == 0 { self.writes("START") } else { self.receipt() }
    }

    /// The customer wants another payment option, or refuses.
    pub(super) fn chooses_other_option_or_refuses(&mut self) {
        let Some((request, prompt)) = self.some_prompt() else { return };
        if self.roll(4) == 0 {
            self.answers_with(&request, &prompt, CustomerReply::No, VISA);
        } else {
            self.chooses_other_option(request.id, prompt.id);
        }
    }

    /// A prompt of some request, most often of one that is open.
    pub(super) fn some_prompt(&self) -> Option<(Request, PromptRecord)> {
        let environment = &mut *self.shared.lock();
        let all = || environment.oracle.requests.values().map(|seen| &seen.request);
        let open: Vec<&Request> = all().filter(|request| !request.is_closed()).collect();
        let any = open.is_empty() || environment.rng.happens(150);
        let among = if any { all().collect() } else { open };
        let request = (*environment.rng.pick(&among)?).clone();
        let prompt = environment.rng.pick(&request.prompts)?.clone();
        Some((request, prompt))
    }

    /// The customer answers, mostly only while they are asked.
    pub(super) fn answers_if_asked(&mut self) {
        let is_asked = {
            let environment = self.shared.lock();
            let requests = environment.oracle.requests.values();
            requests.into_iter().any(|seen| seen.request.is_open_to_answers())
        };
        if is_asked || self.roll(12) == 0 {
            self.answers();
        }
    }

    /// The customer answers a prompt, in time and correctly or not.
    pub(super) fn answers(&mut self) {
        let Some((request, prompt)) = self.some_prompt() else { return };
        let replies = match request.ask {
            Ask::Identity { .. } => REPLIES_FOR_CLAIMS,
            Ask::Payment { .. } | Ask::PaymentMethod { .. } => self.plan.scenario.replies,
        };
        let (reply, card) = (self.weighted(replies), self.weighted(self.plan.scenario.cards));
        self.answers_with(&request, &prompt, reply, card);
    }

    pub(super) fn answers_with(
        &mut self,
        request: &Request,
        prompt: &PromptRecord,
        reply: CustomerReply,
        card: &str,
    ) {
        let session = request.session_code.as_ref();
        let code = session.and_then(|session| match reply {
            CustomerReply::WrongCode => {
                session.choices.iter().find(|choice| **choice != session.code).cloned()
            }
            CustomerReply::NoCode => None,
            CustomerReply::Yes
            | CustomerReply::Hosted
            | CustomerReply::No
            | CustomerReply::NotMe
            | CustomerReply::MoreTime => Some(session.code.clone()),
        });
        let right = code.as_deref() == session.map(|session| session.code.as_str());
        let yes = matches!(
            reply,
            CustomerReply::Yes
                | CustomerReply::Hosted
                | CustomerReply::WrongCode
                | CustomerReply::NoCode
        );
        let chats = prompt.channel.as_str() == whatsapp::NAME;
        if chats
            && let Some(tapped) = self.taps_on_whatsapp(request, prompt, reply, code.as_deref())
        {
            if yes && tapped {
                self.shared.lock().oracle.customer_approvals.presses(prompt.id);
            }
            if yes && right && tapped {
                self.record_approval(request, prompt);
            }
            return;
        }
        let is_text = chats || matches!(prompt.channel.as_str(), "sms" | "link");
        let only_opens = !is_text && reply == CustomerReply::Hosted && self.taps_buttons();
        let by_wallet = card == GOOGLE_PAY;
        let on_page = is_text || by_wallet || (reply == CustomerReply::Hosted && !only_opens);
        // A button that only opens the page is no answer, and neither is a forged one.
        let button = only_opens || (!on_page && self.taps_buttons());
        let forged = button && self.roll(4) == 0;
        let means_yes = yes && right && !forged && !only_opens;
        let given = GivenReply { reply, code, card };
        let running = if on_page {
            self.answers_page(request, prompt, &given)
        } else if button {
            self.postback(request, prompt, &given, forged)
        } else {
            self.taps(request, prompt.id, &given)
        };
        let Some(running) = running else { return };
        if yes && !forged && !only_opens {
            self.shared.lock().oracle.customer_approvals.presses(prompt.id);
        }
        if means_yes {
            self.record_approval(request, prompt);
        }
        self.trace(|| format!("{reply:?} with {card} to {} of {}", prompt.id, request.id));
        self.employ(Work::Other("answer"), running);
    }

    /// The customer said yes, with all that a yes takes, to a message that none replaced. Whether that was in time is seen when
    /// it is committed: more time may have been given meanwhile.
    fn record_approval(&self, request: &Request, prompt: &PromptRecord) {
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
        given: &GivenReply<'_>,
    ) -> Option<WorkFuture> {
        let GivenReply { reply, code, card } = given;
        let action = match reply {
            CustomerReply::Yes | CustomerReply::WrongCode | CustomerReply::NoCode => "approve",
            CustomerReply::No => "deny",
            CustomerReply::NotMe => "not_me",
            CustomerReply::MoreTime | CustomerReply::Hosted => return None,
        };
        let some_card = (*card != SAVED).then_some(card);
        let body = json!({ "action": action, "session_code": code, "card": some_card }).to_string();
        let machine = Arc::clone(&self.machine);
        let (phone, prompt) = (request.customer.phone.as_str().to_owned(), prompt.to_string());
        Some(Box::pin(async move {
            let path = MessagePath { phone: &phone, id: &prompt };
            let callback = &machine.consent_callback;
            WorkResult::Answered(
                callback.sandbox_calls().tap(&HeaderMap::new(), path, body.as_bytes()).await,
            )
        }))
    }

    /// The text that came for a prompt.
    fn text(&self, request: &Request, prompt: PromptId) -> Option<Text> {
        let reference = format!("{}.{prompt}", request.id);
        let environment = self.shared.lock();
        environment.twilio.sent.iter().find(|text| text.callback.ends_with(&reference)).cloned()
    }

    fn answers_page(
        &self,
        request: &Request,
        prompt: &PromptRecord,
        given: &GivenReply<'_>,
    ) -> Option<WorkFuture> {
        let GivenReply { reply, code, card } = given;
        let action = match reply {
            CustomerReply::Yes | CustomerReply::WrongCode | CustomerReply::NoCode => "approve",
            CustomerReply::Hosted => "approve_hosted",
            CustomerReply::No => "deny",
            CustomerReply::NotMe => "not_me",
            CustomerReply::MoreTime => "extend",
        };
        let token = match prompt.channel.as_str() {
            "sms" => last(&self.text(request, prompt.id)?.link)?,
            whatsapp::NAME => last(&self.whatsapp_link(request.id, prompt.id)?)?,
            _ => self.token(prompt.id),
        };
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("action", action);
        match *card {
            SAVED => &mut form,
            GOOGLE_PAY => form.append_pair("wallet", card).append_pair("token", GOOGLE_PAY_TOKEN),
            _ => form.append_pair("card", card),
        };
        if let Some(code) = code {
            form.append_pair("session_code", code);
        }
        let form = form.finish();
        let machine = Arc::clone(&self.machine);
        Some(Box::pin(async move {
            let consent_page = machine.consent_callback.page();
            let page = match consent_page.open(&token, "", &browser_headers()).await {
                Ok(page) => page,
                Err(problem) => return WorkResult::Answered(Err(problem)),
            };
            let Some(nonce) = nonce(&page) else { return WorkResult::Answered(Ok(page)) };
            let body = format!("{form}&nonce={nonce}");
            WorkResult::Answered(
                consent_page.submit(&token, &HeaderMap::new(), body.as_bytes()).await,
            )
        }))
    }

    /// A customer or a link preview opens the page behind a text.
    pub(super) fn opens_text_page(&mut self) {
        let Some((request, prompt)) = self.some_prompt() else { return };
        let Some(text) = self.text(&request, prompt.id) else { return };
        let Some(token) = last(&text.link) else { return };
        let machine = Arc::clone(&self.machine);
        let running: WorkFuture = Box::pin(async move {
            WorkResult::Answered(
                machine.consent_callback.page().open(&token, "", &browser_headers()).await,
            )
        });
        self.employ(Work::Other("look"), running);
    }

    /// A provider tells how a text fares: late, twice, out of order, or never.
    pub(super) fn receipt(&mut self) {
        if self.happens(|faults| faults.receipt_lost) {
            return;
        }
        let text = {
            let environment = &mut *self.shared.lock();
            environment.rng.pick(&environment.twilio.sent).cloned()
        };
        let Some(text) = text else { return };
        let status = self.weighted(STATUSES);
        self.trace(|| format!("receipt {status} {}", text.callback));
        let form = [("MessageStatus", status), ("MessageSid", "SM1")];
        self.remember_for_replay(ReplayableWebhook::Twilio(
            text.callback.clone(),
            owned(&form),
            None,
        ));
        self.posts_twilio_callback(&text.callback, &form, Work::Other("receipt"));
    }

    /// A customer writes STOP or START.
    fn writes(&mut self, word: &'static str) {
        if self.is_opting() {
            return;
        }
        let phone = self.shared.lock().rng.pick(&REACHED).copied().unwrap_or_default();
        if self.roll(2) == 0 {
            self.writes_opt_out(phone, word);
        } else {
            self.writes_on_whatsapp(phone, word);
        }
    }

    /// One opt-out or opt-in at a time: of two at once, the last one would be unknown.
    pub(super) fn is_opting(&self) -> bool {
        self.workers.iter().any(|worker| matches!(worker.work, Work::Start(_) | Work::Stop(_)))
    }

    /// A phone says that it wants messages again.
    pub(super) fn opts_in(&self, word: KeywordReport) -> Work {
        self.shared.lock().opt_outs.start_begins(&word, self.now());
        Work::Start(word)
    }

    /// A phone says that it wants no more messages.
    pub(super) fn opts_out_by(&self, word: KeywordReport) -> Work {
        Work::Stop(self.shared.lock().opt_outs.stop_begins(word, self.now()))
    }

    pub(super) fn writes_opt_out(&mut self, phone: &str, word: &'static str) {
        let sid = format!("SM{}", self.steps);
        let stated = KeywordReport::by_number(phone, sid.clone());
        // A messaging service may take the text over RCS.
        let is_rcs = self.plan.requests > 1 && self.roll(3) == 0;
        let from = if is_rcs { format!("rcs:{phone}") } else { phone.to_owned() };
        self.trace(|| format!("{from} writes {word}"));
        let url = format!("{BASE}/callbacks/shop/sms");
        let form = [("From", from.as_str()), ("Body", word), ("MessageSid", sid.as_str())];
        let old = (word, stated.clone());
        self.remember_for_replay(ReplayableWebhook::Twilio(url.clone(), owned(&form), Some(old)));
        let work = if word == "STOP" { self.opts_out_by(stated) } else { self.opts_in(stated) };
        self.posts_twilio_callback(&url, &form, work);
    }

    /// Twilio calls back, with its signature.
    pub(super) fn posts_twilio_callback(&mut self, url: &str, form: &[(&str, &str)], work: Work) {
        let signature = self.shared.lock().twilio.signature(url, form);
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
        let running: WorkFuture = Box::pin(async move {
            let callback = &machine.consent_callback;
            WorkResult::Answered(callback.receive("shop", "sms", &parts, Bytes::from(body)).await)
        });
        self.employ(work, running);
    }
}

/// Returns a form as it is remembered.
fn owned(form: &[(&str, &str)]) -> Vec<(String, String)> {
    form.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
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
