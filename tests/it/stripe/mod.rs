//! The Stripe processor against third-party stand-ins, behind a proxy that breaks each call.
//!
//! With any fault, a stand-in has charged at most once, and the port has reported exactly that. `localstripe` has
//! PaymentIntents, SetupIntents, customers, refunds and webhooks. `emulate` has the hosted page.

mod charges;
mod hosted;
mod refunds;
mod saved_cards;
mod webhooks;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use domain::ask::Ask;
use domain::authorization::{Authorization, Credential, CredentialKind};
use domain::brand::{Brand, Mode};
use domain::processor_result::Reference;
use domain::values::text::DisplayText;
use domain::values::time::Timestamp;
use embedded::SystemClock;
use ports::contract_tests::processor::OperationResult;
use ports::{
    AttemptContext, Clock, Created, Fulfillment, Http, HttpError, Processor, Processors, Reach,
};
use processors::{Deps, Registry};
use serde_json::{Value, json};
use tests::doubles::used;
use tests::proxy::{Proxy, ProxyFault};

/// The longest time for a call, where one of them is never answered.
const CALL_TIMEOUT: Duration = Duration::from_millis(1_500);
/// The pause before the next look-up.
const LOOK_UP_PAUSE: Duration = Duration::from_millis(100);

pub(crate) const FAULTS: [ProxyFault; 9] = [
    ProxyFault::DropBefore,
    ProxyFault::DropAfter,
    ProxyFault::Silent,
    ProxyFault::Slow(Duration::from_millis(20)),
    ProxyFault::GatewayAfter,
    ProxyFault::FailedAfter,
    ProxyFault::Locked,
    ProxyFault::Throttled,
    ProxyFault::Twice,
];

#[expect(clippy::disallowed_methods, reason = "a test's own setting")]
fn setting(name: &str, what: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("set {name} to {what}; tests/run.py starts one"))
}

pub(crate) fn localstripe() -> String {
    setting("LOCALSTRIPE_URL", "a running localstripe, such as http://127.0.0.1:8420")
}

pub(crate) fn emulate() -> String {
    setting("EMULATE_URL", "a running emulate of Stripe, such as http://127.0.0.1:4000")
}

/// An Http port with a short timeout.
struct ShortTimeoutHttp(Arc<dyn Http>);

#[async_trait]
impl Http for ShortTimeoutHttp {
    async fn call(
        &self,
        request: http::Request<Bytes>,
        reach: Reach,
        timeout: Duration,
    ) -> Result<http::Response<Bytes>, HttpError> {
        self.0.call(request, reach, timeout.min(CALL_TIMEOUT)).await
    }
}

/// A clock that stands still, since the adapter needs none.
struct StoppedClock;

#[async_trait]
impl Clock for StoppedClock {
    fn now(&self) -> Timestamp {
        Timestamp::EPOCH
    }

    async fn wait(&self, _duration: Duration) {}
}

/// Returns an authorization with this payload.
fn yes(kind: CredentialKind, secret: &str) -> Authorization {
    Credential::new(kind, secret).into()
}

/// Returns a wallet's token.
fn apple_pay() -> Authorization {
    let token = json!({
        "paymentData": { "version": "EC_v1", "data": "…" },
        "paymentMethod": { "displayName": "Visa 1234", "network": "Visa" },
        "transactionIdentifier": "f7f1",
    });
    yes(CredentialKind::ApplePay, &token.to_string())
}

/// Opens a Stripe processor with these settings besides its address.
fn opened(proxy: &Proxy, more: &Value) -> Box<dyn Processor> {
    let mut settings = json!({
        "secret_key": "sk_test_localstripe",
        "base_url": proxy.url(),
        "omit": ["description", "error_on_requires_action", "return_url"],
    });
    for (name, value) in more.as_object().into_iter().flatten() {
        settings[name] = value.clone();
    }
    let key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let brand = json!({
        "version": "1", "name": "acme", "display_name": "Acme", "keys": [],
        "sealing": { "current": "1", "keys": { "1": key } }, "address_key": key, "link_key": key,
        "test": { "processors": [{ "name": "stripe", "kind": "stripe", "settings": settings }] },
    });
    let client: Arc<dyn Http> = Arc::new(https::Client::new().unwrap());
    let outside = Deps { http: Arc::new(ShortTimeoutHttp(client)), clock: Arc::new(StoppedClock) };
    let brand = Brand::parse(&brand.to_string()).unwrap();
    let name = "stripe".parse().unwrap();
    Registry::new(outside).open(&brand, Mode::Test, &name).ok().unwrap()
}

