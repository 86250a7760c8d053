//! The cache of the brands' secrets: its lifetimes, its refreshes and its size.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::Duration;

use domain::brand::Brand;
use domain::values::name::BrandName;
use domain::values::time::Timestamp;
use tokio::sync::Mutex;

/// The life of a cached brand.
const BRAND_LIFETIME: Duration = Duration::from_secs(60);
/// The life of a cached miss.
const MISS_LIFETIME: Duration = Duration::from_secs(10);
/// The shortest time between two refreshes. Many callers retry a refused credential at once, and one call serves them.
const REFRESH_INTERVAL: Duration = Duration::from_secs(1);
/// The most cached names, brands and misses together.
const NAMES_MAX: usize = 1_000;

/// The freshness that a caller needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Freshness {
    /// A cached answer is enough.
    Cached,
    /// Secrets Manager must be asked again.
    Fresh,
}

/// The cached names.
#[derive(Default)]
pub(crate) struct Cache {
    entries: StdMutex<BTreeMap<BrandName, Entry>>,
}

struct Entry {
    used_at: Timestamp,
    slot: Arc<Mutex<Slot>>,
}

/// The cached answer for one name.
#[derive(Default)]
pub(crate) struct Slot {
    /// The brand or a miss, and the time until which it holds; `None` before the first answer.
    answer: Option<(Option<Arc<Brand>>, Timestamp)>,
    next_refresh_at: Option<Timestamp>,
}

impl Cache {
    /// Returns the slot of `name`. At [`NAMES_MAX`], the least recently used name is dropped.
    pub(crate) fn slot(&self, name: &BrandName, now: Timestamp) -> Arc<Mutex<Slot>> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= NAMES_MAX && !entries.contains_key(name) {
            let oldest = entries.iter().min_by_key(|(_, entry)| entry.used_at);
            if let Some(oldest) = oldest.map(|(name, _)| name.clone()) {
                entries.remove(&oldest);
            }
        }
        let entry = entries.entry(name.clone());
        let entry = entry.or_insert_with(|| Entry { used_at: now, slot: Arc::default() });
        entry.used_at = now;
        Arc::clone(&entry.slot)
    }
}

impl Slot {
    /// Returns the cached answer, a brand or a miss; `None` if Secrets Manager must be asked.
    pub(crate) fn lookup(
        &self,
        freshness: Freshness,
        now: Timestamp,
    ) -> Option<Option<Arc<Brand>>> {
        let may_refresh = self.next_refresh_at.is_none_or(|again| now >= again);
        match &self.answer {
            Some((brand, until)) if now < *until => {
                (freshness == Freshness::Cached || !may_refresh).then(|| brand.clone())
            }
            Some(_) | None => None,
        }
    }

    /// Returns the last good brand, which may have outlived the cache; `None` after a miss.
    pub(crate) fn last_good(&self) -> Option<Arc<Brand>> {
        self.answer.as_ref().and_then(|(brand, _)| brand.clone())
    }

    /// Records that Secrets Manager is being asked.
    pub(crate) fn record_call(&mut self, freshness: Freshness, now: Timestamp) {
        if freshness == Freshness::Fresh {
            self.next_refresh_at = Some(now.after(REFRESH_INTERVAL));
        }
    }

    /// Caches an answer. A refresh right after a miss gets the same answer.
    ///
    /// So the refusal of a key costs one call, whether its brand is unknown or has another key. Its time names no brand.
    pub(crate) fn store(&mut self, brand: Option<Arc<Brand>>, now: Timestamp) {
        if brand.is_none() {
            self.next_refresh_at = Some(now.after(REFRESH_INTERVAL));
        }
        let until = now.after(if brand.is_some() { BRAND_LIFETIME } else { MISS_LIFETIME });
        self.answer = Some((brand, until));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    #[test]
    fn miss_is_cached_for_ten_seconds() {
        let mut slot = Slot::default();
        assert!(slot.lookup(Freshness::Cached, at(0)).is_none());
        slot.store(None, at(0));
        assert!(slot.lookup(Freshness::Cached, at(9)).is_some_and(|brand| brand.is_none()));
        assert!(slot.lookup(Freshness::Cached, at(10)).is_none());
    }

    #[test]
    fn refresh_right_after_a_miss_makes_no_call() {
        let mut slot = Slot::default();
        slot.store(None, at(0));
        assert!(slot.lookup(Freshness::Fresh, at(0)).is_some_and(|brand| brand.is_none()));
        assert!(slot.lookup(Freshness::Fresh, at(1)).is_none());
    }

    #[test]
    fn refresh_bypasses_the_cache_once_a_second() {
        let key = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
        let text = format!(
            r#"{{"version":"1","name":"acme","display_name":"Acme","keys":[],"address_key":"{key}","link_key":"{key}",
               "sealing":{{"current":"k1","keys":{{"k1":"{key}"}}}}}}"#
        );
        let brand = Arc::new(Brand::parse(&text).unwrap());
        let mut slot = Slot::default();
        slot.store(Some(Arc::clone(&brand)), at(0));
        assert!(slot.lookup(Freshness::Fresh, at(0)).is_none());
        slot.record_call(Freshness::Fresh, at(0));
        slot.store(Some(brand), at(0));
        assert!(slot.lookup(Freshness::Fresh, Timestamp::from_millis(999)).is_some());
        assert!(slot.lookup(Freshness::Fresh, at(1)).is_none());
    }

    #[test]
    fn endless_misses_drop_the_least_recently_used_name() {
        let cache = Cache::default();
        let name = |number: i64| format!("b{number}").parse::<BrandName>().unwrap();
        for second in 0..3_000 {
            cache.slot(&name(0), at(second));
            cache.slot(&name(second), at(second));
        }
        let entries = cache.entries.lock().unwrap();
        assert_eq!(entries.len(), NAMES_MAX);
        assert!(entries.contains_key(&name(0)) && !entries.contains_key(&name(1)));
    }
}
