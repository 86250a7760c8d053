//! Verifies the webhooks of channels' providers, and records each event that they report.

use std::sync::Arc;

use domain::brand::{Brand, Mode};
use domain::journal::DeliveryStatus;
use domain::problem::{Code, Problem};
use domain::values::name::ChannelName;
use ports::{
    Callback, CallbackReply, Channel, Channels, OpenChannelError, Ports, ReceivedWebhook,
    UnverifiedCallback,
};

use super::context::ChannelContext;
use super::opt_out::OptOut;
use super::receipts::Receipts;
use super::replies::Replies;
use super::text_replies::InboundText;
use crate::approvals::Approvals;
use crate::rejection::Rejection;

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
        let (mode, received) = self.verify(brand, channel, callback).await?;
        let context = ChannelContext { brand, mode, channel };
        let mut counts = true;
        for callback in received.callbacks {
            match self.record(context, callback).await {
                Ok(recorded) => counts &= recorded,
                // The customer waits at a payment sheet: the refusal closes it, and they can try once more.
                Err(problem) if received.refusal.is_some() => {
                    let (code, ..) = problem.code.facts();
                    tracing::warn!(channel.name = %channel, problem.code = code, "failed to record a payment in the chat");
                    counts = false;
                }
                Err(problem) => return Err(problem),
            }
        }
        let refusal = received.refusal.filter(|_| !counts);
        Ok(refusal.unwrap_or(received.reply))
    }

    /// Finds the mode of a webhook, as its address names none: the mode of the credentials that it verifies with.
    async fn verify(
        &self,
        brand: &Arc<Brand>,
        name: &ChannelName,
        callback: &UnverifiedCallback,
    ) -> Result<(Mode, ReceivedWebhook), Problem> {
        let mut rejection = Rejection::new();
        for mode in [Mode::Live, Mode::Test] {
            let channel: Box<dyn Channel> = match self.channels.open(brand, mode, name) {
                Ok(channel) => channel,
                Err(OpenChannelError::Absent) => continue,
                // The webhook may be for this setup. The provider repeats it until the setting is corrected.
                Err(OpenChannelError::Settings(_)) => {
                    rejection.invalid_settings();
                    continue;
                }
            };
            let resolved = resolve(channel.as_ref(), callback).await?;
            match channel.receive(resolved.as_ref().unwrap_or(callback)) {
                Ok(received) => return Ok((mode, received)),
                Err(error) => {
                    if rejection.refused(&error)? {
                        tracing::warn!(channel.name = %name, "webhook rejected: signature does not verify");
                    }
                }
            }
        }
        Err(rejection.into_problem())
    }

    /// Records one event. `false` when it does not count any more and the sender can be shown so.
    pub(super) async fn record(
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
            Callback::Stop(from) => self.opt_out.stop(context, &from).await?,
            Callback::Start(from) => self.opt_out.start(context, &from).await?,
            Callback::Tapped { postback, from } => {
                self.replies.on_postback(context, &postback, &from).await?;
            }
            Callback::Wrote { from, text, intent, at } => {
                let inbound = InboundText { text: &text, intent: intent.as_deref(), at };
                self.replies.on_text(context, &from, inbound).await?;
            }
            Callback::Paid { about, authorization } => {
                return self.replies.on_in_chat_payment(context, about, authorization).await;
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
