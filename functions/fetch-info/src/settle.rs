//! The reaction to each answer of a processor, and how long an attempt may take.

use std::time::Duration;

use domain::consent;
use domain::effects::send;
use domain::message::Step;
use domain::ports::{Answer, Receipt};
use domain::request::{Attempt, Doubt, Request};
use domain::storage::Loaded;
use domain::values::id::RequestId;

use crate::charge::Turn;
use crate::{FetchInfo, Trouble};

/// For how long an attempt that has moved nothing is tried: the customer is still on the line and waits.
const PATIENCE: Duration = Duration::from_secs(600);
/// For how long a processor that may have acted is asked what became of it, before a late success is made impossible.
const DOUBT: Duration = Duration::from_secs(1_800);

/// What follows from an answer.
enum Verdict {
    /// The money moved.
    Fulfil(Receipt),
    /// The money did not move, and this attempt never will move it.
    Refuse {
        code: &'static str,
        /// Whether another card may.
        mendable: bool,
    },
    /// It is taken up again after a while.
    ComeBack {
        reason: &'static str,
        doubt: Doubt,
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

    /// Records what a turn came to and takes the step that follows from it.
    pub(crate) async fn react(&self, loaded: Loaded, turn: Turn) -> Result<(), Trouble> {
        let request = &loaded.request;
        let id = request.id;
        let Some(attempt) = request.open_attempt().cloned() else { return Ok(()) };
        let verdict = match turn {
            Turn::Answered(answer) => verdict(request, answer),
            Turn::Untouched(code) => blocked(id, code, Doubt::None),
            Turn::Unusable(code) if attempt.started_at.is_none() => {
                Verdict::Refuse { code, mendable: false }
            }
            // The money may have moved, and nobody can say so until an operator mends the settings.
            Turn::Unusable(reason) => {
                Verdict::ComeBack { reason, doubt: Doubt::Told, refresh: false }
            }
        };
        if let Verdict::ComeBack { refresh: true, .. } = &verdict
            && let Err(error) = self.secrets.refresh(&request.brand).await
        {
            tracing::warn!(error = %error, "the brand's secret could not be read anew");
        }
        let code = consent::transaction_code(self.random.as_ref());
        let command = |request: &Request, now| match &verdict {
            Verdict::Fulfil(receipt) => request.fulfilled(code.clone(), receipt.clone(), now),
            Verdict::Refuse { code, mendable } => request.refused(code, *mendable, now),
            Verdict::ComeBack { reason, doubt, .. } => request.released(reason, *doubt, now),
        };
        let Some(stored) = self.step(loaded, command).await? else { return Ok(()) };
        match verdict {
            Verdict::Fulfil(_) | Verdict::Refuse { .. } => {
                let state = stored.request.state_name();
                tracing::info!(request.id = %id, request.state = state, "an attempt is settled");
                Ok(())
            }
            Verdict::ComeBack { .. } => {
                Ok(send(self.queue.as_ref(), Step::Fetch, id, wait(&attempt)).await?)
            }
        }
    }
}

fn verdict(request: &Request, answer: Answer) -> Verdict {
    let back = |reason, doubt| Verdict::ComeBack { reason, doubt, refresh: false };
    match answer {
        Answer::Done(receipt) if is_exact(request, &receipt) => Verdict::Fulfil(receipt),
        Answer::Done(_) => {
            // Dynamic linking: what moved is not what was consented to. Nothing is told as success; a person must look.
            tracing::error!(request.id = %request.id, "the processor reports another amount or currency");
            back("amount_differs", Doubt::Told)
        }
        Answer::Refused { code } => Verdict::Refuse { code, mendable: true },
        Answer::Declined { code } => Verdict::Refuse { code, mendable: false },
        Answer::NeedsCustomer => {
            Verdict::Refuse { code: "authentication_required", mendable: true }
        }
        Answer::Invalid { code } => {
            tracing::error!(request.id = %request.id, code, "the processor calls the attempt invalid");
            Verdict::Refuse { code, mendable: false }
        }
        Answer::Fenced => Verdict::Refuse { code: "processor_unavailable", mendable: false },
        // An earlier call may have been made before the account was refused.
        Answer::Blocked { code } => blocked(request.id, code, Doubt::AsBefore),
        Answer::Again | Answer::NotExecuted => back("again", Doubt::AsBefore),
        Answer::Working => back("working", Doubt::AsBefore),
        Answer::Unknown => back("unknown", Doubt::Told),
    }
}

/// An operator must look, and the credentials may have been rotated.
fn blocked(id: RequestId, code: &'static str, doubt: Doubt) -> Verdict {
    tracing::error!(request.id = %id, code, "the processor refuses our account");
    Verdict::ComeBack { reason: code, doubt, refresh: true }
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
