//! The counts of a day. They are sums, so that days and parts of a day can be added up.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{EndFacts, FunnelStep, PromptFacts, Times};
use crate::ask::AskKind;
use crate::values::name::{ChannelName, ProcessorName};
use crate::values::time::Timestamp;

/// Counts by a stable code.
type ByCode = BTreeMap<String, u64>;

/// The counts of requests that ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Those that ended.
    pub asked: u64,
    /// Those whose prompt reached a phone.
    pub delivered: u64,
    /// Those whose prompt was read, opened or answered.
    pub opened: u64,
    /// Those that the customer approved.
    pub approved: u64,
    /// The ends by state.
    pub ends: ByCode,
    /// The reasons of the ends, by state.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub reasons: BTreeMap<String, ByCode>,
    /// The attempts after which the customer was asked again, by code.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub declines: ByCode,
    /// The times from the ask to the end of those that were fulfilled.
    #[serde(default, skip_serializing_if = "Times::is_empty")]
    pub times: Times,
}

/// The counts of one kind of ask on one channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountsRow {
    /// The kind of ask.
    pub kind: AskKind,
    /// The channel; `None` for requests without a prompt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<ChannelName>,
    /// What was counted of these requests.
    pub counts: Counts,
}

/// The counts of a day, or of a part of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayCounts {
    /// The requests by kind and channel.
    pub rows: Vec<CountsRow>,
    /// The prompts by channel.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub channels: BTreeMap<ChannelName, ChannelCounts>,
    /// The attempts by processor.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub processors: BTreeMap<ProcessorName, ProcessorCounts>,
}

/// The prompts of a channel.
pub type ChannelCounts = PromptFacts;

/// The attempts at a processor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessorCounts {
    /// How many there were.
    pub attempts: u64,
    /// How many did what was asked.
    pub fulfilled: u64,
    /// When one last did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fulfilled_at: Option<Timestamp>,
    /// How many failed, by code.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub failed: ByCode,
    /// When a request last failed for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed_at: Option<Timestamp>,
}

fn add(counts: &mut ByCode, code: &str, more: u64) {
    let count = counts.entry(code.to_owned()).or_default();
    *count = count.saturating_add(more);
}

fn add_all(counts: &mut ByCode, others: &ByCode) {
    for (code, more) in others {
        add(counts, code, *more);
    }
}

fn raise(count: &mut u64, more: impl Into<u64>) {
    *count = count.saturating_add(more.into());
}

impl Counts {
    /// Counts a request.
    pub fn count(&mut self, end: &EndFacts) {
        raise(&mut self.asked, true);
        raise(&mut self.delivered, end.reached >= FunnelStep::Delivered);
        raise(&mut self.opened, end.reached >= FunnelStep::Opened);
        raise(&mut self.approved, end.reached >= FunnelStep::Approved);
        add(&mut self.ends, &end.state, 1);
        if let Some(reason) = &end.reason {
            add(self.reasons.entry(end.state.clone()).or_default(), reason, 1);
        }
        for code in &end.declines {
            add(&mut self.declines, code, 1);
        }
        if end.reached == FunnelStep::Fulfilled {
            self.times.add(end.seconds);
        }
    }

    /// Adds other counts.
    pub fn merge(&mut self, others: &Self) {
        raise(&mut self.asked, others.asked);
        raise(&mut self.delivered, others.delivered);
        raise(&mut self.opened, others.opened);
        raise(&mut self.approved, others.approved);
        add_all(&mut self.ends, &others.ends);
        for (state, reasons) in &others.reasons {
            add_all(self.reasons.entry(state.clone()).or_default(), reasons);
        }
        add_all(&mut self.declines, &others.declines);
        self.times.merge(&others.times);
    }
}

impl DayCounts {
    /// Counts a request.
    pub fn count(&mut self, end: &EndFacts) {
        self.change_row(end.kind, end.channel.as_ref(), |counts| counts.count(end));
        for (channel, prompts) in &end.prompts {
            self.channels.entry(channel.clone()).or_default().merge(prompts);
        }
        if end.attempts > 0 {
            self.processors.entry(end.processor.clone()).or_default().count(end);
        }
    }

    /// Adds other counts.
    pub fn merge(&mut self, others: &Self) {
        for CountsRow { kind, channel, counts } in &others.rows {
            self.change_row(*kind, channel.as_ref(), |known| known.merge(counts));
        }
        for (channel, prompts) in &others.channels {
            self.channels.entry(channel.clone()).or_default().merge(prompts);
        }
        for (processor, attempts) in &others.processors {
            self.processors.entry(processor.clone()).or_default().merge(attempts);
        }
    }

    /// Applies a change to the counts of a kind and a channel, which begin at zero.
    fn change_row(
        &mut self,
        kind: AskKind,
        channel: Option<&ChannelName>,
        change: impl FnOnce(&mut Counts),
    ) {
        let is_it = |row: &&mut CountsRow| row.kind == kind && row.channel.as_ref() == channel;
        if let Some(row) = self.rows.iter_mut().find(is_it) {
            return change(&mut row.counts);
        }
        let mut counts = Counts::default();
        change(&mut counts);
        self.rows.push(CountsRow { kind, channel: channel.cloned(), counts });
    }
}

impl PromptFacts {
    /// Adds other prompts of the channel.
    pub fn merge(&mut self, others: &Self) {
        raise(&mut self.sent, others.sent);
        raise(&mut self.delivered, others.delivered);
        self.delivered_at = self.delivered_at.max(others.delivered_at);
        add_all(&mut self.failed, &others.failed);
        self.failed_at = self.failed_at.max(others.failed_at);
    }
}

impl ProcessorCounts {
    fn count(&mut self, end: &EndFacts) {
        raise(&mut self.attempts, end.attempts);
        let failed = end.reason.as_ref().filter(|_| end.state == "failed");
        for code in end.declines.iter().chain(failed) {
            add(&mut self.failed, code, 1);
            self.failed_at = self.failed_at.max(Some(end.at));
        }
        if end.reached == FunnelStep::Fulfilled {
            raise(&mut self.fulfilled, true);
            self.fulfilled_at = self.fulfilled_at.max(Some(end.at));
        }
    }

    /// Adds other attempts at the processor.
    pub fn merge(&mut self, others: &Self) {
        raise(&mut self.attempts, others.attempts);
        raise(&mut self.fulfilled, others.fulfilled);
        self.fulfilled_at = self.fulfilled_at.max(others.fulfilled_at);
        add_all(&mut self.failed, &others.failed);
        self.failed_at = self.failed_at.max(others.failed_at);
    }
}
