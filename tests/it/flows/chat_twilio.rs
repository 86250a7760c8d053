//! RCS and `WhatsApp` through Twilio: prompts in Content templates, taps on their buttons, and messages in the thread.

use serde_json::{Value, json};
use tests::providers::twilio::HOST;
use tests::world::brand::{TWILIO_TOKEN, twilio_chat};
use tests::world::{CreatedRequest, PHONE, PUBLIC_BASE, Reply, World};

use super::sms_twilio::signed;

/// Each channel with its sender at Twilio.
const CHANNELS: [(&str, &str); 2] =
    [("rcs", "rcs:demo_agent"), ("whatsapp", "whatsapp:+15005550006")];

fn with_policy(channel: &str, sender: &str, policy: &Value) -> World {
    let chat = json!({ "name": channel, "kind": channel, "settings": twilio_chat(sender) });
    let sms = json!({ "name": "sms", "kind": "sandbox", "settings": { "style": "sms" } });
    World::builder().with("/test/channels", &json!([chat, sms])).with("/policy", policy).build()
}

fn world(channel: &str, sender: &str) -> World {
    with_policy(channel, sender, &json!({ "session_code": false }))
}

/// Returns a field of a call's form.
fn field(world: &World, place: usize, name: &str) -> Option<String> {
    let body = world.calls_to(HOST)[place].body.clone();
    let mut form = form_urlencoded::parse(&body).into_owned();
    form.find(|(known, _)| known == name).map(|(_, value)| value)
}

fn template(world: &World, place: usize) -> String {
    field(world, place, "ContentSid").unwrap_or_default()
}

/// Returns a variable of the template.
fn variable(world: &World, place: usize, name: &str) -> String {
    let filled = field(world, place, "ContentVariables").unwrap();
    let filled: Value = serde_json::from_str(&filled).unwrap();
    filled[name].as_str().unwrap().to_owned()
}

/// Reports an inbound message of the customer, from their address on the channel.
fn sends(world: &World, channel: &str, pairs: &[(&str, &str)]) {
    let from = format!("{channel}:{PHONE}");
    sends_from(world, channel, &from, pairs);
}

fn sends_from(world: &World, channel: &str, from: &str, pairs: &[(&str, &str)]) {
    let text: String = pairs.iter().map(|(_, value)| *value).collect();
    let sid = format!("SM{}", domain::digest::digest_hex(text.as_bytes()));
    let pairs = [&[("From", from), ("MessageSid", sid.as_str())], pairs].concat();
    signed(world, &format!("/callbacks/demo/{channel}"), &pairs, TWILIO_TOKEN).ok(200);
    world.run_until_idle();
}

fn taps(world: &World, channel: &str, payload: &str) {
    sends(world, channel, &[("ButtonPayload", payload), ("ButtonText", "x"), ("Body", "x")]);
}

/// Reports the status of a message.
fn reports(world: &World, place: usize, pairs: &[(&str, &str)]) {
    let uri = field(world, place, "StatusCallback").unwrap().replacen(PUBLIC_BASE, "", 1);
    let to = field(world, place, "To").unwrap();
    let pairs = [&[("MessageSid", "SM0"), ("To", to.as_str())], pairs].concat();
    signed(world, &uri, &pairs, TWILIO_TOKEN).ok(200);
    world.run_until_idle();
}

fn code(asked: &CreatedRequest) -> &str {
    asked.answer["session_code"].as_str().unwrap()
}

#[test]
fn tap_on_the_template_approves_and_the_thread_answers() {
    for (channel, sender) in CHANNELS {
        let world = world(channel, sender);
        let asked = world.asks(4250);
        assert_eq!(field(&world, 0, "To").unwrap(), format!("{channel}:{PHONE}"));
        assert_eq!(field(&world, 0, "From").unwrap(), sender);
        reports(&world, 0, &[("MessageStatus", "read")]);
        let facts = world.timeline(&asked);
        assert_eq!(facts, [format!("accepted {channel}"), format!("read {channel}")]);
        taps(&world, channel, &variable(&world, 0, "3"));
        assert_eq!(world.state(&asked), "fulfilled", "{channel}");
        let receipt = field(&world, 1, "Body").unwrap();
        assert!(receipt.contains("42.50") && receipt.contains('\n'), "{receipt}");
        assert_eq!(template(&world, 1), "");
    }
}

#[test]
fn number_picked_in_the_chat_approves_or_denies() {
    for (channel, sender) in CHANNELS {
        for (is_right, state) in [(true, "fulfilled"), (false, "denied")] {
            let world = with_policy(channel, sender, &json!({ "session_code": true }));
            // A chat that is open takes a template without an approval.
            sends(&world, channel, &[("Body", "hello")]);
            let asked = world.asks(4250);
            assert_eq!(template(&world, 0), "HX2", "{channel}");
            let choices = [("3", "4"), ("5", "6"), ("7", "8")];
            let picked = choices
                .into_iter()
                .find(|(label, _)| (variable(&world, 0, label) == code(&asked)) == is_right);
            taps(&world, channel, &variable(&world, 0, picked.unwrap().1));
            assert_eq!(world.state(&asked), state, "{channel}");
        }
    }
}

