//! Routes: the channel of each prompt, fallbacks after failure or silence, resends and reminders.

use std::time::Duration;

use domain::message::QueueName;
use domain::request::{Answer, NextPrompt};
use serde_json::json;
use tests::world::{PHONE, World};

/// Returns the prompts on a phone, oldest first: the channel, and whether it was retracted.
fn prompts(world: &World, phone: &str) -> Vec<(String, bool)> {
    let messages = world.customer_at(phone).messages().into_iter().rev();
    messages
        .map(|message| (message.text("channel").to_owned(), message.shown["retracted"] == true))
        .collect()
}

fn prompt(channel: &str, retracted: bool) -> (String, bool) {
    (channel.to_owned(), retracted)
}

#[test]
fn unreachable_channel_falls_back_at_once() {
    let world = World::new();
    let asked = world.asks_at("+15551239001", 4250);
    assert_eq!(prompts(&world, "+15551239001"), [prompt("sms", false)]);
    let timeline = ["failed rcs not_on_channel", "accepted sms", "delivered sms"];
    assert_eq!(world.timeline(&asked), timeline);
    let customer = world.customer_at("+15551239001");
    assert_eq!(customer.newest().shown["actions"], json!([]));
    customer.approves().ok(200);
    assert_eq!(world.state(&asked), "fulfilled");
}

#[test]
fn silent_channel_falls_back_after_twelve_seconds() {
    let world = World::new();
    let asked = world.asks_at("+15551239002", 4250);
    assert_eq!(world.timeline(&asked), ["accepted rcs"]);
    assert_eq!(world.state(&asked), "prompted");
    world.time_passes(11);
    assert_eq!(world.timeline(&asked), ["accepted rcs"]);
    world.time_passes(1);
    let timeline = ["accepted rcs", "accepted sms", "delivered sms", "superseded rcs"];
    assert_eq!(world.timeline(&asked), timeline);
}

/// The answer says that the prompt arrived. Another prompt would spend the buttons of the message that asks again.
#[test]
fn channel_without_receipt_stays_after_an_answer() {
    let world = World::new();
    let asked = world.asks_at("+15551239002", 4250);
    let silent = world.stored(&asked);
    let later = world.now().after(Duration::from_secs(13));
    assert!(matches!(silent.next_prompt(later), NextPrompt::Route(_)));
    let mut answered = silent.clone();
    answered.thread.answer = Some(Answer { prompt: silent.prompts[0].id, in_thread: true });
    assert_eq!(answered.next_prompt(later), NextPrompt::None);
    assert!(answered.next_check(later) > silent.next_check(later));
}

#[test]
fn customer_without_reachable_route_is_undeliverable() {
    let world = World::new();
    let asked = world.asks_at("+15551239003", 4250);
    let outcome = json!({ "kind": "undeliverable", "reason": "not_on_channel" });
    assert_eq!(world.reads(&asked)["outcome"], outcome);
    assert_eq!(world.webhooks(), ["request.undeliverable"]);
}

#[test]
fn named_channels_are_tried_in_their_order() {
    let world = World::new();
    let mut body = world.payment(PHONE, 4250);
    body["channels"] = json!(["sms", "rcs", "sms"]);
    let asked = world.asks_for(&body);
    assert_eq!(asked.answer["channels"], json!(["sms", "rcs"]));
    assert_eq!(prompts(&world, PHONE), [prompt("sms", false)]);
    body["channels"] = json!(["pigeon"]);
    world.post("/v1/requests", &body).problem(422, "channel-not-configured");
}

#[test]
fn capable_routes_are_listed_best_first() {
    let world = World::new();
    let mut body = world.payment("+15551239001", 4250);
    body.as_object_mut().unwrap().remove("session");
    let routes = world.post("/v1/capabilities", &body).ok(200).json();
    let receipts = json!({ "delivered": true, "read": true });
    let sms = json!({ "channel": "sms", "reachable": true, "rich": false, "wallets": [], "receipts": receipts });
    let rcs = json!({
        "channel": "rcs", "reachable": false, "rich": true, "wallets": [], "receipts": receipts,
        "reason": "not_on_channel",
    });
    let processors = json!([{ "name": "sandbox", "supported": true }]);
    assert_eq!(routes, json!({ "routes": [sms, rcs], "processors": processors }));
}

#[test]
fn resend_on_same_channel_supersedes_older_prompt() {
    let world = World::new();
    let asked = world.asks(4250);
    let customer = world.customer();
    let first = customer.newest();
    let code = customer.session_code_of(&first);
    world.acts(&asked, "resend", &json!({})).ok(200);
    assert_eq!(prompts(&world, PHONE), [prompt("rcs", true), prompt("rcs", false)]);
    let yes = json!({ "action": "approve", "session_code": code });
    customer.taps(&first, &yes).problem(409, "conflict-state");
    assert_eq!(world.state(&asked), "prompted");
    customer.approves().ok(200);
    assert_eq!(world.state(&asked), "fulfilled");
}

#[test]
fn resend_on_another_channel_retracts_first_prompt() {
    let world = World::new();
    let asked = world.asks(4250);
    world.acts(&asked, "resend", &json!({ "channel": "sms" })).ok(200);
    assert_eq!(prompts(&world, PHONE), [prompt("rcs", true), prompt("sms", false)]);
    let refused = world.acts(&asked, "resend", &json!({ "channel": "pigeon" }));
    refused.problem(422, "channel-not-configured");
}

