//! The ends of requests, as statistics count them, and the counts of days.
//!
//! A request that ends writes one item of its own in the transaction that ends it. Its key is the time and the id. So a
//! repeat writes the same item again, and each end counts once. No two requests share an item. A counter that each end raised
//! would make simultaneous payments of a brand conflict.
//!
//! A read counts the items of a day once. It keeps the counts with the place that they go up to, and the next read goes
//! on from there. Nothing is counted for good before a quarter of an hour has passed, since a transaction may commit so late.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::brand::BrandScope;
use domain::request::{Change, Request};
use domain::statistics::{Day, DayCounts, EndFacts};
use domain::values::time::Timestamp;
use ports::{Key, Order, Range, Store, StoreError, Write};
use serde::{Deserialize, Serialize};

use crate::storage::decode;
use crate::writes::{overwrite, replace};

/// For how many days ends and counts are kept.
pub const KEPT_DAYS: i64 = 400;
/// The longest time from a decision to its commit: a function of Lambda runs for 15 minutes at most.
const LATE: Duration = Duration::from_secs(900);
/// The items of a page.
const PAGE: usize = 100;
/// After how many pages the counts are kept, so that a call that runs out of time was of use.
const KEEP_AFTER: u32 = 50;

/// The counts of a day that are kept.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct KeptCounts {
    counts: DayCounts,
    /// The last item that is in the counts; `None` before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    through: Option<String>,
    /// Whether the counts are those of the whole day.
    whole: bool,
}

/// The counts of a day as they were kept, which may lack the latest ends.
#[derive(Clone, Debug)]
pub struct StoredDay {
    day: Day,
    kept: KeptCounts,
    version: Option<u64>,
}

fn days_partition(scope: BrandScope<'_>) -> String {
    format!("STATS#{}#{}", scope.brand, scope.mode.as_str())
}

fn partition(scope: BrandScope<'_>, day: Day) -> String {
    format!("{}#{day}", days_partition(scope))
}

/// Returns the sort keys' common beginning of the ends at a time.
fn place(time: Timestamp) -> String {
    format!("{:016}", time.as_millis())
}

fn kept_until(day: Day) -> Timestamp {
    day.after(KEPT_DAYS).ends_at()
}

/// Returns the write of a change that ends its request; `None` for another change.
pub(crate) fn put_end(change: &Change) -> Result<Option<Write>, StoreError> {
    let request: &Request = &change.request;
    let Some(end) = EndFacts::of(request).filter(|_| change.ends_request()) else {
        return Ok(None);
    };
    let scope = BrandScope { brand: &request.brand, mode: request.mode };
    let day = Day::of(end.at);
    let sk = format!("{}#{}", place(end.at), request.id);
    let key = Key { pk: partition(scope, day), sk };
    overwrite(key, end, Some(kept_until(day))).map(Some)
}

/// Loads the kept counts of some days: each day from the first to the last, at most 100.
///
/// # Errors
/// [`StoreError`].
pub async fn stored_days(
    store: &dyn Store,
    scope: BrandScope<'_>,
    first: Day,
    last: Day,
) -> Result<Vec<StoredDay>, StoreError> {
    let range = Range {
        pk: days_partition(scope),
        prefix: String::new(),
        after: Some(first.after(-1).to_string()),
        limit: PAGE,
        order: Order::Ascending,
    };
    let items = store.list(&range).await?.items.into_iter();
    let items = items.map(|item| Ok((item.key.sk, (decode(&item.body)?, item.version))));
    let mut known = items.collect::<Result<BTreeMap<String, (KeptCounts, u64)>, StoreError>>()?;
    let day = |day: Day| match known.remove(&day.to_string()) {
        Some((kept, version)) => StoredDay { day, kept, version: Some(version) },
        None => StoredDay { day, kept: KeptCounts::default(), version: None },
    };
    Ok(first.to(last).map(day).collect())
}

impl StoredDay {
    /// Returns the day.
    #[must_use]
    pub const fn day(&self) -> Day {
        self.day
    }

    /// Counts the ends of the day since its counts were kept, and keeps what can no longer change.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count(
        mut self,
        store: &dyn Store,
        scope: BrandScope<'_>,
        now: Timestamp,
    ) -> Result<DayCounts, StoreError> {
        if self.kept.whole {
            return Ok(self.kept.counts);
        }
        let (mut late, mut pages) = (DayCounts::default(), 0_u32);
        let mut range = Range {
            pk: partition(scope, self.day),
            prefix: String::new(),
            after: self.kept.through.clone(),
            limit: PAGE,
            order: Order::Ascending,
        };
        let known = self.kept.through.clone();
        loop {
            let page = store.list(&range).await?;
            range.after = page.items.last().map(|item| item.key.sk.clone()).or(range.after);
            for item in page.items {
                let end: EndFacts = decode(&item.body)?;
                if end.at.after(LATE) <= now {
                    self.kept.counts.count(&end);
                    self.kept.through = Some(item.key.sk);
                } else {
                    late.count(&end);
                }
            }
            if !page.more {
                break;
            }
            pages = pages.saturating_add(1);
            if pages.is_multiple_of(KEEP_AFTER) {
                self.keep(store, scope).await?;
            }
        }
        self.kept.whole = self.day.ends_at().after(LATE) <= now;
        if self.kept.whole || self.kept.through != known {
            self.keep(store, scope).await?;
        }
        let mut counts = self.kept.counts;
        counts.merge(&late);
        Ok(counts)
    }

    /// Keeps the counts. Another reader may have kept the same ones first.
    async fn keep(&mut self, store: &dyn Store, scope: BrandScope<'_>) -> Result<(), StoreError> {
        let key = Key { pk: days_partition(scope), sk: self.day.to_string() };
        let put = replace(key, &self.kept, self.version, Some(kept_until(self.day)))?;
        match store.write(vec![put]).await {
            Ok(()) => {
                self.version = Some(self.version.unwrap_or(0).saturating_add(1));
                Ok(())
            }
            Err(StoreError::Conflict) => Ok(()),
            Err(error @ (StoreError::Unavailable(_) | StoreError::Damaged(_))) => Err(error),
        }
    }
}
