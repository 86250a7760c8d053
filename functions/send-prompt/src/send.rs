//! Sends one recorded prompt and records the channel's answer.

use std::sync::Arc;
use std::time::Duration;

use domain::brand::{Brand, BrandScope};
use domain::contact::Contact;
use domain::email_channel::{NO_ADDRESS, UNSUBSCRIBED};
use domain::guards;
use domain::guards::Guard;
use domain::journal::DeliveryStatus;
use domain::request::{CHANNEL_BUSY, PromptRecord, Request};
use domain::values::id::PromptId;
use domain::values::name::{BrandName, ChannelName};
use domain::values::time::Timestamp;
use ports::{AcceptedPrompt, Channel, OPTED_OUT, Ports, Resend, SendError};
use records::contact;
use records::contact::ChannelScope;
use records::handles::Handles;
use records::opt_outs;
use records::read_ahead::ReadAhead;
use records::storage::VersionedRequest;

use crate::rendering::Rendering;
use crate::{SendPrompt, StepError};

/// A request after a prompt was sent, or could not be.
pub(crate) struct SendResult {
    pub(crate) loaded: VersionedRequest,
    /// When to deliver again, where the channel was busy and no other route is left.
    pub(crate) retry_after: Option<Duration>,
}

/// A prompt that is recorded and not sent yet.
pub(crate) struct RecordedPrompt {
    pub(crate) id: PromptId,
    /// Its channel; `None` when the channel's settings are wrong.
    pub(crate) opened: Option<Box<dyn Channel>>,
    /// The contact record; `None` when it was not read yet.
    pub(crate) contact: Option<Contact>,
}

/// A channel's answer to one prompt, as it is recorded.
struct SendRecord {
    statuses: Vec<DeliveryStatus>,
    provider_id: Option<String>,
    busy: bool,
}

impl SendPrompt {
    /// Sends a recorded prompt and records the result.
    pub(crate) async fn send_recorded(
        &self,
        loaded: VersionedRequest,
        brand: &Arc<Brand>,
        recorded: RecordedPrompt,
    ) -> Result<SendResult, StepError> {
        let RecordedPrompt { id, opened: channel, contact } = recorded;
        let Some(prompt) = loaded.request.prompt(id).cloned() else {
            return Ok(SendResult { loaded, retry_after: None });
        };
        let now = self.ports.clock.now();
        let contact = match contact {
            Some(contact) => contact,
            None => self.contact(&loaded.request, &prompt, brand, now).await?,
        };
        let (request, public_base) = (&loaded.request, self.public_base.as_str());
        let rendering = Rendering { request, prompt: &prompt, brand, public_base };
        let rendered = rendering.prompt(contact, now);
        let unsubscribed = self.is_unsubscribed(&loaded.request, brand, &prompt.channel).await?;
        let sent = match channel.as_deref() {
            Some(_) if rendered.to.is_erased() => {
                Err(SendError::Unreachable { reason: NO_ADDRESS })
            }
            Some(_) if unsubscribed => Err(SendError::Unreachable { reason: UNSUBSCRIBED }),
            Some(channel) => send_twice_if_lost(channel, || channel.send(&rendered)).await,
            None => Err(SendError::Misconfigured { reason: "channel_settings" }),
        };
        if let Ok(accepted) = &sent {
            self.learn(&loaded.request, &prompt, brand, accepted).await?;
        }
        let is_opted_out = matches!(&sent, Err(SendError::Unreachable { reason }) if *reason == OPTED_OUT)
            && !guards::is_disabled(Guard::ReportedOptOut);
        if is_opted_out {
            self.record_opt_out(&loaded.request).await?;
        }
        let sent = self.send_record(sent, &prompt, &loaded.request.brand).await;
        let mut loaded = self.record(loaded, id, &sent.statuses, sent.provider_id).await?;
        if is_opted_out {
            loaded = self.end_opted_out(loaded).await?;
        }
        let mut retry_after = None;
        if sent.busy {
            loaded = self.requeue_route(loaded, &prompt.channel).await?;
            let wait = loaded.request.busy_wait(id, self.ports.clock.now());
            retry_after = (wait > Duration::ZERO).then_some(wait);
        }
        Ok(SendResult { loaded, retry_after })
    }

    /// Translates a channel's answer and logs what an operator must know. The brand's secret is read again when the channel
    /// rejected our credentials.
    async fn send_record(
        &self,
        sent: Result<AcceptedPrompt, SendError>,
        prompt: &PromptRecord,
        brand: &BrandName,
    ) -> SendRecord {
        let (id, channel) = (prompt.id, &prompt.channel);
        let failed = |reason: &str| vec![DeliveryStatus::Failed { reason: reason.to_owned() }];
        let statuses = match sent {
            Ok(accepted) => {
                let mut statuses = vec![DeliveryStatus::Accepted];
                statuses.extend(accepted.delivered.then_some(DeliveryStatus::Delivered));
                let provider_id = accepted.provider_id;
                return SendRecord { statuses, provider_id, busy: false };
            }
            Err(SendError::Unknown(error)) => {
                tracing::warn!(prompt.id = %id, channel.name = %channel, error = %error, "channel's answer was lost");
                vec![DeliveryStatus::Unknown]
            }
            Err(SendError::Unreachable { reason }) => failed(reason),
            Err(SendError::Again(error)) => {
                tracing::warn!(prompt.id = %id, channel.name = %channel, error = %error, "channel was busy");
                let statuses = failed(CHANNEL_BUSY);
                return SendRecord { statuses, provider_id: None, busy: true };
            }
            Err(SendError::Misconfigured { reason }) => {
                tracing::error!(prompt.id = %id, channel.name = %channel, reason, "channel rejected our settings");
                if reason == "credentials" {
                    // The credentials may have been rotated: the next prompt is sent with the newest ones.
                    self.refresh_secret(brand).await;
                }
                failed(reason)
            }
        };
        SendRecord { statuses, provider_id: None, busy: false }
    }

