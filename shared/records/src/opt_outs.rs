//! The opt-outs of addresses. A customer's newest word counts, whenever a provider reports it.
//!
//! Each is kept in the mode whose credentials reported it. A credential of the test mode says nothing about live prompts.
//! An older opt-out without a mode counts in both, until a newer start.

use std::time::Duration;

use domain::brand::{BrandScope, Mode};
use domain::guards;
use domain::guards::Guard;
use domain::values::time::Timestamp;
use ports::{Key, Store, StoreError};
use serde::{Deserialize, Serialize};

use crate::storage::decode;
use crate::update::retry_conflicts;
use crate::writes::replace;

/// How long a withdrawn opt-out is kept: far longer than providers repeat a webhook.
const WITHDRAWN_KEPT: Duration = Duration::from_secs(90 * 86_400);

/// A customer's word about a brand's messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptOutKeyword {
    /// Send no more messages.
    Stop,
    /// Send messages again.
    Start,
}

/// A customer's word, and when it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The wish that the customer states.
    pub word: OptOutKeyword,
    /// When the customer wrote it; `None` where the channel does not report it.
    pub written_at: Option<Timestamp>,
    /// When the provider reported it.
    pub reported_at: Timestamp,
}

impl Statement {
    /// Returns the time from which the word counts, beside the words that are known.
    ///
    /// A word without a time is newer than all that are known. No word is newer than its report. Times are whole seconds, as
    /// some channels report no more. Otherwise a stop would be older than another channel's start in the same second.
    fn time(&self, known: &OptOut) -> Timestamp {
        let at = match self.written_at {
            Some(at) => at.min(self.reported_at),
            None => known
                .stopped_at
                .max(known.started_at)
                .max(Some(self.reported_at))
                .unwrap_or(self.reported_at),
        };
        at.whole_seconds()
    }
}

/// The newest words of an address about a brand's messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "StoredOptOut", into = "StoredOptOut")]
pub struct OptOut {
    /// When the newest stop was written; `None` before the first one.
    pub stopped_at: Option<Timestamp>,
    /// When the newest start was written; `None` before the first one.
    pub started_at: Option<Timestamp>,
}

/// The stored forms. A stop without a start is its time alone, as it was before starts were kept.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum StoredOptOut {
    Stopped(Timestamp),
    Words {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stopped_at: Option<Timestamp>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        started_at: Option<Timestamp>,
    },
}

impl From<StoredOptOut> for OptOut {
    fn from(stored: StoredOptOut) -> Self {
        match stored {
            StoredOptOut::Stopped(at) => Self { stopped_at: Some(at), started_at: None },
            StoredOptOut::Words { stopped_at, started_at } => Self { stopped_at, started_at },
        }
    }
}

impl From<OptOut> for StoredOptOut {
    fn from(known: OptOut) -> Self {
        match known {
            OptOut { stopped_at: Some(at), started_at: None } => Self::Stopped(at),
            OptOut { stopped_at, started_at } => Self::Words { stopped_at, started_at },
        }
    }
}

impl OptOut {
    /// Returns whether the address gets no more messages.
    #[must_use]
    pub fn is_opted_out(&self) -> bool {
        self.stopped_at > self.started_at
    }

    /// Returns the record with a word. An older word than the known one of its kind changes nothing.
    ///
    /// Of two words of one time, the one that is reported last counts: some channels report whole seconds.
    #[must_use]
    pub fn with(self, word: OptOutKeyword, written_at: Timestamp) -> Self {
        // Without the guard, the word that is reported last counts.
        let unguarded = guards::is_disabled(Guard::NewerWord);
        let at = Some(written_at);
        match word {
            OptOutKeyword::Stop if unguarded => Self { stopped_at: at, started_at: None },
            OptOutKeyword::Start if unguarded => Self { stopped_at: None, started_at: at },
            OptOutKeyword::Stop => Self {
                stopped_at: self.stopped_at.max(at),
                started_at: self.started_at.filter(|started| *started != written_at),
            },
            OptOutKeyword::Start => Self {
                stopped_at: self.stopped_at.filter(|stopped| *stopped != written_at),
                started_at: self.started_at.max(at),
            },
        }
    }
}

/// The sort key of an older opt-out, which has no mode.
const ANY_MODE: &str = "STOP";

fn key(scope: BrandScope<'_>, address: &str) -> Key {
    let sk = match scope.mode {
        Mode::Live => "STOP#Live",
        Mode::Test => "STOP#Test",
    };
    Key { pk: format!("STOP#{}#{address}", scope.brand), sk: sk.to_owned() }
}

/// Returns the keys of an address's words: of this mode, and of an older release.
#[must_use]
pub fn keys(scope: BrandScope<'_>, address: &str) -> [Key; 2] {
    let own = key(scope, address);
    let older = Key { sk: ANY_MODE.to_owned(), ..own.clone() };
    [own, older]
}

