//! What Stripe's errors mean: from status and code to a fault, and from the fault to an answer.
//!
//! Types are never looked at: stand-ins, and Stripe itself over the years, give the same error other types. A timeout, a
//! broken connection and a 5xx are never a decline.

use domain::guards::{self, Guard};
use domain::ports::{Answer, HttpError, Refunded};
use serde::Deserialize;

use super::codes::{self, Class};
use super::refusals::{DECLINED, refusal};
use super::wire::Reply;

/// The calls, by what an error in them can mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    /// Nothing moves.
    Prepare,
    /// The call that moves the money or keeps the card.
    Confirm,
    /// Makes that call impossible.
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
    /// The account may not do this.
    Account,
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
    /// The money cannot be given back.
    Kept(&'static str),
    /// Stripe failed, and the same call would be told so again.
    FailedForGood,
    /// Stripe failed.
    Failed,
    /// Refused, in words that are not documented or about something else.
    Refused,
    /// Not an answer of Stripe's.
    Unclear,
}

/// The error object of an answer, or what an object keeps of its last one.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ErrorBody {
    code: Option<String>,
    decline_code: Option<String>,
    advice_code: Option<String>,
    /// Which parameter it is about.
    param: Option<String>,
    /// Used only to know Stripe's mismatch error, which has no code.
    #[serde(rename = "type")]
    kind: Option<String>,
    payment_intent: Option<Embedded>,
    setup_intent: Option<Embedded>,
}

/// The object an error is about.
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
        // A look-up that did not work says nothing of the money: not even a refused key may say that nothing moved.
        Call::Read => Failure::Unknown,
    }
}

/// What it means that there is no answer.
pub(super) fn unanswered(call: Call, error: &HttpError) -> Failure {
    match (call, error) {
        (Call::Confirm | Call::Cancel, HttpError::Lost(_))
            if guards::is_disabled(Guard::LostResponseIsInDoubt) =>
        {
            Failure::Refused("card_declined")
        }
        (Call::Read, HttpError::Forbidden | HttpError::NotSent(_) | HttpError::Lost(_))
        | (Call::Confirm | Call::Cancel, HttpError::Lost(_)) => Failure::Unknown,
        (Call::Prepare | Call::Confirm | Call::Cancel, HttpError::Forbidden) => {
            Failure::Blocked("address")
        }
        (Call::Prepare, HttpError::NotSent(_) | HttpError::Lost(_))
        | (Call::Confirm | Call::Cancel, HttpError::NotSent(_)) => Failure::Again,
    }
}

/// Nothing has moved and nothing can: what is not a plain no may be tried again with the same key.
fn prepare(fault: Fault) -> Failure {
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

/// An earlier try of the same call may have moved the money: whatever is not definite is looked up.
fn confirm(fault: Fault) -> Failure {
    match fault {
        Fault::Card(failure) => failure,
        Fault::Credentials => Failure::Blocked("credentials"),
        Fault::Permission => Failure::Blocked("permission"),
        Fault::Account => Failure::Blocked("account"),
        Fault::Throttled => Failure::Again,
        Fault::Locked => Failure::Working,
        Fault::Wrong(code) => Failure::Invalid(code),
        Fault::Failed if guards::is_disabled(Guard::ServerErrorIsInDoubt) => {
            Failure::Refused("card_declined")
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

/// Where cancelling is refused, only reading tells why: [`Failure::Unknown`].
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

/// What an answer that is not a success means for money that was to be given back.
pub(super) fn not_refunded(reply: &Reply) -> Refunded {
    match fault(reply, None) {
        Fault::Credentials => Refunded::Blocked { code: "credentials" },
        Fault::Permission => Refunded::Blocked { code: "permission" },
        Fault::Account => Refunded::Blocked { code: "account" },
        Fault::KeyReused => Refunded::Blocked { code: "idempotency_key_reused" },
        Fault::Throttled | Fault::Locked => Refunded::Again,
        Fault::Kept(code) => Refunded::Failed { code },
        Fault::Missing => Refunded::Failed { code: "charge_missing" },
        // The charge is not there yet, or was taken back.
        Fault::State => Refunded::Failed { code: "not_refundable" },
        Fault::Card(_) => Refunded::Failed { code: "refund_declined" },
        Fault::Wrong("amount_too_large" | "invalid_charge_amount") => {
            Refunded::Failed { code: "amount_too_large" }
        }
        // More than is left of a charge is refused without a code of its own [S].
        Fault::Wrong(_) | Fault::Refused if is_about_amount(reply) => {
            Refunded::Failed { code: "amount_too_large" }
        }
        Fault::Wrong(_) | Fault::Refused => Refunded::Failed { code: "refused_by_processor" },
        Fault::FailedForGood | Fault::Failed | Fault::Unclear => Refunded::Unknown,
    }
}

fn is_about_amount(reply: &Reply) -> bool {
    let envelope = serde_json::from_slice::<Envelope>(&reply.body);
    envelope.is_ok_and(|envelope| envelope.error.param.as_deref() == Some("amount"))
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
    /// Whether the error is about an object that is not ours, or that was not refused.
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

/// What a refusal of a card means.
pub(super) fn declined(error: &ErrorBody) -> Failure {
    let known = |code: &Option<String>| code.as_deref().and_then(refusal);
    match known(&error.decline_code).or_else(|| known(&error.code)) {
        Some(failure) => failure,
        None if error.advice_code.as_deref() == Some("do_not_try_again") => DECLINED,
        None => Failure::Refused("card_declined"),
    }
}
