//! The deployed sandbox phone, which needs a test key and shows that brand's prompts only.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use consent_callback::ConsentCallback;
use domain::consent::ApprovalMethod;
use domain::problem::{Code, Problem};
use domain::request::State;
use http::{HeaderMap, Method, Response};
use ports::{IdentityCall, MessagePath, SandboxReplies, SandboxReply, SandboxRoutes};
use sandbox::SandboxAccess;
use serde_json::{Value, json};
use tests::world::brand::{LIVE_KEY, OTHER_KEY, TEST_KEY, twilio};
use tests::world::{CreatedRequest, PHONE, World};

const MESSAGES: &str = "/sandbox/phones/+15551230001/messages";

fn tap(world: &World) -> String {
    format!("{MESSAGES}/{}/tap", world.customer().newest().text("id"))
}

#[test]
fn deployed_phone_needs_a_test_key() {
    let world = World::builder().phone_for(SandboxAccess::Key).build();
    let asked = world.asks(4250);
    let tap = tap(&world);
    let no = json!({ "action": "deny" });
    for key in [None, Some(LIVE_KEY), Some("sk_test_demo_ffffffffffffffffffffffffffffffff")] {
        let read = world.call(Method::GET, MESSAGES).key(key).send();
        read.problem(401, "unauthenticated");
        let tapped = world.call(Method::POST, &tap).key(key).json(&no).send();
        tapped.problem(401, "unauthenticated");
    }
    assert_eq!(world.state(&asked), "prompted");
    world.call(Method::POST, &tap).key(TEST_KEY).json(&no).send().ok(200);
    world.run_until_idle();
    assert_eq!(world.state(&asked), "denied");
}

#[test]
fn key_of_another_brand_sees_only_its_own_prompts() {
    let world = World::builder().phone_for(SandboxAccess::Key).build();
    let asked = world.asks(4250);
    let none = world.call(Method::GET, MESSAGES).key(OTHER_KEY).send().ok(200);
    assert_eq!(none.json(), json!({ "messages": [] }));
    let tapped = world.call(Method::POST, &tap(&world)).key(OTHER_KEY);
    tapped.json(&json!({ "action": "deny" })).send().problem(404, "not-found");
    assert_eq!(world.state(&asked), "prompted");
    let theirs = world.call(Method::POST, "/v1/requests").key(OTHER_KEY);
    theirs.json(&world.payment(PHONE, 100)).send().ok(201);
    world.run_until_idle();
    let one = world.call(Method::GET, MESSAGES).key(OTHER_KEY).send().ok(200);
    assert_eq!(one.json()["messages"].as_array().unwrap().len(), 1);
}

#[test]
fn brand_without_sandbox_has_no_phone() {
    let world = World::builder().phone_for(SandboxAccess::Off).build();
    world.asks(4250);
    world.get(MESSAGES).problem(404, "not-found");
    let path = format!("{MESSAGES}/prm_01M844DZWGFW3SJKQ26BNN67GN/tap");
    world.post(&path, &json!({ "action": "deny" })).problem(404, "not-found");
}

/// A brand with one channel of each style.
fn message_limits(policy: &Value) -> World {
    let channel =
        |look: &str| json!({ "name": look, "kind": "sandbox", "settings": { "style": look } });
    let channels = ["rcs", "whatsapp", "apple", "sms"].map(channel);
    World::builder().with("/test/channels", &json!(channels)).with("/policy", policy).build()
}

fn asks_over(world: &World, channel: &str) -> CreatedRequest {
    let mut body = world.payment(PHONE, 4250);
    body["channels"] = json!([channel]);
    world.asks_for(&body)
}

