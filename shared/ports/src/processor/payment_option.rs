//! The ways in which a customer can pay.

use std::collections::BTreeMap;

use domain::brand::Mode;

/// A way for the customer to pay, or to give what else the ask needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PaymentOption {
    /// The approval alone is enough: the ask names a saved card.
    Nothing,
    /// A test card, picked on the page or by the sandbox phone's tap. Test mode only.
    TestCard,
    /// Google Pay on the consent page.
    GooglePay(GooglePay),
    /// Apple Pay on the consent page.
    ApplePay(ApplePay),
    /// The processor's hosted page, to which ours redirects.
    Hosted,
}

/// The input of Google's script: `PaymentDataRequest` of the Google Pay API, version 2.0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GooglePay {
    /// Whether tokens are real.
    pub mode: Mode,
    /// The brand's id at Google, which real tokens need.
    pub merchant_id: Option<String>,
    /// The `parameters` of the `PAYMENT_GATEWAY` tokenization specification.
    pub gateway: BTreeMap<String, String>,
    /// Card networks in Google's words, such as `VISA`.
    pub networks: Vec<String>,
    /// The country the payment is processed in, ISO 3166-1 alpha-2.
    pub country: String,
}

/// The input of Safari: `ApplePayPaymentRequest`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApplePay {
    /// Card networks in Apple's words, such as `visa`.
    pub networks: Vec<String>,
    /// The country the payment is processed in, ISO 3166-1 alpha-2.
    pub country: String,
}
