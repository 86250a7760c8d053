//! RCS and `WhatsApp` through Twilio: the template that a prompt fills, and what comes back.

use std::time::Duration;

use domain::contact::Contact;
use domain::postback::Action;
use domain::values::money::Money;
use pollster::block_on;
use ports::{Addressee, Button, ButtonAction, Callback, Channel, Prompt, ThreadMessage};
use serde_json::{Value, json};

use super::signed;
use crate::doubles::{
    NOW, PHONE, Script, World, fixtures, meaning, postback, prompt_to, recorded, reference,
};

fn settings(kind: &str) -> Value {
    fixtures(&format!("{kind}/fixtures/settings"))["twilio"].clone()
}

fn opened(kind: &str) -> (World, Box<dyn Channel>) {
    let world = World::new(Script::Lost);
    let channel = world.open(kind, &settings(kind)).unwrap();
    (world, channel)
}

/// Sends a prompt, and returns the call's form.
fn sent(kind: &str, prompt: &Prompt) -> Vec<(String, String)> {
    let (world, channel) = opened(kind);
    assert_eq!(meaning(&block_on(channel.send(prompt))), "unknown");
    form_urlencoded::parse(world.calls().remove(0).body()).into_owned().collect()
}

fn field<'a>(form: &'a [(String, String)], name: &str) -> &'a str {
    form.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.as_str())
}

fn variables(form: &[(String, String)]) -> Value {
    serde_json::from_str(field(form, "ContentVariables")).unwrap()
}

/// A prompt for a payment, which a tap can approve.
fn payment() -> Prompt {
    let money = Money::new(4250, "EUR".parse().unwrap()).unwrap();
    Prompt { money: Some(money), ..prompt_to(PHONE) }
}

/// A payment that only the page can approve.
fn on_page() -> Prompt {
    let prompt = payment();
    let buttons = prompt.buttons.iter().filter(|button| button.label != prompt.labels.approve);
    Prompt { buttons: buttons.cloned().collect(), ..prompt }
}

#[test]
fn prompt_fills_the_first_template_that_fits() {
    let prompt = payment();
    for (kind, sender) in [
        ("whatsapp", ("From", "whatsapp:+15005550006")),
        ("rcs", ("MessagingServiceSid", "MG00000000000000000000000000000000")),
    ] {
        let form = sent(kind, &prompt);
        assert_eq!(field(&form, "To"), format!("{kind}:{PHONE}"));
        assert_eq!(field(&form, sender.0), sender.1);
        assert_eq!(field(&form, "ContentSid"), "HX00000000000000000000000000000001");
        let filled = variables(&form);
        assert_eq!(filled["1"], prompt.payee);
        assert!(filled["2"].as_str().unwrap().contains("42.50"), "{filled}");
        let replies = [Action::Approve, Action::Deny, Action::NotMe].map(postback);
        assert_eq!(
            [&filled["3"], &filled["4"], &filled["5"]].map(|one| one.as_str().unwrap()),
            replies
        );
        assert_eq!(field(&form, "Body"), "", "a template has no text beside it");
        assert!(field(&form, "StatusCallback").ends_with(&format!("?ref={}", reference())));
        let form = sent(kind, &on_page());
        assert_eq!(field(&form, "ContentSid"), "HX00000000000000000000000000000003");
        let filled = variables(&form);
        assert_eq!(filled["2"], prompt.link.rsplit('/').next().unwrap());
        assert!(!filled["1"].as_str().unwrap().contains('\n'), "{filled}");
        let german = Prompt { language: "de-AT".parse().unwrap(), ..payment() };
        let form = sent(kind, &german);
        assert_eq!(field(&form, "ContentSid"), "HX00000000000000000000000000000002");
    }
}

/// A payment whose session code the customer picks among three.
fn picked() -> Prompt {
    let prompt = payment();
    let pick = |(label, place): (&str, u8)| {
        let postback = postback(Action::Pick(place));
        Button { label: label.to_owned(), action: ButtonAction::Reply { postback } }
    };
    let denials = prompt.buttons[2..].to_vec();
    let picks = ["21", "47", "83"].into_iter().zip(0..).map(pick);
    Prompt { buttons: picks.chain(denials).collect(), ..prompt }
}

/// The same prompt to a customer who wrote that long ago.
fn after_a_message(prompt: Prompt, ago: Duration) -> Prompt {
    let last_inbound = Some(NOW.before(ago));
    Prompt { contact: Contact { last_inbound, ..prompt.contact.clone() }, ..prompt }
}

