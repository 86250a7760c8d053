//! The calls that every surface makes, as one key of a brand, over intake in this process.
//!
//! A surface turns its platform's words into these calls and their answers back. Only brief answers come out. So no link, no
//! claim, no name and no processor's message reaches a model or a contact flow.

mod brief;

use std::sync::Arc;

use bytes::Bytes;
use domain::api_key::{Right, Visibility};
use domain::problem::{Code, Problem};
use domain::values::name::BrandName;
use http::{HeaderMap, Response};
use intake::{Intake, RequestTimes};
use records::authentication;
use records::authentication::Requester;
use serde_json::Value;

pub use brief::{Brief, Route};

/// The calls of one authenticated caller.
pub struct Asking {
    intake: Arc<Intake>,
    requester: Requester,
}

impl Asking {
    /// Authenticates a caller by `Authorization: Bearer …`. The headers are stamped by [`records::caller::stamp`].
    ///
    /// # Errors
    /// A [`Problem`]: unauthenticated, or the secrets store is unavailable.
    pub async fn authenticate(intake: &Arc<Intake>, headers: &HeaderMap) -> Result<Self, Problem> {
        let ports = &intake.ports;
        let now = ports.clock.now();
        let secrets = ports.secrets.as_ref();
        let requester = authentication::authenticate(secrets, headers, now).await?;
        Ok(Self { intake: Arc::clone(intake), requester })
    }

    /// Authenticates a platform that invokes the function itself. It acts as the key of the brand that lists its ARN. `call` is the
    /// invocation's id.
    ///
    /// # Errors
    /// A [`Problem`]: no key in force lists the ARN, or the secrets store is unavailable.
    pub async fn for_platform(
        intake: &Arc<Intake>,
        brand: &BrandName,
        arn: &str,
        call: &str,
    ) -> Result<Self, Problem> {
        let ports = &intake.ports;
        let now = ports.clock.now();
        let secrets = ports.secrets.as_ref();
        let requester = authentication::by_caller(secrets, brand, arn, call, now).await?;
        Ok(Self { intake: Arc::clone(intake), requester })
    }

    /// Returns the same caller, who sees only what the key asked itself, even where its settings show it more.
    #[must_use]
    pub fn own_requests_only(mut self) -> Self {
        self.requester.key.sessions = Visibility::Own;
        self
    }

    /// Returns the caller, for what a surface keeps of it.
    #[must_use]
    pub const fn requester(&self) -> &Requester {
        &self.requester
    }

    /// Creates a request, once for `key`: the platform's own id of the call or of the step. A repeat answers alike.
    ///
    /// `body` is that of `POST /v1/requests`.
    ///
    /// # Errors
    /// A [`Problem`]; nothing was accepted, or the same call with the same key says what was.
    pub async fn create(&self, key: &str, body: &Value) -> Result<Brief, Problem> {
        // Without the right to read, the request would be made and its id lost.
        if !self.requester.key.has(Right::Read) {
            let detail = "the key lacks the right `read`".to_owned();
            let problem = Problem::new(Code::NotAllowedForKey, detail);
            return Err(Problem { limit: Some("may"), ..problem });
        }
        let created = self.intake.create_as(&self.requester, key, body).await?;
        self.read(&id_of(&created)?).await
    }

    /// Returns the times of a request.
    ///
    /// # Errors
    /// A [`Problem`].
    pub async fn times(&self, id: &str) -> Result<RequestTimes, Problem> {
        self.intake.times_as(&self.requester, id).await
    }

    /// Returns the id of the request that [`Asking::create`] made for `key` within a day. Where it made none, it never will.
    ///
    /// # Errors
    /// A [`Problem`].
    pub async fn withdraw(&self, key: &str) -> Result<Option<String>, Problem> {
        self.intake.withdraw_as(&self.requester, key).await
    }

    /// Reads a request.
    ///
    /// # Errors
    /// A [`Problem`].
    pub async fn read(&self, id: &str) -> Result<Brief, Problem> {
        self.wait(id, 0, None).await
    }

    /// Waits at most `seconds`, 0 to 20, for a version after `after`. Without `after`, for one after the present version.
    ///
    /// # Errors
    /// A [`Problem`].
    pub async fn wait(&self, id: &str, seconds: u64, after: Option<u64>) -> Result<Brief, Problem> {
        let answer = self.intake.brief_as(&self.requester, id, seconds, after).await?;
        decoded(&answer)
    }

    /// Cancels a request, and reads it.
    ///
    /// # Errors
    /// A [`Problem`].
    pub async fn cancel(&self, id: &str) -> Result<Brief, Problem> {
        self.intake.cancel_as(&self.requester, id).await?;
        self.read(id).await
    }

    /// Sends the prompt again over the named channel, or else over the next one, and reads the request. With a key, the prompt is
    /// sent once for the key: the platform's own id of the step.
    ///
    /// # Errors
    /// A [`Problem`].
    pub async fn resend(
        &self,
        id: &str,
        channel: Option<&str>,
        key: Option<&str>,
    ) -> Result<Brief, Problem> {
        self.intake.resend_as(&self.requester, id, channel, key).await?;
        self.read(id).await
    }

    /// Moves the deadline to `seconds` from now, and reads the request.
    ///
    /// # Errors
    /// A [`Problem`].
    pub async fn extend(&self, id: &str, seconds: u64) -> Result<Brief, Problem> {
        self.intake.extend_as(&self.requester, id, seconds).await?;
        self.read(id).await
    }

    /// Returns the channels that could reach a customer now, best first. `body` is that of `POST /v1/capabilities`.
    ///
    /// # Errors
    /// A [`Problem`].
    pub async fn routes(&self, body: &Value) -> Result<Vec<Route>, Problem> {
        let answer = self.intake.capabilities_as(&self.requester, body).await?;
        let mut answer: Value = decoded(&answer)?;
        let routes = answer.get_mut("routes").map(Value::take).unwrap_or_default();
        serde_json::from_value(routes).map_err(|error| unreadable(&error))
    }
}

fn id_of(created: &Response<Bytes>) -> Result<String, Problem> {
    let created: Value = decoded(created)?;
    Ok(created.get("id").and_then(Value::as_str).unwrap_or_default().to_owned())
}

fn decoded<T: serde::de::DeserializeOwned>(answer: &Response<Bytes>) -> Result<T, Problem> {
    serde_json::from_slice(answer.body()).map_err(|error| unreadable(&error))
}

fn unreadable(error: &serde_json::Error) -> Problem {
    tracing::error!(error = %error, "failed to read an answer of intake");
    Problem::new(Code::Internal, "failed to read an answer of intake")
}
