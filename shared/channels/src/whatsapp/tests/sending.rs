//! The calls within the window and outside it, and the meaning of their answers.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use domain::brand::Mode;
use domain::contact::Contact;
use domain::postback::Action;
use http::{Request, Response};
use pollster::block_on;
use ports::{Button, ButtonAction, Channel, Channels, Http, HttpError, Prompt, Reach};
use serde_json::{Value, json};

use super::{channel, settings};
use crate::answers::Reaction;
use crate::doubles::{
    NOW, PHONE, Script, World, brand, fixtures, meaning, postback, prompt_to, recorded, reference,
};
use crate::whatsapp::{errors, wire};
use crate::{Deps, Registry};

const DAY: u64 = 24 * 3_600;

/// The contact of a customer who wrote that many seconds ago.
fn wrote(seconds: u64) -> Contact {
    Contact { last_inbound: Some(NOW.before(Duration::from_secs(seconds))), ..Contact::default() }
}

fn within() -> Prompt {
    Prompt { contact: wrote(60), ..prompt_to(PHONE) }
}

fn reply(label: &str, action: Action) -> Button {
    Button { label: label.to_owned(), action: ButtonAction::Reply { postback: postback(action) } }
}

/// The calls that send this prompt, each with its body.
fn calls(name: &str, prompt: &Prompt) -> Vec<(Request<Bytes>, Value)> {
    let (world, channel) = channel(name);
    block_on(channel.send(prompt)).unwrap_err();
    let body = |call: Request<Bytes>| {
        let body = serde_json::from_slice(call.body()).unwrap();
        (call, body)
    };
    world.calls().into_iter().map(body).collect()
}

fn body(name: &str, prompt: &Prompt) -> Value {
    let mut calls = calls(name, prompt);
    assert_eq!(calls.len(), 1);
    calls.remove(0).1
}

#[test]
fn message_is_sent_by_the_documented_call() {
    let (call, body) = calls("page", &within()).remove(0);
    assert_eq!(call.method(), "POST");
    let expected = "https://graph.facebook.com/v25.0/106540352242922/messages";
    assert_eq!(call.uri().to_string(), expected);
    let token = &call.headers()["authorization"];
    assert!(token == "Bearer secret-access-token" && token.is_sensitive());
    assert_eq!(call.headers()["content-type"], "application/json");
    assert_eq!(body["messaging_product"], "whatsapp");
    assert_eq!(body["recipient_type"], "individual");
    assert_eq!(body["to"], PHONE);
    assert_eq!(body["biz_opaque_callback_data"], reference().to_string());
    let (call, _) = calls("full", &within()).remove(0);
    let expected = "http://127.0.0.1:4010/v23.0/106540352242922/messages";
    assert_eq!(call.uri().to_string(), expected);
}

#[test]
fn open_window_shows_the_first_three_replies() {
    let body = body("page", &within());
    let button = |title: &str, action| json!({ "type": "reply", "reply": { "id": postback(action), "title": title } });
    let expected = json!({
        "type": "button",
        "header": { "type": "text", "text": "Pay 42.50 EUR?" },
        "body": { "text": "Acme & Söhne asks for 42.50 EUR for Invoice 4711." },
        "action": { "buttons": [
            button("Pay", Action::Approve), button("No", Action::Deny), button("Not me", Action::NotMe),
        ] },
    });
    assert_eq!((&body["type"], &body["interactive"]), (&json!("interactive"), &expected));
}

/// The body then states where to deny.
#[test]
fn approval_on_the_page_is_one_link_button() {
    let link = "https://pay.example.com/c/tok_hidden".to_owned();
    let open = ButtonAction::Open { url: link.clone(), postback: postback(Action::Open) };
    let buttons = vec![
        Button { label: "View request".to_owned(), action: open },
        reply("No", Action::Deny),
        reply("Not me", Action::NotMe),
    ];
    let body = body("page", &Prompt { buttons, ..within() });
    let expected = json!({
        "type": "cta_url",
        "header": { "type": "text", "text": "Pay 42.50 EUR?" },
        "body": { "text": "Acme & Söhne asks for 42.50 EUR for Invoice 4711.\n\nNo / Not me → View request" },
        "action": { "name": "cta_url", "parameters": { "display_text": "View request", "url": link } },
    });
    assert_eq!(body["interactive"], expected);
}

