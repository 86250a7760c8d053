//! The result of a delivery, at an endpoint or at a bus.

use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use domain::values::time::Timestamp;
use domain::webhook::{FailureReason, SentHeaders};
use http::{StatusCode, header};

/// How much is read of an endpoint's answer. Less of it is kept.
pub(super) const ANSWER_BYTES: usize = 1024;

/// The response of an endpoint or a bus to a delivery.
#[derive(Default)]
pub(super) struct DeliveryResult {
    pub(super) status: Option<StatusCode>,
    /// The beginning of its body.
    pub(super) body: Bytes,
    /// Why it failed; `None` where the event was taken.
    pub(super) reason: Option<FailureReason>,
    /// How long the endpoint asks to be left alone.
    pub(super) wait: Option<Duration>,
    /// What the call carried in its headers; `None` where none was made, and at a bus.
    pub(super) sent: Option<SentHeaders>,
}

impl DeliveryResult {
    pub(super) fn failed(reason: FailureReason) -> Self {
        Self { reason: Some(reason), ..Self::default() }
    }
}

/// Returns the wait that a busy endpoint asks for, in seconds or as a date; a day at most.
///
/// Source: RFC 9110, section 10.2.3.
pub(super) fn retry_after(answer: &http::Response<Bytes>, now: Timestamp) -> Option<Duration> {
    const WAIT_MAX: Duration = Duration::from_secs(86_400);
    let text = answer.headers().get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds).min(WAIT_MAX));
    }
    let date = httpdate::parse_http_date(text).ok()?.duration_since(UNIX_EPOCH).ok()?;
    let date = Timestamp::from_millis(i64::try_from(date.as_millis()).ok()?);
    Some(now.until(date).min(WAIT_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        // 2026-11-26T12:00:00Z, a Thursday.
        let now = Timestamp::from_millis(1_795_694_400_000);
        let wait = |text: &str| {
            let answer = http::Response::builder().header("retry-after", text);
            retry_after(&answer.body(Bytes::new()).unwrap(), now).map(|wait| wait.as_secs())
        };
        for (text, seconds) in [
            ("8", Some(8)),
            ("0", Some(0)),
            ("31536000", Some(86_400)),
            ("Thu, 26 Nov 2026 12:00:08 GMT", Some(8)),
            ("Thursday, 26-Nov-26 12:00:08 GMT", Some(8)),
            ("Thu Nov 26 12:00:08 2026", Some(8)),
            ("Thu, 26 Nov 2026 11:00:00 GMT", Some(0)),
            ("Fri, 26 Nov 2027 12:00:00 GMT", Some(86_400)),
            ("-1", None),
            ("1e99", None),
            ("tomorrow", None),
            ("", None),
        ] {
            assert_eq!(wait(text), seconds, "{text}");
        }
    }
}
