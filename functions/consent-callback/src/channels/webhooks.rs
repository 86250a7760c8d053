//! Verifies the webhooks of channels' providers, and records each event that they report.

use std::sync::Arc;

use domain::brand::{Brand, ChannelSetup, Mode};
use domain::guards;
use domain::guards::Guard;
use domain::journal::DeliveryStatus;
use domain::keys;
use domain::problem::{Code, Problem};
use domain::values::name::ChannelName;
use domain::values::phone::Phone;
use ports::{
    Callback, CallbackReply, Channel, Channels, MessageOrigin, OPTED_OUT, OpenChannelError, Ports,
    UnverifiedCallback,
};
use records::seen;

use super::context::ChannelContext;
use super::opt_out::{Complaint, OptOut};
use super::receipts::Receipts;
use super::recipients::Recipients;
use super::replies::Replies;
use super::routing::{ChannelReading, addressed, candidates};
use super::text_replies::InboundText;
use crate::approvals::Approvals;
use crate::rejection::{Rejection, absent};

/// The webhooks of channels.
#[derive(Clone)]
pub struct ChannelWebhooks {
    pub(super) ports: Ports,
    pub(super) channels: Arc<dyn Channels>,
    pub(super) opt_out: OptOut,
    receipts: Receipts,
    recipients: Recipients,
    pub(super) replies: Replies,
}

impl ChannelWebhooks {
    pub(crate) fn new(ports: Ports, channels: Arc<dyn Channels>, approvals: Approvals) -> Self {
        let opt_out = OptOut::new(ports.clone());
        Self {
            channels,
            recipients: Recipients::new(ports.clone(), opt_out.clone()),
            opt_out,
            receipts: Receipts::new(ports.clone()),
            replies: Replies::new(ports.clone(), approvals),
            ports,
        }
    }

    /// Verifies a webhook of a channel's provider, records its events, and returns the response to the provider.
    ///
    /// # Errors
    /// A [`Problem`]; nothing was recorded, or the provider's repeat records the rest.
    pub async fn receive(
        &self,
        brand: &Arc<Brand>,
        channel: &ChannelName,
        callback: &UnverifiedCallback,
    ) -> Result<CallbackReply, Problem> {
        let readings = self.verify(brand, channel, callback).await?;
        let (mut counts, mut response, mut refusal) = (false, None, None);
        let mut failed = None;
        for ChannelReading { candidate, received, .. } in addressed(readings) {
            let context = ChannelContext { brand, mode: candidate.mode, channel: candidate.name };
            refusal = refusal.or(received.refusal);
            match self.record_all(context, received.callbacks, refusal.is_some()).await {
                Ok(recorded) => counts |= recorded,
                Err(problem) => failed = failed.or(Some(problem)),
            }
            response = response.or(Some(received.reply));
        }
        if let Some(problem) = failed {
            return Err(problem);
        }
        let response = response.ok_or_else(absent)?;
        Ok(refusal.filter(|_| !counts).unwrap_or(response))
    }

    /// Records the events of a webhook for one channel. `false` when one of them does not count any more.
    ///
    /// What customers said comes first, as a long webhook may end early. Where a customer `waits` at a payment sheet, a
    /// failure is answered with a refusal, and the provider repeats nothing.
    ///
    /// # Errors
    /// The first [`Problem`], after all other events were recorded.
    pub(crate) async fn record_all(
        &self,
        context: ChannelContext<'_>,
        callbacks: Vec<Callback>,
        waits: bool,
    ) -> Result<bool, Problem> {
        let (said, reported): (Vec<_>, Vec<_>) =
            callbacks.into_iter().partition(|callback| callback.origin().is_some());
        let (mut counts, mut failed) = (true, None);
        for callback in said.into_iter().chain(reported) {
            match Box::pin(self.record(context, callback)).await {
                Ok(recorded) => counts &= recorded,
                // The refusal closes the sheet, and the customer can try once more.
                Err(problem) if waits => {
                    let (code, ..) = problem.code.facts();
                    tracing::warn!(channel.name = %context.channel, problem.code = code, "failed to record a payment in the chat");
                    counts = false;
                }
                Err(problem) => failed = failed.or(Some(problem)),
            }
        }
        failed.map_or(Ok(counts), Err)
    }

