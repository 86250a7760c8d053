//! The link channel: a link that the requester shows, to whom it is shown, and what its holder cannot do.

use domain::digest::digest_hex;
use http::Method;
use serde_json::{Value, json};
use tests::world::brand::{RESTRICTED_KEY, TEST_KEY};
use tests::world::calls::Answer;
use tests::world::{CreatedRequest, PHONE, PUBLIC_BASE, World, WorldBuilder};

use super::payment_options::{ask_for, paying_with, save_card_ask};

/// A brand that shows links, and sends texts where it cannot.
fn builder() -> WorldBuilder {
    let sms = json!({ "name": "sms", "kind": "sandbox", "settings": { "style": "sms" } });
    let link = json!({ "name": "counter", "kind": "link" });
    let digest = |text: &str| digest_hex(text.as_bytes());
    let machine = json!({
        "id": "key_machine", "kind": "ai_agent", "mode": "test", "sha256": digest(RESTRICTED_KEY),
        "may": ["request", "read", "capability"],
    });
    let usual = json!({ "mode": "test", "sha256": digest(TEST_KEY) });
    World::builder()
        .with("/test/channels", &json!([link, sms]))
        .with("/keys", &json!([usual, machine]))
        .with("/policy", &json!({ "denials_per_ten_minutes": 1, "open_max": 9 }))
}

fn wanted(world: &World, session: &str) -> Value {
    let mut body = world.payment(PHONE, 4250);
    body["session"]["kind"] = json!(session);
    body
}

fn asks(world: &World) -> CreatedRequest {
    world.asks_for(&wanted(world, "in_person"))
}

/// Returns the path of the page behind the link that a read of the request shows.
fn shown_page(world: &World, asked: &CreatedRequest) -> String {
    let request = world.reads(asked);
    let link = request["link"].as_str().unwrap();
    link.strip_prefix(PUBLIC_BASE).unwrap().to_owned()
}

fn is_shown(answer: &Value) -> bool {
    assert_eq!(answer["link"].is_string(), answer["qr"].is_string());
    answer["link"].is_string()
}

fn approves_on(world: &World, asked: &CreatedRequest, page: &str) -> Answer {
    let code = world.reads(asked)["session_code"].as_str().unwrap().to_owned();
    let answer =
        world.customer().answers_on(page, &[("action", "approve"), ("session_code", &code)]);
    world.run_until_idle();
    answer
}

#[test]
fn link_is_shown_until_its_holder_has_paid() {
    let world = builder().build();
    let asked = asks(&world);
    let request = world.reads(&asked);
    assert_eq!(request["state"], "prompted");
    assert_eq!(request["channels"], json!(["counter", "sms"]));
    assert!(request["qr"].as_str().unwrap().starts_with("<svg "));
    assert!(world.customer().messages().is_empty(), "no message is sent");
    let page = shown_page(&world, &asked);
    assert!(world.customer().opens(&page).ok(200).text().contains("42.50"));
    approves_on(&world, &asked, &page).ok(303);
    let paid = world.reads(&asked);
    assert_eq!(paid["state"], "fulfilled");
    assert!(!is_shown(&paid));
}

/// The prompt is sent while the call waits. What a repeat gets again holds no link, and its answer does.
#[test]
fn answer_to_a_new_request_and_to_its_repeat_has_the_link() {
    let world = builder().build();
    world.meanwhile("waited", |core| core.run_until_idle());
    let create = || {
        let call = world.call(Method::POST, "/v1/requests").idempotency("counter-1");
        call.json(&wanted(&world, "chat")).send().ok(201).json()
    };
    let first = create();
    assert!(is_shown(&first), "{first}");
    let again = create();
    world.run_until_idle();
    assert_eq!((&again["link"], &again["qr"]), (&first["link"], &first["qr"]));
}

#[test]
fn link_is_absent_where_the_prompt_is_not_made_yet() {
    let world = builder().build();
    let before = world.now();
    let made = world.call(Method::POST, "/v1/requests").json(&wanted(&world, "chat")).send();
    assert!(!is_shown(&made.ok(201).json()));
    assert_eq!(before.until(world.now()).as_secs(), 2, "the call waits no longer");
    world.run_until_idle();
}

