//! A request costs the same however many are stored.
//!
//! The cost is counted in operations of the store and the queue. Other load on the machine does not change it. The steps
//! of SQLite for each are counted in `embedded`.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::response::Response;
use domain::message::{MessageResult, QueueName};
use domain::random::Random;
use domain::values::id::RequestId;
use embedded::Database;
use local::Machine;
use ports::{Clock, Http, Ports, Queue, Store};
use records::storage;
use serde_json::{Value, json};
use tests::aws_bill::{Meter, MeteredStore};
use tests::doubles::{ManualClock, OneBrand, SeededRandom};
use tests::memory::{CountingPorts, Counts};
use tests::targets::fuzz_fixture::{BASE, KEY, OneAnswerHttp, secret, wanted};
use tower::ServiceExt;

pub(super) struct Fixture {
    pub(super) clock: Arc<ManualClock>,
    pub(super) database: Database,
    counted: Arc<CountingPorts>,
    pub(super) meter: Arc<Meter>,
    machine: Machine,
    api: Router,
    phone: Router,
}

impl Fixture {
    pub(super) fn open() -> Self {
        let http: Arc<dyn Http> = Arc::new(OneAnswerHttp::default());
        Self::over(Arc::new(ManualClock::default()), &http)
    }

    /// Opens a fixture whose world outside is `http`.
    pub(super) fn over(clock: Arc<ManualClock>, http: &Arc<dyn Http>) -> Self {
        let time: Arc<dyn Clock> = Arc::<ManualClock>::clone(&clock);
        let database = Database::in_memory(Arc::clone(&time)).unwrap();
        let (items, messages): (Arc<dyn Store>, Arc<dyn Queue>) =
            (Arc::new(database.clone()), Arc::new(database.clone()));
        let meter = Arc::new(Meter::default());
        let items = Arc::new(MeteredStore::new(items, Arc::clone(&meter)));
        let counted = Arc::new(CountingPorts::new(items, messages));
        let (store, queue): (Arc<dyn Store>, Arc<dyn Queue>) =
            (Arc::<CountingPorts>::clone(&counted), Arc::<CountingPorts>::clone(&counted));
        let random: Arc<dyn Random> = Arc::new(SeededRandom::new(7));
        let brand = OneBrand::new(&secret().to_string()).unwrap();
        let ports = Ports { clock: time, random, store, queue, secrets: Arc::new(brand) };
        let machine = Machine::new(&ports, http, BASE);
        let api = intake::router(Arc::clone(&machine.intake));
        let phone = consent_callback::router(Arc::clone(&machine.consent_callback));
        Self { clock, database, counted, meter, machine, api, phone }
    }

    async fn post(&self, router: &Router, path: &str, key: &str, body: &Value) -> Value {
        let call = http::Request::post(path)
            .header("authorization", format!("Bearer {KEY}"))
            .header("idempotency-key", key)
            .body(Body::from(body.to_string()))
            .unwrap();
        let answer = router.clone().oneshot(call).await.unwrap();
        let status = answer.status();
        let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        assert!(status.is_success(), "{status} {}", body.escape_ascii());
        serde_json::from_slice(&body).unwrap()
    }

    /// Returns the operations since the beginning.
    pub(super) fn counts(&self) -> Counts {
        self.counted.counts()
    }

    pub(super) async fn get(&self, path: &str) -> Response {
        let call = http::Request::get(path).header("authorization", format!("Bearer {KEY}"));
        self.api.clone().oneshot(call.body(Body::empty()).unwrap()).await.unwrap()
    }

    /// Handles every message that is due now.
    pub(super) async fn work(&self) {
        for queue in [QueueName::Prompts, QueueName::Authorizations, QueueName::Webhooks] {
            while let Some(received) = self.database.receive(queue, self.clock.now()).unwrap() {
                assert_eq!(self.machine.handle(&received.message).await, MessageResult::Done);
                self.database.delete(received.receipt).unwrap();
            }
        }
    }

    /// Makes a request and approves it.
    pub(super) async fn approved(&self, number: u32) -> RequestId {
        let phone = format!("+1777{number:07}");
        let made = self.post(&self.api, "/v1/requests", &phone, &wanted(&phone, "chat")).await;
        self.work().await;
        let id: RequestId = made["id"].as_str().unwrap().parse().unwrap();
        let prompt =
            storage::load(&self.database, id).await.unwrap().unwrap().request.prompts[0].id;
        let tap = format!("/sandbox/phones/{phone}/messages/{prompt}/tap");
        let yes = json!({ "action": "approve", "session_code": made["session_code"] });
        self.post(&self.phone, &tap, &phone, &yes).await;
        self.work().await;
        self.work().await;
        let done = storage::load(&self.database, id).await.unwrap().unwrap().request;
        assert_eq!(done.state_name(), "fulfilled");
        id
    }

    /// Returns whether the requester received every webhook of a request.
    pub(super) async fn is_told(&self, id: RequestId) -> bool {
        let webhooks = storage::webhooks(&self.database, id).await.unwrap();
        webhooks.iter().all(|(webhook, _)| webhook.delivered_at.is_some())
    }

    /// Returns the cost of one request, from its call to its last webhook.
    async fn cost(&self, number: u32) -> Counts {
        let before = self.counted.counts();
        let id = self.approved(number).await;
        let cost = self.counted.counts().since(&before);
        assert!(self.is_told(id).await);
        cost
    }
}

/// The operations of the store and of the queues are counted.
#[tokio::test]
async fn three_hundredth_request_costs_no_more_than_the_first() {
    let fixture = Fixture::open();
    // The worker learns that the endpoint is healthy.
    fixture.cost(0).await;
    let first = fixture.cost(1).await;
    for number in 2..300 {
        assert_eq!(fixture.cost(number).await, first, "request {number}");
    }
    assert!(first.reads > 0 && first.transactions > 0 && first.sends > 0, "{first:?}");
    // The bound on the cost of a request. A change that needs more raises it here.
    assert!(first.reads <= 25 && first.transactions <= 16 && first.sends <= 9, "{first:?}");
}