#[test]
fn three_codes_put_the_denial_behind_the_link() {
    let picks = (0..3).map(|place| reply(&format!("4{place}"), Action::Pick(place)));
    let buttons = picks.chain([reply("Not me", Action::NotMe)]).collect();
    let interactive = body("page", &Prompt { buttons, ..within() })["interactive"].take();
    let titles = interactive["action"]["buttons"].as_array().unwrap().iter();
    let titles: Vec<&Value> = titles.map(|button| &button["reply"]["title"]).collect();
    assert_eq!(titles, ["40", "41", "42"]);
    let text = interactive["body"]["text"].as_str().unwrap();
    assert!(text.ends_with("\n\nNo / Not me → https://pay.example.com/c/tok_hidden"), "{text}");
}

#[test]
fn long_prompt_is_cut_but_never_the_way_to_deny() {
    let long = || "ü".repeat(5_000);
    let mut prompt = Prompt { title: long(), body: long(), ..within() };
    prompt.buttons.iter_mut().for_each(|button| button.label = "Ä".repeat(30));
    let first = body("page", &prompt)["interactive"].take();
    prompt.buttons.clear();
    let second = body("page", &prompt)["interactive"].take();
    for interactive in [first, second] {
        let length = |pointer: &str| {
            interactive.pointer(pointer).and_then(Value::as_str).map(|text| text.chars().count())
        };
        assert_eq!((length("/header/text"), length("/body/text")), (Some(60), Some(1_024)));
        let text = interactive["body"]["text"].as_str().unwrap();
        assert!(text.contains("…\n\nNo / Not me → "), "{text}");
        for (pointer, max) in [("/action/buttons/2/reply", 20), ("/action/parameters", 20)] {
            let label = length(&format!("{pointer}/title"));
            assert!(label.or(length(&format!("{pointer}/display_text"))).is_none_or(|n| n <= max));
        }
    }
}

#[test]
fn window_closes_ten_minutes_before_24_hours() {
    let kind =
        |contact: Contact| body("page", &Prompt { contact, ..prompt_to(PHONE) })["type"].take();
    assert_eq!(kind(wrote(0)), "interactive");
    assert_eq!(kind(wrote(DAY - 601)), "interactive");
    assert_eq!(kind(wrote(DAY - 600)), "template");
    assert_eq!(kind(wrote(DAY + 1)), "template");
    assert_eq!(kind(Contact::default()), "template");
    let ahead = Some(NOW.after(Duration::from_secs(5)));
    assert_eq!(kind(Contact { last_inbound: ahead, ..Contact::default() }), "interactive");
}

#[test]
fn capability_reason_states_whether_the_window_is_open() {
    let (world, channel) = channel("page");
    let of = |contact| block_on(channel.capability(&PHONE.parse().unwrap(), &contact, NOW));
    let unknown = of(Contact::default());
    assert!(unknown.reachable && unknown.rich && unknown.wallets.is_empty());
    assert!(unknown.receipts.delivered && unknown.receipts.read);
    assert_eq!(unknown.reason, Some("not_checked"));
    assert_eq!(of(wrote(DAY)).reason, Some("not_checked"));
    assert_eq!(of(wrote(60)).reason, Some("window_open"));
    assert!(world.calls().is_empty());
}

#[test]
fn recorded_answer_means_what_its_fixture_says() {
    let fixtures = fixtures("whatsapp/fixtures/answers");
    for (name, fixture) in &fixtures {
        let (status, body, means) = recorded(fixture);
        let sent = wire::accepted(status.try_into().unwrap(), &body);
        assert_eq!(meaning(&sent), means, "{name}");
    }
}