/// Loads the words of an address, and the version that a change expects.
///
/// `address` is the keyed hash of a number, or of a handle that belongs to no known number.
///
/// # Errors
/// [`StoreError`].
pub async fn load(
    store: &dyn Store,
    scope: BrandScope<'_>,
    address: &str,
) -> Result<(OptOut, Option<u64>), StoreError> {
    let keys = keys(scope, address);
    let [own, _] = &keys;
    let (mut known, mut version) = (OptOut::default(), None);
    for item in store.read_many(&keys).await?.into_iter().flatten() {
        let OptOut { stopped_at, started_at } = decode(&item.body)?;
        known.stopped_at = known.stopped_at.max(stopped_at);
        known.started_at = known.started_at.max(started_at);
        if item.key == *own {
            version = Some(item.version);
        }
    }
    Ok((known, version))
}

/// Returns whether an address opted out of the brand's messages of this mode.
///
/// # Errors
/// [`StoreError`].
pub async fn is_opted_out(
    store: &dyn Store,
    scope: BrandScope<'_>,
    address: &str,
) -> Result<bool, StoreError> {
    Ok(load(store, scope, address).await?.0.is_opted_out())
}

/// Records a word of an address, and returns the words that count afterwards.
///
/// # Errors
/// [`StoreError`].
pub async fn record(
    store: &dyn Store,
    scope: BrandScope<'_>,
    address: &str,
    statement: Statement,
) -> Result<OptOut, StoreError> {
    retry_conflicts(|| async move {
        let (known, version) = load(store, scope, address).await?;
        let next = known.with(statement.word, statement.time(&known));
        if next == known {
            return Ok(known);
        }
        let started_at = next.started_at.filter(|_| !next.is_opted_out());
        let until = started_at.map(|at| at.after(WITHDRAWN_KEPT));
        store.write(vec![replace(key(scope, address), next, version, until)?]).await?;
        Ok(next)
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1_000)
    }

    #[test]
    fn newest_word_counts_in_any_order() {
        let words =
            [(OptOutKeyword::Start, 10), (OptOutKeyword::Stop, 20), (OptOutKeyword::Start, 30)];
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let known = order.into_iter().fold(OptOut::default(), |known, place: usize| {
                let (word, seconds) = words[place];
                known.with(word, at(seconds))
            });
            assert!(!known.is_opted_out(), "{order:?}");
            assert!(known.with(OptOutKeyword::Stop, at(31)).is_opted_out());
            assert!(!known.with(OptOutKeyword::Stop, at(29)).is_opted_out());
        }
    }

    #[test]
    fn word_reported_last_counts_of_two_of_one_time() {
        let stopped =
            OptOut::default().with(OptOutKeyword::Start, at(5)).with(OptOutKeyword::Stop, at(5));
        assert!(stopped.is_opted_out());
        assert!(!stopped.with(OptOutKeyword::Start, at(5)).is_opted_out());
        assert!(
            !stopped
                .with(OptOutKeyword::Start, at(5))
                .with(OptOutKeyword::Stop, at(4))
                .is_opted_out()
        );
        assert!(!OptOut::default().is_opted_out());
    }

    #[test]
    fn word_without_a_time_is_newer_than_known_words() {
        let known = OptOut::default().with(OptOutKeyword::Stop, at(50));
        let said = |written_at, reported_at| {
            Statement { word: OptOutKeyword::Start, written_at, reported_at }.time(&known)
        };
        assert_eq!(said(None, at(60)), at(60));
        assert_eq!(said(None, at(40)), at(50), "our clock went back");
        assert_eq!(said(Some(at(30)), at(60)), at(30));
        assert_eq!(said(Some(at(90)), at(60)), at(60), "no word comes from the future");
    }

    #[test]
    fn stop_in_whole_seconds_counts_after_a_start_in_milliseconds() {
        let start = at(60).after(Duration::from_millis(309));
        let start = Statement { word: OptOutKeyword::Start, written_at: None, reported_at: start };
        let known = OptOut::default().with(OptOutKeyword::Start, start.time(&OptOut::default()));
        let reported_at = at(60).after(Duration::from_millis(700));
        let stop = Statement { word: OptOutKeyword::Stop, written_at: Some(at(60)), reported_at };
        assert!(known.with(OptOutKeyword::Stop, stop.time(&known)).is_opted_out());
    }

    #[test]
    fn stored_stop_without_a_start_is_its_time_alone() {
        let stopped = OptOut::default().with(OptOutKeyword::Stop, at(0));
        let text = serde_json::to_string(&stopped).unwrap();
        assert_eq!(text, "\"1970-01-01T00:00:00.000Z\"");
        assert_eq!(serde_json::from_str::<OptOut>(&text).unwrap(), stopped);
        let both = stopped.with(OptOutKeyword::Start, at(1));
        let text = serde_json::to_string(&both).unwrap();
        assert_eq!(serde_json::from_str::<OptOut>(&text).unwrap(), both);
    }
}
