//! The calls of surfaces in the same process. They come with an authenticated requester, and with no headers.

use bytes::Bytes;
use domain::problem::Problem;
use domain::values::time::Timestamp;
use http::Response;
use records::authentication::Requester;
use serde_json::{Value, json};

use crate::Intake;
use crate::accept::CREATE_PATH;
use crate::idempotency::CallKey;
use crate::operation::Operation;

/// The times of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestTimes {
    /// When it was created.
    pub created_at: Timestamp,
    /// When its timeline last went on.
    pub changed_at: Timestamp,
    /// Its deadline.
    pub expires_at: Timestamp,
    /// The seconds that it is kept after its end.
    pub retention_seconds: u64,
}

impl Intake {
    /// Returns the times of a request.
    ///
    /// # Errors
    /// A [`Problem`].
    pub async fn times_as(&self, requester: &Requester, id: &str) -> Result<RequestTimes, Problem> {
        Operation::ReadRequest.require(requester)?;
        let request = self.owned(requester, id).await?.request;
        Ok(RequestTimes {
            created_at: request.created_at,
            changed_at: request.timeline.last().map_or(request.created_at, |entry| entry.at),
            expires_at: request.expires_at,
            retention_seconds: request.retention_seconds,
        })
    }

    /// Accepts a request as [`Intake::create`] does, once for `key`.
    ///
    /// # Errors
    /// A [`Problem`]; nothing was accepted, or the same call with the same key says what was.
    pub async fn create_as(
        &self,
        requester: &Requester,
        key: &str,
        body: &Value,
    ) -> Result<Response<Bytes>, Problem> {
        Operation::CreateRequest.require(requester)?;
        let body = body.to_string();
        let key = CallKey::new(key, requester, CREATE_PATH, body.as_bytes())?;
        self.create_once(requester, &key, body.as_bytes()).await
    }

    /// Returns the id of the request that [`Intake::create_as`] made for `key` within a day. Where it made none, it never will.
    ///
    /// # Errors
    /// A [`Problem`].
    pub async fn withdraw_as(
        &self,
        requester: &Requester,
        key: &str,
    ) -> Result<Option<String>, Problem> {
        Operation::CancelRequest.require(requester)?;
        let key = CallKey::new(key, requester, CREATE_PATH, &[])?;
        let made = key.withdraw(&self.ports, self.ports.clock.now()).await?;
        Ok(made.map(|request| request.to_string()))
    }

    /// Reads a request in brief, as [`Intake::read`] does. `wait` is in seconds; `after` is the version that the caller knows.
    ///
    /// # Errors
    /// A [`Problem`].
    pub async fn brief_as(
        &self,
        requester: &Requester,
        id: &str,
        wait: u64,
        after: Option<u64>,
    ) -> Result<Response<Bytes>, Problem> {
        Operation::ReadRequest.require(requester)?;
        let after = after.map(|after| format!("&after={after}")).unwrap_or_default();
        self.read_for(requester, id, &format!("view=brief&wait={wait}{after}")).await
    }

    /// Answers which channels could reach a customer, as [`Intake::capabilities`] does.
    ///
    /// # Errors
    /// A [`Problem`].
    pub async fn capabilities_as(
        &self,
        requester: &Requester,
        body: &Value,
    ) -> Result<Response<Bytes>, Problem> {
        Operation::ReadCapabilities.require(requester)?;
        self.capabilities_for(requester, body.to_string().as_bytes()).await
    }

    /// Cancels a request, as [`Intake::cancel`] does.
    ///
    /// # Errors
    /// A [`Problem`].
    pub async fn cancel_as(
        &self,
        requester: &Requester,
        id: &str,
    ) -> Result<Response<Bytes>, Problem> {
        Operation::CancelRequest.require(requester)?;
        self.cancel_for(requester, id).await
    }

    /// Moves a request's deadline to `seconds` from now, as [`Intake::extend`] does.
    ///
    /// # Errors
    /// A [`Problem`].
    pub async fn extend_as(
        &self,
        requester: &Requester,
        id: &str,
        seconds: u64,
    ) -> Result<Response<Bytes>, Problem> {
        Operation::ExtendRequest.require(requester)?;
        let body = json!({ "expires_in": seconds }).to_string();
        self.extend_for(requester, id, body.as_bytes()).await
    }

    /// Sends a request's prompt again, as [`Intake::resend`] does. Without a channel, the next one is used. With a key, the prompt is
    /// sent once for the key, within a day.
    ///
    /// # Errors
    /// A [`Problem`].
    pub async fn resend_as(
        &self,
        requester: &Requester,
        id: &str,
        channel: Option<&str>,
        key: Option<&str>,
    ) -> Result<Response<Bytes>, Problem> {
        Operation::ResendRequest.require(requester)?;
        let body = channel.map_or_else(|| json!({}), |channel| json!({ "channel": channel }));
        let body = body.to_string();
        let path = format!("{CREATE_PATH}/{id}/resend");
        let key =
            key.map(|key| CallKey::new(key, requester, &path, body.as_bytes())).transpose()?;
        self.resend_for(requester, id, body.as_bytes(), key.as_ref()).await
    }
}
