//! Taps on a message's buttons, which a channel reports as postbacks.

use domain::consent::ApprovalMethod;
use domain::request::State;
use ports::{ButtonAction, Prompt};
use serde_json::json;
use tests::world::brand::OTHER_KEY;
use tests::world::{Answer, Core, CreatedRequest, PHONE, World, WorldBuilder};

fn with_fake_channels() -> WorldBuilder {
    World::builder().with_fake_channels(&["rcs", "whatsapp"])
}

fn without_code() -> World {
    with_fake_channels().with("/policy", &json!({ "session_code": false })).build()
}

/// Returns the newest prompt that was sent.
fn newest(core: &Core) -> Prompt {
    core.sent_messages().sent.pop().unwrap()
}

/// Returns the postback of the button with that name.
fn postback(prompt: &Prompt, label: &str) -> String {
    let button = prompt.buttons.iter().find(|button| button.label == label);
    match &button.unwrap_or_else(|| panic!("{label} is not in {:?}", prompt.buttons)).action {
        ButtonAction::Reply { postback } | ButtonAction::Open { postback, .. } => postback.clone(),
    }
}

fn taps_on(core: &Core, channel: &str, postback: &str) -> Answer {
    let tapped = json!({ "tapped": { "postback": postback, "from": { "phone": PHONE } } });
    let answer = core.channel_sends(channel, &json!([tapped])).ok(200);
    assert_eq!(answer.text(), "taken", "every tap is acknowledged");
    core.run_until_idle();
    answer
}

fn taps(core: &Core, prompt: &Prompt, label: &str) {
    taps_on(core, "rcs", &postback(prompt, label));
}

fn code(asked: &CreatedRequest) -> &str {
    asked.answer["session_code"].as_str().unwrap()
}

#[test]
fn right_code_of_three_approves_and_wrong_one_denies() {
    let world = with_fake_channels().build();
    let asked = world.asks(4250);
    let labels: Vec<String> =
        newest(&world).buttons.into_iter().map(|button| button.label).collect();
    assert_eq!(labels[3..], ["Decline", "This is not me"]);
    assert!(labels[..3].contains(&code(&asked).to_owned()), "{labels:?}");
    taps(&world, &newest(&world), code(&asked));
    assert_eq!(world.state(&asked), "fulfilled");
    let refused = world.asks(100);
    let wrong = newest(&world).buttons.into_iter().find(|button| button.label != code(&refused));
    taps(&world, &newest(&world), &wrong.unwrap().label);
    let outcome = json!({ "kind": "denied", "reason": "wrong_session_code" });
    assert_eq!(world.reads(&refused)["outcome"], outcome);
}

#[test]
fn tap_on_approve_is_charged_and_its_method_recorded() {
    let world = without_code();
    let asked = world.asks(4250);
    let yes = postback(&newest(&world), "Approve");
    let tapped = json!([{ "tapped": { "postback": yes, "from": { "phone": PHONE } } }]);
    world.channel_sends("rcs", &tapped).ok(200);
    let State::Authorized { consent, .. } = world.stored(&asked).state else { panic!() };
    assert_eq!((consent.method, consent.channel.as_str()), (ApprovalMethod::Tap, "rcs"));
    world.run_until_idle();
    assert_eq!(world.state(&asked), "fulfilled");
    assert_eq!(world.timeline(&asked), ["accepted rcs", "authorized rcs", "fulfilled"]);
}

#[test]
fn tap_on_deny_denies_and_on_not_me_reports() {
    let world = without_code();
    let asked = world.asks(4250);
    taps(&world, &newest(&world), "Decline");
    assert_eq!(world.reads(&asked)["outcome"], json!({ "kind": "denied", "reason": "customer" }));
    let asked = world.asks(4250);
    taps(&world, &newest(&world), "This is not me");
    assert_eq!(world.reads(&asked)["outcome"], json!({ "kind": "denied", "reason": "not_me" }));
    let again = world.post("/v1/requests", &world.payment(PHONE, 100));
    again.problem(429, "address-in-cooldown");
}

#[test]
fn tap_on_link_is_neither_answer_nor_opened() {
    let world = without_code();
    let asked = world.asks(4250);
    let prompt = newest(&world);
    let open =
        prompt.buttons.iter().find(|button| matches!(button.action, ButtonAction::Open { .. }));
    let version = world.reads(&asked)["version"].clone();
    taps(&world, &prompt, &open.unwrap().label);
    assert_eq!(world.reads(&asked)["version"], version);
}

#[test]
fn two_taps_are_one_consent_and_one_charge() {
    let world = without_code();
    let asked = world.asks(4250);
    let first = postback(&newest(&world), "Approve");
    world.acts(&asked, "resend", &json!({ "channel": "whatsapp" })).ok(200);
    let second = postback(&newest(&world), "Approve");
    taps_on(&world, "rcs", &first);
    assert_eq!(world.state(&asked), "prompted", "a newer prompt took its place");
    for _ in 0..2 {
        taps_on(&world, "whatsapp", &second);
        taps_on(&world, "rcs", &first);
    }
    assert_eq!(world.state(&asked), "fulfilled");
    assert_eq!(world.stored(&asked).attempts.len(), 1);
    let authorized = |line: &&String| line.starts_with("authorized");
    assert_eq!(world.timeline(&asked).iter().filter(authorized).count(), 1);
}

