//! The money path over the real adapters.
//!
//! Processors answer and report in the worst order. It ends as one charge, which the requester is told of once.

use ports::Confirmed;
use serde_json::{Value, json};
use tests::providers::{adyen, stripe};
use tests::world::fake_processor::ProcessorCall;
use tests::world::{Core, CreatedRequest, RecordedCall, Reply, World};

const STRIPE: &str = "api.stripe.com";
const ADYEN: &str = "checkout-test.adyen.com";
const SECRET: &str = "whsec_made_up";
const PSP: &str = "G632MTL5G45BS6H3";

fn at_stripe() -> World {
    let settings = json!({ "secret_key": "sk_test_made_up", "webhook_secrets": [SECRET] });
    let stripe = json!([{ "name": "stripe", "kind": "stripe", "settings": settings }]);
    World::builder().with("/test/processors", &stripe).build()
}

fn object(asked: &CreatedRequest, status: &str) -> Value {
    json!({
        "id": "pi_1", "object": "payment_intent", "status": status, "amount": 4250, "currency": "eur",
        "amount_received": if status == "succeeded" { 4250 } else { 0 }, "livemode": false,
        "metadata": { "request_id": asked.id, "attempt": "1" },
    })
}

fn intent(asked: &CreatedRequest, status: &str) -> Reply {
    Reply::Status(200, object(asked, status).to_string())
}

fn error(status: u16, code: &str) -> Reply {
    let body = json!({ "error": { "type": "invalid_request_error", "code": code } });
    Reply::Status(status, body.to_string())
}

fn confirms(core: &Core) -> Vec<RecordedCall> {
    let calls = core.calls_to(STRIPE).into_iter();
    calls.filter(|call| call.uri.path().ends_with("/confirm")).collect()
}

fn stripe_tells(core: &Core, asked: &CreatedRequest, kind: &str, status: &str) {
    let event = json!({ "id": "evt_1", "object": "event", "type": kind, "livemode": false,
        "data": { "object": object(asked, status) } });
    let body = event.to_string();
    let signature = stripe::signature(SECRET, core.now(), body.as_bytes());
    let call = core.call(http::Method::POST, "/callbacks/demo/stripe").key(None).idempotency(None);
    call.header("stripe-signature", &signature).json(&event).send().ok(200);
}

/// Lock time-outs, kept answers and gateways' pages: the payment is read, confirmed once more, and charged once.
#[test]
fn confirmation_in_passing_trouble_is_repeated_under_its_key() {
    let page = |status| Reply::Status(status, "<html>".to_owned());
    for (name, trouble) in [
        ("409 lock_timeout", error(409, "lock_timeout")),
        ("429 lock_timeout", error(429, "lock_timeout")),
        ("429 page", Reply::After(429, 2)),
        ("409 key in use", error(409, "idempotency_key_in_use")),
        ("502 page", page(502)),
        ("200 page", page(200)),
        ("400 unexpected state", error(400, "payment_intent_unexpected_state")),
        ("402 empty", Reply::Status(402, String::new())),
        ("301", Reply::Status(301, String::new())),
        ("408 page", page(408)),
        ("no answer", Reply::Lost),
        ("not sent", Reply::NotSent),
    ] {
        let world = at_stripe();
        let asked = world.asks(4250);
        let made = intent(&asked, "requires_confirmation");
        let read = intent(&asked, "requires_confirmation");
        world.replies(STRIPE, [made, trouble, read, intent(&asked, "succeeded")]);
        world.customer().approves().ok(200);
        world.time_passes(60);
        assert_eq!(world.state(&asked), "fulfilled", "{name}");
        let confirms = confirms(&world);
        assert_eq!(confirms.len(), 2, "{name}");
        let key = |call: &RecordedCall| call.headers["idempotency-key"].clone();
        assert_eq!((key(&confirms[0]), &confirms[0].body), (key(&confirms[1]), &confirms[1].body));
        assert_eq!(world.webhooks().iter().filter(|kind| *kind == "request.fulfilled").count(), 1);
    }
}

/// The success is told while the call that makes it is under way. Older events come later, and twice.
#[test]
fn events_early_late_and_out_of_order_change_nothing() {
    let world = at_stripe();
    let asked = world.asks(4250);
    let replies = ["requires_confirmation", "succeeded"].map(|status| intent(&asked, status));
    world.replies(STRIPE, replies);
    // Looks that the events cause read what has come of it.
    world.replies(STRIPE, (0..20).map(|_| intent(&asked, "succeeded")));
    let early = asked.clone();
    world.meanwhile("called api.stripe.com", move |core| {
        stripe_tells(core, &early, "payment_intent.succeeded", "succeeded");
    });
    world.customer().approves().ok(200);
    world.time_passes(60);
    let ended = world.reads(&asked);
    assert_eq!(ended["state"], "fulfilled");
    for _ in 0..3 {
        for (kind, status) in [
            ("payment_intent.processing", "processing"),
            ("payment_intent.payment_failed", "requires_payment_method"),
            ("payment_intent.canceled", "canceled"),
            ("payment_intent.succeeded", "succeeded"),
            ("charge.dispute.created", "succeeded"),
        ] {
            stripe_tells(&world, &asked, kind, status);
            world.run_until_idle();
        }
    }
    world.time_passes(60);
    assert_eq!(world.reads(&asked), ended);
    assert_eq!(confirms(&world).len(), 1);
    assert_eq!(world.webhooks().iter().filter(|kind| *kind == "request.fulfilled").count(), 1);
}

