//! What Stripe's errors mean: from status and code to a fault, and from the fault to an answer.
//!
//! Types are never looked at: stand-ins, and Stripe itself over the years, give the same error other types. A timeout, a
//! broken connection and a 5xx are never a decline.

use domain::ports::Answer;
use serde::Deserialize;

use super::wire::Reply;

/// The calls, by what an error in them can mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    /// No money moves.
    Prepare,
    /// The money call.
    Confirm,
    /// Makes the money call impossible.
    Cancel,
    /// Reads.
    Read,
}

/// The answers an error can come to: [`Answer::Done`] is none of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// As in [`Answer`], and so on.
    Refused(&'static str),
    Declined(&'static str),
    NeedsCustomer,
    Invalid(&'static str),
    Blocked(&'static str),
    Again,
    Working,
    Unknown,
}

impl From<Failure> for Answer {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(code) => Self::Refused { code },
            Failure::Declined(code) => Self::Declined { code },
            Failure::NeedsCustomer => Self::NeedsCustomer { onward: None },
            Failure::Invalid(code) => Self::Invalid { code },
            Failure::Blocked(code) => Self::Blocked { code },
            Failure::Again => Self::Again,
            Failure::Working => Self::Working,
            Failure::Unknown => Self::Unknown,
        }
    }
}

/// What went wrong, by the reaction to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// The card was refused, and how.
    Card(Failure),
    /// The key is not known, or no longer.
    Credentials,
    /// The key may not do this.
    Permission,
    /// Too many calls; nothing was done.
    Throttled,
    /// The same call is still under way, or another holds the object.
    Locked,
    /// The idempotency key was used with another body.
    KeyReused,
    /// There is no such object.
    Missing,
    /// The object is in another state than this call needs.
    State,
    /// The call itself is wrong, and nothing was done.
    Wrong(&'static str),
    /// Stripe failed, and the same call would be told so again.
    FailedForGood,
    /// Stripe failed.
    Failed,
    /// Refused, in words that are not documented.
    Refused,
    /// Not an answer of Stripe's.
    Unclear,
}

/// Codes that say the call is wrong before anything was done.
const WRONG: &[&str] = &[
    "amount_too_large",
    "amount_too_small",
    "country_unsupported",
    "invalid_currency",
    "livemode_mismatch",
    "parameter_invalid_empty",
    "parameter_invalid_integer",
    "parameter_invalid_string_blank",
    "parameter_invalid_string_empty",
    "parameter_missing",
    "parameter_unknown",
    "parameters_exclusive",
    "payment_method_not_available",
    "payment_method_unactivated",
    "payment_method_unexpected_state",
    "token_already_used",
    "token_card_network_invalid",
    "token_in_use",
];

/// The error object of an answer, or what a PaymentIntent keeps of its last one.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ErrorBody {
    code: Option<String>,
    decline_code: Option<String>,
    advice_code: Option<String>,
    /// Used only to know Stripe's mismatch error, which has no code.
    #[serde(rename = "type")]
    kind: Option<String>,
    payment_intent: Option<Embedded>,
}

/// The PaymentIntent an error is about.
#[derive(Debug, Deserialize)]
struct Embedded {
    id: String,
    status: String,
}

#[derive(Deserialize)]
struct Envelope {
    error: ErrorBody,
}

/// What an answer that is not a success means.
pub(super) fn failure(call: Call, reply: &Reply, reference: Option<&str>) -> Failure {
    let fault = fault(reply, reference);
    match call {
        Call::Prepare => prepare(fault),
        Call::Confirm => confirm(fault),
        Call::Cancel => cancel(fault),
        Call::Read => read(fault),
    }
}

/// Nothing has moved and nothing can: what is not a plain no may be tried again with the same key.
fn prepare(fault: Fault) -> Failure {
    match fault {
        Fault::Card(failure) => failure,
        Fault::Credentials => Failure::Blocked("credentials"),
        Fault::Permission => Failure::Blocked("permission"),
        Fault::KeyReused => Failure::Blocked("idempotency_key_reused"),
        Fault::Throttled | Fault::Locked | Fault::Failed | Fault::Unclear => Failure::Again,
        Fault::Missing => Failure::Invalid("resource_missing"),
        Fault::State => Failure::Invalid("unexpected_state"),
        Fault::Wrong(code) => Failure::Invalid(code),
        Fault::Refused => Failure::Invalid("refused_by_processor"),
        Fault::FailedForGood => Failure::Invalid("processor_error"),
    }
}

/// An earlier try of the same call may have moved the money: whatever is not definite is looked up.
fn confirm(fault: Fault) -> Failure {
    match fault {
        Fault::Card(failure) => failure,
        Fault::Credentials => Failure::Blocked("credentials"),
        Fault::Permission => Failure::Blocked("permission"),
        Fault::Throttled => Failure::Again,
        Fault::Locked => Failure::Working,
        Fault::Wrong(code) => Failure::Invalid(code),
        Fault::KeyReused
        | Fault::Missing
        | Fault::State
        | Fault::FailedForGood
        | Fault::Failed
        | Fault::Refused
        | Fault::Unclear => Failure::Unknown,
    }
}

