//! The limits of prompts to one customer's address, and its opt-out.

use domain::guards;
use domain::guards::Guard;
use domain::problem::{Code, Problem};
use domain::rate_limits::RateLimits;
use domain::request::Request;
use domain::values::id::RequestId;
use domain::values::name::ChannelName;
use domain::values::time::Timestamp;
use ports::Write;
use records::authentication::Requester;
use records::brand_limit;
use records::brand_limit::BrandPrompt;
use records::limits;
use records::limits::{AddressLimits, LimitReached};
use records::opt_outs;
use records::storage;

use crate::Intake;

/// A new request that counts as open for its address until its deadline.
#[derive(Clone, Copy)]
pub(crate) struct OpenRequest<'a> {
    pub(crate) id: RequestId,
    pub(crate) expires_at: Timestamp,
    /// The keyed hash of what it asks for.
    pub(crate) same_ask: &'a str,
    /// Whether the same may be asked for while it is open already.
    pub(crate) allows_duplicate: bool,
}

/// A prompt that is counted once its writes are made.
pub(crate) struct CountedPrompt {
    /// The writes that count it.
    pub(crate) writes: Vec<Write>,
    /// What is left of the limits then.
    pub(crate) limits: RateLimits,
}

impl Intake {
    /// Counts one more prompt, for an address and for the brand. `open` is one more open request of the address.
    pub(crate) async fn count_prompt(
        &self,
        requester: &Requester,
        address: &str,
        open: Option<OpenRequest<'_>>,
        now: Timestamp,
    ) -> Result<CountedPrompt, Problem> {
        let scope = requester.scope();
        let (store, policy) = (self.ports.store.as_ref(), &requester.brand.policy);
        let (limits, base) = limits::load(store, scope, address).await?;
        let limits = match open {
            Some(open) => self.list_ask(requester, &limits, open, now).await?,
            None => limits,
        };
        let brands = brand_limit::count(store, scope, policy, now).await?;
        let quota = brands.as_ref().map(|brands| brands.quota);
        let rate_limits = |limits: &AddressLimits| {
            RateLimits(limits.quotas(policy, now).into_iter().chain(quota).collect())
        };
        let counted = match self.counted(requester, &limits, open, now).await {
            Ok(counted) => counted,
            Err(problem) => {
                return Err(Problem { rate_limits: Some(rate_limits(&limits)), ..problem });
            }
        };
        let mut writes = vec![limits::put(scope, address, &counted, base, now)?];
        match brands {
            Some(BrandPrompt { quota, write: None }) => {
                let detail = format!("the brand sent {} prompts in this hour", quota.most);
                return Err(Problem {
                    retry_after: Some(quota.reset.as_secs().saturating_add(1)),
                    rate_limits: Some(rate_limits(&limits)),
                    ..Problem::new(Code::BrandLimitReached, detail)
                });
            }
            Some(BrandPrompt { write: Some(write), .. }) => writes.push(write),
            None => {}
        }
        Ok(CountedPrompt { limits: rate_limits(&counted), writes })
    }

    /// Returns the limits with one more ask.
    ///
    /// Their write expects what was read. Of two calls for the same at once, one therefore decides again.
    async fn list_ask(
        &self,
        requester: &Requester,
        limits: &AddressLimits,
        new: OpenRequest<'_>,
        now: Timestamp,
    ) -> Result<AddressLimits, Problem> {
        let mut ended = Vec::new();
        if !new.allows_duplicate && !guards::is_disabled(Guard::NoDuplicateRequest) {
            for id in limits.same_asks(new.same_ask) {
                let loaded = storage::load(self.ports.store.as_ref(), id).await?;
                match loaded.map(|loaded| loaded.request) {
                    Some(request) if is_open(&request, now) => {
                        return Err(duplicate(requester, &request));
                    }
                    Some(_) | None => ended.push(id),
                }
            }
        }
        Ok(limits.with_ask(new.id, new.same_ask, &ended))
    }

