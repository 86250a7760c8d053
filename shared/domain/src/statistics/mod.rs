//! Statistics: what the end of one request tells, and the counts of a day.
//!
//! Nothing in them is of a person. A request counts on the day of its end, by what was known then.

mod counts;
mod day;
mod times;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use counts::{ChannelCounts, Counts, CountsRow, DayCounts, ProcessorCounts};
pub use day::{Day, InvalidDay};
pub use times::Times;

use crate::ask::AskKind;
use crate::outcome::Outcome;
use crate::request::{PromptRecord, PromptStatus, Request, TimelineEntry};
use crate::values::id::PromptId;
use crate::values::name::{ChannelName, ProcessorName};
use crate::values::time::Timestamp;

/// The facts of a request that ended, as statistics count them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndFacts {
    /// The kind of its ask.
    pub kind: AskKind,
    /// The channel of the answered prompt, or of the one that came furthest; `None` where no prompt was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<ChannelName>,
    /// The processor that was to use the approval.
    pub processor: ProcessorName,
    /// The end, as the API names it.
    pub state: String,
    /// The stable code of its reason; `None` where the state says everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How far the request came.
    pub reached: FunnelStep,
    /// When it ended.
    pub at: Timestamp,
    /// The whole seconds from the ask to the end.
    pub seconds: u64,
    /// The attempts at the processor.
    #[serde(default)]
    pub attempts: u32,
    /// The codes of the attempts after which the customer was asked again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub declines: Vec<String>,
    /// The prompts by channel.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub prompts: BTreeMap<ChannelName, PromptFacts>,
}

/// A step of a request on its way to its end. Each has those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FunnelStep {
    /// It was asked.
    Asked,
    /// A prompt reached the phone, by a receipt or by what the customer did.
    Delivered,
    /// The customer read the prompt, opened its page or answered.
    Opened,
    /// The customer approved.
    Approved,
    /// The processor did what was asked.
    Fulfilled,
}

/// The prompts of a request on one channel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromptFacts {
    /// How many there were.
    pub sent: u64,
    /// How many reached the phone.
    pub delivered: u64,
    /// When one last reached the phone, was read or opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivered_at: Option<Timestamp>,
    /// How many failed, by the stable code of the reason.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub failed: BTreeMap<String, u64>,
    /// When one last failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed_at: Option<Timestamp>,
}

impl EndFacts {
    /// Returns the facts of a request; `None` while it is open.
    #[must_use]
    pub fn of(request: &Request) -> Option<Self> {
        let (outcome, at) = (request.outcome()?, request.ended_at()?);
        let soft = ["card_declined", "attempt_failed"];
        let declines = request.timeline.iter().filter(|entry| soft.contains(&entry.what.as_str()));
        Some(Self {
            kind: AskKind::of(&request.ask),
            channel: channel(request).cloned(),
            processor: request.processor.clone(),
            state: outcome.state_name().to_owned(),
            reason: outcome.reason().map(str::to_owned),
            reached: reached(request, outcome),
            at,
            seconds: request.created_at.until(at).as_secs(),
            attempts: u32::try_from(request.attempts.len()).unwrap_or(u32::MAX),
            declines: declines.filter_map(|entry| entry.reason.clone()).collect(),
            prompts: prompts(request),
        })
    }
}

/// Returns the channel that a request counts for.
fn channel(request: &Request) -> Option<&ChannelName> {
    let answered: Option<PromptId> = request.thread.answer.map(|answer| answer.prompt);
    let answered = answered.and_then(|id| request.prompt(id));
    let furthest = request.prompts.iter().rev().max_by_key(|prompt| is_delivered(prompt));
    answered.or(furthest).map(|prompt| &prompt.channel)
}

const fn is_delivered(prompt: &PromptRecord) -> bool {
    prompt.opened || matches!(prompt.status, PromptStatus::Delivered | PromptStatus::Read)
}

const fn is_seen(prompt: &PromptRecord) -> bool {
    prompt.opened || matches!(prompt.status, PromptStatus::Read)
}

fn reached(request: &Request, outcome: &Outcome) -> FunnelStep {
    let is_told = |word: &str| request.timeline.iter().any(|entry| entry.what == word);
    if matches!(outcome, Outcome::Fulfilled { .. }) {
        return FunnelStep::Fulfilled;
    }
    if !request.attempts.is_empty() || is_told("authorized") {
        return FunnelStep::Approved;
    }
    // A denial without a prompt came by another request's prompt, as an opt-out does.
    let is_denied = matches!(outcome, Outcome::Denied { .. }) && !request.prompts.is_empty();
    if is_denied || is_told("read") || is_told("opened") || request.prompts.iter().any(is_seen) {
        return FunnelStep::Opened;
    }
    if is_told("delivered") || request.prompts.iter().any(is_delivered) {
        return FunnelStep::Delivered;
    }
    FunnelStep::Asked
}

fn prompts(request: &Request) -> BTreeMap<ChannelName, PromptFacts> {
    let mut channels: BTreeMap<ChannelName, PromptFacts> = BTreeMap::new();
    for prompt in &request.prompts {
        let facts = channels.entry(prompt.channel.clone()).or_default();
        facts.sent = facts.sent.saturating_add(1);
        facts.delivered = facts.delivered.saturating_add(u64::from(is_delivered(prompt)));
    }
    for (channel, facts) in &mut channels {
        let told = request.timeline.iter().filter(|entry| entry.channel.as_ref() == Some(channel));
        facts.count_timeline(told);
    }
    channels
}

impl PromptFacts {
    fn count_timeline<'a>(&mut self, entries: impl Iterator<Item = &'a TimelineEntry>) {
        let mut delivered: u64 = 0;
        for entry in entries {
            match entry.what.as_str() {
                "delivered" => {
                    delivered = delivered.saturating_add(1);
                    self.delivered_at = self.delivered_at.max(Some(entry.at));
                }
                "read" | "opened" => self.delivered_at = self.delivered_at.max(Some(entry.at)),
                "failed" => {
                    let reason = entry.reason.clone().unwrap_or_default();
                    let count = self.failed.entry(reason).or_default();
                    *count = count.saturating_add(1);
                    self.failed_at = self.failed_at.max(Some(entry.at));
                }
                _ => {}
            }
        }
        // A superseded prompt no longer says that it arrived, and the timeline does.
        self.delivered = self.delivered.max(delivered).min(self.sent);
    }
}
