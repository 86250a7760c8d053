//! A decided change with everything that is stored and sent with it.

use std::time::Duration;

use crate::effects;
use crate::effects::EffectError;
use crate::storage;
use crate::storage::VersionedRequest;
use domain::caller::Caller;
use domain::message::{Message, Step};
use domain::request::Change;
use ports::{Outgoing, Ports, Write};

/// A change to store, the writes in the same transaction, and the message that follows.
///
/// ```
/// # fn example(request: &domain::request::Request, now: domain::values::time::Timestamp) {
/// use domain::message::Step;
/// use records::update::commit;
///
/// // A repeat of an approval changes nothing and sends the step again.
/// let repeat = commit(request.expire(now)).then(Step::Fetch).with_recovery_check();
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Commit {
    change: Change,
    writes: Vec<Write>,
    step: Option<Step>,
    delay: Duration,
    recovery_check: bool,
}

/// Starts a commit of this change alone.
pub const fn commit(change: Change) -> Commit {
    Commit { change, writes: Vec::new(), step: None, delay: Duration::ZERO, recovery_check: false }
}

impl From<Change> for Commit {
    fn from(change: Change) -> Self {
        commit(change)
    }
}

impl Commit {
    /// Writes into the journal the call that caused the change.
    pub fn caused_by(mut self, caller: &Caller) -> Self {
        self.change = self.change.caused_by(caller);
        self
    }

    /// Stores these items in the same transaction, or nothing at all.
    pub fn with_writes(mut self, writes: impl IntoIterator<Item = Write>) -> Self {
        self.writes.extend(writes);
        self
    }

    /// Sends this step once the change is stored, and again when the change was a repeat that stored nothing.
    pub fn then(mut self, step: impl Into<Option<Step>>) -> Self {
        self.step = step.into();
        self
    }

    /// Delays the step.
    pub const fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Sends a check ahead of the write, which finds the step if this worker dies before it sends it.
    ///
    /// A request that was made a moment ago has a check under way, which finds it as well.
    pub const fn with_recovery_check(mut self) -> Self {
        self.recovery_check = true;
        self
    }

    /// Stores the change, then sends its step and its webhook events.
    ///
    /// `expected_version` is the version that the decision was made from; `None` for a new request.
    ///
    /// # Errors
    /// [`EffectError`]; a conflict when the request has another version by now.
    pub async fn apply(
        self,
        ports: &Ports,
        expected_version: Option<u64>,
    ) -> Result<VersionedRequest, EffectError> {
        let (store, queue) = (ports.store.as_ref(), ports.queue.as_ref());
        let (request, now) = (&self.change.request, self.change.at);
        let is_awaited = expected_version.is_some() && effects::awaits_first_check(request, now);
        if self.recovery_check && !is_awaited {
            effects::schedule_recovery_check(queue, request, now).await?;
        }
        let events = u32::try_from(self.change.webhooks.len()).unwrap_or(0);
        let owes_message = self.change.begins_to_owe_message();
        let stored = storage::commit(store, expected_version, self.change, self.writes).await?;
        let id = stored.request.id;
        let outgoing = |step, delay| Outgoing { message: Message::new(step, id), delay };
        let mut owed = Vec::new();
        owed.extend(self.step.map(|step| outgoing(step, self.delay)));
        if owes_message && self.step != Some(Step::Deliver) {
            owed.push(outgoing(Step::Deliver, Duration::ZERO));
        }
        if let Some(more) = events.checked_sub(1) {
            let seq = stored.request.webhooks.saturating_sub(more);
            owed.push(outgoing(Step::Webhook { seq, more }, Duration::ZERO));
        }
        queue.send_all(&owed).await?;
        Ok(stored)
    }
}