/// Where cancelling is refused, only reading tells why: [`Failure::Unknown`].
fn cancel(fault: Fault) -> Failure {
    match fault {
        Fault::Credentials => Failure::Blocked("credentials"),
        Fault::Permission => Failure::Blocked("permission"),
        Fault::Throttled => Failure::Again,
        Fault::Card(_)
        | Fault::Locked
        | Fault::KeyReused
        | Fault::Missing
        | Fault::State
        | Fault::Wrong(_)
        | Fault::FailedForGood
        | Fault::Failed
        | Fault::Refused
        | Fault::Unclear => Failure::Unknown,
    }
}

/// A look-up that did not work says nothing about the money: not even a refused key may say that nothing moved.
const fn read(fault: Fault) -> Failure {
    match fault {
        Fault::Credentials
        | Fault::Permission
        | Fault::Card(_)
        | Fault::Throttled
        | Fault::Locked
        | Fault::KeyReused
        | Fault::Missing
        | Fault::State
        | Fault::Wrong(_)
        | Fault::FailedForGood
        | Fault::Failed
        | Fault::Refused
        | Fault::Unclear => Failure::Unknown,
    }
}

fn fault(reply: &Reply, reference: Option<&str>) -> Fault {
    let status = reply.status.as_u16();
    if reply.status.is_server_error() || status == 424 {
        // Stripe keeps the answer of a call that began: the same key would be told 500 all day.
        return if reply.should_retry == Some(false) {
            Fault::FailedForGood
        } else {
            Fault::Failed
        };
    }
    match status {
        401 => return Fault::Credentials,
        403 => return Fault::Permission,
        _ => {}
    }
    let Ok(Envelope { error }) = serde_json::from_slice(&reply.body) else {
        return match status {
            409 => Fault::Locked,
            429 => Fault::Throttled,
            _ => Fault::Unclear,
        };
    };
    match (status, error.code.as_deref().unwrap_or_default()) {
        (402, _) if error.is_about_another(reference) => Fault::Unclear,
        (402, _) => Fault::Card(declined(&error)),
        (_, "idempotency_key_in_use" | "lock_timeout") => Fault::Locked,
        (429, _) | (_, "rate_limit") => Fault::Throttled,
        (_, "api_key_expired") => Fault::Credentials,
        _ if error.kind.as_deref() == Some("idempotency_error") => Fault::KeyReused,
        (409, _) => Fault::Locked,
        _ if reply.should_retry == Some(true) => Fault::Throttled,
        (_, "payment_intent_unexpected_state" | "intent_invalid_state") => Fault::State,
        (404, _) | (_, "resource_missing") => Fault::Missing,
        (400..=499, code) if is_of_a_card(code) && !error.is_about_another(reference) => {
            Fault::Card(declined(&error))
        }
        (400..=499, code) => WRONG
            .iter()
            .find(|wrong| **wrong == code)
            .map_or(Fault::Refused, |code| Fault::Wrong(code)),
        _ => Fault::Unclear,
    }
}

impl ErrorBody {
    /// Whether the error is about a PaymentIntent that is not ours, or that was not refused.
    fn is_about_another(&self, reference: Option<&str>) -> bool {
        let Some(embedded) = &self.payment_intent else { return false };
        let refused = !matches!(
            embedded.status.as_str(),
            "succeeded" | "processing" | "requires_capture" | "requires_confirmation"
        );
        !refused || reference.is_some_and(|reference| reference != embedded.id)
    }
}

/// Whether a code says that the card was refused, whatever the status.
fn is_of_a_card(code: &str) -> bool {
    code == "card_declined" || reason(code).is_some()
}

/// What a refusal of a card means.
pub(super) fn declined(error: &ErrorBody) -> Failure {
    let known = |code: &Option<String>| code.as_deref().and_then(reason);
    match known(&error.decline_code).or_else(|| known(&error.code)) {
        Some(failure) => failure,
        None if error.advice_code.as_deref() == Some("do_not_try_again") => DECLINED,
        None => Failure::Refused("card_declined"),
    }
}

/// A thief must not learn what the bank knows: one code for all of these.
const DECLINED: Failure = Failure::Declined("card_declined");

/// What a code or decline code of a card means, where it is known.
fn reason(code: &str) -> Option<Failure> {
    let refused = |code| Some(Failure::Refused(code));
    match code {
        "insufficient_funds" => refused("insufficient_funds"),
        "card_velocity_exceeded"
        | "withdrawal_count_limit_exceeded"
        | "card_decline_rate_limit_exceeded" => refused("card_limit"),
        "do_not_honor"
        | "generic_decline"
        | "call_issuer"
        | "no_action_taken"
        | "transaction_not_allowed"
        | "service_not_allowed" => refused("card_declined"),
        "try_again_later"
        | "issuer_not_available"
        | "processing_error"
        | "reenter_transaction"
        | "approve_with_id" => refused("try_again_later"),
        "expired_card" | "invalid_expiry_month" | "invalid_expiry_year" => refused("expired_card"),
        "incorrect_number" | "invalid_number" | "incorrect_cvc" | "invalid_cvc"
        | "incorrect_zip" | "invalid_account" => refused("card_data_incorrect"),
        "card_not_supported" | "currency_not_supported" => refused("card_not_supported"),
        "lost_card" | "stolen_card" | "pickup_card" | "restricted_card" | "fraudulent"
        | "merchant_blacklist" | "security_violation" => Some(DECLINED),
        "authentication_required"
        | "approval_required"
        | "payment_intent_authentication_failure" => Some(Failure::NeedsCustomer),
        _ => None,
    }
}
