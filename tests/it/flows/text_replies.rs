//! A plain yes or no as an answer: only if allowed, never for money, never if ambiguous.

use domain::consent::ApprovalMethod;
use domain::request::{Request, State};
use domain::values::time::Timestamp;
use records::storage::{decode, encode};
use serde_json::{Value, json};
use tests::world::{Core, CreatedRequest, PHONE, World};

fn world(policy: &Value) -> World {
    World::builder().with_fake_channels(&["sms", "rcs"]).with("/policy", policy).build()
}

fn allowing() -> World {
    // A silent channel must not fall back meanwhile.
    world(&json!({
        "session_code": { "payment_method": false }, "text_replies": true, "open_max": 9, "prompts_per_ten_minutes": 99, "fallback_seconds": 300,
    }))
}

/// Asks to save a card.
fn asks_for_a_card(world: &World, language: &str) -> CreatedRequest {
    let mut body = world.payment(PHONE, 100);
    body["ask"] = json!({ "kind": "payment_method", "description": "Keep for next time" });
    body["customer"]["language"] = json!(language);
    world.asks_for(&body)
}

/// Requests whose processor needs the page are like this.
fn needs_the_page(world: &World) {
    let mut item = world.items().into_iter().find(|item| item.key.sk == "REQ").unwrap();
    let mut request: Request = decode(&item.body).unwrap();
    request.by_tap = false;
    item.body = encode(request).unwrap();
    world.put_item(item);
}

fn writes(core: &Core, text: &str) {
    let wrote = json!({ "wrote": { "from": { "phone": PHONE }, "text": text } });
    core.channel_sends("sms", &json!([wrote])).ok(200);
}

#[test]
fn plain_yes_approves_and_records_its_method() {
    let world = allowing();
    let asked = asks_for_a_card(&world, "en");
    writes(&world, " Yes, please! ");
    let State::Authorized { consent, .. } = world.stored(&asked).state else { panic!() };
    assert_eq!((consent.method, consent.channel.as_str()), (ApprovalMethod::Reply, "sms"));
    world.run_until_idle();
    assert_eq!(world.state(&asked), "fulfilled");
    assert!(world.all_written_items().iter().all(|item| !item.body.contains("Yes, please")));
}

#[test]
fn plain_no_denies() {
    let world = allowing();
    let asked = asks_for_a_card(&world, "en");
    writes(&world, "No thanks.");
    world.run_until_idle();
    assert_eq!(world.reads(&asked)["outcome"], json!({ "kind": "denied", "reason": "customer" }));
}

#[test]
fn ambiguous_text_changes_nothing() {
    let world = allowing();
    let asked = asks_for_a_card(&world, "en");
    for text in ["ok", "yes?", "who is this", "ja", "yes but not now", "4242 4242 4242 4242"] {
        writes(&world, text);
    }
    assert_eq!(world.state(&asked), "prompted");
    writes(&world, "no");
    world.run_until_idle();
}

#[test]
fn yes_is_ignored_unless_allowed_and_no_always_denies() {
    for policy in [json!({}), json!({ "text_replies": false })] {
        let world = world(&policy);
        let asked = asks_for_a_card(&world, "en");
        writes(&world, "yes");
        assert_eq!(world.state(&asked), "prompted");
        writes(&world, "no");
        world.run_until_idle();
        let denied = json!({ "kind": "denied", "reason": "customer" });
        assert_eq!(world.reads(&asked)["outcome"], denied);
    }
}

#[test]
fn payment_is_denied_by_text_and_never_approved() {
    let world = allowing();
    let asked = world.asks(100);
    writes(&world, "yes");
    assert_eq!(world.state(&asked), "prompted");
    writes(&world, "no");
    world.run_until_idle();
    assert_eq!(world.reads(&asked)["outcome"], json!({ "kind": "denied", "reason": "customer" }));
}

#[test]
fn text_written_before_its_prompt_is_no_answer() {
    let world = allowing();
    let before = world.now();
    world.time_passes(2);
    let asked = asks_for_a_card(&world, "en");
    let wrote = |at: Timestamp| json!([{ "wrote": { "from": { "phone": PHONE, "at": at }, "text": "yes" } }]);
    world.channel_sends("sms", &wrote(before)).ok(200);
    assert_eq!(world.state(&asked), "prompted");
    world.time_passes(1);
    let written = world.now();
    world.time_passes(31);
    world.channel_sends("sms", &wrote(written)).ok(200);
    assert_eq!(world.state(&asked), "prompted", "other requests may have been open then");
    world.channel_sends("sms", &wrote(world.now())).ok(200);
    world.run_until_idle();
    assert_eq!(world.state(&asked), "fulfilled");
}

#[test]
fn text_possibly_for_an_ended_request_is_no_answer() {
    let world = allowing();
    let (asked, other) = (asks_for_a_card(&world, "en"), asks_for_a_card(&world, "en"));
    world.time_passes(1);
    let at = world.now();
    world.time_passes(1);
    world.acts(&other, "cancel", &json!({})).ok(200);
    for at in [json!(at), Value::Null] {
        let wrote = json!([{ "wrote": { "from": { "phone": PHONE, "at": at }, "text": "yes" } }]);
        world.channel_sends("sms", &wrote).ok(200);
        assert_eq!(world.state(&asked), "prompted");
    }
    world.time_passes(31);
    writes(&world, "yes");
    world.run_until_idle();
    assert_eq!(world.state(&asked), "fulfilled");
}

#[test]
fn text_with_two_open_requests_is_no_answer() {
    let world = allowing();
    let asked = asks_for_a_card(&world, "en");
    let other = world.asks(200);
    writes(&world, "yes");
    writes(&world, "no");
    assert_eq!(world.state(&asked), "prompted");
    world.acts(&other, "cancel", &json!({})).ok(200);
    world.time_passes(31);
    writes(&world, "no");
    world.run_until_idle();
    assert_eq!(world.state(&asked), "denied", "now there is only one");
}

#[test]
fn text_cannot_approve_what_needs_the_page_but_can_deny() {
    let world = allowing();
    let asked = asks_for_a_card(&world, "en");
    needs_the_page(&world);
    writes(&world, "yes");
    assert_eq!(world.state(&asked), "prompted");
    writes(&world, "no");
    world.run_until_idle();
    assert_eq!(world.state(&asked), "denied");
}

#[test]
fn text_on_a_channel_without_prompt_is_no_answer() {
    let world = allowing();
    let asked = asks_for_a_card(&world, "en");
    let wrote = json!({ "wrote": { "from": { "phone": PHONE }, "text": "no" } });
    world.channel_sends("rcs", &json!([wrote])).ok(200);
    assert_eq!(world.state(&asked), "prompted");
    writes(&world, "no");
    world.run_until_idle();
}

#[test]
fn text_is_read_in_the_language_of_the_prompt() {
    let world = allowing();
    let asked = asks_for_a_card(&world, "de-AT");
    writes(&world, "oui");
    assert_eq!(world.state(&asked), "prompted");
    writes(&world, "Nein, danke!");
    world.run_until_idle();
    assert_eq!(world.state(&asked), "denied");
}
