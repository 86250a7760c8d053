//! The AWS emulator of the contract tests. The tests of `sqs` and `secretsmanager` use this file too.

use std::sync::atomic::{AtomicU32, Ordering};

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_types::SdkConfig;
use aws_types::region::Region;

/// Returns the configuration of a client that calls the emulator.
#[expect(clippy::disallowed_methods, reason = "a test has no main to read its settings")]
pub(crate) fn config() -> SdkConfig {
    let Ok(endpoint) = std::env::var("AWS_ENDPOINT_URL") else {
        panic!(
            "contract tests need an AWS emulator: pip install 'ministack[full]', then \
             BIND_HOST=127.0.0.1 AWS_ENDPOINT_URL=http://127.0.0.1:4566 ministack, and run them with \
             AWS_ENDPOINT_URL=http://127.0.0.1:4566"
        );
    };
    let credentials = Credentials::new("test", "test", None, None, "test");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .endpoint_url(endpoint)
        .build()
}

/// Returns a name that no other run and no other test has.
#[expect(clippy::disallowed_methods, reason = "only time tells runs apart")]
pub(crate) fn unique() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{}-{}-{count}", std::process::id(), since.as_nanos())
}
