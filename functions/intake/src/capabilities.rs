//! `POST /v1/capabilities`: which routes could reach this customer now, and which processors take the ask, best first.
//!
//! All channels are asked at once. An agent is on the line, so the call is answered within two seconds even when a
//! provider is silent.

use std::time::Duration;

use bytes::Bytes;
use domain::ask::Customer;
use domain::brand::BrandScope;
use domain::contact::Contact;
use domain::email_channel::{NO_ADDRESS, UNSUBSCRIBED};
use domain::keys;
use domain::problem::Problem;
use domain::values::email::Email;
use domain::values::name::ChannelName;
use domain::values::phone::Phone;
use domain::values::time::Timestamp;
use futures_util::future::{self, Either};
use futures_util::stream::{FuturesUnordered, StreamExt};
use http::{HeaderMap, Response, StatusCode};
use ports::{AddressKind, Capability, Channel, ReceiptKinds, Write};
use records::authentication::Requester;
use records::capability;
use records::capability::RouteCapability;
use records::contact;
use records::contact::ChannelScope;
use records::opt_outs;
use records::storage;
use serde::Serialize;
use serde_json::json;

use crate::link_channel;
use crate::number_policy;
use crate::operation::Operation;
use crate::params::{self, CapabilityParams};
use crate::processor_routing::RoutedAsk;
use crate::{Intake, json};

/// The time that all channels together have to answer.
const TIME_MAX: Duration = Duration::from_secs(2);

#[derive(Serialize)]
struct RouteView {
    channel: ChannelName,
    #[serde(flatten)]
    known: RouteCapability,
}

/// The customer whose capabilities are asked for, and the caller.
#[derive(Clone, Copy)]
struct Recipient<'a> {
    requester: &'a Requester,
    phone: &'a Phone,
    email: Option<&'a Email>,
    address: &'a str,
    now: Timestamp,
}

/// One channel's answer, with the write that caches it unless it came from the cache.
struct ChannelAnswer {
    known: RouteCapability,
    write: Option<Write>,
}

