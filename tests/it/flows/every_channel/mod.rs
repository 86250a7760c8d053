//! Rules that hold over each provider alike: the same customer, words and buttons, in the form of every adapter.

mod providers;

use serde_json::json;
use tests::providers::{aws_messaging, whatsapp};
use tests::world::{Answer, Asked, PHONE, Reply, World};

use providers::{Does, LINES, Line, Message, alias_stops, status_names_alias};

/// Asks for a payment over one channel.
fn asks_over(world: &World, channel: &str) -> Asked {
    let mut body = world.payment(PHONE, 100);
    body["channels"] = json!([channel]);
    world.asks_for(&body)
}

fn next(world: &World) -> Answer {
    let mut body = world.payment(PHONE, 100);
    body["channels"] = json!(["phone"]);
    let answer = world.post("/v1/requests", &body);
    world.settles();
    answer
}

fn assert_stopped(world: &World, asked: &Asked, case: &str) {
    let denied = json!({ "kind": "denied", "reason": "opted_out" });
    assert_eq!(world.reads(asked)["outcome"], denied, "{case}");
    assert_eq!(next(world).status, 403, "{case}");
}

#[test]
fn stop_in_words_stops_and_ends_the_other_channels() {
    for line in LINES {
        for text in [
            "Who are you? Unsubscribe me.",
            "stop texting me\n--\nSent from my iPad",
            "Wrong number. Please remove me from your list",
            "STOPP",
        ] {
            let world = line.world();
            let asked = asks_over(&world, "phone");
            line.does(&world, Does::Writes(text));
            assert_stopped(&world, &asked, &format!("{line:?} {text}"));
        }
    }
}

#[test]
fn foreign_button_or_choice_that_says_stop_stops() {
    for line in LINES {
        for label in ["Opt out", "Stop messages"] {
            for does in [Does::Taps(label), Does::Chooses(label)] {
                let world = line.world();
                let asked = asks_over(&world, "phone");
                line.does(&world, does);
                assert_stopped(&world, &asked, &format!("{line:?} {does:?}"));
            }
        }
        let world = line.world();
        let asked = asks_over(&world, "phone");
        for does in [Does::Taps("Where is my order?"), Does::Chooses("Bus stop"), Does::Taps("No")]
        {
            line.does(&world, does);
            assert_eq!(world.state(&asked), "prompted", "{line:?} {does:?}");
        }
    }
}

#[test]
fn quotation_or_everyday_word_is_no_stop() {
    for line in LINES {
        for text in [
            "Disliked “Msg rates apply. Reply STOP to cancel”",
            "😂 to “Text STOP to end”",
            "> Reply STOP to opt out\nok thanks",
            "I never said stop texting me",
            "is there a bus stop nearby",
        ] {
            let world = line.world();
            let asked = asks_over(&world, "phone");
            line.does(&world, Does::Writes(text));
            assert_eq!(world.state(&asked), "prompted", "{line:?} {text}");
            assert_eq!(next(&world).status, 201, "{line:?} {text}");
        }
    }
}

/// Providers repeat webhooks for days. Those that report no time of a message are known by its id.
#[test]
fn older_word_reported_again_changes_nothing() {
    for line in LINES {
        let world = line.world();
        let says = |text, id, ago| {
            line.delivers(&world, Message { does: Does::Writes(text), id, ago });
        };
        says("START", "a", 7_200);
        says("STOP", "b", 3_600);
        assert_eq!(next(&world).status, 403, "{line:?}");
        says("START", "a", 7_200);
        assert_eq!(next(&world).status, 403, "{line:?}: the older start again");
        if line.has_time() {
            says("START", "a under another id", 7_200);
            assert_eq!(next(&world).status, 403, "{line:?}: its time alone says that it is older");
        }
        says("START", "c", 1_800);
        says("STOP", "b", 3_600);
        assert_eq!(next(&world).status, 201, "{line:?}: the older stop again");
        if line.has_time() {
            says("STOP", "b under another id", 3_600);
            assert_eq!(next(&world).status, 201, "{line:?}: its time alone says that it is older");
        }
    }
}

/// The customer of a prompt on this channel answers it in words. Apple's customers are asked after they wrote, see there.
#[test]
fn no_in_words_denies_a_payment_and_yes_approves_none() {
    for line in LINES.into_iter().filter(|line| *line != Line::Apple) {
        for (text, state) in [
            ("no way", "denied"),
            ("I don't want to pay", "denied"),
            ("yes", "prompted"),
            ("👍", "prompted"),
        ] {
            let world = line.world();
            let asked = asks_over(&world, line.name());
            world.time_passes(2);
            line.does(&world, Does::Writes(text));
            assert_eq!(world.state(&asked), state, "{line:?} {text}");
            assert_eq!(next(&world).status, 201, "{line:?} {text} is no opt-out");
        }
    }
}

#[test]
fn stop_from_the_id_of_a_status_counts_for_the_asked_number() {
    for line in LINES.into_iter().filter(|line| *line != Line::Apple) {
        let world = line.world();
        let asked = asks_over(&world, line.name());
        alias_stops(line, &world);
        assert_eq!(world.state(&asked), "prompted", "{line:?}: nothing ties the id yet");
        let world = line.world();
        let asked = asks_over(&world, line.name());
        status_names_alias(line, &world);
        alias_stops(line, &world);
        assert_stopped(&world, &asked, &format!("{line:?}"));
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
    for (line, host, refusal) in [
        (Line::Twilio, "api.twilio.com", twilio),
        (Line::Whatsapp, whatsapp::HOST, meta),
        (Line::AwsCards, aws_messaging::HOST, aws.clone()),
        (Line::AwsTexts, aws_messaging::HOST, aws),
    ] {
        let world = line.world();
        world.replies(host, [Reply::Status(400, refusal.to_string())]);
        let mut body = world.payment(PHONE, 100);
        body["channels"] = json!([line.name(), "phone"]);
        let asked = world.asks_for(&body);
        assert_stopped(&world, &asked, &format!("{line:?}"));
        assert!(!world.timeline(&asked).contains(&"accepted phone".to_owned()), "{line:?}");
    }
}
