//! Stripe's test cards and the sandbox's magic amounts: what becomes of a charge.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::stripe::amounts;

/// What a confirmation comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CardResult {
    /// Charged.
    Approved,
    /// Charged, and nobody is told.
    ApprovedAndLost,
    /// Charged in a while.
    ApprovedLater,
    /// Not charged.
    Refused(Refusal),
}

/// How a card is refused: Stripe's `code` and `decline_code`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Refusal {
    /// The customer did not say at the bank that it was them.
    AuthenticationFailed,
    /// The card wants 3-D Secure.
    AuthenticationRequired,
    /// No reason given.
    Generic,
    /// Past its date.
    ExpiredCard,
    /// Taken for fraud.
    Fraudulent,
    /// The wrong check digits.
    IncorrectCvc,
    /// Not enough money.
    InsufficientFunds,
    /// Reported lost.
    LostCard,
    /// Something broke on the way.
    ProcessingError,
    /// Reported stolen.
    StolenCard,
}

impl Refusal {
    /// Stripe's `code`, and its `decline_code` where there is one.
    pub(super) const fn codes(self) -> (&'static str, Option<&'static str>) {
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

    /// A card error as Stripe writes it.
    pub(super) fn to_json(self) -> Value {
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Card {
    brand: &'static str,
    last4: &'static str,
    refusal: Option<Refusal>,
}

impl Card {
    /// As Stripe writes it, with the wallet it came from.
    pub(super) fn to_json(self, wallet: Option<&str>) -> Value {
        json!({
            "brand": self.brand,
            "last4": self.last4,
            "exp_month": 12,
            "exp_year": 2034,
            "wallet": wallet.map(|wallet| json!({ "type": wallet, "dynamic_last4": self.last4 })),
        })
    }

    /// How it refuses whatever it is asked, if it does.
    pub(super) const fn refusal(self) -> Option<Refusal> {
        self.refusal
    }
}

/// The card behind a test payment method; Stripe writes some of them with the brand and some without.
pub(super) fn card(payment_method: &str) -> Option<Card> {
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

/// What becomes of a charge: the card's word first, then the amount's. The amount is as Stripe counts it; `attempt` counts
/// from 1.
pub(super) fn result(card: Card, (amount, currency): (u64, &str), attempt: u32) -> CardResult {
    match card.refusal {
        Some(refusal) => CardResult::Refused(refusal),
        None => by_amount((amount, currency), attempt),
    }
}

/// The amount's word. Magic is in the digits the requester wrote, not in Stripe's.
pub(super) fn by_amount((amount, currency): (u64, &str), attempt: u32) -> CardResult {
    let asked = amounts::from_stripe(amount, currency).map_or(amount, |(asked, _)| asked);
    match asked % 100 {
        2 if attempt <= 1 => CardResult::Refused(Refusal::InsufficientFunds),
        3 => CardResult::Refused(Refusal::StolenCard),
        4 => CardResult::ApprovedLater,
        5 => CardResult::ApprovedAndLost,
        _ => CardResult::Approved,
    }
}
