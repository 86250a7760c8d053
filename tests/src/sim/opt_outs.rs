//! The customers' stops and starts: which word counts, in any order of the providers' reports.

use std::collections::{BTreeMap, BTreeSet};

use domain::values::time::Timestamp;

/// A customer's stop or start.
#[derive(Clone, Debug)]
pub(super) struct Word {
    pub(super) phone: String,
    /// When the customer wrote it; `None` where the channel does not report it.
    pub(super) written_at: Option<Timestamp>,
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
}

impl OptOuts {
    /// A start is reported. From now on it may count, unless the stop is newer.
    pub(super) fn start_begins(&mut self, word: &Word, now: Timestamp) {
        let at = word.written_at.unwrap_or(now).whole_seconds();
        if self.stopped.get(&word.phone).is_some_and(|(_, stopped_at)| *stopped_at <= at) {
            self.stopped.remove(&word.phone);
        }
        self.start_counts(&word.phone, at);
    }

    /// The report of a start ended. One without a time may count from any moment until now.
    pub(super) fn start_ends(&mut self, word: &Word, now: Timestamp) {
        self.start_counts(&word.phone, word.written_at.unwrap_or(now).whole_seconds());
    }

    fn start_counts(&mut self, phone: &str, at: Timestamp) {
        let known = self.started.entry(phone.to_owned()).or_insert(at);
        *known = at.max(*known);
    }

    /// A stop is reported. Returns the stop as [`OptOuts::stop_ends`] takes it.
    pub(super) fn stop_begins(&mut self, word: Word, now: Timestamp) -> Stop {
        let at = word.written_at.unwrap_or(now).whole_seconds();
        let is_new = word.written_at.is_none() || self.reported.insert((word.phone.clone(), at));
        Stop { phone: word.phone, at, is_new }
    }

    /// The report of a stop was accepted. It counts from now on, unless a start is newer. Of two words of one second, the
    /// one that is reported last counts.
    pub(super) fn stop_ends(&mut self, stop: Stop, step: u64) {
        let started_at = self.started.get(&stop.phone).copied();
        if Some(stop.at) > started_at || (stop.is_new && Some(stop.at) == started_at) {
            self.stopped.insert(stop.phone, (step, stop.at));
        }
    }

    /// Returns whether the phone has been opted out since before a step.
    pub(super) fn is_stopped(&self, phone: &str, step: u64) -> bool {
        self.stopped.get(phone).is_some_and(|(since, _)| *since < step)
    }
}

/// A stop whose report is under way.
#[derive(Clone, Debug)]
pub(super) struct Stop {
    phone: String,
    at: Timestamp,
    is_new: bool,
}
