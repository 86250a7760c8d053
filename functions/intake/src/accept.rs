//! `POST /v1/requests`: accepts a request, once for each idempotency key.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use domain::ask::AskHash;
use domain::consent::SessionCode;
use domain::guards;
use domain::guards::Guard;
use domain::journal::HeldEntries;
use domain::message::Step;
use domain::problem::Problem;
use domain::rate_limits::RateLimits;
use domain::request::{Aftermath, Request, State};
use domain::values::id::RequestId;
use domain::values::name::ChannelName;
use domain::values::time::Timestamp;
use domain::{keys, view};
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use ports::{Expect, Ports, RequestLabels};
use records::authentication::Requester;
use records::circuit_breaker::{CallKind, CircuitBreaker};
use records::contact::ChannelScope;
use records::read_ahead::ReadAhead;
use records::storage;
use records::storage::VersionedRequest;
use records::update;
use records::update::{Commit, Created, Decision, commit};
use records::{brand_limit, capability, effects, key_usage, limits, opt_outs};

use crate::address_limits::OpenRequest;
use crate::idempotency::{CallKey, IdempotencyRecord, KeyUse};
use crate::key_ceilings;
use crate::number_policy;
use crate::operation::Operation;
use crate::params::{self, CreateRequestParams};
use crate::processor_routing::{RoutedAsk, SelectedProcessor};
use crate::{Intake, json};

/// The path that idempotency keys of new requests are for.
pub(crate) const CREATE_PATH: &str = "/v1/requests";

/// A call that has passed every check of its text.
#[derive(Clone, Copy)]
struct CreateCall<'a> {
    requester: &'a Requester,
    key: &'a CallKey,
    params: &'a CreateRequestParams,
    /// What is left of the limits, as the last decision counted.
    limits: &'a Mutex<RateLimits>,
}

