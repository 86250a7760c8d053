//! `POST /v1/requests/{id}/refund`: gives money back, once for each idempotency key.

use std::time::Duration;

use bytes::Bytes;
use domain::caller::Requester;
use domain::effects::{self, EffectError};
use domain::guards::{self, Guard};
use domain::message::Step;
use domain::ports::{Expect, StoreError};
use domain::problem::{Code, Problem};
use domain::request::{Refusal, Request};
use domain::storage;
use domain::view;
use http::{HeaderMap, HeaderValue, Response, StatusCode};

use crate::act::refused;
use crate::idempotency::{CallKey, Known, Remembered};
use crate::params::{self, RefundParams};
use crate::{Intake, json};

const RACES_MAX: u32 = 8;
/// Longer than this call can take to write what the check ahead of it is to find.
const CALL_MAX: Duration = Duration::from_secs(60);

impl Intake {
    /// Takes the wish to give money back: `202` and the request, whose `refunds` say what becomes of it.
    ///
    /// # Errors
    /// A [`Problem`]; nothing is given back, or the same call with the same key says what is.
    pub async fn refund(
        &self,
        headers: &HeaderMap,
        id: &str,
        body: &[u8],
    ) -> Result<Response<Bytes>, Problem> {
        let requester = self.requester(headers).await?;
        let path = format!("/v1/requests/{id}/refund");
        let key = CallKey::read(headers, &requester, (&path, body))?;
        let params = params::refund(body)?;
        for _ in 0..RACES_MAX {
            let expect = match key.look_up(self.store.as_ref(), self.clock.now()).await? {
                Known::Same(remembered) => return self.refund_replayed(remembered).await,
                Known::New(expect) => expect,
            };
            match self.refund_once(&requester, id, &params, (&key, expect)).await? {
                Some(answer) => return Ok(answer),
                None => continue,
            }
        }
        Err(Problem::overtaken())
    }

    /// The same answer as then, and the same step owed: the first call may have died before it sent it.
    async fn refund_replayed(&self, remembered: Remembered) -> Result<Response<Bytes>, Problem> {
        if let Some(loaded) = storage::load(self.store.as_ref(), remembered.request).await? {
            for refund in loaded.request.open_refunds() {
                let step = Step::Refund { seq: refund.seq };
                effects::send(self.queue.as_ref(), step, loaded.request.id, Duration::ZERO).await?;
            }
        }
        let mut answer = json(StatusCode::ACCEPTED, &remembered.answer);
        answer.headers_mut().insert("idempotency-replayed", HeaderValue::from_static("true"));
        Ok(answer)
    }

    /// Records the refund, or `None` when another call committed first.
    async fn refund_once(
        &self,
        requester: &Requester,
        id: &str,
        params: &RefundParams,
        (key, expect): (&CallKey, Expect),
    ) -> Result<Option<Response<Bytes>>, Problem> {
        let loaded = self.owned(requester, id).await?;
        let now = self.clock.now();
        let change = loaded.request.refund(params.amount, params.reason.clone(), now);
        let change = change.map_err(|refusal| problem(refusal, &loaded.request, params))?;
        let request = &change.request;
        let seq = request.refunds.last().map_or(0, |refund| refund.seq);
        // Nobody checks on a request that has ended, until there is a refund to check on.
        if !guards::is_disabled(Guard::CheckBeforeRefund) {
            effects::send(self.queue.as_ref(), Step::Check, request.id, CALL_MAX).await?;
        }
        let answer = view::request(request, loaded.version.saturating_add(1));
        let remembered = key.remember(request.id, answer.clone(), expect, now)?;
        let ports = (self.store.as_ref(), self.queue.as_ref());
        let (base, step) = (Some(loaded.version), Some(Step::Refund { seq }));
        match effects::apply(ports, base, change, vec![remembered], step).await {
            Ok(_) => Ok(Some(json(StatusCode::ACCEPTED, &answer))),
            Err(EffectError::Store(StoreError::Conflict)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// Why money is not given back.
fn problem(refusal: Refusal, request: &Request, params: &RefundParams) -> Problem {
    let left = request.refundable();
    match refusal {
        Refusal::Limit if left < params.amount.unwrap_or(1) => {
            let detail = format!("{left} are left of the charge, in its minor unit");
            Problem::new(Code::RefundTooLarge, detail)
        }
        Refusal::Step => {
            Problem::new(Code::ConflictState, "nothing was charged that could be given back")
        }
        Refusal::Limit
        | Refusal::Closed
        | Refusal::Authorized
        | Refusal::Early
        | Refusal::Late
        | Refusal::Prompt
        | Refusal::Leased => refused(refusal),
    }
}