#[test]
fn late_tap_changes_nothing() {
    let world = without_code();
    let asked = world.asks(4250);
    let prompt = newest(&world);
    world.acts(&asked, "cancel", &json!({})).ok(200);
    let before = (world.reads(&asked)["outcome"].clone(), world.timeline(&asked));
    for label in ["Approve", "Decline", "This is not me"] {
        taps(&world, &prompt, label);
    }
    assert_eq!((world.reads(&asked)["outcome"].clone(), world.timeline(&asked)), before);
    assert_eq!(world.sent_messages().thread_messages.len(), 1, "the thread says so once");
    let asked = world.asks(100);
    let prompt = newest(&world);
    world.clock_jumps(301);
    taps(&world, &prompt, "Approve");
    world.time_passes(60);
    assert_eq!(world.state(&asked), "expired");
}

#[test]
fn approval_that_needs_the_page_cannot_be_tapped() {
    let world = without_code();
    let asked = world.asks(4250);
    // So is every request whose processor needs a wallet.
    let mut item = world.items().into_iter().find(|item| item.key.sk == "REQ").unwrap();
    item.body = item.body.replace("\"by_tap\":true,", "");
    world.put_item(item);
    taps(&world, &newest(&world), "Approve");
    assert_eq!(world.state(&asked), "prompted");
    taps(&world, &newest(&world), "Decline");
    assert_eq!(world.state(&asked), "denied");
}

#[test]
fn postback_of_other_brand_or_channel_is_ignored() {
    let world = without_code();
    let asked = world.asks(4250);
    let yes = postback(&newest(&world), "Approve");
    taps_on(&world, "whatsapp", &yes);
    let mut changed = yes.clone();
    changed.replace_range(95.., if yes.ends_with('0') { "1" } else { "0" });
    for stranger in ["", "yes", &changed, &yes[..94]] {
        taps_on(&world, "rcs", stranger);
    }
    assert_eq!(world.state(&asked), "prompted");
    assert!(!world.logs().contains(&changed), "what was tapped is not logged");
    let mut body = world.payment(PHONE, 100);
    body["session"]["id"] = json!("theirs");
    let call = world.call(http::Method::POST, "/v1/requests").key(OTHER_KEY).json(&body);
    let theirs = call.send().ok(201);
    world.run_until_idle();
    let id = theirs.json()["id"].as_str().unwrap().parse().unwrap();
    let brand = world.run(world.ports.secrets.brand(&"demo".parse().unwrap())).unwrap();
    let loaded =
        world.run(records::storage::load(world.ports.store.as_ref(), id)).unwrap().unwrap();
    let reference =
        domain::values::prompt_ref::PromptRef { request: id, prompt: loaded.request.prompts[0].id };
    let action = domain::postback::Action::Deny;
    let no = domain::postback::Postback { reference, action }.write(&brand.link_key);
    taps_on(&world, "rcs", &no);
    let read = world.call(http::Method::GET, theirs.header("location")).key(OTHER_KEY).send();
    assert_eq!(read.ok(200).json()["state"], "prompted");
}

#[test]
fn postback_in_extra_base64_layer_counts() {
    use base64::Engine;
    let world = without_code();
    let asked = world.asks(4250);
    let yes = postback(&newest(&world), "Approve");
    taps_on(&world, "rcs", &base64::engine::general_purpose::STANDARD.encode(yes));
    assert_eq!(world.state(&asked), "fulfilled");
}

#[test]
fn receipt_naming_only_the_prompt_is_found_by_its_link() {
    let world = without_code();
    let asked = world.asks(4250);
    let prompt = newest(&world).reference.prompt.to_string();
    world.channel_sends("rcs", &json!([{ "delivered": { "about": prompt } }])).ok(200);
    assert_eq!(world.timeline(&asked), ["accepted rcs", "delivered rcs"]);
    world.channel_sends("rcs", &json!([{ "failed": { "about": prompt } }])).ok(200);
    world.run_until_idle();
    assert_eq!(world.timeline(&asked).len(), 2, "what was delivered did not fail");
    let unknown = "prm_01M844DZWGSW3HJKQ26BNN67GN";
    world.channel_sends("rcs", &json!([{ "delivered": { "about": unknown } }])).ok(200);
}

#[test]
fn failed_prompt_falls_back_at_once_and_is_dead() {
    let world = without_code();
    let asked = world.asks(4250);
    let first = newest(&world);
    let failed = json!([{ "failed": { "about": first.reference.prompt.to_string() } }]);
    world.channel_sends("rcs", &failed).ok(200);
    world.run_until_idle();
    let timeline = ["accepted rcs", "failed rcs unreachable", "accepted whatsapp"];
    assert_eq!(world.timeline(&asked), timeline);
}

#[test]
fn unsigned_callback_is_rejected() {
    let world = without_code();
    let asked = world.asks(4250);
    let yes = postback(&newest(&world), "Approve");
    let body = json!({ "callbacks": [{ "tapped": { "postback": yes, "from": {} } }] });
    let call = world.call(http::Method::POST, "/callbacks/demo/rcs").key(None);
    call.header("x-proof", "guessed").json(&body).send().problem(403, "callback-forged");
    assert_eq!(world.state(&asked), "prompted");
}
