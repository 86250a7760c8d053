//! Each provider's form of a customer's message, and of a status.

use std::time::Duration;

use domain::values::time::Timestamp;
use http::Method;
use serde_json::{Value, json};
use tests::providers::{apple, aws_messaging, rbm, whatsapp};
use tests::world::{PHONE, PUBLIC_BASE, World, brand, topics};

use super::super::sms_twilio::signed;

/// A provider of a channel, as an adapter speaks to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ChannelAdapter {
    Whatsapp,
    Twilio,
    TwilioCards,
    TwilioWhatsapp,
    Google,
    AwsCards,
    AwsTexts,
    Apple,
}

pub(super) const CHANNEL_ADAPTERS: [ChannelAdapter; 8] = [
    ChannelAdapter::Whatsapp,
    ChannelAdapter::Twilio,
    ChannelAdapter::TwilioCards,
    ChannelAdapter::TwilioWhatsapp,
    ChannelAdapter::Google,
    ChannelAdapter::AwsCards,
    ChannelAdapter::AwsTexts,
    ChannelAdapter::Apple,
];

/// An action of a customer.
#[derive(Clone, Copy, Debug)]
pub(super) enum CustomerAction<'a> {
    /// Writes a text.
    Writes(&'a str),
    /// Taps a button that is not ours, with this label.
    Taps(&'a str),
    /// Chooses from a list that is not ours, or taps such a button where a channel has no lists.
    Chooses(&'a str),
}

/// A customer's message: what, under which id, and how long ago.
#[derive(Clone, Copy, Debug)]
pub(super) struct Message<'a> {
    pub(super) action: CustomerAction<'a>,
    pub(super) id: &'a str,
    pub(super) ago: u64,
}

impl ChannelAdapter {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Whatsapp | Self::TwilioWhatsapp => "whatsapp",
            Self::Twilio | Self::AwsTexts => "sms",
            Self::Google | Self::AwsCards | Self::TwilioCards => "rcs",
            Self::Apple => "apple",
        }
    }

    fn channel(self) -> Value {
        let settings = match self {
            Self::Whatsapp => whatsapp::settings(),
            Self::Twilio => brand::twilio(),
            Self::TwilioCards => brand::twilio_chat("rcs:demo_agent"),
            Self::TwilioWhatsapp => brand::twilio_chat("whatsapp:+15005550006"),
            Self::Google => rbm::settings(),
            Self::AwsCards => return topics::rcs(),
            Self::AwsTexts => return topics::sms(),
            Self::Apple => apple::settings(),
        };
        json!({ "name": self.name(), "kind": self.name(), "settings": settings })
    }

    /// Returns whether a message says when it was written or published.
    pub(super) const fn has_time(self) -> bool {
        match self {
            Self::Whatsapp | Self::Google | Self::AwsCards | Self::AwsTexts => true,
            Self::Twilio | Self::TwilioCards | Self::TwilioWhatsapp | Self::Apple => false,
        }
    }

    /// Returns how Twilio writes a number on this channel.
    fn at_twilio(self, number: &str) -> String {
        match self {
            Self::TwilioCards | Self::TwilioWhatsapp => format!("{}:{number}", self.name()),
            Self::Whatsapp
            | Self::Twilio
            | Self::Google
            | Self::AwsCards
            | Self::AwsTexts
            | Self::Apple => number.to_owned(),
        }
    }

    /// Returns how Twilio writes the other spelling. A messaging service may send a text over RCS.
    fn alias_at_twilio(self) -> String {
        if self == Self::Twilio { format!("rcs:{ALIAS}") } else { self.at_twilio(ALIAS) }
    }

    /// A brand with this channel, and with a phone of the sandbox over which it asks.
    pub(super) fn world(self) -> World {
        let phone = json!({ "name": "phone", "kind": "sandbox" });
        World::builder()
            .with("/test/channels", &json!([self.channel(), phone]))
            .with("/policy", &policy())
            .build()
    }

    /// Delivers a customer's message. The same message again is a repeat of the provider's.
    pub(super) fn delivers(self, world: &World, message: Message<'_>) {
        let at = world.now().before(Duration::from_secs(message.ago));
        let post = |path: &str| world.call(Method::POST, path).key(None).idempotency(None);
        match self {
            Self::Whatsapp => {
                let posted = whatsapp::posted(&[on_whatsapp(message, at)]);
                let call = post("/callbacks/demo/whatsapp");
                let call = call.header("x-hub-signature-256", &posted.signature);
                call.body(posted.body).send().ok(200);
            }
            Self::Twilio | Self::TwilioCards | Self::TwilioWhatsapp => {
                let from = self.at_twilio(PHONE);
                let mut pairs = vec![("From", from.as_str()), ("MessageSid", message.id)];
                pairs.extend(match message.action {
                    CustomerAction::Writes(text) => [("Body", text), ("SmsStatus", "received")],
                    CustomerAction::Taps(label) => {
                        [("ButtonText", label), ("ButtonPayload", "b-17")]
                    }
                    CustomerAction::Chooses(label) => [("Body", label), ("ListId", "r-3")],
                });
                let path = format!("/callbacks/demo/{}", self.name());
                signed(world, &path, &pairs, brand::TWILIO_TOKEN).ok(200);
            }
            Self::Google => {
                let callback = rbm::SignedEvent::of(on_google(message, at).to_string().as_bytes());
                let call = post("/callbacks/demo/rcs");
                let call = call.header("x-goog-signature", &callback.signature);
                call.body(callback.body).send().ok(200);
            }
            Self::AwsCards | Self::AwsTexts => {
                let topic = format!("assent_demo_{}", self.name());
                let text = on_aws(message).to_string();
                let event = aws_messaging::events::published_at(&topic, &text, &at.to_string());
                world.hands(event);
            }
            Self::Apple => {
                let body = on_apple(message).to_string();
                let posted = apple::posted(body.as_bytes(), world.now());
                let call = post("/callbacks/demo/apple/message");
                let headers = posted.headers.iter();
                let call = headers.fold(call, |call, (name, value)| call.header(name, value));
                call.body(posted.body).send().ok(200);
            }
        }
        world.run_until_idle();
    }

    pub(super) fn send(self, world: &World, action: CustomerAction<'_>) {
        self.delivers(world, Message { action, id: "in-1", ago: 0 });
    }
}

