//! A malicious requester. One has another brand's key and this brand's ids. One repeats a used key with another body.
//!
//! Customers who were asked against their wish answer "not me", a wrong code or nothing, as in `customer.rs`.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue, header};
use serde_json::json;

use super::brand::Credentials;
use super::customer::{browser_headers, nonce};
use super::requester::payment;
use super::scenario::Choice;
use super::webhooks::CallbackCall;
use super::work::{Work, WorkFuture, WorkResult};
use super::world::Simulation;

/// What a malicious requester does. None of it may touch a request.
const MALICE: &[Choice] = &[
    (2, "acts with another brand's key", Simulation::acts_as_other_brand),
    (2, "asks for a card of another brand", Simulation::asks_with_foreign_card),
    (2, "repeats a key with another body", Simulation::repeats_with_another_body),
    (2, "approves by a made-up link", Simulation::approves_by_forged_link),
    (1, "forges a return", Simulation::forges_return),
];

/// How many ways there are to act on another brand's request.
const ACTS: u64 = 6;

impl Simulation {
    /// A malicious requester acts.
    pub(super) fn is_malicious(&mut self) {
        self.choose(MALICE);
    }

    fn other_brand_headers(&self, key: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let bearer = format!("Bearer {}", Credentials::other_api_key());
        if let (Ok(bearer), Ok(key)) = (HeaderValue::from_str(&bearer), HeaderValue::from_str(key))
        {
            headers.insert(header::AUTHORIZATION, bearer);
            headers.insert("idempotency-key", key);
        }
        headers
    }

    /// The other brand's requester names a request of this brand.
    fn acts_as_other_brand(&mut self) {
        let id = {
            let environment = &mut *self.shared.lock();
            let ids: Vec<String> =
                environment.oracle.requests.keys().map(ToString::to_string).collect();
            environment.rng.pick(&ids).cloned()
        };
        let Some(id) = id else { return };
        let (what, headers) = (self.roll(ACTS), self.other_brand_headers("theirs"));
        self.trace(|| format!("the other brand acts on {id}: {what}"));
        let machine = Arc::clone(&self.machine);
        let running: WorkFuture = Box::pin(async move {
            let intake = &machine.intake;
            WorkResult::Answered(match what {
                0 => intake.cancel(&headers, &id, b"").await,
                1 => intake.extend(&headers, &id, br#"{"expires_in":600}"#).await,
                2 => intake.resend(&headers, &id, b"{}").await,
                3 => intake.refund(&headers, &id, b"{}").await,
                4 => intake.record(&headers, &id).await,
                _ => intake.read(&headers, &id, "").await,
            })
        });
        self.employ(Work::Refused("acts with another brand's key"), running);
    }

    /// The other brand asks for a payment by a card that this brand's customer saved.
    fn asks_with_foreign_card(&mut self) {
        let picked = {
            let environment = &mut *self.shared.lock();
            let cards = environment.oracle.cards();
            let picked = environment.rng.pick(&cards);
            picked.map(|(owner, card)| (owner.customer.phone.as_str().to_owned(), *card))
        };
        let Some((phone, card)) = picked else { return };
        let mut ask = payment(4200);
        if let Some(ask) = ask.as_object_mut() {
            ask.insert("payment_method".to_owned(), json!(card));
        }
        let session = json!({ "kind": "voice", "id": "theirs" });
        let customer = json!({ "phone": phone });
        let body = json!({ "customer": customer, "session": session, "ask": ask }).to_string();
        let headers = self.other_brand_headers(&format!("theirs-{}", self.steps));
        let machine = Arc::clone(&self.machine);
        let running: WorkFuture = Box::pin(async move {
            WorkResult::Answered(machine.intake.create(&headers, body.as_bytes()).await)
        });
        self.employ(Work::Refused("asks for a card of another brand"), running);
    }

    /// A key that made a request comes with another amount, for another number.
    fn repeats_with_another_body(&mut self) {
        let Some((key, mut body)) = self.answered_call() else { return };
        if let Some(ask) = body.get_mut("ask") {
            *ask = payment(999);
        }
        let headers = self.headers(Some(&key));
        let body = body.to_string();
        self.trace(|| format!("calls {key} with another body: {body}"));
        let machine = Arc::clone(&self.machine);
        let running: WorkFuture = Box::pin(async move {
            WorkResult::Answered(machine.intake.create(&headers, body.as_bytes()).await)
        });
        self.employ(Work::Refused("repeats a key with another body"), running);
    }

    /// The requester approves in the customer's place, behind a link whose token is made up or belongs to no prompt.
    fn approves_by_forged_link(&mut self) {
        let Some((request, prompt)) = self.some_prompt() else { return };
        let genuine = self.token(prompt.id);
        let code = request.session_code.map(|session| session.code).unwrap_or_default();
        let token: String = match self.roll(3) {
            0 => "B".repeat(genuine.len()),
            1 => prompt.id.to_string(),
            // The genuine one, read backwards.
            _ => genuine.chars().rev().collect(),
        };
        let machine = Arc::clone(&self.machine);
        let running: WorkFuture = Box::pin(async move {
            let page = machine.consent_callback.page();
            // The nonce of the genuine page is no help.
            let opened = page.open(&token, "", &browser_headers()).await;
            let nonce = opened.ok().as_ref().and_then(nonce).unwrap_or_default();
            let body =
                format!("action=approve&card=pm_card_visa&session_code={code}&nonce={nonce}");
            WorkResult::Answered(page.submit(&token, &HeaderMap::new(), body.as_bytes()).await)
        });
        self.employ(Work::Forged, running);
    }

    /// A browser comes back with the state of another request, or with a state that is made up.
    fn forges_return(&mut self) {
        let path = {
            let environment = &mut *self.shared.lock();
            environment.rng.pick(&self.returns).cloned()
        };
        let Some(path) = path else { return };
        let Some((before, state)) = path.split_once("state=") else { return };
        let forged: String = state
            .char_indices()
            .map(|(place, letter)| match (place, letter) {
                (27.., '0') => '1',
                (27.., '1'..='9') => '0',
                (_, letter) => letter,
            })
            .collect();
        if forged == state {
            return;
        }
        let path = format!("{before}state={forged}");
        self.trace(|| format!("a forged return: {path}"));
        let (method, body) = (http::Method::GET, bytes::Bytes::new());
        let call = CallbackCall { method, path, brand: "shop", headers: HeaderMap::new(), body };
        self.posts_callback_with(call, Work::Forged);
    }
}
