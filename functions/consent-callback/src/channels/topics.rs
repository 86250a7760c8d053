//! Records what providers publish on SNS topics of our account instead of calling a webhook.

use async_trait::async_trait;
use bytes::Bytes;
use domain::brand::{Brand, Mode};
use domain::message::MessageResult;
use domain::values::name::{BrandName, ChannelName};
use http::{HeaderMap, Method};
use ports::{
    CallbackError, Listener, Notification, OpenChannelError, Proof, SecretsError,
    UnverifiedCallback,
};

use super::context::ChannelContext;
use super::routing::{ChannelReading, addressed, candidates};
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
enum TopicMessage<'a> {
    /// The channels that the message is for, each with its events.
    Events(Vec<ChannelReading<'a>>),
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

    /// Reads a message with each of the brand's channels that takes messages of topics, in the owner's modes.
    ///
    /// Channels of one account may share its numbers' events, so another channel than the owner may be the addressee.
    fn read<'a>(
        &self,
        brand: &'a Brand,
        owner: &TopicOwner,
        notification: Notification<'_>,
    ) -> TopicMessage<'a> {
        let callback = UnverifiedCallback {
            method: Method::POST,
            url: String::new(),
            headers: HeaderMap::new(),
            body: Bytes::copy_from_slice(notification.text.as_bytes()),
            now: self.webhooks.ports.clock.now(),
            proof: Proof::Topic { published_at: notification.published_at },
        };
        let (mut worst, mut readings) = (TopicMessage::Unreadable, Vec::new());
        for candidate in candidates(brand, &owner.channel, owner.modes, |_, _| true) {
            match self.webhooks.channels.open(brand, candidate.mode, candidate.name) {
                Ok(channel) => match channel.receive(&callback) {
                    Ok(received) => {
                        let addressee = channel.addressee(&callback);
                        readings.push(ChannelReading { candidate, addressee, received });
                    }
                    Err(CallbackError::None | CallbackError::Forged | CallbackError::Malformed) => {
                    }
                },
                Err(OpenChannelError::Settings(_)) if candidate.is_named => {
                    worst = TopicMessage::SettingsBroken;
                }
                Err(OpenChannelError::Absent | OpenChannelError::Settings(_)) => {}
            }
        }
        if readings.is_empty() { worst } else { TopicMessage::Events(addressed(readings)) }
    }
}

#[async_trait]
impl Listener for Topics {
    async fn receive(&self, notification: Notification<'_>) -> MessageResult {
        let topic = notification.topic;
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
        let readings = match self.read(&brand, &owner, notification) {
            TopicMessage::Events(readings) => readings,
            TopicMessage::Unreadable => {
                tracing::error!(
                    topic.name = topic,
                    "topic message dropped: no channel can read it"
                );
                return MessageResult::Done;
            }
            TopicMessage::SettingsBroken => return MessageResult::Again,
        };
        for ChannelReading { candidate, received, .. } in readings {
            let context =
                ChannelContext { brand: &brand, mode: candidate.mode, channel: candidate.name };
            // Whether the events still count has no reader here.
            if let Err(problem) = self.webhooks.record_all(context, received.callbacks, false).await
            {
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
