//! Adyen: the customer pays on its page, by a link that can be read and ended, or a token is charged in one call of which
//! only webhooks tell.
//!
//! | the yes | a payment | a card to keep |
//! | --- | --- | --- |
//! | nothing but the yes | a payment link, `PL…` | a payment link over nothing that keeps the card |
//! | a wallet's token, a card on file | `/payments`, under a name of ours | |
//!
//! A payment under a name of ours cannot be read, and cancelling it is only asked for: what became of either is told later.
//! So that a payment which is told is never one that is being cancelled, the two are kept apart by time, see [`Window`].

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use domain::ask::Ask;
use domain::authorization::{Authorization, AuthorizationKind};
use domain::brand::Key32;
use domain::ports::{
    CallbackError, Clock, Confirmed, Created, Http, HttpError, PaymentOption, Processor,
    ProcessorEvent, Reach, Reference, Refund, RefundResult, ReportedResult, Retrieved,
    UnverifiedCallback, Use, VerifiedWebhook, VoidResult, WebhookResponse,
};
use domain::values::money::Money;
use http::header::{ACCEPT, CONTENT_TYPE};
use serde_json::{Map, Value, json};

use self::errors::{Call, unanswered};
use self::reference::{Paid, is_link, is_psp};
use self::settings::Account;
use self::window::Window;
use self::wire::links::{self, Stands};
use self::wire::{Amount, Reply, Request, hooks, payments, refunds, stored};
use crate::Kind;
use crate::object_state::ObjectState;

mod amounts;
mod errors;
mod payment_options;
mod reference;
mod refusals;
mod settings;
mod state;
mod window;
mod wire;

pub(crate) const KIND: Kind = Kind {
    name: "adyen",
    open: |opening| {
        Ok(Box::new(Adyen {
            account: Account::read(opening.mode, opening.settings)?,
            link_key: opening.brand.link_key.clone(),
            http: Arc::clone(&opening.outside.http),
            clock: Arc::clone(&opening.outside.clock),
        }))
    },
};

/// How long the webhook is waited for that tells by which payment a link was paid.
const WEBHOOK_WITHIN: Duration = Duration::from_secs(600);
/// How long a card is waited for that a customer has left.
const CARD_WITHIN: Duration = Duration::from_secs(1_800);

/// One merchant account at Adyen, and the way to it.
struct Adyen {
    account: Account,
    /// What the return address is proven with.
    link_key: Key32,
    http: Arc<dyn Http>,
    clock: Arc<dyn Clock>,
}

/// What an attempt acts on.
enum Object<'a> {
    /// A payment link.
    Link(&'a str),
    /// A payment under a name of ours.
    Payment,
}

#[async_trait]
impl Processor for Adyen {
    fn payment_options(&self, ask: &Ask) -> Vec<PaymentOption> {
        self.account.offer.payment_options(ask)
    }

    async fn create(&self, what: &Use<'_>) -> Created {
        let amount = match self.amount(what) {
            Ok(amount) => amount,
            Err(code) => return Created::Invalid { code },
        };
        if what.authorization.kind == AuthorizationKind::Hosted {
            let call = links::create(what, &self.account, &amount);
            return match self.send(call).await {
                Ok(reply) => links::created(&reply, what, &self.account, &amount),
                Err(error) => errors::creation_unanswered(&error),
            };
        }
        let payable = matches!(what.ask, Ask::Payment { .. })
            && payments::pay(what, &self.account, &amount, "").is_some();
        if payable {
            Created::Ready(Reference(links::name(what).to_string()))
        } else {
            Created::Invalid { code: MALFORMED }
        }
    }

    async fn confirm(&self, what: &Use<'_>, reference: &Reference) -> Confirmed {
        match object(what, reference) {
            // The customer does it, on Adyen's own page.
            Some(Object::Link(id)) => self.read_link(what, id).await.into(),
            Some(Object::Payment) => self.pay(what).await.into(),
            None => Confirmed::Unknown,
        }
    }

    async fn retrieve(&self, what: &Use<'_>, reference: &Reference) -> Retrieved {
        match object(what, reference) {
            Some(Object::Link(id)) => self.read_link(what, id).await.into(),
            Some(Object::Payment) => self.window(what).retrieve(what),
            None => Retrieved::Unknown,
        }
    }

    async fn void(&self, what: &Use<'_>, reference: &Reference) -> VoidResult {
        match object(what, reference) {
            Some(Object::Link(id)) => {
                let state = self.link(what, id, (Call::End, links::expire(id))).await;
                // Ending it may be refused because it is too late, or have worked unheard.
                if state != ObjectState::Unknown {
                    return state.into();
                }
                self.read_link(what, id).await.into()
            }
            Some(Object::Payment) => self.end(what).await,
            None => VoidResult::Unknown,
        }
    }

