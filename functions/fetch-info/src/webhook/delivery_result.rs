//! The result of a delivery, at an endpoint or at a bus.

use std::time::Duration;

use bytes::Bytes;
use domain::webhook::FailureReason;
use http::StatusCode;

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
}

impl DeliveryResult {
    pub(super) fn failed(reason: FailureReason) -> Self {
        Self { reason: Some(reason), ..Self::default() }
    }
}
