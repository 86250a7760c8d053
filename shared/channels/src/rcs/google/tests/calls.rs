//! The calls to Google, and the meaning of each recorded answer.

use domain::contact::Contact;
use http::Method;
use pollster::block_on;
use ports::{Capability, Prompt, Resend, Retraction};
use serde_json::{Value, json};
use std::time::Duration;

use super::{open, phone, purposes, settings, uuid};
use crate::doubles::{
    NOW, PHONE, Script, World, asks_for_token, fixtures, granted, meaning, open_in, postback,
    prompt_to, recorded, reference,
};
use crate::rcs::google::wire;
use domain::postback::Action;

const HOST: &str = "https://europe-rcsbusinessmessaging.googleapis.com";

fn taken() -> Script {
    let name = format!("phones/{PHONE}/agentMessages/{}", uuid());
    Script::Answer(200, json!({ "name": name }).to_string().into())
}

fn answer(status: u16, body: &str) -> Script {
    Script::Answer(status, body.to_owned().into())
}

/// The last call that sends `prompt`.
fn sent(prompt: &Prompt, settings: &Value) -> (http::Request<bytes::Bytes>, Value) {
    let world = World::new(taken());
    block_on(world.open("rcs", settings).unwrap().send(prompt)).unwrap();
    let call = world.calls().pop().unwrap();
    let body = serde_json::from_slice(call.body()).unwrap();
    (call, body)
}

#[test]
fn card_is_sent_by_the_documented_call() {
    let (call, body) = sent(&prompt_to(PHONE), &settings("google"));
    let uuid = uuid();
    assert_eq!(
        call.uri().to_string(),
        format!("{HOST}/v1/phones/{PHONE}/agentMessages?messageId={uuid}&agentId=acme-agent")
    );
    assert_eq!(
        (call.method(), &call.headers()["content-type"]),
        (&Method::POST, &"application/json".parse().unwrap())
    );
    let bearer = &call.headers()["authorization"];
    assert_eq!(bearer, "Bearer secret-access");
    assert!(bearer.is_sensitive());
    let link = "https://pay.example.com/c/tok_hidden";
    let expected = json!({
        "contentMessage": {"richCard": {"standaloneCard": {
            "cardOrientation": "VERTICAL",
            "cardContent": {
                "title": "Pay 42.50 EUR?",
                "description": "Acme & Söhne asks for 42.50 EUR for Invoice 4711.",
                "suggestions": [
                    {"reply": {"text": "Pay", "postbackData": postback(Action::Approve)}},
                    {"action": {"text": "Open", "postbackData": postback(Action::Open), "fallbackUrl": link,
                                "openUrlAction": {"url": link, "application": "BROWSER"}}},
                    {"reply": {"text": "No", "postbackData": postback(Action::Deny)}},
                    {"reply": {"text": "Not me", "postbackData": postback(Action::NotMe)}},
                ],
            },
        }}},
        "messageTrafficType": "SERVICEREQUEST",
        "ttl": "300s",
    });
    assert_eq!(body, expected);
}

#[test]
fn base_url_traffic_type_and_long_agent_id_are_used() {
    let (call, body) = sent(&prompt_to(PHONE), &settings("google-stand-in"));
    let uri = call.uri().to_string();
    assert!(uri.starts_with("http://127.0.0.1:4011/v1/phones/+1555"), "{uri}");
    assert!(uri.ends_with("&agentId=acme-agent"), "{uri}");
    assert_eq!(body["messageTrafficType"], "TRANSACTION");
}

#[test]
fn long_prompt_is_cut_to_the_limits_of_a_card() {
    let mut prompt = prompt_to(PHONE);
    prompt.title = "ü".repeat(201);
    prompt.body = "ü".repeat(2_001);
    prompt.buttons.iter_mut().for_each(|button| button.label = "ü".repeat(26));
    prompt.buttons.extend(prompt.buttons.clone());
    let (_, body) = sent(&prompt, &settings("google"));
    let card = &body["contentMessage"]["richCard"]["standaloneCard"]["cardContent"];
    let length = |text: &Value| text.as_str().unwrap().chars().count();
    assert_eq!((length(&card["title"]), length(&card["description"])), (200, 2_000));
    let buttons = card["suggestions"].as_array().unwrap();
    assert_eq!(buttons.len(), 4);
    assert_eq!(length(&buttons[0]["reply"]["text"]), 25);
    assert_eq!(length(&buttons[1]["action"]["text"]), 25);
}