    async fn refund(&self, refund: &Refund<'_>) -> RefundResult {
        if let Some(reported) = refund.reported {
            return if reported.success {
                RefundResult::Done(reported.reference.clone())
            } else {
                RefundResult::Failed { code: refund_code(reported.code.as_deref()) }
            };
        }
        // A link that was paid without a word of which payment it was by cannot be paid back by us.
        if !is_psp(&refund.charge.0) || is_link(&refund.charge.0) {
            return RefundResult::Failed { code: "not_supported" };
        }
        let Some(amount) = countable(refund.money) else {
            return RefundResult::Failed { code: "amount_not_representable" };
        };
        let call = refunds::create(refund, &self.account, &refund.charge.0, &amount);
        match self.send(call).await {
            Ok(reply) => refunds::outcome(&reply),
            Err(HttpError::Forbidden) => RefundResult::Blocked { code: "address" },
            Err(HttpError::NotSent(_)) => RefundResult::Again,
            Err(HttpError::Lost(_)) => RefundResult::Unknown,
        }
    }

    async fn apple_pay_session(&self, host: &str) -> Option<String> {
        let merchant = self.account.offer.merchant()?;
        if !settings::is_word(host, 253, ".-") {
            return None;
        }
        let body = json!({
            "displayName": merchant.display_name,
            "domainName": host,
            "merchantIdentifier": merchant.identifier,
        });
        let reply = self.send(Request::session(body)).await.ok()?;
        session(&reply)
    }

    fn receive(&self, callback: &UnverifiedCallback) -> Result<VerifiedWebhook, CallbackError> {
        if callback.method != http::Method::GET {
            return hooks::receive(&self.account, callback);
        }
        let (state, result) = state::returned(&callback.url).ok_or(CallbackError::None)?;
        let account = &self.account.merchant_account;
        let (request, attempt_no) =
            state::read(&state, &self.link_key, account).ok_or(CallbackError::Forged)?;
        let authorization = Authorization { kind: AuthorizationKind::Code, secret: result.into() };
        let events = vec![ProcessorEvent::Returned { request, attempt_no, authorization }];
        Ok(VerifiedWebhook { events, reply: WebhookResponse::ToPage(request) })
    }
}

/// The customer's yes carries nothing that Adyen could be given.
const MALFORMED: &str = "authorization_malformed";

