//! The Stripe processor against a stand-in that others wrote, behind a proxy that breaks each call in each way.
//!
//! Whatever breaks, the stand-in has charged once or not at all, and the port has reported exactly that.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use domain::authorization::{Authorization, AuthorizationKind};
use domain::brand::{Brand, Mode};
use domain::ports::{
    Answer, Clock, Fetched, Http, HttpError, Item, Key, Page, Prepared, Processor, Processors,
    Range, Reach, Reference, Store, StoreError, Use, Write,
};
use domain::values::time::Timestamp;
use processors::{Outside, Registry};
use serde_json::json;
use tests::doubles::used;
use tests::proxy::{Call, Fault, Proxy};

/// How long a call may take here, where one of them is never answered.
const PATIENCE: Duration = Duration::from_millis(1_500);

pub(crate) const FAULTS: [Fault; 9] = [
    Fault::DropBefore,
    Fault::DropAfter,
    Fault::Silent,
    Fault::Slow(Duration::from_millis(20)),
    Fault::GatewayAfter,
    Fault::FailedAfter,
    Fault::Locked,
    Fault::Throttled,
    Fault::Twice,
];

#[expect(clippy::disallowed_methods, reason = "a test's own setting")]
pub(crate) fn localstripe() -> String {
    std::env::var("LOCALSTRIPE_URL").unwrap_or_else(|_| {
        panic!(
            "set LOCALSTRIPE_URL to a running localstripe, such as http://127.0.0.1:8420; .ci/run starts one"
        )
    })
}

/// The Http port for somebody in a hurry.
struct Hurried(Arc<dyn Http>);

#[async_trait]
impl Http for Hurried {
    async fn call(
        &self,
        request: http::Request<Bytes>,
        reach: Reach,
        timeout: Duration,
    ) -> Result<http::Response<Bytes>, HttpError> {
        self.0.call(request, reach, timeout.min(PATIENCE)).await
    }
}

/// Stripe needs neither a store nor a clock.
struct Nothing;

#[async_trait]
impl Store for Nothing {
    async fn read(&self, _key: &Key) -> Result<Option<Item>, StoreError> {
        Ok(None)
    }

    async fn list(&self, _range: &Range) -> Result<Page, StoreError> {
        Ok(Page { items: Vec::new(), more: false })
    }

    async fn list_index(&self, range: &Range) -> Result<Page, StoreError> {
        self.list(range).await
    }

    async fn write(&self, _writes: Vec<Write>) -> Result<(), StoreError> {
        Ok(())
    }
}

#[async_trait]
impl Clock for Nothing {
    fn now(&self) -> Timestamp {
        Timestamp::EPOCH
    }

    async fn wait(&self, _duration: Duration) {}
}

/// A Stripe processor, the proxy it calls, and one authorization.
struct Till {
    proxy: Proxy,
    processor: Box<dyn Processor>,
    authorization: Authorization,
}

impl Till {
    async fn new(authorization: Authorization) -> Self {
        let client: Arc<dyn Http> = Arc::new(https::Client::new().unwrap());
        let proxy = Proxy::start(&localstripe(), Arc::clone(&client)).await.unwrap();
        let settings = json!({
            "secret_key": "sk_test_localstripe",
            "base_url": proxy.url(),
            "omit": ["description", "error_on_requires_action"],
        });
        let key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
        let brand = json!({
            "version": "1", "name": "acme", "display_name": "Acme", "keys": [],
            "sealing": { "current": "1", "keys": { "1": key } }, "address_key": key, "link_key": key,
            "test": { "processors": [{ "name": "stripe", "kind": "stripe", "settings": settings }] },
        });
        let outside = Outside {
            http: Arc::new(Hurried(client)),
            store: Arc::new(Nothing),
            clock: Arc::new(Nothing),
        };
        let brand = Brand::parse(&brand.to_string()).unwrap();
        let name = "stripe".parse().unwrap();
        let processor = Registry::new(outside).open(&brand, Mode::Test, &name).ok().unwrap();
        Self { proxy, processor, authorization }
    }

    /// A customer with a wallet: all four calls are made.
    async fn with_apple_pay() -> Self {
        let token = json!({
            "paymentData": { "version": "EC_v1", "data": "…" },
            "paymentMethod": { "displayName": "Visa 1234", "network": "Visa" },
            "transactionIdentifier": "f7f1",
        });
        let kind = AuthorizationKind::ApplePay;
        Self::new(Authorization { kind, secret: token.to_string().into() }).await
    }

