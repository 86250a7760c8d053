//! Answers that come back over a channel: taps, and payments made within it.
//!
//! Whatever is no answer (any more) is acknowledged and changes nothing: a provider would only repeat it.

use domain::authorization::Authorization;
use domain::consent::ApprovalMethod;
use domain::guards::{self, Guard};
use domain::journal::EntryKind;
use domain::outcome::{DenialReason, Outcome};
use domain::ports::{PromptRef, PromptSelector, Sender};
use domain::postback::{Action, Postback};
use domain::problem::Problem;
use domain::request::{Request, State};
use domain::storage;

use crate::ConsentCallback;
use crate::answer::{Answer, Given, Means, Unanswered};
use crate::callbacks::VerifiedWebhook;

impl ConsentCallback {
    /// A tap is believed for what its postback proves, and for nothing else.
    pub(crate) async fn tapped(
        &self,
        heard: VerifiedWebhook<'_>,
        postback: &str,
        from: &Sender,
    ) -> Result<(), Problem> {
        let named = self.named(heard, postback).await?;
        let own = |(tap, request): &(Postback, Request)| has_prompt(request, tap.reference, heard);
        let Some((tap, request)) = named.filter(own) else {
            tracing::info!(channel.name = %heard.channel, "a customer tapped something that is none of ours");
            return self.heard_of(heard, from).await;
        };
        if let Some(answer) = meant(&request, tap.action) {
            let PromptRef { request, prompt } = tap.reference;
            self.give(Given { request, prompt, method: ApprovalMethod::Tap }, &answer).await?;
        }
        self.learn(heard, request.mode, &request.address, from).await
    }

    /// A payment is a yes with its own authorization. `false` where it was not recorded.
    pub(crate) async fn paid(
        &self,
        heard: VerifiedWebhook<'_>,
        about: PromptSelector,
        authorization: Authorization,
    ) -> Result<bool, Problem> {
        let Some(reference) = self.prompt_of(about, heard).await? else { return Ok(false) };
        let PromptRef { request, prompt } = reference;
        let loaded = storage::load(self.store.as_ref(), request).await?;
        let own = loaded.is_some_and(|loaded| has_prompt(&loaded.request, reference, heard));
        if !own {
            return Ok(false);
        }
        let answer = Answer::Approve { session_code: None, means: Means::Paid(authorization) };
        match self.answer(Given { request, prompt, method: ApprovalMethod::Paid }, &answer).await {
            Ok(_) => Ok(true),
            Err(unanswered) if self.was_paid(reference).await? => {
                tracing::info!(request.id = %request, why = ?unanswered, "a payment was told again");
                Ok(true)
            }
            Err(Unanswered::Trouble(problem)) if passes(&problem) => Err(problem),
            Err(unanswered) => {
                tracing::info!(request.id = %request, why = ?unanswered, "a payment within a channel does not count");
                Ok(false)
            }
        }
    }

    /// Notes that somebody did something on a channel.
    async fn heard_of(&self, heard: VerifiedWebhook<'_>, from: &Sender) -> Result<(), Problem> {
        match self.address_of(heard, from).await? {
            Some(address) => self.learn(heard, heard.mode, &address, from).await,
            None => Ok(()),
        }
    }

    /// The request that a postback of ours names, if it is this brand's.
    pub(crate) async fn named(
        &self,
        heard: VerifiedWebhook<'_>,
        postback: &str,
    ) -> Result<Option<(Postback, Request)>, Problem> {
        let Some(read) = Postback::read(postback, &heard.brand.link_key) else { return Ok(None) };
        let loaded = storage::load(self.store.as_ref(), read.reference.request).await?;
        let own = loaded.filter(|loaded| loaded.request.brand == heard.brand.name);
        Ok(own.map(|loaded| (read, loaded.request)))
    }

    /// Gives an answer. One that does not count is acknowledged like any other.
    pub(crate) async fn give(&self, given: Given, answer: &Answer) -> Result<(), Problem> {
        match self.answer(given, answer).await {
            Ok(_) => Ok(()),
            Err(Unanswered::Trouble(problem)) if passes(&problem) => Err(problem),
            Err(unanswered) => {
                tracing::info!(request.id = %given.request, why = ?unanswered, "an answer over a channel does not count");
                Ok(())
            }
        }
    }

    /// Whether a yes to this prompt is the one in use or was used: a payment that is told twice was still made once.
    async fn was_paid(&self, reference: PromptRef) -> Result<bool, Problem> {
        let PromptRef { request, prompt } = reference;
        let Some(loaded) = storage::load(self.store.as_ref(), request).await? else {
            return Ok(false);
        };
        match &loaded.request.state {
            State::Pending | State::Prompted => Ok(false),
            State::Authorized { consent, .. } | State::Processing { consent, .. } => {
                Ok(consent.prompt == prompt)
            }
            State::Closed { outcome: Outcome::Fulfilled { .. }, .. } => {
                let events = storage::journal(self.store.as_ref(), request).await?;
                let granted = events.iter().rev().find_map(|event| {
                    let EntryKind::Approved { consent } = &event.what else { return None };
                    Some(consent.prompt)
                });
                Ok(granted == Some(prompt))
            }
            State::Closed { .. } => Ok(false),
        }
    }
}

/// What a tap answers, if anything: a tap on a button that opens a page never does, and a yes that needs the page cannot be
/// given without it.
pub(crate) fn meant(request: &Request, action: Action) -> Option<Answer> {
    let yes = |session_code| Answer::Approve { session_code, means: Means::Tap };
    match action {
        Action::Deny => Some(Answer::Deny(DenialReason::Customer)),
        Action::NotMe => Some(Answer::Deny(DenialReason::NotMe)),
        Action::Open if guards::is_disabled(Guard::OpenIsNoApproval) => {
            Some(yes(request.session_code.as_ref().map(|session| session.code.clone())))
        }
        Action::Open => None,
        Action::Approve | Action::Pick(_) if !request.by_tap => None,
        Action::Approve => Some(yes(None)),
        Action::Pick(place) => {
            let code = request.session_code.as_ref()?.choices.get(usize::from(place))?;
            Some(yes(Some(code.clone())))
        }
    }
}

/// Whether the prompt is one of the brand's and went over the channel that it came back on.
fn has_prompt(request: &Request, reference: PromptRef, heard: VerifiedWebhook<'_>) -> bool {
    let prompt = request.prompt(reference.prompt);
    request.brand == heard.brand.name
        && prompt.is_some_and(|prompt| prompt.channel == *heard.channel)
}

/// Whether the same answer given again may find what stands in its way gone.
const fn passes(problem: &Problem) -> bool {
    problem.code.facts().1 >= 500
}