#[test]
fn simultaneous_refunds_are_at_most_the_charge() {
    let world = World::builder().with_fake_processor(&["test_card"]).build();
    let asked = world.asks(1000);
    world.customer().approves().ok(200);
    let core: &Core = &world;
    let path = format!("{}/refund", asked.path);
    let mut answers: Vec<u16> = std::thread::scope(|scope| {
        let ask = || core.post(&path, &json!({ "amount": 600 })).status;
        let calls: Vec<_> = (0..6).map(|_| scope.spawn(ask)).collect();
        calls.into_iter().map(|call| call.join().unwrap()).collect()
    });
    answers.sort_unstable();
    assert_eq!(answers, [202, 422, 422, 422, 422, 422]);
    world.run_until_idle();
    assert_eq!(world.fake_processor().refunds(), 1);
}

/// The bank asks in its own app, so that no redirect leads there. The customer could still confirm there later.
#[test]
fn action_without_redirect_is_voided_before_another_attempt() {
    let world = World::builder().with_fake_processor(&["test_card"]).build();
    let asked = world.asks(4250);
    world.fake_processor().will_return([Confirmed::RequiresAction { redirect: None }]);
    world.customer().approves().ok(200);
    assert_eq!(world.fake_processor().calls(), ["Create 1", "Confirm 1 PaymentMethod", "Void 1"]);
    assert_eq!(world.timeline(&asked).last().unwrap(), "card_declined authentication_required");
    world.customer().approves().ok(200);
    assert_eq!(world.state(&asked), "fulfilled");
    assert_eq!(world.fake_processor().charges(), 1);
}

/// The customer confirmed in the bank's app just before the void. The void finds the payment, and no second attempt begins.
#[test]
fn action_confirmed_before_its_void_is_the_payment() {
    let world = World::builder().with_fake_processor(&["test_card"]).build();
    let asked = world.asks(4250);
    world.fake_processor().will_return([Confirmed::RequiresAction { redirect: None }]);
    let id = asked.id.clone();
    world.meanwhile("fake Void", move |core| core.fake_processor().confirms_elsewhere(&id, 1));
    world.customer().approves().ok(200);
    assert_eq!(world.state(&asked), "fulfilled");
    assert_eq!(world.fake_processor().charges(), 1);
    assert_eq!(world.fake_processor().count(ProcessorCall::Create), 1);
}

fn link(asked: &CreatedRequest, status: &str) -> Reply {
    let body = json!({
        "id": "PL61C53A8B97E6915A", "url": "https://test.adyen.link/PL61C53A8B97E6915A", "status": status,
        "merchantAccount": adyen::ACCOUNT, "reference": format!("{}.1", asked.id),
        "amount": { "value": 4250, "currency": "EUR" },
    });
    Reply::Status(200, body.to_string())
}

fn adyen_reports(core: &Core, asked: &CreatedRequest, psp: &str, success: bool) {
    let reference = format!("{}.1", asked.id);
    let about = adyen::Notification { psp, reference: &reference, value: 4250, currency: "EUR" };
    let body = adyen::webhook("AUTHORISATION", success, &about);
    let call = core.call(http::Method::POST, "/callbacks/demo/adyen").key(None).idempotency(None);
    call.json(&body).send().ok(202);
    core.run_until_idle();
}

/// The customer's first card is refused on Adyen's page, and the second pays. The refusal is told once more, late.
#[test]
fn refusal_told_again_after_the_payment_changes_nothing() {
    let settings = json!({ "api_key": "made-up", "merchant_account": adyen::ACCOUNT, "hmac_keys": [adyen::HMAC_KEY] });
    let adyen = json!([{ "name": "adyen", "kind": "adyen", "settings": settings }]);
    let world = World::builder().with("/test/processors", &adyen).build();
    let asked = world.asks(4250);
    world.replies(ADYEN, (0..3).map(|_| link(&asked, "active")));
    world.customer().approves_hosted();
    adyen_reports(&world, &asked, "X5BDWNSMTT5FBHG6", false);
    assert_eq!(world.state(&asked), "processing");
    adyen_reports(&world, &asked, PSP, true);
    let ended = world.reads(&asked);
    assert_eq!(
        (&ended["state"], &ended["outcome"]["reference"]),
        (&json!("fulfilled"), &json!(PSP))
    );
    adyen_reports(&world, &asked, "X5BDWNSMTT5FBHG6", false);
    assert_eq!(world.reads(&asked), ended);
}
