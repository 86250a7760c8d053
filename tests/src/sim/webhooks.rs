//! The webhooks of processors: late, twice, out of order, and of other accounts.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method};

use super::brand::other_webhook_secret;
use super::environment::ProcessorWebhook;
use super::replays::ReplayableWebhook;
use super::work::{Work, WorkFuture, WorkResult};
use super::world::Simulation;
use crate::providers::stripe;

/// How many webhooks are kept that did not come.
const WEBHOOKS_MAX: usize = 24;

/// A call at the callback address of one of a brand's providers.
pub(super) struct CallbackCall {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) brand: &'static str,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Simulation {
    /// A processor's webhook comes: about something new, about something old or once more. Or another account sends it.
    pub(super) fn receives_processor_webhook(&mut self) {
        let webhook = {
            let environment = &mut *self.shared.lock();
            let known = environment.oracle.requests.keys().next_back().map(ToString::to_string);
            if let Some(request) = known.filter(|_| environment.sandbox.is_some()) {
                environment.stripe_reports(&request);
            }
            let forget = environment.webhooks.len().saturating_sub(WEBHOOKS_MAX);
            // A webhook that the processor repeats is not forgotten.
            if environment.webhooks.iter().all(|webhook| !webhook.repeats) {
                environment.webhooks.drain(..forget);
            }
            let place = environment.rng.place(environment.webhooks.len());
            let Some(webhook) = environment.webhooks.get(place).cloned() else { return };
            let again = environment.rng.happens(400);
            if webhook.repeats || !again {
                environment.webhooks.swap_remove(place);
            }
            webhook
        };
        self.receives(webhook);
    }

    /// A webhook comes that the processor repeats until it is accepted. Returns whether there was one.
    pub(super) fn receives_repeated_webhook(&mut self) -> bool {
        let webhook = {
            let webhooks = &mut self.shared.lock().webhooks;
            let place = webhooks.iter().position(|webhook| webhook.repeats);
            place.map(|place| webhooks.swap_remove(place))
        };
        let found = webhook.is_some();
        if let Some(webhook) = webhook {
            self.receives(webhook);
        }
        found
    }

    pub(super) fn receives(&mut self, webhook: ProcessorWebhook) {
        self.remember_for_replay(ReplayableWebhook::Processor(webhook.clone()));
        let body = webhook.body.to_string();
        let other = self.plan.requests > 1 && self.roll(4) == 0;
        let secret = if other { other_webhook_secret() } else { self.credentials.webhook_secret() };
        let signature = stripe::signature(&secret, self.now(), body.as_bytes());
        let mut headers = HeaderMap::new();
        // Adyen signs within the body.
        if let Ok(value) = HeaderValue::from_str(&signature) {
            headers.insert("stripe-signature", value);
        }
        let brand = if other { "other" } else { "shop" };
        self.trace(|| format!("{brand}'s processor reports {body}"));
        let path = format!("/callbacks/{brand}/{}", webhook.processor);
        let work = if other { Work::Unauthenticated } else { Work::Webhook(webhook) };
        let body = Bytes::from(body);
        self.posts_callback_with(
            CallbackCall { method: Method::POST, path, brand, headers, body },
            work,
        );
    }

    pub(super) fn posts_callback_with(&mut self, call: CallbackCall, work: Work) {
        let CallbackCall { method, path, brand, headers, body } = call;
        let request = http::Request::builder().method(method).uri(&path).body(());
        let Ok(request) = request else { return };
        let (mut parts, ()) = request.into_parts();
        parts.headers = headers;
        let name = parts.uri.path().rsplit('/').next().unwrap_or_default().to_owned();
        let machine = Arc::clone(&self.machine);
        let running: WorkFuture = Box::pin(async move {
            WorkResult::Answered(machine.consent_callback.receive(brand, &name, &parts, body).await)
        });
        self.employ(work, running);
    }
}
