//! What providers tell of prompts: who may tell it, and where each thing told goes.

use std::sync::Arc;

use bytes::Bytes;
use domain::brand::{Brand, Mode};
use domain::contact::ChannelScope;
use domain::effects::{self, EffectError};
use domain::journal::DeliveryStatus;
use domain::keys;
use domain::message::Step;
use domain::ports::{
    Callback, CallbackError, CallbackReply, Channel, OpenChannelError, PromptRef, PromptSelector,
    Proof, Received, SecretsError, StoreError, UnverifiedCallback,
};
use domain::problem::{Code, Problem};
use domain::storage;
use domain::values::name::{BrandName, ChannelName};
use http::header::{CONTENT_TYPE, HeaderValue};
use http::request::Parts;
use http::{Response, StatusCode};

use crate::ConsentCallback;

const NOWHERE: &str = "there is no such callback address";

/// Where a callback came in.
#[derive(Clone, Copy)]
pub(crate) struct VerifiedWebhook<'a> {
    /// Whose channel it is.
    pub(crate) brand: &'a Arc<Brand>,
    /// The setup whose credentials proved the sender.
    pub(crate) mode: Mode,
    /// The channel.
    pub(crate) channel: &'a ChannelName,
}

impl<'a> VerifiedWebhook<'a> {
    /// Where what this channel tells of customers is kept, for requests of that mode.
    pub(crate) fn place(&self, mode: Mode) -> ChannelScope<'a> {
        ChannelScope { brand: &self.brand.name, mode, channel: self.channel }
    }
}

impl ConsentCallback {
    /// `GET` and `POST /callbacks/{brand}/{channel or processor}`: verifies, then records.
    ///
    /// # Errors
    /// A [`Problem`]; nothing was recorded, or the provider's repeat records the rest.
    pub async fn receive(
        &self,
        brand: &str,
        name: &str,
        parts: &Parts,
        body: Bytes,
    ) -> Result<Response<Bytes>, Problem> {
        let absent = || Problem::new(Code::NotFound, NOWHERE);
        let brand: BrandName = brand.parse().map_err(|_not_a_name| absent())?;
        let channel: ChannelName = name.parse().map_err(|_not_a_name| absent())?;
        let path = parts.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        let callback = UnverifiedCallback {
            method: parts.method.clone(),
            url: format!("{}{path}", self.public_base),
            headers: parts.headers.clone(),
            body,
            now: self.clock.now(),
            proof: Proof::None,
        };
        let known = self.brand(&brand).await?;
        let mut setups = [Mode::Live, Mode::Test].map(|mode| known.setup(mode)).into_iter();
        if setups.any(|setup| setup.channels.iter().any(|setup| setup.name == channel)) {
            return Ok(replied(self.told(&brand, &channel, &callback).await?));
        }
        // A name that no channel has may be a processor's.
        let processor = name.parse().map_err(|_not_a_name| absent())?;
        self.hear(&known, &processor, &callback).await
    }

    /// What a channel's provider told, whichever way it came: verifies, records, and says what to answer.
    ///
    /// # Errors
    /// A [`Problem`]; nothing was recorded, or the provider's repeat records the rest.
    pub async fn told(
        &self,
        brand: &BrandName,
        channel: &ChannelName,
        callback: &UnverifiedCallback,
    ) -> Result<CallbackReply, Problem> {
        let brand = self.brand(brand).await?;
        let (mode, received) = self.verify(&brand, channel, callback).await?;
        let heard = VerifiedWebhook { brand: &brand, mode, channel };
        let mut wanted = true;
        for told in received.callbacks {
            match self.record(heard, told).await {
                Ok(counts) => wanted &= counts,
                // Somebody looks at a sheet that waits: they are told, and can try once more.
                Err(problem) if received.refusal.is_some() => {
                    let (code, ..) = problem.code.facts();
                    tracing::warn!(channel.name = %channel, problem.code = code, "could not record what a customer waits for");
                    wanted = false;
                }
                Err(problem) => return Err(problem),
            }
        }
        let refusal = received.refusal.filter(|_| !wanted);
        Ok(refusal.unwrap_or(received.reply))
    }

    async fn brand(&self, name: &BrandName) -> Result<Arc<Brand>, Problem> {
        match self.secrets.brand(name).await {
            Ok(brand) => Ok(brand),
            Err(SecretsError::Unknown) => Err(Problem::new(Code::NotFound, NOWHERE)),
            Err(error @ (SecretsError::Damaged(_) | SecretsError::Unavailable(_))) => {
                Err(error.into())
            }
        }
    }

