//! The customers' stops and starts: which word counts, in any order of the providers' reports.

use std::collections::{BTreeMap, BTreeSet};

use domain::values::time::Timestamp;

/// The ids by which a provider reports the sender of a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SenderIds {
    /// The number alone.
    Number,
    /// The number and the channel's own id. From then on, the id is known to be this customer's.
    Both,
    /// The channel's own id alone.
    Id,
}

/// A customer's stop or start.
#[derive(Clone, Debug)]
pub(super) struct KeywordReport {
    pub(super) phone: String,
    /// When the customer wrote it; `None` where the channel does not report it.
    pub(super) written_at: Option<Timestamp>,
    /// The id of the message.
    pub(super) message: String,
    pub(super) ids: SenderIds,
}

/// The words that count. A word is in force only once its report was answered.
#[derive(Default)]
pub(super) struct OptOuts {
    /// The step since which each phone is opted out, and when its stop was written.
    stopped: BTreeMap<String, (u64, Timestamp)>,
    /// When the newest start of each phone was written.
    started: BTreeMap<String, Timestamp>,
    /// The stops that came before.
    reported: BTreeSet<(String, Timestamp)>,
    /// The messages whose report was accepted. A repeat of one of them means nothing.
    accepted: BTreeSet<String>,
    /// The phones whose id on the channel is known to be theirs.
    tied: BTreeSet<String>,
}

impl OptOuts {
    /// A start is reported. From now on it may count, unless the stop is newer.
    pub(super) fn start_begins(&mut self, word: &KeywordReport, now: Timestamp) {
        let at = word.written_at.unwrap_or(now).whole_seconds();
        if self.stopped.get(&word.phone).is_some_and(|(_, stopped_at)| *stopped_at <= at) {
            self.stopped.remove(&word.phone);
        }
        self.start_counts(&word.phone, at);
    }

    /// The report of a start ended. One without a time may count from any moment until now.
    pub(super) fn start_ends(&mut self, word: &KeywordReport, now: Timestamp, is_accepted: bool) {
        self.start_counts(&word.phone, word.written_at.unwrap_or(now).whole_seconds());
        if is_accepted {
            self.accepts(word);
        }
    }

    fn start_counts(&mut self, phone: &str, at: Timestamp) {
        let known = self.started.entry(phone.to_owned()).or_insert(at);
        *known = at.max(*known);
    }

    /// A stop is reported. Returns the stop as [`OptOuts::stop_ends`] takes it.
    ///
    /// A stop of an id that belongs to no known number counts for none yet.
    pub(super) fn stop_begins(&mut self, word: KeywordReport, now: Timestamp) -> Stop {
        let at = word.written_at.unwrap_or(now).whole_seconds();
        let is_new = word.written_at.is_none() || self.reported.insert((word.phone.clone(), at));
        let counts = word.ids != SenderIds::Id || self.tied.contains(&word.phone);
        Stop { word, at, is_new, counts }
    }

    /// The report of a stop was accepted. It counts from now on, unless a start is newer. Of two words of one second, the
    /// one that is reported last counts.
    pub(super) fn stop_ends(&mut self, stop: Stop, step: u64) {
        self.accepts(&stop.word);
        let phone = stop.word.phone;
        let started_at = self.started.get(&phone).copied();
        let is_newer = Some(stop.at) > started_at;
        if stop.counts && (is_newer || (stop.is_new && Some(stop.at) == started_at)) {
            self.stopped.insert(phone, (step, stop.at));
        }
    }

    fn accepts(&mut self, word: &KeywordReport) {
        self.accepted.insert(word.message.clone());
        if word.ids == SenderIds::Both {
            self.tied.insert(word.phone.clone());
        }
    }

    /// Returns whether the report of that message was accepted before.
    pub(super) fn is_accepted(&self, message: &str) -> bool {
        self.accepted.contains(message)
    }

    /// The customer is erased: whose id it is may be forgotten from now on. The stop stays.
    pub(super) fn erasure_begins(&mut self, phone: &str) {
        self.tied.remove(phone);
    }

    /// Returns whether the phone has been opted out since before a step.
    pub(super) fn is_stopped(&self, phone: &str, step: u64) -> bool {
        self.stopped.get(phone).is_some_and(|(since, _)| *since < step)
    }
}

/// A stop whose report is under way.
#[derive(Clone, Debug)]
pub(super) struct Stop {
    word: KeywordReport,
    at: Timestamp,
    is_new: bool,
    counts: bool,
}