#[test]
fn denial_of_older_prompt_counts_once() {
    let world = World::new();
    let asked = world.asks(4250);
    let customer = world.customer();
    let first = customer.newest();
    world.acts(&asked, "resend", &json!({})).ok(200);
    customer.taps(&first, &json!({ "action": "deny" })).ok(200);
    world.run_until_idle();
    assert_eq!(world.state(&asked), "denied");
    customer.approves().problem(409, "conflict-state");
}

#[test]
fn reminder_is_sent_half_way_and_both_prompts_count() {
    let world = World::new();
    let mut body = world.payment(PHONE, 4250);
    body["expires_in"] = json!(1_200);
    let asked = world.asks_for(&body);
    let first = world.customer().newest();
    world.time_passes(599);
    assert_eq!(world.customer().messages().len(), 1);
    world.time_passes(2);
    assert_eq!(prompts(&world, PHONE), [prompt("rcs", false), prompt("rcs", false)]);
    assert_ne!(world.customer().newest().text("text"), first.text("text"));
    let yes =
        json!({ "action": "approve", "session_code": world.customer().session_code_of(&first) });
    world.customer().taps(&first, &yes).ok(200);
    world.run_until_idle();
    assert_eq!(world.state(&asked), "fulfilled");
}

#[test]
fn opened_page_suppresses_the_reminder() {
    let world = World::new();
    let mut body = world.payment(PHONE, 4250);
    body["expires_in"] = json!(1_200);
    world.asks_for(&body);
    world.customer().opens(&world.customer().newest().page).ok(200);
    world.time_passes(1_000);
    assert_eq!(world.customer().messages().len(), 1);
}

#[test]
fn request_with_unsent_step_is_found_by_check() {
    let world = World::new();
    let asked = world.accepted(&world.payment(PHONE, 4250));
    world.loses_messages(QueueName::Prompts);
    assert_eq!(world.state(&asked), "pending");
    world.time_passes(12);
    assert_eq!(world.state(&asked), "prompted");
}

#[test]
fn prompt_of_dead_worker_is_resent_as_the_same() {
    let world = World::new();
    let asked = world.asks(4250);
    for _ in 0..3 {
        let replay = world.sent().into_iter().map(|(owed, _)| owed);
        world.redeliver(replay);
    }
    assert_eq!(world.customer().messages().len(), 1);
    assert_eq!(world.state(&asked), "prompted");
}

fn three() -> World {
    World::builder().with_fake_channels(&["rcs", "whatsapp", "sms"]).build()
}

#[test]
fn request_sets_the_wait_for_a_silent_route() {
    let world = three();
    let mut body = world.payment(PHONE, 4250);
    body["fallback_seconds"] = json!(30);
    let asked = world.asks_for(&body);
    assert_eq!(asked.answer["fallback_seconds"], 30);
    world.time_passes(29);
    assert_eq!(world.timeline(&asked), ["accepted rcs"]);
    world.time_passes(1);
    assert_eq!(world.timeline(&asked)[1..], ["accepted whatsapp", "superseded rcs"]);
    for wrong in [json!(4), json!(301), json!("12"), json!(5.5), json!(null)] {
        body["fallback_seconds"] = wrong.clone();
        let answer = world.post("/v1/requests", &body);
        if wrong.is_null() {
            assert_eq!(answer.ok(201).json()["fallback_seconds"], 12, "as the brand says");
        } else {
            let problem = answer.problem(400, "invalid-request").json();
            assert_eq!(problem["errors"][0]["pointer"], "/fallback_seconds", "{wrong}");
        }
    }
    world.run_until_idle();
}

#[test]
fn wait_for_a_silent_route_is_at_least_five_seconds() {
    let policy = json!({ "fallback_seconds": 0 });
    let world = World::builder().with("/policy", &policy).build();
    assert_eq!(world.asks(100).answer["fallback_seconds"], 5);
}

#[test]
fn superseded_prompt_is_retracted_and_failed_one_skipped() {
    let world = three();
    let asked = world.asks(4250);
    world.time_passes(12);
    let went = world.sent_messages();
    assert_eq!(went.sent.len(), 2);
    let taken: Vec<_> = went.retracted.iter().map(|taken| taken.reference).collect();
    assert_eq!(taken, [went.sent[0].reference]);
    let failed = json!([{ "failed": { "about": went.sent[1].reference.to_string() } }]);
    world.channel_sends("whatsapp", &failed).ok(200);
    world.run_until_idle();
    let timeline = world.timeline(&asked);
    assert_eq!(timeline[timeline.len() - 2..], ["failed whatsapp unreachable", "accepted sms"]);
    assert_eq!(world.sent_messages().retracted.len(), 1, "what failed is on no phone");
}

#[test]
fn prompt_ttl_ends_with_its_turn_or_the_deadline() {
    let world = three();
    let asked = world.asks(4250);
    world.time_passes(24);
    let lives: Vec<u64> =
        world.sent_messages().sent.iter().map(|p| p.now.until(p.expires_at).as_secs()).collect();
    assert_eq!(lives, [12, 12, 300 - 24]);
    assert_eq!(world.state(&asked), "prompted");
}
