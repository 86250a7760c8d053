//! Times from the ask to the end, in buckets.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The upper bounds of the buckets, in seconds. A longer time is in a bucket without a bound.
const BOUNDS: [u64; 26] = [
    5, 10, 15, 20, 25, 30, 40, 50, 60, 75, 90, 105, 120, 150, 180, 240, 300, 420, 600, 900, 1_800,
    3_600, 10_800, 43_200, 86_400, 604_800,
];
/// The name of the bucket without a bound.
const LONGER: u64 = u64::MAX;

/// Counts of times by the upper bound of their bucket, in seconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Times(BTreeMap<u64, u64>);

impl Times {
    /// Counts a time.
    pub fn add(&mut self, seconds: u64) {
        let bound = BOUNDS.into_iter().find(|bound| seconds <= *bound).unwrap_or(LONGER);
        let count = self.0.entry(bound).or_default();
        *count = count.saturating_add(1);
    }

    /// Adds the times of others.
    pub fn merge(&mut self, others: &Self) {
        for (bound, more) in &others.0 {
            let count = self.0.entry(*bound).or_default();
            *count = count.saturating_add(*more);
        }
    }

    /// Returns whether it has no time.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the buckets that have times, shortest first: the upper bound, `None` for the last bucket, and the count.
    pub fn buckets(&self) -> impl Iterator<Item = (Option<u64>, u64)> {
        self.0.iter().map(|(bound, count)| (bounded(*bound), *count))
    }

    /// Returns the upper bound of the bucket below or at whose end `percent` of the times are.
    ///
    /// `None` without a time, and where that bucket has no bound.
    #[must_use]
    pub fn percentile(&self, percent: u64) -> Option<u64> {
        let total = self.0.values().fold(0_u64, |sum, count| sum.saturating_add(*count));
        let wanted = total.saturating_mul(percent).div_ceil(100).max(1);
        let mut seen: u64 = 0;
        let bound = self.0.iter().find(|(_, count)| {
            seen = seen.saturating_add(**count);
            seen >= wanted
        });
        bound.and_then(|(bound, _)| bounded(*bound))
    }
}

fn bounded(bound: u64) -> Option<u64> {
    (bound != LONGER).then_some(bound)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(seconds: impl IntoIterator<Item = u64>) -> Times {
        let mut times = Times::default();
        seconds.into_iter().for_each(|one| times.add(one));
        times
    }

    #[test]
    fn percentile_is_the_end_of_its_bucket() {
        let ten = times([1, 2, 3, 4, 5, 6, 31, 32, 33, 700_000]);
        assert_eq!(ten.percentile(50), Some(5));
        assert_eq!(ten.percentile(60), Some(10));
        assert_eq!(ten.percentile(90), Some(40));
        assert_eq!(ten.percentile(91), None);
        assert_eq!(Times::default().percentile(50), None);
        assert_eq!(times([0]).percentile(0), Some(5));
    }

    #[test]
    fn merged_times_equal_times_counted_at_once() {
        let mut merged = times([4, 40, 41]);
        merged.merge(&times([5, 3_600, 3_601]));
        assert_eq!(merged, times([4, 40, 41, 5, 3_600, 3_601]));
        let read: Times = serde_json::from_str(&serde_json::to_string(&merged).unwrap()).unwrap();
        assert_eq!(read, merged);
    }
}
