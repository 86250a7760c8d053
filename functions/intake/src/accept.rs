//! `POST /v1/requests`: accepts a request, once for each idempotency key.

use std::time::Duration;

use bytes::Bytes;
use domain::ask::{Ask, AskHash};
use domain::brand::Brand;
use domain::caller::Requester;
use domain::consent::SessionCode;
use domain::effects::{self, EffectError};
use domain::guards::{self, Guard};
use domain::limits::{self, AddressLimits, LimitReached};
use domain::message::Step;
use domain::ports::{Expect, StoreError};
use domain::problem::{Code, Problem};
use domain::request::{Request, State};
use domain::storage;
use domain::values::id::RequestId;
use domain::values::name::ChannelName;
use domain::values::time::Timestamp;
use domain::{keys, view};
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};

use crate::idempotency::{CallKey, Known, Remembered};
use crate::params::{self, CreateRequestParams};
use crate::processor_routing::SelectedProcessor;
use crate::{Intake, json};

/// How many times a call that lost a race decides again. Each loss means that another call went through.
const RACES_MAX: u32 = 8;

impl Intake {
    /// Accepts a request: `201`, its address and the request.
    ///
    /// # Errors
    /// A [`Problem`]; nothing was accepted, or the same call with the same key says what was.
    pub async fn create(
        &self,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Response<Bytes>, Problem> {
        let requester = self.requester(headers).await?;
        let key = CallKey::read(headers, &requester, ("/v1/requests", body))?;
        let params = params::request(body, requester.mode)?;
        for _ in 0..RACES_MAX {
            let expect = match key.look_up(self.store.as_ref(), self.clock.now()).await? {
                Known::Same(remembered) => return self.replayed(remembered).await,
                Known::New(expect) => expect,
            };
            match self.accept(&requester, &key, &params, expect).await? {
                Some(answer) => return Ok(answer),
                None => continue,
            }
        }
        Err(Problem::new(
            Code::TemporaryReducedCapacity,
            "too many calls for this customer at once",
        ))
    }

    /// The same answer as then, and the same step owed: the first call may have died before it sent it.
    async fn replayed(&self, remembered: Remembered) -> Result<Response<Bytes>, Problem> {
        effects::send(self.queue.as_ref(), Step::Deliver, remembered.request, Duration::ZERO)
            .await?;
        let mut answer = created(remembered.request, &remembered.answer);
        answer.headers_mut().insert("idempotency-replayed", HeaderValue::from_static("true"));
        Ok(answer)
    }

    /// Accepts what is wanted, or `None` when another call committed first.
    async fn accept(
        &self,
        requester: &Requester,
        key: &CallKey,
        params: &CreateRequestParams,
        expect: Expect,
    ) -> Result<Option<Response<Bytes>>, Problem> {
        let now = self.clock.now();
        let brand = &requester.brand;
        let address = keys::address_hash(&brand.address_key, &params.customer.phone);
        let routes = self.routes(requester, params.channels.as_deref(), (&address, now)).await?;
        let selected = self.select_processor(requester, &params.ask, &address).await?;
        let request = self.begin(requester, params, (selected, address, routes), now)?;
        self.not_opted_out(requester, &request.address).await?;
        let (limits, base) =
            limits::load(self.store.as_ref(), &brand.name, requester.mode, &request.address)
                .await?;
        let opened = Some((request.id, request.expires_at));
        let limits = self.counted(brand, &limits, opened, now).await?;
        let at = (&brand.name, requester.mode, request.address.clone());
        let counted = limits::put(at.0, at.1, &at.2, (&limits, base), now)?;
        if !guards::is_disabled(Guard::CheckBeforeRequest) {
            effects::schedule_recovery_check(self.queue.as_ref(), &request, now).await?;
        }
        let id = request.id;
        let answer = view::request(&request, 1);
        let remembered = key.remember(id, answer.clone(), expect, now)?;
        let extra = vec![counted, remembered];
        let ports = (self.store.as_ref(), self.queue.as_ref());
        match effects::apply(ports, None, request.accepted(), extra, Some(Step::Deliver)).await {
            Ok(_) => {
                tracing::info!(request.id = %id, brand.name = %brand.name, "accepted a request");
                Ok(Some(created(id, &answer)))
            }
            Err(EffectError::Store(StoreError::Conflict)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Counts one more prompt for an address, after looking which of its requests have ended.
    pub(crate) async fn counted(
        &self,
        brand: &Brand,
        limits: &AddressLimits,
        request: Option<(RequestId, Timestamp)>,
        now: Timestamp,
    ) -> Result<AddressLimits, Problem> {
        let refused = match limits.ask(&brand.policy, request, now) {
            Ok(limits) => return Ok(limits),
            Err(LimitReached::Open) => LimitReached::Open,
            Err(refused @ (LimitReached::Cooldown { .. } | LimitReached::Prompts { .. })) => {
                return Err(limited(refused, now));
            }
        };
        let mut ended = Vec::new();
        for (id, _) in limits.open.iter().filter(|(_, deadline)| *deadline > now) {
            let loaded = storage::load(self.store.as_ref(), *id).await?;
            if loaded.is_none_or(|loaded| loaded.request.is_closed()) {
                ended.push(*id);
            }
        }
        if ended.is_empty() {
            return Err(limited(refused, now));
        }
        limits
            .without(&ended, now)
            .ask(&brand.policy, request, now)
            .map_err(|refused| limited(refused, now))
    }

    pub(crate) async fn not_opted_out(
        &self,
        requester: &Requester,
        address: &str,
    ) -> Result<(), Problem> {
        let key = storage::stop_key(&requester.brand.name, address);
        if self.store.read(&key).await?.is_some() {
            return Err(Problem::new(
                Code::AddressOptedOut,
                "the customer opted out of this brand's messages",
            ));
        }
        Ok(())
    }

    fn begin(
        &self,
        requester: &Requester,
        params: &CreateRequestParams,
        (selected, address, routes): (SelectedProcessor, String, Vec<ChannelName>),
        now: Timestamp,
    ) -> Result<Request, Problem> {
        let brand = &requester.brand;
        let mut random = [0_u8; 10];
        self.random.fill(&mut random);
        let id = RequestId::new(now, random);
        let payee = brand.display_name.as_str().to_owned();
        let policy = &brand.policy;
        let life =
            params.expires_in.unwrap_or(Duration::from_secs(u64::from(policy.expires_in_seconds)));
        let coded = policy.session_code && matches!(params.ask, Ask::Payment { .. });
        Ok(Request {
            id,
            brand: brand.name.clone(),
            mode: requester.mode,
            ask_hash: AskHash::of(id, &brand.name, &payee, &params.ask),
            payee,
            customer: params.customer.clone(),
            address,
            session: params.session.clone(),
            ask: params.ask.clone(),
            processor: selected.processor,
            routes,
            routes_used: 0,
            session_code: coded.then(|| SessionCode::draw(self.random.as_ref())),
            by_tap: selected.by_tap,
            metadata: params.metadata.clone(),
            notify: brand.setup(requester.mode).webhooks.is_some(),
            fallback_seconds: params.fallback_seconds.unwrap_or(policy.fallback_seconds).max(5),
            attempts_max: policy.attempts_max,
            retention_seconds: policy.retention().as_secs(),
            created_at: now,
            expires_at: now.after(life),
            customer_extended: false,
            state: State::Pending,
            prompts: Vec::new(),
            attempts: Vec::new(),
            refunds: Vec::new(),
            timeline: Vec::new(),
            entries: 0,
            chain: String::new(),
            webhooks: 0,
        })
    }

    /// The channels to try: those asked for, or all the brand has, best first.
    async fn routes(
        &self,
        requester: &Requester,
        params: Option<&[ChannelName]>,
        (address, now): (&str, Timestamp),
    ) -> Result<Vec<ChannelName>, Problem> {
        let mut routes: Vec<ChannelName> = Vec::new();
        match params {
            None => routes = self.in_order(requester, address, now).await?,
            Some(params) => {
                for name in params {
                    configured_channel(requester, name)?;
                    if !routes.contains(name) {
                        routes.push(name.clone());
                    }
                }
            }
        }
        if routes.is_empty() {
            let detail = "the brand has no channel in this mode";
            return Err(Problem::new(Code::ChannelNotConfigured, detail));
        }
        routes.truncate(8);
        Ok(routes)
    }
}

/// Whether the brand has a channel of that name.
pub(crate) fn configured_channel(requester: &Requester, name: &ChannelName) -> Result<(), Problem> {
    let configured = &requester.brand.setup(requester.mode).channels;
    if configured.iter().any(|channel| channel.name == *name) {
        return Ok(());
    }
    Err(Problem::new(
        Code::ChannelNotConfigured,
        format!("the brand has no channel named {name} in this mode"),
    ))
}

fn created(id: RequestId, answer: &serde_json::Value) -> Response<Bytes> {
    let mut response = json(StatusCode::CREATED, answer);
    if let Ok(location) = HeaderValue::from_str(&format!("/v1/requests/{id}")) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

/// The problem of a limit that is reached.
pub(crate) fn limited(limited: LimitReached, now: Timestamp) -> Problem {
    let mut problem = Problem::new(Code::TooManyRequestsForAddress, limited.to_string());
    let until = match limited {
        LimitReached::Cooldown { until } | LimitReached::Prompts { until } => Some(until),
        LimitReached::Open => None,
    };
    problem.retry_after =
        Some(until.map_or(60, |until| now.until(until).as_secs().saturating_add(1)));
    problem
}