    /// The address names no mode: the callback belongs to the setup whose credentials it verifies with.
    async fn verify(
        &self,
        brand: &Arc<Brand>,
        name: &ChannelName,
        callback: &UnverifiedCallback,
    ) -> Result<(Mode, Received), Problem> {
        let mut worst = Problem::new(Code::NotFound, NOWHERE);
        for mode in [Mode::Live, Mode::Test] {
            let channel: Box<dyn Channel> = match self.channels.open(brand, mode, name) {
                Ok(channel) => channel,
                Err(OpenChannelError::Absent) => continue,
                // The callback may be this setup's: its sender repeats it until the setting is mended.
                Err(OpenChannelError::Settings(_)) => {
                    worst = Problem::invalid_settings();
                    continue;
                }
            };
            let whole = whole(channel.as_ref(), callback).await?;
            match channel.receive(whole.as_ref().unwrap_or(callback)) {
                Ok(received) => return Ok((mode, received)),
                Err(CallbackError::None) => {}
                Err(CallbackError::Forged) => {
                    tracing::warn!(channel.name = %name, "refused a callback whose sender is not proven");
                    if worst.code != Code::SettingsInvalid {
                        worst = Problem::new(Code::CallbackForged, "the signature does not verify");
                    }
                }
                Err(CallbackError::Malformed) => {
                    return Err(Problem::new(Code::InvalidRequest, "the callback cannot be read"));
                }
            }
        }
        Err(worst)
    }

    /// Records one thing told. `false` where it is no longer wanted and the sender can be shown so.
    pub(crate) async fn record(
        &self,
        heard: VerifiedWebhook<'_>,
        told: Callback,
    ) -> Result<bool, Problem> {
        match told {
            Callback::Delivered(about) => {
                self.receipt(about, heard, DeliveryStatus::Delivered).await?
            }
            Callback::Read(about) => self.receipt(about, heard, DeliveryStatus::Read).await?,
            Callback::Failed(about, reason) => {
                let delivery_status = DeliveryStatus::Failed { reason: reason.to_owned() };
                self.receipt(about, heard, delivery_status).await?;
            }
            Callback::Stop(from) => self.stop(heard, &from).await?,
            Callback::Start(from) => self.start(heard, &from).await?,
            Callback::Tapped { postback, from } => self.tapped(heard, &postback, &from).await?,
            Callback::Wrote { from, text, intent, at } => {
                self.wrote(heard, &from, (&text, intent.as_deref(), at)).await?;
            }
            Callback::Paid { about, authorization } => {
                return self.paid(heard, about, authorization).await;
            }
        }
        Ok(true)
    }

    /// The prompt a callback is about, by the item its link leads by where its own id is all that came back. `None` for
    /// a prompt that is not this brand's.
    pub(crate) async fn prompt_of(
        &self,
        about: PromptSelector,
        heard: VerifiedWebhook<'_>,
    ) -> Result<Option<PromptRef>, Problem> {
        let prompt = match about {
            PromptSelector::Exact(reference) => return Ok(Some(reference)),
            PromptSelector::Prompt(prompt) => prompt,
        };
        let token = keys::link_token(&heard.brand.link_key, prompt);
        let target = storage::follow_link(self.store.as_ref(), &token).await?;
        let own = target.filter(|target| target.brand == heard.brand.name);
        Ok(own.map(|target| PromptRef { request: target.request, prompt: target.prompt }))
    }

    /// A receipt moves a prompt forward only. One that failed makes the next route's turn at once.
    async fn receipt(
        &self,
        about: PromptSelector,
        heard: VerifiedWebhook<'_>,
        delivery_status: DeliveryStatus,
    ) -> Result<(), Problem> {
        let Some(PromptRef { request, prompt }) = self.prompt_of(about, heard).await? else {
            return Ok(());
        };
        for _ in 0..8 {
            let loaded = storage::load(self.store.as_ref(), request).await?;
            let Some(loaded) = loaded.filter(|loaded| loaded.request.brand == heard.brand.name)
            else {
                return Ok(());
            };
            let failed = matches!(delivery_status, DeliveryStatus::Failed { .. });
            let now = self.clock.now();
            let change =
                loaded.request.record_delivery_status(prompt, delivery_status.clone(), None, now);
            let step = failed.then_some(Step::Deliver);
            let ports = (self.store.as_ref(), self.queue.as_ref());
            match effects::apply(ports, Some(loaded.version), change, Vec::new(), step).await {
                Ok(_) => return Ok(()),
                Err(EffectError::Store(StoreError::Conflict)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Problem::overtaken())
    }
}

/// The callback with what it only refers to in its place, where there is such a thing. A provider may tell it again later.
async fn whole(
    channel: &dyn Channel,
    callback: &UnverifiedCallback,
) -> Result<Option<UnverifiedCallback>, Problem> {
    match channel.resolve(callback).await {
        Ok(body) => Ok(body.map(|body| UnverifiedCallback { body, ..callback.clone() })),
        Err(error) => {
            tracing::warn!(error = %error, "what a callback refers to could not be fetched");
            let detail = "what the callback refers to could not be fetched";
            Err(Problem::new(Code::TemporaryReducedCapacity, detail))
        }
    }
}

/// What a provider wants to hear, as the answer to its call.
pub(crate) fn replied(reply: CallbackReply) -> Response<Bytes> {
    let mut answer = Response::new(Bytes::from(reply.body));
    *answer.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::OK);
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(reply.content_type));
    answer
}
