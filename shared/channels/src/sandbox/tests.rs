//! The sandbox phone's looks and its magic numbers.

use domain::brand::Mode;
use domain::contact::Contact;
use domain::ports::{Accepted, Channel, Channels, OpenChannelError, Retraction, SendError};
use domain::sandbox::{self, PhoneMessage, Tap};
use pollster::block_on;
use serde_json::json;

use crate::doubles::{NOW, PHONE, Script, World, brand, meaning, prompt_to, reference};

fn channel(world: &World, look: &str) -> Box<dyn Channel> {
    world.open("sandbox", &json!({"look": look})).unwrap()
}

fn phone(world: &World) -> Vec<PhoneMessage> {
    world.store.items.lock().unwrap().values().map(|item| sandbox::read(item).unwrap()).collect()
}

fn send(world: &World, look: &str, to: &str) -> Result<Accepted, SendError> {
    block_on(channel(world, look).send(&prompt_to(to)))
}

#[test]
fn the_rich_look_has_a_title_and_three_things_to_tap() {
    let world = World::new(Script::Lost);
    send(&world, "rich", PHONE).unwrap();
    let messages = phone(&world);
    let [message] = messages.as_slice() else { panic!("one message") };
    let prompt = prompt_to(PHONE);
    assert_eq!(
        (&message.title, &message.text, &message.link),
        (&prompt.title, &prompt.body, &prompt.link)
    );
    let taps: Vec<Tap> = message.actions.iter().map(|action| action.action).collect();
    assert_eq!(taps, [Tap::Approve, Tap::Decline, Tap::NotMe]);
    assert_eq!(message.channel.as_str(), "a-channel");
}

#[test]
fn the_text_look_is_the_text_alone() {
    let world = World::new(Script::Lost);
    send(&world, "text", PHONE).unwrap();
    let messages = phone(&world);
    assert_eq!(messages[0].text, prompt_to(PHONE).text);
    assert!(messages[0].title.is_empty() && messages[0].actions.is_empty());
}

#[test]
fn sending_the_same_prompt_twice_leaves_one_message_even_after_it_was_taken_back() {
    let world = World::new(Script::Lost);
    let retraction =
        Retraction { reference: reference(), to: PHONE.parse().unwrap(), provider_id: None };
    assert_eq!(send(&world, "rich", PHONE).unwrap(), send(&world, "rich", PHONE).unwrap());
    assert!(block_on(channel(&world, "rich").retract(&retraction)));
    assert!(block_on(channel(&world, "rich").retract(&retraction)));
    send(&world, "rich", PHONE).unwrap();
    let messages = phone(&world);
    assert_eq!((messages.len(), messages[0].retracted), (1, true));
}

#[test]
fn each_magic_number_does_what_it_says_in_each_look() {
    for (number, rich, text) in [
        ("+15550009001", "unreachable not_on_channel", "kept"),
        ("+15550009002", "silent", "kept"),
        ("+15550009003", "unreachable not_on_channel", "unreachable not_on_channel"),
        ("+15550009004", "kept", "kept"),
    ] {
        for (look, expected) in [("rich", rich), ("text", text)] {
            let world = World::new(Script::Lost);
            let sent = send(&world, look, number);
            let means = match (&sent, phone(&world).len()) {
                (Ok(_), 1) => "kept".to_owned(),
                (Ok(_), 0) => "silent".to_owned(),
                _ => meaning(&sent),
            };
            assert_eq!(means, expected, "{number} {look}");
            let capability = block_on(channel(&world, look).capability(
                &number.parse().unwrap(),
                &Contact::default(),
                NOW,
            ));
            assert_eq!(
                capability.reachable,
                !expected.starts_with("unreachable"),
                "{number} {look}"
            );
            assert_eq!(capability.reason, (!capability.reachable).then_some("not_on_channel"));
            assert_eq!(capability.rich, look == "rich");
        }
    }
}

#[test]
fn there_is_no_sandbox_phone_in_live_mode() {
    let brand = brand("sandbox", &json!({}));
    let opened =
        World::new(Script::Lost).registry().open(&brand, Mode::Live, &"a-channel".parse().unwrap());
    assert!(matches!(opened, Err(OpenChannelError::Settings(_))));
}
