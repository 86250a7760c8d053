//! Verifies the webhooks of channels' providers, and records each event that they report.

use std::sync::Arc;

use domain::brand::{Brand, ChannelSetup, Mode};
use domain::journal::DeliveryStatus;
use domain::problem::{Code, Problem};
use domain::values::name::ChannelName;
use ports::{
    Callback, CallbackReply, Channel, Channels, OpenChannelError, Ports, UnverifiedCallback,
};

use super::context::ChannelContext;
use super::opt_out::OptOut;
use super::receipts::Receipts;
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
    opt_out: OptOut,
    receipts: Receipts,
    replies: Replies,
}

impl ChannelWebhooks {
    pub(crate) fn new(ports: Ports, channels: Arc<dyn Channels>, approvals: Approvals) -> Self {
        Self {
            channels,
            opt_out: OptOut::new(ports.clone()),
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
        for ChannelReading { candidate, received, .. } in addressed(readings) {
            let context = ChannelContext { brand, mode: candidate.mode, channel: candidate.name };
            refusal = refusal.or(received.refusal);
            counts |= self.record_all(context, received.callbacks, refusal.is_some()).await?;
            response = response.or(Some(received.reply));
        }
        let response = response.ok_or_else(absent)?;
        Ok(refusal.filter(|_| !counts).unwrap_or(response))
    }

    /// Records the events of a webhook for one channel. `false` when one of them does not count any more.
    ///
    /// Where a customer `waits` at a payment sheet, a failure is answered with a refusal, and the provider repeats nothing.
    pub(super) async fn record_all(
        &self,
        context: ChannelContext<'_>,
        callbacks: Vec<Callback>,
        waits: bool,
    ) -> Result<bool, Problem> {
        let mut counts = true;
        for callback in callbacks {
            match self.record(context, callback).await {
                Ok(recorded) => counts &= recorded,
                // The refusal closes the sheet, and the customer can try once more.
                Err(problem) if waits => {
                    let (code, ..) = problem.code.facts();
                    tracing::warn!(channel.name = %context.channel, problem.code = code, "failed to record a payment in the chat");
                    counts = false;
                }
                Err(problem) => return Err(problem),
            }
        }
        Ok(counts)
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

    /// Records one event. `false` when it does not count any more and the sender can be shown so.
    async fn record(
        &self,
        context: ChannelContext<'_>,
        callback: Callback,
    ) -> Result<bool, Problem> {
        match callback {
            Callback::Delivered(prompt) => {
                self.receipts.record(context, prompt, DeliveryStatus::Delivered).await?;
            }
            Callback::Read(prompt) => {
                self.receipts.record(context, prompt, DeliveryStatus::Read).await?;
            }
            Callback::Failed(prompt, reason) => {
                let status = DeliveryStatus::Failed { reason: reason.to_owned() };
                self.receipts.record(context, prompt, status).await?;
            }
            Callback::FailedForNow(prompt) => self.receipts.record_busy(context, prompt).await?,
            Callback::Stop(from) => self.opt_out.stop(context, &from).await?,
            Callback::Start(from) => self.opt_out.start(context, &from).await?,
            Callback::Tapped { postback, from } => {
                self.replies.on_postback(context, &postback, &from).await?;
            }
            Callback::Wrote { from, text, intent, at } => {
                let inbound = InboundText { text: &text, intent: intent.as_deref(), at };
                self.replies.on_text(context, &from, inbound).await?;
            }
            Callback::Paid { about, credential } => {
                return self.replies.on_in_chat_payment(context, about, credential).await;
            }
        }
        Ok(true)
    }
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
