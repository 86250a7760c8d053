//! Stripe's test cards and the sandbox's magic amounts: what becomes of a charge.

use serde::{Deserialize, Serialize};

/// What a confirmation comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
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
}

/// A test card that Stripe documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Card {
    pub(super) brand: &'static str,
    pub(super) last4: &'static str,
    refusal: Option<Refusal>,
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

/// What becomes of a charge: the card's word first, then the amount's.
pub(super) const fn verdict(card: Card, amount: u64, attempt: u32) -> Verdict {
    match (card.refusal, amount % 100) {
        (Some(refusal), _) => Verdict::Refused(refusal),
        (None, 2) if attempt <= 1 => Verdict::Refused(Refusal::InsufficientFunds),
        (None, 3) => Verdict::Refused(Refusal::StolenCard),
        (None, 4) => Verdict::ApprovedLater,
        (None, 5) => Verdict::ApprovedAndLost,
        (None, _) => Verdict::Approved,
    }
}