#[test]
fn link_channel_is_for_the_sessions_that_it_lists() {
    let world = builder().build();
    for (session, channel) in [("voice", "sms"), ("ivr", "sms"), ("chat", "counter")] {
        let mut body = wanted(&world, session);
        let asked = world.asks_for(&body);
        assert_eq!(asked.answer["channels"][0], channel, "{session}");
        body["channels"] = json!(["counter"]);
        if session == "chat" {
            assert_eq!(world.state(&world.asks_for(&body)), "prompted");
        } else {
            world.post("/v1/requests", &body).problem(422, "channel-not-configured");
            let over = json!({ "channel": "counter" });
            world.acts(&asked, "resend", &over).problem(422, "channel-not-configured");
        }
    }
    let listed =
        json!([{ "name": "counter", "kind": "link", "settings": { "sessions": ["voice"] } }]);
    let world = builder().with("/test/channels", &listed).build();
    assert!(is_shown(&world.reads(&world.asks_for(&wanted(&world, "voice")))));
    let chat = wanted(&world, "chat");
    world.post("/v1/requests", &chat).problem(422, "channel-not-configured");
}

/// An AI agent would read the link to a stranger, and a browser's page is not the requester.
#[test]
fn link_is_hidden_from_ai_agents_and_browsers() {
    let world = builder().build();
    let asked = asks(&world);
    assert!(is_shown(&world.reads(&asked)));
    let with = |key: &str, path: &str| {
        world.call(Method::GET, path).key(key).header("origin", "https://crm.example.com").send()
    };
    assert!(!is_shown(&with(RESTRICTED_KEY, &asked.path).ok(200).json()));
    let order = json!({ "request": asked.id, "origin": "https://crm.example.com" });
    let token = world.post("/v1/client_tokens", &order).ok(201).json();
    let token = token["client_token"].as_str().unwrap();
    assert!(!is_shown(&with(token, &asked.path).ok(200).json()));
    for list in ["/v1/requests", "/v1/requests?session=CA123"] {
        assert!(!is_shown(&world.get(list).ok(200).json()["requests"][0]), "{list}");
    }
    let posts = |path: &str, body: &Value| {
        let answer = world.call(Method::POST, path).key(RESTRICTED_KEY).json(body).send();
        world.run_until_idle();
        answer
    };
    let mut body = wanted(&world, "chat");
    let unnamed = posts("/v1/requests", &body).ok(201).json();
    assert_eq!(unnamed["channels"], json!(["sms"]));
    body["channels"] = json!(["counter"]);
    posts("/v1/requests", &body).problem(403, "not-allowed-for-key");
    let mut question = world.payment("+15551230002", 1);
    question.as_object_mut().unwrap().remove("session");
    let channels = |answer: &Value| {
        let routes = answer["routes"].as_array().unwrap();
        routes.iter().map(|route| route["channel"].clone()).collect::<Vec<_>>()
    };
    let offered = posts("/v1/capabilities", &question).ok(200).json();
    assert_eq!(channels(&offered), ["sms"]);
    let offered = world.post("/v1/capabilities", &question).ok(200).json();
    assert_eq!(channels(&offered), ["counter", "sms"]);
    assert_eq!(offered["routes"][0]["reason"], "requester_shows_link");
}

/// The person who sees the link may be another one than the card's customer.
#[test]
fn saved_card_is_not_charged_over_a_link() {
    let rcs = json!({ "name": "rcs", "kind": "sandbox", "settings": { "style": "rcs" } });
    let link = json!({ "name": "counter", "kind": "link" });
    let builder = World::builder().with_fake_processor(&[]);
    let world = builder.with("/test/channels", &json!([rcs, link])).build();
    let asked = world.asks_for(&ask_for(&world, PHONE, &save_card_ask()));
    let page = world.customer().approves_hosted();
    world.fake_processor().customer_is_done(&asked, 1);
    world.customer().opens(&format!("{page}?done=1")).ok(200);
    world.time_passes(5);
    let card = world.reads(&asked)["outcome"]["payment_method"]["id"].clone();
    let mut body = wanted(&world, "chat");
    body["ask"] = paying_with(card.as_str().unwrap());
    let asked = world.asks_for(&body);
    assert_eq!(asked.answer["channels"], json!(["rcs"]), "unnamed, the channel is left out");
    let over = json!({ "channel": "counter" });
    world.acts(&asked, "resend", &over).problem(422, "ask-not-supported");
    body["channels"] = json!(["counter"]);
    world.post("/v1/requests", &body).problem(422, "ask-not-supported");
}

