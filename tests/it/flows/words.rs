//! Plain words as an answer: only where the brand allows it, never for money, and never where two things could be meant.

use domain::ask::{Ask, AskHash};
use domain::consent::How;
use domain::request::{Request, State};
use domain::storage::{body, unbody};
use domain::values::text::Shown;
use serde_json::{Value, json};
use tests::world::{Asked, Core, PHONE, World};

fn world(policy: &Value) -> World {
    World::beginning().talking(&["sms", "rcs"]).with("/policy", policy).begin()
}

fn allowing() -> World {
    world(&json!({ "text_replies": true, "open_max": 9, "prompts_per_ten_minutes": 99 }))
}

/// Asks for a card to be kept, as far as the functions that hear answers can see.
fn asks_for_a_card(world: &World, change: impl FnOnce(&mut Request)) -> Asked {
    let asked = world.asks(100);
    let mut items = world.items().into_iter();
    let mut item =
        items.find(|item| item.key.pk == format!("REQ#{}", asked.id) && item.key.sk == "REQ");
    let item = item.as_mut().unwrap();
    let mut request: Request = unbody(&item.body).unwrap();
    let description = Shown::new(request.ask.description()).unwrap();
    request.ask = Ask::PaymentMethod { description };
    request.ask_hash = AskHash::of(request.id, &request.brand, &request.payee, &request.ask);
    request.session_code = None;
    change(&mut request);
    item.body = body(request).unwrap();
    world.puts(item.clone());
    asked
}

fn writes(core: &Core, text: &str) {
    let wrote = json!({ "wrote": { "from": { "phone": PHONE }, "text": text } });
    core.tells("sms", &json!([wrote])).ok(200);
}

#[test]
fn a_plain_yes_is_a_consent_that_says_it_was_written() {
    let world = allowing();
    let asked = asks_for_a_card(&world, |_| {});
    writes(&world, " Yes, please! ");
    match world.stored(&asked).state {
        State::Authorized { consent, .. } => {
            assert_eq!((consent.how, consent.channel.as_str()), (How::Reply, "sms"));
        }
        // As long as the sandbox's processor keeps no cards, the yes is understood and there is nobody to take it to.
        State::Pending | State::Prompted => assert!(world.logs().contains("why=Unable")),
        State::Processing { .. } | State::Closed { .. } => panic!("nothing was fetched yet"),
    }
    assert!(world.ever().iter().all(|item| !item.body.contains("Yes, please")));
    world.leaves();
}

#[test]
fn a_plain_no_declines() {
    let world = allowing();
    let asked = asks_for_a_card(&world, |_| {});
    writes(&world, "No thanks.");
    world.settles();
    assert_eq!(world.reads(&asked)["outcome"], json!({ "kind": "declined", "reason": "customer" }));
}

#[test]
fn whatever_is_not_plainly_an_answer_changes_nothing() {
    let world = allowing();
    let asked = asks_for_a_card(&world, |_| {});
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
        let asked = asks_for_a_card(&world, |_| {});
        writes(&world, "yes");
        writes(&world, "no");
        assert_eq!(world.state(&asked), "prompted");
        world.leaves();
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
fn with_two_requests_open_nobody_knows_which_one_is_meant() {
    let world = allowing();
    let asked = asks_for_a_card(&world, |_| {});
    let other = world.asks(200);
    writes(&world, "yes");
    writes(&world, "no");
    assert_eq!(world.state(&asked), "prompted");
    world.acts(&other, "cancel", &json!({})).ok(200);
    writes(&world, "no");
    world.settles();
    assert_eq!(world.state(&asked), "declined", "now there is only one");
}

#[test]
fn a_yes_that_needs_the_page_cannot_be_written_and_a_no_can() {
    let world = allowing();
    let asked = asks_for_a_card(&world, |request| request.by_tap = false);
    writes(&world, "yes");
    assert_eq!(world.state(&asked), "prompted");
    writes(&world, "no");
    world.settles();
    assert_eq!(world.state(&asked), "declined");
}

#[test]
fn words_on_a_channel_that_did_not_ask_are_no_answer() {
    let world = allowing();
    let asked = asks_for_a_card(&world, |_| {});
    let wrote = json!({ "wrote": { "from": { "phone": PHONE }, "text": "no" } });
    world.tells("rcs", &json!([wrote])).ok(200);
    assert_eq!(world.state(&asked), "prompted");
    writes(&world, "no");
    world.settles();
}

#[test]
fn the_customers_language_is_the_one_they_were_asked_in() {
    let world = allowing();
    let german = |request: &mut Request| request.customer.language = Some("de-AT".parse().unwrap());
    let asked = asks_for_a_card(&world, german);
    writes(&world, "no");
    assert_eq!(world.state(&asked), "prompted");
    writes(&world, "Nein, danke!");
    world.settles();
    assert_eq!(world.state(&asked), "declined");
}
