//! The choice of a template outside the window, and its values.

use domain::postback::Action;
use domain::values::money::Money;
use pollster::block_on;
use ports::{Button, ButtonAction, Prompt};
use serde_json::{Value, json};

use super::{channel, settings};
use crate::doubles::{PHONE, Script, World, meaning, postback, prompt_to};

/// A payment that a tap can approve.
fn payment() -> Prompt {
    let money = Money::new(4250, "EUR".parse().unwrap()).unwrap();
    Prompt { money: Some(money), ..prompt_to(PHONE) }
}

/// A prompt that only the page can approve.
fn on_the_page(prompt: Prompt) -> Prompt {
    let yes = |button: &Button| button.label == prompt.labels.approve;
    let buttons = prompt.buttons.iter().filter(|button| !yes(button)).cloned().collect();
    Prompt { buttons, ..prompt }
}

fn template(prompt: &Prompt) -> Value {
    let (world, channel) = channel("full");
    block_on(channel.send(prompt)).unwrap_err();
    let mut body: Value = serde_json::from_slice(world.calls().remove(0).body()).unwrap();
    assert_eq!(body["type"], "template");
    body["template"].take()
}

fn text(text: &str) -> Value {
    json!({ "type": "text", "text": text })
}

fn button(index: &str, kind: &str, parameter: &Value) -> Value {
    json!({ "type": "button", "sub_type": kind, "index": index, "parameters": [parameter] })
}

fn tap(index: &str, action: Action) -> Value {
    button(index, "quick_reply", &json!({ "type": "payload", "payload": postback(action) }))
}

#[test]
fn template_is_filled_in_its_approved_order() {
    let expected = json!({
        "name": "approve_payment_v1",
        "language": { "code": "en_GB" },
        "components": [
            { "type": "header", "parameters": [text("Pay 42.50 EUR?")] },
            { "type": "body", "parameters": [
                text("Acme & Söhne"), text("42.50 EUR"),
                text("Acme & Söhne asks for 42.50 EUR for Invoice 4711."),
            ] },
            tap("0", Action::Approve),
            tap("1", Action::Deny),
            // The button in between has no parameter.
            tap("3", Action::NotMe),
        ],
    });
    assert_eq!(template(&payment()), expected);
}

#[test]
fn first_template_that_fits_is_sent() {
    assert_eq!(template(&payment())["name"], "approve_payment_v1");
    let paged = template(&on_the_page(payment()));
    let expected = json!([
        { "type": "body", "parameters": [text("Acme & Söhne"), text("42.50 EUR")] },
        button("0", "url", &text("tok_hidden")),
        tap("1", Action::Deny),
    ]);
    assert_eq!((&paged["name"], &paged["components"]), (&json!("view_payment_v1"), &expected));
    let card = on_the_page(prompt_to(PHONE));
    assert_eq!(template(&card)["name"], "view_request_v1", "without an amount");
}

#[test]
fn prompt_that_fits_no_template_is_not_sent() {
    let mut settings = settings("page");
    settings["templates"][0]["buttons"] = json!(["approve", "deny"]);
    let world = World::new(Script::Lost);
    let channel = world.open("whatsapp", &settings).unwrap();
    let sent = block_on(channel.send(&on_the_page(payment())));
    assert_eq!(meaning(&sent), "person template");
    assert!(world.calls().is_empty());
}

#[test]
fn template_language_is_the_nearest_or_the_brands() {
    let code = |language: &str| {
        let language = language.parse().unwrap();
        template(&Prompt { language, ..payment() })["language"]["code"].take()
    };
    assert_eq!(code("en-GB"), "en_GB");
    assert_eq!(code("en-GB-oxendict"), "en_GB");
    assert_eq!(code("en-AU"), "en_US");
    assert_eq!(code("de-CH-1996"), "de");
    assert_eq!(code("pt"), "en_US");
    assert_eq!(code("ja"), "en_US");
    let german = Prompt { language: "de-AT".parse().unwrap(), ..payment() };
    assert_eq!(template(&german)["components"][1]["parameters"][1], text("42,50 EUR"));
}

