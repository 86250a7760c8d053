//! Calls to Google in a service account's name: with a token that is kept, or a new one, and never longer than allowed.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use domain::ports::{Clock, Http, HttpError, Reach, SendError};
use domain::values::time::Timestamp;
use http::header::{AUTHORIZATION, HeaderValue};
use http::{Request, Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};

use super::account::{self, ServiceAccount};
use crate::answers;
use crate::tokens::Tokens;

/// Whoever calls.
pub(super) struct Caller {
    pub(super) account: ServiceAccount,
    pub(super) tokens: Arc<Tokens>,
    pub(super) http: Arc<dyn Http>,
    pub(super) clock: Arc<dyn Clock>,
}

/// How long everything together may take.
#[derive(Clone, Copy)]
struct Budget {
    began: Timestamp,
    within: Duration,
}

/// Fetching a token took all the time there was.
#[derive(Debug, thiserror::Error)]
#[error("no time is left for the call")]
struct TooLate;

/// No token came, so nothing was sent.
#[derive(Debug, thiserror::Error)]
#[error("no access token was fetched")]
struct NoToken(#[source] HttpError);

impl Caller {
    /// Makes a call and returns the answer, whatever its status. A token from before that is refused is replaced once.
    pub(super) async fn call(
        &self,
        call: Request<Bytes>,
        within: Duration,
    ) -> Result<Response<Bytes>, SendError> {
        let budget = Budget { began: self.clock.now(), within };
        let account = self.account.account();
        let Some(token) = self.tokens.usable(account, budget.began) else {
            let token = self.fetch(budget).await?;
            return self.bearing(&token, call, budget).await;
        };
        let answer = self.bearing(&token, call.clone(), budget).await?;
        if answer.status() != StatusCode::UNAUTHORIZED {
            return Ok(answer);
        }
        self.tokens.forget(account, &token);
        let token = self.fetch(budget).await?;
        self.bearing(&token, call, budget).await
    }

    async fn bearing(
        &self,
        token: &SecretString,
        mut call: Request<Bytes>,
        budget: Budget,
    ) -> Result<Response<Bytes>, SendError> {
        let Ok(mut bearer) = HeaderValue::try_from(format!("Bearer {}", token.expose_secret()))
        else {
            return Err(SendError::Person { reason: "credentials" });
        };
        bearer.set_sensitive(true);
        call.headers_mut().insert(AUTHORIZATION, bearer);
        let left = self.left(budget)?;
        self.http.call(call, Reach::Configured, left).await.map_err(answers::without)
    }

    async fn fetch(&self, budget: Budget) -> Result<SecretString, SendError> {
        let now = self.clock.now();
        let Ok(call) = self.account.call(now) else {
            return Err(SendError::Person { reason: "settings" });
        };
        let answer = match self.http.call(call, Reach::Configured, self.left(budget)?).await {
            Ok(answer) => answer,
            Err(error @ HttpError::Lost(_)) => return Err(SendError::Again(NoToken(error).into())),
            Err(error @ (HttpError::Forbidden | HttpError::NotSent(_))) => {
                return Err(answers::without(error));
            }
        };
        let granted = account::granted(answer.status(), answer.body())?;
        let until = now.after(Duration::from_secs(granted.seconds));
        self.tokens.keep(self.account.account(), granted.token.clone(), (now, until));
        Ok(granted.token)
    }

    fn left(&self, budget: Budget) -> Result<Duration, SendError> {
        let left = budget.within.saturating_sub(budget.began.until(self.clock.now()));
        if left.is_zero() { Err(SendError::Again(TooLate.into())) } else { Ok(left) }
    }
}
