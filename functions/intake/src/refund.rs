//! `POST /v1/requests/{id}/refund`: gives money back, once for each idempotency key.

use std::time::Duration;

use bytes::Bytes;
use domain::guards;
use domain::guards::Guard;
use domain::message::Step;
use domain::problem::{Code, Problem};
use domain::request::{Refusal, Request};
use domain::values::id::RequestId;
use domain::values::time::Timestamp;
use domain::view;
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use ports::Expect;
use records::authentication::Requester;
use records::effects;
use records::storage;
use records::storage::VersionedRequest;
use records::update::{Commit, Decision, Updated, commit, update_async};

use crate::idempotency::{CallKey, IdempotencyRecord, KeyUse};
use crate::operation::Operation;
use crate::params::{self, RefundParams};
use crate::{CALL_MAX, Intake, absent, json, refusal_problem};

/// A call that has passed every check of its text.
#[derive(Clone, Copy)]
struct RefundCall<'a> {
    requester: &'a Requester,
    key: &'a CallKey,
    params: &'a RefundParams,
}

impl Intake {
    /// Records a refund to be made: `202` and the request, whose `refunds` say how it stands.
    ///
    /// # Errors
    /// A [`Problem`]; nothing is refunded, or the same call with the same key says what is.
    pub async fn refund(
        &self,
        headers: &HeaderMap,
        id: &str,
        body: &[u8],
    ) -> Result<Response<Bytes>, Problem> {
        let requester = self.requester(headers, Operation::RefundRequest).await?;
        let path = format!("/v1/requests/{id}/refund");
        let key = CallKey::read(headers, &requester, &path, body)?;
        let params = params::refund(body)?;
        let call = RefundCall { requester: &requester, key: &key, params: &params };
        let updated = match id.parse() {
            Ok(id) => self.record_refund(call, id).await?,
            Err(_not_an_id) => Updated::Absent,
        };
        match updated {
            Updated::Stored(stored) => {
                let answer = view::request(&stored.request, stored.version);
                Ok(json(StatusCode::ACCEPTED, &answer))
            }
            Updated::Stopped(Some(record)) => self.replay_refund(record).await,
            // The key outlives its request: a repeat is still answered.
            Updated::Stopped(None) | Updated::Absent => {
                match key.look_up(self.ports.store.as_ref(), self.ports.clock.now()).await? {
                    KeyUse::Repeat(record) => self.replay_refund(record).await,
                    KeyUse::New(_) => Err(absent()),
                }
            }
        }
    }

    /// Records the refund with its idempotency record. Stops with the record of an earlier call, or with `None` where the
    /// request is another brand's.
    async fn record_refund(
        &self,
        call: RefundCall<'_>,
        id: RequestId,
    ) -> Result<Updated<Option<IdempotencyRecord>>, Problem> {
        let decide = |loaded: VersionedRequest, now| async move {
            match call.key.look_up(self.ports.store.as_ref(), now).await? {
                KeyUse::Repeat(record) => Ok(Decision::Stop(Some(record))),
                KeyUse::New(_) if !call.requester.sees(&loaded.request) => Ok(Decision::Stop(None)),
                KeyUse::New(expect) => {
                    Ok(self.decide_refund(call, &loaded, expect, now).await?.into())
                }
            }
        };
        update_async(&self.ports, id, decide).await
    }

    async fn decide_refund(
        &self,
        call: RefundCall<'_>,
        loaded: &VersionedRequest,
        expect: Expect,
        now: Timestamp,
    ) -> Result<Commit, Problem> {
        let RefundCall { requester, key, params } = call;
        let change = loaded.request.refund(params.amount, params.reason.clone(), now);
        let change = change.map_err(|refusal| problem(refusal, &loaded.request, params))?;
        let request = &change.request;
        let seq = request.refunds.last().map_or(0, |refund| refund.seq);
        // A request that has ended has no check under way until there is a refund to check on.
        let queue = self.ports.queue.as_ref();
        if !guards::is_disabled(Guard::CheckBeforeRefund) {
            effects::send(queue, Step::Check, request.id, CALL_MAX).await?;
        }
        let answer = view::request(request, loaded.version.saturating_add(1));
        let record = key.remember(request.id, answer, expect, now)?;
        let commit = commit(change).caused_by(&requester.caller).with_writes([record]);
        Ok(commit.then(Step::Refund { seq }))
    }

    /// Answers as the first call was answered. Its step is sent again, because that call may have died before it sent it.
    async fn replay_refund(&self, record: IdempotencyRecord) -> Result<Response<Bytes>, Problem> {
        let (store, queue) = (self.ports.store.as_ref(), self.ports.queue.as_ref());
        if let Some(loaded) = storage::load(store, record.request).await? {
            for refund in loaded.request.open_refunds() {
                let step = Step::Refund { seq: refund.seq };
                effects::send(queue, step, loaded.request.id, Duration::ZERO).await?;
            }
        }
        let mut answer = json(StatusCode::ACCEPTED, &record.answer);
        answer.headers_mut().insert("idempotency-replayed", HeaderValue::from_static("true"));
        Ok(answer)
    }
}

/// The problem of a refund that does not apply.
fn problem(refusal: Refusal, request: &Request, params: &RefundParams) -> Problem {
    let left = request.refundable();
    match refusal {
        Refusal::Limit if left < params.amount.unwrap_or(1) => {
            let detail = format!(
                "{left} are left of the charge, in its minor unit; send an `amount` of at most that"
            );
            Problem::new(Code::RefundTooLarge, detail)
        }
        Refusal::Step => Problem::new(Code::ConflictState, "the request has no charge to refund"),
        Refusal::Limit
        | Refusal::Closed
        | Refusal::Authorized
        | Refusal::Early
        | Refusal::Late
        | Refusal::Prompt
        | Refusal::Leased => refusal_problem(refusal),
    }
}
