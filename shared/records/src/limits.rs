//! The rate limits of one address, so that a customer is not worn down into approving.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::storage::decode;
use crate::writes::replace;
use domain::brand::{BrandScope, Policy};
use domain::guards;
use domain::guards::Guard;
use domain::rate_limits::Quota;
use domain::values::id::RequestId;
use domain::values::time::Timestamp;
use ports::{Key, Store, StoreError, Write};

const TEN_MINUTES: Duration = Duration::from_secs(600);
const DAY: Duration = Duration::from_secs(86_400);
/// How long a request stays listed after it ended or its deadline passed.
const KNOWN: Duration = Duration::from_secs(3_600);
/// The most requests whose asks are kept for an address.
const ASKS_MAX: usize = 20;

/// The recent prompts, denials and open requests of one address of one brand.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressLimits {
    /// The times of prompts within the last day.
    pub prompts: Vec<Timestamp>,
    /// The times of denials within the last ten minutes.
    pub denials: Vec<Timestamp>,
    /// The end of the cooldown; `None` without one.
    pub cooldown_until: Option<Timestamp>,
    /// The end of the cooldown that "this is not me" began; `None` without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported_until: Option<Timestamp>,
    /// The requests that may be open, each with its first deadline or the time at which it was found ended.
    ///
    /// Each stays listed for a while longer, since a reply to it may be on its way.
    pub open: Vec<(RequestId, Timestamp)>,
    /// The newest requests, each with the keyed hash of what it asks for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asks: Vec<(RequestId, String)>,
    /// Since when the customer's data is being erased; `None` where it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erasing_since: Option<Timestamp>,
}

/// The limit that an address reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LimitReached {
    /// The customer denied several requests.
    #[error("the customer denied several requests; retry after the cooldown")]
    Cooldown {
        /// The end of the cooldown.
        until: Timestamp,
    },
    /// The customer reported "this is not me".
    #[error("the customer reported a request as not theirs; retry after the cooldown")]
    Reported {
        /// The end of the cooldown.
        until: Timestamp,
    },
    /// The customer's data is being erased.
    #[error("this customer's data is being erased")]
    Erasing,
    /// The customer has the most open requests that the policy allows.
    #[error("too many requests are open for this customer")]
    Open,
    /// The customer got the most prompts that the policy allows.
    #[error("the customer got too many prompts; retry later")]
    Prompts {
        /// When the next prompt may be sent.
        until: Timestamp,
    },
}

impl AddressLimits {
    /// Counts a prompt, and lists `request` as open if it is new.
    ///
    /// # Errors
    /// [`LimitReached`] with the limit and its end.
    pub fn ask(
        &self,
        policy: &Policy,
        request: Option<(RequestId, Timestamp)>,
        now: Timestamp,
    ) -> Result<Self, LimitReached> {
        let mut next = self.pruned(now);
        if next.erasing_since.is_some() && !guards::is_disabled(Guard::NoAskDuringErasure) {
            return Err(LimitReached::Erasing);
        }
        if let Some(until) = next.cooldown_until {
            let is_reported = next.reported_until.is_some();
            return Err(if is_reported {
                LimitReached::Reported { until }
            } else {
                LimitReached::Cooldown { until }
            });
        }
        let open = next.open.iter().filter(|(_, deadline)| *deadline > now).count();
        if request.is_some() && open >= count(policy.open_max) {
            return Err(LimitReached::Open);
        }
        let windows =
            [(TEN_MINUTES, policy.prompts_per_ten_minutes), (DAY, policy.prompts_per_day)];
        for (window, most) in windows {
            let since = now.before(window);
            let recent: Vec<&Timestamp> = next.prompts.iter().filter(|at| **at > since).collect();
            if recent.len() >= count(most) {
                let until = recent.first().map_or(now, |at| at.after(window));
                return Err(LimitReached::Prompts { until });
            }
        }
        next.prompts.push(now);
        next.open.extend(request);
        Ok(next)
    }

    /// Returns what is left of the address's prompts.
    #[must_use]
    pub fn quotas(&self, policy: &Policy, now: Timestamp) -> [Quota; 2] {
        let windows = [
            ("address-ten-minutes", TEN_MINUTES, policy.prompts_per_ten_minutes),
            ("address-day", DAY, policy.prompts_per_day),
        ];
        windows.map(|(name, window, most)| {
            let recent = self.prompts.iter().filter(|at| **at > now.before(window));
            let used = u32::try_from(recent.clone().count()).unwrap_or(u32::MAX);
            let reset = recent.min().map_or(window, |at| now.until(at.after(window)));
            Quota { name, most, window, left: most.saturating_sub(used), reset }
        })
    }

    /// Counts a denial. Two in ten minutes, or one "this is not me", start a cooldown.
    #[must_use]
    pub fn denied(&self, policy: &Policy, reported: bool, now: Timestamp) -> Self {
        let mut next = self.pruned(now);
        next.denials.push(now);
        let seconds = |seconds: u32| now.after(Duration::from_secs(u64::from(seconds)));
        let quiet = if reported {
            Some(seconds(policy.report_cooldown_seconds))
        } else if next.denials.len() >= count(policy.denials_per_ten_minutes) {
            Some(seconds(policy.cooldown_seconds))
        } else {
            None
        };
        next.cooldown_until = next.cooldown_until.max(quiet);
        if reported {
            next.reported_until = next.reported_until.max(quiet);
        }
        next
    }