const HOUR: Duration = Duration::from_secs(3_600);

#[test]
fn numbers_to_pick_are_labels_and_ids_of_quick_replies() {
    let numbers = |form: &[(String, String)]| {
        let filled = variables(form);
        let text = |name: &str| filled[name].as_str().unwrap().to_owned();
        ["3", "4", "5", "6", "7", "8", "9"].map(text)
    };
    let pick = |place| postback(Action::Pick(place));
    let expected = [
        "21".to_owned(),
        pick(0),
        "47".to_owned(),
        pick(1),
        "83".to_owned(),
        pick(2),
        postback(Action::Deny),
    ];
    let card = sent("rcs", &picked());
    assert_eq!(field(&card, "ContentSid"), "HX00000000000000000000000000000004");
    assert_eq!(numbers(&card), expected);
    let chat = sent("whatsapp", &after_a_message(picked(), HOUR));
    assert_eq!(field(&chat, "ContentSid"), "HX00000000000000000000000000000004");
    assert_eq!(numbers(&chat), expected);
}

#[test]
fn unapproved_template_is_sent_within_the_window_alone() {
    for late in [picked(), after_a_message(picked(), 24 * HOUR)] {
        let form = sent("whatsapp", &late);
        assert_eq!(field(&form, "ContentSid"), "HX00000000000000000000000000000003");
        assert_eq!(variables(&form)["3"], postback(Action::Deny));
    }
}

#[test]
fn window_that_twilio_reports_shut_leaves_the_approved_template() {
    let outside = json!({ "code": 63_016, "message": "m", "status": 400 }).to_string();
    let taken = json!({ "sid": "SM1", "status": "queued" }).to_string();
    let script = Script::InTurn(vec![(400, outside.clone().into()), (201, taken.into())]);
    let world = World::new(script);
    let channel = world.open("whatsapp", &settings("whatsapp")).unwrap();
    let accepted = block_on(channel.send(&after_a_message(picked(), HOUR))).unwrap();
    assert!(accepted.outside_window);
    let sids: Vec<String> = world
        .calls()
        .iter()
        .map(|call| form_urlencoded::parse(call.body()).into_owned().collect::<Vec<_>>())
        .map(|form| field(&form, "ContentSid")[33..].to_owned())
        .collect();
    assert_eq!(sids, ["4", "3"]);
    let shut = World::new(Script::Answer(400, outside.into()));
    let channel = shut.open("whatsapp", &settings("whatsapp")).unwrap();
    assert_eq!(meaning(&block_on(channel.send(&picked()))), "unreachable outside_window");
    assert_eq!(shut.calls().len(), 1, "the window was known to be shut");
}

#[test]
fn prompt_without_a_template_is_not_sent() {
    let mut only_taps = settings("whatsapp");
    only_taps["templates"].as_array_mut().unwrap().truncate(1);
    let world = World::new(Script::Lost);
    let channel = world.open("whatsapp", &only_taps).unwrap();
    assert_eq!(meaning(&block_on(channel.send(&on_page()))), "person template");
    assert!(world.calls().is_empty());
}

fn templates(language: &str, sid: &str, variables: &[&str]) -> Value {
    json!([{ "content": { language: sid }, "variables": variables }])
}

/// Templates of which none can open a chat.
fn only_in_window() -> Value {
    let mut templates = templates("en", "HX1", &["page", "deny"]);
    templates[0]["only_in_window"] = json!(true);
    templates
}

#[test]
fn rcs_has_no_template_for_a_window() {
    let mut mixed = settings("rcs");
    let window = only_in_window()[0].clone();
    mixed["templates"].as_array_mut().unwrap().push(window.clone());
    assert!(World::silent().open("rcs", &mixed).is_err());
    let mut mixed = settings("whatsapp");
    mixed["templates"].as_array_mut().unwrap().push(window);
    assert!(World::silent().open("whatsapp", &mixed).is_ok());
}

