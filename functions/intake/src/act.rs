//! Acting on a request: cancel, extend, resend. Each decides again when somebody else committed first.

use bytes::Bytes;
use domain::caller::Requester;
use domain::effects::{self, EffectError};
use domain::limits;
use domain::message::Step;
use domain::ports::{StoreError, Write};
use domain::problem::{Code, Problem};
use domain::request::{Change, Refusal, Request, State};
use domain::storage::VersionedRequest;
use domain::values::name::ChannelName;
use http::{HeaderMap, Response, StatusCode};

use crate::accept::configured_channel;
use crate::{Intake, params, shown};

const RACES_MAX: u32 = 8;

impl Intake {
    /// `POST /v1/requests/{id}/cancel`: `202` and a request that is still `processing` while the customer is on the processor's
    /// page, which is made impossible to complete first; it ends as `cancelled`, or as `fulfilled` if they were faster.
    ///
    /// # Errors
    /// A [`Problem`].
    pub async fn cancel(
        &self,
        headers: &HeaderMap,
        id: &str,
        body: &[u8],
    ) -> Result<Response<Bytes>, Problem> {
        let requester = self.requester(headers).await?;
        params::nothing(body)?;
        self.decide(&requester, id, |request| request.cancel(self.clock.now())).await
    }

    /// `POST /v1/requests/{id}/extend`.
    ///
    /// # Errors
    /// A [`Problem`].
    pub async fn extend(
        &self,
        headers: &HeaderMap,
        id: &str,
        body: &[u8],
    ) -> Result<Response<Bytes>, Problem> {
        let requester = self.requester(headers).await?;
        let duration = params::extend(body, requester.mode)?;
        self.decide(&requester, id, |request| request.extend(duration, self.clock.now())).await
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
        let requester = self.requester(headers).await?;
        let channel = params::resend(body)?;
        if let Some(channel) = &channel {
            configured_channel(&requester, channel)?;
        }
        for _ in 0..RACES_MAX {
            let loaded = self.owned(&requester, id).await?;
            if let Some(answer) = self.resent(&requester, loaded, channel.as_ref()).await? {
                return Ok(answer);
            }
        }
        Err(Problem::overtaken())
    }

    async fn resent(
        &self,
        requester: &Requester,
        loaded: VersionedRequest,
        channel: Option<&ChannelName>,
    ) -> Result<Option<Response<Bytes>>, Problem> {
        let now = self.clock.now();
        let change = loaded.request.resend(channel, now).map_err(refused)?;
        let address = &loaded.request.address;
        self.not_opted_out(requester, address).await?;
        let brand = &requester.brand;
        let (limits, base) =
            limits::load(self.store.as_ref(), &brand.name, requester.mode, address).await?;
        let limits = self.counted(brand, &limits, None, now).await?;
        let counted = limits::put(&brand.name, requester.mode, address, (&limits, base), now)?;
        effects::schedule_recovery_check(self.queue.as_ref(), &loaded.request, now).await?;
        self.apply(loaded.version, change, vec![counted]).await
    }

    async fn decide(
        &self,
        requester: &Requester,
        id: &str,
        command: impl Fn(&Request) -> Result<Change, Refusal>,
    ) -> Result<Response<Bytes>, Problem> {
        for _ in 0..RACES_MAX {
            let loaded = self.owned(requester, id).await?;
            let change = command(&loaded.request).map_err(refused)?;
            if let Some(answer) = self.apply(loaded.version, change, Vec::new()).await? {
                return Ok(answer);
            }
        }
        Err(Problem::overtaken())
    }

    /// Stores a decision and hands over what follows from it, again if this is a repeat: to `send-prompt`, or to `fetch-info`
    /// what is at the processor already. `None` when somebody else committed first.
    async fn apply(
        &self,
        base: u64,
        change: Change,
        extra: Vec<Write>,
    ) -> Result<Option<Response<Bytes>>, Problem> {
        let ports = (self.store.as_ref(), self.queue.as_ref());
        let (status, step) = match &change.request.state {
            State::Processing { .. } => (StatusCode::ACCEPTED, Step::Fetch),
            State::Pending | State::Prompted | State::Authorized { .. } | State::Closed { .. } => {
                (StatusCode::OK, Step::Deliver)
            }
        };
        match effects::apply(ports, Some(base), change, extra, Some(step)).await {
            Ok(loaded) => Ok(Some(shown(status, &loaded))),
            Err(EffectError::Store(StoreError::Conflict)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// What a caller is told when a command does not apply.
pub(crate) fn refused(refusal: Refusal) -> Problem {
    let code = match refusal {
        Refusal::Late => Code::DeadlinePassed,
        Refusal::Closed
        | Refusal::Authorized
        | Refusal::Early
        | Refusal::Prompt
        | Refusal::Leased
        | Refusal::Step
        | Refusal::Limit => Code::ConflictState,
    };
    Problem::new(code, refusal.to_string())
}
