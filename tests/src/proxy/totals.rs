//! The records that the stand-ins keep of their own work.

use http::Method;
use ports::HttpError;
use serde_json::Value;

use super::{IncomingCall, Proxy, lock};

impl Proxy {
    async fn read(&self, base: &str, path: String) -> Result<Value, HttpError> {
        let call = IncomingCall::own(Method::GET, path, &[]);
        Ok(self.state.forward(base, &call).await?.json())
    }

    /// Returns how many charges were made for what came through here.
    ///
    /// # Errors
    /// When a stand-in does not answer.
    pub async fn charges(&self) -> Result<usize, HttpError> {
        let intents = lock(&self.state.intents).clone();
        let mut charges = 0;
        for id in intents {
            let path = format!("/v1/payment_intents/{id}");
            let intent = self.read(&self.state.upstream, path).await?;
            let made = intent.pointer("/charges/data").and_then(Value::as_array);
            charges +=
                made.map_or(0, |made| made.iter().filter(|one| is(one, "succeeded")).count());
        }
        Ok(charges + self.sessions_paid(true).await?)
    }

    /// Returns how many cards were kept for what came through here.
    ///
    /// # Errors
    /// When a stand-in does not answer.
    pub async fn cards(&self) -> Result<usize, HttpError> {
        let setups: Vec<String> = lock(&self.state.setups).keys().cloned().collect();
        let mut cards = 0;
        for id in setups {
            cards += usize::from(self.state.setup_status(&id).await? == "succeeded");
        }
        Ok(cards + self.sessions_paid(false).await?)
    }

    /// Returns how many customers have been on a hosted page: to pay, or to leave a card.
    async fn sessions_paid(&self, for_money: bool) -> Result<usize, HttpError> {
        let sessions = lock(&self.state.sessions).clone();
        let mut paid = 0;
        for known in sessions.values().filter(|known| known.price.is_some() == for_money) {
            let path = format!("/v1/checkout/sessions/{}", known.id);
            let session = self.read(&self.state.checkout, path).await?;
            paid += usize::from(is(&session, "complete"));
        }
        Ok(paid)
    }

    /// Returns how much was refunded of what came through here, and in how many pieces.
    ///
    /// # Errors
    /// When a stand-in does not answer.
    pub async fn refunds(&self) -> Result<(u64, usize), HttpError> {
        let intents = lock(&self.state.intents).clone();
        let mut all = (0, 0);
        for id in intents {
            let path = format!("/v1/refunds?payment_intent={id}&limit=100");
            let list = self.read(&self.state.upstream, path).await?;
            for refund in list.get("data").and_then(Value::as_array).into_iter().flatten() {
                all.0 += refund.get("amount").and_then(Value::as_u64).unwrap_or_default();
                all.1 += 1;
            }
        }
        Ok(all)
    }
}

fn is(object: &Value, status: &str) -> bool {
    object.get("status").and_then(Value::as_str) == Some(status)
}
