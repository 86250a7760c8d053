//! The contract tests of the secrets port, over Secrets Manager in an AWS emulator.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../../dynamodb/tests/emulator/mod.rs"]
mod emulator;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_secretsmanager::Client;
use domain::values::name::BrandName;
use domain::values::time::Timestamp;
use ports::contract_tests::secrets::{Keeping, brand_text};
use ports::{Clock, Secrets, SecretsError};
use secretsmanager::BrandSecrets;

use crate::emulator::{config, unique};

/// A clock that the test advances.
#[derive(Default)]
struct ManualClock(AtomicI64);

impl ManualClock {
    fn pass(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1000, Ordering::Relaxed);
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::Relaxed))
    }

    async fn wait(&self, _: Duration) {}
}

struct Fresh {
    client: Client,
    clock: Arc<ManualClock>,
    prefix: String,
    secrets: BrandSecrets,
}

impl Fresh {
    fn new() -> Self {
        let (config, prefix) = (config(), format!("tests/{}/", unique()));
        let clock = Arc::new(ManualClock::default());
        let same = Arc::<ManualClock>::clone(&clock);
        let secrets = BrandSecrets::new(&config, prefix.clone(), same);
        Self { client: Client::new(&config), clock, prefix, secrets }
    }

    async fn shown(&self, name: &BrandName) -> String {
        self.secrets.brand(name).await.unwrap().display_name.as_str().to_owned()
    }
}

#[async_trait]
impl Keeping for Fresh {
    fn secrets(&self) -> &dyn Secrets {
        &self.secrets
    }

    async fn keep(&self, name: &BrandName, text: &str) {
        let id = format!("{}{name}", self.prefix);
        let made = self.client.create_secret().name(&id).secret_string(text).send().await;
        if made.is_err() {
            self.client.put_secret_value().secret_id(id).secret_string(text).send().await.unwrap();
        }
    }

    async fn pass_a_minute(&self) {
        self.clock.pass(60);
    }
}

ports::secrets_contract_tests!(async { Fresh::new() });

#[tokio::test]
async fn consent_keys_come_from_their_own_secret() {
    let (fresh, name) = (Fresh::new(), "acme".parse().unwrap());
    fresh.keep(&name, &brand_text(&name, "Acme")).await;
    let prefix = format!("{}consent/", fresh.prefix);
    let clock: Arc<dyn Clock> = Arc::<ManualClock>::clone(&fresh.clock);
    let secrets = BrandSecrets::new(&config(), fresh.prefix.clone(), clock);
    let secrets = secrets.with_consent_keys(prefix.clone());
    assert!(secrets.brand(&name).await.unwrap().consent.is_none());

    let key = "oKGio6SlpqeoqaqrrK2ur7CxsrO0tba3uLm6u7y9vr8=";
    let text = |brand: &str| {
        format!(
            r#"{{"version":"1","name":"{brand}","consent":{{"current":"a","keys":{{"a":"{key}"}}}}}}"#
        )
    };
    let id = format!("{prefix}{name}");
    fresh.client.create_secret().name(&id).secret_string(text("acme")).send().await.unwrap();
    fresh.clock.pass(60);
    let keys = secrets.brand(&name).await.unwrap().consent.clone().unwrap();
    assert_eq!(keys.current, "a");
    assert!(fresh.secrets.brand(&name).await.unwrap().consent.is_none());

    fresh
        .client
        .put_secret_value()
        .secret_id(&id)
        .secret_string(text("other"))
        .send()
        .await
        .unwrap();
    fresh.clock.pass(60);
    // The last good keys stay in force. A function that starts now has none.
    assert!(secrets.brand(&name).await.unwrap().consent.is_some());
    let clock: Arc<dyn Clock> = Arc::<ManualClock>::clone(&fresh.clock);
    let started = BrandSecrets::new(&config(), fresh.prefix.clone(), clock);
    let started = started.with_consent_keys(prefix);
    assert!(matches!(started.brand(&name).await, Err(SecretsError::Damaged(_))));
}

#[tokio::test]
async fn rotation_is_seen_after_a_minute_without_a_refresh() {
    let (fresh, name) = (Fresh::new(), "acme".parse().unwrap());
    fresh.keep(&name, &brand_text(&name, "Before")).await;
    assert_eq!(fresh.shown(&name).await, "Before");
    fresh.keep(&name, &brand_text(&name, "After")).await;
    fresh.clock.pass(59);
    assert_eq!(fresh.shown(&name).await, "Before");
    fresh.clock.pass(1);
    assert_eq!(fresh.shown(&name).await, "After");
}

#[tokio::test]
async fn brand_created_after_a_miss_is_seen_after_ten_seconds() {
    let (fresh, name) = (Fresh::new(), "acme".parse().unwrap());
    assert!(matches!(fresh.secrets.brand(&name).await, Err(SecretsError::Unknown)));
    fresh.keep(&name, &brand_text(&name, "Acme")).await;
    assert!(matches!(fresh.secrets.brand(&name).await, Err(SecretsError::Unknown)));
    fresh.clock.pass(10);
    assert_eq!(fresh.shown(&name).await, "Acme");
}

#[tokio::test]
async fn secret_of_another_brand_is_damaged() {
    let (fresh, name) = (Fresh::new(), "acme".parse().unwrap());
    fresh.keep(&name, &brand_text(&"other".parse().unwrap(), "Other")).await;
    assert!(matches!(fresh.secrets.brand(&name).await, Err(SecretsError::Damaged(_))));
}