/// A Stripe processor, the proxy that it calls, and one authorization.
struct Fixture {
    proxy: Proxy,
    processor: Box<dyn Processor>,
    authorization: Authorization,
    /// Whether a card is saved and nothing paid.
    keeping: bool,
}

impl Fixture {
    async fn new(authorization: Authorization) -> Self {
        let client: Arc<dyn Http> = Arc::new(https::Client::new().unwrap());
        let proxy = Proxy::start(&localstripe(), client).await.unwrap();
        let processor = opened(&proxy, &Value::Null);
        Self { proxy, processor, authorization, keeping: false }
    }

    /// Opens a fixture whose customer has a wallet, so that all four calls are made.
    async fn with_apple_pay() -> Self {
        Self::new(apple_pay()).await
    }

    async fn with_card(id: &str) -> Self {
        Self::new(yes(CredentialKind::PaymentMethod, id)).await
    }

    /// Opens a fixture that saves a card.
    fn that_keeps(self) -> Self {
        Self { keeping: true, ..self }
    }

    fn attempt(&self, amount: u64, attempt_no: u32) -> AttemptContext<'_> {
        let used = used(&self.authorization, amount, attempt_no);
        if !self.keeping {
            return used;
        }
        let description = DisplayText::new("Card for later").unwrap();
        AttemptContext { ask: Box::leak(Box::new(Ask::PaymentMethod { description })), ..used }
    }

    async fn create(&self) -> Result<Reference, OperationResult> {
        let mut answer = OperationResult::Again;
        for _ in 0..12 {
            let created = self.processor.create(&self.attempt(4250, 1)).await;
            if let Created::Ready(reference) = created {
                return Ok(reference);
            }
            answer = created.into();
            if answer != OperationResult::Again {
                break;
            }
            // On a busy machine, asking at once does not finish a call that is still under way.
            SystemClock.wait(LOOK_UP_PAUSE).await;
        }
        Err(answer)
    }

    /// Repeats the worker's steps until the port's answer is final; the last step voids.
    async fn settle(&self, reference: &Reference) -> OperationResult {
        let attempt = self.attempt(4250, 1);
        let mut answer: OperationResult = self.processor.confirm(&attempt, reference).await.into();
        for _ in 0..6 {
            if matches!(answer, OperationResult::Again | OperationResult::Processing) {
                SystemClock.wait(LOOK_UP_PAUSE).await;
            }
            if matches!(answer, OperationResult::Again | OperationResult::NotConfirmed) {
                answer = self.processor.confirm(&attempt, reference).await.into();
            } else if matches!(answer, OperationResult::Unknown | OperationResult::Processing) {
                answer = self.processor.retrieve(&attempt, reference).await.into();
            } else {
                return answer;
            }
        }
        self.void(reference).await
    }

    async fn void(&self, reference: &Reference) -> OperationResult {
        let mut answer = OperationResult::Unknown;
        for _ in 0..4 {
            answer = self.processor.void(&self.attempt(4250, 1), reference).await.into();
            if matches!(answer, OperationResult::Voided | OperationResult::Done(_)) {
                break;
            }
        }
        answer
    }

    /// Returns how often the stand-in has charged or saved.
    async fn acts(&self) -> usize {
        let count =
            if self.keeping { self.proxy.cards().await } else { self.proxy.charges().await };
        count.unwrap()
    }

    async fn charges(&self) -> usize {
        self.proxy.charges().await.unwrap()
    }

    /// Runs one attempt from its beginning to its end.
    async fn run(&self) -> OperationResult {
        match self.create().await {
            Ok(reference) => self.settle(&reference).await,
            Err(answer) => answer,
        }
    }

    /// Asserts that the stand-in acted as often as the answer says, and that a repeat adds nothing.
    async fn assert_reported_truly(&self, answer: &OperationResult, what: &str) {
        let reported = usize::from(is_done(answer));
        assert_eq!(self.acts().await, reported, "{what}: {answer:?}");
        if reported == 1 {
            let again = self.run().await;
            assert!(is_done(&again), "{what}, repeated: {again:?}");
            assert_eq!(self.acts().await, 1, "{what}, repeated");
        }
    }
}

fn is_done(answer: &OperationResult) -> bool {
    let OperationResult::Done(fetched) = answer else { return false };
    match fetched {
        Fulfillment::Payment(receipt) => receipt.amount == 4250 && receipt.currency == "EUR",
        Fulfillment::Card { .. } => true,
        Fulfillment::Claims { .. } => false,
    }
}
