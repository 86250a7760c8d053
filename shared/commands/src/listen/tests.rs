//! Events of a stand-in for the API, forwarded to a stand-in for the receiver.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use clap::Parser;
use http::{Request, Response};
use ports::{Http, HttpError, Reach};
use serde_json::{Value, json};

use crate::doubles::{CapturedOutput, Line, Machine};
use crate::{Context, Exit, Output};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// The size of a page, so that a look takes several.
const PAGE: usize = 2;

/// The events, oldest first, and what the receiver got.
#[derive(Default)]
struct Deployment {
    events: Mutex<Vec<Value>>,
    looks: Mutex<u32>,
    received: Mutex<Vec<(String, String, String)>>,
}

impl Deployment {
    fn add(&self, number: usize) {
        let id = format!("evt_{number:02}");
        let payload =
            json!({ "type": "request.prompted", "timestamp": "t", "data": { "n": number } });
        let at = format!("2026-11-26T12:00:{number:02}.000Z");
        let event = json!({
            "id": id, "type": "request.prompted", "created_at": at, "request": "req_1", "payload": payload,
        });
        self.events.lock().unwrap().push(event);
    }

    fn list(&self, query: &str) -> Value {
        let events = self.events.lock().unwrap();
        let skipped: usize = query.split("cursor=").nth(1).map_or(0, |at| at.parse().unwrap());
        let page: Vec<Value> = events.iter().rev().skip(skipped).take(PAGE).cloned().collect();
        let after = skipped + page.len();
        json!({ "events": page, "next_cursor": (after < events.len()).then(|| after.to_string()) })
    }
}

#[async_trait]
impl Http for Deployment {
    async fn call(
        &self,
        request: Request<Bytes>,
        _: Reach,
        _: Duration,
    ) -> Result<Response<Bytes>, HttpError> {
        if request.uri().path() == "/v1/events" {
            assert_eq!(request.headers()["authorization"], "Bearer sk_test_acme_0123456789abcdef");
            let look = {
                *self.looks.lock().unwrap() += 1;
                *self.looks.lock().unwrap()
            };
            // After the first look, five events come. One look then fails.
            if look == 2 {
                (4..9).for_each(|number| self.add(number));
                return Err(HttpError::NotSent("the network is away".into()));
            }
            let body = self.list(request.uri().query().unwrap()).to_string();
            return Ok(Response::new(body.into()));
        }
        assert_eq!(request.uri(), "http://localhost:3000/hooks");
        let header = |name: &str| request.headers()[name].to_str().unwrap().to_owned();
        let signed =
            [header("webhook-id"), header("webhook-timestamp"), header("webhook-signature")];
        let [id, timestamp, signature] = signed;
        let at =
            domain::values::time::Timestamp::from_millis(timestamp.parse::<i64>().unwrap() * 1000);
        let body = String::from_utf8(request.body().to_vec()).unwrap();
        let expected = domain::webhook::signature(std::iter::once(SECRET), &id, at, &body).unwrap();
        self.received.lock().unwrap().push((id, body, expected.clone()));
        assert_eq!(signature, expected);
        Ok(Response::builder().status(204).body(Bytes::new()).unwrap())
    }
}

fn listen(deployment: &Arc<Deployment>, arguments: &[&str]) -> (Exit, String) {
    let printed = CapturedOutput::default();
    let machine = Arc::new(Machine(Mutex::new(1)));
    let context = Context {
        http: Arc::<Deployment>::clone(deployment),
        clock: Arc::<Machine>::clone(&machine),
        random: machine,
        signer: None,
        variable: |name| match name {
            "ASSENT_KEY" => Some("sk_test_acme_0123456789abcdef".to_owned()),
            "ASSENT_WEBHOOK_SECRET" => Some(SECRET.to_owned()),
            _ => None,
        },
        adapters: |_, _| Err("no adapters".into()),
        openapi: "",
        command_line: clap::Command::default,
        output: Arc::new(Output::new(true, Box::new(printed.clone()), Box::new(std::io::sink()))),
    };
    let fixed = ["assent", "listen", "--forward-to", "http://localhost:3000/hooks"];
    let line = Line::parse_from([&fixed, arguments].concat());
    let exit = pollster::block_on(crate::run(&context, line.command));
    let printed = String::from_utf8(printed.0.lock().unwrap().clone()).unwrap();
    (exit, printed)
}

#[test]
fn new_events_are_forwarded_once_in_their_order() {
    let deployment = Arc::new(Deployment::default());
    (1..4).for_each(|number| deployment.add(number));
    let (exit, printed) =
        listen(&deployment, &["--since", "2026-11-26T12:00:02.000Z", "--events", "7"]);
    assert_eq!(exit, Exit::Done, "{printed}");
    let received = deployment.received.lock().unwrap();
    let ids: Vec<&str> = received.iter().map(|(id, ..)| id.as_str()).collect();
    assert_eq!(ids, ["evt_02", "evt_03", "evt_04", "evt_05", "evt_06", "evt_07", "evt_08"]);
    assert!(received[0].1.contains("\"type\":\"request.prompted\""), "{received:?}");
    assert_eq!(printed.lines().count(), 7);
    assert!(!printed.contains("whsec_") && !printed.contains("sk_test_"), "{printed}");
}
