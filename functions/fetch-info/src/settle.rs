//! The reaction to each answer of a processor, and how long an attempt may take.

use std::time::Duration;

use domain::consent;
use domain::effects::send;
use domain::message::Step;
use domain::ports::{Answer, Receipt};
use domain::request::{Attempt, Change, Doubt, Refusal, Request};
use domain::storage::Loaded;
use domain::values::time::Timestamp;

use crate::charge::Turn;
use crate::{FetchInfo, Trouble};

/// For how long an attempt that has moved nothing is tried: the customer is still on the line and waits.
const PATIENCE: Duration = Duration::from_secs(600);
/// For how long a processor that may have acted is asked what became of it, before a late success is made impossible.
const DOUBT: Duration = Duration::from_secs(1_800);

/// What is recorded of an answer.
enum Reaction {
    /// The request moves on; nothing is left to do at the processor.
    Settle(Change),
    /// The request is given back and taken up again after a while.
    ComeBack {
        change: Change,
        /// Whether to read the brand's secret anew first.
        refresh: bool,
    },
}

impl FetchInfo {
    /// Whether an attempt has been tried long enough: longer where it may have acted.
    pub(crate) fn is_tired(&self, attempt: &Attempt) -> bool {
        let (since, patience) = match attempt.started_at {
            Some(started_at) if attempt.in_doubt => (started_at, DOUBT),
            Some(_) | None => (attempt.at, PATIENCE),
        };
        self.clock.now() > since.after(patience)
    }

    /// Records an answer and takes the step that follows from it.
    pub(crate) async fn react(&self, loaded: Loaded, turn: Turn) -> Result<(), Trouble> {
        let now = self.clock.now();
        let request = &loaded.request;
        let Some(attempt) = request.open_attempt().cloned() else { return Ok(()) };
        let reaction = match turn {
            Turn::Answered(answer) => self.reaction(request, answer, now),
            Turn::Untouched(code) => blocked(request, code, Doubt::None, now),
            Turn::Unusable(reason) if attempt.started_at.is_none() => {
                request.refused(reason, false, now).map(Reaction::Settle)
            }
            // The money may have moved, and nobody can say so until an operator mends the settings.
            Turn::Unusable(reason) => come_back(request, reason, Doubt::Told, now),
        };
        match reaction {
            Ok(Reaction::Settle(change)) => {
                let stored = self.apply(&loaded, change).await?;
                let state = stored.request.state_name();
                tracing::info!(request.id = %request.id, request.state = state, "an attempt is settled");
                Ok(())
            }
            Ok(Reaction::ComeBack { change, refresh }) => {
                if refresh && let Err(error) = self.secrets.refresh(&request.brand).await {
                    tracing::warn!(error = %error, "the brand's secret could not be read anew");
                }
                let stored = self.apply(&loaded, change).await?;
                let wait = wait(&attempt);
                Ok(send(self.queue.as_ref(), Step::Fetch, stored.request.id, wait).await?)
            }
            // It is no longer ours to record.
            Err(_) => Ok(()),
        }
    }

    fn reaction(
        &self,
        request: &Request,
        answer: Answer,
        now: Timestamp,
    ) -> Result<Reaction, Refusal> {
        match answer {
            Answer::Done(receipt) if is_exact(request, &receipt) => {
                let code = consent::transaction_code(self.random.as_ref());
                request.fulfilled(code, receipt, now).map(Reaction::Settle)
            }
            Answer::Done(_) => {
                // Dynamic linking: what moved is not what was consented to. Nothing is told as success; a person must look.
                tracing::error!(request.id = %request.id, "the processor reports another amount or currency");
                come_back(request, "amount_differs", Doubt::Told, now)
            }
            Answer::Refused { code } => request.refused(code, true, now).map(Reaction::Settle),
            Answer::Declined { code } => request.refused(code, false, now).map(Reaction::Settle),
            Answer::NeedsCustomer => {
                request.refused("authentication_required", true, now).map(Reaction::Settle)
            }
            Answer::Invalid { code } => {
                tracing::error!(request.id = %request.id, code, "the processor calls the attempt invalid");
                request.refused(code, false, now).map(Reaction::Settle)
            }
            Answer::Fenced => {
                request.refused("processor_unavailable", false, now).map(Reaction::Settle)
            }
            // An earlier call may have been made before the account was refused.
            Answer::Blocked { code } => blocked(request, code, Doubt::AsBefore, now),
            Answer::Again | Answer::NotExecuted => {
                come_back(request, "again", Doubt::AsBefore, now)
            }
            Answer::Working => come_back(request, "working", Doubt::AsBefore, now),
            Answer::Unknown => come_back(request, "unknown", Doubt::Told, now),
        }
    }
}

fn come_back(
    request: &Request,
    reason: &str,
    doubt: Doubt,
    now: Timestamp,
) -> Result<Reaction, Refusal> {
    let change = request.released(reason, doubt, now)?;
    Ok(Reaction::ComeBack { change, refresh: false })
}

/// An operator must look, and the credentials may have been rotated.
fn blocked(
    request: &Request,
    code: &str,
    doubt: Doubt,
    now: Timestamp,
) -> Result<Reaction, Refusal> {
    tracing::error!(request.id = %request.id, code, "the processor refuses our account");
    let change = request.released(code, doubt, now)?;
    Ok(Reaction::ComeBack { change, refresh: true })
}

/// Whether what the processor moved is exactly what the customer said yes to.
fn is_exact(request: &Request, receipt: &Receipt) -> bool {
    request.ask.money().is_some_and(|money| {
        receipt.amount == money.amount() && receipt.currency == money.currency().code()
    })
}

/// 1, 2, 4 … seconds while somebody is on the line, then five minutes.
fn wait(attempt: &Attempt) -> Duration {
    let doublings = attempt.tries.saturating_sub(1).min(9);
    Duration::from_secs(1_u64 << doublings).min(Duration::from_secs(300))
}
