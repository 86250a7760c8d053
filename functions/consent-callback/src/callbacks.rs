//! What providers tell of prompts, and what customers write back.

use std::sync::Arc;

use bytes::Bytes;
use domain::brand::{Brand, Mode};
use domain::effects::{self, EffectError};
use domain::event::Became;
use domain::keys;
use domain::message::Step;
use domain::outcome::DeclineReason;
use domain::ports::{
    About, Callback, CallbackError, Channel, Expect, Item, OpenChannelError, Proof, Received,
    SecretsError, StoreError, UnverifiedCallback, Write,
};
use domain::problem::{Code, Problem};
use domain::storage;
use domain::values::name::{BrandName, ChannelName};
use domain::values::phone::Phone;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::request::Parts;
use http::{Response, StatusCode};

use crate::ConsentCallback;
use crate::answer::{Case, Unanswered};

impl ConsentCallback {
    /// `GET` and `POST /callbacks/{brand}/{channel}`: verifies, then records.
    ///
    /// # Errors
    /// A [`Problem`]; nothing was recorded, or the provider's repeat records the rest.
    pub async fn receive(
        &self,
        brand: &str,
        channel: &str,
        parts: &Parts,
        body: Bytes,
    ) -> Result<Response<Bytes>, Problem> {
        let absent = || Problem::new(Code::NotFound, "there is no such callback address");
        let brand: BrandName = brand.parse().map_err(|_not_a_name| absent())?;
        let channel: ChannelName = channel.parse().map_err(|_not_a_name| absent())?;
        let brand = match self.secrets.brand(&brand).await {
            Ok(brand) => brand,
            Err(SecretsError::Unknown) => return Err(absent()),
            Err(error @ (SecretsError::Damaged(_) | SecretsError::Unavailable(_))) => {
                return Err(error.into());
            }
        };
        let path = parts.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        let callback = UnverifiedCallback {
            method: parts.method.clone(),
            url: format!("{}{path}", self.public_base),
            headers: parts.headers.clone(),
            body,
            now: self.clock.now(),
            proof: Proof::None,
        };
        let received = self.verify(&brand, &channel, &callback)?;
        for told in received.callbacks {
            self.record(&brand, &channel, told).await?;
        }
        let reply = received.reply;
        let mut answer = Response::new(Bytes::from(reply.body));
        *answer.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::OK);
        answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(reply.content_type));
        Ok(answer)
    }

    /// The address names no mode: the callback belongs to the setup whose credentials it verifies with.
    fn verify(
        &self,
        brand: &Arc<Brand>,
        name: &ChannelName,
        callback: &UnverifiedCallback,
    ) -> Result<Received, Problem> {
        let mut worst = Problem::new(Code::NotFound, "there is no such callback address");
        for mode in [Mode::Live, Mode::Test] {
            let channel: Box<dyn Channel> = match self.channels.open(brand, mode, name) {
                Ok(channel) => channel,
                Err(OpenChannelError::Absent) => continue,
                Err(OpenChannelError::Settings(error)) => {
                    tracing::error!(channel.name = %name, error = %error, "a channel cannot be opened");
                    continue;
                }
            };
            match channel.receive(callback) {
                Ok(received) => return Ok(received),
                Err(CallbackError::None) => {}
                Err(CallbackError::Forged) => {
                    tracing::warn!(channel.name = %name, "refused a callback whose sender is not proven");
                    worst = Problem::new(Code::CallbackForged, "the signature does not verify");
                }
                Err(CallbackError::Malformed) => {
                    return Err(Problem::new(Code::InvalidRequest, "the callback cannot be read"));
                }
            }
        }
        Err(worst)
    }

    async fn record(
        &self,
        brand: &Arc<Brand>,
        channel: &ChannelName,
        told: Callback,
    ) -> Result<(), Problem> {
        match told {
            Callback::Delivered(reference) => {
                self.receipt(reference, brand, Became::Delivered).await
            }
            Callback::Read(reference) => self.receipt(reference, brand, Became::Read).await,
            Callback::Failed(reference, reason) => {
                self.receipt(reference, brand, Became::Failed { reason: reason.to_owned() }).await
            }
            Callback::Stop(from) => match from.phone {
                Some(phone) => self.stop(brand, channel, &phone).await,
                None => Ok(()),
            },
            Callback::Start(from) => match from.phone {
                Some(phone) => self.start(brand, &phone).await,
                None => Ok(()),
            },
            Callback::Tapped { .. } | Callback::Paid { .. } | Callback::Wrote { .. } => {
                tracing::info!(channel.name = %channel, "a customer wrote something that is no answer");
                Ok(())
            }
        }
    }

    /// A receipt moves a prompt forward only. One that failed makes the next route's turn at once.
    async fn receipt(&self, about: About, brand: &Brand, became: Became) -> Result<(), Problem> {
        let About::Exact(reference) = about else { return Ok(()) };
        for _ in 0..8 {
            let loaded = storage::load(self.store.as_ref(), reference.request).await?;
            let Some(loaded) = loaded.filter(|loaded| loaded.request.brand == brand.name) else {
                return Ok(());
            };
            let failed = matches!(became, Became::Failed { .. });
            let now = self.clock.now();
            let change = loaded.request.prompt_became(reference.prompt, became.clone(), None, now);
            let step = failed.then_some(Step::Deliver);
            let ports = (self.store.as_ref(), self.queue.as_ref());
            match effects::apply(ports, Some(loaded.version), change, Vec::new(), step).await {
                Ok(_) => return Ok(()),
                Err(EffectError::Store(StoreError::Conflict)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Problem::new(Code::TemporaryReducedCapacity, "the request is changing too fast"))
    }

    /// The address opted out: that is stored first, so that whatever else goes wrong, nothing more is sent. Then every
    /// open request of the address is declined.
    async fn stop(
        &self,
        brand: &Arc<Brand>,
        channel: &ChannelName,
        phone: &Phone,
    ) -> Result<(), Problem> {
        let now = self.clock.now();
        let address = keys::address_hash(&brand.address_key, phone);
        let key = storage::stop_key(&brand.name, &address);
        let item =
            Item { key, version: 1, body: storage::body(now)?, expires_at: None, index: None };
        self.store.write(vec![Write::Put { item, expect: Expect::Any }]).await?;
        tracing::info!(channel.name = %channel, brand.name = %brand.name, "an address opted out");
        for id in storage::open_for_address(self.store.as_ref(), channel.as_str(), &address).await?
        {
            for _ in 0..8 {
                let Some(loaded) = storage::load(self.store.as_ref(), id).await? else { break };
                if loaded.request.brand != brand.name {
                    break;
                }
                let case = Case { request: &loaded.request, brand, now };
                let decided = self.no(case, DeclineReason::OptedOut, None).await;
                let (change, extra) = match decided {
                    Ok(decided) => decided.into_parts(),
                    // It is past answers already.
                    Err(Unanswered::Refused(_)) => break,
                    Err(error) => return Err(error.into()),
                };
                let ports = (self.store.as_ref(), self.queue.as_ref());
                match effects::apply(ports, Some(loaded.version), change, extra, None).await {
                    Ok(_) => break,
                    Err(EffectError::Store(StoreError::Conflict)) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(())
    }

    async fn start(&self, brand: &Brand, phone: &Phone) -> Result<(), Problem> {
        let address = keys::address_hash(&brand.address_key, phone);
        let key = storage::stop_key(&brand.name, &address);
        self.store.write(vec![Write::Delete { key }]).await?;
        Ok(())
    }
}
