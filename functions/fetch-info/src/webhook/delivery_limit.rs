//! The cap on concurrent deliveries per endpoint in this process.
//!
//! An endpoint that stopped answering does not get all workers before the first of them knows.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::values::time::Timestamp;

/// The most deliveries to one endpoint at once, after one of them has waited long.
const IN_FLIGHT_MAX: usize = 32;
/// A healthy endpoint answers sooner, however busy it is.
const LONG: Duration = Duration::from_secs(1);

/// How long an endpoint without a record of failures counts as healthy here. Another worker's record counts that much later.
const HEALTHY: Duration = Duration::from_secs(5);

/// The cap on concurrent deliveries, and the endpoints that are known to be healthy.
#[derive(Debug, Default)]
pub struct InFlightLimit {
    /// When each delivery in flight began, by endpoint.
    began: Mutex<BTreeMap<String, Vec<Timestamp>>>,
    /// Until when an endpoint counts as healthy without another read.
    healthy: Mutex<BTreeMap<String, Timestamp>>,
}

/// One delivery in flight, until it is dropped.
#[derive(Debug)]
pub(crate) struct Permit<'a> {
    limit: &'a InFlightLimit,
    endpoint: String,
    began: Timestamp,
}

impl InFlightLimit {
    /// Returns a permit for a delivery. `None` where the most wait already and get no answer.
    pub(crate) fn try_acquire(&self, endpoint: &str, now: Timestamp) -> Option<Permit<'_>> {
        let mut endpoints = self.began.lock().unwrap_or_else(PoisonError::into_inner);
        let in_flight = endpoints.entry(endpoint.to_owned()).or_default();
        let stuck = in_flight.iter().any(|began| began.until(now) >= LONG);
        if stuck && in_flight.len() >= IN_FLIGHT_MAX {
            return None;
        }
        in_flight.push(now);
        Some(Permit { limit: self, endpoint: endpoint.to_owned(), began: now })
    }

    fn healthy(&self) -> MutexGuard<'_, BTreeMap<String, Timestamp>> {
        self.healthy.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns whether an endpoint had no record of failures a moment ago.
    pub(crate) fn is_known_healthy(&self, endpoint: &str, now: Timestamp) -> bool {
        self.healthy().get(endpoint).is_some_and(|until| now < *until)
    }

    /// Remembers that an endpoint has no record of failures now.
    pub(crate) fn remember_healthy(&self, endpoint: &str, now: Timestamp) {
        let mut healthy = self.healthy();
        healthy.retain(|_, until| now < *until);
        healthy.insert(endpoint.to_owned(), now.after(HEALTHY));
    }

    /// Forgets an endpoint that failed.
    pub(crate) fn forget(&self, endpoint: &str) {
        self.healthy().remove(endpoint);
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let mut endpoints = self.limit.began.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(in_flight) = endpoints.get_mut(&self.endpoint) else { return };
        if let Some(place) = in_flight.iter().position(|began| *began == self.began) {
            in_flight.swap_remove(place);
        }
        if in_flight.is_empty() {
            endpoints.remove(&self.endpoint);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limit_caps_endpoint_that_stopped_answering_only() {
        let limit = InFlightLimit::default();
        let (began, later) = (Timestamp::EPOCH, Timestamp::EPOCH.after(LONG));
        let mut permits: Vec<_> =
            (0..100).map(|_| limit.try_acquire("slow", began).unwrap()).collect();
        assert!(limit.try_acquire("slow", later).is_none());
        assert!(limit.try_acquire("other", later).is_some());
        permits.truncate(IN_FLIGHT_MAX - 1);
        assert!(limit.try_acquire("slow", later).is_some());
        drop(permits);
        assert!(limit.began.lock().unwrap().is_empty());
    }
}
