//! The doctor against stand-ins of every provider: each misconfiguration is named, that one and no other.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod aws;
mod channels;
mod processors;

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use clap::Parser;
use http::{Request, Response};
use ports::{Http, HttpError, Reach};
use serde_json::{Value, json};

/// The public address of the deployment.
pub(crate) const PUBLIC: &str = "https://pay.example";

/// A provider: what it answers to a call, from its state.
pub(crate) type StandIn = fn(&Value, &Request<Bytes>) -> (u16, Value);

/// One misconfiguration.
pub(crate) struct Case {
    /// The check that the doctor must name.
    pub(crate) check: &'static str,
    /// Makes the misconfiguration, in the settings or at the provider.
    pub(crate) change: fn(settings: &mut Value, provider: &mut Value),
}

/// A channel, a processor or the webhooks that work, with their provider.
pub(crate) struct HealthyProvider {
    pub(crate) section: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) mode: &'static str,
    pub(crate) settings: Value,
    pub(crate) provider: Value,
    pub(crate) stand_in: StandIn,
}

struct Provider {
    state: Value,
    answers: StandIn,
    calls: Arc<Mutex<Vec<String>>>,
}

#[async_trait]
impl Http for Provider {
    async fn call(
        &self,
        request: Request<Bytes>,
        _: Reach,
        _: Duration,
    ) -> Result<Response<Bytes>, HttpError> {
        self.calls.lock().unwrap().push(format!("{} {}", request.method(), request.uri().path()));
        let (status, value) = if request.uri().to_string() == format!("{PUBLIC}/openapi.json") {
            (
                self.state["openapi"].as_u64().unwrap_or(200).try_into().unwrap(),
                json!({ "openapi": "3.1.1" }),
            )
        } else {
            (self.answers)(&self.state, &request)
        };
        if status == 0 {
            return Err(HttpError::NotSent("invalid peer certificate: Expired".into()));
        }
        Ok(Response::builder().status(status).body(value.to_string().into()).unwrap())
    }
}

#[derive(Clone, Default)]
struct CapturedLog(Arc<Mutex<Vec<u8>>>);

impl CapturedLog {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for CapturedLog {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[derive(Parser)]
struct Line {
    #[command(subcommand)]
    command: commands::Command,
}

/// The findings and the output of the doctor.
pub(crate) struct DoctorRun {
    code: u8,
    findings: Vec<Value>,
    printed: String,
    calls: Vec<String>,
}

fn variable(name: &str) -> Option<String> {
    name.starts_with("AWS_").then(|| "AKIDEXAMPLE".to_owned())
}

fn examine(healthy: &HealthyProvider, case: Option<&Case>) -> DoctorRun {
    let (mut settings, mut state) = (healthy.settings.clone(), healthy.provider.clone());
    if let Some(case) = case {
        (case.change)(&mut settings, &mut state);
    }
    let folder = tempfile::tempdir().unwrap();
    let mut brand = local::brand::draw(&embedded::SystemRandom, "sk_test_demo_0123456789abcdef");
    let one = json!([{ "name": "one", "kind": healthy.kind, "settings": settings }]);
    brand["test"] = json!({});
    let section = if healthy.section == "webhooks" { one[0]["settings"].clone() } else { one };
    brand[healthy.mode] = json!({ healthy.section: section });
    std::fs::write(folder.path().join("brand.json"), brand.to_string()).unwrap();
    let (results, remarks) = (CapturedLog::default(), CapturedLog::default());
    let calls = Arc::<Mutex<Vec<String>>>::default();
    let mut context = local::command_context(true, variable, clap::Command::default).unwrap();
    context.http =
        Arc::new(Provider { state, answers: healthy.stand_in, calls: Arc::clone(&calls) });
    let sinks = (Box::new(results.clone()), Box::new(remarks.clone()));
    context.output = Arc::new(commands::Output::new(true, sinks.0, sinks.1));
    let data = folder.path().to_str().unwrap();
    let line = Line::parse_from(["assent", "doctor", "--public-url", PUBLIC, "--data", data]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let code = runtime.block_on(commands::run(&context, line.command)).code();
    let report: Value = serde_json::from_str(&results.text()).unwrap();
    let findings = report["findings"].as_array().cloned().unwrap_or_default();
    let printed = format!("{}{}", results.text(), remarks.text());
    let calls = calls.lock().unwrap().clone();
    DoctorRun { code, findings, printed, calls }
}

/// Asserts that the healthy one has no fault, and that each case gives exactly its own.
pub(crate) fn assert_each_is_named(healthy: &HealthyProvider, cases: &[Case]) {
    let well = examine(healthy, None);
    assert_eq!(well.code, 0, "{:#?}", well.findings);
    assert!(well.findings.iter().all(|one| one["verdict"] != "fault"), "{:#?}", well.findings);
    for (number, case) in cases.iter().enumerate() {
        let ill = examine(healthy, Some(case));
        let faults: Vec<&Value> =
            ill.findings.iter().filter(|one| one["verdict"] == "fault").collect();
        let [fault] = faults[..] else {
            panic!("case {number} ({}): {:#?}", case.check, ill.findings)
        };
        assert_eq!(fault["check"], case.check, "case {number}: {fault}");
        assert!(
            fault["mend"].as_str().is_some_and(|mend| mend.len() > 15),
            "case {number}: {fault}"
        );
        assert_eq!(ill.code, 5, "case {number}");
        assert!(!ill.printed.contains("s3cret"), "case {number}: {}", ill.printed);
        for call in &ill.calls {
            let path = call.split(' ').nth(1).unwrap();
            assert!(ill.printed.contains(path), "{call} was not printed: {}", ill.printed);
        }
    }
}

/// Returns whether a header of the call has this value.
pub(crate) fn has(request: &Request<Bytes>, header: &str, value: &str) -> bool {
    request.headers().get(header).is_some_and(|found| found == value)
}

/// Returns the error of a call that no stand-in knows.
pub(crate) fn unknown(request: &Request<Bytes>) -> (u16, Value) {
    panic!("no stand-in answers {} {}", request.method(), request.uri())
}

#[test]
fn deployment_that_does_not_answer_is_named() {
    let healthy = HealthyProvider {
        section: "processors",
        kind: "sandbox",
        mode: "test",
        settings: json!({}),
        provider: json!({ "openapi": 200 }),
        stand_in: |_, request| unknown(request),
    };
    assert_each_is_named(
        &healthy,
        &[
            Case { check: "address", change: |_, provider| provider["openapi"] = json!(404) },
            Case { check: "address", change: |_, provider| provider["openapi"] = json!(0) },
        ],
    );
}
