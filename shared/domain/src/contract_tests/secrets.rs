//! The laws of [`Secrets`], told with a hand that changes what is kept.

use std::error::Error;

use async_trait::async_trait;

use crate::ports::{Secrets, SecretsError};
use crate::values::name::BrandName;

/// A fresh keeper of secrets that holds none yet, and the operator's hand in it.
#[async_trait]
pub trait Keeping: Send + Sync {
    /// The reading side.
    fn secrets(&self) -> &dyn Secrets;

    /// Puts `text` as the secret of the brand of that name, in place of the one before.
    async fn keep(&self, name: &BrandName, text: &str);
}

/// A brand's secret that can be read; `display_name` tells one version from another.
#[must_use]
pub fn brand_text(name: &BrandName, display_name: &str) -> String {
    let key = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
    format!(
        r#"{{"version":"1","name":"{name}","display_name":"{display_name}","keys":[],
           "sealing":{{"current":"k1","keys":{{"k1":"{key}"}}}},"address_key":"{key}","link_key":"{key}"}}"#
    )
}

fn name() -> BrandName {
    "acme".parse().unwrap()
}

/// What is kept is read.
pub async fn what_is_kept_is_read(keeper: &dyn Keeping) {
    keeper.keep(&name(), &brand_text(&name(), "Acme")).await;
    for _ in 0..2 {
        let brand = keeper.secrets().brand(&name()).await.unwrap();
        assert_eq!((brand.name.as_str(), brand.display_name.as_str()), ("acme", "Acme"));
    }
}

/// A refresh sees what is kept now, and so does every read after it.
pub async fn a_refresh_sees_the_rotation(keeper: &dyn Keeping) {
    keeper.keep(&name(), &brand_text(&name(), "Before")).await;
    assert_eq!(keeper.secrets().brand(&name()).await.unwrap().display_name.as_str(), "Before");
    keeper.keep(&name(), &brand_text(&name(), "After")).await;
    assert_eq!(keeper.secrets().refresh(&name()).await.unwrap().display_name.as_str(), "After");
    assert_eq!(keeper.secrets().brand(&name()).await.unwrap().display_name.as_str(), "After");
}

/// A brand that has no secret is told as unknown, however it is asked for.
pub async fn a_brand_without_a_secret_is_unknown(keeper: &dyn Keeping) {
    keeper.keep(&name(), &brand_text(&name(), "Acme")).await;
    let stranger = "stranger".parse().unwrap();
    for _ in 0..2 {
        assert!(matches!(keeper.secrets().brand(&stranger).await, Err(SecretsError::Unknown)));
        assert!(matches!(keeper.secrets().refresh(&stranger).await, Err(SecretsError::Unknown)));
    }
}

/// A text that is no secret is told as damaged, and nothing of it is quoted.
pub async fn a_damaged_secret_is_told_and_not_quoted(keeper: &dyn Keeping) {
    let text = brand_text(&name(), "Acme").replace("\"link_key\"", "\"sk_live_leaked\"");
    keeper.keep(&name(), &text).await;
    let error = keeper.secrets().brand(&name()).await.unwrap_err();
    assert!(matches!(error, SecretsError::Damaged(_)));
    let mut told = format!("{error:?} {error}");
    let mut source = error.source();
    while let Some(error) = source {
        told.push_str(&format!(" {error:?} {error}"));
        source = error.source();
    }
    assert!(!told.contains("leaked") && !told.contains("MDEy"), "{told}");
}

/// Stamps the laws of the secrets as tests over the keeper that `$fresh` makes.
#[macro_export]
macro_rules! secrets_contract_tests {
    ($fresh:expr) => {
        $crate::stamp_contract_tests! { secrets, $fresh;
            what_is_kept_is_read,
            a_refresh_sees_the_rotation,
            a_brand_without_a_secret_is_unknown,
            a_damaged_secret_is_told_and_not_quoted,
        }
    };
}