/// The destination of a request, looked up before the request is made.
struct Destination {
    address: String,
    routes: Vec<ChannelName>,
    processor: SelectedProcessor,
}

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
        let requester = self.requester(headers, Operation::CreateRequest).await?;
        let key = CallKey::read(headers, &requester, CREATE_PATH, body)?;
        self.create_once(&requester, &key, body).await
    }

    /// Accepts a request, once for `key`.
    pub(crate) async fn create_once(
        &self,
        requester: &Requester,
        key: &CallKey,
        body: &[u8],
    ) -> Result<Response<Bytes>, Problem> {
        let params = params::request(body, requester)?;
        number_policy::require_allowed(requester, &params.customer.phone)?;
        key_ceilings::require_allowed(requester, &params.ask)?;
        let left = Mutex::default();
        let call = CreateCall { requester, key, params: &params, limits: &left };
        let created = update::create(&self.ports, |now| async move {
            let ahead = self.reading_ahead(call, now).await?;
            match call.key.look_up(ahead.ports.store.as_ref(), now).await? {
                KeyUse::Repeat(record) => Ok::<_, Problem>(Decision::Stop(record)),
                KeyUse::New(expect) => {
                    self.require_retry(call.requester, call.params).await?;
                    Ok(Box::pin(ahead.accept(call, expect, now)).await?.into())
                }
            }
        });
        match created.await? {
            Created::Stored(stored) => {
                let (id, brand) = (stored.request.id, &stored.request.brand);
                tracing::info!(request.id = %id, brand.name = %brand, "request accepted");
                let linked = match stored.request.routes.first() {
                    Some(first) => self.with_link(requester, id, first).await?,
                    None => None,
                };
                let shown =
                    linked.unwrap_or_else(|| view::request(&stored.request, stored.version));
                let mut answer = created_answer(id, &shown);
                locked(&left).write(answer.headers_mut());
                Ok(answer)
            }
            Created::Stopped(record) => self.replay(requester, record).await,
        }
    }

    /// Answers as the first call was answered. Its step is sent again, because that call may have died before it sent it.
    ///
    /// The record holds no link, so that the answer takes the link from the request as it is now.
    async fn replay(
        &self,
        requester: &Requester,
        record: IdempotencyRecord,
    ) -> Result<Response<Bytes>, Problem> {
        let queue = self.ports.queue.as_ref();
        effects::send(queue, Step::Deliver, record.request, Duration::ZERO).await?;
        let mut shown = record.answer;
        let loaded = storage::load(self.ports.store.as_ref(), record.request).await?;
        if let Some(VersionedRequest { request, .. }) = loaded {
            self.add_link(&mut shown, requester, &request, self.ports.clock.now());
        }
        let mut answer = created_answer(record.request, &shown);
        answer.headers_mut().insert("idempotency-replayed", HeaderValue::from_static("true"));
        Ok(answer)
    }

    /// Returns the same function, which has read in one call what decides on a new request.
    async fn reading_ahead(&self, call: CreateCall<'_>, now: Timestamp) -> Result<Self, Problem> {
        let CreateCall { requester, key, params, .. } = call;
        let (scope, mode) = (requester.scope(), requester.mode);
        let address = keys::address_hash(&requester.brand.address_key, &params.customer.phone);
        let mut ahead = vec![key.key().clone(), limits::key(scope, &address)];
        ahead.extend(opt_outs::keys(scope, &address));
        if requester.brand.policy.prompts_per_hour > 0 {
            ahead.push(brand_limit::key(scope, now));
        }
        if requester.key.is_counted() {
            ahead.push(key_usage::key(scope, &requester.key.id()));
        }
        let setup = requester.brand.setup(mode);
        let named = params.processor.as_ref();
        if let Some(name) = named.or(setup.processors.first().map(|setup| &setup.name)) {
            ahead.extend(CircuitBreaker::keys(scope, name, CallKind::of(&params.ask)));
        }
        if params.channels.is_none() && setup.channels.len() > 1 {
            let of = |channel| ChannelScope { brand: &requester.brand.name, mode, channel };
            let channels = setup.channels.iter().map(|setup| of(&setup.name));
            ahead.extend(channels.map(|at| capability::key(at, &address)));
        }
        let ahead = ReadAhead::load(&self.ports.store, ahead).await?;
        Ok(Self {
            ports: Ports { store: Arc::new(ahead), ..self.ports.clone() },
            channels: Arc::clone(&self.channels),
            processors: Arc::clone(&self.processors),
            public_base: self.public_base.clone(),
            desk: self.desk,
        })
    }

    /// Decides on a new request, with its address's limits and the idempotency record in the same transaction.
    async fn accept(
        &self,
        call: CreateCall<'_>,
        expect: Expect,
        now: Timestamp,
    ) -> Result<Commit, Problem> {
        let CreateCall { requester, key, params, limits: left } = call;
        let request = self.draft(requester, params, now).await?;
        let address = &request.address;
        self.require_no_opt_out(requester, &request.routes, &request).await?;
        let same_ask = keys::same_ask_hash(&requester.brand.address_key, &request.ask);
        let open = OpenRequest {
            id: request.id,
            expires_at: request.expires_at,
            same_ask: &same_ask,
            allows_duplicate: params.allow_duplicate,
        };
        let counted = self.count_prompt(requester, address, Some(open), now).await?;
        *locked(left) = counted.limits;
        let for_key = self.count_ask(requester, &params.ask, now).await?;
        let answer = view::request(&request, 1);
        let record = key.remember(request.id, answer, expect, now)?;
        let accepted = commit(request.accepted()).caused_by(&requester.caller);
        let writes = counted.writes.into_iter().chain([record]).chain(for_key);
        let accepted = accepted.with_writes(writes).then(Step::Deliver);
        if guards::is_disabled(Guard::CheckBeforeRequest) {
            return Ok(accepted);
        }
        Ok(accepted.with_recovery_check())
    }

    /// Makes a request that is not stored yet, with its routes and its processor.
    pub(crate) async fn draft(
        &self,
        requester: &Requester,
        params: &CreateRequestParams,
        now: Timestamp,
    ) -> Result<Request, Problem> {
        let address = keys::address_hash(&requester.brand.address_key, &params.customer.phone);
        let routes = self.routes(requester, params, &address, now).await?;
        let labels = RequestLabels { metadata: &params.metadata, session: &params.session.id };
        let routed = RoutedAsk {
            ask: &params.ask,
            processor: params.processor.as_ref(),
            address: &address,
            labels: Some(labels),
        };
        let processor = self.select_processor(requester, routed).await?;
        let destination = Destination { address, routes, processor };
        Ok(self.new_request(requester, params, destination, now))
    }

    fn new_request(
        &self,
        requester: &Requester,
        params: &CreateRequestParams,
        destination: Destination,
        now: Timestamp,
    ) -> Request {
        let Destination { address, routes, processor } = destination;
        let brand = &requester.brand;
        let random = self.ports.random.as_ref();
        let mut id = [0_u8; 10];
        random.fill(&mut id);
        let id = RequestId::new(now, id);
        let payee = brand.display_name.as_str().to_owned();
        let policy = &brand.policy;
        let entry = policy.session_code.entry(&params.ask);
        let life =
            params.expires_in.unwrap_or(Duration::from_secs(u64::from(policy.expires_in_seconds)));
        Request {
            id,
            brand: brand.name.clone(),
            mode: requester.mode,
            ask_hash: AskHash::of(id, &brand.name, &payee, &params.ask),
            payee,
            customer: params.customer.clone(),
            language: texts::used(params.customer.language.as_ref(), &brand.language),
            address,
            session: params.session.clone(),
            ask: params.ask.clone(),
            processor: processor.name,
            routes,
            routes_used: 0,
            session_code: entry.map(|entry| SessionCode::draw(random, entry)),
            by_tap: processor.by_tap,
            key: Some(requester.key.reference()),
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
            aftermath: Aftermath::default(),
            thread: Box::default(),
            entry: None,
            card: processor.card.map(Box::new),
            erased_at: None,
            timeline: Vec::new(),
            journal: HeldEntries::default(),
            entries: 0,
            chain: String::new(),
            webhooks: 0,
        }
    }
}

/// Locks what one call alone uses: no other holder can have failed.
pub(crate) fn locked(limits: &Mutex<RateLimits>) -> MutexGuard<'_, RateLimits> {
    limits.lock().unwrap_or_else(PoisonError::into_inner)
}

fn created_answer(id: RequestId, answer: &serde_json::Value) -> Response<Bytes> {
    let mut response = json(StatusCode::CREATED, answer);
    if let Ok(location) = HeaderValue::from_str(&format!("/v1/requests/{id}")) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}
