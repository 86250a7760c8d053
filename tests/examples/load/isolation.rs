//! Two brands on one machine: the effect of one brand's slow endpoint or dead processor on the other.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use domain::brand::Brand;
use domain::values::id::RequestId;
use domain::values::name::BrandName;
use embedded::{Database, SystemClock, SystemRandom};
use futures_util::future::{join, join_all};
use http::HeaderMap;
use local::Machine;
use ports::MessagePath;
use ports::{Clock, Http, Ports, Secrets, SecretsError};
use records::storage;
use serde_json::{Value, json};
use tests::targets::fuzz_fixture;
use tokio::sync::watch;

use crate::sink::Sink;
use crate::{instant, quantiles};

const POLL_INTERVAL: Duration = Duration::from_millis(5);
const WAIT_MAX: Duration = Duration::from_secs(120);
/// The requests of each brand in a second.
const PER_SECOND: u32 = 20;

struct Brands([Arc<Brand>; 2]);

#[async_trait]
impl Secrets for Brands {
    async fn brand(&self, name: &BrandName) -> Result<Arc<Brand>, SecretsError> {
        let found = self.0.iter().find(|brand| brand.name == *name);
        found.cloned().ok_or(SecretsError::Unknown)
    }

    async fn refresh(&self, name: &BrandName) -> Result<Arc<Brand>, SecretsError> {
        self.brand(name).await
    }
}

fn key(brand: &str) -> String {
    fuzz_fixture::KEY.replace("acme", brand)
}

/// Returns the fixture's brand under another name, with its own endpoint and processor.
fn brand(name: &str, webhooks: &str, stripe: Option<&str>) -> Arc<Brand> {
    let mut secret = fuzz_fixture::secret();
    secret["name"] = json!(name);
    secret["keys"][0]["sha256"] = json!(domain::digest::digest_hex(key(name).as_bytes()));
    secret["test"]["webhooks"]["url"] = json!(webhooks);
    if let Some(base_url) = stripe {
        secret["test"]["processors"] = json!([{ "name": "stripe", "kind": "stripe", "settings": {
            "secret_key": "sk_test_load", "base_url": base_url } }]);
    }
    Arc::new(Brand::parse(&secret.to_string()).unwrap())
}

struct Fixture {
    machine: Arc<Machine>,
    database: Database,
    sink: Sink,
}

/// The latencies of one request: until prompted, from tap to fulfilled, from tap to webhook.
type Latencies = (Duration, Duration, Duration);

impl Fixture {
    async fn ask(&self, brand: &str, number: u32) -> (RequestId, Value) {
        let phone = format!("+1{}{number:06}1", if brand == "calm" { 777 } else { 888 });
        let mut headers = HeaderMap::new();
        headers.insert("authorization", format!("Bearer {}", key(brand)).parse().unwrap());
        headers.insert("idempotency-key", phone.parse().unwrap());
        let body = fuzz_fixture::wanted(&phone, "sandbox").to_string();
        let made = self.machine.intake.create(&headers, body.as_bytes()).await.unwrap();
        let made: Value = serde_json::from_slice(made.body()).unwrap();
        (made["id"].as_str().unwrap().parse().unwrap(), made)
    }

    async fn until(&self, id: RequestId, began: Instant, reached: fn(&str) -> bool) -> Duration {
        loop {
            let request = storage::load(&self.database, id).await.unwrap().unwrap().request;
            if reached(request.state_name()) || began.elapsed() > WAIT_MAX {
                return began.elapsed();
            }
            SystemClock.wait(POLL_INTERVAL).await;
        }
    }

