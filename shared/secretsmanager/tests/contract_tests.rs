//! The contract tests of the secrets port, over Secrets Manager in an AWS emulator.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../../dynamodb/tests/emulator/mod.rs"]
mod emulator;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_secretsmanager::Client;
use aws_types::SdkConfig;
use domain::brand_documents::Document;
use domain::values::name::BrandName;
use domain::values::time::Timestamp;
use ports::contract_tests::secrets::{SecretsAdmin, brand_text};
use ports::{Clock, Secrets, SecretsError};
use secretsmanager::BrandSecrets;
use serde_json::{Map, Value, json};

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

/// Reads the documents of a function that sends messages and moves money.
fn reader(config: &SdkConfig, prefix: &str, clock: Arc<dyn Clock>) -> BrandSecrets {
    BrandSecrets::new(config, format!("{prefix}brand/"), clock)
        .with_document(Document::Channels, format!("{prefix}channels/"))
        .with_document(Document::Processors, format!("{prefix}processors/"))
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
        let secrets = reader(&config, &prefix, same);
        Self { client: Client::new(&config), clock, prefix, secrets }
    }

    /// Stores a document of a brand, in place of the one before.
    async fn store(&self, document: &str, name: &BrandName, text: &str) {
        let id = format!("{}{document}/{name}", self.prefix);
        let made = self.client.create_secret().name(&id).secret_string(text).send().await;
        if made.is_err() {
            self.client.put_secret_value().secret_id(id).secret_string(text).send().await.unwrap();
        }
    }

    async fn shown(&self, name: &BrandName) -> String {
        self.secrets.brand(name).await.unwrap().display_name.as_str().to_owned()
    }
}

#[async_trait]
impl SecretsAdmin for Fresh {
    fn secrets(&self) -> &dyn Secrets {
        &self.secrets
    }

    /// Splits the text into the documents. A text that is no object is stored as it is.
    async fn keep(&self, name: &BrandName, text: &str) {
        let mut whole: Map<String, Value> = serde_json::from_str(text).unwrap_or_default();
        for (document, key) in [("channels", "link_key"), ("processors", "sealing")] {
            if let Some(value) = whole.remove(key) {
                let part = json!({ "version": "1", "name": whole.get("name"), key: value });
                self.store(document, name, &part.to_string()).await;
            }
        }
        let text = if whole.is_empty() { text.to_owned() } else { json!(whole).to_string() };
        self.store("brand", name, &text).await;
    }

    async fn pass_a_minute(&self) {
        self.clock.pass(60);
    }
}

ports::secrets_contract_tests!(async { Fresh::new() });

#[tokio::test]
async fn brand_without_one_of_its_documents_is_damaged() {
    let (fresh, name) = (Fresh::new(), "acme".parse().unwrap());
    let mut text: Value = serde_json::from_str(&brand_text(&name, "Acme")).unwrap();
    let link_key = text.as_object_mut().unwrap().remove("link_key").unwrap();
    fresh.keep(&name, &text.to_string()).await;
    let error = fresh.secrets.brand(&name).await.unwrap_err();
    let SecretsError::Damaged(source) = error else { panic!("{error}") };
    assert_eq!(source.to_string(), format!("secret {}channels/acme does not exist", fresh.prefix));
    let channels = |name: &str| json!({ "version": "1", "name": name, "link_key": link_key });
    fresh.store("channels", &name, &channels("acme").to_string()).await;
    assert!(fresh.secrets.brand(&name).await.unwrap().sealing.is_some());
    // The last good documents stay in force. A function that starts now has none.
    fresh.store("channels", &name, &channels("other").to_string()).await;
    fresh.clock.pass(60);
    assert!(fresh.secrets.brand(&name).await.is_ok());
    let clock: Arc<dyn Clock> = Arc::<ManualClock>::clone(&fresh.clock);
    let started = reader(&config(), &fresh.prefix, clock);
    assert!(matches!(started.brand(&name).await, Err(SecretsError::Damaged(_))));
}

#[tokio::test]
async fn function_without_a_document_reads_none_of_its_keys() {
    let (fresh, name) = (Fresh::new(), "acme".parse().unwrap());
    fresh.keep(&name, &brand_text(&name, "Acme")).await;
    let clock: Arc<dyn Clock> = Arc::<ManualClock>::clone(&fresh.clock);
    let intake = BrandSecrets::new(&config(), format!("{}brand/", fresh.prefix), clock);
    let (whole, part) = (fresh.secrets.brand(&name).await.unwrap(), intake.brand(&name).await);
    let part = part.unwrap();
    assert!(whole.sealing.is_some() && part.sealing.is_none());
    assert_ne!(whole.link_key.bytes(), part.link_key.bytes());
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
