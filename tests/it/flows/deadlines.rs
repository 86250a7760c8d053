//! Expiry and cancellation, which end a request without a charge, and extensions.

use serde_json::json;
use tests::world::World;

#[test]
fn deadline_expires_request_and_retracts_prompt() {
    let world = World::new();
    let mut body = world.payment(tests::world::PHONE, 4250);
    body["expires_in"] = json!(60);
    let asked = world.asks_for(&body);
    world.time_passes(59);
    assert_eq!(world.state(&asked), "prompted");
    assert_eq!(world.customer().newest().shown["retracted"], false);
    world.time_passes(2);
    assert_eq!(world.reads(&asked)["outcome"], json!({ "kind": "expired" }));
    assert_eq!(world.customer().newest().shown["retracted"], true);
    assert_eq!(world.webhooks().last().unwrap(), "request.expired");
}

/// The deadline counts even while the request is not yet closed.
#[test]
fn approval_after_deadline_is_rejected_before_expiry() {
    let world = World::new();
    let mut body = world.payment(tests::world::PHONE, 4250);
    body["expires_in"] = json!(60);
    let asked = world.asks_for(&body);
    world.clock_jumps(60);
    let customer = world.customer();
    let message = customer.newest();
    let yes = json!({ "action": "approve", "session_code": customer.session_code_of(&message) });
    customer.taps(&message, &yes).problem(409, "deadline-passed");
    world.run_until_idle();
    assert_eq!(world.state(&asked), "expired");
}

#[test]
fn denial_after_deadline_still_denies() {
    let world = World::new();
    let mut body = world.payment(tests::world::PHONE, 4250);
    body["expires_in"] = json!(60);
    let asked = world.asks_for(&body);
    world.clock_jumps(60);
    let customer = world.customer();
    customer.taps(&customer.newest(), &json!({ "action": "deny" })).ok(200);
    world.run_until_idle();
    assert_eq!(world.state(&asked), "denied");
}

/// Acting on a request after its deadline is rejected as well.
#[test]
fn deadline_in_the_past_is_rejected() {
    let world = World::new();
    let mut body = world.payment(tests::world::PHONE, 4250);
    for expires_in in [json!(0), json!(-5), json!(604_801), json!("300"), json!(1.5)] {
        body["expires_in"] = expires_in;
        let refused = world.post("/v1/requests", &body).problem(400, "invalid-request");
        assert_eq!(refused.json()["errors"][0]["pointer"], "/expires_in");
    }
    body["expires_in"] = json!(30);
    let asked = world.asks_for(&body);
    world.clock_jumps(31);
    let late = world.post(&format!("{}/extend", asked.path), &json!({ "expires_in": 60 }));
    late.problem(409, "deadline-passed");
    let late = world.post(&format!("{}/resend", asked.path), &json!({}));
    late.problem(409, "deadline-passed");
    world.run_until_idle();
}

#[test]
fn cancel_repeated_ends_once_and_retracts_prompt() {
    let world = World::new();
    let asked = world.asks(4250);
    let cancelled = world.acts(&asked, "cancel", &json!({})).ok(200).json();
    assert_eq!(cancelled["outcome"], json!({ "kind": "cancelled" }));
    let again = world.acts(&asked, "cancel", &json!({})).ok(200).json();
    assert_eq!(again["version"], cancelled["version"]);
    assert_eq!(world.customer().newest().shown["retracted"], true);
    world.customer().approves().problem(409, "conflict-state");
    assert_eq!(world.webhooks().last().unwrap(), "request.cancelled");
}

#[test]
fn cancel_extend_and_resend_after_approval_are_rejected() {
    let world = World::new();
    let asked = world.asks(4204);
    world.customer().approves().ok(200);
    for (what, body) in
        [("cancel", json!({})), ("extend", json!({ "expires_in": 600 })), ("resend", json!({}))]
    {
        world.acts(&asked, what, &body).problem(409, "conflict-state");
    }
    world.time_passes(20);
    assert_eq!(world.state(&asked), "fulfilled");
    world.acts(&asked, "cancel", &json!({})).problem(409, "conflict-state");
}

#[test]
fn extension_only_lengthens_and_by_a_week_at_most() {
    let world = World::new();
    let asked = world.asks(4250);
    let deadline = asked.answer["expires_at"].clone();
    let shorter = world.acts(&asked, "extend", &json!({ "expires_in": 60 })).ok(200).json();
    assert_eq!(shorter["expires_at"], deadline);
    let longer = world.acts(&asked, "extend", &json!({ "expires_in": 900 })).ok(200).json();
    assert_ne!(longer["expires_at"], deadline);
    world.time_passes(400);
    assert_eq!(world.state(&asked), "prompted");
    let much = world.acts(&asked, "extend", &json!({ "expires_in": 604_800 }));
    much.problem(409, "conflict-state");
    let wrong = world.acts(&asked, "extend", &json!({ "expires_in": 604_801 }));
    wrong.problem(400, "invalid-request");
    world.time_passes(600);
    assert_eq!(world.state(&asked), "expired");
}
