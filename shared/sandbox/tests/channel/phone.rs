//! The styles and the magic numbers of the sandbox phone.

use domain::brand::{Key32, Mode};
use domain::contact::Contact;
use domain::postback::{Action, Postback};
use domain::values::money::Money;
use pollster::block_on;
use ports::{
    AcceptedPrompt, AddressKind, Button, ButtonAction, Channel, Channels, OpenChannelError, Prompt,
    Retraction, SendError,
};
use sandbox::phone::{self, PhoneMessage, SandboxStyle, Tap};
use serde_json::json;

use crate::doubles::{NOW, PHONE, Script, World, brand, meaning, prompt_to, reference};

fn channel(world: &World, style: &str) -> Box<dyn Channel> {
    world.open("sandbox", &json!({"style": style})).unwrap()
}

fn messages(world: &World) -> Vec<PhoneMessage> {
    world.store.items.lock().unwrap().values().map(|item| phone::read(item).unwrap()).collect()
}

fn send(world: &World, style: &str, to: &str) -> Result<AcceptedPrompt, SendError> {
    block_on(channel(world, style).send(&prompt_to(to)))
}

fn shown(style: &str, prompt: &Prompt) -> PhoneMessage {
    let world = World::new(Script::Lost);
    block_on(channel(&world, style).send(prompt)).unwrap();
    let [message] = messages(&world).try_into().unwrap();
    message
}

fn buttons(message: &PhoneMessage) -> Vec<(&str, Tap)> {
    message.actions.iter().map(|action| (action.label.as_str(), action.action)).collect()
}

/// A prompt with a session code.
fn with_code() -> Prompt {
    let pick = |label: &str, place| button(label, Action::Pick(place));
    let picks = [pick("47", 0), pick("12", 1), pick("83", 2)];
    let buttons = picks.into_iter().chain([button("Not me", Action::NotMe)]).collect();
    Prompt { buttons, ..prompt_to(PHONE) }
}

/// A prompt that only the page can approve.
fn with_page() -> Prompt {
    let prompt = prompt_to(PHONE);
    let url = prompt.link.clone();
    let action = Action::Open;
    let postback = Postback { reference: reference(), action }.write(&Key32::new([7; 32]));
    let open =
        Button { label: "See request".to_owned(), action: ButtonAction::Open { url, postback } };
    let buttons = vec![open, button("No", Action::Deny), button("Not me", Action::NotMe)];
    Prompt { buttons, ..prompt }
}

/// A prompt that a tap can approve.
fn by_tap() -> Prompt {
    let yes = button("Pay", Action::Approve);
    let buttons = vec![yes, button("No", Action::Deny), button("Not me", Action::NotMe)];
    Prompt { buttons, ..prompt_to(PHONE) }
}

fn button(label: &str, action: Action) -> Button {
    let postback = Postback { reference: reference(), action }.write(&Key32::new([7; 32]));
    Button { label: label.to_owned(), action: ButtonAction::Reply { postback } }
}

#[test]
fn rcs_style_shows_four_buttons_of_every_kind() {
    let message = shown("rcs", &with_code());
    let prompt = with_code();
    assert_eq!((&message.title, &message.text), (&prompt.title, &prompt.body));
    assert_eq!((message.style, message.channel.as_str()), (SandboxStyle::Rcs, "a-channel"));
    let approve = Tap::Approve;
    let expected = [("47", approve), ("12", approve), ("83", approve), ("Not me", Tap::NotMe)];
    assert_eq!(buttons(&message), expected);
    assert_eq!(message.actions[1].session_code.as_deref(), Some("12"));
    let carried =
        Postback::read(message.actions[1].postback.as_deref().unwrap(), &Key32::new([7; 32]));
    assert_eq!(carried.unwrap().action, Action::Pick(1));
    let message = shown("rcs", &with_page());
    let expected = [("See request", Tap::Open), ("No", Tap::Deny), ("Not me", Tap::NotMe)];
    assert_eq!(buttons(&message), expected);
    let mut many = with_code();
    many.buttons.push(button("More", Action::Deny));
    assert_eq!(shown("rcs", &many).actions.len(), 4);
}

#[test]
fn whatsapp_style_shows_three_replies_or_one_link() {
    let message = shown("whatsapp", &with_code());
    assert_eq!(buttons(&message).len(), 3);
    assert!(message.actions.iter().all(|action| action.session_code.is_some()));
    let prompt = with_code();
    assert!(message.text.starts_with(&prompt.body), "{}", message.text);
    assert!(message.text.ends_with(&format!("\n\nNo / Not me → {}", prompt.link)));
    let message = shown("whatsapp", &by_tap());
    assert_eq!((buttons(&message).len(), message.text), (3, by_tap().body));
    let message = shown("whatsapp", &with_page());
    assert_eq!(buttons(&message), [("See request", Tap::Open)]);
    assert!(message.text.ends_with(" → Open"), "{}", message.text);
    let long = Prompt { body: "x".repeat(2_000), title: "t".repeat(90), ..with_code() };
    let message = shown("whatsapp", &long);
    assert_eq!((message.text.chars().count(), message.title.chars().count()), (1_024, 60));
    assert!(message.text.contains(&prompt.link), "what is cut is not the link");
}

