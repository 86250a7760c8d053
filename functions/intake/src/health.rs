//! `GET /v1/health`: whether the brand's channels, processors and webhook endpoint work, by what is stored of them.
//!
//! No provider is called. The command `doctor` does that.

use std::collections::BTreeMap;

use bytes::Bytes;
use domain::problem::Problem;
use domain::statistics::{Day, DayCounts, ProcessorCounts, PromptFacts};
use domain::values::time::Timestamp;
use futures_util::future::join_all;
use http::{HeaderMap, Response, StatusCode};
use ports::{OpenChannelError, OpenProcessorError, StoreError};
use records::authentication::Requester;
use records::circuit_breaker::{CircuitBreaker, Open};
use records::endpoint_health;
use serde_json::{Value, json};

use crate::operation::Operation;
use crate::statistics::by_reason;
use crate::{Intake, json};

/// The days whose requests count, beside today.
const DAYS_BEFORE: i64 = 1;

impl Intake {
    /// `GET /v1/health`: the channels, processors and endpoint of the brand in the key's mode.
    ///
    /// # Errors
    /// A [`Problem`].
    pub async fn health(&self, headers: &HeaderMap) -> Result<Response<Bytes>, Problem> {
        let requester = self.requester(headers, Operation::ReadHealth).await?;
        let now = self.ports.clock.now();
        let today = Day::of(now);
        let first = today.after(-DAYS_BEFORE);
        let mut counts = DayCounts::default();
        for (_, of_day) in self.days(&requester, first, today).await? {
            counts.merge(&of_day);
        }
        let health = json!({
            "at": now,
            "since": first.begins_at(),
            "channels": self.channel_health(&requester, &counts),
            "processors": self.processor_health(&requester, &counts, now).await?,
            "webhooks": self.endpoint_health(&requester).await?,
            "findings": self.findings(&requester),
        });
        Ok(json(StatusCode::OK, &health))
    }

    fn channel_health(&self, requester: &Requester, counts: &DayCounts) -> Vec<Value> {
        let channels = requester.brand.setup(requester.mode).channels.iter();
        let health = channels.map(|channel| {
            let known = counts.channels.get(&channel.name).cloned().unwrap_or_default();
            let PromptFacts { sent, delivered, delivered_at, failed, failed_at } = known;
            json!({
                "name": channel.name,
                "kind": channel.kind,
                "sent": sent,
                "delivered": delivered,
                "failed": sum(&failed),
                "failures": by_reason(&failed),
                "last_delivered_at": delivered_at,
                "last_failed_at": failed_at,
            })
        });
        health.collect()
    }

    async fn processor_health(
        &self,
        requester: &Requester,
        counts: &DayCounts,
        now: Timestamp,
    ) -> Result<Vec<Value>, StoreError> {
        let (store, scope) = (self.ports.store.as_ref(), requester.scope());
        let processors = requester.brand.setup(requester.mode).processors.iter();
        let health = processors.map(|processor| async move {
            let open = CircuitBreaker::open_circuits(store, scope, &processor.name).await?;
            let circuits = open.iter().map(|(kind, open)| {
                json!({
                    "call": kind.map(|kind| kind.as_str()),
                    "state": circuit_state(open, now),
                    "until": open.until,
                    "refusals": open.failures,
                })
            });
            let known = counts.processors.get(&processor.name).cloned().unwrap_or_default();
            let ProcessorCounts { attempts, fulfilled, fulfilled_at, failed, failed_at } = known;
            Ok(json!({
                "name": processor.name,
                "kind": processor.kind,
                "attempts": attempts,
                "fulfilled": fulfilled,
                "failed": sum(&failed),
                "failures": by_reason(&failed),
                "last_fulfilled_at": fulfilled_at,
                "last_failed_at": failed_at,
                "circuits": circuits.collect::<Vec<_>>(),
            }))
        });
        join_all(health).await.into_iter().collect()
    }

    /// Returns the state of the endpoint; `None` where the mode has none, or events go to a bus alone.
    async fn endpoint_health(&self, requester: &Requester) -> Result<Option<Value>, StoreError> {
        let setup = requester.brand.setup(requester.mode).webhooks.as_ref();
        let Some(endpoint) = setup.filter(|endpoint| endpoint.url.is_some()) else {
            return Ok(None);
        };
        let key = endpoint_health::key(requester.scope());
        let known = endpoint_health::load(self.ports.store.as_ref(), &key).await?;
        // The record of an earlier address says nothing of this one.
        let digest = endpoint_health::url_digest(endpoint);
        let known = known.map(|(health, _)| health).filter(|health| health.url == digest);
        let state = match &known {
            None => "working",
            Some(health) if health.off_since.is_none() => "failing",
            Some(_) => "disabled",
        };
        Ok(Some(json!({
            "state": state,
            "failing_since": known.as_ref().map(|health| health.failing_since),
            "disabled_since": known.as_ref().and_then(|health| health.off_since),
        })))
    }

    /// Returns the settings that cannot be used. No value of a setting is in it.
    fn findings(&self, requester: &Requester) -> Vec<Value> {
        let (brand, mode) = (requester.brand.as_ref(), requester.mode);
        let setup = brand.setup(mode);
        let channels = setup.channels.iter().filter(|channel| {
            matches!(
                self.channels.open(brand, mode, &channel.name),
                Err(OpenChannelError::Settings(_))
            )
        });
        let processors = setup.processors.iter().filter(|processor| {
            matches!(
                self.processors.open(brand, mode, &processor.name),
                Err(OpenProcessorError::Settings(_))
            )
        });
        let of_this_mode = format!("{}.", mode.as_str());
        // The document with the secrets of webhooks has the keys that open authorizations too. Without it, nothing can tell.
        let has_secrets = brand.sealing.is_some();
        let unusable = brand.unusable_settings().into_iter().filter(|_| has_secrets);
        let settings = channels
            .map(|channel| format!("{of_this_mode}channels.{}", channel.name))
            .chain(processors.map(|one| format!("{of_this_mode}processors.{}", one.name)))
            .chain(unusable.filter(|path| path.starts_with(&of_this_mode)));
        settings.map(|setting| json!({ "code": "settings_invalid", "setting": setting })).collect()
    }
}

fn circuit_state(open: &Open, now: Timestamp) -> &'static str {
    match (open.probing, now < open.until) {
        (true, true) => "probing",
        (false, true) => "open",
        // The next call finds out whether the account accepts us again.
        (_, false) => "due",
    }
}

fn sum(counts: &BTreeMap<String, u64>) -> u64 {
    counts.values().fold(0, |sum, count| sum.saturating_add(*count))
}
