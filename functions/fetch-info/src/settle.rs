//! The reaction to each answer of a processor, and how long an attempt may take.

use std::time::Duration;

use domain::ask::Ask;
use domain::claims;
use domain::consent;
use domain::effects::send;
use domain::guards::{self, Guard};
use domain::message::Step;
use domain::outcome::Details;
use domain::ports::{Answer, Fetched, Write};
use domain::request::{Attempt, Doubt, Refusal, Request};
use domain::saved_cards::{self, SavedCard};
use domain::storage::VersionedRequest;
use domain::values::id::CardId;
use domain::values::time::Timestamp;

use crate::charge::{Seen, Turn};
use crate::gate::Said;
use crate::{FetchInfo, Trouble};

/// For how long an attempt that has moved nothing is tried: the customer is still on the line and waits.
const PATIENCE: Duration = Duration::from_secs(600);
/// For how long a processor that may have acted is asked what became of it, before a late success is made impossible.
const DOUBT: Duration = Duration::from_secs(1_800);

/// How long a customer has at least who was sent on to the processor's page in the last moment.
const AWAY: Duration = Duration::from_secs(120);

/// What follows from an answer.
enum Verdict {
    /// The money moved.
    Fulfil(Fetched),
    /// The money did not move, and this attempt never will move it.
    Refuse {
        code: &'static str,
        /// Whether another card may.
        mendable: bool,
    },
    /// It is taken up again after a while.
    ComeBack { reason: &'static str, doubt: Doubt },
}

impl FetchInfo {
    /// Whether an attempt has been tried long enough: longer where it may have acted.
    pub(crate) fn is_tired(&self, request: &Request, attempt: &Attempt) -> bool {
        let now = self.clock.now();
        let mut begun = attempt.started_at;
        if let Some(onward) = &attempt.onward {
            let Some(returned_at) = onward.returned_at else {
                // A customer on the processor's page has until the deadline, and a moment in any case.
                let until = request.expires_at.max(onward.at.after(AWAY));
                return onward.recalled.is_some() || now > until;
            };
            // However long they were away: what they brought has just begun to be used.
            begun = Some(returned_at);
        }
        let (since, patience) = match begun {
            Some(begun_at) if attempt.in_doubt => (begun_at, DOUBT),
            Some(_) | None => (attempt.at, PATIENCE),
        };
        now > since.after(patience)
    }

    /// Records what a turn came to and takes the step that follows from it.
    pub(crate) async fn react(
        &self,
        loaded: VersionedRequest,
        seen: Seen<'_>,
        turn: Turn,
    ) -> Result<(), Trouble> {
        let (request, known) = (&loaded.request, seen.attempt);
        let id = request.id;
        let Some(attempt) = request.open_attempt().cloned() else { return Ok(()) };
        let said = match &turn {
            Turn::Answered(answer) => Some(Said::from(answer)),
            Turn::Untouched(_) => Some(Said::Refused),
            Turn::Shut(_) | Turn::Unusable(_) => None,
        };
        let mut shut = match (seen.asked, said) {
            (Some(asked), Some(said)) => self.learn(asked, said).await,
            (Some(_) | None, Some(_) | None) => None,
        };
        let mut verdict = match turn {
            Turn::Answered(answer) => verdict(request, answer),
            Turn::Untouched(reason) => Verdict::ComeBack { reason, doubt: Doubt::None },
            Turn::Shut(wait) => {
                shut = Some(wait);
                Verdict::ComeBack { reason: "processor_shut", doubt: Doubt::AsBefore }
            }
            Turn::Unusable(code) if attempt.started_at.is_none() => {
                Verdict::Refuse { code, mendable: false }
            }
            // The money may have moved, and nobody can say so until an operator mends the settings.
            Turn::Unusable(reason) => Verdict::ComeBack { reason, doubt: Doubt::Told },
        };
        let code = consent::transaction_code(self.random.as_ref());
        let mut kept = None;
        if let Verdict::Fulfil(fetched) = &verdict {
            kept = self.kept(request, fetched).await?;
            if kept.is_none() {
                // Charged already where it is a charge: only what an operator must mend stands between this and its end.
                verdict = Verdict::ComeBack { reason: "sealing_keys", doubt: Doubt::Told };
                if let Err(error) = self.secrets.refresh(&request.brand).await {
                    tracing::warn!(error = %error, "the brand's secret could not be read anew");
                }
            }
        }
        let (details, extra) = kept.unzip();
        let command = |request: &Request, now| match (&verdict, &details) {
            (Verdict::Fulfil(_), Some(details)) => {
                request.fulfilled(code.clone(), details.clone(), now)
            }
            (Verdict::Fulfil(_), None) => Err(Refusal::Step),
            (Verdict::Refuse { code, mendable }, _) => request.refused(code, *mendable, now),
            (Verdict::ComeBack { reason, doubt }, _) => {
                let overtaken = request.open_attempt().is_some_and(|now| is_news(known, now));
                let usual = if overtaken { Duration::ZERO } else { wait(attempt.tries) };
                let wait = shut.unwrap_or(usual);
                request.released(reason, *doubt, wait, now)
            }
        };
        let extra = extra.unwrap_or_default();
        let Some(stored) = self.step_with(loaded, command, extra).await? else { return Ok(()) };
        match verdict {
            Verdict::Fulfil(_) | Verdict::Refuse { .. } => {
                let state = stored.request.state_name();
                tracing::info!(request.id = %id, request.state = state, "an attempt is settled");
                Ok(())
            }
            Verdict::ComeBack { .. } => self.take_up_later(&stored, known.again_at).await,
        }
    }

