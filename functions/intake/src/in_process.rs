//! The calls of surfaces in the same process. They come with an authenticated requester, and with no headers.

use bytes::Bytes;
use domain::problem::Problem;
use http::Response;
use records::authentication::Requester;
use serde_json::{Value, json};

use crate::Intake;
use crate::accept::CREATE_PATH;
use crate::idempotency::CallKey;
use crate::operation::Operation;

impl Intake {
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

    /// Sends a request's prompt again, as [`Intake::resend`] does. Without a channel, the next one is used.
    ///
    /// # Errors
    /// A [`Problem`].
    pub async fn resend_as(
        &self,
        requester: &Requester,
        id: &str,
        channel: Option<&str>,
    ) -> Result<Response<Bytes>, Problem> {
        Operation::ResendRequest.require(requester)?;
        let body = channel.map_or_else(|| json!({}), |channel| json!({ "channel": channel }));
        self.resend_for(requester, id, body.to_string().as_bytes()).await
    }
}
