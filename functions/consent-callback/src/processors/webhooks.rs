//! Verifies the webhooks of processors, and sends returning customers back to the consent page.

use std::collections::BTreeSet;

use domain::brand::{Brand, Mode};
use domain::keys;
use domain::problem::Problem;
use domain::values::id::RequestId;
use domain::values::name::ProcessorName;
use ports::{
    CallbackReply, OpenProcessorError, UnverifiedCallback, VerifiedWebhook, WebhookResponse,
};
use records::storage;

use super::ProcessorWebhooks;
use super::context::ProcessorContext;
use crate::rejection::Rejection;

/// The response to a webhook, or to the browser of a customer who returns.
pub(crate) enum ProcessorReply {
    /// The response to the processor.
    Webhook(CallbackReply),
    /// The customer goes back to the consent page with this link token; `None` when no page is known.
    ConsentPage(Option<String>),
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
        for event in webhook.events {
            self.record(context, event).await?;
        }
        match webhook.reply {
            WebhookResponse::Plain(reply) => Ok(ProcessorReply::Webhook(reply)),
            WebhookResponse::ToPage(request) => {
                Ok(ProcessorReply::ConsentPage(self.link_token(context, request).await?))
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

    /// Returns the link token of the approved prompt, or else of the newest one.
    async fn link_token(
        &self,
        context: ProcessorContext<'_>,
        id: RequestId,
    ) -> Result<Option<String>, Problem> {
        let loaded = storage::load(self.ports.store.as_ref(), id).await?;
        let own = loaded.filter(|loaded| context.is_owner(&loaded.request));
        let Some(request) = own.map(|loaded| loaded.request) else { return Ok(None) };
        let approved = request.approval().map(|(consent, _)| consent.prompt);
        let prompt = approved.or_else(|| request.prompts.last().map(|prompt| prompt.id));
        Ok(prompt.map(|prompt| keys::link_token(&context.brand.link_key, prompt)))
    }
}
