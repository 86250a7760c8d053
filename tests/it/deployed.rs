//! The four Lambda binaries, deployed from `template.yaml` into an AWS emulator with their triggers.
//!
//! `tests/run.py` starts the stack and puts its addresses into the environment.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use domain::brand::Key32;
use domain::postback::{Action, Postback};
use domain::values::prompt_ref::PromptRef;
use embedded::SystemClock;
use http::Request;
use ports::{Clock, Http, Reach};
use serde_json::{Value, json};
use tests::providers::aws_messaging::events;

use crate::live::requester::Requester;

const CALL_MAX: Duration = Duration::from_secs(30);
/// A trigger polls its queue after a moment; a failed message comes back after minutes.
pub(crate) const WAIT_MAX: Duration = Duration::from_secs(120);

/// Returns an address of the stack, or fails with the command that starts one.
#[expect(
    clippy::disallowed_methods,
    reason = "the program that started the stack sets its addresses"
)]
pub(crate) fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!(
            "{name} is not set: `python3 tests/run.py` deploys the stack, and `--stack` keeps it up"
        )
    })
}

pub(crate) fn demo() -> Requester {
    Requester::of(variable("ASSENT_API"), variable("ASSENT_KEY"))
}

fn payment(phone: &str, amount: u64) -> Value {
    json!({
        "customer": { "phone": phone, "name": "Ada", "language": "en-GB" },
        "session": { "kind": "voice", "id": format!("deployed-{phone}") },
        "ask": { "kind": "payment", "amount": amount, "currency": "EUR", "description": "Invoice 4711" },
        "allow_duplicate": true,
    })
}

/// Makes a call as it is, and returns its answer unchanged.
pub(crate) async fn raw(request: http::request::Builder, body: &str) -> http::Response<Bytes> {
    let http: Arc<dyn Http> = Arc::new(https::Client::new().unwrap());
    // Without it the consent page takes the call for a preview.
    let request = request.header("user-agent", "Mozilla/5.0");
    let request = request.body(Bytes::from(body.to_owned())).unwrap();
    http.call(request, Reach::Configured, CALL_MAX).await.unwrap()
}

/// Returns the message on the phone, once it is there.
pub(crate) async fn message(requester: &Requester, phone: &str, id: &str) -> Value {
    let deadline = SystemClock.now().after(WAIT_MAX);
    loop {
        if let Some(message) = requester.message(phone, id).await {
            return message;
        }
        assert!(SystemClock.now() < deadline, "no prompt came to {phone} for {id}");
        SystemClock.wait(Duration::from_millis(100)).await;
    }
}

async fn taps(requester: &Requester, phone: &str, asked: &Value, action: &str) -> Value {
    let id = asked["id"].as_str().unwrap();
    let message = message(requester, phone, id).await;
    let tap = json!({ "action": action, "session_code": asked["session_code"] });
    let answer = requester.tap(phone, message["id"].as_str().unwrap(), &tap).await;
    let (status, json) = answer.unwrap();
    assert_eq!(status, 200, "{json}");
    requester.get(&format!("/v1/requests/{id}")).await
}

pub(crate) fn is_closed(request: &Value) -> bool {
    !request["outcome"].is_null()
}

#[tokio::test]
async fn payment_is_authorized_charged_and_reported_by_webhook() {
    let (requester, phone) = (demo(), "+15557010001");
    let asked = requester.ask(&payment(phone, 4250), "deployed-approve").await;
    let id = asked["id"].as_str().unwrap();
    taps(&requester, phone, &asked, "approve").await;
    let closed = requester.until(id, is_closed).await;
    assert_eq!(closed["state"], "fulfilled", "{closed:#}");
    assert_eq!(closed["outcome"]["payment"]["last4"], "4242");
    assert_eq!(closed["outcome"]["transaction_code"].as_str().unwrap().len(), 9);

    let verifier =
        standardwebhooks::Webhook::new("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX").unwrap();
    let deadline = SystemClock.now().after(WAIT_MAX);
    loop {
        let shown = raw(Request::get(variable("ASSENT_WEBHOOKS")), "").await;
        let webhooks: Vec<Value> = serde_json::from_slice(shown.body()).unwrap();
        let fulfilled = webhooks.iter().find(|webhook| {
            let body: Value = serde_json::from_str(webhook["body"].as_str().unwrap()).unwrap();
            body["type"] == "request.fulfilled" && body["data"]["id"] == id
        });
        if let Some(webhook) = fulfilled {
            let mut headers = http::HeaderMap::new();
            for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
                headers.insert(name, webhook["headers"][name].as_str().unwrap().parse().unwrap());
            }
            verifier.verify(webhook["body"].as_str().unwrap().as_bytes(), &headers).unwrap();
            return;
        }
        assert!(SystemClock.now() < deadline, "the webhook did not come");
        SystemClock.wait(Duration::from_millis(200)).await;
    }
}