    /// Sends the message for when the attempt is due again, unless the one for that moment was sent before.
    pub(crate) async fn take_up_later(
        &self,
        stored: &VersionedRequest,
        known: Option<Timestamp>,
    ) -> Result<(), Trouble> {
        let due = stored.request.open_attempt().and_then(|attempt| attempt.again_at);
        let Some(due) = due.filter(|due| Some(*due) != known) else { return Ok(()) };
        let wait = self.clock.now().until(due);
        Ok(send(self.queue.as_ref(), Step::Fetch, stored.request.id, wait).await?)
    }
}

/// Whether something was heard while a worker was at the processor, which it does not know of.
pub(crate) fn is_news(before: &Attempt, after: &Attempt) -> bool {
    let heard = |attempt: &Attempt| {
        let onward = attempt.onward.as_ref();
        let away = onward.map(|onward| (onward.returned_at, onward.recalled));
        (attempt.told.clone(), away.unwrap_or_default())
    };
    heard(before) != heard(after)
}

impl FetchInfo {
    /// What is told of what was fetched, and what is kept of it beside the request: a card on file for as long as it is
    /// wanted, facts for a while. `None` when it cannot be sealed, which an operator must mend.
    async fn kept(
        &self,
        request: &Request,
        fetched: &Fetched,
    ) -> Result<Option<(Details, Vec<Write>)>, Trouble> {
        match fetched {
            Fetched::Payment(receipt) => Ok(Some((Details::Payment(receipt.clone()), Vec::new()))),
            Fetched::Card { receipt, kept } => {
                let brand = self.secrets.brand(&request.brand).await?;
                let Some(sealed) = self.sealed(request, &brand, kept) else { return Ok(None) };
                let now = self.clock.now();
                let mut random = [0_u8; 10];
                self.random.fill(&mut random);
                let card = CardId::new(now, random);
                let item = SavedCard {
                    request: request.id,
                    processor: request.processor.clone(),
                    address: request.address.clone(),
                    sealed,
                    receipt: receipt.clone(),
                };
                let write = saved_cards::put(&request.brand, request.mode, card, &item)?;
                Ok(Some((Details::Card { card, receipt: receipt.clone() }, vec![write])))
            }
            Fetched::Claims { receipt, claims } => {
                let brand = self.secrets.brand(&request.brand).await?;
                let Some(sealed) = self.sealed(request, &brand, claims) else { return Ok(None) };
                let until = self.clock.now().after(brand.policy.claims_retention());
                let write = claims::put(request.id, &sealed, until)?;
                Ok(Some((Details::Claims(receipt.clone()), vec![write])))
            }
        }
    }
}

fn verdict(request: &Request, answer: Answer) -> Verdict {
    let back = |reason, doubt| Verdict::ComeBack { reason, doubt };
    match answer {
        Answer::Done(fetched) if is_exact(request, &fetched) => Verdict::Fulfil(fetched),
        Answer::Done(_) => {
            // Dynamic linking: what moved is not what was consented to. Nothing is told as success; a person must look.
            tracing::error!(request.id = %request.id, "the processor reports something else than was consented to");
            back("amount_differs", Doubt::Told)
        }
        Answer::Refused { code } => Verdict::Refuse { code, mendable: true },
        Answer::Declined { code } => Verdict::Refuse { code, mendable: false },
        // Nothing was begun yet that the customer could finish.
        Answer::NeedsCustomer { .. } | Answer::Exchanged(_) => {
            Verdict::Refuse { code: "authentication_required", mendable: true }
        }
        Answer::Invalid { code } => {
            tracing::error!(request.id = %request.id, code, "the processor calls the attempt invalid");
            Verdict::Refuse { code, mendable: false }
        }
        Answer::Fenced => Verdict::Refuse { code: "processor_unavailable", mendable: false },
        // An earlier call may have been made before the account was refused.
        Answer::Blocked { code } => back(code, Doubt::AsBefore),
        Answer::Again | Answer::NotExecuted => back("again", Doubt::AsBefore),
        Answer::Working => back("working", Doubt::AsBefore),
        Answer::Unknown if guards::is_disabled(Guard::UnknownIsNoDecline) => {
            Verdict::Refuse { code: "lost", mendable: true }
        }
        Answer::Unknown => back("unknown", Doubt::Told),
    }
}

/// Whether what the processor did is exactly what the customer said yes to.
fn is_exact(request: &Request, fetched: &Fetched) -> bool {
    match (&request.ask, fetched) {
        (Ask::Payment { money, .. }, Fetched::Payment(receipt)) => {
            receipt.amount == money.amount() && receipt.currency == money.currency().code()
        }
        (Ask::PaymentMethod { .. }, Fetched::Card { .. }) => true,
        (Ask::Identity { claims, .. }, Fetched::Claims { receipt, .. }) => receipt
            .released
            .iter()
            .all(|released| claims.iter().any(|claim| claim.as_str() == released)),
        (
            Ask::Payment { .. } | Ask::PaymentMethod { .. } | Ask::Identity { .. },
            Fetched::Payment(_) | Fetched::Card { .. } | Fetched::Claims { .. },
        ) => false,
    }
}

/// A quarter of the time they were away so far, 2 to 15 seconds; less often once they have been away for long.
pub(crate) fn wait_for_customer(away: Duration) -> Duration {
    let seconds = away.as_secs();
    Duration::from_secs(if seconds < 900 {
        (seconds / 4).clamp(2, 15)
    } else {
        (seconds / 15).min(300)
    })
}

/// 1, 2, 4 … seconds while somebody is on the line, then five minutes.
pub(crate) fn wait(tries: u32) -> Duration {
    let doublings = tries.saturating_sub(1).min(9);
    Duration::from_secs(1_u64 << doublings).min(Duration::from_secs(300))
}
