//! Maps Stripe's errors from status and code to a fault, and from the fault to an answer.
//!
//! The error's `type` is not used: stand-ins, and older versions of Stripe, give the same error other types. A timeout, a
//! broken connection and a 5xx are never a decline.
//!
//! <https://docs.stripe.com/api/errors> and <https://docs.stripe.com/error-low-level>, read 2026-11-26.

use domain::guards;
use domain::guards::Guard;
use ports::{Created, HttpError, RefundResult};
use serde::Deserialize;

use super::codes::{self, Class};
use super::refusals::{DECLINED, refusal};
use super::transport::Reply;
use crate::object_state::ObjectState;

/// The calls, grouped by the meaning of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    /// A call that moves no money.
    Create,
    /// The call that moves the money or saves the card.
    Confirm,
    /// The call that makes the confirmation impossible.
    Cancel,
    /// A call that only reads.
    Read,
}

/// The answers an error can come to: [`ObjectState::Done`] is none of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// As in [`ObjectState`], and so on.
    SoftDeclined(&'static str),
    HardDeclined(&'static str),
    RequiresAction,
    Invalid(&'static str),
    Blocked(&'static str),
    Again,
    Processing,
    Unknown,
}

impl From<Failure> for Created {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::SoftDeclined(code) => Self::SoftDeclined { code },
            Failure::HardDeclined(code) => Self::HardDeclined { code },
            // Nothing was begun that the customer could finish.
            Failure::RequiresAction => Self::SoftDeclined { code: "authentication_required" },
            Failure::Invalid(code) => Self::Invalid { code },
            Failure::Blocked(code) => Self::Blocked { code },
            // Nothing moves before it is confirmed.
            Failure::Again | Failure::Processing | Failure::Unknown => Self::Again,
        }
    }
}

impl From<Failure> for ObjectState {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::SoftDeclined(code) => Self::SoftDeclined { code },
            Failure::HardDeclined(code) => Self::HardDeclined { code },
            Failure::RequiresAction => Self::RequiresAction { redirect: None },
            Failure::Invalid(code) => Self::Invalid { code },
            Failure::Blocked(code) => Self::Blocked { code },
            Failure::Again => Self::Again,
            Failure::Processing => Self::Processing,
            Failure::Unknown => Self::Unknown,
        }
    }
}

/// A fault, by the reaction that it calls for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// The card was refused.
    Card(Failure),
    /// The API key is unknown or revoked.
    Credentials,
    /// The API key lacks the permission.
    Permission,
    /// The account may not do this.
    Account,
    /// Too many calls were made; nothing was done.
    Throttled,
    /// The same call is still in progress, or another call holds the object.
    Locked,
    /// The idempotency key was used with another body.
    KeyReused,
    /// The object does not exist.
    Missing,
    /// The object's state does not allow this call.
    State,
    /// The call is invalid; nothing was done.
    Wrong(&'static str),
    /// The charge cannot be refunded.
    Kept(&'static str),
    /// Stripe failed, and a repeat would get the same answer.
    FailedForGood,
    /// Stripe failed; the result is unknown.
    Failed,
    /// The call was refused with an unknown code, or one of another product.
    Refused,
    /// The reply is not Stripe's.
    Unclear,
}

/// The error object of a reply, or an object's last error.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ErrorBody {
    code: Option<String>,
    decline_code: Option<String>,
    advice_code: Option<String>,
    /// The parameter that the error is about.
    param: Option<String>,
    /// Used only to recognise the error of a reused idempotency key, which has no code.
    #[serde(rename = "type")]
    kind: Option<String>,
    payment_intent: Option<Embedded>,
    setup_intent: Option<Embedded>,
}

/// The object that an error is about.
#[derive(Debug, Deserialize)]
struct Embedded {
    id: String,
    status: String,
}

#[derive(Deserialize)]
struct Envelope {
    error: ErrorBody,
}