#[test]
fn chat_settings_of_another_channel_are_refused() {
    for (kind, field, bad) in [
        ("whatsapp", "from", json!("+15005550006")),
        ("whatsapp", "from", json!("rcs:acme_agent")),
        ("whatsapp", "from", Value::Null),
        ("rcs", "from", json!("rcs:acme_agent")),
        ("rcs", "templates", json!([])),
        ("rcs", "templates", templates("de", "HX1", &["page", "deny"])),
        ("rcs", "templates", templates("en", "HX1", &["deny"])),
        ("rcs", "templates", templates("en", "HX1", &["page"])),
        ("rcs", "templates", templates("en", "HX1", &["approve", "not_me"])),
        ("rcs", "templates", templates("en", "HX1", &["pick_1", "choice_1", "deny"])),
        ("rcs", "templates", templates("en", "HX1", &["page", "deny", "pick_1"])),
        ("rcs", "templates", templates("en", "HX 1", &["page", "deny"])),
        ("rcs", "templates", templates("en", "HX1", &["link", "deny"])),
        ("rcs", "templates", only_in_window()),
        ("rcs", "thread_templates", templates("en", "HX1", &["title", "body"])),
        ("rcs", "thread_templates", templates("en", "HX1", &["title", "not_me"])),
        ("rcs", "thread_templates", templates("en", "HX1", &["body", "not_me"])),
        ("whatsapp", "templates", only_in_window()),
    ] {
        let mut changed = settings(kind);
        changed[field] = bad.clone();
        assert!(World::silent().open(kind, &changed).is_err(), "{kind} {field} {bad}");
    }
    let mut agent = settings("rcs");
    agent["from"] = json!("rcs:acme_agent");
    agent.as_object_mut().unwrap().remove("messaging_service_sid");
    assert!(World::silent().open("rcs", &agent).is_ok());
}

/// Sends a message with these buttons in a thread, and returns the call's form.
fn in_thread(kind: &str, buttons: &[Button]) -> Vec<(String, String)> {
    let message = Prompt {
        title: "Not approved".to_owned(),
        body: "Nothing was charged.".to_owned(),
        text: "Acme: Nothing was charged.".to_owned(),
        buttons: buttons.to_vec(),
        ..after_a_message(prompt_to(PHONE), HOUR)
    };
    let (world, channel) = opened(kind);
    let thread = ThreadMessage { message, answered: reference(), answered_id: None };
    assert_eq!(meaning(&block_on(channel.send_in_thread(&thread))), "unknown");
    form_urlencoded::parse(world.calls().remove(0).body()).into_owned().collect()
}

#[test]
fn message_in_a_thread_is_a_text_or_has_its_buttons() {
    let [approve, _open, deny, not_me] = &payment().buttons[..] else { panic!("four buttons") };
    for (kind, text) in [
        ("rcs", "Not approved\nNothing was charged."),
        ("whatsapp", "*Not approved*\nNothing was charged."),
    ] {
        let plain = in_thread(kind, &[]);
        assert_eq!((field(&plain, "Body"), field(&plain, "ContentSid")), (text, ""));
        let report = in_thread(kind, std::slice::from_ref(not_me));
        assert_eq!(field(&report, "ContentSid"), "HX00000000000000000000000000000005");
        assert_eq!(variables(&report)["1"], "Not approved");
        assert_eq!(variables(&report)["3"], postback(Action::NotMe));
        let again = in_thread(kind, &payment().buttons);
        assert_eq!(field(&again, "ContentSid"), "HX00000000000000000000000000000006");
        assert_eq!(variables(&again)["3"], postback(Action::Approve));
        // No template has these alone, so the short text goes out. It names no button.
        let other = in_thread(kind, &[approve.clone(), deny.clone()]);
        assert_eq!(field(&other, "Body"), "Acme: Nothing was charged.");
        assert!(opened(kind).1.is_chat());
    }
}

#[test]
fn template_that_only_reports_is_not_for_going_on() {
    let mut changed = settings("rcs");
    changed["thread_templates"] = templates("en", "HX1", &["title", "body", "not_me"]);
    let world = World::new(Script::Lost);
    let channel = world.open("rcs", &changed).unwrap();
    let thread = ThreadMessage { message: payment(), answered: reference(), answered_id: None };
    drop(block_on(channel.send_in_thread(&thread)));
    let form: Vec<_> =
        form_urlencoded::parse(world.calls().remove(0).body()).into_owned().collect();
    assert!(field(&form, "Body").ends_with("/c/tok_hidden"), "{form:?}");
}