/// Google takes a shortest and a longest life.
#[test]
fn message_lives_until_the_deadline_or_the_least() {
    for (left, ttl) in
        [(0, "10s"), (9, "10s"), (11, "11s"), (604_800, "604800s"), (2_000_000, "1296000s")]
    {
        let mut prompt = prompt_to(PHONE);
        prompt.expires_at = NOW.after(Duration::from_secs(left));
        assert_eq!(sent(&prompt, &settings("google")).1["ttl"], ttl);
    }
}

#[test]
fn recorded_answer_means_what_its_fixture_says() {
    let fixtures = fixtures("rcs/fixtures/google");
    for (name, fixture) in &fixtures {
        let (status, body, means) = recorded(fixture);
        let body = String::from_utf8(body.to_vec()).unwrap();
        let body = body.replace("{id}", &uuid()).replace("{ID}", &uuid().to_uppercase());
        let sent = wire::accepted(reference().prompt, status.try_into().unwrap(), body.as_bytes());
        assert_eq!(meaning(&sent), means.replace("{id}", &uuid()), "{name}");
    }
    for (status, _) in wire::ERRORS {
        assert!(fixtures.contains_key(&format!("error-{status}")), "{status} has no fixture");
    }
}

#[test]
fn repeated_send_has_the_same_id() {
    let world = World::in_turn([granted("secret-access")], [Script::Lost, taken()]);
    let channel = open(&world);
    assert_eq!(channel.resend(), Resend::Safe);
    assert_eq!(meaning(&block_on(channel.send(&prompt_to(PHONE)))), "unknown");
    block_on(channel.send(&prompt_to(PHONE))).unwrap();
    let calls = world.calls();
    let calls: Vec<_> = calls.iter().filter(|call| !asks_for_token(call)).collect();
    assert_eq!(calls.len(), 2);
    assert_eq!((calls[0].uri(), calls[0].body()), (calls[1].uri(), calls[1].body()));
}

