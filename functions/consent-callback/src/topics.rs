//! What providers publish on topics of our own account, instead of calling us.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use domain::brand::{Brand, Mode};
use domain::message::{Handled, Listener};
use domain::ports::{
    Callback, CallbackError, OpenChannelError, Proof, SecretsError, UnverifiedCallback,
};
use domain::values::name::{BrandName, ChannelName};
use http::{HeaderMap, Method};

use crate::ConsentCallback;
use crate::callbacks::VerifiedWebhook;

/// The topics of an installation.
///
/// A topic is called `<prefix>_<brand>_<channel>` and is that channel's alone: only its provider may publish there, which
/// takes the place of a signature. Where both modes of a channel hear topics, `_live` or `_test` at the end tells them
/// apart. No name of a brand or a channel holds a `_`, so that each topic is of one channel.
pub struct Topics {
    consent: Arc<ConsentCallback>,
    prefix: String,
}

/// Whose topic it is.
struct Owner {
    brand: BrandName,
    channel: ChannelName,
    modes: &'static [Mode],
}

/// What a topic's text is to the channel whose topic it is.
enum Understood {
    /// What happened, in the order told, and to the setup of which mode.
    Told(Mode, Vec<Callback>),
    /// None of the brand's channels can read it.
    Nothing,
    /// The channel's settings cannot be used, so that nobody can say.
    NotNow,
}

impl Topics {
    /// The topics whose names begin with `prefix` and `_`.
    #[must_use]
    pub const fn new(consent: Arc<ConsentCallback>, prefix: String) -> Self {
        Self { consent, prefix }
    }

    /// Whose topic that is, if it is one of ours.
    fn owner(&self, topic: &str) -> Option<Owner> {
        let names = topic.strip_prefix(&self.prefix)?.strip_prefix('_')?;
        let (brand, channel) = names.split_once('_')?;
        let (channel, modes): (_, &[Mode]) = match channel.split_once('_') {
            None => (channel, &[Mode::Live, Mode::Test]),
            Some((channel, "live")) => (channel, &[Mode::Live]),
            Some((channel, "test")) => (channel, &[Mode::Test]),
            Some(_) => return None,
        };
        Some(Owner { brand: brand.parse().ok()?, channel: channel.parse().ok()?, modes })
    }

    /// The text belongs to the first setup that hears topics, of those that the topic may be of.
    fn understood(&self, brand: &Arc<Brand>, owner: &Owner, text: &str) -> Understood {
        let callback = UnverifiedCallback {
            method: Method::POST,
            url: String::new(),
            headers: HeaderMap::new(),
            body: Bytes::copy_from_slice(text.as_bytes()),
            now: self.consent.clock.now(),
            proof: Proof::Topic,
        };
        let mut worst = Understood::Nothing;
        for mode in owner.modes.iter().copied() {
            match self.consent.channels.open(brand, mode, &owner.channel) {
                Ok(channel) => match channel.receive(&callback) {
                    Ok(received) => return Understood::Told(mode, received.callbacks),
                    Err(CallbackError::None | CallbackError::Forged | CallbackError::Malformed) => {
                    }
                },
                Err(OpenChannelError::Absent) => {}
                Err(OpenChannelError::Settings(_)) => worst = Understood::NotNow,
            }
        }
        worst
    }
}

#[async_trait]
impl Listener for Topics {
    async fn receive(&self, topic: &str, text: &str) -> Handled {
        let Some(owner) = self.owner(topic) else {
            tracing::error!(topic.name = topic, "a topic that is no channel's told something");
            return Handled::Done;
        };
        let brand = match self.consent.secrets.brand(&owner.brand).await {
            Ok(brand) => brand,
            Err(SecretsError::Unknown) => {
                tracing::error!(topic.name = topic, "a topic of no brand of ours told something");
                return Handled::Done;
            }
            Err(error @ (SecretsError::Damaged(_) | SecretsError::Unavailable(_))) => {
                tracing::error!(topic.name = topic, error = %error, "the brand's secret cannot be read");
                return Handled::Again;
            }
        };
        let (mode, callbacks) = match self.understood(&brand, &owner, text) {
            Understood::Told(mode, callbacks) => (mode, callbacks),
            Understood::Nothing => {
                tracing::error!(topic.name = topic, "a topic told what its channel cannot read");
                return Handled::Done;
            }
            Understood::NotNow => return Handled::Again,
        };
        let heard = VerifiedWebhook { brand: &brand, mode, channel: &owner.channel };
        for told in callbacks {
            // Nobody is shown whether it is still wanted.
            if let Err(problem) = self.consent.record(heard, told).await {
                let (code, ..) = problem.code.facts();
                tracing::warn!(
                    topic.name = topic,
                    problem.code = code,
                    "what a topic told is not recorded yet"
                );
                return Handled::Again;
            }
        }
        Handled::Done
    }
}