/// Interprets a reply that is not a success.
pub(super) fn failure(call: Call, reply: &Reply, reference: Option<&str>) -> Failure {
    let fault = fault(reply, reference);
    match call {
        Call::Create => create(fault),
        Call::Confirm => confirm(fault),
        Call::Cancel => cancel(fault),
        // A failed look-up says nothing about the money. Not even a refused key proves that nothing moved.
        Call::Read => Failure::Unknown,
    }
}

/// Interprets a call without a reply.
pub(super) fn unanswered(call: Call, error: &HttpError) -> Failure {
    match (call, error) {
        (Call::Confirm | Call::Cancel, HttpError::Lost(_))
            if guards::is_disabled(Guard::LostResponseIsInDoubt) =>
        {
            Failure::SoftDeclined("card_declined")
        }
        (Call::Read, HttpError::Forbidden | HttpError::NotSent(_) | HttpError::Lost(_))
        | (Call::Confirm | Call::Cancel, HttpError::Lost(_)) => Failure::Unknown,
        (Call::Create | Call::Confirm | Call::Cancel, HttpError::Forbidden) => {
            Failure::Blocked("address")
        }
        (Call::Create, HttpError::NotSent(_) | HttpError::Lost(_))
        | (Call::Confirm | Call::Cancel, HttpError::NotSent(_)) => Failure::Again,
    }
}

/// Interprets a fault before any money can move. All but a plain refusal may be repeated with the same key.
fn create(fault: Fault) -> Failure {
    match fault {
        Fault::Card(failure) => failure,
        Fault::Credentials => Failure::Blocked("credentials"),
        Fault::Permission => Failure::Blocked("permission"),
        Fault::Account => Failure::Blocked("account"),
        Fault::KeyReused => Failure::Blocked("idempotency_key_reused"),
        Fault::Throttled | Fault::Locked | Fault::Failed | Fault::Unclear => Failure::Again,
        Fault::Missing => Failure::Invalid("resource_missing"),
        Fault::State => Failure::Invalid("unexpected_state"),
        Fault::Wrong(code) => Failure::Invalid(code),
        Fault::Refused | Fault::Kept(_) => Failure::Invalid("refused_by_processor"),
        Fault::FailedForGood => Failure::Invalid("processor_error"),
    }
}

/// Interprets a fault of the confirming call. An earlier try may have moved the money, so an indefinite fault is looked up.
fn confirm(fault: Fault) -> Failure {
    match fault {
        Fault::Card(failure) => failure,
        Fault::Credentials => Failure::Blocked("credentials"),
        Fault::Permission => Failure::Blocked("permission"),
        Fault::Account => Failure::Blocked("account"),
        Fault::Throttled => Failure::Again,
        Fault::Locked => Failure::Processing,
        Fault::Wrong(code) => Failure::Invalid(code),
        Fault::Failed if guards::is_disabled(Guard::ServerErrorIsInDoubt) => {
            Failure::SoftDeclined("card_declined")
        }
        Fault::KeyReused
        | Fault::Missing
        | Fault::State
        | Fault::Kept(_)
        | Fault::FailedForGood
        | Fault::Failed
        | Fault::Refused
        | Fault::Unclear => Failure::Unknown,
    }
}

/// Interprets a fault of the cancelling call. Only a read tells why it was refused: [`Failure::Unknown`].
fn cancel(fault: Fault) -> Failure {
    match fault {
        Fault::Credentials => Failure::Blocked("credentials"),
        Fault::Permission => Failure::Blocked("permission"),
        Fault::Account => Failure::Blocked("account"),
        Fault::Throttled => Failure::Again,
        Fault::Card(_)
        | Fault::Locked
        | Fault::KeyReused
        | Fault::Missing
        | Fault::State
        | Fault::Wrong(_)
        | Fault::Kept(_)
        | Fault::FailedForGood
        | Fault::Failed
        | Fault::Refused
        | Fault::Unclear => Failure::Unknown,
    }
}

