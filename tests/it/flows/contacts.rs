//! Contacts: the addresses that a channel reports for a customer, and their last activity.

use domain::brand::Mode;
use domain::contact::Contact;
use domain::keys;
use ports::ButtonAction;
use records::contact;
use records::contact::ChannelScope;
use serde_json::{Value, json};
use tests::world::{Core, PHONE, World};

const DAY: u64 = 86_400;

fn world() -> World {
    let policy = json!({ "session_code": false, "open_max": 9, "prompts_per_ten_minutes": 99 });
    World::builder().with_fake_channels(&["whatsapp", "apple"]).with("/policy", &policy).build()
}

fn known_of(core: &Core, channel: &str, mode: Mode, phone: &str) -> Contact {
    let brand = core.run(core.ports.secrets.brand(&"demo".parse().unwrap())).unwrap();
    let address = keys::address_hash(&brand.address_key, &phone.parse().unwrap());
    let channel = channel.parse().unwrap();
    let place = ChannelScope { brand: &brand.name, mode, channel: &channel };
    core.run(contact::load(core.ports.store.as_ref(), place, &address, core.now())).unwrap().0
}

fn known(core: &Core, channel: &str) -> Contact {
    known_of(core, channel, Mode::Test, PHONE)
}

fn deliver(core: &Core, channel: &str, what: &Value) {
    core.channel_sends(channel, &json!([what])).ok(200);
    core.run_until_idle();
}

fn postbacks(core: &Core) -> Vec<String> {
    let buttons = core.sent_messages().sent.pop().unwrap().buttons.into_iter();
    let carried = |action| match action {
        ButtonAction::Reply { postback } | ButtonAction::Open { postback, .. } => postback,
    };
    buttons.map(|button| carried(button.action)).collect()
}

/// The next prompt goes over that channel, and the next capability look-up says so.
#[test]
fn sender_is_reachable_on_that_channel_from_then_on() {
    let world = world();
    world.asks(100);
    assert_eq!(world.sent_messages().sent[0].contact, Contact::default());
    world.clock_jumps(30);
    let from = json!({ "phone": PHONE, "handle": "US.1349", "features": ["QUICK"] });
    deliver(&world, "whatsapp", &json!({ "wrote": { "from": from, "text": "who is this" } }));
    let now = known(&world, "whatsapp");
    assert_eq!(now.last_inbound, Some(world.now()));
    assert_eq!((now.handle.as_deref(), now.features.len()), (Some("US.1349"), 1));
    assert_eq!(known(&world, "apple"), Contact::default(), "another channel");
    assert_eq!(known_of(&world, "whatsapp", Mode::Live, PHONE), Contact::default());
    world.asks(100);
    assert_eq!(world.sent_messages().sent.pop().unwrap().contact, now);
    let mut body = world.payment(PHONE, 100);
    body.as_object_mut().unwrap().remove("session");
    world.post("/v1/capabilities", &body).ok(200);
    assert_eq!(world.sent_messages().asked["whatsapp"], [now]);
    assert_eq!(world.sent_messages().asked["apple"], [Contact::default()]);
}

#[test]
fn contact_expires_ninety_days_after_last_activity() {
    let world = world();
    let hello = json!({ "wrote": { "from": { "phone": PHONE, "handle": "h" }, "text": "hello" } });
    deliver(&world, "whatsapp", &hello);
    world.clock_jumps(60 * DAY);
    deliver(&world, "whatsapp", &hello);
    world.clock_jumps(89 * DAY);
    assert!(known(&world, "whatsapp").last_inbound.is_some());
    world.clock_jumps(2 * DAY);
    assert_eq!(known(&world, "whatsapp"), Contact::default());
    let asked = world.asks(100);
    deliver(&world, "whatsapp", &json!({ "stop": { "from": { "handle": "h" } } }));
    assert_eq!(world.state(&asked), "prompted", "the contact has expired");
}

#[test]
fn tap_by_address_without_number_links_the_contact() {
    let world = world();
    let asked = world.asks(100);
    let open = postbacks(&world).pop().unwrap();
    deliver(
        &world,
        "whatsapp",
        &json!({ "tapped": { "postback": open, "from": { "handle": "US.7" } } }),
    );
    assert_eq!(known(&world, "whatsapp").handle.as_deref(), Some("US.7"));
    assert_eq!(world.state(&asked), "prompted");
    deliver(&world, "whatsapp", &json!({ "stop": { "from": { "handle": "US.7" } } }));
    let outcome = json!({ "kind": "denied", "reason": "opted_out" });
    assert_eq!(world.reads(&asked)["outcome"], outcome);
    world.post("/v1/requests", &world.payment(PHONE, 1)).problem(403, "address-opted-out");
    deliver(&world, "whatsapp", &json!({ "start": { "from": { "handle": "US.7" } } }));
    world.asks(100);
}

#[test]
fn entry_link_of_ours_links_the_contact() {
    let world = world();
    let asked = world.asks(100);
    let intent = &postbacks(&world)[0];
    let from = json!({ "handle": "urn:mbid:AQAA" });
    let hello = json!({ "wrote": { "from": from, "text": "hello", "intent": intent } });
    deliver(&world, "apple", &hello);
    assert_eq!(known(&world, "apple").handle.as_deref(), Some("urn:mbid:AQAA"));
    assert_eq!(world.state(&asked), "prompted", "a link that was followed is no yes");
    let stranger = json!({ "handle": "urn:mbid:OTHER" });
    for intent in ["billing", &intent[1..]] {
        let hello = json!({ "wrote": { "from": stranger, "text": "hello", "intent": intent } });
        deliver(&world, "apple", &hello);
    }
    assert_eq!(known(&world, "apple").handle.as_deref(), Some("urn:mbid:AQAA"));
}

#[test]
fn opt_out_of_unknown_address_ends_nothing() {
    let world = world();
    let asked = world.asks(100);
    deliver(&world, "whatsapp", &json!({ "stop": { "from": { "handle": "US.7" } } }));
    assert_eq!(world.state(&asked), "prompted");
    assert!(world.logs().contains("opt-out came from an unknown address"));
    assert!(!world.logs().contains("US.7"));
}

#[test]
fn channel_address_is_in_no_key_and_no_log() {
    let world = world();
    let from = json!({ "phone": PHONE, "handle": "urn:mbid:secret" });
    deliver(&world, "apple", &json!({ "wrote": { "from": from, "text": "hello" } }));
    assert!(!world.logs().contains("urn:mbid:secret"));
    let kept = world.items();
    assert!(kept.iter().all(|item| !item.key.pk.contains("urn:mbid")));
    let holders: Vec<_> =
        kept.iter().filter(|item| item.body.contains("urn:mbid:secret")).collect();
    assert_eq!(holders.len(), 1, "{holders:?}");
    assert!(holders[0].key.pk.starts_with("CONTACT#demo#Test#apple#"));
}

#[test]
fn simultaneous_activities_are_both_recorded() {
    let world = world();
    world.meanwhile("storing CONTACT#", |core| {
        let from = json!({ "phone": PHONE, "features": ["QUICK"] });
        core.channel_sends("whatsapp", &json!([{ "wrote": { "from": from, "text": "two" } }]))
            .ok(200);
    });
    let from = json!({ "phone": PHONE, "handle": "US.7" });
    deliver(&world, "whatsapp", &json!({ "wrote": { "from": from, "text": "one" } }));
    let known = known(&world, "whatsapp");
    assert_eq!((known.handle.as_deref(), known.features.len()), (Some("US.7"), 1));
}
