//! How often one address may be asked: nobody's phone is worn down until they press yes.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::brand::{BrandScope, Policy};
use crate::ports::{Expect, Item, Key, Store, StoreError, Write};
use crate::storage::{decode, encode};
use crate::values::id::RequestId;
use crate::values::time::Timestamp;

const TEN_MINUTES: Duration = Duration::from_secs(600);
const DAY: Duration = Duration::from_secs(86_400);
/// For how long a request is known that is no longer open, or was given more time.
const KNOWN: Duration = Duration::from_secs(3_600);

/// What has been asked of one address of one brand lately.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressLimits {
    /// When prompts were asked for, within the last day.
    pub prompts: Vec<Timestamp>,
    /// When the customer said no, within the last ten minutes.
    pub denials: Vec<Timestamp>,
    /// Until when the address is left in peace.
    pub cooldown_until: Option<Timestamp>,
    /// The requests that may be open, with their deadlines when they were accepted, or when they were found to have ended; each
    /// is known for a while longer, as what was written to it may be on its way.
    pub open: Vec<(RequestId, Timestamp)>,
}

/// Why an address may not be asked now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LimitReached {
    /// The customer said no, or "this is not me", a short while ago.
    #[error("this customer is left in peace for a while")]
    Cooldown {
        /// Until when.
        until: Timestamp,
    },
    /// As many requests are open as may be.
    #[error("too many requests are open for this customer")]
    Open,
    /// As many prompts were sent as may be.
    #[error("this customer has had too many prompts")]
    Prompts {
        /// When the next one may be sent.
        until: Timestamp,
    },
}

impl AddressLimits {
    /// Counts one more prompt, and `request` as open if it is a new one.
    ///
    /// # Errors
    /// [`LimitReached`] says which limit is reached and until when.
    pub fn ask(
        &self,
        policy: &Policy,
        request: Option<(RequestId, Timestamp)>,
        now: Timestamp,
    ) -> Result<Self, LimitReached> {
        let mut next = self.pruned(now);
        if let Some(until) = next.cooldown_until {
            return Err(LimitReached::Cooldown { until });
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

    /// Counts a no. Two in ten minutes, or one "this is not me", leave the address in peace for a while.
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
        next
    }

    /// Requests that have ended are open no longer.
    #[must_use]
    pub fn without(&self, ended: &[RequestId], now: Timestamp) -> Self {
        let mut next = self.clone();
        for (_, deadline) in next.open.iter_mut().filter(|(id, _)| ended.contains(id)) {
            *deadline = now.min(*deadline);
        }
        next
    }

    fn pruned(&self, now: Timestamp) -> Self {
        let mut next = self.clone();
        next.prompts.retain(|at| *at > now.before(DAY));
        next.denials.retain(|at| *at > now.before(TEN_MINUTES));
        next.open.retain(|(_, deadline)| deadline.after(KNOWN) > now);
        next.cooldown_until = next.cooldown_until.filter(|until| *until > now);
        next
    }
}

fn count(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

fn key(scope: BrandScope<'_>, address: &str) -> Key {
    let BrandScope { brand, mode } = scope;
    Key { pk: format!("LIMIT#{brand}#{mode:?}#{address}"), sk: "LIMIT".to_owned() }
}

/// Reads an address's standing and the version a change of it is compared with.
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

/// The write that stores an address's standing, if nobody else changed it since it was read.
///
/// # Errors
/// [`StoreError::Damaged`], never in practice.
pub fn put(
    scope: BrandScope<'_>,
    address: &str,
    limits: &AddressLimits,
    expected_version: Option<u64>,
    now: Timestamp,
) -> Result<Write, StoreError> {
    let kept = limits.cooldown_until.unwrap_or(now).max(now.after(DAY)).after(DAY * 7);
    let item = Item {
        key: key(scope, address),
        version: expected_version.unwrap_or(0).saturating_add(1),
        body: encode(limits)?,
        expires_at: Some(kept),
        index: None,
    };
    Ok(Write::Put { item, expect: expected_version.map_or(Expect::Absent, Expect::Version) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    #[test]
    fn the_sixth_prompt_in_ten_minutes_waits_for_the_first_to_be_ten_minutes_old() {
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
    fn a_report_quiets_at_once_and_a_no_only_the_second_time() {
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
            Err(LimitReached::Cooldown { until: at(10 + 86_400) })
        );
    }

    #[test]
    fn open_requests_are_counted_until_they_end_or_their_deadline_passes() {
        let policy = Policy { open_max: 1, ..Policy::default() };
        let id = RequestId::new(at(1), [1; 10]);
        let limits = AddressLimits::default().ask(&policy, Some((id, at(100))), at(1)).unwrap();
        assert_eq!(limits.ask(&policy, Some((id, at(100))), at(2)), Err(LimitReached::Open));
        assert!(limits.without(&[id], at(2)).ask(&policy, Some((id, at(100))), at(2)).is_ok());
        assert!(limits.ask(&policy, Some((id, at(300))), at(101)).is_ok());
    }
}
