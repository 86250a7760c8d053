//! Rules that hold over each provider alike: the same customer, words and buttons, in the form of every adapter.

mod providers;

use serde_json::json;
use tests::providers::{aws_messaging, whatsapp};
use tests::world::{Answer, CreatedRequest, PHONE, Reply, World};

use providers::{
    CHANNEL_ADAPTERS, ChannelAdapter, CustomerAction, Message, alias_stops, status_names_alias,
};

/// Asks for a payment over one channel.
fn asks_over(world: &World, channel: &str) -> CreatedRequest {
    let mut body = world.payment(PHONE, 100);
    body["channels"] = json!([channel]);
    world.asks_for(&body)
}

fn next(world: &World) -> Answer {
    let mut body = world.payment(PHONE, 100);
    body["channels"] = json!(["phone"]);
    let answer = world.post("/v1/requests", &body);
    world.run_until_idle();
    answer
}

fn assert_stopped(world: &World, asked: &CreatedRequest, case: &str) {
    let denied = json!({ "kind": "denied", "reason": "opted_out" });
    assert_eq!(world.reads(asked)["outcome"], denied, "{case}");
    assert_eq!(next(world).status, 403, "{case}");
}

#[test]
fn stop_in_words_stops_and_ends_the_other_channels() {
    for adapter in CHANNEL_ADAPTERS {
        for text in [
            "Who are you? Unsubscribe me.",
            "stop texting me\n--\nSent from my iPad",
            "Wrong number. Please remove me from your list",
            "STOPP",
        ] {
            let world = adapter.world();
            let asked = asks_over(&world, "phone");
            adapter.send(&world, CustomerAction::Writes(text));
            assert_stopped(&world, &asked, &format!("{adapter:?} {text}"));
        }
    }
}

#[test]
fn foreign_button_or_choice_that_says_stop_stops() {
    for adapter in CHANNEL_ADAPTERS {
        for label in ["Opt out", "Stop messages"] {
            for action in [CustomerAction::Taps(label), CustomerAction::Chooses(label)] {
                let world = adapter.world();
                let asked = asks_over(&world, "phone");
                adapter.send(&world, action);
                assert_stopped(&world, &asked, &format!("{adapter:?} {action:?}"));
            }
        }
        let world = adapter.world();
        let asked = asks_over(&world, "phone");
        for action in [
            CustomerAction::Taps("Where is my order?"),
            CustomerAction::Chooses("Bus stop"),
            CustomerAction::Taps("No"),
        ] {
            adapter.send(&world, action);
            assert_eq!(world.state(&asked), "prompted", "{adapter:?} {action:?}");
        }
    }
}

#[test]
fn quotation_or_everyday_word_is_no_stop() {
    for adapter in CHANNEL_ADAPTERS {
        for text in [
            "Disliked “Msg rates apply. Reply STOP to cancel”",
            "😂 to “Text STOP to end”",
            "> Reply STOP to opt out\nok thanks",
            "I never said stop texting me",
            "is there a bus stop nearby",
        ] {
            let world = adapter.world();
            let asked = asks_over(&world, "phone");
            adapter.send(&world, CustomerAction::Writes(text));
            assert_eq!(world.state(&asked), "prompted", "{adapter:?} {text}");
            assert_eq!(next(&world).status, 201, "{adapter:?} {text}");
        }
    }
}

/// Providers repeat webhooks for days. Those that report no time of a message are known by its id.
#[test]
fn older_word_reported_again_changes_nothing() {
    for adapter in CHANNEL_ADAPTERS {
        let world = adapter.world();
        let says = |text, id, ago| {
            adapter.delivers(&world, Message { action: CustomerAction::Writes(text), id, ago });
        };
        says("START", "a", 7_200);
        says("STOP", "b", 3_600);
        assert_eq!(next(&world).status, 403, "{adapter:?}");
        says("START", "a", 7_200);
        assert_eq!(next(&world).status, 403, "{adapter:?}: the older start again");
        if adapter.has_time() {
            says("START", "a under another id", 7_200);
            assert_eq!(
                next(&world).status,
                403,
                "{adapter:?}: its time alone says that it is older"
            );
        }
        says("START", "c", 1_800);
        says("STOP", "b", 3_600);
        assert_eq!(next(&world).status, 201, "{adapter:?}: the older stop again");
        if adapter.has_time() {
            says("STOP", "b under another id", 3_600);
            assert_eq!(
                next(&world).status,
                201,
                "{adapter:?}: its time alone says that it is older"
            );
        }
    }
}

/// The customer of a prompt on this channel answers it in words. Apple's customers are asked after they wrote, see there.
#[test]
fn no_in_words_denies_a_payment_and_yes_approves_none() {
    for adapter in CHANNEL_ADAPTERS.into_iter().filter(|adapter| *adapter != ChannelAdapter::Apple)
    {
        for (text, state) in [
            ("no way", "denied"),
            ("I don't want to pay", "denied"),
            ("yes", "prompted"),
            ("👍", "prompted"),
        ] {
            let world = adapter.world();
            let asked = asks_over(&world, adapter.name());
            world.time_passes(2);
            adapter.send(&world, CustomerAction::Writes(text));
            assert_eq!(world.state(&asked), state, "{adapter:?} {text}");
            assert_eq!(next(&world).status, 201, "{adapter:?} {text} is no opt-out");
        }
    }
}

#[test]
fn stop_from_the_id_of_a_status_counts_for_the_asked_number() {
    for adapter in CHANNEL_ADAPTERS.into_iter().filter(|adapter| *adapter != ChannelAdapter::Apple)
    {
        let world = adapter.world();
        let asked = asks_over(&world, adapter.name());
        alias_stops(adapter, &world);
        assert_eq!(world.state(&asked), "prompted", "{adapter:?}: nothing ties the id yet");
        let world = adapter.world();
        let asked = asks_over(&world, adapter.name());
        status_names_alias(adapter, &world);
        alias_stops(adapter, &world);
        assert_stopped(&world, &asked, &format!("{adapter:?}"));
    }
}

#[test]
fn provider_that_refuses_an_opted_out_customer_is_believed() {
    let twilio = json!({ "code": 21_610, "message": "unsubscribed", "status": 400 });
    let meta =
        json!({ "error": { "code": 131_050, "message": "stopped", "type": "OAuthException" } });
    let aws = json!({
        "__type": "ConflictException", "Message": "opted out",
        "Reason": "DESTINATION_PHONE_NUMBER_OPTED_OUT", "ResourceType": "opted-out-number",
    });
    for (adapter, host, refusal) in [
        (ChannelAdapter::Twilio, "api.twilio.com", twilio.clone()),
        (ChannelAdapter::TwilioCards, "api.twilio.com", twilio.clone()),
        (ChannelAdapter::TwilioWhatsapp, "api.twilio.com", twilio),
        (ChannelAdapter::Whatsapp, whatsapp::HOST, meta),
        (ChannelAdapter::AwsCards, aws_messaging::HOST, aws.clone()),
        (ChannelAdapter::AwsTexts, aws_messaging::HOST, aws),
    ] {
        let world = adapter.world();
        world.replies(host, [Reply::Status(400, refusal.to_string())]);
        let mut body = world.payment(PHONE, 100);
        body["channels"] = json!([adapter.name(), "phone"]);
        let asked = world.asks_for(&body);
        assert_stopped(&world, &asked, &format!("{adapter:?}"));
        assert!(!world.timeline(&asked).contains(&"accepted phone".to_owned()), "{adapter:?}");
    }
}
