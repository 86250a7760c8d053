//! The messages that a change owes to the queue: its steps, and a check ahead of the write. Every send is safe to repeat.

use std::time::Duration;

use crate::update::Conflict;
use domain::message::{Message, Step, Task};
use domain::request::Request;
use domain::values::id::RequestId;
use domain::values::time::Timestamp;
use ports::{Queue, QueueError, StoreError};

/// More than two machines' clocks differ.
const CLOCKS_APART: Duration = Duration::from_secs(1);

/// The reason why an effect did not happen.
#[derive(Debug, thiserror::Error)]
pub enum EffectError {
    /// The state could not be written.
    #[error("failed to write the state")]
    Store(#[from] StoreError),
    /// The state is written and what it owes was not sent: repeat the call.
    #[error("failed to queue the owed messages")]
    Queue(#[from] QueueError),
}

impl Conflict for EffectError {
    fn is_conflict(&self) -> bool {
        match self {
            Self::Store(error) => error.is_conflict(),
            Self::Queue(_) => false,
        }
    }
}

impl From<EffectError> for domain::problem::Problem {
    fn from(error: EffectError) -> Self {
        match error {
            EffectError::Store(StoreError::Conflict) => Self::overtaken(),
            EffectError::Store(error @ (StoreError::Unavailable(_) | StoreError::Damaged(_))) => {
                error.into()
            }
            EffectError::Queue(error) => error.into(),
        }
    }
}

/// Sends one step of a request.
///
/// # Errors
/// [`QueueError`].
pub async fn send(
    queue: &dyn Queue,
    step: Step,
    request: RequestId,
    delay: Duration,
) -> Result<(), QueueError> {
    queue.send(&Message::new(step, request), delay).await
}

/// Sends a task that belongs to no request.
///
/// # Errors
/// [`QueueError`].
pub async fn send_task(queue: &dyn Queue, task: Task, delay: Duration) -> Result<(), QueueError> {
    queue.send(&Message::V2 { task }, delay).await
}

/// Sends a check ahead of a write, so that a crash between the write and what it owes loses nothing.
///
/// The check finds the step that was never taken and hands it over. If the write never happens, it finds nothing to do.
///
/// # Errors
/// [`QueueError`].
pub async fn schedule_recovery_check(
    queue: &dyn Queue,
    request: &Request,
    now: Timestamp,
) -> Result<(), QueueError> {
    send(queue, Step::Check, request.id, recovery_delay(request, now)).await
}

fn recovery_delay(request: &Request, now: Timestamp) -> Duration {
    let soon = request.fallback().min(Duration::from_secs(12)).min(now.until(request.expires_at));
    soon.max(Duration::from_secs(1))
}

/// Returns whether the request is open, and the check that was sent before it was written is still to come.
///
/// That check finds what a change owes by then. Should it be faster than a slow write, it sends the next one, since the
/// request is open.
pub(crate) fn awaits_first_check(request: &Request, now: Timestamp) -> bool {
    let first = request.created_at.after(recovery_delay(request, request.created_at));
    !request.is_closed() && now.after(CLOCKS_APART) < first
}
