//! Calls to Google in a service account's name, with a cached or a new access token, within a time limit.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use domain::values::time::Timestamp;
use http::header::{AUTHORIZATION, HeaderValue};
use http::{Request, Response, StatusCode};
use ports::{Clock, Http, HttpError, Reach, SendError};
use secrecy::{ExposeSecret, SecretString};

use super::account::{self, ServiceAccount};
use crate::answers;
use crate::tokens::{Tokens, Validity};

/// Makes calls in one account's name.
pub(super) struct Caller {
    pub(super) account: ServiceAccount,
    pub(super) tokens: Arc<Tokens>,
    pub(super) http: Arc<dyn Http>,
    pub(super) clock: Arc<dyn Clock>,
}

/// The time limit of a call, including the call for its token.
#[derive(Clone, Copy)]
struct Budget {
    started_at: Timestamp,
    limit: Duration,
}

/// The call for a token used up the time limit.
#[derive(Debug, thiserror::Error)]
#[error("time limit passed before the call")]
struct TimeLimitPassed;

/// The call for a token had no answer, so nothing was sent.
#[derive(Debug, thiserror::Error)]
#[error("failed to fetch an access token")]
struct NoToken(#[source] HttpError);

impl Caller {
    /// Makes a call and returns its answer of any status. A cached token that Google refuses is replaced once.
    ///
    /// # Errors
    ///
    /// [`SendError`] where there is no token or no answer.
    pub(super) async fn call(
        &self,
        call: Request<Bytes>,
        limit: Duration,
    ) -> Result<Response<Bytes>, SendError> {
        let budget = Budget { started_at: self.clock.now(), limit };
        let account = self.account.token_account();
        let Some(token) = self.tokens.usable(account, budget.started_at) else {
            let token = self.fetch_token(budget).await?;
            return self.call_with(&token, call, budget).await;
        };
        let answer = self.call_with(&token, call.clone(), budget).await?;
        if answer.status() != StatusCode::UNAUTHORIZED {
            return Ok(answer);
        }
        self.tokens.remove(account, &token);
        let token = self.fetch_token(budget).await?;
        self.call_with(&token, call, budget).await
    }

    async fn call_with(
        &self,
        token: &SecretString,
        mut call: Request<Bytes>,
        budget: Budget,
    ) -> Result<Response<Bytes>, SendError> {
        let Ok(mut bearer) = HeaderValue::try_from(format!("Bearer {}", token.expose_secret()))
        else {
            return Err(SendError::Misconfigured { reason: "credentials" });
        };
        bearer.set_sensitive(true);
        call.headers_mut().insert(AUTHORIZATION, bearer);
        let left = self.time_left(budget)?;
        self.http.call(call, Reach::Configured, left).await.map_err(answers::no_answer)
    }

    async fn fetch_token(&self, budget: Budget) -> Result<SecretString, SendError> {
        let now = self.clock.now();
        let Ok(call) = self.account.token_call(now) else {
            return Err(SendError::Misconfigured { reason: "settings" });
        };
        let answer = match self.http.call(call, Reach::Configured, self.time_left(budget)?).await {
            Ok(answer) => answer,
            Err(error @ HttpError::Lost(_)) => return Err(SendError::Again(NoToken(error).into())),
            Err(error @ (HttpError::Forbidden | HttpError::NotSent(_))) => {
                return Err(answers::no_answer(error));
            }
        };
        let granted = account::access_token(answer.status(), answer.body())?;
        let validity = Validity { now, until: now.after(Duration::from_secs(granted.seconds)) };
        self.tokens.insert(self.account.token_account(), granted.token.clone(), validity);
        Ok(granted.token)
    }

    fn time_left(&self, budget: Budget) -> Result<Duration, SendError> {
        let left = budget.limit.saturating_sub(budget.started_at.until(self.clock.now()));
        if left.is_zero() { Err(SendError::Again(TimeLimitPassed.into())) } else { Ok(left) }
    }
}
