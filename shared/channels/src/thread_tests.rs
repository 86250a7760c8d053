//! The messages in a thread, as each kind writes them.

use domain::contact::Contact;
use domain::postback::Action;
use domain::values::id::PromptId;
use domain::values::money::Money;
use domain::values::prompt_ref::PromptRef;
use pollster::block_on;
use ports::{Button, ButtonAction, Prompt, ThreadMessage};
use serde_json::{Value, json};

use crate::doubles::{
    NOW, PHONE, Script, World, fixtures, meaning, postback, prompt_to, reference,
};
use crate::under_test::{kinds, settings_folder};

fn samples() -> Vec<(&'static str, String, Value)> {
    let of = |kind| {
        let all = fixtures(&settings_folder(kind)).into_iter();
        all.map(move |(name, value)| (kind, name, value))
    };
    kinds().flat_map(of).collect()
}

/// A message with these buttons, to a customer who answered a moment ago.
fn message(buttons: Vec<Button>) -> ThreadMessage {
    let contact = Contact {
        last_inbound: Some(NOW),
        features: vec!["QUICK".to_owned(), "LIST".to_owned()],
        ..prompt_to(PHONE).contact
    };
    let prompt = PromptId::new(NOW, [9; 10]);
    let message = Prompt {
        reference: PromptRef { prompt, ..reference() },
        title: "Paid: 42.50 EUR".to_owned(),
        body: "To: Acme".to_owned(),
        text: "Acme: Paid: 42.50 EUR.".to_owned(),
        buttons,
        contact,
        ..prompt_to(PHONE)
    };
    ThreadMessage { message, answered: reference(), answered_id: Some("wamid.asked".to_owned()) }
}

fn not_me() -> Button {
    let action = ButtonAction::Reply { postback: postback(Action::NotMe) };
    Button { label: "Not me".to_owned(), action }
}

/// Sends a message with these buttons, whose answer is lost. Returns the last call's body.
fn sent(kind: &str, settings: &Value, buttons: Vec<Button>) -> String {
    let world = World::new(Script::Lost);
    let channel = world.open(kind, settings).unwrap();
    assert_eq!(channel.is_chat(), !["email", "sms"].contains(&kind));
    let sent = block_on(channel.send_in_thread(&message(buttons)));
    assert_eq!(meaning(&sent), "unknown", "{kind}: a lost answer is in doubt");
    let calls = world.calls();
    String::from_utf8(calls.last().unwrap().body().to_vec()).unwrap()
}

fn of_kind(kind: &str) -> impl Iterator<Item = Value> {
    samples().into_iter().filter(move |(known, ..)| *known == kind).map(|(.., settings)| settings)
}

/// The settings of a chat whose messages have a form of their own. Twilio's are texts and templates, see there.
fn of_chat(kind: &str) -> impl Iterator<Item = Value> {
    of_kind(kind).filter(|settings| settings["provider"] != "twilio")
}

#[test]
fn whatsapp_message_quotes_the_prompt() {
    for settings in of_chat("whatsapp") {
        let read = |buttons| -> Value {
            serde_json::from_str(&sent("whatsapp", &settings, buttons)).unwrap()
        };
        let plain = read(Vec::new());
        assert_eq!(plain["type"], "text");
        assert_eq!(plain["text"]["body"], "*Paid: 42.50 EUR*\nTo: Acme");
        let report = read(vec![not_me()]);
        assert_eq!(report["interactive"]["type"], "button");
        assert_eq!(report["interactive"]["body"]["text"], "To: Acme");
        let buttons = report["interactive"]["action"]["buttons"].as_array().unwrap();
        assert_eq!(buttons[0]["reply"]["id"], postback(Action::NotMe));
        let fresh = read(prompt_to(PHONE).buttons);
        assert_eq!(fresh["interactive"]["type"], "button");
        for message in [plain, report, fresh] {
            assert_eq!(message["context"]["message_id"], "wamid.asked");
        }
    }
}

#[test]
fn rcs_message_is_a_card_without_a_text_in_its_place() {
    for settings in of_chat("rcs") {
        let plain = sent("rcs", &settings, Vec::new());
        assert!(plain.contains("Paid: 42.50 EUR") && plain.contains("To: Acme"), "{plain}");
        assert!(!plain.to_lowercase().contains("suggestions"), "{plain}");
        let report = sent("rcs", &settings, vec![not_me()]);
        assert!(report.contains(&postback(Action::NotMe)), "{report}");
        assert!(!report.contains("FallbackConfiguration"), "{report}");
    }
}