/// Returns the labels of the newest message's buttons.
fn labels(world: &World) -> Vec<String> {
    let message = world.customer().newest();
    let actions = message.shown["actions"].as_array().unwrap().iter();
    actions.map(|action| action["label"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn each_style_shows_the_buttons_it_has_room_for() {
    let world = message_limits(&json!({ "open_max": 9 }));
    for (channel, count) in [("rcs", 4), ("whatsapp", 3), ("apple", 5), ("sms", 0)] {
        let asked = asks_over(&world, channel);
        let message = world.customer().newest();
        assert_eq!((message.text("channel"), message.text("style")), (channel, channel));
        let labels = labels(&world);
        assert_eq!(labels.len(), count, "{labels:?}");
        let code = asked.answer["session_code"].as_str().unwrap();
        assert_eq!(labels.iter().any(|label| label == code), channel != "sms");
        let segments = message.shown["segments"].as_u64();
        assert_eq!(segments, (channel == "sms").then_some(1), "{}", message.text("text"));
        let says = message.text("text").contains("Pick the number the agent reads to you.");
        assert_eq!(says, channel != "sms", "{}", message.text("text"));
    }
}

#[test]
fn payment_by_tap_is_a_wallet_sheet_in_apple_style() {
    let world = message_limits(&json!({ "session_code": false }));
    let asked = asks_over(&world, "apple");
    let actions = world.customer().newest().shown["actions"].clone();
    let sheet = json!([{ "action": "approve", "label": "Approve", "sheet": true }]);
    assert_eq!(actions, sheet);
    world.customer().approves_with("pm_card_mastercard").ok(200);
    assert_eq!(world.reads(&asked)["outcome"]["payment"]["card_brand"], "mastercard");
}

#[test]
fn postback_data_is_verified_as_on_a_real_channel() {
    let world = message_limits(&json!({}));
    let asked = asks_over(&world, "rcs");
    let message = world.customer().newest();
    let code = asked.answer["session_code"].clone();
    let actions = message.shown["actions"].as_array().unwrap();
    let right = actions.iter().find(|action| action["session_code"] == code).unwrap();
    for stranger in ["", "yes", "00"] {
        let tapped = world.customer().taps(&message, &json!({ "postback": stranger })).ok(200);
        assert_eq!(tapped.json()["state"], "prompted", "{stranger}");
    }
    let body = json!({ "postback": right["postback"] });
    let tapped = world.customer().taps(&message, &body).ok(200).json();
    assert_eq!(tapped, json!({ "request": asked.id, "state": "authorized" }));
    let State::Authorized { consent, .. } = world.stored(&asked).state else { panic!() };
    assert_eq!(consent.method, ApprovalMethod::Tap);
    assert!(world.items().iter().any(|item| item.key.pk.starts_with("CONTACT#demo#Test#rcs#")));
    world.run_until_idle();
    assert_eq!(world.state(&asked), "fulfilled");
}

#[test]
fn tap_by_meaning_or_postback_counts_and_opening_does_not() {
    let world = World::new();
    let asked = world.asks(4250);
    let message = world.customer().newest();
    for wrong in [
        json!({}),
        json!({ "action": "open" }),
        json!({ "action": "approve", "postback": "00" }),
        json!({ "postback": "00", "card": "pm_card_visa" }),
        json!({ "session_code": "47" }),
    ] {
        world.customer().taps(&message, &wrong).problem(400, "invalid-request");
    }
    assert_eq!(world.state(&asked), "prompted");
}

#[test]
fn older_style_names_are_still_read() {
    let world = World::new();
    let asked = world.asks(100);
    assert_eq!(world.customer().newest().text("style"), "rcs");
    world.acts(&asked, "resend", &json!({ "channel": "sms" })).ok(200);
    assert_eq!(world.customer().newest().text("style"), "sms");
}

/// A phone that approves the prompt `req_….prm_…` that a tap's body names, of either mode.
struct ForgedPhone;

#[async_trait]
impl SandboxRoutes for ForgedPhone {
    async fn messages(&self, _: &HeaderMap, _: &str) -> Result<Response<Bytes>, Problem> {
        Err(Problem::new(Code::NotFound, "it shows nothing"))
    }

    async fn tap(
        &self,
        _: &HeaderMap,
        _: MessagePath<'_>,
        body: &[u8],
        replies: &dyn SandboxReplies,
    ) -> Result<Response<Bytes>, Problem> {
        let prompt = std::str::from_utf8(body).unwrap().parse().unwrap();
        let approve = SandboxReply::Approve { session_code: None, card: None };
        replies.record(prompt, approve).await.map(|_| Response::new(Bytes::new()))
    }

    async fn identity(&self, _: IdentityCall<'_>) -> Result<Response<Bytes>, Problem> {
        Err(Problem::new(Code::NotFound, "no OpenID provider"))
    }

    async fn checkout(&self, _: &str, _: Option<&[u8]>) -> Result<Response<Bytes>, Problem> {
        Err(Problem::new(Code::NotFound, "it sells nothing"))
    }
}

#[test]
fn sandbox_reply_to_a_live_request_is_refused() {
    let sms = json!({ "name": "sms", "kind": "sms", "settings": twilio() });
    let card =
        json!({ "name": "stripe", "kind": "stripe", "settings": { "secret_key": "sk_live_x" } });
    let world = World::builder()
        .with("/policy", &json!({ "session_code": false }))
        .with("/live/channels", &json!([sms]))
        .with("/live/processors", &json!([card]))
        .build();
    let call = world.call(Method::POST, "/v1/requests").key(LIVE_KEY);
    let created = call.json(&world.payment(PHONE, 4250)).send().ok(201).json();
    world.run_until_idle();
    let id = created["id"].as_str().unwrap().to_owned();
    let asked = CreatedRequest { path: format!("/v1/requests/{id}"), id, answer: created };
    let own = &world.machine.consent_callback;
    let consent = ConsentCallback {
        ports: own.ports.clone(),
        channels: Arc::clone(&own.channels),
        processors: Arc::clone(&own.processors),
        public_base: own.public_base.clone(),
        sandbox: Some(Arc::new(ForgedPhone)),
    };
    let prompt = world.stored(&asked).prompts.last().unwrap().id;
    let path = MessagePath { phone: PHONE, id: "" };
    let body = format!("{}.{prompt}", asked.id);
    let tap = consent.sandbox_calls();
    let refused = world.run(tap.tap(&HeaderMap::new(), path, body.as_bytes())).unwrap_err();
    assert_eq!(refused.code, Code::NotFound);
    assert!(matches!(world.stored(&asked).state, State::Prompted));
    world.call(Method::POST, &format!("{}/cancel", asked.path)).key(LIVE_KEY).send().ok(200);
    world.run_until_idle();
}
