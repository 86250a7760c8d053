//! What processors tell of attempts and refunds by calling us, and customers whom they send back with something to use.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use domain::authorization::Authorization;
use domain::brand::{Brand, Mode};
use domain::effects::{self, EffectError};
use domain::guards::{self, Guard};
use domain::keys;
use domain::message::Step;
use domain::outcome::Outcome;
use domain::ports::{
    CallbackError, OpenProcessorError, ProcessorEvent, StoreError, Told, UnverifiedCallback,
    VerifiedWebhook, WebhookResponse,
};
use domain::problem::{Code, Problem};
use domain::request::{Change, Refusal, Request, State};
use domain::seal;
use domain::storage::{self, VersionedRequest};
use domain::values::id::RequestId;
use domain::values::name::ProcessorName;
use domain::values::time::Timestamp;
use http::Response;

use crate::{ConsentCallback, callbacks, link};

/// After how long what a processor told of is looked at once more.
const LOOK_AGAIN: Duration = Duration::from_secs(3);
/// How often a lost race is decided again.
const RACES_MAX: u32 = 8;

/// Whose word it is: what one processor account proves says nothing about requests at another.
#[derive(Clone, Copy)]
struct Teller<'a> {
    brand: &'a Brand,
    mode: Mode,
    name: &'a ProcessorName,
}

impl Teller<'_> {
    fn may_speak_of(&self, request: &Request) -> bool {
        (request.brand == self.brand.name || guards::is_disabled(Guard::ProcessorWebhookBrand))
            && request.mode == self.mode
            && request.processor == *self.name
    }
}

impl ConsentCallback {
    /// A call to a processor's callback address: verifies, then records.
    ///
    /// # Errors
    /// A [`Problem`]; nothing was recorded, or the processor's repeat records the rest.
    pub(crate) async fn hear(
        &self,
        brand: &Arc<Brand>,
        name: &ProcessorName,
        callback: &UnverifiedCallback,
    ) -> Result<Response<Bytes>, Problem> {
        let (mode, heard) = self.verified(brand, name, callback)?;
        let teller = Teller { brand, mode, name };
        for news in heard.events {
            self.take(teller, news).await?;
        }
        match heard.reply {
            WebhookResponse::Plain(reply) => Ok(callbacks::replied(reply)),
            WebhookResponse::ToPage(request) => self.to_page(teller, request).await,
        }
    }