#[tokio::test]
async fn second_brand_charges_over_the_wire_protocol_of_stripe() {
    let requester = Requester::of(variable("ASSENT_API"), variable("ASSENT_STRIPE_KEY"));
    let phone = "+15557010002";
    let asked = requester.ask(&payment(phone, 1999), "deployed-stripe").await;
    taps(&requester, phone, &asked, "approve").await;
    let closed = requester.until(asked["id"].as_str().unwrap(), is_closed).await;
    assert_eq!(closed["state"], "fulfilled", "{closed:#}");
    assert_eq!(closed["outcome"]["processor"], "stripe");
    assert!(closed["outcome"]["reference"].as_str().unwrap().starts_with("pi_"));
}

#[tokio::test]
async fn declined_card_is_retried_and_lost_answer_looked_up() {
    let requester = demo();
    let phone = "+15557010003";
    let asked = requester.ask(&payment(phone, 4202), "deployed-refused").await;
    let id = asked["id"].as_str().unwrap();
    taps(&requester, phone, &asked, "approve").await;
    let refused = |request: &Value| {
        request["timeline"].as_array().unwrap().iter().any(|fact| fact["what"] == "card_declined")
    };
    let again = requester.until(id, refused).await;
    assert_eq!(again["state"], "prompted", "{again:#}");
    taps(&requester, phone, &asked, "approve").await;
    assert_eq!(requester.until(id, is_closed).await["state"], "fulfilled");

    let phone = "+15557010004";
    let asked = requester.ask(&payment(phone, 4205), "deployed-lost").await;
    taps(&requester, phone, &asked, "approve").await;
    let closed = requester.until(asked["id"].as_str().unwrap(), is_closed).await;
    assert_eq!(closed["state"], "fulfilled");
    assert!(closed["timeline"].as_array().unwrap().iter().any(|fact| fact["what"] == "in_doubt"));
}

#[tokio::test]
async fn denial_denies_and_deadline_expires() {
    let requester = demo();
    let phone = "+15557010005";
    let asked = requester.ask(&payment(phone, 4250), "deployed-decline").await;
    let denied = taps(&requester, phone, &asked, "deny").await;
    assert_eq!(denied["outcome"], json!({ "kind": "denied", "reason": "customer" }));

    let mut short = payment("+15557010006", 4250);
    short["expires_in"] = json!(3);
    let asked = requester.ask(&short, "deployed-expire").await;
    let closed = requester.until(asked["id"].as_str().unwrap(), is_closed).await;
    assert_eq!(closed["outcome"], json!({ "kind": "expired" }));
}