impl<'a> Recipient<'a> {
    fn scope(&self, channel: &'a ChannelName) -> ChannelScope<'a> {
        ChannelScope { brand: &self.requester.brand.name, mode: self.requester.mode, channel }
    }
}

impl Intake {
    /// Answers which of the brand's channels could reach this customer now.
    ///
    /// # Errors
    /// A [`Problem`].
    pub async fn capabilities(
        &self,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Response<Bytes>, Problem> {
        let requester = self.requester(headers, Operation::ReadCapabilities).await?;
        self.capabilities_for(&requester, body).await
    }

    /// Answers which channels could reach the customer of a requester.
    pub(crate) async fn capabilities_for(
        &self,
        requester: &Requester,
        body: &[u8],
    ) -> Result<Response<Bytes>, Problem> {
        let CapabilityParams { customer, ask, processor } = params::capabilities(body, requester)?;
        number_policy::require_allowed(requester, &customer.phone)?;
        let Customer { phone, email, .. } = customer;
        let address = keys::address_hash(&requester.brand.address_key, &phone);
        let processor = processor.as_ref();
        let routed = RoutedAsk { ask: &ask, processor, address: &address, labels: None };
        let processors = self.processor_views(requester, routed).await?;
        let (now, brand) = (self.ports.clock.now(), &requester.brand.name);
        let scope = BrandScope { brand, mode: requester.mode };
        let stopped = opt_outs::is_opted_out(self.ports.store.as_ref(), scope, &address).await?;
        let seen = storage::device_wallets(self.ports.store.as_ref(), scope, &address, now).await?;
        let wallets = seen.map(|seen| seen.wallets).unwrap_or_default();
        let email = email.as_ref();
        let recipient = Recipient { requester, phone: &phone, email, address: &address, now };
        let mut routes = self.route_views(recipient).await?;
        for RouteView { known, .. } in &mut routes {
            if stopped {
                known.reachable = false;
                known.reason = Some("opted_out".to_owned());
            }
            // Where the channel has no wallet of its own, the customer approves on the page, on the same device.
            if known.wallets.is_empty() {
                known.wallets.clone_from(&wallets);
            }
        }
        // Stable: those that can be reached keep the brand's own order among themselves.
        routes.sort_by_key(|route| !route.known.reachable);
        let answer = json!({ "routes": routes, "processors": processors });
        Ok(json(StatusCode::OK, &answer))
    }

    /// Asks every channel of the brand at once, and answers in the brand's order.
    async fn route_views(&self, recipient: Recipient<'_>) -> Result<Vec<RouteView>, Problem> {
        let requester = recipient.requester;
        let brand = &requester.brand;
        let setups = brand.setup(requester.mode).channels.iter();
        let names = setups
            .filter(|setup| link_channel::is_offered(requester, setup))
            .map(|setup| &setup.name);
        let opened = names.map(|name| (name, self.channels.open(brand, requester.mode, name).ok()));
        let opened: Vec<(&ChannelName, Option<Box<dyn Channel>>)> = opened.collect();
        let mut answers: Vec<Option<RouteCapability>> = Vec::new();
        answers.resize_with(opened.len(), || None);
        let mut writes = Vec::new();
        let asked = opened.iter().zip(0_usize..).map(|((name, channel), position)| async move {
            (position, self.ask_channel(recipient, name, channel.as_deref()).await)
        });
        let mut asked: FuturesUnordered<_> = asked.collect();
        let mut deadline = self.ports.clock.wait(TIME_MAX);
        while let Either::Left((Some((position, answer)), waiting)) =
            future::select(asked.next(), deadline).await
        {
            deadline = waiting;
            let answer = answer?;
            writes.extend(answer.write);
            if let Some(slot) = answers.get_mut(position) {
                *slot = Some(answer.known);
            }
        }
        if !writes.is_empty()
            && let Err(error) = self.ports.store.write(writes).await
        {
            // The answers are right without the cache, and the caller is waiting for them.
            tracing::warn!(error = %error, "failed to cache channel capabilities");
        }
        let routes = opened.iter().zip(answers).map(|((name, channel), answer)| RouteView {
            channel: (*name).clone(),
            known: answer.unwrap_or_else(|| unanswered(channel.as_deref())),
        });
        Ok(routes.collect())
    }

    /// Asks one channel, unless it answered within the last minute.
    async fn ask_channel(
        &self,
        recipient: Recipient<'_>,
        name: &ChannelName,
        channel: Option<&dyn Channel>,
    ) -> Result<ChannelAnswer, Problem> {
        let Recipient { phone, address, now, .. } = recipient;
        let Some(channel) = channel else {
            return Ok(ChannelAnswer { known: misconfigured(), write: None });
        };
        if channel.address_kind() == AddressKind::Email {
            let known = self.ask_mail_channel(recipient, channel).await?;
            return Ok(ChannelAnswer { known, write: None });
        }
        let (store, scope) = (self.ports.store.as_ref(), recipient.scope(name));
        if let Some(known) = capability::load(store, scope, address, now).await? {
            return Ok(ChannelAnswer { known, write: None });
        }
        let (contact, _) = contact::load(store, scope, address, now).await?;
        let known = RouteCapability::from(channel.capability(phone, &contact, now).await);
        let write = capability::put(scope, address, &known, now)?;
        Ok(ChannelAnswer { known, write: Some(write) })
    }
}

impl Intake {
    /// Asks a channel that sends mail. Its answer is about the e-mail address, so it is not cached for the number.
    async fn ask_mail_channel(
        &self,
        recipient: Recipient<'_>,
        channel: &dyn Channel,
    ) -> Result<RouteCapability, Problem> {
        let Recipient { requester, phone, email, now, .. } = recipient;
        let known = channel.capability(phone, &Contact::default(), now).await;
        let cannot =
            |reason| Capability { reachable: false, reason: Some(reason), ..known.clone() };
        let Some(email) = email else { return Ok(cannot(NO_ADDRESS).into()) };
        let address = keys::email_hash(&requester.brand.address_key, email);
        let store = self.ports.store.as_ref();
        let stopped = opt_outs::is_opted_out(store, requester.scope(), &address).await?;
        Ok(if stopped { cannot(UNSUBSCRIBED) } else { known }.into())
    }
}

/// The answer for a channel that was too slow. It is shown as reachable, as most channels are.
fn unanswered(channel: Option<&dyn Channel>) -> RouteCapability {
    let Some(channel) = channel else { return misconfigured() };
    RouteCapability {
        reachable: true,
        rich: false,
        wallets: Vec::new(),
        receipts: channel.receipts(),
        reason: Some("no_answer_in_time".to_owned()),
    }
}

/// The answer for a channel whose settings are wrong.
fn misconfigured() -> RouteCapability {
    RouteCapability {
        reachable: false,
        rich: false,
        wallets: Vec::new(),
        receipts: ReceiptKinds { delivered: false, read: false },
        reason: Some("channel_settings".to_owned()),
    }
}
