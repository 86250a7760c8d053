//! Handles a call: it breaks as planned, or is carried out, once for each key.

use std::convert::Infallible;
use std::time::Duration;

use http::Request;
use ports::{HttpError, Reach};

use super::{
    Answer, Call, ConnectionBroken, IncomingCall, ProxyFault, State, StoredAnswer,
    UPSTREAM_TIMEOUT, lock,
};

impl State {
    fn next_fault(&self, call: Call) -> Option<ProxyFault> {
        lock(&self.script).get_mut(&call)?.pop_front()
    }

    pub(super) async fn handle(&self, arrived: &IncomingCall) -> Result<Answer, ConnectionBroken> {
        let Some(fault) = self.next_fault(arrived.call) else {
            return self.keyed(arrived, None).await;
        };
        match fault {
            ProxyFault::DropBefore => Err(ConnectionBroken),
            ProxyFault::DropAfter => {
                self.keyed(arrived, None).await?;
                Err(ConnectionBroken)
            }
            ProxyFault::Silent => {
                self.keyed(arrived, None).await?;
                match std::future::pending::<Infallible>().await {}
            }
            ProxyFault::Slow(time) => {
                let answer = self.keyed(arrived, None).await;
                sleep(time).await;
                answer
            }
            ProxyFault::Late | ProxyFault::FailedAfter => self.keyed(arrived, Some(fault)).await,
            ProxyFault::GatewayAfter => {
                self.keyed(arrived, None).await?;
                Ok(Answer { body: "<html>502</html>".into(), ..Answer::error(502, "", None) })
            }
            ProxyFault::Locked => {
                Ok(Answer::error(409, "invalid_request_error", Some("idempotency_key_in_use")))
            }
            ProxyFault::Throttled => {
                Ok(Answer::error(429, "invalid_request_error", Some("rate_limit")))
            }
            ProxyFault::Twice => {
                self.keyed(arrived, None).await?;
                self.keyed(arrived, None).await
            }
        }
    }

    /// Carries a call out as Stripe does: once for each key.
    async fn keyed(
        &self,
        arrived: &IncomingCall,
        fault: Option<ProxyFault>,
    ) -> Result<Answer, ConnectionBroken> {
        let Some(key) = arrived.key() else { return self.act(arrived, fault).await };
        if let Some(answer) = self.known(&key, arrived) {
            return Ok(answer);
        }
        let answer = self.act(arrived, fault).await;
        let mut keys = lock(&self.keys);
        match &answer {
            Ok(answer) if answer.is_kept() => {
                if let Some(kept) = keys.get_mut(&key) {
                    kept.answer = Some(answer.clone());
                }
            }
            Ok(_) | Err(ConnectionBroken) => {
                keys.remove(&key);
            }
        }
        answer
    }

    /// Returns what is answered to a key that came before; binds one that did not.
    fn known(&self, key: &str, arrived: &IncomingCall) -> Option<Answer> {
        let call = (arrived.path_and_query.clone(), arrived.body.clone());
        let mut keys = lock(&self.keys);
        let Some(kept) = keys.get(key) else {
            keys.insert(key.to_owned(), StoredAnswer { call, answer: None });
            return None;
        };
        Some(match &kept.answer {
            _ if kept.call != call => Answer::error(400, "idempotency_error", None),
            Some(answer) => Answer { replayed: true, ..answer.clone() },
            None => Answer::error(409, "invalid_request_error", Some("idempotency_key_in_use")),
        })
    }

    /// Returns what the stand-in whose call it is makes of it.
    async fn carried_out(&self, arrived: &IncomingCall) -> Result<Answer, HttpError> {
        match arrived.call {
            Call::Token => Ok(self.token()),
            Call::PaymentMethod => self.payment_method(arrived).await,
            Call::Create => self.create(arrived).await,
            Call::SetupCreate => self.create_setup(arrived).await,
            Call::SetupConfirm => self.confirm_setup(arrived).await,
            Call::SetupRead => self.read_setup(arrived).await,
            Call::SetupCancel => self.cancel_setup(arrived).await,
            Call::Session => self.create_session(arrived).await,
            Call::SessionRead | Call::SessionExpire => self.about_session(arrived).await,
            Call::Detach
            | Call::MethodRead
            | Call::Customer
            | Call::Confirm
            | Call::Read
            | Call::Cancel
            | Call::Refund
            | Call::Refunds
            | Call::Other => self.forward(&self.upstream, arrived).await,
        }
    }

    async fn act(
        &self,
        arrived: &IncomingCall,
        fault: Option<ProxyFault>,
    ) -> Result<Answer, ConnectionBroken> {
        let is_late = fault == Some(ProxyFault::Late);
        if is_late && let Ok(permit) = self.held.acquire().await {
            permit.forget();
        }
        let answer = self.carried_out(arrived).await;
        lock(&self.acted).push(arrived.call);
        if is_late {
            self.released.add_permits(1);
        }
        let Ok(answer) = answer else { return Err(ConnectionBroken) };
        if fault == Some(ProxyFault::FailedAfter) {
            return Ok(Answer {
                should_retry: Some(false),
                ..Answer::error(500, "api_error", None)
            });
        }
        Ok(answer)
    }

    /// Hands a call on as it is.
    pub(super) async fn forward(
        &self,
        base: &str,
        arrived: &IncomingCall,
    ) -> Result<Answer, HttpError> {
        let mut request = Request::builder()
            .method(&arrived.method)
            .uri(format!("{base}{}", arrived.path_and_query));
        for name in [http::header::AUTHORIZATION, http::header::CONTENT_TYPE] {
            if let Some(value) = arrived.headers.get(&name) {
                request = request.header(name, value);
            }
        }
        let request =
            request.body(arrived.body.clone()).map_err(|error| HttpError::NotSent(error.into()))?;
        let response = self.http.call(request, Reach::Configured, UPSTREAM_TIMEOUT).await?;
        Ok(Answer {
            status: response.status().as_u16(),
            body: response.into_body(),
            replayed: false,
            should_retry: None,
        })
    }
}

#[expect(clippy::disallowed_methods, reason = "a slow answer takes time on the other side")]
async fn sleep(time: Duration) {
    tokio::time::sleep(time).await;
}
