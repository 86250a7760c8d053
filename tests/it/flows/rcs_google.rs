//! RCS through Google's API: cards, their receipts, taps, and the fallback to a text.

use http::Method;
use serde_json::json;
use tests::providers::rbm::{self, CLIENT_TOKEN, Fate, HOST, Message, SignedEvent};
use tests::world::{Answer, Core, CreatedRequest, PHONE, Reply, World, WorldBuilder, brand};

const TWILIO: &str = "api.twilio.com";

/// A brand that asks over RCS, then by text.
fn builder() -> WorldBuilder {
    let channels = json!([
        { "name": "rcs", "kind": "rcs", "settings": rbm::settings() },
        { "name": "sms", "kind": "sms", "settings": brand::twilio() },
    ]);
    World::builder().with("/test/channels", &channels)
}

fn without_code() -> World {
    builder().with("/policy", &json!({ "session_code": false })).build()
}

/// Returns the newest card.
fn card(core: &Core) -> Message {
    core.rbm().messages().pop().unwrap()
}

/// Counts the cards and the texts.
fn messages(core: &Core) -> (usize, usize) {
    (core.rbm().messages().len(), core.calls_to(TWILIO).len())
}

/// Delivers an event of Google and runs nothing that follows.
fn post(core: &Core, signed_event: &SignedEvent) -> Answer {
    let call = core.call(Method::POST, "/callbacks/demo/rcs").key(None).idempotency(None);
    call.header("x-goog-signature", &signed_event.signature).body(signed_event.body.clone()).send()
}

fn deliver(core: &Core, signed_event: &SignedEvent) {
    let answer = post(core, signed_event).ok(200);
    assert_eq!(answer.text(), "");
    core.run_until_idle();
}

fn delivered(core: &Core) -> Message {
    let card = card(core);
    deliver(core, &core.rbm().delivers(&card));
    card
}

fn taps(core: &Core, card: &Message, label: &str) {
    deliver(core, &core.rbm().taps(card, label));
}

fn code(asked: &CreatedRequest) -> &str {
    asked.answer["session_code"].as_str().unwrap()
}

/// Returns the labels of a card's buttons.
fn labels(card: &Message) -> Vec<&str> {
    let suggestions = card.card["suggestions"].as_array().unwrap().iter();
    suggestions
        .filter_map(|one| one["reply"]["text"].as_str().or(one["action"]["text"].as_str()))
        .collect()
}

#[test]
fn card_is_delivered_read_and_approved_by_right_code() {
    let world = builder().build();
    let asked = world.asks(4250);
    let card = card(&world);
    assert_eq!((card.phone.as_str(), card.fate), (PHONE, Fate::Queued));
    assert!(card.card["description"].as_str().unwrap().contains("42.50"), "{}", card.card);
    assert_eq!(labels(&card).len(), 4);
    assert_eq!(world.timeline(&asked), ["accepted rcs"]);
    delivered(&world);
    deliver(&world, &world.rbm().reads(&card));
    taps(&world, &card, code(&asked));
    assert_eq!(world.state(&asked), "fulfilled");
    let signed_event = ["prompted", "delivered", "read", "authorized", "fulfilled"];
    assert_eq!(world.webhooks(), signed_event.map(|what| format!("request.{what}")));
    assert_eq!(messages(&world), (2, 0), "the prompt, and that it is paid");
}

#[test]
fn tap_on_wrong_code_denies_and_not_me_reports() {
    let world = builder().build();
    let asked = world.asks(4250);
    let card = delivered(&world);
    let wrong = labels(&card).into_iter().find(|label| *label != code(&asked)).unwrap();
    taps(&world, &card, wrong);
    let outcome = json!({ "kind": "denied", "reason": "wrong_session_code" });
    assert_eq!(world.reads(&asked)["outcome"], outcome);
    let asked = world.asks(100);
    let card = delivered(&world);
    taps(&world, &card, "Decline");
    let denied = json!({ "kind": "denied", "reason": "customer" });
    assert_eq!(world.reads(&asked)["outcome"], denied);
    let question = delivered(&world);
    assert_eq!(labels(&question), ["This is not me"]);
    taps(&world, &question, "This is not me");
    assert_eq!(world.reads(&asked)["outcome"], denied);
    assert!(world.stored(&asked).thread.reported.is_some());
}