#[test]
fn amount_names_the_card_where_no_sentence_does() {
    let card = Some("Visa •••• 4242".to_owned());
    let named = Prompt { card, ..payment() };
    assert_eq!(
        template(&named)["components"][1]["parameters"][1],
        text("42.50 EUR"),
        "the body does"
    );
    let mut short = settings("page");
    short["templates"][0]["body"] = json!(["payee", "amount"]);
    let world = World::new(Script::Lost);
    drop(block_on(world.open("whatsapp", &short).unwrap().send(&named)));
    let body = String::from_utf8(world.calls()[0].body().to_vec()).unwrap();
    assert!(body.contains("42.50 EUR (Visa •••• 4242)"), "{body}");
}

#[test]
fn placeholder_value_is_one_line_within_the_limit() {
    let body = "a\tb\r\n\n     c".to_owned();
    let prompt = Prompt { title: "ü".repeat(70), body, ..payment() };
    let components = template(&prompt)["components"].take();
    assert_eq!(components[1]["parameters"][2], text("a b c"));
    let header = components[0]["parameters"][0]["text"].as_str().unwrap();
    assert_eq!(header.chars().count(), 60);
}

#[test]
fn named_placeholder_is_sent_with_its_name() {
    let with = |header: Value, body: Value| {
        let mut settings = settings("page");
        settings["templates"][0]["header"] = header;
        settings["templates"][0]["body"] = body;
        let world = World::new(Script::Lost);
        let channel = world.open("whatsapp", &settings).ok()?;
        block_on(channel.send(&payment())).unwrap_err();
        let body: Value = serde_json::from_slice(world.calls().remove(0).body()).unwrap();
        Some(body["template"]["components"].clone())
    };
    let named = |name: &str, value: &str| json!({ "name": name, "value": value });
    let filled = with(
        named("heading", "title"),
        json!([named("shop", "payee"), named("total_1", "amount")]),
    );
    let parameter =
        |name: &str, text: &str| json!({ "type": "text", "parameter_name": name, "text": text });
    let components = filled.unwrap();
    assert_eq!(components[0]["parameters"], json!([parameter("heading", "Pay 42.50 EUR?")]));
    let expected = json!([parameter("shop", "Acme & Söhne"), parameter("total_1", "42.50 EUR")]);
    assert_eq!(components[1]["parameters"], expected);
    for (header, body) in [
        (json!(null), json!([named("shop", "payee"), "amount"])),
        (json!("title"), json!([named("shop", "payee")])),
        (json!(null), json!([named("shop", "payee"), named("shop", "amount")])),
        (json!(null), json!([named("", "payee")])),
        (json!(null), json!([named("Shop", "payee")])),
        (json!(null), json!([named("shop", "phone")])),
        (json!(null), json!([{ "name": "shop" }])),
    ] {
        assert_eq!(with(header, body.clone()), None, "{body}");
    }
}

#[test]
fn link_token_fills_the_url_placeholder() {
    let link = "https://pay.example.com/c/AbC-_123".to_owned();
    let action = ButtonAction::Open { url: link.clone(), postback: postback(Action::Open) };
    let mut buttons = on_the_page(payment()).buttons;
    buttons.push(Button { label: "Open".to_owned(), action });
    let filled = template(&Prompt { link, buttons, ..prompt_to(PHONE) });
    assert_eq!(filled["components"][1], button("0", "url", &text("AbC-_123")));
}

#[test]
fn template_that_cannot_approve_or_deny_is_refused() {
    let with = |pointer: &str, value: Value| {
        let mut settings = settings("page");
        *settings.pointer_mut(pointer).unwrap() = value;
        World::silent().open("whatsapp", &settings).is_ok()
    };
    assert!(with("/phone_number_id", json!("1")));
    for (pointer, value) in [
        ("/phone_number_id", json!("1/messages?x=")),
        ("/phone_number_id", json!("")),
        ("/app_secret", json!("")),
        ("/verify_token", json!("")),
        ("/templates", json!([])),
        ("/templates/0/name", json!("a name")),
        ("/templates/0/buttons", json!([])),
        ("/templates/0/buttons", json!(["deny", "fixed"])),
        ("/templates/0/buttons", json!(["page", "not_me"])),
        ("/templates/0/buttons", json!(["pay"])),
        ("/templates/0/body", json!(["phone"])),
        ("/templates/0/languages", json!({})),
        ("/templates/0/languages", json!({ "de": "de" })),
        ("/templates/0/languages", json!({ "en": "en", "x": "xx" })),
        ("/templates/0/languages", json!({ "en": "en US" })),
    ] {
        assert!(!with(pointer, value.clone()), "{pointer} {value}");
    }
}
