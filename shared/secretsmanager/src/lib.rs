#![doc = include_str!("../README.md")]

mod cache;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueError;
use aws_types::SdkConfig;
use domain::brand::Brand;
use domain::brand_documents::Document;
use domain::values::name::BrandName;
use futures_util::future::join_all;
use ports::{Clock, Secrets, SecretsError};
use zeroize::Zeroizing;

use crate::cache::{Cache, Freshness};

/// The brands' secrets: each brand's document under the prefix and its name, and the other documents that this function reads.
///
/// Readers of one brand share one call. A brand is cached for a minute. A name without a brand is cached for ten seconds,
/// so that a stranger's repeated guess costs one call. A secret that is no brand's is logged, and the last good one stays in
/// force.
///
/// ```
/// # use std::{sync::Arc, time::Duration};
/// # struct SystemClock;
/// # #[async_trait::async_trait]
/// # impl ports::Clock for SystemClock {
/// #     fn now(&self) -> domain::values::time::Timestamp { domain::values::time::Timestamp::from_millis(0) }
/// #     async fn wait(&self, _: Duration) {}
/// # }
/// let config = aws_types::SdkConfig::builder()
///     .behavior_version(aws_sdk_secretsmanager::config::BehaviorVersion::latest())
///     .build();
/// let secrets: Box<dyn ports::Secrets> = Box::new(secretsmanager::BrandSecrets::new(
///     &config,
///     "assent/brand/".to_owned(),
///     Arc::new(SystemClock),
/// ));
/// ```
pub struct BrandSecrets {
    client: Client,
    prefix: String,
    documents: BTreeMap<Document, String>,
    clock: Arc<dyn Clock>,
    cache: Cache,
}

/// A secret is not the document of its brand.
#[derive(Debug, thiserror::Error)]
enum MalformedSecret {
    /// The secret is binary.
    #[error("secret is binary")]
    Binary,
    /// The document names another brand.
    #[error("secret names another brand")]
    BrandName,
    /// A document of the brand does not exist.
    #[error("secret {0} does not exist")]
    Absent(String),
}

impl BrandSecrets {
    /// Opens the secrets `<prefix><brand>`, with the HTTP client of `config`. It makes no call.
    #[must_use]
    pub fn new(config: &SdkConfig, prefix: String, clock: Arc<dyn Clock>) -> Self {
        let (client, cache) = (Client::new(config), Cache::default());
        Self { client, prefix, documents: BTreeMap::new(), clock, cache }
    }

    /// Also reads a document of each brand, from the secret `<prefix><brand>`. Only the functions that need it may read it.
    #[must_use]
    pub fn with_document(mut self, document: Document, prefix: String) -> Self {
        self.documents.insert(document, prefix);
        self
    }

    async fn load(
        &self,
        name: &BrandName,
        freshness: Freshness,
    ) -> Result<Arc<Brand>, SecretsError> {
        let slot = self.cache.slot(name, self.clock.now());
        // The lock is held during the call, so that concurrent readers wait for its answer.
        let mut slot = slot.lock().await;
        if let Some(cached) = slot.lookup(freshness, self.clock.now()) {
            return cached.ok_or(SecretsError::Unknown);
        }
        slot.record_call(freshness, self.clock.now());
        let fetched = self.fetch(name).await;
        match &fetched {
            Ok(brand) => slot.store(Some(Arc::clone(brand)), self.clock.now()),
            Err(SecretsError::Unknown) => slot.store(None, self.clock.now()),
            Err(SecretsError::Damaged(error)) => {
                let causes = ports::error_chain(error.as_ref());
                tracing::error!(brand.name = %name, error = causes, "brand's secret is invalid");
                if let Some(brand) = slot.last_good() {
                    slot.store(Some(Arc::clone(&brand)), self.clock.now());
                    return Ok(brand);
                }
            }
            Err(SecretsError::Unavailable(_)) => {}
        }
        fetched
    }

    async fn fetch(&self, name: &BrandName) -> Result<Arc<Brand>, SecretsError> {
        // A name without a brand costs this one call.
        let text = self.read(format!("{}{name}", self.prefix)).await?;
        let reads = self.documents.iter().map(|(document, prefix)| async move {
            let id = format!("{prefix}{name}");
            (document, self.read(id.clone()).await, id)
        });
        let mut others = BTreeMap::new();
        for (document, read, id) in join_all(reads).await {
            match read {
                Ok(text) => drop(others.insert(*document, text)),
                Err(SecretsError::Unknown) => {
                    return Err(SecretsError::Damaged(MalformedSecret::Absent(id).into()));
                }
                Err(error @ (SecretsError::Damaged(_) | SecretsError::Unavailable(_))) => {
                    return Err(error);
                }
            }
        }
        let brand = Brand::assemble(&text, &others);
        let brand = brand.map_err(|error| SecretsError::Damaged(error.into()))?;
        if brand.name != *name {
            return Err(SecretsError::Damaged(MalformedSecret::BrandName.into()));
        }
        if others.contains_key(&Document::Processors) {
            for setting in brand.unusable_settings() {
                tracing::error!(brand.name = %brand.name, setting, "setting of the brand's secret cannot be used");
            }
        }
        tracing::info!(target: ports::AUDIT, event = "settings_read", brand = %name, "settings read");
        Ok(Arc::new(brand))
    }

    /// Reads a secret's text.
    async fn read(&self, id: String) -> Result<Zeroizing<String>, SecretsError> {
        let read = self.client.get_secret_value().secret_id(id);
        let secret = match read.send().await {
            Ok(secret) => secret,
            Err(error) => {
                return Err(match error.as_service_error() {
                    // The second error is of a deleted secret that can still be restored.
                    Some(
                        GetSecretValueError::ResourceNotFoundException(_)
                        | GetSecretValueError::InvalidRequestException(_),
                    ) => SecretsError::Unknown,
                    Some(_) | None => {
                        SecretsError::Unavailable(error.into_source().unwrap_or_else(Into::into))
                    }
                });
            }
        };
        let text = secret.secret_string;
        let text = text.ok_or_else(|| SecretsError::Damaged(MalformedSecret::Binary.into()))?;
        Ok(Zeroizing::new(text))
    }
}

impl fmt::Debug for BrandSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BrandSecrets").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

#[async_trait]
impl Secrets for BrandSecrets {
    async fn brand(&self, name: &BrandName) -> Result<Arc<Brand>, SecretsError> {
        self.load(name, Freshness::Cached).await
    }

    async fn refresh(&self, name: &BrandName) -> Result<Arc<Brand>, SecretsError> {
        self.load(name, Freshness::Fresh).await
    }
}