#[test]
fn page_behind_card_is_opened_and_answered() {
    let world = without_code();
    let asked = world.asks(4250);
    let card = delivered(&world);
    let open = &card.card["suggestions"][3]["action"];
    assert_eq!(open["fallbackUrl"], open["openUrlAction"]["url"]);
    taps(&world, &card, open["text"].as_str().unwrap());
    assert_eq!(world.state(&asked), "prompted", "to open a page is no answer");
    let page = open["openUrlAction"]["url"].as_str().unwrap();
    let page = page.strip_prefix(tests::world::PUBLIC_BASE).unwrap();
    world.customer().answers_on(page, &[("action", "approve")]).ok(303);
    assert_eq!(world.state(&asked), "fulfilled");
}

#[test]
fn receipts_repeated_unordered_or_late_are_reported_once() {
    let world = builder().build();
    let asked = world.asks(4250);
    let (card, rbm) = (card(&world), world.rbm());
    deliver(&world, &rbm.reads(&card));
    for signed_event in [rbm.delivers(&card), rbm.reads(&card), rbm.delivers(&card)] {
        deliver(&world, &signed_event);
    }
    assert_eq!(world.timeline(&asked), ["accepted rcs", "read rcs"]);
    // Google may report a delivered message as expired, in either order.
    for kind in ["TTL_EXPIRATION_REVOKED", "TTL_EXPIRATION_REVOKE_FAILED"] {
        deliver(&world, &rbm.expires(&card, kind));
    }
    assert_eq!(world.timeline(&asked), ["accepted rcs", "read rcs"]);
    world.time_passes(20);
    assert_eq!(messages(&world), (1, 0), "what arrived needs no text after it");
    world.acts(&asked, "cancel", &json!({})).ok(200);
    let version = world.reads(&asked)["version"].clone();
    deliver(&world, &rbm.delivers(&card));
    assert_eq!(world.reads(&asked)["version"], version);
}

#[test]
fn receipt_before_its_answer_is_kept() {
    let world = builder().build();
    world.meanwhile(&format!("called {HOST}"), |core| {
        delivered(core);
    });
    let asked = world.asks(4250);
    assert_eq!(world.timeline(&asked), ["delivered rcs"]);
}

#[test]
fn tap_repeated_or_late_is_acknowledged_and_ignored() {
    let world = without_code();
    let asked = world.asks(4250);
    let first = delivered(&world);
    taps(&world, &first, "Approve");
    assert_eq!(world.state(&asked), "fulfilled");
    let before = (world.reads(&asked)["outcome"].clone(), world.timeline(&asked));
    for label in ["Approve", "Decline"] {
        taps(&world, &first, label);
    }
    assert_eq!((world.reads(&asked)["outcome"].clone(), world.timeline(&asked)), before);
    let late = world.asks(100);
    let second = delivered(&world);
    world.time_passes(301);
    taps(&world, &second, "Approve");
    assert_eq!(world.state(&late), "expired");
}

#[test]
fn number_without_rcs_gets_a_text_at_once() {
    let world = builder().build();
    world.rbm().loses_rcs(PHONE);
    let asked = world.asks(4250);
    assert_eq!(world.timeline(&asked), ["failed rcs not_on_channel", "accepted sms"]);
    assert_eq!(messages(&world), (0, 1));
}

#[test]
fn silent_card_is_revoked_and_text_sent() {
    let world = builder().build();
    let asked = world.asks(4250);
    world.time_passes(11);
    assert_eq!(messages(&world), (1, 0));
    assert!(card(&world).expires_at > world.now());
    world.time_passes(1);
    assert_eq!(messages(&world), (1, 1));
    assert!(card(&world).expires_at <= world.now());
    assert_eq!(world.timeline(&asked), ["accepted rcs", "accepted sms", "superseded rcs"]);
}

#[test]
fn card_replaced_before_its_ttl_is_revoked() {
    let world = builder().build();
    let mut body = world.payment(PHONE, 4250);
    body["fallback_seconds"] = json!(5);
    let asked = world.asks_for(&body);
    world.time_passes(5);
    assert_eq!(messages(&world), (1, 1));
    assert!(card(&world).expires_at > world.now(), "Google takes no shorter life than ten seconds");
    assert_eq!(card(&world).fate, Fate::Revoked);
    assert_eq!(world.timeline(&asked), ["accepted rcs", "accepted sms", "superseded rcs"]);
}

