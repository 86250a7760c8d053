//! The processor adapter of kind `adyen`.
//!
//! A customer pays on Adyen's page by a payment link, which can be read and expired. Or a token is charged in one call,
//! whose final result only a webhook reports.
//!
//! | the approval carries | a payment | a card to save |
//! | --- | --- | --- |
//! | nothing | a payment link, `PL…` | a payment link over zero that saves the card |
//! | a wallet's token, a saved card | `/payments`, under our merchant reference | |
//!
//! A payment under our merchant reference cannot be read, and a cancellation is only requested. Webhooks report both results
//! later. A reported payment must never be one that is being cancelled, so time keeps the two apart: see [`Window`].

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use domain::ask::Ask;
use domain::authorization::{Authorization, Credential, Grant};
use domain::brand::Key32;
use domain::processor_result::Reference;
use domain::values::money::Money;
use http::header::{ACCEPT, CONTENT_TYPE};
use ports::{
    AttemptContext, CallbackError, Clock, Confirmed, Created, DetachResult, Http, HttpError,
    LateReversal, PaymentOption, Processor, ProcessorEvent, Reach, Refund, RefundResult,
    RequestLabels, Retrieved, UnsupportedAmount, UnsupportedLabel, UnverifiedCallback,
    VerifiedWebhook, VoidResult, WebhookResponse,
};
use serde_json::json;

use self::errors::{AdyenCall, unanswered};
use self::reference::{is_link, is_psp};
use self::reported::{is_taken_back, paid};
use self::settings::AdyenAccount;
use self::transport::{AdyenReply, AdyenRequest};
use self::window::Window;
use self::wire::links::{self, LinkResult};
use self::wire::{Amount, hooks, payments, refunds, stored};
use crate::Kind;
use crate::checks::is_word;
use crate::object_state::ObjectState;

mod amounts;
mod detaching;
mod errors;
mod labels;
mod payment_options;
mod reference;
mod refusals;
mod reported;
mod settings;
mod state;
mod transport;
mod window;
mod wire;

pub(crate) const KIND: Kind = Kind {
    name: "adyen",
    open: |config| {
        Ok(Box::new(Adyen {
            account: AdyenAccount::read(config.mode, config.settings)?,
            link_key: config.brand.link_key.clone(),
            http: Arc::clone(&config.deps.http),
            clock: Arc::clone(&config.deps.clock),
        }))
    },
};

/// The time to wait for the webhook that names the payment of a completed link.
const WEBHOOK_WITHIN: Duration = Duration::from_secs(600);
/// The time to wait until a saved card appears in the shopper's list.
const CARD_WITHIN: Duration = Duration::from_secs(1_800);

/// The adapter for one merchant account.
struct Adyen {
    account: AdyenAccount,
    /// The key that proves the state of a return URL.
    link_key: Key32,
    http: Arc<dyn Http>,
    clock: Arc<dyn Clock>,
}

/// The object that an attempt acts on.
enum AdyenObject<'a> {
    /// A payment link.
    Link(&'a str),
    /// A payment under our merchant reference.
    Payment,
}

#[async_trait]
impl Processor for Adyen {
    fn payment_options(&self, ask: &Ask) -> Vec<PaymentOption> {
        self.account.offer.payment_options(ask)
    }

    fn check_amount(&self, money: Money) -> Result<(), UnsupportedAmount> {
        amounts::check(money)
    }

    fn check_labels(&self, labels: RequestLabels<'_>) -> Result<(), UnsupportedLabel> {
        self.account.labels.check(labels)
    }

    fn account(&self) -> Option<&str> {
        Some(&self.account.merchant_account)
    }

    async fn create(&self, attempt: &AttemptContext<'_>) -> Created {
        let amount = match self.amount(attempt) {
            Ok(amount) => amount,
            Err(code) => return Created::Invalid { code },
        };
        match attempt.authorization {
            Authorization::Hosted => {
                let call = links::create(attempt, &self.account, &amount);
                match self.send(call).await {
                    Ok(reply) => links::created(&reply, attempt, &self.account, &amount),
                    Err(error) => errors::creation_unanswered(&error),
                }
            }
            Authorization::Credential(credential)
                if matches!(attempt.ask, Ask::Payment { .. })
                    && payments::pay(attempt, credential, &self.account, &amount, "").is_some() =>
            {
                Created::Ready(Reference(links::name(attempt).to_string()))
            }
            Authorization::Credential(_) | Authorization::Grant(_) => {
                Created::Invalid { code: MALFORMED }
            }
        }
    }

    async fn confirm(&self, attempt: &AttemptContext<'_>, reference: &Reference) -> Confirmed {
        match object(attempt, reference) {
            // The customer pays on Adyen's own page.
            Some(AdyenObject::Link(id)) => self.read_link(attempt, id).await.into(),
            Some(AdyenObject::Payment) => self.pay(attempt).await.into(),
            None => Confirmed::Unknown,
        }
    }