    /// The address names no mode: the call belongs to the account whose credentials it verifies with.
    fn verified(
        &self,
        brand: &Brand,
        name: &ProcessorName,
        callback: &UnverifiedCallback,
    ) -> Result<(Mode, VerifiedWebhook), Problem> {
        let mut worst = Problem::new(Code::NotFound, "there is no such callback address");
        for mode in [Mode::Live, Mode::Test] {
            let processor = match self.processors.open(brand, mode, name) {
                Ok(processor) => processor,
                Err(OpenProcessorError::Absent) => continue,
                // The call may be this account's: its sender repeats it until the setting is mended.
                Err(OpenProcessorError::Settings(_)) => {
                    worst = Problem::invalid_settings();
                    continue;
                }
            };
            match processor.receive(callback) {
                Ok(heard) => return Ok((mode, heard)),
                Err(CallbackError::None) => {}
                Err(CallbackError::Forged) => {
                    tracing::warn!(processor.name = %name, "refused a callback whose sender is not proven");
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

    async fn take(&self, teller: Teller<'_>, news: ProcessorEvent) -> Result<(), Problem> {
        match news {
            ProcessorEvent::StatusChanged(id) => self.look(teller, id).await,
            ProcessorEvent::Told { request, generation, told } => {
                self.told_of(teller, request, (generation, told)).await
            }
            ProcessorEvent::RefundTold { request, seq, told } => {
                let command = |request: &Request, now| request.refund_told(seq, told.clone(), now);
                let step = Step::Refund { seq };
                self.recorded(teller, request, (command, step)).await.map(|_already_ended| ())
            }
            ProcessorEvent::Returned { request, generation, authorization } => {
                self.returned(teller, request, (generation, &authorization)).await
            }
        }
    }

    /// The request, if there is one that this processor may speak of. One that there is not is no news: whoever tells of it
    /// is thanked and does not come again.
    async fn spoken_of(
        &self,
        teller: Teller<'_>,
        id: RequestId,
    ) -> Result<Option<VersionedRequest>, Problem> {
        let loaded = storage::load(self.store.as_ref(), id).await?;
        let own = loaded.filter(|loaded| teller.may_speak_of(&loaded.request));
        if own.is_none() {
            tracing::info!(request.id = %id, "a processor tells of a request that is not its own");
        }
        Ok(own)
    }

    /// Whoever is to look it up does so now.
    async fn look(&self, teller: Teller<'_>, id: RequestId) -> Result<(), Problem> {
        let Some(loaded) = self.spoken_of(teller, id).await? else { return Ok(()) };
        let steps: Vec<Step> = if loaded.request.is_closed() {
            loaded.request.open_refunds().map(|refund| Step::Refund { seq: refund.seq }).collect()
        } else {
            vec![Step::Fetch]
        };
        for step in steps {
            effects::send(self.queue.as_ref(), step, id, Duration::ZERO).await?;
            // Somebody may be looking in this very moment, who saw what was before.
            effects::send(self.queue.as_ref(), step, id, LOOK_AGAIN).await?;
        }
        Ok(())
    }

    async fn told_of(
        &self,
        teller: Teller<'_>,
        id: RequestId,
        (generation, told): (u32, Told),
    ) -> Result<(), Problem> {
        let command = |request: &Request, now| request.told(generation, told.clone(), now);
        let refused = self.recorded(teller, id, (command, Step::Fetch)).await?;
        if let Some(loaded) = refused.filter(|_| told.success) {
            let fulfilled = matches!(
                &loaded.request.state,
                State::Closed { outcome: Outcome::Fulfilled { .. }, .. }
            );
            if !fulfilled {
                // The money moved after all, though it was told that it would not: a person must give it back.
                tracing::error!(request.id = %id, generation, "a processor tells of a success that nobody waits for");
            }
        }
        Ok(())
    }

    async fn returned(
        &self,
        teller: Teller<'_>,
        id: RequestId,
        (generation, authorization): (u32, &Authorization),
    ) -> Result<(), Problem> {
        let sealing = &teller.brand.sealing;
        let sealed = seal::seal(sealing, id, authorization, self.random.as_ref());
        let sealed = sealed.map_err(|error| {
            tracing::error!(request.id = %id, error = %error, "an authorization cannot be sealed");
            Problem::new(Code::Internal, "the brand's sealing keys cannot be used")
        })?;
        let command = |request: &Request, now| request.returned(generation, sealed.clone(), now);
        if self.recorded(teller, id, (command, Step::Fetch)).await?.is_some() {
            tracing::info!(request.id = %id, "a customer came back when nobody waited for them");
        }
        Ok(())
    }

    /// Records what a processor told and has it used at once, again if this is a repeat; gives the request back as it was
    /// where the command does not apply.
    async fn recorded(
        &self,
        teller: Teller<'_>,
        id: RequestId,
        (command, step): (impl Fn(&Request, Timestamp) -> Result<Change, Refusal>, Step),
    ) -> Result<Option<VersionedRequest>, Problem> {
        for _ in 0..RACES_MAX {
            let Some(loaded) = self.spoken_of(teller, id).await? else { return Ok(None) };
            let Ok(change) = command(&loaded.request, self.clock.now()) else {
                return Ok(Some(loaded));
            };
            let ports = (self.store.as_ref(), self.queue.as_ref());
            let base = Some(loaded.version);
            match effects::apply(ports, base, change, Vec::new(), Some(step)).await {
                Ok(_) => return Ok(None),
                Err(EffectError::Store(StoreError::Conflict)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Problem::overtaken())
    }

    /// The customer goes back to the page they came from, whatever became of what they brought.
    async fn to_page(&self, teller: Teller<'_>, id: RequestId) -> Result<Response<Bytes>, Problem> {
        let Some(loaded) = self.spoken_of(teller, id).await? else { return link::unknown("") };
        let request = &loaded.request;
        let answered = request.approval().map(|(consent, _)| consent.prompt);
        let last = || request.prompts.last().map(|prompt| prompt.id);
        let Some(prompt) = answered.or_else(last) else { return link::unknown("") };
        Ok(link::see_other(&keys::link_token(&teller.brand.link_key, prompt), ""))
    }
}