#[test]
fn card_without_next_route_lives_until_deadline() {
    let world = builder().build();
    let mut body = world.payment(PHONE, 4250);
    body["channels"] = json!(["rcs"]);
    let asked = world.asks_for(&body);
    assert_eq!(card(&world).expires_at, world.stored(&asked).expires_at);
    let expired = world.rbm().expires(&card(&world), "TTL_EXPIRATION_REVOKE_FAILED");
    deliver(&world, &expired);
    assert_eq!(
        world.state(&asked),
        "prompted",
        "it may be on the phone, and can still be answered"
    );
}

/// The card arrived without a receipt. Once a text took over, the card can no longer approve.
#[test]
fn card_delivered_unreported_can_only_deny_after_text() {
    let world = without_code();
    let asked = world.asks(4250);
    let card = card(&world);
    let receipt = world.rbm().delivers(&card);
    world.time_passes(12);
    assert_eq!(messages(&world), (1, 1));
    assert_eq!(self::card(&world).fate, Fate::Delivered, "it was too late to take it back");
    deliver(&world, &receipt);
    taps(&world, &card, "Approve");
    assert_eq!(world.state(&asked), "prompted");
    taps(&world, &card, "Decline");
    assert_eq!(world.reads(&asked)["outcome"], json!({ "kind": "denied", "reason": "customer" }));
}

#[test]
fn card_revoked_by_google_falls_back_to_text() {
    let world = builder().build();
    let asked = world.asks(4250);
    let (card, rbm) = (card(&world), world.rbm());
    deliver(&world, &rbm.expires(&card, "TTL_EXPIRATION_REVOKE_FAILED"));
    assert_eq!(world.timeline(&asked), ["accepted rcs"], "it may be on the phone");
    deliver(&world, &rbm.expires(&card, "TTL_EXPIRATION_REVOKED"));
    assert_eq!(world.timeline(&asked), ["accepted rcs", "failed rcs expired", "accepted sms"]);
}

#[test]
fn cancelled_request_leaves_no_card() {
    let world = builder().build();
    let asked = world.asks(4250);
    world.acts(&asked, "cancel", &json!({})).ok(200);
    assert_eq!(card(&world).fate, Fate::Revoked);
}

#[test]
fn lost_answer_is_retried_under_the_same_message_id() {
    let world = builder().build();
    world.replies(HOST, [Reply::Lost]);
    let asked = world.asks(4250);
    assert_eq!(world.calls_to(HOST).len(), 2);
    assert_eq!(messages(&world), (1, 0));
    assert_eq!(world.timeline(&asked), ["accepted rcs"]);
    world.replies(HOST, [Reply::Lost, Reply::Lost]);
    let lost = world.asks(100);
    assert_eq!(world.timeline(&lost), ["unknown rcs"]);
    delivered(&world);
    assert_eq!(world.timeline(&lost), ["unknown rcs", "delivered rcs"]);
}

#[test]
fn busy_or_rejecting_google_falls_back_to_text() {
    for (status, reason) in [(429, "channel_busy"), (400, "rejected"), (403, "agent")] {
        let world = builder().build();
        world.replies(HOST, [Reply::Status(status, String::new())]);
        let asked = world.asks(4250);
        let timeline = [format!("failed rcs {reason}"), "accepted sms".to_owned()];
        assert_eq!(world.timeline(&asked), timeline);
    }
}

#[test]
fn access_token_is_reused_until_expired_or_revoked() {
    let world = builder().build();
    let granted = || world.rbm().granted();
    world.asks(4250);
    world.asks_at("+15551230002", 4250);
    world.time_passes(3_200);
    world.asks_at("+15551230003", 4250);
    assert_eq!(granted(), 1);
    world.time_passes(100);
    world.asks_at("+15551230004", 4250);
    assert_eq!(granted(), 2);
    world.rbm().withdraws_tokens();
    let asked = world.asks_at("+15551230005", 4250);
    assert_eq!(granted(), 3);
    assert_eq!(world.timeline(&asked), ["accepted rcs"]);
    assert_eq!(world.rbm().messages().len(), 5);
}