#[test]
fn apple_message_is_a_text_a_list_or_quick_replies() {
    for settings in of_kind("apple") {
        let read = |buttons| -> Value {
            serde_json::from_str(&sent("apple", &settings, buttons)).unwrap()
        };
        let plain = read(Vec::new());
        assert_eq!(
            (&plain["type"], &plain["body"]),
            (&json!("text"), &json!("Paid: 42.50 EUR\nTo: Acme"))
        );
        let report = read(vec![not_me()]);
        let list = &report["interactiveData"]["data"]["listPicker"]["sections"][0]["items"];
        assert_eq!(list.as_array().unwrap().len(), 1, "{report}");
        assert_eq!(report["interactiveData"]["receivedMessage"]["title"], "Paid: 42.50 EUR");
        let fresh = read(prompt_to(PHONE).buttons);
        let quick = &fresh["interactiveData"]["data"]["quick-reply"]["items"];
        assert_eq!(quick.as_array().unwrap().len(), 3, "{fresh}");
        let page_first = prompt_to(PHONE).buttons.into_iter().skip(1).collect();
        let link = read(page_first);
        assert!(link["body"].as_str().unwrap().ends_with("/c/tok_hidden"), "{link}");
    }
}

#[test]
fn text_message_is_the_short_text() {
    for settings in of_kind("sms") {
        let text = sent("sms", &settings, vec![not_me()]);
        assert!(text.contains("42.50") && !text.contains("Not"), "{text}");
    }
}

/// A prompt with these buttons, to a customer who wrote a moment ago or never.
fn asked(buttons: &[(&str, Option<Action>)], wrote: bool) -> Prompt {
    let prompt = prompt_to(PHONE);
    let open = || ButtonAction::Open { url: prompt.link.clone(), postback: postback(Action::Open) };
    let button = |(label, action): &(&str, Option<Action>)| {
        let reply = action.map(|action| ButtonAction::Reply { postback: postback(action) });
        Button { label: (*label).to_owned(), action: reply.unwrap_or_else(open) }
    };
    let buttons = buttons.iter().map(button).collect();
    let contact = Contact { last_inbound: wrote.then_some(NOW), ..prompt.contact.clone() };
    let money = Some(Money::new(4250, "EUR".parse().unwrap()).unwrap());
    Prompt { buttons, contact, money, ..prompt }
}

#[test]
fn prompt_without_a_deny_button_needs_a_way_out() {
    let (deny, not_me) = (("No", Some(Action::Deny)), ("Not me", Some(Action::NotMe)));
    let picks = [("21", 0), ("47", 1), ("83", 2)];
    let picks = picks.map(|(label, place)| (label, Some(Action::Pick(place))));
    let by_number: Vec<_> = picks.into_iter().chain([deny, not_me]).collect();
    let by_tap = [("Pay", Some(Action::Approve)), deny, not_me, ("Open", None)];
    let on_page = [("Open", None), deny, not_me];
    let mut beside = Vec::new();
    for (kind, name, settings) in samples() {
        for buttons in [by_tap.as_slice(), &on_page, &by_number] {
            for wrote in [false, true] {
                let prompt = asked(buttons, wrote);
                let world = World::new(Script::Lost);
                let channel = world.open(kind, &settings).unwrap();
                drop(block_on(channel.send(&prompt)));
                let Some(call) = world.calls().pop() else {
                    assert!(kind == "link" && !channel.needs_way_out(&prompt), "{kind}");
                    continue;
                };
                let sent = String::from_utf8(call.body().to_vec()).unwrap();
                let has_one = sent.contains(&postback(Action::Deny));
                // No message has buttons, or only an approved template may be sent.
                let has_no_place =
                    ["email", "sms"].contains(&kind) || (kind == "whatsapp" && !wrote);
                let needs_one = channel.needs_way_out(&prompt);
                assert_eq!(needs_one, !has_one && !has_no_place, "{kind} {name}: {sent}");
                beside.extend(needs_one.then_some(kind));
            }
        }
    }
    beside.dedup();
    assert_eq!(beside, ["apple", "whatsapp"]);
}

#[test]
fn repeated_message_makes_the_same_calls() {
    for (kind, _, settings) in samples() {
        let send = || {
            let world = World::new(Script::Lost);
            let channel = world.open(kind, &settings).unwrap();
            drop(block_on(channel.send_in_thread(&message(vec![not_me()]))));
            let calls = world.calls();
            calls.iter().map(|call| format!("{call:?}")).collect::<Vec<_>>()
        };
        assert_eq!(send(), send(), "{kind}");
    }
}

#[test]
fn whatsapp_sends_nothing_outside_the_window() {
    for settings in of_kind("whatsapp") {
        let world = World::new(Script::Lost);
        let channel = world.open("whatsapp", &settings).unwrap();
        let mut late = message(Vec::new());
        late.message.contact.last_inbound = None;
        let sent = block_on(channel.send_in_thread(&late));
        assert_eq!(meaning(&sent), "unreachable outside_window");
        assert!(world.calls().is_empty(), "no template says what came of an answer");
    }
}