#[test]
fn documented_code_has_one_reaction() {
    let person = |reason| Some(Reaction::Misconfigured(reason));
    let gone = |reason| Some(Reaction::Unreachable(reason));
    for (codes, reaction) in [
        (&[190, 0][..], person("credentials")),
        (&[3, 10, 200, 201, 298, 299, 131_005], person("permission")),
        (&[4, 17, 80_007, 80_008, 130_429, 131_048, 131_056], Some(Reaction::Again)),
        (&[131_000, 131_016, 2, 132_069, 133_004], Some(Reaction::Again)),
        (&[131_008, 131_009, 100, 131_051, 131_052, 131_053], person("rejected")),
        (&[131_026], gone("not_on_channel")),
        (&[131_047], gone("outside_window")),
        (&[131_049], gone("withheld")),
        (&[131_050], gone("opted_out")),
        (&[131_031, 368], person("suspended")),
        (&[131_042], person("billing")),
        (&[130_497, 131_063], gone("country")),
        (&[131_043], gone("expired")),
        (&[132_000, 132_001, 132_005, 132_007, 132_012, 132_015, 132_016], person("template")),
        (&[133_010], person("registration")),
        (&[199, 300, 999_999], None),
    ] {
        for code in codes {
            assert_eq!(errors::reaction(*code), reaction, "{code}");
        }
    }
    let codes: Vec<u32> = errors::ERRORS.iter().map(|(code, _)| *code).collect();
    assert!(codes.is_sorted_by(|one, next| one < next), "each code occurs once");
}

/// A network that answers each call with the next fixture.
struct FixtureNetwork {
    answers: Mutex<Vec<&'static str>>,
    kinds: Mutex<Vec<Value>>,
}

#[async_trait]
impl Http for FixtureNetwork {
    async fn call(
        &self,
        request: Request<Bytes>,
        _: Reach,
        _: Duration,
    ) -> Result<Response<Bytes>, HttpError> {
        let mut body: Value = serde_json::from_slice(request.body()).unwrap();
        self.kinds.lock().unwrap().push(body["type"].take());
        let name = self.answers.lock().unwrap().remove(0);
        let (status, body, _) = recorded(&fixtures("whatsapp/fixtures/answers")[name]);
        Ok(Response::builder().status(status).body(body).unwrap())
    }
}

/// The result of a send within the window, and the types of its messages.
fn sent(answers: &[&'static str]) -> (String, Vec<Value>) {
    let http =
        Arc::new(FixtureNetwork { answers: Mutex::new(answers.to_vec()), kinds: Mutex::default() });
    let deps = World::new(Script::Lost).deps();
    let registry = Registry::new(Deps { http: Arc::<FixtureNetwork>::clone(&http), ..deps });
    let brand = brand("whatsapp", &settings("full"));
    let channel: Box<dyn Channel> =
        registry.open(&brand, Mode::Test, &"a-channel".parse().unwrap()).unwrap();
    let money = domain::values::money::Money::new(4250, "EUR".parse().unwrap()).unwrap();
    let prompt = Prompt { money: Some(money), ..within() };
    let meaning = meaning(&block_on(channel.send(&prompt)));
    let kinds = http.kinds.lock().unwrap().clone();
    assert!(http.answers.lock().unwrap().is_empty());
    (meaning, kinds)
}

#[test]
fn closed_window_falls_back_to_one_template() {
    let (meaning, kinds) = sent(&["error-131047", "accepted-template"]);
    assert!(meaning.starts_with("accepted wamid."), "{meaning}");
    assert_eq!(kinds, ["interactive", "template"]);
    let (meaning, kinds) = sent(&["error-131047", "error-131047"]);
    assert_eq!((meaning.as_str(), kinds.len()), ("unreachable outside_window", 2));
    for answer in ["error-131026", "error-131000", "malformed-html", "error-132001"] {
        assert_eq!(sent(&[answer]).1, ["interactive"], "{answer}");
    }
}
