//! Stripe's test cards and the sandbox's amounts, which choose the result of a charge.

use processors::stand_in;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The result of a confirmation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CardResult {
    /// Charged.
    Approved,
    /// Charged, and the reply is lost.
    ApprovedAndLost,
    /// Charged after three seconds.
    ApprovedLater,
    /// Not charged.
    Refused(Refusal),
}

/// The refusal of a card, as Stripe's `code` and `decline_code`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Refusal {
    /// The customer did not confirm their identity at the bank.
    AuthenticationFailed,
    /// The card asks for 3-D Secure.
    AuthenticationRequired,
    /// No reason is given.
    Generic,
    /// The card has expired.
    ExpiredCard,
    /// Fraud is suspected.
    Fraudulent,
    /// The check digits are wrong.
    IncorrectCvc,
    /// The balance is too low.
    InsufficientFunds,
    /// The card was reported lost.
    LostCard,
    /// The processing failed.
    ProcessingError,
    /// The card was reported stolen.
    StolenCard,
}

impl Refusal {
    /// Returns Stripe's `code`, and its `decline_code` where there is one.
    pub(crate) const fn codes(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::AuthenticationFailed => ("payment_intent_authentication_failure", None),
            Self::AuthenticationRequired => {
                ("authentication_required", Some("authentication_required"))
            }
            Self::Generic => ("card_declined", Some("generic_decline")),
            Self::ExpiredCard => ("expired_card", None),
            Self::Fraudulent => ("card_declined", Some("fraudulent")),
            Self::IncorrectCvc => ("incorrect_cvc", None),
            Self::InsufficientFunds => ("card_declined", Some("insufficient_funds")),
            Self::LostCard => ("card_declined", Some("lost_card")),
            Self::ProcessingError => ("processing_error", None),
            Self::StolenCard => ("card_declined", Some("stolen_card")),
        }
    }

    /// Returns Stripe's card error.
    pub(crate) fn to_json(self) -> Value {
        let (code, decline_code) = self.codes();
        json!({
            "type": "card_error",
            "code": code,
            "decline_code": decline_code,
            "message": "Your card was declined.",
        })
    }
}

/// A test card that Stripe documents.
///
/// UNVERIFIED: the names and digits of the list below. Compare it with <https://docs.stripe.com/testing>.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Card {
    brand: &'static str,
    last4: &'static str,
    refusal: Option<Refusal>,
}

impl Card {
    /// Returns Stripe's JSON with the wallet.
    pub(crate) fn to_json(self, wallet: Option<&str>) -> Value {
        json!({
            "brand": self.brand,
            "last4": self.last4,
            "exp_month": 12,
            "exp_year": 2034,
            "wallet": wallet.map(|wallet| json!({ "type": wallet, "dynamic_last4": self.last4 })),
        })
    }

    /// Returns the card's refusal; `None` for a good card.
    pub(crate) const fn refusal(self) -> Option<Refusal> {
        self.refusal
    }
}

/// Returns the card of a test payment method. Stripe spells some of them with the brand and some without.
pub(crate) fn card(payment_method: &str) -> Option<Card> {
    let visa = |last4, refusal| Some(Card { brand: "visa", last4, refusal: Some(refusal) });
    let name = payment_method.strip_prefix("pm_card_")?;
    match name.strip_prefix("visa_").unwrap_or(name) {
        "visa" => Some(Card { brand: "visa", last4: "4242", refusal: None }),
        "mastercard" => Some(Card { brand: "mastercard", last4: "4444", refusal: None }),
        "amex" => Some(Card { brand: "amex", last4: "8431", refusal: None }),
        "authenticationRequired" => visa("3184", Refusal::AuthenticationRequired),
        "chargeCustomerFail" => visa("0341", Refusal::Generic),
        "chargeDeclined" => visa("0002", Refusal::Generic),
        "chargeDeclinedExpiredCard" => visa("0069", Refusal::ExpiredCard),
        "chargeDeclinedFraudulent" => visa("0019", Refusal::Fraudulent),
        "chargeDeclinedIncorrectCvc" => visa("0127", Refusal::IncorrectCvc),
        "chargeDeclinedInsufficientFunds" => visa("9995", Refusal::InsufficientFunds),
        "chargeDeclinedLostCard" => visa("9987", Refusal::LostCard),
        "chargeDeclinedProcessingError" => visa("0119", Refusal::ProcessingError),
        "chargeDeclinedStolenCard" => visa("9979", Refusal::StolenCard),
        _ => None,
    }
}

/// An amount in Stripe's minor units, and its currency's code.
#[derive(Clone, Copy)]
pub(crate) struct Price<'a> {
    pub(crate) amount: u64,
    pub(crate) currency: &'a str,
}

/// Returns the result of a charge. The card decides first, then the amount. `attempt` counts from 1.
pub(crate) fn result(card: Card, price: Price<'_>, attempt: u32) -> CardResult {
    match card.refusal {
        Some(refusal) => CardResult::Refused(refusal),
        None => by_amount(price, attempt),
    }
}

/// Returns the result that an amount chooses by its last two digits in ISO minor units.
pub(crate) fn by_amount(price: Price<'_>, attempt: u32) -> CardResult {
    let Price { amount, currency } = price;
    let asked = stand_in::from_stripe(amount, currency).map_or(amount, |(asked, _)| asked);
    match asked % 100 {
        2 if attempt <= 1 => CardResult::Refused(Refusal::InsufficientFunds),
        3 => CardResult::Refused(Refusal::StolenCard),
        4 => CardResult::ApprovedLater,
        5 => CardResult::ApprovedAndLost,
        _ => CardResult::Approved,
    }
}
