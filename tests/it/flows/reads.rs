//! Counts what a customer's reply and a requester's wait read.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use consent_callback::ConsentCallback;
use domain::brand::Brand;
use domain::values::name::BrandName;
use http::{HeaderMap, Request};
use intake::Intake;
use ports::{
    ButtonAction, Item, Key, Page, Ports, Range, Secrets, SecretsError, Store, StoreError, Write,
};
use serde_json::json;
use tests::world::brand::TEST_KEY;
use tests::world::fake_channel::PROOF;
use tests::world::{CreatedRequest, PHONE, World};

/// A store and the brands' secrets, which count the reads of requests and of brands.
struct CountedReads {
    ports: Ports,
    requests: AtomicU32,
    brands: AtomicU32,
}

#[async_trait]
impl Store for CountedReads {
    async fn read(&self, key: &Key) -> Result<Option<Item>, StoreError> {
        if key.pk.starts_with("REQ#") && key.sk == "REQ" {
            self.requests.fetch_add(1, Ordering::SeqCst);
        }
        self.ports.store.read(key).await
    }

    async fn list(&self, range: &Range) -> Result<Page, StoreError> {
        self.ports.store.list(range).await
    }

    async fn list_index(&self, range: &Range) -> Result<Page, StoreError> {
        self.ports.store.list_index(range).await
    }

    async fn write(&self, writes: Vec<Write>) -> Result<(), StoreError> {
        self.ports.store.write(writes).await
    }
}

#[async_trait]
impl Secrets for CountedReads {
    async fn brand(&self, name: &BrandName) -> Result<Arc<Brand>, SecretsError> {
        self.brands.fetch_add(1, Ordering::SeqCst);
        self.ports.secrets.brand(name).await
    }

    async fn refresh(&self, name: &BrandName) -> Result<Arc<Brand>, SecretsError> {
        self.ports.secrets.refresh(name).await
    }
}

/// A world's intake over counted ports.
fn counted_intake(world: &World) -> (Arc<CountedReads>, Arc<Intake>) {
    let own = &world.machine.intake;
    let (requests, brands) = (AtomicU32::new(0), AtomicU32::new(0));
    let reads = Arc::new(CountedReads { ports: own.ports.clone(), requests, brands });
    let store: Arc<dyn Store> = Arc::<CountedReads>::clone(&reads);
    let intake = Intake {
        ports: Ports { store, ..own.ports.clone() },
        channels: Arc::clone(&own.channels),
        processors: Arc::clone(&own.processors),
        public_base: own.public_base.clone(),
        desk: own.desk,
    };
    (reads, Arc::new(intake))
}

/// A world's consent-callback over counted ports.
fn counted(world: &World) -> (Arc<CountedReads>, ConsentCallback) {
    let own = &world.machine.consent_callback;
    let (requests, brands) = (AtomicU32::new(0), AtomicU32::new(0));
    let reads = Arc::new(CountedReads { ports: own.ports.clone(), requests, brands });
    let store: Arc<dyn Store> = Arc::<CountedReads>::clone(&reads);
    let secrets: Arc<dyn Secrets> = Arc::<CountedReads>::clone(&reads);
    let consent = ConsentCallback {
        ports: Ports { store, secrets, ..own.ports.clone() },
        channels: Arc::clone(&own.channels),
        processors: Arc::clone(&own.processors),
        public_base: own.public_base.clone(),
        sandbox: None,
    };
    (reads, consent)
}

fn begin() -> (World, CreatedRequest) {
    let beginning = World::builder().with_fake_channels(&["rcs"]);
    let world = beginning.with("/policy", &json!({ "session_code": false })).build();
    let asked = world.asks(4250);
    (world, asked)
}

#[test]
fn postback_reads_its_brand_and_its_request_once() {
    let (world, asked) = begin();
    let (reads, consent) = counted(&world);
    let prompt = world.sent_messages().sent.pop().unwrap();
    let ButtonAction::Reply { postback } = &prompt.buttons[0].action else { panic!("no reply") };
    let tapped = json!({ "tapped": { "postback": postback, "from": { "phone": PHONE } } });
    let body = Bytes::from(json!({ "callbacks": [tapped] }).to_string());
    let call = Request::post("/callbacks/demo/rcs").header(PROOF, "proven").body(()).unwrap();
    let (parts, ()) = call.into_parts();
    world.run(consent.receive("demo", "rcs", &parts, body)).unwrap();
    assert_eq!(world.state(&asked), "authorized");
    assert_eq!(reads.brands.load(Ordering::SeqCst), 1);
    assert_eq!(reads.requests.load(Ordering::SeqCst), 1);
    world.run_until_idle();
    assert_eq!(world.state(&asked), "fulfilled");
}

/// Four waits make two seconds, 17 take a second each, and one is the rest.
#[test]
fn longest_wait_reads_its_request_twenty_three_times() {
    let (world, asked) = begin();
    let (reads, intake) = counted_intake(&world);
    let mut headers = HeaderMap::new();
    headers.insert("authorization", format!("Bearer {TEST_KEY}").parse().unwrap());
    for query in ["wait=20", "view=brief&wait=20"] {
        reads.requests.store(0, Ordering::SeqCst);
        let begun = world.now();
        world.run(intake.read(&headers, &asked.id, query)).unwrap();
        assert_eq!(begun.until(world.now()), Duration::from_secs(20));
        assert_eq!(reads.requests.load(Ordering::SeqCst), 23);
        world.run_until_idle();
    }
}
