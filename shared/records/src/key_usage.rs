//! The latest asks of a key with ceilings. Each ask counts in the transaction that records it.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::api_key::{KeyId, KeyLimit, KeySettings};
use domain::brand::BrandScope;
use domain::guards;
use domain::guards::Guard;
use domain::values::money::{Currency, Money};
use domain::values::time::Timestamp;
use ports::{Key, Store, StoreError, Write};
use serde::{Deserialize, Serialize};

use crate::storage::decode;
use crate::writes::replace;

const MINUTE: i64 = 60_000;
const QUARTER: i64 = 15 * MINUTE;
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

/// The asks of a key: their number by minute, and their amounts by quarter of an hour.
///
/// A part that lies partly in the last hour or day counts as a whole. So no window holds more than the ceiling.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyUsage {
    /// The number of asks by the minute since the epoch, of the last hour.
    pub asks: BTreeMap<i64, u32>,
    /// The amounts by currency and quarter of an hour since the epoch, of the last day.
    pub amounts: BTreeMap<Currency, BTreeMap<i64, u64>>,
}

/// A ceiling that a key reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ceiling {
    /// The ceiling, as the key's settings name it.
    pub limit: KeyLimit,
    /// When the same ask fits; `None` where it never does.
    pub until: Option<Timestamp>,
}

impl KeyUsage {
    /// Counts an ask.
    ///
    /// # Errors
    /// The [`Ceiling`] that the ask would exceed.
    pub fn count(
        &self,
        key: &KeySettings,
        money: Option<Money>,
        now: Timestamp,
    ) -> Result<Self, Ceiling> {
        let mut next = self.pruned(now);
        let is_off = guards::is_disabled(Guard::KeyCeilings);
        if let Some(most) = key.asks_per_hour.filter(|_| !is_off) {
            let asked: u64 = next.asks.values().copied().map(u64::from).sum();
            if asked >= u64::from(most) {
                let first = next.asks.keys().next().copied().filter(|_| most > 0);
                let until = first.map(|minute| end_of(minute, MINUTE).after(HOUR));
                return Err(Ceiling { limit: KeyLimit::AsksPerHour, until });
            }
        }
        if let (Some(most), Some(money)) = (key.amount_per_day.as_ref().filter(|_| !is_off), money)
        {
            let most = most.get(&money.currency()).copied().unwrap_or(0);
            next.require_room(most, money)?;
        }
        let asks = next.asks.entry(now.as_millis().div_euclid(MINUTE)).or_default();
        *asks = asks.saturating_add(1);
        if let Some(money) = money {
            let amounts = next.amounts.entry(money.currency()).or_default();
            let sum = amounts.entry(now.as_millis().div_euclid(QUARTER)).or_default();
            *sum = sum.saturating_add(money.amount());
        }
        Ok(next)
    }

    /// Refuses an amount that does not fit under `most` beside those of the last day.
    fn require_room(&self, most: u64, money: Money) -> Result<(), Ceiling> {
        let limit = KeyLimit::AmountPerDay;
        let Some(room) = most.checked_sub(money.amount()) else {
            return Err(Ceiling { limit, until: None });
        };
        let Some(amounts) = self.amounts.get(&money.currency()) else { return Ok(()) };
        let mut left = amounts.values().fold(0_u64, |sum, amount| sum.saturating_add(*amount));
        let mut until = None;
        for (quarter, amount) in amounts {
            if left <= room {
                break;
            }
            left = left.saturating_sub(*amount);
            until = Some(end_of(*quarter, QUARTER).after(DAY));
        }
        until.map_or(Ok(()), |until| Err(Ceiling { limit, until: Some(until) }))
    }

    /// Returns the usage without what lies wholly before the last hour or day.
    fn pruned(&self, now: Timestamp) -> Self {
        let mut next = self.clone();
        next.asks.retain(|minute, _| end_of(*minute, MINUTE).after(HOUR) > now);
        for amounts in next.amounts.values_mut() {
            amounts.retain(|quarter, _| end_of(*quarter, QUARTER).after(DAY) > now);
        }
        next.amounts.retain(|_, amounts| !amounts.is_empty());
        next
    }
}

