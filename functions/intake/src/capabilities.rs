//! `POST /v1/capabilities`: which routes could reach this customer now, best first.
//!
//! All channels are asked at once, and whoever asks gets an answer in two seconds whatever providers do: an agent is on the
//! line meanwhile.

use std::time::Duration;

use bytes::Bytes;
use domain::caller::Requester;
use domain::capability::{self, Known};
use domain::contact::{self, ChannelScope};
use domain::ports::{Channel, ReceiptKinds, Write};
use domain::problem::Problem;
use domain::values::name::ChannelName;
use domain::values::phone::Phone;
use domain::values::time::Timestamp;
use domain::{keys, storage};
use futures_util::future::{self, Either, join_all};
use futures_util::stream::{FuturesUnordered, StreamExt};
use http::{HeaderMap, Response, StatusCode};
use serde::Serialize;
use serde_json::json;

use crate::{Intake, json, params};

/// How long the channels have, all of them together.
const TIME_MAX: Duration = Duration::from_secs(2);

#[derive(Serialize)]
struct RouteView {
    channel: ChannelName,
    #[serde(flatten)]
    known: Known,
}

/// Whose capabilities are asked for.
#[derive(Clone, Copy)]
struct Customer<'a> {
    requester: &'a Requester,
    phone: &'a Phone,
    address: &'a str,
    now: Timestamp,
}

/// What one channel answered, with the write that keeps it if it is news.
struct Asked {
    known: Known,
    events: Option<Write>,
}

impl<'a> Customer<'a> {
    fn place(&self, channel: &'a ChannelName) -> ChannelScope<'a> {
        ChannelScope { brand: &self.requester.brand.name, mode: self.requester.mode, channel }
    }
}

impl Intake {
    /// Answers for all of the brand's channels at once.
    ///
    /// # Errors
    /// A [`Problem`].
    pub async fn capabilities(
        &self,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Response<Bytes>, Problem> {
        let requester = self.requester(headers).await?;
        let phone = params::capabilities(body)?.customer.phone;
        let address = keys::address_hash(&requester.brand.address_key, &phone);
        let (now, brand) = (self.clock.now(), &requester.brand.name);
        let stop = storage::stop_key(brand, &address);
        let stopped = self.store.read(&stop).await?.is_some();
        let device = (brand, requester.mode);
        let seen = storage::observed(self.store.as_ref(), device, &address, now).await?;
        let wallets = seen.map(|seen| seen.wallets).unwrap_or_default();
        let customer = Customer { requester: &requester, phone: &phone, address: &address, now };
        let mut routes = self.routes_of(customer).await?;
        for RouteView { known, .. } in &mut routes {
            if stopped {
                known.reachable = false;
                known.reason = Some("opted_out".to_owned());
            }
            // Where the channel has no wallet of its own the yes is given on the page, and that is on the same device.
            if known.wallets.is_empty() {
                known.wallets.clone_from(&wallets);
            }
        }
        // Stable: those that can be reached keep the brand's own order among themselves.
        routes.sort_by_key(|route| !route.known.reachable);
        Ok(json(StatusCode::OK, &json!({ "routes": routes })))
    }

    /// What every channel of the brand can do, in the brand's order.
    async fn routes_of(&self, customer: Customer<'_>) -> Result<Vec<RouteView>, Problem> {
        let requester = customer.requester;
        let names = requester.brand.setup(requester.mode).channels.iter().map(|setup| &setup.name);
        let opened = names.map(|name| (name, self.opened(requester, name)));
        let opened: Vec<(&ChannelName, Option<Box<dyn Channel>>)> = opened.collect();
        let mut answers: Vec<Option<Known>> = Vec::new();
        answers.resize_with(opened.len(), || None);
        let mut events = Vec::new();
        let asked = opened.iter().zip(0_usize..).map(|((name, channel), place)| async move {
            (place, self.asked(customer, name, channel.as_deref()).await)
        });
        let mut asked: FuturesUnordered<_> = asked.collect();
        let mut deadline = self.clock.wait(TIME_MAX);
        while let Either::Left((Some((place, answer)), waiting)) =
            future::select(asked.next(), deadline).await
        {
            deadline = waiting;
            let answer = answer?;
            events.extend(answer.events);
            if let Some(there) = answers.get_mut(place) {
                *there = Some(answer.known);
            }
        }
        if !events.is_empty()
            && let Err(error) = self.store.write(events).await
        {
            // They are right all the same, and somebody is waiting for them.
            tracing::warn!(error = %error, "what channels answered is not kept");
        }
        let routes = opened.iter().zip(answers).map(|((name, channel), answer)| RouteView {
            channel: (*name).clone(),
            known: answer.unwrap_or_else(|| late(channel.as_deref())),
        });
        Ok(routes.collect())
    }

    /// What one channel says, or said a moment ago.
    async fn asked(
        &self,
        customer: Customer<'_>,
        name: &ChannelName,
        channel: Option<&dyn Channel>,
    ) -> Result<Asked, Problem> {
        let Customer { phone, address, now, .. } = customer;
        let Some(channel) = channel else { return Ok(Asked { known: broken(), events: None }) };
        let (store, place) = (self.store.as_ref(), customer.place(name));
        if let Some(known) = capability::load(store, place, address, now).await? {
            return Ok(Asked { known, events: None });
        }
        let (contact, _) = contact::load(store, place, address, now).await?;
        let known = Known::from(channel.capability(phone, &contact, now).await);
        let events = capability::put(place, address, &known, now)?;
        Ok(Asked { known, events: Some(events) })
    }

    fn opened(&self, requester: &Requester, name: &ChannelName) -> Option<Box<dyn Channel>> {
        match self.channels.open(&requester.brand, requester.mode, name) {
            Ok(channel) => Some(channel),
            Err(error) => {
                tracing::error!(channel.name = %name, error = %error, "a channel cannot be opened");
                None
            }
        }
    }

    /// The brand's channels in their order, but those last that said within the last minute that they cannot reach this
    /// customer. Nobody is asked: the customer is waiting.
    pub(crate) async fn in_order(
        &self,
        requester: &Requester,
        address: &str,
        now: Timestamp,
    ) -> Result<Vec<ChannelName>, Problem> {
        let names = requester.brand.setup(requester.mode).channels.iter().map(|setup| &setup.name);
        let mut names: Vec<ChannelName> = names.cloned().collect();
        if names.len() < 2 {
            return Ok(names);
        }
        let said = names.iter().map(|channel| async move {
            let place =
                ChannelScope { brand: &requester.brand.name, mode: requester.mode, channel };
            let known = capability::load(self.store.as_ref(), place, address, now).await?;
            Ok(known.filter(|known| !known.reachable).map(|_| channel.clone()))
        });
        let said: Result<Vec<Option<ChannelName>>, Problem> =
            join_all(said).await.into_iter().collect();
        let unreachable: Vec<ChannelName> = said?.into_iter().flatten().collect();
        names.sort_by_key(|name| unreachable.contains(name));
        Ok(names)
    }
}

/// A channel that took too long: it is likely to reach the customer, as most do.
fn late(channel: Option<&dyn Channel>) -> Known {
    let Some(channel) = channel else { return broken() };
    Known {
        reachable: true,
        rich: false,
        wallets: Vec::new(),
        receipts: channel.receipts(),
        reason: Some("no_answer_in_time".to_owned()),
    }
}

/// A channel that cannot be opened.
fn broken() -> Known {
    Known {
        reachable: false,
        rich: false,
        wallets: Vec::new(),
        receipts: ReceiptKinds { delivered: false, read: false },
        reason: Some("channel_settings".to_owned()),
    }
}
