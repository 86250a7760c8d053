//! The call of a webhook, `WebhookRequest` of the API v3 in JSON. Fields that are not needed are not read.
//!
//! <https://cloud.google.com/dialogflow/cx/docs/reference/rest/v3/WebhookRequest>, read 2026-11-26.

use serde::Deserialize;
use serde_json::{Map, Value};

/// A call of a webhook. Its parameters may hold a phone number, so it has no debug form.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WebhookRequest {
    pub(super) fulfillment_info: FulfillmentInfo,
    pub(super) session_info: SessionInfo,
    #[serde(default)]
    pub(super) language_code: Option<String>,
    /// What the integration adds, such as the caller's number.
    #[serde(default)]
    pub(super) payload: Value,
}

#[derive(Deserialize)]
pub(super) struct FulfillmentInfo {
    pub(super) tag: String,
}

#[derive(Deserialize)]
pub(super) struct SessionInfo {
    pub(super) session: String,
    #[serde(default)]
    pub(super) parameters: Option<Map<String, Value>>,
}