    /// Reads the brand's secret again, after a channel rejected our credentials.
    pub(crate) async fn refresh_secret(&self, brand: &BrandName) {
        if let Err(error) = self.ports.secrets.refresh(brand).await {
            tracing::warn!(error = %error, "failed to refresh the brand's secret");
        }
    }

    /// Keeps the customer's ids on the channel that the answer to a prompt names, and whether the window is shut.
    ///
    /// An opt-out that came from such an id before counts from the next prompt on.
    async fn learn(
        &self,
        request: &Request,
        prompt: &PromptRecord,
        brand: &Brand,
        accepted: &AcceptedPrompt,
    ) -> Result<(), StepError> {
        if request.proves_no_number(brand, prompt.id) {
            return Ok(());
        }
        let (store, now) = (self.ports.store.as_ref(), self.ports.clock.now());
        let (scope, address) = (scope(request, prompt), &request.customer_address(brand));
        let handles = Handles { store, brand, at: scope };
        handles.tie(address, &accepted.recipient, now).await?;
        if accepted.outside_window {
            let shut = |known: &Contact| known.with_window_closed(prompt.at);
            contact::update(store, scope, address, now, shut).await?;
        }
        Ok(())
    }

    /// Returns the same worker, which has read ahead what decides on a message of this channel.
    ///
    /// That is the customer's opt-out and contact record.
    pub(crate) async fn reading_ahead(
        &self,
        request: &Request,
        brand: &Brand,
        channel: &ChannelName,
    ) -> Result<Self, StepError> {
        let Request { brand: name, mode, address, .. } = request;
        let at = ChannelScope { brand: name, mode: *mode, channel };
        let mut keys = vec![contact::key(at, &request.customer_address(brand))];
        let of = BrandScope { brand: name, mode: *mode };
        keys.extend(opt_outs::keys(of, address));
        if brand.is_email_channel(*mode, channel) {
            let mail = request.email_address(brand);
            keys.extend(mail.into_iter().flat_map(|address| opt_outs::keys(of, &address)));
        }
        let ahead = ReadAhead::load(&self.ports.store, keys).await?;
        let ports = Ports { store: Arc::new(ahead), ..self.ports.clone() };
        let (channels, public_base) = (Arc::clone(&self.channels), self.public_base.clone());
        Ok(Self { ports, channels, public_base })
    }

    /// Loads the contact record on the prompt's channel: of the number, or of who began by the entry link.
    pub(crate) async fn contact(
        &self,
        request: &Request,
        prompt: &PromptRecord,
        brand: &Brand,
        now: Timestamp,
    ) -> Result<Contact, StepError> {
        let (store, at) = (self.ports.store.as_ref(), scope(request, prompt));
        let handles = Handles { store, brand, at };
        if request.entry.as_ref() == Some(&prompt.channel) {
            return Ok(handles.contact_by_entry(request.id, now).await?);
        }
        let address = request.customer_address(brand);
        let (contact, _) = contact::load(store, at, &address, now).await?;
        Ok(handles.verified(contact, &address))
    }

    /// Draws the id of a new prompt or message.
    pub(crate) fn new_id(&self, now: Timestamp) -> PromptId {
        let mut random = [0_u8; 10];
        self.ports.random.fill(&mut random);
        PromptId::new(now, random)
    }

    /// Puts a busy channel back behind the other routes.
    async fn requeue_route(
        &self,
        loaded: VersionedRequest,
        channel: &ChannelName,
    ) -> Result<VersionedRequest, StepError> {
        let change = loaded.request.route_again(channel, self.ports.clock.now());
        self.commit(loaded.version, change, Vec::new()).await
    }

    /// Opens a channel of the request's brand; `None` when its settings are wrong, which the registry has logged.
    pub(crate) fn open_channel(
        &self,
        request: &Request,
        brand: &Brand,
        name: &ChannelName,
    ) -> Option<Box<dyn Channel>> {
        self.channels.open(brand, request.mode, name).ok()
    }
}

pub(crate) const fn scope<'a>(request: &'a Request, prompt: &'a PromptRecord) -> ChannelScope<'a> {
    ChannelScope { brand: &request.brand, mode: request.mode, channel: &prompt.channel }
}

/// Sends once more where an answer was lost and the channel recognises a repeat. Without that, a customer with no other
/// route would wait in vain. A prompt whose answer is lost twice may have been sent.
pub(crate) async fn send_twice_if_lost<F>(
    channel: &dyn Channel,
    send: impl Fn() -> F + Send + Sync,
) -> Result<AcceptedPrompt, SendError>
where
    F: Future<Output = Result<AcceptedPrompt, SendError>> + Send,
{
    let first = send().await;
    if matches!(first, Err(SendError::Unknown(_))) && channel.resend() == Resend::Safe {
        return send().await;
    }
    first
}