    async fn retrieve(&self, attempt: &AttemptContext<'_>, reference: &Reference) -> Retrieved {
        match object(attempt, reference) {
            Some(AdyenObject::Link(id)) => self.read_link(attempt, id).await.into(),
            Some(AdyenObject::Payment) => self.window(attempt).retrieve(attempt),
            None => Retrieved::Unknown,
        }
    }

    async fn void(&self, attempt: &AttemptContext<'_>, reference: &Reference) -> VoidResult {
        match object(attempt, reference) {
            Some(AdyenObject::Link(id)) => {
                let state = self.link(attempt, id, AdyenCall::End, links::expire(id)).await;
                // The call may be refused as too late, or have worked although its answer was lost.
                if state != ObjectState::Unknown {
                    return state.into();
                }
                self.read_link(attempt, id).await.into()
            }
            Some(AdyenObject::Payment) => self.end(attempt).await,
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
        // A refund needs Adyen's id of the payment, which only the webhook of a paid link brings.
        if !is_psp(&refund.charge.0) || is_link(&refund.charge.0) {
            return RefundResult::Failed { code: "not_supported" };
        }
        let Some(amount) = countable(refund.money) else {
            return RefundResult::Failed { code: "amount_not_representable" };
        };
        let call = refunds::create(refund, &self.account, &refund.charge.0, &amount);
        match self.send(call).await {
            Ok(reply) => refunds::outcome(&reply),
            Err(error) => refunds::unanswered(&error),
        }
    }

    async fn reverse(&self, reversal: &LateReversal<'_>) -> RefundResult {
        if !is_psp(&reversal.payment.0) {
            return RefundResult::Failed { code: "not_supported" };
        }
        match self.send(payments::reverse_late(reversal, &self.account)).await {
            Ok(reply) => refunds::outcome(&reply),
            Err(error) => refunds::unanswered(&error),
        }
    }

    async fn detach(&self, saved: &Credential) -> DetachResult {
        self.take_off_file(saved).await
    }

    async fn apple_pay_session(&self, host: &str) -> Option<String> {
        let merchant = self.account.offer.merchant()?;
        if !is_word(host, 253, ".-") {
            return None;
        }
        let body = json!({
            "displayName": merchant.display_name,
            "domainName": host,
            "merchantIdentifier": merchant.identifier,
        });
        let reply = self.send(AdyenRequest::session(body)).await.ok()?;
        reply.merchant_session()
    }

    fn receive(&self, callback: &UnverifiedCallback) -> Result<VerifiedWebhook, CallbackError> {
        if callback.method != http::Method::GET {
            return hooks::receive(&self.account, callback);
        }
        let (state, result) = state::returned(&callback.url).ok_or(CallbackError::None)?;
        let account = &self.account.merchant_account;
        let (request, attempt_no) =
            state::read(&state, &self.link_key, account).ok_or(CallbackError::Forged)?;
        let grant = Grant::Code(result.into());
        let events = vec![ProcessorEvent::Returned { request, attempt_no, grant }];
        Ok(VerifiedWebhook { events, reply: WebhookResponse::ToPage(request), ignored: Vec::new() })
    }
}

/// The answer to an approval that carries nothing that Adyen takes.
const MALFORMED: &str = "authorization_malformed";

impl Adyen {
    /// Returns the amount of the ask in Adyen's minor units: zero, where a card is saved.
    fn amount(&self, attempt: &AttemptContext<'_>) -> Result<Amount, &'static str> {
        match (attempt.ask, self.account.offer.keeps_cards_in()) {
            (Ask::Payment { money, .. }, _) => countable(*money).ok_or("amount_not_representable"),
            // UNVERIFIED: a payment link over zero that saves the card. Save a card in Adyen's test environment first.
            (Ask::PaymentMethod { .. }, Some(currency)) => {
                Ok(Amount { value: 0, currency: currency.code().to_owned() })
            }
            (Ask::PaymentMethod { .. }, None) | (Ask::Identity { .. }, _) => {
                Err("ask_not_supported")
            }
        }
    }

    fn window(&self, attempt: &AttemptContext<'_>) -> Window {
        Window::of(attempt, self.clock.now())
    }

    async fn read_link(&self, attempt: &AttemptContext<'_>, id: &str) -> ObjectState {
        self.link(attempt, id, AdyenCall::Read, links::read(id)).await
    }

    /// Makes a call about a link and interprets the reply.
    async fn link(
        &self,
        attempt: &AttemptContext<'_>,
        id: &str,
        call: AdyenCall,
        request: AdyenRequest,
    ) -> ObjectState {
        if let Some(done) = paid(attempt).and_then(|paid| payments::reported(&paid)) {
            return ObjectState::Done(done);
        }
        let reply = match self.send(request).await {
            Ok(reply) => reply,
            Err(error) => return unanswered(call, &error),
        };
        match links::outcome(call, &reply, attempt, &self.account, id) {
            LinkResult::State(state) => state,
            LinkResult::Completed { .. } if is_taken_back(attempt) => {
                ObjectState::SoftDeclined { code: "payment_cancelled" }
            }
            LinkResult::Completed { since, amount } => {
                let waited = since.map_or(Duration::ZERO, |since| since.until(self.clock.now()));
                if attempt.money().is_none() {
                    return self.card(attempt, waited).await;
                }
                // The webhook brings Adyen's id of the payment. Without one the link itself is the receipt.
                let late = waited > WEBHOOK_WITHIN;
                let known = payments::receipt(Reference(id.to_owned()), &amount);
                known.filter(|_| late).map_or(ObjectState::Processing, ObjectState::Done)
            }
        }
    }

    /// Looks for the saved card in the shopper's list.
    async fn card(&self, attempt: &AttemptContext<'_>, waited: Duration) -> ObjectState {
        let shopper = links::name(attempt).to_string();
        match self.send(stored::list(&self.account, &shopper)).await {
            Ok(reply) => match stored::newest(&reply, &shopper) {
                Some(card) => ObjectState::Done(card),
                None if reply.status.is_success() && waited > CARD_WITHIN => {
                    ObjectState::SoftDeclined { code: "card_not_kept" }
                }
                None => ObjectState::Processing,
            },
            Err(error) => unanswered(AdyenCall::Read, &error),
        }
    }

    /// Makes the payment, or finishes it after the customer's return. Each call has one key and is repeated byte for byte.
    async fn pay(&self, attempt: &AttemptContext<'_>) -> ObjectState {
        let amount = match self.amount(attempt) {
            Ok(amount) => amount,
            Err(code) => return ObjectState::Invalid { code },
        };
        let account = &self.account.merchant_account;
        let state = state::of(attempt.request, attempt.attempt_no, &self.link_key, account);
        let return_url = state::return_url(attempt.callback, &state);
        let call = match attempt.authorization {
            Authorization::Grant(Grant::Code(result)) => payments::details(attempt, result),
            Authorization::Credential(credential) => {
                payments::pay(attempt, credential, &self.account, &amount, &return_url)
            }
            Authorization::Grant(Grant::AccessToken(_)) | Authorization::Hosted => None,
        };
        let Some(call) = call else { return ObjectState::Invalid { code: MALFORMED } };
        if !self.window(attempt).sends() {
            return ObjectState::Unknown;
        }
        match self.send(call).await {
            Ok(reply) => payments::outcome(&reply, attempt, &self.account, &amount),
            Err(error) => unanswered(AdyenCall::Pay, &error),
        }
    }

    /// Requests a cancellation or reversal, once no call of the payment can follow. A webhook reports its result.
    async fn end(&self, attempt: &AttemptContext<'_>) -> VoidResult {
        let window = self.window(attempt);
        if let Some(answer) = window.over(attempt, self.amount(attempt).ok().as_ref()) {
            return answer;
        }
        let call = match paid(attempt) {
            Some(paid) => payments::reverse(attempt, &self.account, &paid),
            None => payments::cancel(attempt, &self.account),
        };
        match self.send(call).await {
            Ok(reply) if reply.status.is_success() => VoidResult::Unknown,
            Ok(reply) => errors::failure(AdyenCall::End, &reply).into(),
            Err(error) => unanswered(AdyenCall::End, &error).into(),
        }
    }

    async fn send(&self, call: AdyenRequest) -> Result<AdyenReply, HttpError> {
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

/// Returns the object that a stored reference names. Only ids of Adyen's form go into a path.
fn object<'a>(attempt: &AttemptContext<'_>, reference: &'a Reference) -> Option<AdyenObject<'a>> {
    let id = reference.0.as_str();
    let ours = matches!(attempt.ask, Ask::Payment { .. }) && id == links::name(attempt).to_string();
    match () {
        () if is_link(id) => Some(AdyenObject::Link(id)),
        () if ours => Some(AdyenObject::Payment),
        () => None,
    }
}

fn countable(money: Money) -> Option<Amount> {
    let value = amounts::to_adyen(money)?;
    Some(Amount { value, currency: money.currency().code().to_owned() })
}

/// Maps the code that a refund's webhook reported to one of ours.
fn refund_code(code: Option<&str>) -> &'static str {
    match code {
        Some("refund_declined") => "refund_declined",
        _ => "refund_failed",
    }
}
