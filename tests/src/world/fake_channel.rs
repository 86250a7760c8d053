//! A channel that reports what a test says that its provider reported, and keeps what it sent.
//!
//! What a provider's own words mean is each adapter's business and tested there; what follows from them is told here.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use domain::authorization::{Credential, CredentialKind};
use domain::brand::{Brand, Mode};
use domain::contact::Contact;
use domain::values::name::ChannelName;
use domain::values::phone::Phone;
use domain::values::time::Timestamp;
use http::Method;
use local::Machine;
use ports::{
    AcceptedPrompt, Callback, CallbackError, CallbackReply, Capability, Channel, Channels,
    MessageOrigin, MessagePreview, OPTED_OUT, OUTSIDE_WINDOW, OpenChannelError, Prompt,
    PromptSelector, ReceiptKinds, ReceivedWebhook, Resend, Retraction, SendError, Sender,
    ThreadMessage, UnverifiedCallback,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::calls::Answer;
use super::{Core, WorldBuilder};
use crate::lock::lock;

/// The kind of such a channel in a brand's settings.
pub const KIND: &str = "fake-channel";
/// The header that proves a callback: as it is in the channel's settings.
pub const PROOF: &str = "x-proof";

/// The messages that went out over such channels.
#[derive(Default)]
pub(super) struct FakeChannelLog {
    pub(super) sent: Mutex<Vec<Prompt>>,
    pub(super) thread_messages: Mutex<Vec<ThreadMessage>>,
    pub(super) retracted: Mutex<Vec<Retraction>>,
    pub(super) asked: Mutex<Vec<(ChannelName, Contact)>>,
}

/// The channels there are, with the fake ones among them.
pub(super) struct ChannelsWithFake {
    pub(super) others: Arc<dyn Channels>,
    pub(super) talk: Arc<FakeChannelLog>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Settings {
    /// What a callback's header must be.
    proof: String,
    /// Whether it can reach customers.
    reachable: bool,
    /// Whether a prompt is refused: "not on this channel".
    absent: bool,
    /// The reason for which each prompt is refused: `opted_out`, or nothing.
    refuses: String,
    /// Whether a look-up never comes to an end.
    silent: bool,
    /// The buttons for which a prompt has no room: `deny`.
    lacks: Vec<String>,
    /// Wallets that work within the channel.
    wallets: Vec<String>,
    /// The ids of the customer that the answer to each prompt names.
    recipient: Option<CallbackSender>,
}

impl Default for Settings {
    fn default() -> Self {
        let proof = "proven".to_owned();
        Self {
            proof,
            reachable: true,
            absent: false,
            refuses: String::new(),
            silent: false,
            lacks: Vec::new(),
            wallets: Vec::new(),
            recipient: None,
        }
    }
}

struct FakeChannel {
    name: ChannelName,
    settings: Settings,
    talk: Arc<FakeChannelLog>,
}

impl Channels for ChannelsWithFake {
    fn open(
        &self,
        brand: &Brand,
        mode: Mode,
        name: &ChannelName,
    ) -> Result<Box<dyn Channel>, OpenChannelError> {
        let setups = &brand.setup(mode).channels;
        let setup = setups.iter().find(|setup| setup.name == *name && setup.kind == KIND);
        let Some(setup) = setup else { return self.others.open(brand, mode, name) };
        let settings = setup.settings.read();
        let settings = settings.map_err(|error| OpenChannelError::Settings(error.into()))?;
        let talk = Arc::clone(&self.talk);
        Ok(Box::new(FakeChannel { name: name.clone(), settings, talk }))
    }
}

/// A webhook of a test's provider, as JSON.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct CallbackBody {
    callbacks: Vec<CallbackEvent>,
    refusal: bool,
}

impl Default for CallbackBody {
    fn default() -> Self {
        Self { callbacks: Vec::new(), refusal: true }
    }
}

#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct CallbackSender {
    phone: Option<Phone>,
    handle: Option<String>,
    features: Vec<String>,
    /// The id of the message.
    id: Option<String>,
    /// When the message was written.
    at: Option<Timestamp>,
}