#[test]
fn link_in_a_thread_is_only_where_the_customer_may_go_on() {
    let mut changed = settings("rcs");
    changed["thread_templates"] = templates("en", "HX1", &["title", "body", "page"]);
    let [.., deny, not_me] = &payment().buttons[..] else { panic!("four buttons") };
    for (buttons, sid) in [(payment().buttons, "HX1"), (vec![deny.clone(), not_me.clone()], "")] {
        let world = World::new(Script::Lost);
        let channel = world.open("rcs", &changed).unwrap();
        let message = Prompt { buttons, ..payment() };
        let thread = ThreadMessage { message, answered: reference(), answered_id: None };
        drop(block_on(channel.send_in_thread(&thread)));
        let form: Vec<_> =
            form_urlencoded::parse(world.calls().remove(0).body()).into_owned().collect();
        assert_eq!(field(&form, "ContentSid"), sid);
    }
}

#[test]
fn tap_and_text_come_back_as_from_the_sender() {
    let url = "https://hooks.example.com/callbacks/acme/whatsapp";
    for (kind, to) in [("whatsapp", "whatsapp:+15005550006"), ("rcs", "rcs:acme_agent")] {
        let from = format!("{kind}:{PHONE}");
        let own = [
            ("MessagingServiceSid", "MG00000000000000000000000000000000"),
            ("From", from.as_str()),
            ("To", to),
            ("MessageSid", "SM1"),
        ];
        let channel = opened(kind).1;
        let approve = postback(Action::Approve);
        let tap =
            [("ButtonPayload", approve.as_str()), ("ButtonText", "Approve"), ("Body", "Approve")];
        let callback = signed(url, &[&own[..], &tap].concat());
        let received = channel.receive(&callback).unwrap();
        let [Callback::Tapped { postback, origin, .. }] = received.callbacks.as_slice() else {
            panic!("{received:?}")
        };
        assert_eq!((postback, origin.from.phone.as_ref().unwrap().as_str()), (&approve, PHONE));
        assert_eq!(channel.addressee(&callback), Addressee::Own);
        let stop = signed(url, &[&own[..], &[("OptOutType", "STOP"), ("Body", "Stop")]].concat());
        let received = channel.receive(&stop).unwrap();
        assert!(matches!(received.callbacks.as_slice(), [Callback::Stop(_)]));
        let mut forged = signed(url, &[&own[..], &tap].concat());
        forged.url.push('x');
        channel.receive(&forged).unwrap_err();
    }
}

#[test]
fn status_tells_reading_and_the_recipient() {
    for kind in ["rcs", "whatsapp"] {
        let channel = opened(kind).1;
        let url = format!("https://hooks.example.com/callbacks/acme/{kind}?ref={}", reference());
        let to = format!("{kind}:{PHONE}");
        let read = signed(&url, &[("MessageStatus", "read"), ("MessageSid", "SM1"), ("To", &to)]);
        let received = channel.receive(&read).unwrap();
        let [Callback::Recipient { recipient, .. }, Callback::Read(_)] =
            received.callbacks.as_slice()
        else {
            panic!("{received:?}")
        };
        assert_eq!(recipient.phone.as_ref().unwrap().as_str(), PHONE);
        let failed =
            [("MessageStatus", "undelivered"), ("ErrorCode", "63024"), ("To", to.as_str())];
        let received = channel.receive(&signed(&url, &failed)).unwrap();
        assert!(
            received
                .callbacks
                .iter()
                .any(|one| matches!(one, Callback::Failed(_, "not_on_channel")))
        );
    }
}

#[test]
fn recorded_answer_means_the_same_in_a_chat() {
    for (name, fixture) in fixtures("sms/fixtures/twilio") {
        let (status, body, means) = recorded(&fixture);
        for kind in ["rcs", "whatsapp"] {
            let world = World::new(Script::Answer(status, body.clone()));
            let sent = block_on(world.open(kind, &settings(kind)).unwrap().send(&payment()));
            assert_eq!(meaning(&sent), means, "{kind} {name}");
        }
    }
}

#[test]
fn chat_capability_is_rich_and_knows_the_window() {
    let to = PHONE.parse().unwrap();
    let wrote = after_a_message(payment(), HOUR).contact;
    for (kind, in_window) in [("rcs", "not_checked"), ("whatsapp", "window_open")] {
        for (contact, reason) in [(Contact::default(), "not_checked"), (wrote.clone(), in_window)] {
            let known = block_on(opened(kind).1.capability(&to, &contact, NOW));
            assert!(known.reachable && known.rich && known.receipts.read, "{kind}");
            assert_eq!(known.reason, Some(reason), "{kind}");
        }
    }
}
