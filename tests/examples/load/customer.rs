//! Customers of the built machine: each asks, finds the prompt, taps, and waits for the last webhook.

use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use embedded::SystemClock;
use futures_util::future::join_all;
use http::Method;
use ports::{Clock, Http, Reach};
use serde_json::{Value, json};
use tests::measured::MeasuredProcess;

use crate::sink::Sink;
use crate::{instant, prefill, quantiles};

const POLL_INTERVAL: Duration = Duration::from_millis(3);
const WAIT_MAX: Duration = Duration::from_secs(60);

struct AgentClient<'a> {
    http: https::Client,
    api: String,
    key: String,
    sink: &'a Sink,
}

#[derive(Default)]
struct StepTimes {
    held: Vec<Duration>,
    asked: Vec<Duration>,
    prompted: Vec<Duration>,
    reported: Vec<Duration>,
    listed: Vec<Duration>,
}

impl AgentClient<'_> {
    async fn call(&self, method: Method, path: &str, key: &str, body: &Value) -> Value {
        let call = http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.api))
            .header("authorization", format!("Bearer {}", self.key))
            .header("idempotency-key", key)
            .body(Bytes::from(body.to_string()))
            .unwrap();
        let answer = self.http.call(call, Reach::Configured, WAIT_MAX).await.unwrap();
        assert!(answer.status().is_success(), "{answer:?}");
        serde_json::from_slice(answer.body()).unwrap()
    }

    async fn serve(&self, number: usize, took: &mut StepTimes) {
        let phone = format!("+1777{number:06}1");
        let began = instant();
        let body = json!({
            "customer": { "phone": phone, "name": "Ada", "language": "en-GB" },
            "session": { "kind": "voice", "id": format!("L{}", number / 3), "agent": "a17" },
            "ask": { "kind": "payment", "amount": 4250, "currency": "EUR", "description": "Invoice 4711" },
        });
        let made = self.call(Method::POST, "/v1/requests", &phone, &body).await;
        took.asked.push(began.elapsed());
        let reported = self.sink.expect(made["id"].as_str().unwrap());
        let messages = format!("/sandbox/phones/{phone}/messages");
        let asked = instant();
        let message = loop {
            let found = self.call(Method::GET, &messages, "", &Value::Null).await;
            if let Some(id) = found["messages"][0]["id"].as_str() {
                break id.to_owned();
            }
            assert!(asked.elapsed() < WAIT_MAX, "no prompt came");
            SystemClock.wait(POLL_INTERVAL).await;
        };
        took.prompted.push(asked.elapsed());
        let yes = json!({ "action": "approve", "session_code": made["session_code"] });
        let tapped = instant();
        self.call(Method::POST, &format!("{messages}/{message}/tap"), "", &yes).await;
        let reported = tokio::time::timeout(WAIT_MAX, reported).await.unwrap().unwrap();
        took.reported.push(reported.duration_since(tapped));
        took.held.push(reported.duration_since(began));
        let asked = instant();
        let page = self
            .call(Method::GET, &format!("/v1/requests?session=L{}", number / 3), "", &Value::Null)
            .await;
        took.listed.push(asked.elapsed());
        assert!(!page["requests"].as_array().unwrap().is_empty());
    }

    async fn all(&self, numbers: std::ops::Range<usize>, at_once: usize) -> (StepTimes, Duration) {
        let next = AtomicUsize::new(numbers.start);
        let began = instant();
        let desks = (0..at_once).map(|_| async {
            let mut took = StepTimes::default();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= numbers.end {
                    return took;
                }
                self.serve(number, &mut took).await;
            }
        });
        let mut whole = StepTimes::default();
        for took in join_all(desks).await {
            whole.held.extend(took.held);
            whole.asked.extend(took.asked);
            whole.prompted.extend(took.prompted);
            whole.reported.extend(took.reported);
            whole.listed.extend(took.listed);
        }
        (whole, began.elapsed())
    }
}

/// Measures each size, and prints a table.
pub(crate) async fn sizes(sizes: &[usize], requests: usize, at_once: usize) {
    println!("{requests} requests at each size, {at_once} at once; milliseconds: p50 p99");
    println!(
        "{:>9} {:>7} {:>6} | {:^17} | {:^17} | {:^17} | {:^17} | {:^17} | {:>8} {:>8} | {:>15}",
        "stored",
        "file",
        "held/s",
        "POST /v1/requests",
        "until prompted",
        "tap until webhook",
        "all of it",
        "list",
        "CPU ms/r",
        "KiB/r",
        "VmRSS MiB"
    );
    for size in sizes {
        one_size(*size, requests, at_once).await;
    }
}

async fn one_size(size: usize, requests: usize, at_once: usize) {
    let folder = tests::project_folder().join("target/load");
    std::fs::remove_dir_all(&folder).ok();
    std::fs::create_dir_all(&folder).unwrap();
    let filled: Instant = instant();
    prefill::fill(&folder, size);
    let filled = filled.elapsed();
    let sink = Sink::default();
    let (base, serving) = sink.listen().await;
    let program = std::env::current_exe().unwrap().ancestors().nth(2).unwrap().join("local");
    let mut command = Command::new(program);
    command.args([
        "--format",
        "json",
        "--port",
        "0",
        "--webhooks",
        &format!("{base}/fast"),
        "--data",
    ]);
    let local = MeasuredProcess::start(command.arg(&folder)).unwrap();
    let (api, key) = (local.said("api"), local.said("key"));
    let desk = AgentClient { http: https::Client::new().unwrap(), api, key, sink: &sink };
    let measured = async {
        desk.all(0..requests / 10, at_once).await;
        let before = local.used().unwrap();
        let (took, time) = desk.all(requests / 10..requests / 10 + requests, at_once).await;
        (before, took, time)
    };
    let (before, took, time) = tokio::select! {
        measured = measured => measured,
        () = serving => return,
    };
    let after = local.used().unwrap();
    let file = std::fs::metadata(folder.join("assent.sqlite")).unwrap().len() / 1024 / 1024;
    let count = u64::try_from(requests).unwrap();
    let per = |total: u64| format!("{}.{:02}", total / count, total * 100 / count % 100);
    println!(
        "{size:>9} {file:>4}MiB {:>6} | {} | {} | {} | {} | {} | {:>8} {:>8} | {:>6} -> {:>5}",
        u128::from(count) * 1000 / time.as_millis(),
        quantiles(took.asked),
        quantiles(took.prompted),
        quantiles(took.reported),
        quantiles(took.held),
        quantiles(took.listed),
        per(after.cpu_ms - before.cpu_ms),
        per(after.written_kib - before.written_kib),
        before.resident_kib / 1024,
        after.resident_kib / 1024,
    );
    println!("          (filled in {} s)", filled.as_secs());
    drop(local);
    std::fs::remove_dir_all(&folder).ok();
}
