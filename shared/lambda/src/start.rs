//! Begins logging and makes the configuration of every AWS client.
//!
//! On Lambda the region and the role's credentials are in the environment. The SDK's chains look for them in profiles, SSO
//! and instance metadata as well. They would only make the binary larger and its first answer later, so none is used.

use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;
use ports::Http;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

use crate::metrics::MetricsLayer;
use crate::sdk_http::SdkHttp;
use crate::settings::{MissingSettings, environment, settings};

/// The time of one of at most three tries. Every function's time-out is several times as long as all three.
const ATTEMPT: Duration = Duration::from_secs(3);
const OPERATION: Duration = Duration::from_secs(10);

/// The longest response of AWS, in bytes. DynamoDB limits a page to 1 MB before it encodes it as JSON, which can double it.
pub(crate) const AWS_ANSWER_BYTES: usize = 4 * 1024 * 1024;

/// Begins logging, and makes the configuration that AWS clients are made from. All of them call through `http`.
///
/// Metrics are written in `metrics_namespace`; without one they are not.
///
/// # Errors
/// [`MissingSettings`] when Lambda did not set what it documents.
pub(crate) fn start(
    http: Arc<dyn Http>,
    metrics_namespace: Option<String>,
) -> Result<SdkConfig, MissingSettings> {
    log(metrics_namespace);
    let [region, key, secret] =
        settings(["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])?;
    let token = environment("AWS_SESSION_TOKEN");
    let credentials = Credentials::new(key, secret, token, None, "environment");
    let timeouts = TimeoutConfig::builder()
        .operation_attempt_timeout(ATTEMPT)
        .operation_timeout(OPERATION)
        .build();
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(SdkHttp::new(http, ATTEMPT))
        .retry_config(RetryConfig::standard())
        .sleep_impl(TokioSleep::new())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .timeout_config(timeouts);
    if let Some(url) = environment("AWS_ENDPOINT_URL") {
        config = config.endpoint_url(url);
    }
    Ok(config.build())
}

/// Returns the filter of the log. The audit stream is written at every level. Metrics have lines of their own.
fn filter(level: LevelFilter) -> Targets {
    Targets::new()
        .with_default(level)
        .with_target(ports::AUDIT, LevelFilter::INFO)
        .with_target(ports::METRICS, LevelFilter::OFF)
}

/// Begins logging: one JSON object a line on standard output, as Lambda's JSON log format takes it. The level comes from the
/// function's logging configuration.
fn log(metrics_namespace: Option<String>) {
    let level = environment("LOG_LEVEL").or_else(|| environment("AWS_LAMBDA_LOG_LEVEL"));
    let level = level.and_then(|level| level.parse().ok()).unwrap_or(LevelFilter::INFO);
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_filter(filter(level));
    let counted = Targets::new().with_target(ports::METRICS, LevelFilter::INFO);
    let metrics = metrics_namespace.map(MetricsLayer::new).map(|layer| layer.with_filter(counted));
    let begun = tracing_subscriber::registry().with(lines).with(metrics).try_init();
    if let Err(error) = begun {
        tracing::warn!(%error, "logging was already set up");
    }
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn audit_stream_is_written_at_every_level() {
        for level in [LevelFilter::ERROR, LevelFilter::OFF, LevelFilter::INFO] {
            let filter = filter(level);
            assert!(filter.would_enable(ports::AUDIT, &Level::INFO), "{level}");
            assert_eq!(filter.would_enable("intake", &Level::WARN), level >= LevelFilter::WARN);
            assert!(!filter.would_enable(ports::METRICS, &Level::INFO), "{level}");
        }
    }
}