    async fn serve(&self, brand: &str, number: u32, waits: bool) -> Option<Latencies> {
        SystemClock.wait(Duration::from_secs(1) * number / PER_SECOND).await;
        let began = instant();
        let (id, made) = self.ask(brand, number).await;
        let prompted = self.until(id, began, |state| state != "pending").await;
        let request = storage::load(&self.database, id).await.unwrap().unwrap().request;
        let phone = request.customer.phone.as_str().to_owned();
        let reported = self.sink.expect(&id.to_string());
        let prompt = request.prompts.first()?.id.to_string();
        let yes = json!({ "action": "approve", "session_code": made["session_code"] }).to_string();
        let tapped = instant();
        let consent = &self.machine.consent_callback;
        let path = MessagePath { phone: &phone, id: &prompt };
        consent.sandbox_calls().tap(&HeaderMap::new(), path, yes.as_bytes()).await.unwrap();
        if !waits {
            return None;
        }
        let fulfilled = self.until(id, tapped, |state| state == "fulfilled").await;
        let reported = tokio::time::timeout(WAIT_MAX, reported).await.ok().and_then(Result::ok);
        Some((
            prompted,
            fulfilled,
            reported.map_or(WAIT_MAX, |reported| reported.duration_since(tapped)),
        ))
    }
}

async fn scenario(name: &str, seconds: u32, trouble: impl Fn(&str) -> (String, Option<String>)) {
    let folder = tests::project_folder().join("target/load");
    std::fs::remove_dir_all(&folder).ok();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let database = Database::open(&folder, Arc::clone(&clock)).unwrap();
    let sink = Sink::default();
    let (base, serving) = sink.listen().await;
    let (webhooks, stripe) = trouble(&base);
    let brands = [
        brand("calm", &format!("{base}/fast"), None),
        brand("troubled", &webhooks, stripe.as_deref()),
    ];
    let ports = Ports {
        clock: Arc::clone(&clock),
        random: Arc::new(SystemRandom),
        store: Arc::new(database.clone()),
        queue: Arc::new(database.clone()),
        secrets: Arc::new(Brands(brands)),
    };
    let http: Arc<dyn Http> = Arc::new(https::Client::new().unwrap());
    let machine = Arc::new(Machine::new(&ports, &http, &base));
    let (_running, stop) = watch::channel(false);
    let work = local::work(Arc::clone(&machine), database.clone(), clock, stop);
    let shop = Fixture { machine, database, sink };
    let count = PER_SECOND * seconds;
    let calm = join_all((0..count).map(|number| shop.serve("calm", number, true)));
    let troubled = join_all((0..count).map(|number| shop.serve("troubled", number, false)));
    let felt = tokio::select! {
        (felt, _) = join(calm, troubled) => felt,
        () = serving => return,
        () = work => return,
    };
    let felt: Vec<Latencies> = felt.into_iter().flatten().collect();
    let untold = felt.iter().filter(|felt| felt.2 >= WAIT_MAX).count();
    let of = |part: fn(&Latencies) -> Duration| quantiles(felt.iter().map(part).collect());
    println!(
        "{name:<44} | {} | {} | {} | {untold:>6}",
        of(|felt| felt.0),
        of(|felt| felt.1),
        of(|felt| felt.2)
    );
    std::fs::remove_dir_all(&folder).ok();
}

/// Opens an address that accepts connections and never answers.
async fn silent() -> (tokio::net::TcpListener, String) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    (listener, address)
}

/// Measures each fault, and prints a table.
pub(crate) async fn all(seconds: u32) {
    println!(
        "{PER_SECOND} requests a second of each of two brands for {seconds} s; what the one without trouble feels, ms: p50 p99"
    );
    println!(
        "{:<44} | {:^17} | {:^17} | {:^17} | {:>6}",
        "the other brand's trouble",
        "until prompted",
        "tap to fulfilled",
        "tap to webhook",
        "untold"
    );
    let fast = |base: &str| format!("{base}/fast");
    let (_silent, mute) = silent().await;
    scenario("none", seconds, |base| (fast(base), None)).await;
    scenario("its endpoint takes 15 s", seconds, |base| (format!("{base}/slow"), None)).await;
    scenario("its endpoint refuses connections", seconds, |_| {
        ("http://127.0.0.1:1/".to_owned(), None)
    })
    .await;
    scenario("its processor refuses connections", seconds, |base| {
        (fast(base), Some("http://127.0.0.1:1".to_owned()))
    })
    .await;
    scenario("its processor never answers", seconds, |base| (fast(base), Some(mute.clone()))).await;
}