    async fn with_card(id: &str) -> Self {
        let kind = AuthorizationKind::PaymentMethod;
        Self::new(Authorization { kind, secret: id.into() }).await
    }

    fn charge(&self, amount: u64, generation: u32) -> Use<'_> {
        used(&self.authorization, amount, generation)
    }

    async fn prepare(&self) -> Result<Reference, Answer> {
        let mut answer = Answer::Again;
        for _ in 0..4 {
            match self.processor.prepare(&self.charge(4250, 1)).await {
                Prepared::Ready(reference) => return Ok(reference),
                Prepared::Not(not) => answer = not,
            }
            if answer != Answer::Again {
                break;
            }
        }
        Err(answer)
    }

    /// Does as the worker does, until the port says something definite; the fence comes last.
    async fn settle(&self, reference: &Reference) -> Answer {
        let charge = self.charge(4250, 1);
        let mut answer = self.processor.execute(&charge, reference).await;
        for _ in 0..6 {
            if matches!(answer, Answer::Again | Answer::NotExecuted) {
                answer = self.processor.execute(&charge, reference).await;
            } else if matches!(answer, Answer::Unknown | Answer::Working) {
                answer = self.processor.look_up(&charge, reference).await;
            } else {
                return answer;
            }
        }
        self.fence(reference).await
    }

    async fn fence(&self, reference: &Reference) -> Answer {
        let mut answer = Answer::Unknown;
        for _ in 0..4 {
            answer = self.processor.fence(&self.charge(4250, 1), reference).await;
            if matches!(answer, Answer::Fenced | Answer::Done(_)) {
                break;
            }
        }
        answer
    }

    async fn charges(&self) -> usize {
        self.proxy.charges().await.unwrap()
    }

    /// One attempt from its beginning to its end.
    async fn run(&self) -> Answer {
        match self.prepare().await {
            Ok(reference) => self.settle(&reference).await,
            Err(answer) => answer,
        }
    }

    /// The upstream has charged exactly as often as the answer says, and repeating it all charges no more.
    async fn is_told_truly(&self, answer: &Answer, what: &str) {
        let told = usize::from(is_done(answer));
        assert_eq!(self.charges().await, told, "{what}: {answer:?}");
        if told == 1 {
            let again = self.run().await;
            assert!(is_done(&again), "{what}, all over again: {again:?}");
            assert_eq!(self.charges().await, 1, "{what}, all over again");
        }
    }
}

fn is_done(answer: &Answer) -> bool {
    matches!(answer, Answer::Done(Fetched::Payment(receipt)) if receipt.amount == 4250 && receipt.currency == "EUR")
}

const REFUSED: Answer = Answer::Refused { code: "card_declined" };

#[tokio::test]
async fn any_fault_at_any_call_ends_as_one_charge_that_is_reported() {
    for call in [Call::Token, Call::PaymentMethod, Call::Create, Call::Confirm, Call::Read] {
        for fault in FAULTS {
            let till = Till::with_apple_pay().await;
            till.proxy.plan(call, fault);
            if call == Call::Read {
                till.proxy.plan(Call::Confirm, Fault::DropAfter);
            }
            let answer = till.run().await;
            let what = format!("{fault:?} at {call:?}");
            assert!(till.proxy.is_played(), "{what} never happened");
            till.is_told_truly(&answer, &what).await;
            // A failure that Stripe keeps before any money moves ends the attempt; nothing else does.
            let ended = fault == Fault::FailedAfter && !matches!(call, Call::Confirm | Call::Read);
            if ended {
                assert_eq!(answer, Answer::Invalid { code: "processor_error" }, "{what}");
            } else {
                assert!(is_done(&answer), "{what}: {answer:?}");
            }
        }
    }
}

#[tokio::test]
async fn any_fault_with_a_card_that_is_refused_ends_as_no_charge_and_a_refusal() {
    for call in [Call::Create, Call::Confirm, Call::Read] {
        for fault in FAULTS {
            let till = Till::with_card("pm_card_chargeCustomerFail").await;
            till.proxy.plan(call, fault);
            if call == Call::Read {
                till.proxy.plan(Call::Confirm, Fault::DropAfter);
            }
            let answer = till.run().await;
            let what = format!("{fault:?} at {call:?}");
            till.is_told_truly(&answer, &what).await;
            let ended = fault == Fault::FailedAfter && call == Call::Create;
            let expected =
                if ended { Answer::Invalid { code: "processor_error" } } else { REFUSED };
            assert_eq!(answer, expected, "{what}");
        }
    }
}