fn on_whatsapp(Message { action, id, .. }: Message<'_>, at: Timestamp) -> Value {
    let number = PHONE.trim_start_matches('+');
    let what = match action {
        CustomerAction::Writes(text) => json!({ "type": "text", "text": { "body": text } }),
        CustomerAction::Taps(label) => {
            json!({ "type": "button", "button": { "payload": "b-17", "text": label } })
        }
        CustomerAction::Chooses(label) => json!({
            "type": "interactive",
            "interactive": { "type": "list_reply", "list_reply": { "id": "r-3", "title": label } },
        }),
    };
    let mut message = json!({ "from": number, "id": id, "timestamp": at.as_secs().to_string() });
    message.as_object_mut().unwrap().extend(what.as_object().unwrap().clone());
    let settings = whatsapp::settings();
    json!({
        "messaging_product": "whatsapp", "contacts": [{ "wa_id": number }], "messages": [message],
        "metadata": { "phone_number_id": settings["phone_number_id"] },
    })
}

fn on_google(Message { action, id, .. }: Message<'_>, at: Timestamp) -> Value {
    let mut event = json!({
        "agentId": rbm::AGENT, "senderPhoneNumber": PHONE, "messageId": id,
        "sendTime": at.to_string(),
    });
    match action {
        CustomerAction::Writes(text) => event["text"] = json!(text),
        CustomerAction::Taps(label) | CustomerAction::Chooses(label) => {
            event["suggestionResponse"] = json!({ "postbackData": "b-17", "text": label });
        }
    }
    event
}

fn on_aws(Message { action, id, .. }: Message<'_>) -> Value {
    let body = match action {
        CustomerAction::Writes(text) => text.to_owned(),
        CustomerAction::Taps(label) | CustomerAction::Chooses(label) => {
            json!({ "type": "SUGGESTION", "text": label, "postbackData": "b-17" }).to_string()
        }
    };
    json!({ "originationNumber": PHONE, "messageBody": body, "inboundMessageId": id })
}

fn on_apple(Message { action, id, .. }: Message<'_>) -> Value {
    let item = |label: &str| json!({ "identifier": "b-17", "title": label });
    let what = match action {
        CustomerAction::Writes(text) => json!({ "type": "text", "body": text }),
        CustomerAction::Taps(label) => {
            let reply = json!({ "items": [item("Menu"), item(label)], "selectedIndex": 1 });
            json!({ "type": "interactive", "interactiveData": { "data": { "quick-reply": reply } } })
        }
        CustomerAction::Chooses(label) => {
            let picker = json!({ "sections": [{ "items": [item(label)] }] });
            json!({ "type": "interactive", "interactiveData": { "data": { "listPicker": picker } } })
        }
    };
    let mut message = json!({
        "v": 1, "id": id, "sourceId": format!("tel:{PHONE}"),
        "destinationId": apple::settings()["business_id"],
    });
    message.as_object_mut().unwrap().extend(what.as_object().unwrap().clone());
    message
}

