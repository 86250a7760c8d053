//! Labels: what of a request's metadata and session goes to a processor, and which account takes the money.

use serde_json::{Value, json};
use tests::world::{PHONE, Reply, World};

const STRIPE: &str = "api.stripe.com";

fn stripe(labels: &Value) -> Value {
    let settings = json!({
        "secret_key": "sk_test_made_up", "connected_account": "acct_1A", "labels": labels,
    });
    json!({ "name": "stripe", "kind": "stripe", "settings": settings })
}

fn adyen(labels: &Value) -> Value {
    let settings = json!({ "api_key": "made-up", "merchant_account": "AcmeECOM",
        "hmac_keys": ["11".repeat(32)], "labels": labels });
    json!({ "name": "adyen", "kind": "adyen", "settings": settings })
}

fn world(processors: &[Value]) -> World {
    World::builder().with("/test/processors", &json!(processors)).build()
}

#[test]
fn capability_answer_names_the_account_that_takes_the_money() {
    let world = world(&[stripe(&json!({})), adyen(&json!({}))]);
    let mut body = world.payment(PHONE, 4250);
    body.as_object_mut().unwrap().remove("session");
    let answer = world.post("/v1/capabilities", &body).ok(200).json();
    let accounts: Vec<&Value> =
        answer["processors"].as_array().unwrap().iter().map(|view| &view["account"]).collect();
    assert_eq!(accounts, [&json!("acct_1A"), &json!("AcmeECOM")]);
}

#[test]
fn label_that_no_processor_takes_is_refused_when_asked() {
    let labels = json!({ "statement": { "metadata": "order" } });
    let world = world(&[stripe(&labels)]);
    let mut body = world.payment(PHONE, 4250);
    body["metadata"] = json!({ "order": "4711" });
    let problem = world.post("/v1/requests", &body).problem(422, "label-not-supported").json();
    assert_eq!(problem["errors"][0]["pointer"], "/metadata/order", "{problem}");
    assert!(world.items().is_empty() && world.sent().is_empty());
    // Adyen takes a text without a letter.
    let world = self::world(&[stripe(&labels), adyen(&labels)]);
    let accepted = world.post("/v1/requests", &body).ok(201).json();
    assert_eq!(accepted["metadata"]["order"], "4711");
    world.run_until_idle();
}

/// The request's words reach the processor in each call that creates its object, and no other words do.
#[test]
fn labels_of_a_request_reach_the_processor() {
    let labels = json!({ "metadata": ["order"], "session_id": true });
    let world = world(&[stripe(&labels)]);
    let mut body = world.payment(PHONE, 4250);
    body["metadata"] = json!({ "order": "W-4711", "diagnosis": "private" });
    let asked = world.asks_for(&body);
    let intent = |status: &str| {
        let object = json!({ "id": "pi_1", "object": "payment_intent", "status": status, "amount": 4250,
            "currency": "eur", "amount_received": 4250 });
        Reply::Status(200, object.to_string())
    };
    world.replies(STRIPE, ["requires_confirmation", "succeeded"].map(intent));
    world.customer().approves().ok(200);
    assert_eq!(world.state(&asked), "fulfilled");
    let calls = world.calls_to(STRIPE);
    let text = |at: usize| String::from_utf8_lossy(&calls[at].body).into_owned();
    assert!(text(0).contains("metadata[order]=W-4711&metadata[session_id]=CA123"), "{}", text(0));
    for (at, call) in calls.iter().enumerate() {
        assert!(!text(at).contains("private") && !text(at).contains("1555"), "{}", text(at));
        assert_eq!(call.headers["stripe-account"], "acct_1A");
    }
}