impl Adyen {
    /// What is asked for, as Adyen counts it: nothing, where a card is kept.
    fn amount(&self, what: &Use<'_>) -> Result<Amount, &'static str> {
        match (what.ask, self.account.offer.keeps_cards_in()) {
            (Ask::Payment { money, .. }, _) => countable(*money).ok_or("amount_not_representable"),
            // [M]: an amount of zero, which keeps the card and charges nothing.
            (Ask::PaymentMethod { .. }, Some(currency)) => {
                Ok(Amount { value: 0, currency: currency.code().to_owned() })
            }
            (Ask::PaymentMethod { .. }, None) | (Ask::Identity { .. }, _) => {
                Err("ask_not_supported")
            }
        }
    }

    fn window(&self, what: &Use<'_>) -> Window {
        Window::of(what, self.clock.now())
    }

    async fn read_link(&self, what: &Use<'_>, id: &str) -> ObjectState {
        self.link(what, id, (Call::Read, links::read(id))).await
    }

    /// Makes a call about a link, and says what its answer means.
    async fn link(
        &self,
        what: &Use<'_>,
        id: &str,
        (call, request): (Call, Request),
    ) -> ObjectState {
        if let Some(done) = paid(what).and_then(|paid| payments::reported(&paid)) {
            return ObjectState::Done(done);
        }
        let reply = match self.send(request).await {
            Ok(reply) => reply,
            Err(error) => return unanswered(call, &error),
        };
        match links::outcome((call, &reply), what, &self.account, id) {
            Stands::State(state) => state,
            Stands::Completed { .. } if is_taken_back(what) => {
                ObjectState::SoftDeclined { code: "payment_cancelled" }
            }
            Stands::Completed { since, amount } => {
                let waited = since.map_or(Duration::ZERO, |since| since.until(self.clock.now()));
                if what.money().is_none() {
                    return self.card(what, waited).await;
                }
                // The webhook brings Adyen's own id of the payment. Where none comes, what is known is told.
                let late = waited > WEBHOOK_WITHIN;
                let known = payments::receipt(Reference(id.to_owned()), &amount);
                known.filter(|_| late).map_or(ObjectState::Processing, ObjectState::Done)
            }
        }
    }

    /// The card that the customer has left, once it is there.
    async fn card(&self, what: &Use<'_>, waited: Duration) -> ObjectState {
        let shopper = links::name(what).to_string();
        match self.send(stored::list(&self.account, &shopper)).await {
            Ok(reply) => match stored::newest(&reply, &shopper) {
                Some(card) => ObjectState::Done(card),
                None if reply.status.is_success() && waited > CARD_WITHIN => {
                    ObjectState::SoftDeclined { code: "card_not_kept" }
                }
                None => ObjectState::Processing,
            },
            Err(error) => unanswered(Call::Read, &error),
        }
    }

    /// Makes the payment, or what is left of it once the customer is back: both have a key, and are the same call each time.
    async fn pay(&self, what: &Use<'_>) -> ObjectState {
        let amount = match self.amount(what) {
            Ok(amount) => amount,
            Err(code) => return ObjectState::Invalid { code },
        };
        let account = &self.account.merchant_account;
        let state = state::of(what.request, what.attempt_no, &self.link_key, account);
        let return_url = state::return_url(what.callback, &state);
        let call = match what.authorization.kind {
            AuthorizationKind::Code => payments::details(what),
            AuthorizationKind::ApplePay
            | AuthorizationKind::GooglePay
            | AuthorizationKind::KeptCard
            | AuthorizationKind::PaymentMethod
            | AuthorizationKind::Hosted
            | AuthorizationKind::AccessToken
            | AuthorizationKind::RedirectUrl
            | AuthorizationKind::Claims => payments::pay(what, &self.account, &amount, &return_url),
        };
        let Some(call) = call else { return ObjectState::Invalid { code: MALFORMED } };
        if !self.window(what).sends() {
            return ObjectState::Unknown;
        }
        match self.send(call).await {
            Ok(reply) => payments::outcome(&reply, what, &self.account, &amount),
            Err(error) => unanswered(Call::Pay, &error),
        }
    }

    /// Has a payment cancelled or taken back, once nothing more is sent for it; that it worked is told by webhook.
    async fn end(&self, what: &Use<'_>) -> VoidResult {
        let window = self.window(what);
        if let Some(answer) = window.over(what, self.amount(what).ok().as_ref()) {
            return answer;
        }
        let call = match paid(what) {
            Some(paid) => payments::reverse(what, &self.account, &paid),
            None => payments::cancel(what, &self.account),
        };
        match self.send(call).await {
            Ok(reply) if reply.status.is_success() => VoidResult::Unknown,
            Ok(reply) => errors::failure(Call::End, &reply).into(),
            Err(error) => unanswered(Call::End, &error).into(),
        }
    }

    async fn send(&self, call: Request) -> Result<Reply, HttpError> {
        let mut request = http::Request::builder()
            .method(call.method)
            .uri(format!("{}{}", self.account.base_url, call.path))
            .header("x-api-key", &self.account.api_key)
            .header(ACCEPT, "application/json");
        if let Some(key) = call.key {
            request = request.header("idempotency-key", key);
        }
        let body = match call.body {
            Some(body) => {
                request = request.header(CONTENT_TYPE, "application/json");
                Bytes::from(body.to_string())
            }
            None => Bytes::new(),
        };
        let request = request.body(body).map_err(|error| HttpError::NotSent(error.into()))?;
        Ok(self.http.call(request, Reach::Configured, call.timeout).await?.into())
    }
}

/// What an attempt's stored reference names. Nothing else than an id ever reaches a path.
fn object<'a>(what: &Use<'_>, reference: &'a Reference) -> Option<Object<'a>> {
    let id = reference.0.as_str();
    let ours = matches!(what.ask, Ask::Payment { .. }) && id == links::name(what).to_string();
    match () {
        () if is_link(id) => Some(Object::Link(id)),
        () if ours => Some(Object::Payment),
        () => None,
    }
}

/// The payment that a webhook told of. What was authorised for a card that is kept is nothing.
fn paid(what: &Use<'_>) -> Option<Paid> {
    what.money().and(what.reported).and_then(Paid::of)
}

/// Whether a webhook told that the payment was cancelled or taken back.
fn is_taken_back(what: &Use<'_>) -> bool {
    what.reported.is_some_and(ReportedResult::is_cancelled)
}

fn countable(money: Money) -> Option<Amount> {
    let value = amounts::to_adyen(money)?;
    Some(Amount { value, currency: money.currency().code().to_owned() })
}

/// What a refund's webhook said, as a word of ours.
fn refund_code(code: Option<&str>) -> &'static str {
    match code {
        Some("refund_declined") => "refund_declined",
        _ => "refund_failed",
    }
}

/// The session for Safari: an object, within base64.
fn session(reply: &Reply) -> Option<String> {
    let body: Map<String, Value> = serde_json::from_slice(&reply.body).ok()?;
    let data = body.get("data").and_then(Value::as_str)?;
    let text = String::from_utf8(STANDARD.decode(data).ok()?).ok()?;
    let is_object = serde_json::from_str::<Map<String, Value>>(&text).is_ok();
    (reply.status.is_success() && is_object).then_some(text)
}
