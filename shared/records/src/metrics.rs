//! The metrics: one line for each act that is counted, under the target [`ports::METRICS`].
//!
//! A line has the names of a metric, of a channel and of a processor, the mode and a number. It has nothing of a person.

use std::time::Duration;

use domain::journal::{DeliveryStatus, EntryKind, JournalEntry};
use domain::request::Request;
use domain::values::id::PromptId;
use domain::values::name::ChannelName;
use domain::values::time::Timestamp;

/// Counts what the stored journal entries of a request tell, and how long its attempt is in doubt.
pub(crate) fn changed(request: &Request, entries: &[JournalEntry], at: Timestamp) {
    let newest = request.prompts.last().map(|prompt| &prompt.channel);
    for entry in entries {
        let Some((metric, prompt)) = counted(&entry.what) else { continue };
        let channel = prompt.and_then(|prompt| channel(request, prompt)).or(newest);
        tracing::info!(
            target: ports::METRICS, metric, value = 1_u64, unit = "Count", mode = request.mode.as_str(),
            channel = channel.map(tracing::field::display), processor = %request.processor,
            "counted"
        );
    }
    if let Some(seconds) = in_doubt_for(request, at) {
        tracing::info!(
            target: ports::METRICS, metric = "InDoubtSeconds", value = seconds.as_secs(), unit = "Seconds",
            mode = request.mode.as_str(), channel = newest.map(tracing::field::display),
            processor = %request.processor,
            "measured"
        );
    }
}

fn channel(request: &Request, prompt: PromptId) -> Option<&ChannelName> {
    let mut prompts = request.prompts.iter();
    prompts.find(|known| known.id == prompt).map(|known| &known.channel)
}

/// Returns how long the open attempt of a request has been in doubt; `None` where nothing is.
fn in_doubt_for(request: &Request, at: Timestamp) -> Option<Duration> {
    let attempt = request.reported_doubt()?;
    attempt.started_at().map(|started_at| started_at.until(at))
}

/// Returns the metric that counts an entry, and the prompt that the entry names; `None` for what is not counted.
const fn counted(what: &EntryKind) -> Option<(&'static str, Option<PromptId>)> {
    Some(match what {
        EntryKind::Accepted => ("Asked", None),
        EntryKind::Prompt { prompt, delivery_status: DeliveryStatus::Delivered } => {
            ("Delivered", Some(*prompt))
        }
        EntryKind::Approved { consent } => ("Approved", Some(consent.prompt)),
        EntryKind::Denied { prompt, .. } => ("Denied", *prompt),
        EntryKind::Fulfilled { .. } => ("Fulfilled", None),
        EntryKind::InDoubt { .. } => ("InDoubt", None),
        EntryKind::Prompt { .. }
        | EntryKind::Failed { .. }
        | EntryKind::Cancelled
        | EntryKind::Expired
        | EntryKind::Undeliverable { .. }
        | EntryKind::Extended { .. }
        | EntryKind::Resent { .. }
        | EntryKind::RefundAsked { .. }
        | EntryKind::Refunded { .. }
        | EntryKind::RefundedOutside { .. }
        | EntryKind::DisputeReported { .. }
        | EntryKind::Erased
        | EntryKind::Sending { .. }
        | EntryKind::Leased { .. }
        | EntryKind::Created { .. }
        | EntryKind::Started { .. }
        | EntryKind::Redirected { .. }
        | EntryKind::Returned { .. }
        | EntryKind::Exchanged { .. }
        | EntryKind::RedirectCancelled { .. }
        | EntryKind::AttemptReported { .. }
        | EntryKind::Released { .. }
        | EntryKind::AttemptFailed { .. }
        | EntryKind::RefundStarted { .. }
        | EntryKind::RefundReleased { .. }
        | EntryKind::RefundReported { .. }
        | EntryKind::RefundFailed { .. }
        | EntryKind::CaptureFailed
        | EntryKind::LatePayment { .. }
        | EntryKind::ReversalReported { .. }
        | EntryKind::Requeued { .. }
        | EntryKind::SpentTap { .. }
        | EntryKind::NotMeReported { .. }
        | EntryKind::Message { .. } => return None,
    })
}
