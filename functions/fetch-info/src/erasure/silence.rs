//! The daily check of saved cards: those whose customers were silent for too long are taken off file.

use std::time::Duration;

use domain::message::Task;
use domain::values::time::Timestamp;
use ports::SecretsError;
use records::card_checks::CardCheck;
use records::effects::send_task;
use records::saved_cards::{EndingMark, SavedCard};
use records::update::retry_conflicts;
use records::{card_checks, saved_cards};

use super::Erasures;
use crate::StepError;

/// The days before today whose checks are done too. The schedule may have stood still.
const DAYS_BACK: i64 = 62;
/// The most checks of one run. The next run goes on with what is left.
const CHECKS_MAX: usize = 100;

impl Erasures<'_> {
    /// Checks the cards that are due. Returns the wait for the next run; `None` when no check is due.
    pub(super) async fn check_cards(&self) -> Result<Option<Duration>, StepError> {
        let today = card_checks::day_of(self.ports.clock.now());
        let mut left = CHECKS_MAX;
        for day in today.saturating_sub(DAYS_BACK)..=today {
            let mut after = None;
            loop {
                let page = card_checks::list(self.store(), day, after).await?;
                for check in &page.checks {
                    if left == 0 {
                        return Ok(Some(Duration::from_secs(1)));
                    }
                    left = left.saturating_sub(1);
                    self.check_card(check, day).await?;
                }
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
        }
        Ok(None)
    }

    /// Ends a card whose customer was silent for too long, or lists it for a later day. Either way its check of today is over.
    async fn check_card(&self, check: &CardCheck, day: i64) -> Result<(), StepError> {
        let known = saved_cards::load(self.store(), &check.brand, check.mode, check.card).await?;
        let next = match known {
            Some(known) if known.gone_at.is_none() => self.check_known(check, &known).await?,
            Some(_) | None => None,
        };
        let mut writes = vec![card_checks::delete(check, day)];
        if let Some((next, day)) = next {
            writes.push(card_checks::put(&next, day)?);
        }
        Ok(self.store().write(writes).await?)
    }

    /// Returns the card's next check and its day; `None` for a card that ends.
    async fn check_known(
        &self,
        check: &CardCheck,
        known: &SavedCard,
    ) -> Result<Option<(CardCheck, i64)>, StepError> {
        let now = self.ports.clock.now();
        let tomorrow = card_checks::next_day(Some(now), now);
        let brand = match self.ports.secrets.brand(&check.brand).await {
            Ok(brand) => brand,
            Err(SecretsError::Unknown) => {
                return Ok(Some((check.clone(), card_checks::next_day(None, now))));
            }
            // One brand's settings stop no other brand's checks.
            Err(error @ (SecretsError::Damaged(_) | SecretsError::Unavailable(_))) => {
                tracing::warn!(brand.name = %check.brand, card.id = %check.card, error = %error, "saved card not checked; it is checked tomorrow");
                return Ok(Some((check.clone(), tomorrow)));
            }
        };
        let heard = card_checks::last_inbound_at(self.store(), &brand, check, known, now).await?;
        let next = CardCheck { heard_at: Some(heard), ..check.clone() };
        let end = card_checks::silence_end(&brand, heard);
        if known.ending.is_none() && end.is_none_or(|end| now < end) {
            return Ok(Some((next, card_checks::next_day(end, now))));
        }
        Ok((!self.end_silent(check, known, now).await?).then_some((next, tomorrow)))
    }

    /// Hands a card to the worker that takes it off file. Returns whether the card ends.
    async fn end_silent(
        &self,
        check: &CardCheck,
        known: &SavedCard,
        now: Timestamp,
    ) -> Result<bool, StepError> {
        let mark = || saved_cards::mark_ending(self.store(), check.scope(), check.card, known, now);
        match retry_conflicts(mark).await? {
            EndingMark::InUse(_) => return Ok(false),
            EndingMark::Ending(_) => {}
        }
        // A crash before this leaves the check listed, so that the task is sent by the next run.
        let CardCheck { brand, mode, card, .. } = check.clone();
        let task = Task::DetachCard { brand, mode, card };
        send_task(self.ports.queue.as_ref(), task, Duration::ZERO).await?;
        tracing::info!(card.id = %check.card, brand.name = %check.brand, "saved card of a silent customer is taken off file");
        Ok(true)
    }
}
