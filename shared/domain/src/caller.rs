//! The caller of one of our addresses, as the journal and the audit stream name it.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::api_key::KeyId;

/// A call from outside. The edge makes it, and believes no header of the caller about it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// The API key; `None` for a caller without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyId>,
    /// The id of the call, which its answer carries as `x-request-id`.
    pub call: String,
    /// The address that called; `None` where it is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<IpAddr>,
    /// What the customer's browser calls itself; `None` for a requester.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
}
