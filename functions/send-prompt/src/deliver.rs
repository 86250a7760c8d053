//! Delivering: the next prompt over the next route, until one is out or no route is left.

use std::sync::Arc;
use std::time::Duration;

use domain::brand::Brand;
use domain::contact::{self, ChannelScope, Contact};
use domain::effects::{self, EffectError, send};
use domain::guards::{self, Guard};
use domain::journal::DeliveryStatus;
use domain::keys;
use domain::message::Step;
use domain::outcome::{DenialReason, Outcome};
use domain::ports::{
    Accepted, Channel, Prompt, PromptRef, Resend, Retraction, SendError, StoreError, Write,
};
use domain::request::{Change, NextPrompt, PromptRecord, PromptStatus, Request, State};
use domain::storage::{self, LinkTarget, VersionedRequest};
use domain::values::id::{PromptId, RequestId};
use domain::values::name::ChannelName;
use domain::values::time::Timestamp;

use crate::{SendPrompt, StepError, render};

/// More than the prompts a request can have: a loop that turns more often is a mistake, and ends.
const TURNS_MAX: u32 = 32;

impl SendPrompt {
    /// Puts a prompt out if the request wants one, and takes prompts back that no longer count.
    pub(crate) async fn deliver(&self, id: RequestId) -> Result<(), StepError> {
        let Some(loaded) = storage::load(self.store.as_ref(), id).await? else { return Ok(()) };
        self.drive(loaded).await?;
        Ok(())
    }

    /// Takes every step about prompts that is due now.
    pub(crate) async fn drive(
        &self,
        mut loaded: VersionedRequest,
    ) -> Result<VersionedRequest, StepError> {
        let brand = self.secrets.brand(&loaded.request.brand).await?;
        for _ in 0..TURNS_MAX {
            let now = self.clock.now();
            loaded = self.expire(loaded, now).await?;
            match loaded.request.next_prompt(now) {
                NextPrompt::None => break,
                NextPrompt::Undeliverable => {
                    let change = loaded.request.undeliverable(now);
                    loaded = self.apply(loaded.version, change, Vec::new()).await?;
                }
                NextPrompt::Again(prompt) => {
                    loaded = self.again(loaded, &brand, prompt, now).await?;
                }
                NextPrompt::Route(channel) => {
                    let (next, wait) = self.begin(loaded, &brand, &channel, now).await?;
                    loaded = next;
                    if let Some(wait) = wait {
                        send(self.queue.as_ref(), Step::Deliver, loaded.request.id, wait).await?;
                        return Ok(loaded);
                    }
                }
                NextPrompt::Remind(channel) => {
                    loaded = self.begin(loaded, &brand, &channel, now).await?.0;
                }
            }
        }
        let loaded = self.retract(loaded, &brand).await?;
        self.retract_if_ended(loaded, &brand).await
    }

    async fn apply(
        &self,
        base: u64,
        change: Change,
        extra: Vec<Write>,
    ) -> Result<VersionedRequest, StepError> {
        let ports = (self.store.as_ref(), self.queue.as_ref());
        Ok(effects::apply(ports, Some(base), change, extra, None).await?)
    }

    /// Records that a prompt is about to be sent, then sends it. The second part says after how long to come back, when
    /// the channel was busy.
    async fn begin(
        &self,
        loaded: VersionedRequest,
        brand: &Arc<Brand>,
        channel: &ChannelName,
        now: Timestamp,
    ) -> Result<(VersionedRequest, Option<Duration>), StepError> {
        let request = &loaded.request;
        // In the same breath as the decision to send: somebody who opted out a moment ago gets nothing more.
        let stop = storage::stop_key(&request.brand, &request.address);
        let opted_out = self.store.read(&stop).await?.is_some();
        if opted_out && !guards::is_disabled(Guard::OptOut) {
            let change = request.deny(DenialReason::OptedOut, None, now);
            let change = change.unwrap_or_else(|_already_ended| request.expire(now));
            return Ok((self.apply(loaded.version, change, Vec::new()).await?, None));
        }
        let mut random = [0_u8; 10];
        self.random.fill(&mut random);
        let id = PromptId::new(now, random);
        let opened = self.open(&loaded.request, brand, channel);
        let tells = opened.as_ref().is_some_and(|opened| opened.receipts().delivered);
        let change = request.begin_prompt(id, channel, tells, now);
        let target = LinkTarget { brand: request.brand.clone(), request: request.id, prompt: id };
        let link = storage::put_link(&keys::link_token(&brand.link_key, id), &target, now)?;
        let loaded = self.apply(loaded.version, change, vec![link]).await?;
        self.send_recorded(loaded, brand, opened, id).await
    }