#[tokio::test]
async fn any_fault_at_the_fence_ends_as_fenced_or_as_the_charge_that_came_before() {
    for call in [Call::Cancel, Call::Read] {
        for fault in FAULTS {
            for charged in [false, true] {
                let till = Till::with_card("pm_card_visa").await;
                let reference = till.prepare().await.unwrap();
                if charged {
                    assert!(is_done(&till.settle(&reference).await));
                }
                till.proxy.plan(call, fault);
                let answer = till.fence(&reference).await;
                assert_eq!(answer == Answer::Fenced, !charged, "{fault:?} at {call:?}: {answer:?}");
                till.is_told_truly(&answer, &format!("{fault:?} at {call:?}")).await;
                let late = till.settle(&reference).await;
                assert_eq!(is_done(&late), charged, "{fault:?} at {call:?}, then {late:?}");
                assert_eq!(till.charges().await, usize::from(charged));
            }
        }
    }
}

#[tokio::test]
async fn a_money_call_that_arrives_after_the_fence_moves_nothing() {
    let till = Till::with_card("pm_card_visa").await;
    let reference = till.prepare().await.unwrap();
    till.proxy.plan(Call::Confirm, Fault::Late);
    let charge = till.charge(4250, 1);
    assert_eq!(till.processor.execute(&charge, &reference).await, Answer::Unknown);
    assert_eq!(till.processor.look_up(&charge, &reference).await, Answer::NotExecuted);
    assert_eq!(till.processor.execute(&charge, &reference).await, Answer::Working);
    assert_eq!(till.fence(&reference).await, Answer::Fenced);
    till.proxy.release().await;
    assert_eq!(till.charges().await, 0);
    assert_eq!(till.processor.look_up(&charge, &reference).await, Answer::Fenced);
}

#[tokio::test]
async fn a_money_call_that_arrives_before_the_fence_is_found() {
    let till = Till::with_card("pm_card_visa").await;
    let reference = till.prepare().await.unwrap();
    till.proxy.plan(Call::Confirm, Fault::Late);
    let charge = till.charge(4250, 1);
    assert_eq!(till.processor.execute(&charge, &reference).await, Answer::Unknown);
    till.proxy.release().await;
    assert!(is_done(&till.fence(&reference).await));
    assert_eq!(till.charges().await, 1);
}

#[tokio::test]
async fn workers_that_charge_at_once_charge_once() {
    let till = Till::with_card("pm_card_visa").await;
    let reference = till.prepare().await.unwrap();
    let settle = || till.settle(&reference);
    let answers = tokio::join!(settle(), settle(), settle(), settle());
    for answer in [answers.0, answers.1, answers.2, answers.3] {
        assert!(is_done(&answer), "{answer:?}");
    }
    assert_eq!(till.charges().await, 1);
}

#[tokio::test]
async fn the_same_key_with_another_amount_is_refused_and_charges_nothing() {
    let till = Till::with_card("pm_card_visa").await;
    till.prepare().await.unwrap();
    let other = till.processor.prepare(&till.charge(9900, 1)).await;
    assert_eq!(other, Prepared::Not(Answer::Blocked { code: "idempotency_key_reused" }));
    assert_eq!(till.charges().await, 0);
}

#[tokio::test]
async fn a_new_attempt_after_a_refusal_is_an_object_of_its_own() {
    let till = Till::with_card("pm_card_chargeCustomerFail").await;
    let first = till.prepare().await.unwrap();
    assert_eq!(till.settle(&first).await, REFUSED);
    let visa =
        Authorization { kind: AuthorizationKind::PaymentMethod, secret: "pm_card_visa".into() };
    let charge = Use { authorization: &visa, ..till.charge(4250, 2) };
    let Prepared::Ready(second) = till.processor.prepare(&charge).await else { panic!() };
    assert_ne!(first, second);
    assert!(is_done(&till.processor.execute(&charge, &second).await));
    assert_eq!(till.charges().await, 1);
}
