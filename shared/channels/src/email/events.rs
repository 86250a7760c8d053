//! Reads the events of SES that arrive over SNS: deliveries, bounces and complaints.
//!
//! The events are not signed. The topic belongs to this channel, and its policy lets only SES publish there. Events repeat,
//! arrive late and in any order. One event has one recipient, as each mail has one.
//!
//! Source: <https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html>, read 2026-11-27.

use std::collections::BTreeMap;

use domain::values::email::Email;
use domain::values::prompt_ref::PromptRef;
use domain::values::time::Timestamp;
use ports::{
    Addressee, Callback, CallbackError, CallbackReply, Proof, ReceivedWebhook, UnverifiedCallback,
};
use serde::Deserialize;
use serde_json::Value;

use super::wire::{PROMPT_TAG, REQUEST_TAG};
use crate::json::{self, lenient};

/// A report of abuse that says the opposite, or that no person made.
const NO_COMPLAINTS: [&str; 2] = ["not-spam", "auth-failure"];
/// The subtype of a mail that was not sent, as its reader complained before.
const SUPPRESSED: &str = "OnAccountSuppressionList";

/// An event that a configuration set publishes.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SesEvent {
    event_type: String,
    #[serde(default, deserialize_with = "lenient")]
    mail: Option<Mail>,
    #[serde(default, deserialize_with = "lenient")]
    bounce: Option<Bounce>,
    #[serde(default, deserialize_with = "lenient")]
    complaint: Option<Complaint>,
}

/// The mail that an event is about.
#[derive(Deserialize)]
struct Mail {
    #[serde(default, deserialize_with = "lenient")]
    destination: Option<Vec<Value>>,
    /// The tags that we sent, and those of SES. Each has a list of values.
    #[serde(default, deserialize_with = "lenient")]
    tags: Option<BTreeMap<String, Value>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bounce {
    #[serde(default, deserialize_with = "lenient")]
    bounce_type: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Complaint {
    #[serde(default, deserialize_with = "lenient")]
    complaint_sub_type: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    complaint_feedback_type: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    timestamp: Option<Timestamp>,
}

/// Reads a message of the topic.
///
/// # Errors
///
/// [`CallbackError::Forged`] for a body that did not come over the topic, [`CallbackError::Malformed`] for one that is
/// no event.
pub(super) fn receive(callback: &UnverifiedCallback) -> Result<ReceivedWebhook, CallbackError> {
    match callback.proof {
        Proof::None => return Err(CallbackError::Forged),
        Proof::Topic { .. } => {}
    }
    let callbacks = read(callback).ok_or(CallbackError::Malformed)?.callbacks();
    let reply = CallbackReply { status: 200, content_type: "text/plain", body: String::new() };
    Ok(ReceivedWebhook { callbacks, reply, refusal: None })
}

/// Returns the channel that a message of the topic is for: an event of our mail names its prompt.
pub(super) fn addressee(callback: &UnverifiedCallback) -> Addressee {
    let own = read(callback).is_some_and(|event| event.reference().is_some());
    if own { Addressee::Own } else { Addressee::Unnamed }
}

fn read(callback: &UnverifiedCallback) -> Option<SesEvent> {
    serde_json::from_value(json::read(&callback.body)?).ok()
}

impl SesEvent {
    /// Returns the prompt; `None` for another mail of the same configuration set.
    fn reference(&self) -> Option<PromptRef> {
        let tags = self.mail.as_ref()?.tags.as_ref()?;
        let tag = |name: &str| tags.get(name).and_then(|values| json::text(values, "/0"));
        Some(PromptRef {
            request: tag(REQUEST_TAG)?.parse().ok()?,
            prompt: tag(PROMPT_TAG)?.parse().ok()?,
        })
    }

    fn callbacks(&self) -> Vec<Callback> {
        let Some(reference) = self.reference() else { return Vec::new() };
        let about = reference.into();
        match self.event_type.as_str() {
            "Delivery" => vec![Callback::Delivered(about)],
            "Bounce" => {
                let kind = self.bounce.as_ref().and_then(|bounce| bounce.bounce_type.as_deref());
                // A mail that SES gave up for now comes too late for a live session as well.
                let is_permanent = kind == Some("Permanent");
                let reason = if is_permanent { "unreachable" } else { "undelivered" };
                vec![Callback::Failed(about, reason)]
            }
            "Reject" | "Rendering Failure" => vec![Callback::Failed(about, "rejected")],
            "Complaint" => self.complaint(reference),
            // Sent, delayed, opened or clicked: programs open and follow links too.
            _ => Vec::new(),
        }
    }

    fn complaint(&self, reference: PromptRef) -> Vec<Callback> {
        let complaint = self.complaint.as_ref();
        let feedback = complaint.and_then(|known| known.complaint_feedback_type.as_deref());
        if feedback.is_some_and(|kind| NO_COMPLAINTS.contains(&kind)) {
            return Vec::new();
        }
        let sub_type = complaint.and_then(|known| known.complaint_sub_type.as_deref());
        let failed = (sub_type == Some(SUPPRESSED))
            .then(|| Callback::Failed(reference.into(), "unreachable"));
        let at = complaint.and_then(|known| known.timestamp);
        let stops = self.recipients().map(|email| {
            let about = reference.into();
            Callback::Unsubscribed { about, email, at }
        });
        stops.chain(failed).collect()
    }

    /// Returns the addresses of the mail. A complaint may leave its own list out.
    fn recipients(&self) -> impl Iterator<Item = Email> {
        let listed = self.mail.as_ref().and_then(|mail| mail.destination.as_ref());
        let addresses = listed.into_iter().flatten().filter_map(Value::as_str);
        addresses.filter_map(|address| address.parse().ok())
    }
}
