//! Plain words as an answer: only where the brand allows it, never for money, and never where two things could be meant.

use domain::consent::ApprovalMethod;
use domain::request::{Request, State};
use domain::storage::{decode, encode};
use domain::values::time::Timestamp;
use serde_json::{Value, json};
use tests::world::{Asked, Core, PHONE, World};

fn world(policy: &Value) -> World {
    World::beginning().talking(&["sms", "rcs"]).with("/policy", policy).begin()
}

fn allowing() -> World {
    // Silence is no reason to ask somewhere else meanwhile.
    world(&json!({
        "text_replies": true, "open_max": 9, "prompts_per_ten_minutes": 99, "fallback_seconds": 300,
    }))
}

/// Asks for a card to be kept.
fn asks_for_a_card(world: &World, language: &str) -> Asked {
    let mut body = world.payment(PHONE, 100);
    body["ask"] = json!({ "kind": "payment_method", "description": "Keep for next time" });
    body["customer"]["language"] = json!(language);
    world.asks_for(&body)
}

/// As every request is whose yes can only be given on the page.
fn needs_the_page(world: &World) {
    let mut item = world.items().into_iter().find(|item| item.key.sk == "REQ").unwrap();
    let mut request: Request = decode(&item.body).unwrap();
    request.by_tap = false;
    item.body = encode(request).unwrap();
    world.puts(item);
}

fn writes(core: &Core, text: &str) {
    let wrote = json!({ "wrote": { "from": { "phone": PHONE }, "text": text } });
    core.tells("sms", &json!([wrote])).ok(200);
}

#[test]
fn a_plain_yes_is_a_consent_that_says_it_was_written() {
    let world = allowing();
    let asked = asks_for_a_card(&world, "en");
    writes(&world, " Yes, please! ");
    let State::Authorized { consent, .. } = world.stored(&asked).state else { panic!() };
    assert_eq!((consent.method, consent.channel.as_str()), (ApprovalMethod::Reply, "sms"));
    world.settles();
    assert_eq!(world.state(&asked), "fulfilled");
    assert!(world.ever().iter().all(|item| !item.body.contains("Yes, please")));
}

#[test]
fn a_plain_no_declines() {
    let world = allowing();
    let asked = asks_for_a_card(&world, "en");
    writes(&world, "No thanks.");
    world.settles();
    assert_eq!(world.reads(&asked)["outcome"], json!({ "kind": "denied", "reason": "customer" }));
}

#[test]
fn whatever_is_not_plainly_an_answer_changes_nothing() {
    let world = allowing();
    let asked = asks_for_a_card(&world, "en");
    for text in ["ok", "yes?", "who is this", "ja", "yes but not now", "4242 4242 4242 4242"] {
        writes(&world, text);
    }
    assert_eq!(world.state(&asked), "prompted");
    writes(&world, "no");
    world.settles();
}

#[test]
fn a_brand_that_did_not_allow_it_hears_no_words() {
    for policy in [json!({}), json!({ "text_replies": false })] {
        let world = world(&policy);
        let asked = asks_for_a_card(&world, "en");
        writes(&world, "yes");
        writes(&world, "no");
        assert_eq!(world.state(&asked), "prompted");
    }
}

#[test]
fn money_is_never_paid_or_refused_by_words() {
    let world = allowing();
    let asked = world.asks(100);
    writes(&world, "yes");
    writes(&world, "no");
    assert_eq!(world.state(&asked), "prompted");
}

#[test]
fn words_from_before_a_prompt_are_no_answer_to_it_however_late_they_come() {
    let world = allowing();
    let before = world.now();
    world.time_passes(2);
    let asked = asks_for_a_card(&world, "en");
    let wrote = |at: Timestamp| json!([{ "wrote": { "from": { "phone": PHONE }, "text": "yes", "at": at } }]);
    world.tells("sms", &wrote(before)).ok(200);
    assert_eq!(world.state(&asked), "prompted");
    world.time_passes(1);
    let written = world.now();
    world.time_passes(31);
    world.tells("sms", &wrote(written)).ok(200);
    assert_eq!(world.state(&asked), "prompted", "other requests may have been open then");
    world.tells("sms", &wrote(world.now())).ok(200);
    world.settles();
    assert_eq!(world.state(&asked), "fulfilled");
}

#[test]
fn words_that_may_have_been_meant_for_what_ended_meanwhile_are_no_answer() {
    let world = allowing();
    let (asked, other) = (asks_for_a_card(&world, "en"), asks_for_a_card(&world, "en"));
    world.time_passes(1);
    let at = world.now();
    world.time_passes(1);
    world.acts(&other, "cancel", &json!({})).ok(200);
    for at in [json!(at), Value::Null] {
        let wrote = json!([{ "wrote": { "from": { "phone": PHONE }, "text": "yes", "at": at } }]);
        world.tells("sms", &wrote).ok(200);
        assert_eq!(world.state(&asked), "prompted");
    }
    world.time_passes(31);
    writes(&world, "yes");
    world.settles();
    assert_eq!(world.state(&asked), "fulfilled");
}

#[test]
fn with_two_requests_open_nobody_knows_which_one_is_meant() {
    let world = allowing();
    let asked = asks_for_a_card(&world, "en");
    let other = world.asks(200);
    writes(&world, "yes");
    writes(&world, "no");
    assert_eq!(world.state(&asked), "prompted");
    world.acts(&other, "cancel", &json!({})).ok(200);
    world.time_passes(31);
    writes(&world, "no");
    world.settles();
    assert_eq!(world.state(&asked), "denied", "now there is only one");
}

#[test]
fn a_yes_that_needs_the_page_cannot_be_written_and_a_no_can() {
    let world = allowing();
    let asked = asks_for_a_card(&world, "en");
    needs_the_page(&world);
    writes(&world, "yes");
    assert_eq!(world.state(&asked), "prompted");
    writes(&world, "no");
    world.settles();
    assert_eq!(world.state(&asked), "denied");
}

#[test]
fn words_on_a_channel_that_did_not_ask_are_no_answer() {
    let world = allowing();
    let asked = asks_for_a_card(&world, "en");
    let wrote = json!({ "wrote": { "from": { "phone": PHONE }, "text": "no" } });
    world.tells("rcs", &json!([wrote])).ok(200);
    assert_eq!(world.state(&asked), "prompted");
    writes(&world, "no");
    world.settles();
}

#[test]
fn the_customers_language_is_the_one_they_were_asked_in() {
    let world = allowing();
    let asked = asks_for_a_card(&world, "de-AT");
    writes(&world, "no");
    assert_eq!(world.state(&asked), "prompted");
    writes(&world, "Nein, danke!");
    world.settles();
    assert_eq!(world.state(&asked), "denied");
}
