//! Verifies the webhooks of processors, and sends returning customers back to the consent page.

use std::collections::BTreeSet;

use domain::brand::{Brand, Mode};
use domain::problem::Problem;
use domain::values::name::ProcessorName;
use ports::{
    CallbackReply, OpenProcessorError, UnverifiedCallback, VerifiedWebhook, WebhookResponse,
};

use super::ProcessorWebhooks;
use super::context::ProcessorContext;
use super::returns::ReturnPage;
use crate::rejection::Rejection;

/// The response to a webhook, or to the browser of a customer who returns.
pub(crate) enum ProcessorReply {
    /// The response to the processor.
    Webhook(CallbackReply),
    /// The page for the browser of a customer who returns.
    Return(ReturnPage),
}

impl ProcessorWebhooks {
    /// Verifies a call to a processor's callback address, and records its events.
    ///
    /// # Errors
    /// A [`Problem`]; nothing was recorded, or the processor's repeat records the rest.
    pub(crate) async fn receive(
        &self,
        brand: &Brand,
        name: &ProcessorName,
        callback: &UnverifiedCallback,
    ) -> Result<ProcessorReply, Problem> {
        let (mode, webhook) = self.verify(brand, name, callback)?;
        let context = ProcessorContext { brand, mode, name };
        if !webhook.ignored.is_empty() {
            let reasons: BTreeSet<&str> =
                webhook.ignored.iter().map(|part| part.as_str()).collect();
            tracing::info!(processor.name = %name, reasons = ?reasons, "parts of a processor webhook ignored");
        }
        match webhook.reply {
            WebhookResponse::Plain(reply) => {
                for event in webhook.events {
                    self.record(context, event).await?;
                }
                Ok(ProcessorReply::Webhook(reply))
            }
            WebhookResponse::ToPage(request) => {
                let returned = self.on_return(context, callback, request, webhook.events).await?;
                Ok(ProcessorReply::Return(returned))
            }
        }
    }

    /// Finds the mode of a call, as its address names none: the mode of the credentials that it verifies with.
    fn verify(
        &self,
        brand: &Brand,
        name: &ProcessorName,
        callback: &UnverifiedCallback,
    ) -> Result<(Mode, VerifiedWebhook), Problem> {
        let mut rejection = Rejection::new();
        let mut ignored = None;
        for mode in [Mode::Live, Mode::Test] {
            let processor = match self.processors.open(brand, mode, name) {
                Ok(processor) => processor,
                Err(OpenProcessorError::Absent) => continue,
                // The call may be for this account. The processor repeats it until the setting is corrected.
                Err(OpenProcessorError::Settings(_)) => {
                    rejection.invalid_settings();
                    continue;
                }
            };
            match processor.receive(callback) {
                // Another mode may have the same secret, and the webhook may be for that one.
                Ok(webhook) if webhook.events.is_empty() && !webhook.ignored.is_empty() => {
                    ignored = ignored.or(Some((mode, webhook)));
                }
                Ok(webhook) => return Ok((mode, webhook)),
                Err(error) => {
                    if rejection.refused(&error)? {
                        tracing::warn!(processor.name = %name, "webhook rejected: signature does not verify");
                    }
                }
            }
        }
        ignored.ok_or_else(|| rejection.into_problem())
    }
}
