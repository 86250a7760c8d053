//! Acting on a request: cancel, extend, resend.

use std::sync::Mutex;
use std::time::Duration;

use bytes::Bytes;
use domain::message::Step;
use domain::problem::Problem;
use domain::request::{Change, Refusal, Request, State};
use domain::values::id::RequestId;
use domain::values::time::Timestamp;
use http::{HeaderMap, Response, StatusCode};
use records::authentication::Requester;
use records::effects;
use records::storage::VersionedRequest;
use records::update::{Decision, Updated, commit, update, update_async};

use crate::accept::locked;
use crate::channel_use::ChannelUse;
use crate::idempotency::{CallKey, KeyUse};
use crate::key_ceilings::require_channel;
use crate::operation::Operation;
use crate::routes::require_configured;
use crate::{Intake, absent, json, params, refusal_problem};

impl Intake {
    /// `POST /v1/requests/{id}/cancel`: `202` and a request that is still `processing` while the customer is on the processor's
    /// page. That page is made impossible to complete first. The request ends as `cancelled`, or as `fulfilled` if the
    /// customer was faster.
    ///
    /// # Errors
    /// A [`Problem`].
    pub async fn cancel(
        &self,
        headers: &HeaderMap,
        id: &str,
        body: &[u8],
    ) -> Result<Response<Bytes>, Problem> {
        let requester = self.requester(headers, Operation::CancelRequest).await?;
        params::nothing(body)?;
        self.cancel_for(&requester, id).await
    }

    /// Cancels a request of the requester's.
    pub(crate) async fn cancel_for(
        &self,
        requester: &Requester,
        id: &str,
    ) -> Result<Response<Bytes>, Problem> {
        self.act(requester, id, Request::cancel).await
    }

    /// `POST /v1/requests/{id}/extend`: moves the deadline.
    ///
    /// # Errors
    /// A [`Problem`].
    pub async fn extend(
        &self,
        headers: &HeaderMap,
        id: &str,
        body: &[u8],
    ) -> Result<Response<Bytes>, Problem> {
        let requester = self.requester(headers, Operation::ExtendRequest).await?;
        self.extend_for(&requester, id, body).await
    }

    /// Moves the deadline of a request of the requester's.
    pub(crate) async fn extend_for(
        &self,
        requester: &Requester,
        id: &str,
        body: &[u8],
    ) -> Result<Response<Bytes>, Problem> {
        let duration = params::extend(body, requester.mode)?;
        self.act(requester, id, |request, now| request.extend(duration, now)).await
    }

    /// `POST /v1/requests/{id}/resend`: counts as a prompt for the address, like the first one did.
    ///
    /// # Errors
    /// A [`Problem`].
    pub async fn resend(
        &self,
        headers: &HeaderMap,
        id: &str,
        body: &[u8],
    ) -> Result<Response<Bytes>, Problem> {
        let requester = self.requester(headers, Operation::ResendRequest).await?;
        self.resend_for(&requester, id, body, None).await
    }

    /// Sends the prompt of a request of the requester's again. With a key, it is sent once for the key.
    pub(crate) async fn resend_for(
        &self,
        requester: &Requester,
        id: &str,
        body: &[u8],
        key: Option<&CallKey>,
    ) -> Result<Response<Bytes>, Problem> {
        let channel = params::resend(body)?;
        if let Some(channel) = &channel {
            require_configured(requester, channel)?;
            require_channel(requester, channel)?;
        }
        let id: RequestId = id.parse().map_err(|_not_an_id| absent())?;
        let channel = channel.as_ref();
        let limits = Mutex::default();
        let left = &limits;
        let updated = update_async(&self.ports, id, |loaded, now| async move {
            if !requester.sees(&loaded.request) {
                return Ok::<_, Problem>(Decision::Stop(None));
            }
            let mut record = None;
            if let Some(key) = key {
                match key.look_up(self.ports.store.as_ref(), now).await? {
                    KeyUse::Repeat(_) => return Ok(Decision::Stop(Some(loaded))),
                    KeyUse::New(expect) => {
                        record = Some(key.remember(id, serde_json::Value::Null, expect, now)?);
                    }
                }
            }
            let request = loaded.request;
            let change = request.resend(channel, now).map_err(refusal_problem)?;
            if let Some(name) = channel {
                let channel_use = ChannelUse { session: request.session.kind, ask: &request.ask };
                channel_use.require(requester, name)?;
            }
            let next = change.request.routes.get(change.request.routes_used..).unwrap_or_default();
            self.require_no_opt_out(requester, next, &request).await?;
            let counted = self.count_prompt(requester, &request.address, None, now).await?;
            *locked(left) = counted.limits;
            let step = next_step(&change.request);
            let commit = commit(change).caused_by(&requester.caller);
            let writes = counted.writes.into_iter().chain(record);
            Ok(commit.with_writes(writes).then(step).with_recovery_check().into())
        });
        let shown = match updated.await? {
            Updated::Stored(stored) => stored,
            Updated::Stopped(Some(loaded)) => {
                // The first call may have died before it sent its step.
                let step = next_step(&loaded.request);
                effects::send(self.ports.queue.as_ref(), step, id, Duration::ZERO).await?;
                loaded
            }
            Updated::Stopped(None) | Updated::Absent => return Err(absent()),
        };
        let mut answer = shown_answer(&shown);
        locked(&limits).write(answer.headers_mut());
        Ok(answer)
    }

    /// Stores a decision and sends what follows from it, again if this is a repeat.
    async fn act(
        &self,
        requester: &Requester,
        id: &str,
        command: impl Fn(&Request, Timestamp) -> Result<Change, Refusal>,
    ) -> Result<Response<Bytes>, Problem> {
        let id: RequestId = id.parse().map_err(|_not_an_id| absent())?;
        let updated = update(&self.ports, id, |request, now| -> Result<_, Problem> {
            if !requester.sees(request) {
                return Ok(Decision::Stop(()));
            }
            let change = command(request, now).map_err(refusal_problem)?;
            let step = next_step(&change.request);
            Ok(commit(change).caused_by(&requester.caller).then(step).into())
        });
        answer(updated.await?)
    }
}

/// The step after an action: `fetch-info` goes on with what is at the processor, `send-prompt` with everything else.
const fn next_step(request: &Request) -> Step {
    if is_processing(request) { Step::Fetch } else { Step::Deliver }
}

const fn is_processing(request: &Request) -> bool {
    match &request.state {
        State::Processing { .. } => true,
        State::Pending | State::Prompted | State::Authorized { .. } | State::Closed { .. } => false,
    }
}

fn answer(updated: Updated<()>) -> Result<Response<Bytes>, Problem> {
    updated.stored().as_ref().map(shown_answer).ok_or_else(absent)
}

fn shown_answer(stored: &VersionedRequest) -> Response<Bytes> {
    let processing = is_processing(&stored.request);
    let status = if processing { StatusCode::ACCEPTED } else { StatusCode::OK };
    json(status, &domain::view::request(&stored.request, stored.version))
}