#[test]
fn token_call_matches_an_independent_signer() {
    let world = World::new(taken());
    block_on(open(&world).send(&prompt_to(PHONE))).unwrap();
    let calls = world.calls();
    assert_eq!(calls[0].uri(), "https://oauth2.googleapis.com/token");
    assert_eq!(calls[0].headers()["content-type"], "application/x-www-form-urlencoded");
    let form: Vec<(String, String)> =
        form_urlencoded::parse(calls[0].body()).into_owned().collect();
    let computed: Value =
        serde_json::from_str(include_str!("../../fixtures/google-assertion.json")).unwrap();
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(
        form,
        [
            pair("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
            pair("assertion", computed["assertion"].as_str().unwrap()),
        ]
    );
}

#[test]
fn token_is_cached_across_channels_until_expiry() {
    let (world, mut prompt) = (World::new(taken()), prompt_to(PHONE));
    let registry = world.registry();
    let send = |prompt: &Prompt| {
        let channel = open_in(&registry, "rcs", &settings("google"));
        block_on(channel.send(prompt)).unwrap();
    };
    send(&prompt);
    send(&prompt);
    world.clock.advance(Duration::from_secs(3_298));
    send(&prompt);
    assert_eq!(purposes(&world), ["token", "send", "send", "send"]);
    world.clock.advance(Duration::from_secs(1));
    prompt.to = "+15551230002".parse().unwrap();
    send(&prompt);
    assert_eq!(purposes(&world)[4..], ["token", "send"]);
}

#[test]
fn cached_token_serves_its_own_credentials_only() {
    let world = World::new(taken());
    let registry = world.registry();
    for name in ["google", "google-stand-in", "google", "google-stand-in"] {
        let channel = open_in(&registry, "rcs", &settings(name));
        block_on(channel.send(&prompt_to(PHONE))).unwrap();
    }
    assert_eq!(purposes(&world), ["token", "send", "token", "send", "send", "send"]);
}

#[test]
fn refused_cached_token_is_replaced_once() {
    let refused = || answer(401, "");
    let scripts = [taken(), refused(), taken(), refused(), refused(), taken()];
    let tokens = ["secret-1", "secret-2", "secret-3"].map(granted);
    let world = World::in_turn(tokens, scripts);
    let channel = open(&world);
    let send = || meaning(&block_on(channel.send(&prompt_to(PHONE))));
    assert_eq!(send(), format!("accepted {}", uuid()));
    assert_eq!(send(), format!("accepted {}", uuid()));
    let bearers: Vec<String> = world
        .calls()
        .iter()
        .filter_map(|call| Some(call.headers().get("authorization")?.to_str().unwrap().to_owned()))
        .collect();
    assert_eq!(bearers, ["Bearer secret-1", "Bearer secret-1", "Bearer secret-2"]);
    assert_eq!(send(), "person credentials");
    assert_eq!(purposes(&world)[5..], ["send", "token", "send"]);
}

#[test]
fn refused_token_is_not_reused_without_a_new_one() {
    let tokens = [granted("secret-1"), Script::Lost, granted("secret-2")];
    let world = World::in_turn(tokens, [taken(), answer(401, ""), taken()]);
    let channel = open(&world);
    let send = || meaning(&block_on(channel.send(&prompt_to(PHONE))));
    assert_eq!([send(), send(), send()][1], "again");
    assert_eq!(purposes(&world), ["token", "send", "send", "token", "token", "send"]);
}

#[test]
fn token_is_cached_at_most_as_long_as_google_grants() {
    let grant = json!({ "access_token": "secret-access", "expires_in": u64::MAX });
    let world = World::in_turn([Script::Answer(200, grant.to_string().into())], [taken()]);
    let channel = open(&world);
    block_on(channel.send(&prompt_to(PHONE))).unwrap();
    world.clock.advance(Duration::from_secs(3_300));
    block_on(channel.send(&prompt_to(PHONE))).unwrap();
    assert_eq!(purposes(&world), ["token", "send", "token", "send"]);
}

#[test]
fn failed_token_call_sends_nothing() {
    let grant = |body: Value| Script::Answer(200, body.to_string().into());
    for (script, means) in [
        (Script::Lost, "again"),
        (Script::NotSent, "again"),
        (Script::Forbidden, "person base_url"),
        (answer(302, ""), "person base_url"),
        (
            answer(
                400,
                r#"{"error": "invalid_grant", "error_description": "Invalid JWT Signature."}"#,
            ),
            "person credentials",
        ),
        (answer(401, r#"{"error": "invalid_client"}"#), "person credentials"),
        (answer(403, ""), "person credentials"),
        (answer(404, ""), "person base_url"),
        (answer(408, ""), "again"),
        (answer(429, ""), "again"),
        (answer(500, ""), "again"),
        (answer(503, ""), "again"),
        (answer(200, ""), "again"),
        (answer(200, "{}"), "again"),
        (grant(json!({ "access_token": "" })), "again"),
        (grant(json!({ "access_token": "a b" })), "again"),
        (grant(json!({ "access_token": "a\nb" })), "again"),
        (grant(json!({ "access_token": "a".repeat(8_193) })), "again"),
        (grant(json!({ "access_token": 7 })), "again"),
    ] {
        let world = World::in_turn([script], [taken()]);
        assert_eq!(meaning(&block_on(open(&world).send(&prompt_to(PHONE)))), means);
        assert_eq!(purposes(&world), ["token"]);
    }
}

#[test]
fn token_without_or_with_a_short_life_is_used() {
    for (life, times) in [(json!(null), 1), (json!(300), 2), (json!(301), 1), (json!(u64::MAX), 1)]
    {
        let grant = json!({ "access_token": "secret-access", "expires_in": life });
        let grant = Script::Answer(200, grant.to_string().into());
        let world = World::in_turn([grant], [taken()]);
        let channel = open(&world);
        block_on(channel.send(&prompt_to(PHONE))).unwrap();
        block_on(channel.send(&prompt_to(PHONE))).unwrap();
        let fetched = purposes(&world).into_iter().filter(|purpose| *purpose == "token").count();
        assert_eq!(fetched, times, "{life}");
    }
}

fn looked_up(world: &World) -> (bool, bool, Option<&'static str>) {
    let can = block_on(open(world).capability(&phone(), &Contact::default(), NOW));
    let Capability { reachable, rich, wallets, receipts, reason } = can;
    assert!(wallets.is_empty() && receipts.delivered && receipts.read);
    (reachable, rich, reason)
}

#[test]
fn capability_is_looked_up() {
    let known = |features: Value| answer(200, &json!({ "features": features }).to_string());
    let unsure = (true, true, Some("not_checked"));
    for (script, can) in [
        (known(json!(["RICHCARD_STANDALONE", "ACTION_OPEN_URL"])), (true, true, None)),
        (known(json!(["ACTION_DIAL"])), (true, false, None)),
        (answer(200, "{}"), (true, false, None)),
        (answer(200, "{"), unsure),
        (answer(404, ""), (false, false, Some("not_on_channel"))),
        (answer(403, ""), (false, false, Some("agent"))),
        (answer(401, ""), (false, false, Some("credentials"))),
        (answer(400, ""), (false, false, Some("rejected"))),
        (answer(429, ""), unsure),
        (answer(500, ""), unsure),
        (Script::Lost, unsure),
        (Script::NotSent, unsure),
    ] {
        assert_eq!(looked_up(&World::new(script)), can);
    }
    assert_eq!(looked_up(&World::in_turn([Script::Lost], [taken()])), unsure);
    let refused = World::in_turn([answer(400, "")], [taken()]);
    assert_eq!(looked_up(&refused), (false, false, Some("credentials")));
}

#[test]
fn look_up_has_its_own_id_and_a_short_time_limit() {
    let world = World::new(answer(200, "{}"));
    looked_up(&world);
    looked_up(&world);
    let calls = world.calls();
    let calls: Vec<_> = calls.iter().filter(|call| !asks_for_token(call)).collect();
    let ids: Vec<&str> = calls
        .iter()
        .map(|call| {
            let query = call.uri().query().unwrap();
            assert_eq!(call.uri().path(), format!("/v1/phones/{PHONE}/capabilities"));
            let id = query.strip_prefix("requestId=").unwrap();
            let id = id.strip_suffix("&agentId=acme-agent").unwrap();
            assert_eq!(uuid::Uuid::try_parse(id).unwrap().get_version_num(), 4);
            id
        })
        .collect();
    assert_ne!(ids[0], ids[1]);
    let allowed = world.network.allowed.lock().unwrap().clone();
    assert!(allowed.iter().all(|allowed| *allowed <= Duration::from_millis(1_500)), "{allowed:?}");
}

#[test]
fn token_call_uses_up_the_look_ups_time_limit() {
    let world = World::new(answer(200, "{}"));
    world.network.takes(&world.clock, Duration::from_millis(1_000));
    looked_up(&world);
    let allowed = world.network.allowed.lock().unwrap().clone();
    assert_eq!(allowed, [1_500, 500].map(Duration::from_millis));
    let world = World::new(answer(200, "{}"));
    world.network.takes(&world.clock, Duration::from_millis(1_500));
    assert_eq!(looked_up(&world), (true, true, Some("not_checked")));
    assert_eq!(purposes(&world), ["token"]);
}

#[test]
fn prompt_is_retracted_only_while_google_has_it() {
    let gone = Retraction { reference: reference(), to: phone(), provider_id: None };
    for (script, back) in [
        (answer(200, "{}"), true),
        (answer(404, ""), false),
        (answer(403, ""), false),
        (answer(500, ""), false),
        (Script::Lost, false),
    ] {
        let world = World::new(script);
        assert_eq!(block_on(open(&world).retract(&gone)), back);
        let call = world.calls().pop().unwrap();
        assert_eq!(call.method(), Method::DELETE);
        assert_eq!(
            call.uri().to_string(),
            format!("{HOST}/v1/phones/{PHONE}/agentMessages/{}?agentId=acme-agent", uuid())
        );
    }
}

#[test]
fn invalid_settings_are_refused_when_opened() {
    for (place, value) in [
        ("/agent_id", json!("")),
        ("/agent_id", json!("a/b")),
        ("/region", json!("mars")),
        ("/traffic_type", json!("PROMOTION")),
        ("/client_token", json!("")),
        ("/service_account/type", json!("authorized_user")),
        ("/service_account/client_email", json!("")),
        ("/service_account/private_key", json!("secret-key")),
        ("/service_account/token_uri", json!("ftp://a")),
    ] {
        let mut settings = settings("google");
        settings["traffic_type"] = json!("AUTHENTICATION");
        assert!(World::new(Script::Lost).open("rcs", &settings).is_ok());
        *settings.pointer_mut(place).unwrap() = value;
        assert!(World::new(Script::Lost).open("rcs", &settings).is_err(), "{place}");
    }
}