impl From<CallbackSender> for Sender {
    fn from(who: CallbackSender) -> Self {
        Self { phone: who.phone, handle: who.handle, features: who.features }
    }
}

impl From<CallbackSender> for MessageOrigin {
    fn from(who: CallbackSender) -> Self {
        Self { message_id: who.id.clone(), written_at: who.at, from: who.into() }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum CallbackEvent {
    Delivered { about: String },
    Failed { about: String, reason: Option<String> },
    Recipient { about: String, recipient: CallbackSender },
    Active { from: CallbackSender },
    Tapped { postback: String, label: Option<String>, from: CallbackSender },
    Paid { about: String, token: String },
    Stop { from: CallbackSender },
    Start { from: CallbackSender },
    Wrote { from: CallbackSender, text: String, intent: Option<String> },
}

fn about(text: &str) -> Result<PromptSelector, CallbackError> {
    let exact = text.parse().map(PromptSelector::Exact);
    exact
        .or_else(|_| text.parse().map(PromptSelector::Prompt))
        .map_err(|_not_one| CallbackError::Malformed)
}

impl CallbackEvent {
    fn read(self) -> Result<Callback, CallbackError> {
        Ok(match self {
            Self::Delivered { about: of } => Callback::Delivered(about(&of)?),
            Self::Failed { about: of, reason } => {
                let known = [OPTED_OUT, OUTSIDE_WINDOW];
                let reason = known.into_iter().find(|known| reason.as_deref() == Some(*known));
                let reason = reason.unwrap_or("unreachable");
                Callback::Failed(about(&of)?, reason)
            }
            Self::Recipient { about: of, recipient } => {
                Callback::Recipient { about: about(&of)?, recipient: recipient.into() }
            }
            Self::Active { from } => Callback::Active(from.into()),
            Self::Tapped { postback, label, from } => {
                Callback::Tapped { postback, label, origin: from.into() }
            }
            Self::Paid { about: of, token } => {
                let kind = CredentialKind::PaymentMethod;
                let credential = Credential::new(kind, token);
                Callback::Paid { about: about(&of)?, credential }
            }
            Self::Stop { from } => Callback::Stop(from.into()),
            Self::Start { from } => Callback::Start(from.into()),
            Self::Wrote { from, text, intent } => {
                Callback::Wrote { origin: from.into(), text, intent }
            }
        })
    }
}

fn reply(body: &str) -> CallbackReply {
    CallbackReply { status: 200, content_type: "text/plain", body: body.to_owned() }
}

#[async_trait]
impl Channel for FakeChannel {
    fn resend(&self) -> Resend {
        Resend::Safe
    }

    fn receipts(&self) -> ReceiptKinds {
        ReceiptKinds { delivered: true, read: true }
    }

    async fn capability(&self, _: &Phone, contact: &Contact, _: Timestamp) -> Capability {
        lock(&self.talk.asked).push((self.name.clone(), contact.clone()));
        if self.settings.silent {
            std::future::pending::<()>().await;
        }
        Capability {
            reachable: self.settings.reachable,
            rich: true,
            wallets: self.settings.wallets.clone(),
            receipts: self.receipts(),
            reason: (!self.settings.reachable).then_some("not_on_channel"),
        }
    }

    fn preview(&self, prompt: &Prompt) -> Option<MessagePreview> {
        let labels = prompt.buttons.iter().map(|button| button.label.clone()).collect();
        Some(MessagePreview::card(prompt.title.clone(), prompt.body.clone(), labels))
    }

    async fn send(&self, prompt: &Prompt) -> Result<AcceptedPrompt, SendError> {
        if self.settings.absent {
            return Err(SendError::Unreachable { reason: "not_on_channel" });
        }
        if self.settings.refuses == OPTED_OUT {
            return Err(SendError::Unreachable { reason: OPTED_OUT });
        }
        lock(&self.talk.sent).push(prompt.clone());
        let recipient = self.settings.recipient.clone().unwrap_or_default().into();
        Ok(AcceptedPrompt { recipient, ..AcceptedPrompt::new(None) })
    }

    fn is_chat(&self) -> bool {
        true
    }

    fn needs_way_out(&self, _: &Prompt) -> bool {
        self.settings.lacks.iter().any(|button| button == "deny")
    }

    async fn send_in_thread(&self, message: &ThreadMessage) -> Result<AcceptedPrompt, SendError> {
        lock(&self.talk.thread_messages).push(message.clone());
        Ok(AcceptedPrompt::new(None))
    }

    async fn retract(&self, retraction: &Retraction) -> bool {
        lock(&self.talk.retracted).push(retraction.clone());
        true
    }

    fn receive(&self, callback: &UnverifiedCallback) -> Result<ReceivedWebhook, CallbackError> {
        let proof = callback.headers.get(PROOF).and_then(|value| value.to_str().ok());
        if proof != Some(self.settings.proof.as_str()) {
            return Err(CallbackError::Forged);
        }
        let parsed: CallbackBody =
            serde_json::from_slice(&callback.body).map_err(|_not_one| CallbackError::Malformed)?;
        let callbacks =
            parsed.callbacks.into_iter().map(CallbackEvent::read).collect::<Result<_, _>>()?;
        let refusal = parsed.refusal.then(|| reply("refused"));
        Ok(ReceivedWebhook { callbacks, reply: reply("taken"), refusal })
    }
}

/// The messages that went out over the fake channels of a world.
#[derive(Default)]
pub struct SentMessages {
    /// The prompts sent, oldest first.
    pub sent: Vec<Prompt>,
    /// The messages in the thread of a prompt, oldest first.
    pub thread_messages: Vec<ThreadMessage>,
    /// The prompts taken back, oldest first.
    pub retracted: Vec<Retraction>,
    /// What was known of the customer whenever a channel was asked what it can do, by the channel's name.
    pub asked: BTreeMap<String, Vec<Contact>>,
}

impl FakeChannelLog {
    pub(super) fn sent_messages(&self) -> SentMessages {
        let mut asked: BTreeMap<String, Vec<Contact>> = BTreeMap::new();
        for (name, contact) in lock(&self.asked).iter() {
            asked.entry(name.as_str().to_owned()).or_default().push(contact.clone());
        }
        SentMessages {
            sent: lock(&self.sent).clone(),
            thread_messages: lock(&self.thread_messages).clone(),
            retracted: lock(&self.retracted).clone(),
            asked,
        }
    }
}

/// Puts the fake channels among those of a machine.
pub(super) fn join(machine: &mut Machine) -> Arc<FakeChannelLog> {
    let talk = Arc::new(FakeChannelLog::default());
    let others = Arc::clone(&machine.intake.channels);
    let channels: Arc<dyn Channels> =
        Arc::new(ChannelsWithFake { others, talk: Arc::clone(&talk) });
    let first = "the machine has no other holder yet";
    Arc::get_mut(&mut machine.intake).expect(first).channels = Arc::clone(&channels);
    Arc::get_mut(&mut machine.send_prompt).expect(first).channels = Arc::clone(&channels);
    Arc::get_mut(&mut machine.consent_callback).expect(first).channels = channels;
    talk
}

impl WorldBuilder {
    /// The brand has fake channels of these names in test mode, and no others.
    #[must_use]
    pub fn with_fake_channels(self, names: &[&str]) -> Self {
        let channels = names.iter().map(|name| json!({ "name": name, "kind": KIND }));
        self.with("/test/channels", &channels.collect())
    }
}

impl Core {
    /// Returns what went out over the fake channels.
    #[must_use]
    pub fn sent_messages(&self) -> SentMessages {
        self.talk.sent_messages()
    }

    /// A provider of a channel of the demo brand tells something. Nothing that follows from it is done yet.
    pub fn channel_sends(&self, channel: &str, callbacks: &Value) -> Answer {
        let call = self.call(Method::POST, &format!("/callbacks/demo/{channel}"));
        let body = json!({ "callbacks": callbacks });
        call.key(None).idempotency(None).header(PROOF, "proven").json(&body).send()
    }
}
