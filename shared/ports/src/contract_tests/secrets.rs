//! The contract tests of [`Secrets`], with an operator that changes the stored secrets.

use std::error::Error;

use async_trait::async_trait;

use super::logged::LogCapture;
use crate::{Secrets, SecretsError};
use domain::values::name::BrandName;

/// An empty secrets store with its operator.
#[async_trait]
pub trait SecretsAdmin: Send + Sync {
    /// The reading side.
    fn secrets(&self) -> &dyn Secrets;

    /// Stores `text` as the brand's secret, in place of the one before.
    async fn keep(&self, name: &BrandName, text: &str);

    /// Lets a minute pass, after which every cache is stale.
    async fn pass_a_minute(&self) {}
}

/// Returns a valid secret; `display_name` tells one version from another.
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

/// A stored secret is read.
pub async fn stored_secret_is_read(keeper: &dyn SecretsAdmin) {
    keeper.keep(&name(), &brand_text(&name(), "Acme")).await;
    for _ in 0..2 {
        let brand = keeper.secrets().brand(&name()).await.unwrap();
        assert_eq!((brand.name.as_str(), brand.display_name.as_str()), ("acme", "Acme"));
    }
}

/// A refresh reads the current secret, and so does every read after it.
pub async fn refresh_reads_the_rotated_secret(keeper: &dyn SecretsAdmin) {
    keeper.keep(&name(), &brand_text(&name(), "Before")).await;
    assert_eq!(keeper.secrets().brand(&name()).await.unwrap().display_name.as_str(), "Before");
    keeper.keep(&name(), &brand_text(&name(), "After")).await;
    assert_eq!(keeper.secrets().refresh(&name()).await.unwrap().display_name.as_str(), "After");
    assert_eq!(keeper.secrets().brand(&name()).await.unwrap().display_name.as_str(), "After");
}

/// A brand without a secret is unknown, to reads and refreshes.
pub async fn brand_without_a_secret_is_unknown(keeper: &dyn SecretsAdmin) {
    keeper.keep(&name(), &brand_text(&name(), "Acme")).await;
    let stranger = "stranger".parse().unwrap();
    for _ in 0..2 {
        assert!(matches!(keeper.secrets().brand(&stranger).await, Err(SecretsError::Unknown)));
        assert!(matches!(keeper.secrets().refresh(&stranger).await, Err(SecretsError::Unknown)));
    }
}

/// An invalid text is damaged, and the error quotes none of it.
pub async fn damaged_secret_is_reported_and_not_quoted(keeper: &dyn SecretsAdmin) {
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

/// A damaged text leaves the last good secret in force until the text is mended.
pub async fn damaged_secret_leaves_the_last_good_one(keeper: &dyn SecretsAdmin) {
    let secrets = keeper.secrets();
    keeper.keep(&name(), &brand_text(&name(), "Before")).await;
    assert_eq!(secrets.brand(&name()).await.unwrap().display_name.as_str(), "Before");
    for damaged in ["{", "{}"] {
        keeper.keep(&name(), damaged).await;
        keeper.pass_a_minute().await;
        assert_eq!(secrets.refresh(&name()).await.unwrap().display_name.as_str(), "Before");
        assert_eq!(secrets.brand(&name()).await.unwrap().display_name.as_str(), "Before");
    }
    let stranger = "stranger".parse().unwrap();
    assert!(matches!(secrets.brand(&stranger).await, Err(SecretsError::Unknown)));
    keeper.keep(&name(), &brand_text(&name(), "Mended")).await;
    keeper.pass_a_minute().await;
    let mended = secrets.refresh(&name()).await.unwrap();
    assert_eq!(mended.display_name.as_str(), "Mended");
}

/// Each damaged text is logged with its field and rule, at first and after a good one. No line quotes a value.
pub async fn damaged_secret_is_logged_by_field_and_rule(keeper: &dyn SecretsAdmin) {
    let good = brand_text(&name(), "Good");
    let key = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
    let cases = [
        (
            good.replace("\"keys\":[]", "\"keys\":[],\"sk_live_leaked\":1"),
            "unknown setting beside the known ones",
        ),
        (
            good.replace("\"keys\":[]", "\"keys\":[{\"mode\":\"leaked\"}]"),
            "setting `keys[0].mode` is invalid",
        ),
        (
            good.replace(&format!("\"address_key\":\"{key}\""), "\"address_key\":\"leaked\""),
            "setting `address_key` is invalid: a key is 32 bytes in base64",
        ),
    ];
    let (logged, _guard) = LogCapture::begin();
    let errors = || -> Vec<String> {
        logged.take().into_iter().filter(|line| line.starts_with("ERROR")).collect()
    };
    // At first there is no good one to keep, so that every read is refused.
    let (first, rule) = &cases[0];
    keeper.keep(&name(), first).await;
    assert!(matches!(keeper.secrets().brand(&name()).await, Err(SecretsError::Damaged(_))));
    assert_named(&errors(), rule);
    keeper.keep(&name(), &good).await;
    keeper.pass_a_minute().await;
    assert_eq!(keeper.secrets().brand(&name()).await.unwrap().display_name.as_str(), "Good");
    assert_eq!(errors(), Vec::<String>::new());
    for (damaged, rule) in &cases {
        keeper.keep(&name(), damaged).await;
        keeper.pass_a_minute().await;
        let brand = keeper.secrets().brand(&name()).await.unwrap();
        assert_eq!(brand.display_name.as_str(), "Good");
        assert_named(&errors(), rule);
    }
    keeper.keep(&name(), &brand_text(&name(), "Mended")).await;
    keeper.pass_a_minute().await;
    assert_eq!(keeper.secrets().brand(&name()).await.unwrap().display_name.as_str(), "Mended");
    assert_eq!(errors(), Vec::<String>::new());
}

fn assert_named(errors: &[String], rule: &str) {
    let [line] = errors else { panic!("one line is logged: {errors:?}") };
    assert!(line.contains(rule) && line.contains("acme"), "{line}");
    assert!(!line.contains("leaked") && !line.contains("MDEy"), "{line}");
}

/// Stamps the contract tests of the secrets over the store of `$fresh`.
#[macro_export]
macro_rules! secrets_contract_tests {
    ($fresh:expr) => {
        $crate::stamp_contract_tests! { secrets, $fresh;
            stored_secret_is_read,
            refresh_reads_the_rotated_secret,
            brand_without_a_secret_is_unknown,
            damaged_secret_is_reported_and_not_quoted,
            damaged_secret_leaves_the_last_good_one,
            damaged_secret_is_logged_by_field_and_rule,
        }
    };
}