fn policy() -> Value {
    json!({
        "text_replies": true, "session_code": false, "open_max": 9, "prompts_per_ten_minutes": 99,
        "denials_per_ten_minutes": 99, "fallback_seconds": 300, "cooldown_seconds": 1,
    })
}

/// Another spelling of the customer's number, as a provider may report it.
const ALIAS: &str = "+5215512345678";

/// Reports the recipient of the newest prompt under another number.
pub(super) fn status_names_alias(adapter: ChannelAdapter, world: &World) {
    let post = |path: &str| world.call(Method::POST, path).key(None).idempotency(None);
    match adapter {
        ChannelAdapter::Whatsapp => {
            let mut callback =
                world.whatsapp().status(&world.whatsapp().newest(), "sent", world.now());
            callback["statuses"][0]["recipient_id"] = json!(ALIAS.trim_start_matches('+'));
            let posted = whatsapp::posted(&[callback]);
            let call = post("/callbacks/demo/whatsapp");
            let call = call.header("x-hub-signature-256", &posted.signature);
            call.body(posted.body).send().ok(200);
        }
        ChannelAdapter::Twilio | ChannelAdapter::TwilioCards | ChannelAdapter::TwilioWhatsapp => {
            let sent = world.calls_to("api.twilio.com").pop().unwrap();
            let callback = form_urlencoded::parse(&sent.body);
            let callback = callback.into_owned().find(|(name, _)| name == "StatusCallback");
            let uri = callback.unwrap().1.replacen(PUBLIC_BASE, "", 1);
            let to = adapter.alias_at_twilio();
            let pairs = [("MessageSid", "SM0"), ("MessageStatus", "sent"), ("To", to.as_str())];
            signed(world, &uri, &pairs, brand::TWILIO_TOKEN).ok(200);
        }
        ChannelAdapter::Google => {
            let card = world.rbm().messages().pop().unwrap();
            let receipt = json!({
                "senderPhoneNumber": ALIAS, "eventType": "DELIVERED", "eventId": "Ev1",
                "messageId": card.id, "agentId": rbm::AGENT,
            });
            let callback = rbm::SignedEvent::of(receipt.to_string().as_bytes());
            let call = post("/callbacks/demo/rcs").header("x-goog-signature", &callback.signature);
            call.body(callback.body).send().ok(200);
        }
        ChannelAdapter::AwsCards => {
            let reference = world.reference(0).to_string();
            let event = aws_messaging::events::of_card("RCS_SENT", "SENT", &reference, ALIAS);
            world.topic_sends("rcs", &event);
        }
        ChannelAdapter::AwsTexts => {
            let reference = world.reference(0).to_string();
            let event = aws_messaging::events::of_text("QUEUED", &reference, ALIAS);
            world.topic_sends("sms", &event);
        }
        // Apple reports no status. Its customers are known by the entry link and by taps.
        ChannelAdapter::Apple => {}
    }
    world.run_until_idle();
}

/// Delivers a stop from the other spelling.
pub(super) fn alias_stops(adapter: ChannelAdapter, world: &World) {
    let post = |path: &str| world.call(Method::POST, path).key(None).idempotency(None);
    match adapter {
        ChannelAdapter::Whatsapp => {
            let person = whatsapp::Person::at(ALIAS);
            let posted = whatsapp::posted(&[world.whatsapp().writes(&person, "STOP", world.now())]);
            let call = post("/callbacks/demo/whatsapp");
            let call = call.header("x-hub-signature-256", &posted.signature);
            call.body(posted.body).send().ok(200);
        }
        ChannelAdapter::Twilio | ChannelAdapter::TwilioCards | ChannelAdapter::TwilioWhatsapp => {
            let from = adapter.alias_at_twilio();
            let pairs = [("From", from.as_str()), ("MessageSid", "SM1"), ("Body", "STOP")];
            let path = format!("/callbacks/demo/{}", adapter.name());
            signed(world, &path, &pairs, brand::TWILIO_TOKEN).ok(200);
        }
        ChannelAdapter::Google => {
            let callback = world.rbm().writes(ALIAS, "STOP");
            let call = post("/callbacks/demo/rcs").header("x-goog-signature", &callback.signature);
            call.body(callback.body).send().ok(200);
        }
        ChannelAdapter::AwsCards | ChannelAdapter::AwsTexts => {
            world.topic_sends(adapter.name(), &aws_messaging::events::text(ALIAS, "STOP"));
        }
        ChannelAdapter::Apple => {}
    }
    world.run_until_idle();
}