#[test]
fn page_template_opens_a_chat_where_a_code_is_picked() {
    let (channel, sender) = CHANNELS[1];
    let world = with_policy(channel, sender, &json!({ "session_code": true }));
    let asked = world.asks(4250);
    assert_eq!(template(&world, 0), "HX3");
    let page = format!("/c/{}", variable(&world, 0, "2"));
    let fields = [("action", "approve"), ("session_code", code(&asked))];
    world.customer().answers_on(&page, &fields).ok(303);
    assert_eq!(world.state(&asked), "fulfilled");
    let again = world.asks(100);
    taps(&world, channel, &variable(&world, 1, "3"));
    assert_eq!(world.reads(&again)["outcome"], json!({ "kind": "denied", "reason": "customer" }));
}

#[test]
fn denial_is_answered_with_a_button_that_reports() {
    for (channel, sender) in CHANNELS {
        let world = world(channel, sender);
        let asked = world.asks(4250);
        taps(&world, channel, &variable(&world, 0, "4"));
        assert_eq!(world.state(&asked), "denied", "{channel}");
        assert_eq!(template(&world, 1), "HX4", "{channel}");
        assert!(variable(&world, 1, "2").contains("This is not me"));
        world.time_passes(3);
        taps(&world, channel, &variable(&world, 1, "3"));
        let reported = field(&world, 2, "Body").unwrap();
        assert!(reported.contains("stops asking this number"), "{reported}");
        world.post("/v1/requests", &world.payment(PHONE, 100)).problem(429, "address-reported");
    }
}

#[test]
fn tap_of_another_customer_or_a_forged_one_approves_nothing() {
    for (channel, sender) in CHANNELS {
        let world = world(channel, sender);
        let asked = world.asks(4250);
        let approve = variable(&world, 0, "3");
        let other = format!("{channel}:+15551230002");
        sends_from(&world, channel, &other, &[("ButtonPayload", &approve), ("ButtonText", "x")]);
        taps(&world, channel, &approve.replacen('0', "1", 1));
        assert_eq!(world.state(&asked), "prompted", "{channel}");
    }
}

#[test]
fn keyword_that_twilio_acted_on_stops_and_starts() {
    for (channel, sender) in CHANNELS {
        let world = world(channel, sender);
        let asked = world.asks(4250);
        let acts = |kind, text| sends(&world, channel, &[("OptOutType", kind), ("Body", text)]);
        acts("HELP", "Hilfe");
        assert_eq!(world.state(&asked), "prompted", "{channel}");
        acts("STOP", "basta");
        let denied = json!({ "kind": "denied", "reason": "opted_out" });
        assert_eq!(world.reads(&asked)["outcome"], denied, "{channel}");
        let refused = world.post("/v1/requests", &world.payment(PHONE, 100));
        refused.problem(403, "address-opted-out");
        assert_eq!(world.calls_to(HOST).len(), 1, "nothing follows an opt-out");
        acts("START", "vamos");
        world.asks(100);
        assert_eq!(world.calls_to(HOST).len(), 2, "{channel}");
    }
}

/// The window of `WhatsApp` is shut, or the phone has no RCS.
#[test]
fn chat_that_does_not_reach_the_customer_takes_the_next_route() {
    let refusals = [("63024", "not_on_channel"), ("63016", "outside_window")];
    for ((channel, sender), (code, reason)) in CHANNELS.into_iter().zip(refusals) {
        let world = world(channel, sender);
        let number: u32 = code.parse().unwrap();
        let refusal = json!({ "code": number, "message": "m", "status": 400 });
        world.replies(HOST, [Reply::Status(400, refusal.to_string())]);
        let asked = world.asks(4250);
        let facts = world.timeline(&asked);
        assert_eq!(facts[0], format!("failed {channel} {reason}"));
        assert_eq!(facts[1], "accepted sms");
    }
    let (channel, sender) = CHANNELS[0];
    let world = world(channel, sender);
    let asked = world.asks(4250);
    reports(&world, 0, &[("MessageStatus", "undelivered"), ("ErrorCode", "63106")]);
    let facts = world.timeline(&asked);
    assert_eq!(facts[1..3], ["failed rcs not_on_channel", "accepted sms"]);
}

#[test]
fn window_that_a_status_reports_shut_gets_an_approved_template() {
    let (channel, sender) = CHANNELS[1];
    let world = with_policy(channel, sender, &json!({ "session_code": true }));
    sends(&world, channel, &[("Body", "hello")]);
    world.clock_jumps(60);
    let asked = world.asks(4250);
    assert_eq!(template(&world, 0), "HX2");
    reports(&world, 0, &[("MessageStatus", "undelivered"), ("ErrorCode", "63016")]);
    assert_eq!(template(&world, 1), "HX3");
    let facts = ["accepted whatsapp", "failed whatsapp outside_window", "accepted whatsapp"];
    assert_eq!(world.timeline(&asked), facts);
    let fields = [("action", "approve"), ("session_code", code(&asked))];
    let page = format!("/c/{}", variable(&world, 1, "2"));
    world.customer().answers_on(&page, &fields).ok(303);
    assert_eq!(world.state(&asked), "fulfilled");
}

#[test]
fn sender_with_a_scheme_names_the_country_of_the_brand() {
    let settings = twilio_chat("whatsapp:+4915112345679");
    let chat = json!({ "name": "whatsapp", "kind": "whatsapp", "settings": settings });
    let world = World::builder().with("/test/channels", &json!([chat])).build();
    world.post("/v1/requests", &world.payment(PHONE, 100)).problem(403, "number-not-allowed");
    world.post("/v1/requests", &world.payment("+4915112345678", 100)).ok(201);
    world.leaves();
}
