//! Webhooks with third-party signatures: `localstripe` for payments, `emulate` for the hosted page.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::to_bytes;
use axum::extract::Request;
use bytes::Bytes;
use domain::authorization::Authorization;
use domain::values::time::Timestamp;
use ports::contract_tests::processor::OperationResult;
use ports::{
    CallbackError, Http, Processor, ProcessorEvent, Proof, Reach, RedirectUrl, UnverifiedCallback,
    VerifiedWebhook,
};
use serde_json::{Value, json};
use tests::proxy::Proxy;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::{Fixture, emulate, is_done, localstripe, opened, setting};

/// The longest time for a webhook. `localstripe` sends one a second after its event.
const WEBHOOK_TIMEOUT: Duration = Duration::from_secs(10);

/// An endpoint for webhooks.
struct WebhookListener {
    url: String,
    calls: mpsc::UnboundedReceiver<UnverifiedCallback>,
}

#[expect(clippy::disallowed_methods, reason = "a webhook says when it was sent, by the wall clock")]
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap())
}

impl WebhookListener {
    #[expect(clippy::disallowed_methods, reason = "the other side calls while the test goes on")]
    async fn at(address: &str) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let url = format!("http://{}/callbacks/demo/stripe", listener.local_addr().unwrap());
        let (sender, calls) = mpsc::unbounded_channel();
        let take = move |request: Request| {
            let sender = sender.clone();
            async move {
                let (parts, body) = request.into_parts();
                let body = to_bytes(body, 1 << 20).await.unwrap();
                let callback = UnverifiedCallback {
                    method: parts.method,
                    url: format!("https://pay.example.com{}", parts.uri.path()),
                    headers: parts.headers,
                    body,
                    now: now(),
                    proof: Proof::None,
                };
                sender.send(callback).ok();
            }
        };
        tokio::spawn(async move { axum::serve(listener, Router::new().fallback(take)).await });
        Self { url, calls }
    }

    /// Returns the next webhook of that type.
    async fn next(&mut self, kind: &str) -> UnverifiedCallback {
        let webhook = async {
            loop {
                let callback = self.calls.recv().await.unwrap();
                let event: Value = serde_json::from_slice(&callback.body).unwrap();
                if event["type"] == kind {
                    return callback;
                }
            }
        };
        tokio::time::timeout(WEBHOOK_TIMEOUT, webhook).await.unwrap()
    }
}

fn events_of(webhook: Result<VerifiedWebhook, CallbackError>) -> Vec<ProcessorEvent> {
    webhook.unwrap().events
}

fn with_secrets(proxy: &Proxy, secrets: &[&str]) -> Box<dyn Processor> {
    opened(proxy, &json!({ "webhook_secrets": secrets }))
}

/// Asserts that a forged, an altered and a late webhook are rejected.
fn assert_verifies_only_genuine(
    processor: &dyn Processor,
    other_secret: &dyn Processor,
    callback: &UnverifiedCallback,
) {
    assert_eq!(other_secret.receive(callback), Err(CallbackError::Forged));
    let mut body = callback.body.to_vec();
    body.push(b' ');
    let changed = UnverifiedCallback { body: body.into(), ..callback.clone() };
    assert_eq!(processor.receive(&changed), Err(CallbackError::Forged));
    // Some seconds may have passed since the signature.
    for late in [301, -330] {
        let now = Timestamp::from_millis(callback.now.as_millis() + late * 1000);
        let late = UnverifiedCallback { now, ..callback.clone() };
        assert_eq!(processor.receive(&late), Err(CallbackError::Forged));
    }
}

#[tokio::test]
async fn webhook_signed_by_localstripe_is_verified() {
    let mut listener = WebhookListener::at("127.0.0.1:0").await;
    let fixture = Fixture::with_card("pm_card_visa").await;
    let hook = json!({ "url": listener.url, "secret": "whsec_of_localstripe" });
    let config = http::Request::post(format!("{}/_config/webhooks/hearing", localstripe()))
        .header("content-type", "application/json")
        .body(Bytes::from(hook.to_string()))
        .unwrap();
    let client = https::Client::new().unwrap();
    client.call(config, Reach::Configured, WEBHOOK_TIMEOUT).await.unwrap();
    let processor = with_secrets(&fixture.proxy, &["whsec_of_tomorrow", "whsec_of_localstripe"]);
    let other_secret = with_secrets(&fixture.proxy, &["whsec_of_tomorrow"]);
    assert!(is_done(&fixture.run().await));
    let callback = listener.next("payment_intent.succeeded").await;
    // Other tests pay there at the same time.
    let events = events_of(processor.receive(&callback));
    assert!(matches!(events.as_slice(), [ProcessorEvent::StatusChanged(_)]), "{events:?}");
    assert_verifies_only_genuine(processor.as_ref(), other_secret.as_ref(), &callback);
}

#[tokio::test]
async fn webhook_signed_by_emulate_is_verified() {
    let url = setting("EMULATE_WEBHOOKS", "the address emulate sends webhooks to");
    let secret = setting("EMULATE_SECRET", "what emulate signs webhooks with");
    let address = url.trim_start_matches("http://").split('/').next().unwrap();
    let mut listener = WebhookListener::at(address).await;
    let client: Arc<dyn Http> = Arc::new(https::Client::new().unwrap());
    let proxy = Proxy::with_checkout(&localstripe(), &emulate(), client).await.unwrap();
    let processor = with_secrets(&proxy, &[&secret]);
    let other_secret = with_secrets(&proxy, &["whsec_of_tomorrow"]);
    let authorization = Authorization::Hosted;
    let fixture = Fixture { proxy, processor, authorization, keeping: false };
    let reference = fixture.create().await.unwrap();
    let OperationResult::RequiresAction { redirect: Some(RedirectUrl(page)) } =
        fixture.settle(&reference).await
    else {
        panic!()
    };
    let pay = http::Request::post(format!("{page}/complete")).body(Bytes::new()).unwrap();
    let client = https::Client::new().unwrap();
    client.call(pay, Reach::Configured, WEBHOOK_TIMEOUT).await.unwrap();
    let callback = listener.next("checkout.session.completed").await;
    let request = fixture.attempt(4250, 1).request;
    assert_eq!(
        events_of(fixture.processor.receive(&callback)),
        [ProcessorEvent::StatusChanged(request)]
    );
    assert_verifies_only_genuine(fixture.processor.as_ref(), other_secret.as_ref(), &callback);
}