    /// A prompt that was recorded and perhaps sent, by a worker that is gone: sent again where the channel knows a repeat,
    /// and otherwise treated as possibly sent.
    async fn again(
        &self,
        loaded: VersionedRequest,
        brand: &Arc<Brand>,
        id: PromptId,
        now: Timestamp,
    ) -> Result<VersionedRequest, StepError> {
        let channel = loaded.request.prompt(id).map(|prompt| prompt.channel.clone());
        let opened = channel.and_then(|channel| self.open(&loaded.request, brand, &channel));
        match &opened {
            Some(channel) if channel.resend() == Resend::Doubles => {
                let change =
                    loaded.request.record_delivery_status(id, DeliveryStatus::Unknown, None, now);
                self.apply(loaded.version, change, Vec::new()).await
            }
            Some(_) | None => Ok(self.send_recorded(loaded, brand, opened, id).await?.0),
        }
    }

    fn open(
        &self,
        request: &Request,
        brand: &Brand,
        name: &ChannelName,
    ) -> Option<Box<dyn Channel>> {
        match self.channels.open(brand, request.mode, name) {
            Ok(channel) => Some(channel),
            Err(error) => {
                tracing::error!(request.id = %request.id, channel.name = %name, error = %error, "a channel cannot be opened");
                None
            }
        }
    }

    /// Sends a recorded prompt and records what became of it.
    async fn send_recorded(
        &self,
        loaded: VersionedRequest,
        brand: &Arc<Brand>,
        channel: Option<Box<dyn Channel>>,
        id: PromptId,
    ) -> Result<(VersionedRequest, Option<Duration>), StepError> {
        let Some(record) = loaded.request.prompt(id).cloned() else { return Ok((loaded, None)) };
        let now = self.clock.now();
        let contact = self.contact(&loaded.request, &record, now).await?;
        let prompt = render::prompt(&loaded.request, &record, brand, &self.public_base, now);
        let prompt = Prompt { contact, ..prompt };
        let sent = match &channel {
            Some(channel) => sent(channel.as_ref(), &prompt).await,
            None => Err(SendError::Person { reason: "channel_settings" }),
        };
        let mut provider_id = None;
        let mut wait = None;
        let delivery_status = match sent {
            Ok(accepted) if accepted.delivered => {
                provider_id = accepted.provider_id;
                vec![DeliveryStatus::Accepted, DeliveryStatus::Delivered]
            }
            Ok(accepted) => {
                provider_id = accepted.provider_id;
                vec![DeliveryStatus::Accepted]
            }
            Err(SendError::Unknown(error)) => {
                tracing::warn!(prompt.id = %id, channel.name = %record.channel, error = %error, "the channel's answer was lost");
                vec![DeliveryStatus::Unknown]
            }
            Err(SendError::Unreachable { reason }) => {
                vec![DeliveryStatus::Failed { reason: reason.to_owned() }]
            }
            Err(SendError::Again(error)) => {
                tracing::warn!(prompt.id = %id, channel.name = %record.channel, error = %error, "the channel is busy");
                wait = Some(Duration::from_secs(2));
                vec![DeliveryStatus::Failed { reason: "channel_busy".to_owned() }]
            }
            Err(SendError::Person { reason }) => {
                tracing::error!(prompt.id = %id, channel.name = %record.channel, reason, "the channel refused our settings");
                if reason == "credentials" {
                    // The credentials may have been rotated: the next prompt is sent with what is in force now.
                    if let Err(error) = self.secrets.refresh(&loaded.request.brand).await {
                        tracing::warn!(error = %error, "the brand's secret could not be read anew");
                    }
                }
                vec![DeliveryStatus::Failed { reason: reason.to_owned() }]
            }
        };
        let mut loaded = loaded;
        for step in delivery_status {
            loaded = self.record(loaded, id, step, provider_id.clone()).await?;
        }
        if wait.is_some() {
            loaded = self.try_again_later(loaded, &record.channel).await?;
            // Another route is better than waiting for this one.
            let next = loaded.request.next_prompt(self.clock.now());
            wait = wait.filter(|_| next == NextPrompt::Route(record.channel.clone()));
        }
        Ok((loaded, wait))
    }

