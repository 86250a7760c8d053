//! What settings say of wallets on the page, whichever processor their tokens go to.

use serde::Deserialize;

/// Google Pay, as the settings have it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GooglePayText {
    /// The brand's id at Google; live mode needs it.
    pub(crate) merchant_id: Option<String>,
    /// Card networks in Google's words.
    #[serde(default = "google_networks")]
    pub(crate) networks: Vec<String>,
    /// Where payments are processed: ISO 3166, two letters.
    pub(crate) country: String,
}

fn google_networks() -> Vec<String> {
    ["AMEX", "MASTERCARD", "VISA"].map(str::to_owned).to_vec()
}

/// The networks of Apple Pay, where the settings name none.
pub(crate) fn apple_networks() -> Vec<String> {
    ["amex", "masterCard", "visa"].map(str::to_owned).to_vec()
}
