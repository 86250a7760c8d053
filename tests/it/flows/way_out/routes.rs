//! The channels as customers have them, and brands that ask over them.

use serde_json::{Value, json};
use tests::providers::apple::{self, Person};
use tests::providers::{aws_messaging, rbm, ses, twilio, whatsapp};
use tests::world::{PHONE, World, WorldBuilder, brand, topics};

use super::super::apple::introduced;
use super::super::sms_twilio::signed;
use super::super::whatsapp::writes;

/// A channel as a customer has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route {
    Google,
    Aws,
    WhatsappTemplate,
    WhatsappChat,
    TwilioRcs,
    TwilioTemplate,
    TwilioChat,
    AppleQuickReplies,
    AppleList,
    AppleWithoutButtons,
    Sms,
    SandboxRcs,
    SandboxWhatsapp,
    SandboxApple,
    SandboxSms,
    Mail,
    SandboxMail,
}

pub(super) const ROUTES: [Route; 17] = [
    Route::Google,
    Route::Aws,
    Route::WhatsappTemplate,
    Route::WhatsappChat,
    Route::TwilioRcs,
    Route::TwilioTemplate,
    Route::TwilioChat,
    Route::AppleQuickReplies,
    Route::AppleList,
    Route::AppleWithoutButtons,
    Route::Sms,
    Route::SandboxRcs,
    Route::SandboxWhatsapp,
    Route::SandboxApple,
    Route::SandboxSms,
    Route::Mail,
    Route::SandboxMail,
];

/// The form in which a policy wants the session code of a payment.
#[derive(Clone, Copy, Debug)]
pub(super) enum Code {
    Picked,
    Typed,
    Off,
}

/// The place where the customer approves.
#[derive(Clone, Copy, Debug)]
pub(super) enum Approval {
    Chat,
    Page,
}

impl Route {
    /// Returns whether no message of the channel has buttons.
    pub(super) const fn is_text(self) -> bool {
        match self {
            Self::AppleWithoutButtons
            | Self::Sms
            | Self::SandboxSms
            | Self::Mail
            | Self::SandboxMail => true,
            Self::Google
            | Self::Aws
            | Self::WhatsappTemplate
            | Self::WhatsappChat
            | Self::TwilioRcs
            | Self::TwilioTemplate
            | Self::TwilioChat
            | Self::AppleQuickReplies
            | Self::AppleList
            | Self::SandboxRcs
            | Self::SandboxWhatsapp
            | Self::SandboxApple => false,
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Google | Self::Aws | Self::TwilioRcs | Self::SandboxRcs => "rcs",
            Self::WhatsappTemplate
            | Self::WhatsappChat
            | Self::TwilioTemplate
            | Self::TwilioChat
            | Self::SandboxWhatsapp => "whatsapp",
            Self::AppleQuickReplies
            | Self::AppleList
            | Self::AppleWithoutButtons
            | Self::SandboxApple => "apple",
            Self::Sms | Self::SandboxSms => "sms",
            Self::Mail | Self::SandboxMail => "email",
        }
    }

    fn channel(self) -> Value {
        let name = self.name();
        let (kind, settings) = match self {
            Self::Google => (name, rbm::settings()),
            Self::Aws => return topics::rcs(),
            Self::Mail => return topics::mail(name),
            Self::WhatsappTemplate | Self::WhatsappChat => (name, whatsapp::settings()),
            Self::TwilioRcs => (name, brand::twilio_chat("rcs:demo_agent")),
            Self::TwilioTemplate | Self::TwilioChat => {
                (name, brand::twilio_chat("whatsapp:+15005550006"))
            }
            Self::AppleQuickReplies | Self::AppleList | Self::AppleWithoutButtons => {
                (name, apple::paying_settings())
            }
            Self::Sms => (name, brand::twilio()),
            Self::SandboxRcs
            | Self::SandboxWhatsapp
            | Self::SandboxApple
            | Self::SandboxSms
            | Self::SandboxMail => ("sandbox", json!({ "style": name })),
        };
        json!({ "name": name, "kind": kind, "settings": settings })
    }

