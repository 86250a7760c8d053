//! The secrets port on Secrets Manager.
//!
//! **Touches** the secrets whose names begin with the prefix it is given, and only reads them.
//! **Never** keeps a secret for longer than a minute, never logs or quotes one, never makes a client of its own.

mod memory;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueError;
use aws_types::SdkConfig;
use domain::brand::Brand;
use domain::ports::{Clock, Secrets, SecretsError};
use domain::values::name::BrandName;

use crate::memory::{Asked, Memory};

/// The brands' secrets, each under the prefix and the brand's name.
///
/// Readers of one brand share one call. A brand is remembered for a minute, a name that is no brand for ten seconds,
/// so that a stranger's guess costs one call and not one each time.
pub struct BrandSecrets {
    client: Client,
    prefix: String,
    clock: Arc<dyn Clock>,
    memory: Memory,
}

/// A secret is not what the README documents.
#[derive(Debug, thiserror::Error)]
enum Malformed {
    /// It is binary.
    #[error("the secret is not text")]
    Binary,
    /// It is the secret of a brand of another name.
    #[error("the secret names another brand than the one it is kept for")]
    Name,
}

impl BrandSecrets {
    /// The secrets `<prefix><brand>`, through the HTTP client that `config` carries.
    #[must_use]
    pub fn new(config: &SdkConfig, prefix: String, clock: Arc<dyn Clock>) -> Self {
        Self { client: Client::new(config), prefix, clock, memory: Memory::default() }
    }

    async fn load(&self, name: &BrandName, asked: Asked) -> Result<Arc<Brand>, SecretsError> {
        let slot = self.memory.slot(name, self.clock.now());
        // Held during the call, so that whoever comes meanwhile waits for its answer instead of making another.
        let mut slot = slot.lock().await;
        if let Some(remembered) = slot.recall(asked, self.clock.now()) {
            return remembered.ok_or(SecretsError::Unknown);
        }
        slot.asked(asked, self.clock.now());
        let fetched = self.fetch(name).await;
        match &fetched {
            Ok(brand) => slot.remember(Some(Arc::clone(brand)), self.clock.now()),
            Err(SecretsError::Unknown) => slot.remember(None, self.clock.now()),
            Err(SecretsError::Damaged(_) | SecretsError::Unavailable(_)) => {}
        }
        fetched
    }

    async fn fetch(&self, name: &BrandName) -> Result<Arc<Brand>, SecretsError> {
        let read = self.client.get_secret_value().secret_id(format!("{}{name}", self.prefix));
        let secret = match read.send().await {
            Ok(secret) => secret,
            Err(error) => {
                return Err(match error.as_service_error() {
                    // The second is a secret that was deleted and can still be restored.
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
        let text = secret
            .secret_string()
            .ok_or_else(|| SecretsError::Damaged(Malformed::Binary.into()))?;
        let brand = Brand::parse(text).map_err(|error| SecretsError::Damaged(error.into()))?;
        if brand.name == *name {
            Ok(Arc::new(brand))
        } else {
            Err(SecretsError::Damaged(Malformed::Name.into()))
        }
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
        self.load(name, Asked::Any).await
    }

    async fn refresh(&self, name: &BrandName) -> Result<Arc<Brand>, SecretsError> {
        self.load(name, Asked::Fresh).await
    }
}
