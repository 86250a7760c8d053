//! The event of a Lambda block, as Connect documents it. Fields that are not needed are not read, since more come over time.
//!
//! <https://docs.aws.amazon.com/connect/latest/adminguide/connect-lambda-functions.html>, read 2026-11-26.

use serde::Deserialize;
use serde_json::{Map, Value};

/// An event of a flow. It holds a phone number, so it has no debug form.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ContactFlowEvent {
    pub(super) details: Details,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Details {
    pub(super) contact_data: ContactData,
    /// The parameters of the block. All are texts.
    #[serde(default)]
    pub(super) parameters: Option<Map<String, Value>>,
}

/// The contact: one call or chat.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ContactData {
    pub(super) contact_id: String,
    #[serde(rename = "InstanceARN")]
    pub(super) instance_arn: String,
    #[serde(default)]
    pub(super) channel: Option<String>,
    /// The customer; `None` for a task.
    #[serde(default)]
    pub(super) customer_endpoint: Option<Endpoint>,
    #[serde(default)]
    pub(super) language_code: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Endpoint {
    #[serde(default)]
    pub(super) address: Option<String>,
    #[serde(default, rename = "Type")]
    pub(super) kind: Option<String>,
}