    /// What is known of the customer on the prompt's channel.
    async fn contact(
        &self,
        request: &Request,
        prompt: &PromptRecord,
        now: Timestamp,
    ) -> Result<Contact, StepError> {
        let place =
            ChannelScope { brand: &request.brand, mode: request.mode, channel: &prompt.channel };
        Ok(contact::load(self.store.as_ref(), place, &request.address, now).await?.0)
    }

    /// Records what became of a prompt. A receipt or an answer may have been faster: then it is decided again.
    pub(crate) async fn record(
        &self,
        mut loaded: VersionedRequest,
        id: PromptId,
        delivery_status: DeliveryStatus,
        provider_id: Option<String>,
    ) -> Result<VersionedRequest, StepError> {
        for _ in 0..8 {
            let now = self.clock.now();
            let change = loaded.request.record_delivery_status(
                id,
                delivery_status.clone(),
                provider_id.clone(),
                now,
            );
            let ports = (self.store.as_ref(), self.queue.as_ref());
            match effects::apply(ports, Some(loaded.version), change, Vec::new(), None).await {
                Ok(stored) => return Ok(stored),
                Err(EffectError::Store(StoreError::Conflict)) => {
                    let again = storage::load(self.store.as_ref(), loaded.request.id).await?;
                    loaded = again.ok_or(StoreError::Conflict)?;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(StoreError::Conflict.into())
    }

    /// Puts a busy channel back behind the other routes.
    async fn try_again_later(
        &self,
        loaded: VersionedRequest,
        channel: &ChannelName,
    ) -> Result<VersionedRequest, StepError> {
        let change = loaded.request.route_again(channel, self.clock.now());
        self.apply(loaded.version, change, Vec::new()).await
    }

    /// Takes back the prompts that a newer one replaced, where their channels can. They are dead in any case.
    async fn retract(
        &self,
        mut loaded: VersionedRequest,
        brand: &Arc<Brand>,
    ) -> Result<VersionedRequest, StepError> {
        let dead = |prompt: &&PromptRecord| {
            prompt.status == PromptStatus::Superseded && !prompt.taken_back
        };
        let replaced: Vec<PromptRecord> =
            loaded.request.prompts.iter().filter(dead).cloned().collect();
        for prompt in replaced {
            let retracted = self.take_back(&loaded.request, brand, &prompt).await;
            loaded = self
                .record(loaded, prompt.id, DeliveryStatus::Superseded { retracted }, None)
                .await?;
        }
        Ok(loaded)
    }

    /// A request that ended without the customer leaves nothing on their phone that still asks.
    async fn retract_if_ended(
        &self,
        loaded: VersionedRequest,
        brand: &Arc<Brand>,
    ) -> Result<VersionedRequest, StepError> {
        let unanswered = matches!(
            &loaded.request.state,
            State::Closed { outcome: Outcome::Cancelled | Outcome::Expired, .. }
        );
        if unanswered {
            for prompt in loaded.request.prompts.iter().filter(|prompt| prompt.is_out()) {
                self.take_back(&loaded.request, brand, prompt).await;
            }
        }
        Ok(loaded)
    }

    async fn take_back(
        &self,
        request: &Request,
        brand: &Arc<Brand>,
        prompt: &PromptRecord,
    ) -> bool {
        let Some(channel) = self.open(request, brand, &prompt.channel) else { return false };
        let retraction = Retraction {
            reference: PromptRef { request: request.id, prompt: prompt.id },
            to: request.customer.phone.clone(),
            provider_id: prompt.provider_id.clone(),
        };
        channel.retract(&retraction).await
    }
}

/// Sends once more where an answer was lost and the channel knows a repeat: whoever has no other route would wait for a
/// prompt that never comes. What is lost twice may have been sent.
async fn sent(channel: &dyn Channel, prompt: &Prompt) -> Result<Accepted, SendError> {
    let first = channel.send(prompt).await;
    if matches!(first, Err(SendError::Unknown(_))) && channel.resend() == Resend::Safe {
        return channel.send(prompt).await;
    }
    first
}
