//! Previews have the words of the message that is then sent, and leave nothing behind.

use serde_json::{Value, json};
use tests::world::{Message, PHONE, PUBLIC_BASE, World};

/// The styles of the sandbox phone, each a channel of the same name.
const STYLES: [&str; 5] = ["rcs", "whatsapp", "apple", "sms", "email"];
/// What stands for the end of a link and for a number to pick.
const HIDDEN: &str = "••";

fn world() -> World {
    let channel =
        |style| json!({ "name": style, "kind": "sandbox", "settings": { "style": style } });
    let channels = STYLES.map(channel);
    World::builder().with("/test/channels", &json!(channels)).with_sandbox_identity().build()
}

/// Returns the body of a call that asks for this over one channel.
fn wanted(world: &World, phone: &str, channel: &str, ask: &Value) -> Value {
    let mut body = world.payment(phone, 4250);
    body["ask"] = ask.clone();
    body["channels"] = json!([channel]);
    body["customer"]["email"] = json!("ada@example.com");
    body
}

fn payment() -> Value {
    json!({ "kind": "payment", "amount": 4250, "currency": "EUR", "description": "Invoice 4711" })
}

fn preview(world: &World, body: &Value) -> Value {
    let answer = world.post("/v1/previews", body).ok(200).json();
    assert_eq!(answer["messages"].as_array().unwrap().len(), 1, "{answer}");
    answer["messages"][0].clone()
}

/// Returns what the phone shows of a message, with hidden numbers and link, as a preview has it.
fn shown(message: &Message, preview: &Value) -> Value {
    let link = format!("{PUBLIC_BASE}/c/");
    let (before, after) = match message.text("text").split_once(&link) {
        Some((before, after)) => (before, after),
        None => (message.text("text"), ""),
    };
    let after: String =
        after.chars().skip_while(|c| c.is_ascii_alphanumeric() || "_-".contains(*c)).collect();
    let has_link = message.text("text").contains(&link);
    let text = if has_link { format!("{before}{link}{HIDDEN}{after}") } else { before.to_owned() };
    let buttons: Vec<Value> = message.shown["actions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|action| {
            let is_pick = !action["session_code"].is_null();
            if is_pick { json!(HIDDEN) } else { action["label"].clone() }
        })
        .collect();
    let mut shown = json!({ "channel": message.text("channel"), "form": preview["form"], "text": text, "buttons": buttons });
    if !message.text("title").is_empty() {
        shown["title"] = json!(message.text("title"));
    }
    shown
}

#[test]
fn preview_has_the_words_of_the_message_that_is_sent() {
    let world = world();
    let asks = [
        payment(),
        json!({ "kind": "payment_method", "description": "Your card for parking" }),
        json!({ "kind": "identity", "claims": ["given_name", "birthdate"], "description": "Age check" }),
    ];
    let mut number = 1_000;
    for ask in &asks {
        for style in STYLES {
            for language in ["en-GB", "de", "ar"] {
                number += 1;
                let phone = format!("+1555123{number}");
                let mut body = wanted(&world, &phone, style, ask);
                body["customer"]["language"] = json!(language);
                let preview = preview(&world, &body);
                world.asks_for(&body);
                let message = world.customer_at(&phone).newest();
                assert_eq!(preview, shown(&message, &preview), "{style} {language} {ask}");
            }
        }
    }
}

#[test]
fn preview_shows_no_link_and_no_code_that_works() {
    let world = world();
    let text = preview(&world, &wanted(&world, PHONE, "sms", &payment()));
    assert_eq!(text["form"], "text");
    assert!(
        text["text"].as_str().unwrap().contains(&format!("{PUBLIC_BASE}/c/{HIDDEN}")),
        "{text}"
    );
    let card = preview(&world, &wanted(&world, PHONE, "rcs", &payment()));
    assert_eq!(card["buttons"], json!([HIDDEN, HIDDEN, HIDDEN, "Decline"]));
    assert_eq!(card["form"], "card");
    assert_eq!(preview(&world, &wanted(&world, PHONE, "email", &payment()))["form"], "mail");
}

#[test]
fn preview_stores_counts_and_sends_nothing() {
    let world = world();
    let body = wanted(&world, PHONE, "rcs", &payment());
    for _ in 0..20 {
        preview(&world, &body);
    }
    assert!(world.items().is_empty() && world.sent().is_empty());
    assert!(world.customer().all_messages().is_empty());
    world.asks_for(&body);
}

#[test]
fn preview_is_refused_as_its_request_would_be() {
    let world = world();
    let refused = |change: &dyn Fn(&mut Value), status, code| {
        let mut body = wanted(&world, PHONE, "rcs", &payment());
        change(&mut body);
        world.post("/v1/previews", &body).problem(status, code);
        world.post("/v1/requests", &body).problem(status, code);
    };
    refused(&|body| body["channels"] = json!(["pigeon"]), 422, "channel-not-configured");
    refused(&|body| body["ask"]["amount"] = json!(0), 400, "amount-out-of-range");
    refused(&|body| body["customer"]["phone"] = json!("0"), 400, "invalid-request");
    refused(&|body| body["processor"] = json!("none"), 422, "processor-not-configured");
    let unknown = "crd_01JDZ8ZQ4V9M6T3X2B7C5N8K1P";
    refused(&|body| body["ask"]["payment_method"] = json!(unknown), 422, "payment-method-unknown");
}