    /// Returns the host that takes the messages; `None` for a phone of the sandbox.
    const fn host(self) -> Option<&'static str> {
        match self {
            Self::Google => Some(rbm::HOST),
            Self::Aws => Some(aws_messaging::HOST),
            Self::WhatsappTemplate | Self::WhatsappChat => Some(whatsapp::HOST),
            Self::AppleQuickReplies | Self::AppleList | Self::AppleWithoutButtons => {
                Some(apple::HOST)
            }
            Self::TwilioRcs | Self::TwilioTemplate | Self::TwilioChat | Self::Sms => {
                Some(twilio::HOST)
            }
            Self::Mail => Some(ses::HOST),
            Self::SandboxRcs
            | Self::SandboxWhatsapp
            | Self::SandboxApple
            | Self::SandboxSms
            | Self::SandboxMail => None,
        }
    }

    /// A brand that asks over this channel, with a customer who can be asked there.
    pub(super) fn world(self, code: Code, approval: Approval) -> World {
        let builder = with_code(builder(&self.channel()), code);
        let builder = match approval {
            Approval::Chat => builder.with_sandbox_identity(),
            Approval::Page => builder.with_fake_processor(&["hosted"]),
        };
        match self {
            Self::AppleQuickReplies => {
                introduced(builder, &Person::with("ada", &["QUICK", "LIST"]))
            }
            Self::AppleList => introduced(builder, &Person::with("ada", &["LIST"])),
            Self::AppleWithoutButtons => introduced(builder, &Person::with("ada", &["FORM"])),
            Self::WhatsappChat => {
                let world = builder.build();
                writes(&world, &whatsapp::Person::at(PHONE), "hello");
                world
            }
            Self::TwilioChat => {
                let world = builder.build();
                let from = format!("whatsapp:{PHONE}");
                let wrote = [("From", from.as_str()), ("MessageSid", "SM1"), ("Body", "hello")];
                signed(&world, "/callbacks/demo/whatsapp", &wrote, brand::TWILIO_TOKEN).ok(200);
                world
            }
            Self::Google
            | Self::Aws
            | Self::WhatsappTemplate
            | Self::TwilioRcs
            | Self::TwilioTemplate
            | Self::Sms
            | Self::SandboxRcs
            | Self::SandboxWhatsapp
            | Self::SandboxApple
            | Self::SandboxSms
            | Self::Mail
            | Self::SandboxMail => builder.build(),
        }
    }

    /// Returns all messages that went to the customer, as they were sent or as the sandbox phone shows them.
    pub(super) fn messages(self, world: &World) -> Vec<String> {
        let Some(host) = self.host() else {
            let all = world.customer().all_messages().into_iter();
            return all.map(|message| message.shown.to_string()).collect();
        };
        let calls = world.calls_to(host).into_iter();
        calls.map(|call| String::from_utf8(call.body.to_vec()).unwrap()).collect()
    }
}

/// A brand with this channel and a sandbox phone that takes texts.
fn builder(channel: &Value) -> WorldBuilder {
    let texts = json!({ "name": "texts", "kind": "sandbox", "settings": { "style": "sms" } });
    World::builder().with("/test/channels", &json!([channel, texts]))
}

pub(super) fn with_code(builder: WorldBuilder, code: Code) -> WorldBuilder {
    let session_code = match code {
        Code::Picked => json!(true),
        Code::Typed => json!({ "typed_from": { "EUR": 1 } }),
        Code::Off => json!(false),
    };
    let policy = json!({
        "session_code": session_code, "open_max": 9, "prompts_per_ten_minutes": 99,
        "denials_per_ten_minutes": 99,
    });
    builder.with("/policy", &policy)
}
