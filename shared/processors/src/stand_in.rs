//! The parts of the Stripe adapter that a stand-in for Stripe needs, such as the sandbox.

use std::sync::Arc;

use domain::brand::Settings;
use domain::values::id::RequestId;
use domain::values::money::Currency;
use ports::Http;
use serde::Deserialize;

use crate::OpenResult;
use crate::checks::enabled;
use crate::labels::LabelSettings;
use crate::stripe::payment_options::{StripeApplePaySettings, StripeOffer, StripeOfferSettings};
use crate::stripe::{Stripe, StripeAccount, amounts, keys};
use crate::wallet_settings::GooglePaySettings;

pub use crate::stripe::keys::StripeStep;

/// The settings of a processor over a stand-in: the payment options besides test cards.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StandInSettings {
    /// Whether customers may pay on the stand-in's own page.
    #[serde(default = "enabled")]
    hosted: bool,
    /// Google Pay with Google's test gateway.
    google_pay: Option<GooglePaySettings>,
    /// Apple Pay with a merchant's certificate.
    apple_pay: Option<StripeApplePaySettings>,
    /// What of a request goes to the stand-in.
    #[serde(default)]
    labels: LabelSettings,
}

/// Opens the Stripe adapter in test mode over a stand-in.
///
/// `stand_in` gets the calls to Stripe, and `web` those to Apple for merchant sessions.
///
/// # Errors
/// The settings are not what the sandbox documents.
pub fn open(settings: &Settings, stand_in: Arc<dyn Http>, web: Arc<dyn Http>) -> OpenResult {
    let StandInSettings { hosted, google_pay, apple_pay, labels } = settings.read()?;
    let (publishable_key, connected_account) = (None, None);
    let offer =
        StripeOfferSettings { publishable_key, connected_account, google_pay, apple_pay, hosted };
    let account = StripeAccount::sandbox(StripeOffer::sandbox(offer)?, labels)?;
    Ok(Box::new(Stripe { account, http: stand_in, web }))
}

/// Returns the idempotency key that the adapter sends for a step of an attempt.
#[must_use]
pub fn idempotency_key(request: RequestId, step: StripeStep, attempt: u32) -> String {
    keys::key(request, step, attempt)
}

/// Converts an amount in Stripe's minor units to ISO minor units, and returns its currency; `None` for an unlisted one.
#[must_use]
pub fn from_stripe(amount: u64, currency: &str) -> Option<(u64, Currency)> {
    amounts::from_stripe(amount, currency)
}
