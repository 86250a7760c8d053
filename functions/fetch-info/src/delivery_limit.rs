//! Which attempts at which endpoint are under way in this process, so that one that stopped answering does not get all of
//! its workers before the first of them knows.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use domain::values::time::Timestamp;

/// So many attempts at one endpoint may wait at once, once one of them has waited long.
const CROWD_MAX: usize = 32;
/// A healthy endpoint answers sooner, however busy it is.
const LONG: Duration = Duration::from_secs(1);

/// The attempts under way, by endpoint: when each began.
#[derive(Debug, Default)]
pub struct InFlightLimit(Mutex<BTreeMap<String, Vec<Timestamp>>>);

/// One attempt under way, until it is dropped.
#[derive(Debug)]
pub(crate) struct Permit<'a> {
    limit: &'a InFlightLimit,
    endpoint: String,
    began: Timestamp,
}

impl InFlightLimit {
    /// A place for an attempt; none where a crowd waits already and gets no answer.
    pub(crate) fn try_acquire(&self, endpoint: &str, now: Timestamp) -> Option<Permit<'_>> {
        let mut crowds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let crowd = crowds.entry(endpoint.to_owned()).or_default();
        let stuck = crowd.iter().any(|began| began.until(now) >= LONG);
        if stuck && crowd.len() >= CROWD_MAX {
            return None;
        }
        crowd.push(now);
        Some(Permit { limit: self, endpoint: endpoint.to_owned(), began: now })
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let mut crowds = self.limit.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(crowd) = crowds.get_mut(&self.endpoint) else { return };
        if let Some(place) = crowd.iter().position(|began| *began == self.began) {
            crowd.swap_remove(place);
        }
        if crowd.is_empty() {
            crowds.remove(&self.endpoint);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_that_stopped_answering_gets_a_crowd_and_no_more_and_another_is_free() {
        let crowds = InFlightLimit::default();
        let (began, later) = (Timestamp::EPOCH, Timestamp::EPOCH.after(LONG));
        let mut places: Vec<_> =
            (0..100).map(|_| crowds.try_acquire("slow", began).unwrap()).collect();
        assert!(crowds.try_acquire("slow", later).is_none());
        assert!(crowds.try_acquire("other", later).is_some());
        places.truncate(CROWD_MAX - 1);
        assert!(crowds.try_acquire("slow", later).is_some());
        drop(places);
        assert!(crowds.0.lock().unwrap().is_empty());
    }
}
