//! A customer on the processor's own page: sent on, come back, wanted back, and what the processor tells meanwhile.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::fetching::open;
use super::{Change, Refusal, Request, State};
use crate::guards::{self, Guard};
use crate::journal::EntryKind;
use crate::ports::Told;
use crate::seal::Sealed;
use crate::values::time::Timestamp;

/// A customer who was sent on to the processor's own page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentOn {
    /// Where to: an [`AuthorizationKind::Onward`](crate::authorization::AuthorizationKind::Onward).
    pub sealed: Sealed,
    /// Since when.
    pub at: Timestamp,
    /// When they came back with something to use, if they did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub returned_at: Option<Timestamp>,
    /// Whether what they came back with was used, or was about to be.
    pub redeemed: bool,
    /// Why the attempt is to be ended before its time, if somebody wants that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recalled: Option<Recall>,
}

/// Who wants a customer back from the processor's page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recall {
    /// The customer, who wants another way.
    Customer,
    /// The requester, who takes the request back.
    Requester,
}

impl Request {
    /// The customer has to go on to the processor's own page, where `sealed` leads. No worker waits for them: somebody looks
    /// again after that wait, if nothing is heard before.
    ///
    /// # Errors
    /// [`Refusal::Step`] when the attempt is not at that point.
    pub fn sent_on(
        &self,
        sealed: Sealed,
        wait: Duration,
        now: Timestamp,
    ) -> Result<Change, Refusal> {
        let mut change = self.given_back(now)?;
        let attempt = open(&mut change.request)?;
        if attempt.started_at.is_none() {
            return Err(Refusal::Step);
        }
        let generation = attempt.generation;
        // Looking whether a customer is done says nothing about how the processor is.
        attempt.tries = 0;
        attempt.due_after(wait, now);
        if attempt.onward.is_some() {
            return Ok(change.with_entry(EntryKind::Released { reason: "customer".to_owned() }));
        }
        let (returned_at, redeemed, recalled) = (None, false, None);
        attempt.onward = Some(SentOn { sealed, at: now, returned_at, redeemed, recalled });
        Ok(change
            .with_timeline_entry("redirected", None, None)
            .with_entry(EntryKind::SentOn { generation }))
    }

    /// The customer came back from the processor's page with something to use, which takes the place of what the yes
    /// carried. Once: a repeat changes nothing.
    ///
    /// # Errors
    /// [`Refusal::Step`] when nobody was sent on by that attempt, or it is to be ended; [`Refusal::Closed`].
    pub fn returned(
        &self,
        generation: u32,
        sealed: Sealed,
        now: Timestamp,
    ) -> Result<Change, Refusal> {
        let mut change = self.at_processor(now)?;
        let attempt = open(&mut change.request)?;
        let ours =
            attempt.generation == generation || guards::is_disabled(Guard::ReturnForOpenAttempt);
        let onward = attempt.onward.as_mut().filter(|onward| ours && onward.recalled.is_none());
        let onward = onward.ok_or(Refusal::Step)?;
        if onward.returned_at.is_some() && !guards::is_disabled(Guard::ReturnOnce) {
            return Ok(Change::of(self, now));
        }
        onward.returned_at = Some(now);
        attempt.again_at = None;
        attempt.tries = 0;
        carries(&mut change.request, sealed);
        Ok(change
            .with_timeline_entry("returned", None, None)
            .with_entry(EntryKind::Returned { generation }))
    }

    /// What the yes carried was exchanged for something else.
    ///
    /// # Errors
    /// [`Refusal::Step`] when no worker has it.
    pub fn exchanged(&self, sealed: Sealed, now: Timestamp) -> Result<Change, Refusal> {
        let mut change = self.at_processor(now)?;
        let generation = open(&mut change.request)?.generation;
        carries(&mut change.request, sealed);
        Ok(change.with_entry(EntryKind::Exchanged { generation }))
    }

    /// Somebody wants the customer back from the processor's page: the attempt is made impossible, then ended.
    ///
    /// # Errors
    /// [`Refusal::Step`] when nobody was sent on, or they came back already; [`Refusal::Closed`].
    pub fn recalled(&self, by: Recall, now: Timestamp) -> Result<Change, Refusal> {
        let mut change = self.at_processor(now)?;
        let attempt = open(&mut change.request)?;
        let generation = attempt.generation;
        let onward = attempt.onward.as_mut().filter(|onward| onward.returned_at.is_none());
        let onward = onward.ok_or(Refusal::Step)?;
        if onward.recalled.is_some_and(|known| known == by || known == Recall::Requester) {
            return Ok(Change::of(self, now));
        }
        onward.recalled = Some(by);
        attempt.again_at = None;
        Ok(change.with_entry(EntryKind::Recalled { generation, by }))
    }

    /// What the processor told of an attempt by callback. A success is never unsaid by what comes later, except by the
    /// processor's taking the attempt back, which holds for good.
    ///
    /// # Errors
    /// [`Refusal::Step`] when that attempt is not open; [`Refusal::Closed`].
    pub fn told(&self, generation: u32, told: Told, now: Timestamp) -> Result<Change, Refusal> {
        let mut change = self.at_processor(now)?;
        let attempt = open(&mut change.request)?;
        if attempt.generation != generation {
            return Err(Refusal::Step);
        }
        let holds = |known: &Told| {
            known.is_cancelled() || *known == told || (known.success && !told.is_cancelled())
        };
        if attempt.told.as_ref().is_some_and(holds) {
            return Ok(Change::of(self, now));
        }
        let success = told.success;
        attempt.told = Some(told);
        attempt.again_at = None;
        Ok(change.with_entry(EntryKind::Told { generation, success }))
    }
}

/// From now on the request carries this to the processor.
fn carries(request: &mut Request, carried: Sealed) {
    if let State::Processing { sealed, .. } = &mut request.state {
        *sealed = carried;
    }
}
