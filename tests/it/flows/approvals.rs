//! The customer's approval or denial, and the processor's result.

use domain::message::{QueueName, Step};
use serde_json::json;
use tests::world::World;

#[test]
fn approval_with_session_code_is_charged_and_reported() {
    let world = World::new();
    let asked = world.asks(4250);
    assert_eq!(asked.answer["state"], "pending");
    assert_eq!(asked.answer["customer"]["phone"], "+1•••••0001");
    assert_eq!(asked.answer["outcome"], json!(null));
    assert_eq!(world.state(&asked), "prompted");
    let tapped = world.customer().approves().ok(200).json();
    assert_eq!(tapped["request"], asked.id.as_str());
    let request = world.reads(&asked);
    assert_eq!(request["state"], "fulfilled");
    let outcome = &request["outcome"];
    assert_eq!(outcome["kind"], "fulfilled");
    assert_eq!(outcome["processor"], "sandbox");
    assert!(outcome["reference"].as_str().unwrap().starts_with("pi_"));
    let code = outcome["transaction_code"].as_str().unwrap();
    assert_eq!((code.len(), &code[4..5]), (9, "-"));
    let payment = json!({
        "amount": 4250, "currency": "EUR", "method": "card", "wallet": null, "card_brand": "visa",
        "last4": "4242",
    });
    assert_eq!(outcome["payment"], payment);
    let timeline = ["accepted rcs", "delivered rcs", "authorized rcs", "fulfilled"];
    assert_eq!(world.timeline(&asked), timeline);
    let reported =
        ["request.prompted", "request.delivered", "request.authorized", "request.fulfilled"];
    assert_eq!(world.webhooks(), reported);
}

#[test]
fn denial_repeated_changes_nothing() {
    let world = World::new();
    let asked = world.asks(4250);
    assert_eq!(world.customer().denies().ok(200).json()["state"], "denied");
    let version = world.reads(&asked)["version"].clone();
    assert_eq!(world.customer().denies().ok(200).json()["state"], "denied");
    assert_eq!(world.reads(&asked)["version"], version);
    assert_eq!(world.reads(&asked)["outcome"], json!({ "kind": "denied", "reason": "customer" }));
    world.customer().approves().problem(409, "conflict-state");
    assert_eq!(world.webhooks().last().unwrap(), "request.denied");
}

#[test]
fn confirmed_report_starts_cooldown_of_one_day() {
    let world = World::new();
    let asked = world.asks(4250);
    world.customer().reports_not_me().ok(200);
    world.time_passes(2);
    world.customer().reports_not_me().ok(200);
    assert_eq!(world.reads(&asked)["outcome"], json!({ "kind": "denied", "reason": "not_me" }));
    let again = world.post("/v1/requests", &world.payment(tests::world::PHONE, 100));
    let again = again.problem(429, "address-reported");
    let wait: u64 = again.header("retry-after").parse().unwrap();
    assert!((86_300..=86_401).contains(&wait), "{wait}");
    world.asks_at("+15551230002", 100);
    world.time_passes(wait);
    world.asks(100);
}

/// The holder of the phone does not hear the agent, so a wrong code counts as a denial.
#[test]
fn wrong_session_code_denies_the_request() {
    let world = World::new();
    let asked = world.asks(4250);
    let tapped = world.customer().approves_with_a_wrong_code().ok(200).json();
    assert_eq!(tapped["state"], "denied");
    let outcome = json!({ "kind": "denied", "reason": "wrong_session_code" });
    assert_eq!(world.reads(&asked)["outcome"], outcome);
    assert!(world.stored(&asked).attempts.is_empty());
}

#[test]
fn approval_without_session_code_is_rejected() {
    let world = World::new();
    let asked = world.asks(4250);
    let customer = world.customer();
    let message = customer.newest();
    let tapped = customer.taps(&message, &json!({ "action": "approve" }));
    tapped.problem(422, "session-code-missing");
    assert_eq!(world.state(&asked), "prompted");
    customer.approves().ok(200);
    assert_eq!(world.state(&asked), "fulfilled");
}

#[test]
fn session_code_switched_off_by_brand_is_not_asked() {
    let world = World::builder().with("/policy", &json!({ "session_code": false })).build();
    let asked = world.asks(4250);
    assert!(asked.answer.get("session_code").is_none());
    let customer = world.customer();
    let message = customer.newest();
    assert_eq!(message.shown["codes"], json!(null));
    customer.taps(&message, &json!({ "action": "approve" })).ok(200);
    world.run_until_idle();
    assert_eq!(world.state(&asked), "fulfilled");
}