/// Interprets a reply to a refund that is not a success.
pub(super) fn not_refunded(reply: &Reply) -> RefundResult {
    match fault(reply, None) {
        Fault::Credentials => RefundResult::Blocked { code: "credentials" },
        Fault::Permission => RefundResult::Blocked { code: "permission" },
        Fault::Account => RefundResult::Blocked { code: "account" },
        Fault::KeyReused => RefundResult::Blocked { code: "idempotency_key_reused" },
        Fault::Throttled | Fault::Locked => RefundResult::Again,
        Fault::Kept(code) => RefundResult::Failed { code },
        Fault::Missing => RefundResult::Failed { code: "charge_missing" },
        // The charge is not complete, or was reversed.
        Fault::State => RefundResult::Failed { code: "not_refundable" },
        Fault::Card(_) => RefundResult::Failed { code: "refund_declined" },
        Fault::Wrong("amount_too_large" | "invalid_charge_amount") => {
            RefundResult::Failed { code: "amount_too_large" }
        }
        // UNVERIFIED: a refund of more than is left has no error code, only `param`. Refund too much in Stripe's test mode.
        Fault::Wrong(_) | Fault::Refused if is_about_amount(reply) => {
            RefundResult::Failed { code: "amount_too_large" }
        }
        Fault::Wrong(_) | Fault::Refused => RefundResult::Failed { code: "refused_by_processor" },
        Fault::FailedForGood | Fault::Failed | Fault::Unclear => RefundResult::Unknown,
    }
}

fn is_about_amount(reply: &Reply) -> bool {
    let envelope = serde_json::from_slice::<Envelope>(&reply.body);
    envelope.is_ok_and(|envelope| envelope.error.param.as_deref() == Some("amount"))
}

fn fault(reply: &Reply, reference: Option<&str>) -> Fault {
    let status = reply.status.as_u16();
    if reply.status.is_server_error() || status == 424 {
        // Stripe stores the answer of a call that began, so the same key would get 500 for a day.
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
    let class = error.code.as_deref().and_then(codes::class);
    match (status, class) {
        (402, _) if error.is_about_another(reference) => Fault::Unclear,
        (402, _) => Fault::Card(declined(&error)),
        (_, Some((Class::Locked, _))) => Fault::Locked,
        (429, _) | (_, Some((Class::Throttled, _))) => Fault::Throttled,
        (_, Some((Class::Credentials, _))) => Fault::Credentials,
        _ if error.kind.as_deref() == Some("idempotency_error") => Fault::KeyReused,
        (409, _) => Fault::Locked,
        _ if reply.should_retry == Some(true) => Fault::Throttled,
        (_, Some((Class::State, _))) => Fault::State,
        (404, _) | (_, Some((Class::Missing, _))) => Fault::Missing,
        (400..=499, Some((Class::Account, _))) => Fault::Account,
        (400..=499, Some((Class::Card, _))) if !error.is_about_another(reference) => {
            Fault::Card(declined(&error))
        }
        (400..=499, Some((Class::Wrong, code))) => Fault::Wrong(code),
        (400..=499, Some((Class::Kept(code), _))) => Fault::Kept(code),
        (400..=499, Some((Class::Card | Class::Elsewhere, _)) | None) => Fault::Refused,
        _ => Fault::Unclear,
    }
}

impl ErrorBody {
    /// Returns whether the error is about another object, or about one that was not refused.
    fn is_about_another(&self, reference: Option<&str>) -> bool {
        let Some(embedded) = self.payment_intent.as_ref().or(self.setup_intent.as_ref()) else {
            return false;
        };
        let refused = !matches!(
            embedded.status.as_str(),
            "succeeded" | "processing" | "requires_capture" | "requires_confirmation"
        );
        !refused || reference.is_some_and(|reference| reference != embedded.id)
    }
}

/// Interprets the refusal of a card.
pub(super) fn declined(error: &ErrorBody) -> Failure {
    let known = |code: &Option<String>| code.as_deref().and_then(refusal);
    match known(&error.decline_code).or_else(|| known(&error.code)) {
        Some(failure) => failure,
        None if error.advice_code.as_deref() == Some("do_not_try_again") => DECLINED,
        None => Failure::SoftDeclined("card_declined"),
    }
}
