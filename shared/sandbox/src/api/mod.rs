//! The operations of Stripe's API over the ledger: one file for each kind of object, and here what they share.

use domain::values::time::Timestamp;
use serde_json::Value;

use crate::calls::{ApiCall, ApiError, ApiReply, StoredReply};
use crate::ids::{BodyDigest, id};
use crate::ledger::{Entry, Ledger, SandboxObject};

mod intents;
mod methods;
mod refunds;
pub(crate) mod sessions;
mod setups;

/// The stand-in for Stripe.
pub(crate) struct StandIn {
    pub(crate) ledger: Ledger,
}

impl StandIn {
    pub(crate) fn now(&self) -> Timestamp {
        self.ledger.clock.now()
    }

    /// Returns a new entry for an object.
    pub(crate) fn entry(&self, object: SandboxObject) -> Entry {
        let created_at = self.now();
        Entry { object, created_at, created: None, confirmed: None, version: 0 }
    }

    pub(crate) async fn read(&self, id: &str) -> Result<ApiReply, ApiError> {
        let Some(entry) = self.ledger.find(id).await? else { return Ok(ApiReply::missing()) };
        let body = self.shown(&entry.object, self.now()).await?;
        Ok(ApiReply::new(200, &body))
    }

    /// Returns Stripe's JSON at a time, with everything expanded.
    async fn shown(&self, object: &SandboxObject, now: Timestamp) -> Result<Value, ApiError> {
        Ok(match object {
            SandboxObject::Intent(intent) => intent.to_json(now),
            SandboxObject::Setup(setup) => {
                setup.to_json(self.method(&setup.method).await?.as_ref())
            }
            SandboxObject::Session(session) => self.session_json(session, now).await?,
            SandboxObject::Method(method) => method.to_json(None),
            SandboxObject::Customer(customer) => customer.to_json(),
            SandboxObject::Token(token) => token.to_json(),
        })
    }

    /// Creates an object once for each idempotency key.
    pub(crate) async fn creates(
        &self,
        call: &ApiCall<'_>,
        prefix: &str,
        make: impl FnOnce(String) -> Result<SandboxObject, ApiReply> + Send,
    ) -> Result<ApiReply, ApiError> {
        self.creates_with(call, prefix, None, make).await
    }

    /// Creates an object once for each idempotency key, and writes another entry with it.
    pub(crate) async fn creates_with(
        &self,
        call: &ApiCall<'_>,
        prefix: &str,
        also: Option<Entry>,
        make: impl FnOnce(String) -> Result<SandboxObject, ApiReply> + Send,
    ) -> Result<ApiReply, ApiError> {
        let id = id(prefix, call.key);
        let created = Some(BodyDigest::of(call.body));
        let before = self.ledger.read(&id).await?;
        let version = before.as_ref().map_or(0, |entry| entry.version);
        if let Some(entry) = before.filter(|entry| !entry.is_over(self.now())) {
            if entry.created != created {
                return Ok(ApiReply::key_reused());
            }
            let body = self.shown(&entry.object.at_first(), entry.created_at).await?;
            return Ok(ApiReply { replayed: true, ..ApiReply::new(200, &body) });
        }
        let object = match make(id) {
            Ok(object) => object,
            Err(answer) => return Ok(answer),
        };
        let entry = Entry { created, version, ..self.entry(object) };
        let all: Vec<&Entry> = std::iter::once(&entry).chain(&also).collect();
        self.ledger.write(&all).await?;
        let body = self.shown(&entry.object, entry.created_at).await?;
        Ok(ApiReply::new(200, &body))
    }

    /// Confirms an object once for each idempotency key, and may write another entry with it.
    ///
    /// `act` returns the confirmed object, or `None` for an invalid call, and the reply.
    pub(crate) async fn confirms(
        &self,
        call: &ApiCall<'_>,
        entry: Entry,
        also: Option<Entry>,
        act: impl FnOnce(&SandboxObject) -> (Option<SandboxObject>, ApiReply) + Send,
    ) -> Result<ApiReply, ApiError> {
        if entry.confirmed.as_ref().is_some_and(|told| told.key == call.key) {
            return Ok(replay(call, entry.confirmed));
        }
        let (object, answer) = act(&entry.object);
        // The reply to an invalid call is not stored.
        let Some(object) = object else { return Ok(answer) };
        let confirmed = Some(answer.stored_reply(call));
        let entry = Entry { object, confirmed, ..entry };
        let all: Vec<&Entry> = std::iter::once(&entry).chain(&also).collect();
        self.ledger.write(&all).await?;
        Ok(answer)
    }
}

/// Returns the stored reply to a key that came before.
fn replay(call: &ApiCall<'_>, told: Option<StoredReply>) -> ApiReply {
    match told {
        Some(told) if told.body == BodyDigest::of(call.body) => {
            ApiReply { status: told.status, body: told.answer, replayed: true }
        }
        Some(_) | None => ApiReply::key_reused(),
    }
}
