//! Adyen's wire format: what each call sends, and what its reply means.
//!
//! <https://github.com/Adyen/adyen-openapi>, Checkout v72, read 2026-11-23.

use domain::processor_result::Reference;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::amounts;
use super::reference::is_psp;
use super::transport::AdyenReply;

pub(super) mod hooks;
pub(super) mod links;
pub(super) mod payments;
pub(super) mod refunds;
pub(super) mod stored;

/// An amount in Adyen's minor units.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Amount {
    pub(super) value: u64,
    pub(super) currency: String,
}

impl Amount {
    /// Returns the amount in ISO minor units, and the currency's code; `None` where it cannot be converted.
    pub(super) fn iso(&self) -> Option<(u64, String)> {
        let (amount, currency) = amounts::from_adyen(self.value, &self.currency)?;
        Some((amount, currency.code().to_owned()))
    }

    fn json(&self) -> Value {
        json!({ "value": self.value, "currency": self.currency })
    }
}

/// Adyen's acknowledgement of a request whose result a webhook reports later.
#[derive(Deserialize)]
struct Acknowledgement {
    #[serde(rename = "pspReference")]
    psp: String,
    status: String,
}

/// Returns Adyen's id of an accepted cancellation, reversal or refund; `None` for every other reply.
pub(super) fn received(reply: &AdyenReply) -> Option<Reference> {
    let taken: Acknowledgement = serde_json::from_slice(&reply.body).ok()?;
    let fits = reply.status.is_success() && taken.status == "received" && is_psp(&taken.psp);
    fits.then_some(Reference(taken.psp))
}
