//! The customer's answer: an approval with its evidence, or a denial.

use super::{Change, Refusal, Request, State, WebhookEventType};
use crate::consent::Consent;
use crate::guards;
use crate::guards::Guard;
use crate::journal::EntryKind;
use crate::outcome::{DenialReason, Outcome};
use crate::seal::Sealed;
use crate::values::id::PromptId;
use crate::values::time::Timestamp;

/// The result of comparing a session code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeCheck {
    /// The ask needs no code.
    NotAsked,
    /// The picked code is the agent's.
    Matched,
    /// No code was picked.
    Missing,
    /// Another code was picked.
    Wrong,
}

impl Request {
    /// Compares the picked code with the session code.
    #[must_use]
    pub fn check_code(&self, picked: Option<&str>) -> CodeCheck {
        match (&self.session_code, picked) {
            (None, _) => CodeCheck::NotAsked,
            (Some(_), None) if guards::is_disabled(Guard::SessionCodePresence) => {
                CodeCheck::Matched
            }
            (Some(_), None) => CodeCheck::Missing,
            (Some(session), Some(picked))
                if guards::is_disabled(Guard::SessionCodeMatch)
                    || crate::keys::same(&session.code, picked) =>
            {
                CodeCheck::Matched
            }
            (Some(_), Some(_)) => CodeCheck::Wrong,
        }
    }

    /// Records an approval. A second approval changes nothing.
    ///
    /// # Errors
    /// [`Refusal::Prompt`] when the prompt is not in force, or the approval is not to exactly this ask.
    /// [`Refusal::Late`], [`Refusal::Authorized`] or [`Refusal::Closed`].
    pub fn approve(
        &self,
        consent: Consent,
        sealed: Sealed,
        now: Timestamp,
    ) -> Result<Change, Refusal> {
        match &self.state {
            State::Pending | State::Prompted => {
                if !guards::is_disabled(Guard::ApprovalDeadline) {
                    self.answerable(now)?;
                }
                let known = self.prompt(consent.prompt).is_some_and(super::PromptRecord::in_force);
                let coded = consent.code_matched || self.session_code.is_none();
                if !known || !coded || consent.ask_hash != self.ask_hash {
                    return Err(Refusal::Prompt);
                }
                let channel = consent.channel.clone();
                let mut change = Change::of(self, now);
                change.request.state = State::Authorized { consent: consent.clone(), sealed };
                let (prompt, method) = (consent.prompt, consent.method);
                Ok(change
                    .with_timeline_entry("authorized", Some(&channel), None)
                    .with_entry(EntryKind::Approved { consent })
                    .with_webhook(WebhookEventType::Authorized)
                    .answered(prompt, method))
            }
            State::Authorized { .. } | State::Processing { .. } => Err(Refusal::Authorized),
            State::Closed { .. } => Err(Refusal::Closed),
        }
    }

    /// Records a denial. A repeat changes nothing.
    ///
    /// # Errors
    /// [`Refusal::Authorized`] after an approval; [`Refusal::Closed`] after another end.
    pub fn deny(
        &self,
        reason: DenialReason,
        prompt: Option<PromptId>,
        now: Timestamp,
    ) -> Result<Change, Refusal> {
        match &self.state {
            State::Authorized { .. } | State::Processing { .. }
                if !guards::is_disabled(Guard::NoDenialAfterApproval) =>
            {
                Err(Refusal::Authorized)
            }
            State::Pending
            | State::Prompted
            | State::Authorized { .. }
            | State::Processing { .. } => Ok(self
                .closed(Outcome::Denied { reason }, now)
                .with_entry(EntryKind::Denied { reason, prompt })
                .with_webhook(WebhookEventType::Denied)),
            State::Closed { outcome: Outcome::Denied { .. }, .. } => Ok(Change::of(self, now)),
            State::Closed { .. } => Err(Refusal::Closed),
        }
    }
}