#[test]
fn apple_style_shows_quick_replies_a_sheet_or_a_text() {
    let message = shown("apple", &with_code());
    assert_eq!(buttons(&message).len(), 4);
    let money = Money::new(4250, "EUR".parse().unwrap()).unwrap();
    let message = shown("apple", &Prompt { money: Some(money), ..by_tap() });
    assert_eq!(buttons(&message), [("Pay", Tap::Approve)]);
    assert!(message.actions[0].sheet && message.actions[0].postback.is_none());
    let message = shown("apple", &by_tap());
    assert_eq!(buttons(&message).len(), 3, "without money there is nothing to pay");
    let message = shown("apple", &with_page());
    assert_eq!((message.text, message.actions), (with_page().text, Vec::new()));
}

#[test]
fn sms_style_shows_the_text_alone() {
    for (style, prompt) in [("sms", with_code()), ("sms", by_tap())] {
        let message = shown(style, &prompt);
        assert_eq!((&message.text, message.style), (&prompt.text, SandboxStyle::Sms));
        assert!(message.title.is_empty() && message.actions.is_empty());
    }
}

#[test]
fn email_style_shows_a_mail_to_those_with_an_address() {
    let message = shown("email", &with_code());
    assert_eq!(
        (message.title.as_str(), message.style),
        ("Acme & Söhne: please answer", SandboxStyle::Email)
    );
    assert!(message.text.ends_with("/c/tok_hidden") && message.actions.is_empty());
    let world = World::new(Script::Lost);
    let channel = channel(&world, "email");
    assert_eq!(channel.address_kind(), AddressKind::Email);
    let sent = block_on(channel.send(&Prompt { mail: None, ..with_code() }));
    assert_eq!(meaning(&sent), "unreachable no_address");
    assert!(messages(&world).is_empty() && !channel.is_chat());
}

#[test]
fn button_with_foreign_postback_is_hidden() {
    let action = ButtonAction::Reply { postback: "00".repeat(48) };
    let stranger = Button { label: "Win".to_owned(), action };
    let prompt = Prompt { buttons: vec![stranger, button("No", Action::Deny)], ..by_tap() };
    assert_eq!(buttons(&shown("rcs", &prompt)), [("No", Tap::Deny)]);
}

#[test]
fn repeated_send_leaves_one_message_also_after_retract() {
    let world = World::new(Script::Lost);
    let retraction =
        Retraction { reference: reference(), to: PHONE.parse().unwrap(), provider_id: None };
    assert_eq!(send(&world, "rcs", PHONE).unwrap(), send(&world, "rcs", PHONE).unwrap());
    assert!(block_on(channel(&world, "rcs").retract(&retraction)));
    assert!(block_on(channel(&world, "rcs").retract(&retraction)));
    send(&world, "rcs", PHONE).unwrap();
    let messages = messages(&world);
    assert_eq!((messages.len(), messages[0].retracted), (1, true));
}

#[test]
fn magic_number_acts_in_each_style() {
    for (number, buttons, text) in [
        ("+15550009001", "unreachable not_on_channel", "kept"),
        ("+15550009002", "silent", "kept"),
        ("+15550009003", "unreachable not_on_channel", "unreachable not_on_channel"),
        ("+15550009004", "kept", "kept"),
        ("+15550009005", "unreachable opted_out", "unreachable opted_out"),
    ] {
        for (style, expected) in
            [("rcs", buttons), ("whatsapp", buttons), ("apple", buttons), ("sms", text)]
        {
            let world = World::new(Script::Lost);
            let sent = send(&world, style, number);
            let means = match (&sent, messages(&world).len()) {
                (Ok(_), 1) => "kept".to_owned(),
                (Ok(_), 0) => "silent".to_owned(),
                _ => meaning(&sent),
            };
            assert_eq!(means, expected, "{number} {style}");
            let capability = block_on(channel(&world, style).capability(
                &number.parse().unwrap(),
                &Contact::default(),
                NOW,
            ));
            assert_eq!(
                capability.reachable,
                expected != "unreachable not_on_channel",
                "{number} {style}"
            );
            assert_eq!(capability.reason, (!capability.reachable).then_some("not_on_channel"));
            assert_eq!(capability.rich, style != "sms");
        }
    }
}

#[test]
fn live_mode_has_no_sandbox_phone() {
    let brand = brand("sandbox", &json!({}));
    let opened =
        World::new(Script::Lost).registry().open(&brand, Mode::Live, &"a-channel".parse().unwrap());
    assert!(matches!(opened, Err(OpenChannelError::Settings(_))));
}
