//! Records what providers publish on SNS topics of our account instead of calling a webhook.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use domain::brand::{Brand, Mode};
use domain::message::MessageResult;
use domain::values::name::{BrandName, ChannelName};
use http::{HeaderMap, Method};
use ports::Listener;
use ports::{Callback, CallbackError, OpenChannelError, Proof, SecretsError, UnverifiedCallback};

use super::context::ChannelContext;
use super::webhooks::ChannelWebhooks;

/// The topics of an installation.
///
/// A topic is called `<prefix>_<brand>_<channel>` and belongs to that channel alone. Only its provider may publish there,
/// which takes the place of a signature. Where both modes of a channel have topics, the name ends in `_live` or `_test`.
/// No brand's or channel's name contains `_`, so each topic belongs to exactly one channel.
pub struct Topics {
    webhooks: ChannelWebhooks,
    prefix: String,
}

/// The brand, channel and modes that a topic belongs to.
struct TopicOwner {
    brand: BrandName,
    channel: ChannelName,
    modes: &'static [Mode],
}

/// A topic's message, as the owner's channel reads it.
enum TopicMessage {
    /// The events, in order, for the setup of this mode.
    Events(Mode, Vec<Callback>),
    /// None of the brand's channels can read the message.
    Unreadable,
    /// The channel's settings are broken, so the message may be readable later.
    SettingsBroken,
}

impl Topics {
    /// Returns the topics whose names begin with `prefix` and `_`.
    #[must_use]
    pub const fn new(webhooks: ChannelWebhooks, prefix: String) -> Self {
        Self { webhooks, prefix }
    }

    /// Returns the owner of a topic; `None` when the topic is no channel's.
    fn owner(&self, topic: &str) -> Option<TopicOwner> {
        let names = topic.strip_prefix(&self.prefix)?.strip_prefix('_')?;
        let (brand, channel) = names.split_once('_')?;
        let (channel, modes): (_, &[Mode]) = match channel.split_once('_') {
            None => (channel, &[Mode::Live, Mode::Test]),
            Some((channel, "live")) => (channel, &[Mode::Live]),
            Some((channel, "test")) => (channel, &[Mode::Test]),
            Some(_) => return None,
        };
        Some(TopicOwner { brand: brand.parse().ok()?, channel: channel.parse().ok()?, modes })
    }

    /// Reads a message with the first of the owner's setups that takes messages of topics.
    fn read(&self, brand: &Arc<Brand>, owner: &TopicOwner, text: &str) -> TopicMessage {
        let callback = UnverifiedCallback {
            method: Method::POST,
            url: String::new(),
            headers: HeaderMap::new(),
            body: Bytes::copy_from_slice(text.as_bytes()),
            now: self.webhooks.ports.clock.now(),
            proof: Proof::Topic,
        };
        let mut worst = TopicMessage::Unreadable;
        for mode in owner.modes.iter().copied() {
            match self.webhooks.channels.open(brand, mode, &owner.channel) {
                Ok(channel) => match channel.receive(&callback) {
                    Ok(received) => return TopicMessage::Events(mode, received.callbacks),
                    Err(CallbackError::None | CallbackError::Forged | CallbackError::Malformed) => {
                    }
                },
                Err(OpenChannelError::Absent) => {}
                Err(OpenChannelError::Settings(_)) => worst = TopicMessage::SettingsBroken,
            }
        }
        worst
    }
}

#[async_trait]
impl Listener for Topics {
    async fn receive(&self, topic: &str, text: &str) -> MessageResult {
        let Some(owner) = self.owner(topic) else {
            tracing::error!(topic.name = topic, "topic message dropped: no channel owns the topic");
            return MessageResult::Done;
        };
        let brand = match self.webhooks.ports.secrets.brand(&owner.brand).await {
            Ok(brand) => brand,
            Err(SecretsError::Unknown) => {
                tracing::error!(topic.name = topic, "topic message dropped: no such brand");
                return MessageResult::Done;
            }
            Err(error @ (SecretsError::Damaged(_) | SecretsError::Unavailable(_))) => {
                tracing::error!(topic.name = topic, error = %error, "failed to read the brand's secret");
                return MessageResult::Again;
            }
        };
        let (mode, callbacks) = match self.read(&brand, &owner, text) {
            TopicMessage::Events(mode, callbacks) => (mode, callbacks),
            TopicMessage::Unreadable => {
                tracing::error!(
                    topic.name = topic,
                    "topic message dropped: no channel can read it"
                );
                return MessageResult::Done;
            }
            TopicMessage::SettingsBroken => return MessageResult::Again,
        };
        let context = ChannelContext { brand: &brand, mode, channel: &owner.channel };
        for callback in callbacks {
            // Whether the event still counts has no reader here.
            if let Err(problem) = self.webhooks.record(context, callback).await {
                let (code, ..) = problem.code.facts();
                tracing::warn!(
                    topic.name = topic,
                    problem.code = code,
                    "failed to record a topic message; it will come again"
                );
                return MessageResult::Again;
            }
        }
        MessageResult::Done
    }
}