/// Returns the end of a part of this length, in milliseconds.
fn end_of(part: i64, length: i64) -> Timestamp {
    Timestamp::from_millis(part.saturating_add(1).saturating_mul(length))
}

/// Returns the key of what an API key asked lately.
#[must_use]
pub fn key(scope: BrandScope<'_>, id: &KeyId) -> Key {
    let mode = scope.mode.as_str();
    Key { pk: format!("KEY#{}#{mode}#{id}", scope.brand), sk: "USAGE".to_owned() }
}

/// Loads what a key asked lately, and the version of its item.
///
/// # Errors
/// [`StoreError`] as the port gives it.
pub async fn load(
    store: &dyn Store,
    scope: BrandScope<'_>,
    id: &KeyId,
) -> Result<(KeyUsage, Option<u64>), StoreError> {
    match store.read(&key(scope, id)).await? {
        Some(item) => Ok((decode(&item.body)?, Some(item.version))),
        None => Ok((KeyUsage::default(), None)),
    }
}

/// Returns the write of a key's usage, which expects the version that was read.
///
/// # Errors
/// [`StoreError::Damaged`] when the usage cannot be encoded.
pub fn put(
    scope: BrandScope<'_>,
    id: &KeyId,
    usage: &KeyUsage,
    expected_version: Option<u64>,
    now: Timestamp,
) -> Result<Write, StoreError> {
    replace(key(scope, id), usage, expected_version, Some(now.after(DAY + HOUR)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(1_800_000_000_000 + seconds * 1000)
    }

    fn euros(amount: u64) -> Option<Money> {
        Some(serde_json::from_value(json!({ "amount": amount, "currency": "EUR" })).unwrap())
    }

    fn key(limits: &serde_json::Value) -> KeySettings {
        let mut key = json!({ "mode": "test", "sha256": "00", "may": ["request"] });
        key.as_object_mut().unwrap().append(&mut limits.as_object().unwrap().clone());
        serde_json::from_value(key).unwrap()
    }

    #[test]
    fn usage_at_its_ceiling_says_when_the_next_ask_fits() {
        let key = key(&json!({ "asks_per_hour": 2 }));
        let once = KeyUsage::default().count(&key, None, at(30)).unwrap();
        let twice = once.count(&key, None, at(90)).unwrap();
        let refused = twice.count(&key, None, at(3_600)).unwrap_err();
        assert_eq!(refused, Ceiling { limit: KeyLimit::AsksPerHour, until: Some(at(3_660)) });
        assert!(twice.count(&key, None, at(3_659)).is_err());
        assert!(twice.count(&key, None, at(3_660)).is_ok());
    }

    #[test]
    fn usage_counts_amounts_of_a_day_by_currency() {
        let key = key(&json!({ "amount_per_day": { "EUR": 1000 } }));
        let used = KeyUsage::default().count(&key, euros(600), at(0)).unwrap();
        let used = used.count(&key, euros(300), at(1_800)).unwrap();
        assert!(used.count(&key, euros(100), at(1_801)).is_ok());
        let refused = used.count(&key, euros(101), at(1_801)).unwrap_err();
        assert_eq!(
            refused,
            Ceiling { limit: KeyLimit::AmountPerDay, until: Some(at(86_400 + 900)) }
        );
        assert!(used.count(&key, euros(101), at(86_400 + 900)).is_ok());
        let never = used.count(&key, euros(1001), at(1_801)).unwrap_err();
        assert_eq!(never.until, None);
        let dollars = serde_json::from_value(json!({ "amount": 1, "currency": "USD" })).unwrap();
        assert_eq!(used.count(&key, Some(dollars), at(1_801)).unwrap_err().until, None);
    }

    #[test]
    fn key_that_may_ask_nothing_is_never_told_to_wait() {
        let refused = KeyUsage::default().count(&key(&json!({ "asks_per_hour": 0 })), None, at(0));
        assert_eq!(refused, Err(Ceiling { limit: KeyLimit::AsksPerHour, until: None }));
    }
}