#[tokio::test]
async fn page_works_without_script_and_get_never_consents() {
    let (requester, phone) = (demo(), "+15557010007");
    let asked = requester.ask(&payment(phone, 4250), "deployed-page").await;
    let id = asked["id"].as_str().unwrap();
    let link = message(&requester, phone, id).await["link"].as_str().unwrap().to_owned();
    let page = raw(Request::get(&link), "").await;
    assert_eq!(page.status(), 200);
    let policy = page.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
    assert!(!is_closed(&requester.get(&format!("/v1/requests/{id}")).await));

    let text = std::str::from_utf8(page.body()).unwrap();
    let nonce = text.split("name=\"nonce\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let code = asked["session_code"].as_str().unwrap();
    let form = format!("nonce={nonce}&session_code={code}&card=pm_card_visa&action=approve");
    let form_type = ("content-type", "application/x-www-form-urlencoded");
    let posted = raw(Request::post(&link).header(form_type.0, form_type.1), &form).await;
    assert_eq!(posted.status(), 303);
    assert_eq!(requester.until(id, is_closed).await["state"], "fulfilled");
    let after = raw(Request::get(&link), "").await;
    let closed = requester.get(&format!("/v1/requests/{id}")).await;
    let reported = std::str::from_utf8(after.body()).unwrap();
    assert!(reported.contains(closed["outcome"]["transaction_code"].as_str().unwrap()));
}

#[tokio::test]
async fn simultaneous_identical_calls_create_one_request() {
    let requester = demo();
    let body = payment("+15557010008", 4250);
    let calls = (0..6).map(|_| requester.post("/v1/requests", &body, "deployed-at-once"));
    let answers = futures_util::future::join_all(calls).await;
    assert!(answers.iter().all(|(status, _)| *status == 201), "{answers:#?}");
    let mut ids: Vec<&str> = answers.iter().map(|(_, json)| json["id"].as_str().unwrap()).collect();
    ids.dedup();
    assert_eq!(ids.len(), 1);
    let (status, problem) =
        requester.post("/v1/requests", &payment("+15557010008", 1), "deployed-at-once").await;
    assert_eq!((status, &problem["code"]), (422, &json!("idempotency-key-reused")));
}

#[tokio::test]
async fn bad_input_gets_a_problem_with_a_stable_code() {
    let api = variable("ASSENT_API");
    let key = format!("Bearer {}", variable("ASSENT_KEY"));
    let big = format!("{{\"x\": \"{}\"}}", "x".repeat(70_000));
    let cases = [
        ("/v1/requests", "{\"customer\": ", key.as_str(), 400, "invalid-request"),
        ("/v1/requests", "{\"nonsense\": 1}", &key, 400, "invalid-request"),
        ("/v1/requests", &big, &key, 413, "payload-too-large"),
        (
            "/v1/requests",
            "{}",
            "Bearer sk_test_demo_00000000000000000000000000000000",
            401,
            "unauthenticated",
        ),
        ("/v1/requests/req_01M844DZG03XCBJ52V4K8GHNXC/cancel", "", &key, 404, "not-found"),
        ("/v1/nowhere", "{}", &key, 404, "not-found"),
        ("/callbacks/demo/sms?ref=x", "MessageStatus=delivered", &key, 403, "callback-forged"),
    ];
    for (path, body, key, status, code) in cases {
        let request = Request::post(format!("{api}{path}"))
            .header("authorization", key)
            .header("idempotency-key", "deployed-bad")
            .header("content-type", "application/json");
        let answer = raw(request, body).await;
        let problem: Value = serde_json::from_slice(answer.body()).unwrap();
        assert_eq!(
            (answer.status().as_u16(), problem["code"].as_str().unwrap()),
            (status, code),
            "{path}"
        );
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
        let explained = raw(Request::get(problem["type"].as_str().unwrap()), "").await;
        assert_eq!(explained.status(), 200, "{problem}");
    }
}

/// Makes a call of the account's own, which the emulator accepts unsigned, and returns the answer.
async fn call_aws(service: &str, url: &str, body: &str) -> String {
    let scope = format!("Credential=test/20261201/eu-west-1/{service}/aws4_request");
    let authorization = format!("AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0");
    let request = Request::post(url)
        .header("authorization", authorization)
        .header("content-type", "application/x-www-form-urlencoded")
        .header("x-amz-invocation-type", "Event");
    let answer = raw(request, body).await;
    let text = String::from_utf8(answer.body().to_vec()).unwrap();
    assert!(answer.status().is_success(), "{answer:?} {text}");
    text
}

fn form(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// Publishes on a topic of the demo brand, as its provider does.
async fn publishes(topic: &str, message: &str) {
    let topic = variable(topic);
    let call = [("Action", "Publish"), ("TopicArn", topic.as_str()), ("Message", message)];
    call_aws("sns", &format!("{}/", variable("AWS_ENDPOINT_URL")), &form(&call)).await;
}

/// Returns the card that was sent to a phone over AWS, once it is there.
async fn card(phone: &str) -> Value {
    let deadline = SystemClock.now().after(WAIT_MAX);
    loop {
        let shown = raw(Request::get(variable("ASSENT_MESSAGES")), "").await;
        let messages: Vec<Value> = serde_json::from_slice(shown.body()).unwrap();
        let sent = messages.into_iter().find(|sent| {
            sent["target"] == "PinpointSMSVoiceV2.SendRcsMessage"
                && sent["message"]["DestinationPhoneNumber"] == phone
        });
        if let Some(sent) = sent {
            return sent["message"].clone();
        }
        assert!(SystemClock.now() < deadline, "no card came to {phone}");
        SystemClock.wait(Duration::from_millis(100)).await;
    }
}

/// The whole way of a card: sent over AWS, tapped over the channel's own topic, and charged.
#[tokio::test]
async fn topic_tap_on_the_channels_own_card_is_charged() {
    let (requester, phone) = (demo(), "+15557010010");
    let mut body = payment(phone, 4250);
    body["channels"] = json!(["cards"]);
    let asked = requester.ask(&body, "deployed-topic-tap").await;
    let id = asked["id"].as_str().unwrap();
    let card = card(phone).await;
    let reference = card["Context"]["ref"].as_str().unwrap();
    let delivered = events::of_card("RCS_DELIVERED", "DELIVERED", reference, phone);
    publishes("ASSENT_CARDS_TOPIC", &delivered).await;
    let reported = |request: &Value, what: &str| {
        let mut timeline = request["timeline"].as_array().unwrap().iter();
        timeline.any(|fact| fact["what"] == what && fact["channel"] == "cards")
    };
    requester.until(id, |request| reported(request, "delivered")).await;
    let content = &card["RcsMessageContent"]["Content"]["RichCard"]["CardContent"];
    let mut replies = content["Suggestions"].as_array().unwrap().iter().map(|one| &one["Reply"]);
    let code = &asked["session_code"];
    let reply = replies.find(|reply| reply["Text"] == *code).unwrap();
    let postback = reply["PostbackData"].as_str().unwrap();
    publishes("ASSENT_CARDS_TOPIC", &events::tap(phone, code.as_str().unwrap(), postback)).await;
    let closed = requester.until(id, is_closed).await;
    assert_eq!(closed["state"], "fulfilled", "{closed:#}");
    assert!(reported(&closed, "authorized"), "{closed:#}");
}

#[tokio::test]
async fn topic_tap_for_a_prompt_of_another_channel_is_ignored() {
    let (requester, phone) = (demo(), "+15557010009");
    let asked = requester.ask(&payment(phone, 4250), "deployed-topic").await;
    let id = asked["id"].as_str().unwrap();
    let shown = message(&requester, phone, id).await;
    let place = shown["codes"].as_array().unwrap().iter();
    let place = place.zip(0..).find(|(choice, _)| **choice == asked["session_code"]).unwrap().1;
    let brands: Value = serde_json::from_str(include_str!("../deploy/brands.json")).unwrap();
    let key = STANDARD.decode(brands[0]["link_key"].as_str().unwrap()).unwrap();
    let reference = PromptRef {
        request: id.parse().unwrap(),
        prompt: shown["id"].as_str().unwrap().parse().unwrap(),
    };
    let postback = Postback { reference, action: Action::Pick(place) };
    let postback = postback.write(&Key32::new(key.try_into().unwrap()));
    publishes("ASSENT_TOPIC", "hello").await;
    publishes("ASSENT_TOPIC", &events::tap(phone, "Pay", &postback)).await;
    // The sandbox sent this prompt. A tap over AWS says nothing of it, and the request stays as it is.
    SystemClock.wait(Duration::from_secs(3)).await;
    assert!(!is_closed(&requester.get(&format!("/v1/requests/{id}")).await));
}

#[tokio::test]
async fn event_failing_every_run_becomes_a_dead_letter() {
    let function = variable("ASSENT_CONSENT_CALLBACK");
    let name = function.rsplit(':').next().unwrap();
    let invoke =
        format!("{}/2015-03-31/functions/{name}/invocations", variable("AWS_ENDPOINT_URL"));
    call_aws("lambda", &invoke, r#"{"Records":"not what a topic tells"}"#).await;
    let queue = variable("ASSENT_TOPICS_DEAD_QUEUE_URL");
    let deadline = SystemClock.now().after(WAIT_MAX);
    loop {
        let received = call_aws("sqs", &queue, &form(&[("Action", "ReceiveMessage")])).await;
        if received.contains("not what a topic tells") {
            return;
        }
        assert!(SystemClock.now() < deadline, "nothing is kept: {received}");
        SystemClock.wait(Duration::from_millis(500)).await;
    }
}

/// Returns where a text occurs in the data that the functions sent to AWS or logged.
async fn footprint(text: &str) -> Value {
    let shown =
        raw(Request::get(format!("{}?text={text}", variable("ASSENT_FOOTPRINT"))), "").await;
    serde_json::from_slice(shown.body()).unwrap()
}

#[tokio::test]
async fn wallet_token_is_in_no_row_message_or_log() {
    const CARD: &str = "4111119876543210";
    let (requester, phone) = (demo(), "+15557010009");
    let asked = requester.ask(&payment(phone, 4250), "deployed-footprint").await;
    let id = asked["id"].as_str().unwrap();
    let link = message(&requester, phone, id).await["link"].as_str().unwrap().to_owned();
    let page = raw(Request::get(&link), "").await;
    let page = String::from_utf8_lossy(page.body()).into_owned();
    let nonce = page.split("name=\"nonce\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let token = json!({ "id": "tok_visa", "object": "token", "livemode": false,
        "card": { "number": CARD, "cryptogram": "AgAAAAAABk4DWZ4C28yUQAAAAAA=" } });
    let form = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("action", "approve"), ("wallet", "google_pay"), ("nonce", nonce)])
        .append_pair("session_code", asked["session_code"].as_str().unwrap())
        .append_pair("token", &token.to_string())
        .finish();
    let kind = ("content-type", "application/x-www-form-urlencoded");
    raw(Request::post(&link).header(kind.0, kind.1), &form).await;
    let closed = requester.until(id, is_closed).await;
    assert_eq!(closed["state"], "fulfilled", "{closed:#}");
    for secret in [CARD, "AgAAAAAABk4DWZ4C28yUQAAAAAA"] {
        let found = footprint(secret).await;
        assert_eq!((&found["calls"], &found["logs"]), (&json!(0), &json!(0)), "{found}");
    }
    // The search must see data, or it proves nothing.
    let found = footprint(id).await;
    assert!(found["calls"].as_u64().unwrap() > 5 && found["logs"].as_u64().unwrap() > 0, "{found}");
}