    /// Returns the limits with `ended` requests no longer open.
    #[must_use]
    pub fn without(&self, ended: &[RequestId], now: Timestamp) -> Self {
        let mut next = self.clone();
        for (_, deadline) in next.open.iter_mut().filter(|(id, _)| ended.contains(id)) {
            *deadline = now.min(*deadline);
        }
        next
    }

    /// Lists the requests that asked for the same, newest first. Each may have ended.
    pub fn same_asks(&self, hash: &str) -> impl Iterator<Item = RequestId> {
        self.asks.iter().rev().filter(move |(_, known)| known == hash).map(|(id, _)| *id)
    }

    /// Returns the limits with a new request for what `hash` says, and without those that have ended.
    #[must_use]
    pub fn with_ask(&self, request: RequestId, hash: &str, ended: &[RequestId]) -> Self {
        let mut next = self.clone();
        next.asks.retain(|(id, _)| !ended.contains(id));
        next.asks.push((request, hash.to_owned()));
        let surplus = next.asks.len().saturating_sub(ASKS_MAX);
        next.asks.drain(..surplus);
        next
    }

    fn pruned(&self, now: Timestamp) -> Self {
        let mut next = self.clone();
        next.prompts.retain(|at| *at > now.before(DAY));
        next.denials.retain(|at| *at > now.before(TEN_MINUTES));
        next.open.retain(|(_, deadline)| deadline.after(KNOWN) > now);
        next.cooldown_until = next.cooldown_until.filter(|until| *until > now);
        next.reported_until = next.reported_until.filter(|until| *until > now);
        next
    }
}

fn count(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

/// Returns the key of an address's limits.
#[must_use]
pub fn key(scope: BrandScope<'_>, address: &str) -> Key {
    let BrandScope { brand, mode } = scope;
    Key { pk: format!("LIMIT#{brand}#{mode:?}#{address}"), sk: "LIMIT".to_owned() }
}

/// Loads an address's limits and the version that a change expects.
///
/// # Errors
/// [`StoreError`].
pub async fn load(
    store: &dyn Store,
    scope: BrandScope<'_>,
    address: &str,
) -> Result<(AddressLimits, Option<u64>), StoreError> {
    match store.read(&key(scope, address)).await? {
        Some(item) => Ok((decode(&item.body)?, Some(item.version))),
        None => Ok((AddressLimits::default(), None)),
    }
}

/// Returns the write of an address's limits, which expects the version that was read.
///
/// # Errors
/// [`StoreError::Damaged`] when the limits cannot be encoded.
pub fn put(
    scope: BrandScope<'_>,
    address: &str,
    limits: &AddressLimits,
    expected_version: Option<u64>,
    now: Timestamp,
) -> Result<Write, StoreError> {
    let kept = limits.cooldown_until.unwrap_or(now).max(now.after(DAY)).after(DAY * 7);
    // While the customer is erased, the record keeps new requests away.
    let expires_at = limits.erasing_since.is_none().then_some(kept);
    replace(key(scope, address), limits, expected_version, expires_at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    #[test]
    fn limits_sixth_prompt_waits_for_the_first_to_age() {
        let policy = Policy::default();
        let mut limits = AddressLimits::default();
        for second in 0..5 {
            limits = limits.ask(&policy, None, at(1_000_000 + second)).unwrap();
        }
        let refused = limits.ask(&policy, None, at(1_000_010)).unwrap_err();
        assert_eq!(refused, LimitReached::Prompts { until: at(1_000_600) });
        assert!(limits.ask(&policy, None, at(1_000_601)).is_ok());
    }

    #[test]
    fn limits_report_cools_down_at_once_denial_second_time() {
        let policy = Policy::default();
        let once = AddressLimits::default().denied(&policy, false, at(10));
        assert!(once.ask(&policy, None, at(11)).is_ok());
        let twice = once.denied(&policy, false, at(12));
        assert_eq!(
            twice.ask(&policy, None, at(13)),
            Err(LimitReached::Cooldown { until: at(12 + 1_800) })
        );
        let reported = AddressLimits::default().denied(&policy, true, at(10));
        assert_eq!(
            reported.ask(&policy, None, at(11)),
            Err(LimitReached::Reported { until: at(10 + 86_400) })
        );
    }

    #[test]
    fn limits_find_the_same_ask_until_it_ended() {
        let id = |n| RequestId::new(at(1), [n; 10]);
        let limits = AddressLimits::default().with_ask(id(1), "a", &[]).with_ask(id(2), "b", &[]);
        assert_eq!(limits.same_asks("a").collect::<Vec<_>>(), [id(1)]);
        let next = limits.with_ask(id(3), "a", &[id(1)]);
        assert_eq!(next.same_asks("a").collect::<Vec<_>>(), [id(3)]);
        let many = (4..=40).fold(next, |limits, n| limits.with_ask(id(n), "c", &[]));
        assert_eq!((many.asks.len(), many.same_asks("a").count()), (20, 0));
    }

    #[test]
    fn limits_open_requests_count_until_end_or_deadline() {
        let policy = Policy { open_max: 1, ..Policy::default() };
        let id = RequestId::new(at(1), [1; 10]);
        let limits = AddressLimits::default().ask(&policy, Some((id, at(100))), at(1)).unwrap();
        assert_eq!(limits.ask(&policy, Some((id, at(100))), at(2)), Err(LimitReached::Open));
        assert!(limits.without(&[id], at(2)).ask(&policy, Some((id, at(100))), at(2)).is_ok());
        assert!(limits.ask(&policy, Some((id, at(300))), at(101)).is_ok());
    }
}