#[test]
fn phone_shows_three_codes_and_agent_sees_one() {
    let world = World::new();
    let asked = world.asks(4250);
    let message = world.customer().newest();
    let codes = message.shown["codes"].as_array().unwrap();
    assert_eq!(codes.len(), 3);
    assert!(codes.contains(&asked.answer["session_code"]));
    assert!(!message.text("text").contains(asked.answer["session_code"].as_str().unwrap()));
    world.customer().approves().ok(200);
    assert_eq!(world.customer().newest().shown["codes"], json!(null));
}

#[test]
fn declined_card_retried_is_charged_once() {
    let world = World::new();
    let asked = world.asks(4202);
    world.customer().approves().ok(200);
    assert_eq!(world.state(&asked), "prompted");
    assert!(world.timeline(&asked).contains(&"card_declined insufficient_funds".to_owned()));
    world.customer().approves().ok(200);
    assert_eq!(world.state(&asked), "fulfilled");
    assert_eq!(world.stored(&asked).attempts.len(), 2);
}

#[test]
fn declined_test_card_replaced_by_another_is_charged() {
    let world = World::new();
    let asked = world.asks(4250);
    let customer = world.customer();
    customer.approves_with("pm_card_chargeDeclinedInsufficientFunds").ok(200);
    assert_eq!(world.state(&asked), "prompted");
    customer.approves_with("pm_card_mastercard").ok(200);
    let payment = &world.reads(&asked)["outcome"]["payment"];
    assert_eq!((&payment["card_brand"], &payment["last4"]), (&json!("mastercard"), &json!("4444")));
}

#[test]
fn unknown_card_format_is_rejected_before_recording() {
    let world = World::new();
    let asked = world.asks(4250);
    for card in ["4242424242424242", "", "pm_1", "pm_card_a b", &"pm_card_".repeat(9)] {
        world.customer().approves_with(card).problem(400, "invalid-request");
    }
    assert_eq!(world.state(&asked), "prompted");
}

#[test]
fn unknown_test_card_fails_the_request() {
    let world = World::new();
    let asked = world.asks(4250);
    world.customer().approves_with("pm_card_unheardOf").ok(200);
    assert_eq!(world.state(&asked), "failed");
}

#[test]
fn attempts_max_reached_fails_the_request() {
    let world = World::builder().with("/policy", &json!({ "attempts_max": 2 })).build();
    let asked = world.asks(4250);
    world.customer().approves_with("pm_card_chargeDeclined").ok(200);
    assert_eq!(world.state(&asked), "prompted");
    world.customer().approves_with("pm_card_chargeDeclined").ok(200);
    assert_eq!(world.state(&asked), "failed");
    assert_eq!(world.webhooks().last().unwrap(), "request.failed");
}

/// The outcome must not tell that the issuer takes the card for stolen.
#[test]
fn hard_decline_fails_without_telling_the_reason() {
    let world = World::new();
    let asked = world.asks(4203);
    world.customer().approves().ok(200);
    assert_eq!(
        world.reads(&asked)["outcome"],
        json!({ "kind": "failed", "reason": "card_declined" })
    );
    world.customer().approves().problem(409, "conflict-state");
}

#[test]
fn slow_processor_is_asked_until_it_is_done() {
    let world = World::new();
    let asked = world.asks(4204);
    world.customer().approves().ok(200);
    assert_eq!(world.state(&asked), "processing");
    world.time_passes(2);
    assert_eq!(world.state(&asked), "processing");
    world.time_passes(8);
    assert_eq!(world.state(&asked), "fulfilled");
    assert_eq!(world.stored(&asked).attempts.len(), 1);
}

#[test]
fn lost_answer_is_in_doubt_until_looked_up() {
    let world = World::new();
    let asked = world.asks(4205);
    world.customer().approves().ok(200);
    assert_eq!(world.state(&asked), "processing");
    assert!(world.timeline(&asked).contains(&"in_doubt".to_owned()));
    let refused = world.acts(&asked, "cancel", &json!({}));
    refused.problem(409, "conflict-state");
    world.time_passes(5);
    assert_eq!(world.state(&asked), "fulfilled");
    assert_eq!(world.stored(&asked).attempts.len(), 1);
}