    /// Returns the limits with one more prompt. At the limit of open requests, those that have ended are counted out first.
    async fn counted(
        &self,
        requester: &Requester,
        limits: &AddressLimits,
        open: Option<OpenRequest<'_>>,
        now: Timestamp,
    ) -> Result<AddressLimits, Problem> {
        let policy = &requester.brand.policy;
        let open = open.map(|open| (open.id, open.expires_at));
        let reached = match limits.ask(policy, open, now) {
            Ok(limits) => return Ok(limits),
            Err(LimitReached::Open) => LimitReached::Open,
            Err(
                reached @ (LimitReached::Cooldown { .. }
                | LimitReached::Reported { .. }
                | LimitReached::Prompts { .. }
                | LimitReached::Erasing),
            ) => {
                return Err(problem(reached, now));
            }
        };
        let mut ended = Vec::new();
        for (id, _) in limits.open.iter().filter(|(_, deadline)| *deadline > now) {
            let loaded = storage::load(self.ports.store.as_ref(), *id).await?;
            if loaded.is_none_or(|loaded| loaded.request.is_closed()) {
                ended.push(*id);
            }
        }
        if ended.is_empty() {
            return Err(problem(reached, now));
        }
        let limits = limits.without(&ended, now);
        limits.ask(policy, open, now).map_err(|reached| problem(reached, now))
    }

    /// Refuses an address that opted out of the brand's messages. A link that the requester shows is no message.
    ///
    /// An unsubscribed e-mail address counts where the routes have mail alone.
    pub(crate) async fn require_no_opt_out(
        &self,
        requester: &Requester,
        routes: &[ChannelName],
        request: &Request,
    ) -> Result<(), Problem> {
        let (brand, mode) = (&requester.brand, requester.mode);
        let (store, scope) = (self.ports.store.as_ref(), requester.scope());
        if routes.iter().all(|name| brand.is_link_channel(mode, name)) {
            return Ok(());
        }
        if opt_outs::is_opted_out(store, scope, &request.address).await? {
            let detail = "the customer opted out of this brand's messages";
            return Err(Problem::new(Code::AddressOptedOut, detail));
        }
        let only_mail = routes.iter().all(|name| brand.is_email_channel(mode, name));
        if let Some(address) = request.email_address(brand).filter(|_| only_mail)
            && opt_outs::is_opted_out(store, scope, &address).await?
        {
            let detail = "the reader of the e-mail address unsubscribed from this brand's mail";
            return Err(Problem::new(Code::AddressOptedOut, detail));
        }
        Ok(())
    }
}

/// Returns whether a request can still be fulfilled. One whose deadline has passed is about to be closed.
fn is_open(request: &Request, now: Timestamp) -> bool {
    let is_late = request.is_open_to_answers() && request.expires_at <= now;
    !request.is_closed() && !is_late
}

/// The problem of a request for what the customer is already asked for. A key that does not see that one learns no id.
fn duplicate(requester: &Requester, open: &Request) -> Problem {
    let detail = "the customer has an open request for the same; wait for its end or cancel it";
    let request = requester.sees(open).then(|| Box::new(open.id));
    Problem { request, ..Problem::new(Code::DuplicateOpenRequest, detail) }
}

/// The problem of a limit that is reached.
fn problem(reached: LimitReached, now: Timestamp) -> Problem {
    let (code, until) = match reached {
        LimitReached::Cooldown { until } => (Code::AddressInCooldown, Some(until)),
        LimitReached::Reported { until } => (Code::AddressReported, Some(until)),
        LimitReached::Prompts { until } => (Code::TooManyRequestsForAddress, Some(until)),
        LimitReached::Open => (Code::TooManyRequestsForAddress, None),
        LimitReached::Erasing => {
            return Problem::new(Code::CustomerBeingErased, reached.to_string());
        }
    };
    let mut problem = Problem::new(code, reached.to_string());
    problem.retry_after =
        Some(until.map_or(60, |until| now.until(until).as_secs().saturating_add(1)));
    problem
}
