//! The cap on concurrent deliveries per endpoint in this process.
//!
//! An endpoint that stopped answering does not get all workers before the first of them knows.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use domain::values::time::Timestamp;

/// The most deliveries to one endpoint at once, after one of them has waited long.
const IN_FLIGHT_MAX: usize = 32;
/// A healthy endpoint answers sooner, however busy it is.
const LONG: Duration = Duration::from_secs(1);

/// The cap on concurrent deliveries: when each delivery in flight began, by endpoint.
#[derive(Debug, Default)]
pub struct InFlightLimit(Mutex<BTreeMap<String, Vec<Timestamp>>>);

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
        let mut endpoints = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let in_flight = endpoints.entry(endpoint.to_owned()).or_default();
        let stuck = in_flight.iter().any(|began| began.until(now) >= LONG);
        if stuck && in_flight.len() >= IN_FLIGHT_MAX {
            return None;
        }
        in_flight.push(now);
        Some(Permit { limit: self, endpoint: endpoint.to_owned(), began: now })
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let mut endpoints = self.limit.0.lock().unwrap_or_else(PoisonError::into_inner);
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
        assert!(limit.0.lock().unwrap().is_empty());
    }
}
