//! The days on which saved cards are checked for a customer who was silent for too long.
//!
//! The checks of one day have one key, so that a daily task finds them without a scan. A check names the card and no customer.

use std::time::Duration;

use domain::brand::{Brand, BrandScope, Mode};
use domain::guards;
use domain::guards::Guard;
use domain::values::id::CardId;
use domain::values::name::BrandName;
use domain::values::time::Timestamp;
use ports::{Key, Order, Range, Store, StoreError, Write};
use serde::{Deserialize, Serialize};

use crate::contact;
use crate::contact::ChannelScope;
use crate::saved_cards::SavedCard;
use crate::storage::decode;
use crate::writes::overwrite;

/// The longest time between two checks of a card. A brand may shorten `card_silence_days` meanwhile.
const CHECK_INTERVAL: Duration = Duration::from_secs(30 * 86_400);
/// The most checks of a page.
const PAGE: usize = 100;

/// A saved card that is to be checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardCheck {
    /// The brand for which the card is saved.
    pub brand: BrandName,
    /// Test or live.
    pub mode: Mode,
    /// The card's id.
    pub card: CardId,
    /// When an earlier check found that the customer was last heard; `None` before one. A contact is forgotten sooner than
    /// a card.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heard_at: Option<Timestamp>,
}

impl CardCheck {
    /// Makes the first check of a card.
    #[must_use]
    pub fn new(of: BrandScope<'_>, card: CardId) -> Self {
        Self { brand: of.brand.clone(), mode: of.mode, card, heard_at: None }
    }

    /// Returns the brand and the mode.
    #[must_use]
    pub const fn scope(&self) -> BrandScope<'_> {
        BrandScope { brand: &self.brand, mode: self.mode }
    }

    fn key(&self, day: i64) -> Key {
        let Self { brand, mode, card, .. } = self;
        Key { pk: partition(day), sk: format!("{brand}#{mode:?}#{card}") }
    }
}

/// A page of the checks of one day.
#[derive(Clone, Debug)]
pub struct CheckPage {
    /// The checks, by brand, mode and card.
    pub checks: Vec<CardCheck>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<String>,
}

fn partition(day: i64) -> String {
    format!("CHECK#{day}")
}

/// Returns the day of a time: the number of days since 1970.
#[must_use]
pub const fn day_of(at: Timestamp) -> i64 {
    at.as_secs().div_euclid(86_400)
}

/// Returns the day of the next check: the one after `end`, and at the latest the one after `CHECK_INTERVAL`.
///
/// It is never today. `None` is a card that does not end as the brand's settings are now.
#[must_use]
pub fn next_day(end: Option<Timestamp>, now: Timestamp) -> i64 {
    let latest = now.after(CHECK_INTERVAL);
    day_of(end.map_or(latest, |end| end.min(latest)).max(now)).saturating_add(1)
}

/// Returns the write that lists a check for a day.
///
/// # Errors
/// [`StoreError::Damaged`] when the check cannot be encoded.
pub fn put(check: &CardCheck, day: i64) -> Result<Write, StoreError> {
    overwrite(check.key(day), check, None)
}

/// Returns the write that lists a check no longer for a day.
#[must_use]
pub fn delete(check: &CardCheck, day: i64) -> Write {
    Write::Delete { key: check.key(day) }
}

/// Lists a page of the checks of a day, after the place `after`.
///
/// # Errors
/// [`StoreError`].
pub async fn list(
    store: &dyn Store,
    day: i64,
    after: Option<String>,
) -> Result<CheckPage, StoreError> {
    let (pk, prefix) = (partition(day), String::new());
    let range = Range { pk, prefix, after, limit: PAGE, order: Order::Ascending };
    let page = store.list(&range).await?;
    let next = page.items.last().filter(|_| page.more).map(|item| item.key.sk.clone());
    let checks: Result<Vec<CardCheck>, StoreError> =
        page.items.iter().map(|item| decode(&item.body)).collect();
    Ok(CheckPage { checks: checks?, next })
}

/// Returns when a saved card ends for its customer's silence; `None` where the brand's cards do not end.
///
/// The customer was heard when the card was saved or last paid with, and with each message. A number may have a new holder
/// since.
///
/// # Errors
/// [`StoreError`].
pub async fn silence_ends_at(
    store: &dyn Store,
    brand: &Brand,
    check: &CardCheck,
    known: &SavedCard,
    now: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    let end = silence_end(brand, known.last_answer(check.card));
    if end.is_none_or(|end| now < end) {
        return Ok(end);
    }
    Ok(silence_end(brand, last_inbound_at(store, brand, check, known, now).await?))
}

/// Returns when a saved card ends for a customer who was last heard then; `None` where cards do not end.
#[must_use]
pub fn silence_end(brand: &Brand, heard: Timestamp) -> Option<Timestamp> {
    let silence = brand.policy.card_silence().filter(|_| !guards::is_disabled(Guard::SilentCard));
    silence.map(|silence| heard.after(silence))
}

/// Returns when the customer of a saved card was last heard, as far as is kept.
///
/// # Errors
/// [`StoreError`].
pub async fn last_inbound_at(
    store: &dyn Store,
    brand: &Brand,
    check: &CardCheck,
    known: &SavedCard,
    now: Timestamp,
) -> Result<Timestamp, StoreError> {
    let answered = known.last_answer(check.card);
    let mut heard = check.heard_at.map_or(answered, |heard| heard.max(answered));
    for setup in &brand.setup(check.mode).channels {
        let at = ChannelScope { brand: &check.brand, mode: check.mode, channel: &setup.name };
        let (contact, _) = contact::load(store, at, &known.address, now).await?;
        heard = contact.last_inbound.map_or(heard, |last| last.max(heard));
    }
    Ok(heard)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 86_400;

    #[test]
    fn next_check_is_after_the_end_and_within_a_month() {
        let now = Timestamp::from_millis(1_795_694_400_000);
        let after = |days: u64| now.after(Duration::from_secs(days * DAY));
        let today = day_of(now);
        for (end, days) in [
            (None, 31),
            (Some(after(0)), 1),
            (Some(after(7)), 8),
            (Some(after(29)), 30),
            (Some(after(365)), 31),
            (Some(Timestamp::from_millis(0)), 1),
        ] {
            assert_eq!(next_day(end, now), today + days, "{end:?}");
        }
        assert_eq!(day_of(Timestamp::from_millis(-1)), -1);
    }
}
