//! What is remembered of the brands' secrets, for how long, and of how many.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::Duration;

use domain::brand::Brand;
use domain::values::name::BrandName;
use domain::values::time::Timestamp;
use tokio::sync::Mutex;

const KNOWN_FOR: Duration = Duration::from_secs(60);
const UNKNOWN_FOR: Duration = Duration::from_secs(10);
/// A refused credential is retried by many at once: one of them asks, and the others take its answer.
const REFRESH_EVERY: Duration = Duration::from_secs(1);
/// How many names are remembered, brands and guesses together.
const NAMES_MAX: usize = 1_000;

/// How fresh an answer has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// As fresh as the memory allows.
    Any,
    /// Past the memory.
    Fresh,
}

/// The names that were asked for.
#[derive(Default)]
pub(crate) struct Memory {
    names: StdMutex<BTreeMap<BrandName, Name>>,
}

struct Name {
    asked_at: Timestamp,
    slot: Arc<Mutex<Slot>>,
}

/// What is remembered under one name.
#[derive(Default)]
pub(crate) struct Slot {
    /// The brand, or that there is none, and until when that holds.
    answer: Option<(Option<Arc<Brand>>, Timestamp)>,
    refresh_again_at: Option<Timestamp>,
}

impl Memory {
    /// What is remembered under `name`. When there are too many names the one not asked for the longest goes.
    pub(crate) fn slot(&self, name: &BrandName, now: Timestamp) -> Arc<Mutex<Slot>> {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        if names.len() >= NAMES_MAX && !names.contains_key(name) {
            let oldest = names.iter().min_by_key(|(_, name)| name.asked_at);
            if let Some(oldest) = oldest.map(|(name, _)| name.clone()) {
                names.remove(&oldest);
            }
        }
        let kept = names.entry(name.clone());
        let kept = kept.or_insert_with(|| Name { asked_at: now, slot: Arc::default() });
        kept.asked_at = now;
        Arc::clone(&kept.slot)
    }
}

impl Slot {
    /// The answer that need not be asked for again, if there is one: a brand, or that there is none.
    pub(crate) fn recall(&self, asked: Asked, now: Timestamp) -> Option<Option<Arc<Brand>>> {
        let may_refresh = self.refresh_again_at.is_none_or(|again| now >= again);
        match &self.answer {
            Some((brand, until)) if now < *until => {
                (asked == Asked::Any || !may_refresh).then(|| brand.clone())
            }
            Some(_) | None => None,
        }
    }

    /// Notes that an answer is being asked for.
    pub(crate) fn asked(&mut self, asked: Asked, now: Timestamp) {
        if asked == Asked::Fresh {
            self.refresh_again_at = Some(now.after(REFRESH_EVERY));
        }
    }

    /// Remembers an answer.
    pub(crate) fn remember(&mut self, brand: Option<Arc<Brand>>, now: Timestamp) {
        let until = now.after(if brand.is_some() { KNOWN_FOR } else { UNKNOWN_FOR });
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
    fn a_guessed_name_is_remembered_for_ten_seconds() {
        let mut slot = Slot::default();
        assert!(slot.recall(Asked::Any, at(0)).is_none());
        slot.remember(None, at(0));
        assert!(slot.recall(Asked::Any, at(9)).is_some_and(|brand| brand.is_none()));
        assert!(slot.recall(Asked::Any, at(10)).is_none());
    }

    #[test]
    fn a_refresh_goes_past_the_memory_once_a_second() {
        let mut slot = Slot::default();
        slot.remember(None, at(0));
        assert!(slot.recall(Asked::Fresh, at(0)).is_none());
        slot.asked(Asked::Fresh, at(0));
        slot.remember(None, at(0));
        assert!(slot.recall(Asked::Fresh, Timestamp::from_millis(999)).is_some());
        assert!(slot.recall(Asked::Fresh, at(1)).is_none());
    }

    #[test]
    fn guesses_without_end_fill_no_memory_and_push_out_the_oldest() {
        let memory = Memory::default();
        let name = |number: i64| format!("b{number}").parse::<BrandName>().unwrap();
        for second in 0..3_000 {
            memory.slot(&name(0), at(second));
            memory.slot(&name(second), at(second));
        }
        let names = memory.names.lock().unwrap();
        assert_eq!(names.len(), NAMES_MAX);
        assert!(names.contains_key(&name(0)) && !names.contains_key(&name(1)));
    }
}