#[test]
fn capability_check_uses_a_new_id_each_minute() {
    let world = builder().build();
    let mut body = world.payment(PHONE, 4250);
    body.as_object_mut().unwrap().remove("session");
    let routes = || world.post("/v1/capabilities", &body).ok(200).json()["routes"].clone();
    let receipts = json!({ "delivered": true, "read": true });
    let can = json!({ "channel": "rcs", "reachable": true, "rich": true, "wallets": [], "receipts": receipts });
    assert_eq!([&routes()[0], &routes()[0]], [&can, &can]);
    assert_eq!(world.calls_to(HOST).len(), 1);
    world.time_passes(61);
    world.rbm().loses_rcs(PHONE);
    let cannot = routes();
    assert_eq!(
        (&cannot[0]["channel"], &cannot[1]["reason"]),
        (&json!("sms"), &json!("not_on_channel"))
    );
    assert_eq!(cannot[1]["reachable"], false);
    world.time_passes(61);
    world.replies(HOST, [Reply::Lost]);
    assert_eq!(routes()[0]["reason"], "not_checked");
}

#[test]
fn unsubscribe_stops_prompts_until_subscribe() {
    let world = builder().build();
    let asked = world.asks(4250);
    delivered(&world);
    let rbm = world.rbm();
    deliver(&world, &rbm.switches(PHONE, "IS_TYPING"));
    assert_eq!(world.state(&asked), "prompted");
    // Google sends both, in any order.
    for signed_event in [rbm.switches(PHONE, "UNSUBSCRIBE"), rbm.writes(PHONE, "STOP")] {
        deliver(&world, &signed_event);
        let outcome = json!({ "kind": "denied", "reason": "opted_out" });
        assert_eq!(world.reads(&asked)["outcome"], outcome);
    }
    let refused = world.post("/v1/requests", &world.payment(PHONE, 100));
    refused.problem(403, "address-opted-out");
    deliver(&world, &rbm.switches(PHONE, "SUBSCRIBE"));
    world.asks(100);
    assert_eq!(messages(&world), (2, 0));
}

#[test]
fn webhook_registration_needs_its_token() {
    let world = builder().build();
    let shake = |token: &str| {
        let call = world.call(Method::POST, "/callbacks/demo/rcs").key(None).idempotency(None);
        call.json(&json!({ "clientToken": token, "secret": "1234567890" })).send()
    };
    let answer = shake(CLIENT_TOKEN).ok(200);
    assert_eq!(
        (answer.text().as_str(), answer.header("content-type")),
        ("1234567890", "text/plain")
    );
    shake("another").problem(403, "callback-forged");
}

#[test]
fn unsigned_event_is_rejected_and_unknown_acknowledged() {
    let world = without_code();
    let asked = world.asks(4250);
    let card = card(&world);
    let tap = world.rbm().taps(&card, "Approve");
    post(&world, &tap.forged()).problem(403, "callback-forged");
    let unsigned = world.call(Method::POST, "/callbacks/demo/rcs").key(None).body(tap.body);
    unsigned.send().problem(403, "callback-forged");
    let version = world.reads(&asked)["version"].clone();
    for data in [
        json!({ "agentId": "another-agent", "senderPhoneNumber": PHONE, "text": "STOP" }),
        json!({ "agentId": rbm::AGENT, "senderPhoneNumber": PHONE, "eventId": "Ev1",
                "suggestionResponse": { "postbackData": "00".repeat(48) } }),
        json!({ "agentId": rbm::AGENT, "eventId": "Ev2", "oldLaunchState": "PENDING", "newLaunchState": "LAUNCHED" }),
        json!({ "agentId": rbm::AGENT, "senderPhoneNumber": PHONE, "eventType": "DELIVERED", "eventId": "Ev3",
                "messageId": "0b6f1f6e-6a8b-4d0e-9c36-3a8f4c8b7d11" }),
    ] {
        deliver(&world, &SignedEvent::of(data.to_string().as_bytes()));
    }
    assert_eq!(world.reads(&asked)["version"], version);
}
