//! What is known of a customer on one channel from what they did there before.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::values::time::Timestamp;

/// What is known of a customer on one channel. Personal data: `Debug` shows nothing of it.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// The channel's own id for the customer, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handle: Option<String>,
    /// When the customer last wrote or tapped there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_inbound: Option<Timestamp>,
    /// What the customer's device can do, in the channel's own words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<String>,
}

impl fmt::Debug for Contact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Contact(…)")
    }
}