/// The first approval may have failed to send its step, so the second one sends it again.
#[test]
fn second_approval_changes_nothing_and_resends_the_step() {
    let world = World::new();
    let asked = world.asks(4250);
    let customer = world.customer();
    let message = customer.newest();
    let yes = json!({ "action": "approve", "session_code": customer.session_code_of(&message) });
    let fetches = || {
        world
            .sent()
            .iter()
            .filter(|(owed, _)| owed.parts().is_some_and(|(step, _)| step == Step::Fetch))
            .count()
    };
    customer.taps(&message, &yes).ok(200);
    let version = world.reads(&asked)["version"].clone();
    customer.taps(&message, &yes).ok(200);
    assert_eq!((world.reads(&asked)["version"].clone(), fetches()), (version, 2));
    world.run_until_idle();
    assert_eq!(world.state(&asked), "fulfilled");
    let charged = world.items().into_iter().filter(|item| item.key.pk.starts_with("SANDBOX#"));
    assert_eq!(charged.count(), 1);
}

#[test]
fn approval_before_prompt_is_recorded_as_sent_counts() {
    let world = World::new();
    world.meanwhile("stored PHONE#", |core| {
        let tapped = core.customer().approves();
        assert_eq!(tapped.status, 200, "{}", tapped.text());
    });
    let asked = world.asks(4250);
    assert_eq!(world.state(&asked), "fulfilled");
}

#[test]
fn denial_during_approval_is_rejected_as_too_late() {
    let world = World::new();
    let asked = world.asks(4250);
    world.meanwhile("stored REQ#", |core| {
        core.customer().denies().problem(409, "conflict-state");
    });
    world.customer().approves().ok(200);
    assert_eq!(world.state(&asked), "fulfilled");
}

#[test]
fn approval_losing_to_cancel_is_rejected_uncharged() {
    let world = World::new();
    let asked = world.asks(4250);
    let path = format!("{}/cancel", asked.path);
    world.meanwhile("storing REQ#", move |core| {
        core.post(&path, &json!({})).ok(200);
    });
    world.customer().approves().problem(409, "conflict-state");
    assert_eq!(world.state(&asked), "cancelled");
    assert!(world.stored(&asked).attempts.is_empty());
}

#[test]
fn authorization_is_sealed_while_waiting_and_then_erased() {
    let world = World::new();
    let asked = world.asks(4250);
    world.customer().taps_approve().ok(200);
    let stored = || world.items().into_iter().find(|item| item.key.sk == "REQ").unwrap().body;
    assert!(stored().contains("ciphertext"));
    assert!(world.items().iter().all(|item| !item.body.contains("pm_card")));
    world.run_until_idle();
    assert_eq!(world.state(&asked), "fulfilled");
    assert!(!stored().contains("ciphertext"));
    let holders: Vec<_> =
        world.items().into_iter().filter(|item| item.body.contains("ciphertext")).collect();
    assert!(holders.is_empty(), "{holders:?}");
}

#[test]
fn sealing_key_lost_fails_the_request() {
    let world = World::new();
    let asked = world.asks(4250);
    world.customer().taps_approve().ok(200);
    let other = "ZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXp7fH1+f4CBgoM=";
    world.rotates("/sealing", &json!({ "current": "2027-01", "keys": { "2027-01": other } }));
    world.run_until_idle();
    let outcome = json!({ "kind": "failed", "reason": "authorization_lost" });
    assert_eq!(world.reads(&asked)["outcome"], outcome);
}

#[test]
fn sealing_key_rotated_still_opens_authorization() {
    let world = World::new();
    let asked = world.asks(4250);
    world.customer().taps_approve().ok(200);
    let old = "YGFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6e3x9fn8=";
    let new = "ZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXp7fH1+f4CBgoM=";
    let keys = json!({ "current": "2027-01", "keys": { "2026-11": old, "2027-01": new } });
    world.rotates("/sealing", &keys);
    world.run_until_idle();
    assert_eq!(world.state(&asked), "fulfilled");
}

#[test]
fn approval_with_unsent_step_is_found_by_check() {
    let world = World::new();
    let asked = world.asks(4250);
    world.customer().taps_approve().ok(200);
    world.loses_messages(QueueName::Authorizations);
    assert_eq!(world.state(&asked), "authorized");
    world.time_passes(15);
    assert_eq!(world.state(&asked), "fulfilled");
}