    /// Reads a webhook with each channel that may share its address, in both modes. It counts where it verifies.
    ///
    /// The address names no mode: the credentials that the webhook verifies with do, and they speak of no other mode.
    async fn verify<'a>(
        &self,
        brand: &'a Brand,
        name: &ChannelName,
        callback: &UnverifiedCallback,
    ) -> Result<Vec<ChannelReading<'a>>, Problem> {
        let (mut rejection, mut readings) = (Rejection::new(), Vec::new());
        let (mut malformed, mut resolved) = (None, None);
        let of_one_kind = |named: &ChannelSetup, other: &ChannelSetup| named.kind == other.kind;
        for candidate in candidates(brand, name, &[Mode::Live, Mode::Test], of_one_kind) {
            let opened = self.channels.open(brand, candidate.mode, candidate.name);
            let channel: Box<dyn Channel> = match opened {
                Ok(channel) => channel,
                Err(OpenChannelError::Absent) => continue,
                // The webhook may be for this setup. The provider repeats it until the setting is corrected.
                Err(OpenChannelError::Settings(_)) if candidate.is_named => {
                    rejection.invalid_settings();
                    continue;
                }
                Err(OpenChannelError::Settings(_)) => continue,
            };
            if resolved.is_none() {
                resolved = resolve(channel.as_ref(), callback).await?;
            }
            let callback = resolved.as_ref().unwrap_or(callback);
            match channel.receive(callback) {
                Ok(received) => {
                    let addressee = channel.addressee(callback);
                    readings.push(ChannelReading { candidate, addressee, received });
                }
                Err(error) if candidate.is_named => match rejection.refused(&error) {
                    Ok(_) => {}
                    Err(problem) => malformed = malformed.or(Some(problem)),
                },
                Err(_) => {}
            }
        }
        match malformed {
            Some(problem) if readings.is_empty() => Err(problem),
            Some(_) | None if !readings.is_empty() => Ok(readings),
            Some(_) | None => {
                let problem = rejection.into_problem();
                if problem.code == Code::CallbackForged {
                    tracing::warn!(channel.name = %name, "webhook rejected: signature does not verify");
                }
                Err(problem)
            }
        }
    }

    /// Records one event, unless its message was recorded before.
    async fn record(
        &self,
        context: ChannelContext<'_>,
        callback: Callback,
    ) -> Result<bool, Problem> {
        let (store, now) = (self.ports.store.as_ref(), self.ports.clock.now());
        let message = callback.origin().and_then(|origin| message_hash(context, origin));
        let Some(message) = message.filter(|_| !guards::is_disabled(Guard::SeenMessage)) else {
            return self.record_new(context, callback).await;
        };
        let scope = context.scope(context.mode);
        if seen::is_seen(store, scope, &message, now).await? {
            tracing::info!(channel.name = %context.channel, "message reported again ignored");
            return Ok(true);
        }
        let counts = self.record_new(context, callback).await?;
        // Kept last: a message whose recording failed half-way is recorded when it is reported again.
        seen::put_seen(store, scope, &message, now).await?;
        Ok(counts)
    }

    /// Records one event. `false` when it does not count any more and the sender can be shown so.
    async fn record_new(
        &self,
        context: ChannelContext<'_>,
        callback: Callback,
    ) -> Result<bool, Problem> {
        let contacts = &self.replies.contacts;
        match callback {
            Callback::Delivered(prompt) => {
                self.receipts.record(context, prompt, DeliveryStatus::Delivered).await?;
            }
            Callback::Read(prompt) => {
                self.receipts.record(context, prompt, DeliveryStatus::Read).await?;
            }
            Callback::Failed(prompt, reason) => {
                if reason == OPTED_OUT {
                    self.opt_out.reported(context, prompt).await?;
                }
                let status = DeliveryStatus::Failed { reason: reason.to_owned() };
                self.receipts.record(context, prompt, status).await?;
            }
            Callback::FailedForNow(prompt) => self.receipts.record_busy(context, prompt).await?,
            Callback::Stop(origin) => {
                let known = contacts.identify(context, &origin).await?;
                self.opt_out.stop(context, &known).await?;
            }
            Callback::Start(origin) => {
                let known = contacts.identify(context, &origin).await?;
                self.opt_out.start(context, &known).await?;
            }
            Callback::Unsubscribed { about, email, at } => {
                self.opt_out.complained(context, about, Complaint { email: &email, at }).await?;
            }
            Callback::Tapped { postback, label, origin } => {
                let known = contacts.identify(context, &origin).await?;
                let tap = self.on_tap(context, &known, &postback, label.as_deref());
                Box::pin(tap).await?;
            }
            Callback::Wrote { origin, text, intent } => {
                let known = contacts.identify(context, &origin).await?;
                let inbound = InboundText { text: &text, intent: intent.as_deref() };
                Box::pin(self.on_text(context, known, inbound)).await?;
            }
            Callback::Active(origin) => {
                let known = contacts.identify(context, &origin).await?;
                contacts.update_sender(context, &known).await?;
            }
            Callback::Recipient { about, recipient } => {
                self.recipients.record(context, about, &recipient).await?;
            }
            Callback::Paid { about, credential } => {
                return self.replies.on_in_chat_payment(context, about, credential).await;
            }
        }
        Ok(true)
    }
}

/// Returns the hash of a message's id; `None` for a message without an id or a sender.
fn message_hash(context: ChannelContext<'_>, origin: &MessageOrigin) -> Option<String> {
    let id = origin.message_id.as_deref().filter(|id| !id.is_empty())?;
    let number = origin.from.phone.as_ref().map(Phone::as_str);
    let sender = origin.from.handle.as_deref().or(number)?;
    Some(keys::message_hash(&context.brand.address_key, context.channel.as_str(), sender, id))
}

/// Fetches the body that a webhook only refers to; `None` when it carries its own. The provider may repeat it later.
async fn resolve(
    channel: &dyn Channel,
    callback: &UnverifiedCallback,
) -> Result<Option<UnverifiedCallback>, Problem> {
    match channel.resolve(callback).await {
        Ok(body) => Ok(body.map(|body| UnverifiedCallback { body, ..callback.clone() })),
        Err(error) => {
            tracing::warn!(error = %error, "failed to fetch the body that a webhook refers to");
            let detail =
                "failed to fetch the content that the webhook refers to; send the webhook again";
            Err(Problem::new(Code::TemporaryReducedCapacity, detail))
        }
    }
}