/// A stranger at the counter says nothing for the customer with the number.
#[test]
fn denial_by_link_quiets_no_number() {
    let world = builder().build();
    for action in ["deny", "not_me"] {
        let asked = asks(&world);
        let page = shown_page(&world, &asked);
        world.customer().answers_on(&page, &[("action", action)]);
        world.run_until_idle();
        assert_eq!(world.state(&asked), "denied", "{action}");
    }
    let asked = world.asks_for(&wanted(&world, "voice"));
    assert_eq!(world.state(&asked), "prompted");
    world.acts(&asked, "cancel", &json!({})).ok(200);
    // A wrong code counts: it bounds the guesses.
    let asked = asks(&world);
    let code = world.reads(&asked)["session_code"].as_str().unwrap().to_owned();
    let wrong = if code == "11" { "12" } else { "11" };
    let page = shown_page(&world, &asked);
    world.customer().answers_on(&page, &[("action", "approve"), ("session_code", wrong)]);
    world.run_until_idle();
    assert_eq!(world.state(&asked), "denied");
    let next = world.post("/v1/requests", &wanted(&world, "voice"));
    next.problem(429, "address-in-cooldown");
}

/// An opt-out is of messages, and the customer stands at the counter.
#[test]
fn link_is_shown_to_a_customer_who_opted_out() {
    let channels =
        json!([{ "name": "counter", "kind": "link" }, { "name": "sms", "kind": "fake-channel" }]);
    let world = builder().with_fake_channels(&["sms"]).with("/test/channels", &channels).build();
    let stop = json!({ "stop": { "from": { "phone": PHONE } } });
    world.channel_sends("sms", &json!([stop])).ok(200);
    world.run_until_idle();
    let mut body = wanted(&world, "in_person");
    world.post("/v1/requests", &body).problem(403, "address-opted-out");
    body["channels"] = json!(["counter"]);
    let asked = world.asks_for(&body);
    let page = shown_page(&world, &asked);
    world.acts(&asked, "resend", &json!({ "channel": "sms" })).problem(403, "address-opted-out");
    approves_on(&world, &asked, &page).ok(303);
    assert_eq!(world.state(&asked), "fulfilled");
}

#[test]
fn link_ends_with_its_prompt() {
    let world = builder().build();
    let asked = asks(&world);
    let page = shown_page(&world, &asked);
    world.acts(&asked, "resend", &json!({ "channel": "sms" })).ok(200);
    assert!(!is_shown(&world.reads(&asked)), "the text replaced it");
    let has_form =
        |page: &str| world.customer().opens(page).ok(200).text().contains("name=\"nonce\"");
    assert!(!has_form(&page), "the replaced link approves nothing");
    world.acts(&asked, "resend", &json!({ "channel": "counter" })).ok(200);
    let newer = shown_page(&world, &asked);
    assert!(newer != page && has_form(&newer));
    world.acts(&asked, "cancel", &json!({})).ok(200);
    assert!(!is_shown(&world.reads(&asked)));
    assert!(!has_form(&newer));
}

/// The wallets of the device that opened the link are not those of the customer's own phone.
#[test]
fn device_of_a_link_holder_is_not_remembered() {
    let world = builder().build();
    let asked = asks(&world);
    let request = world.stored(&asked);
    let reference = domain::values::prompt_ref::PromptRef {
        request: request.id,
        prompt: request.prompts[0].id,
    };
    let seen = ["apple_pay".to_owned()];
    world.run(world.machine.consent_callback.page().record_wallets(reference, &seen)).unwrap();
    assert!(!world.items().iter().any(|item| item.key.pk.starts_with("DEVICE#")));
}
