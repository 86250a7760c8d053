//! Maps Adyen's errors from status and code to a fault, and from the fault to an answer.
//!
//! A timeout, a broken connection and a 5xx are never a decline. Adyen stores the answer of a call under its key, errors
//! too. An acquirer's error is replayed to every repeat although the card may have been charged. Only the header
//! `transient-error: true` says that nothing was stored. Webhooks report the result of the rest.
//!
//! Checkout v72, <https://github.com/Adyen/adyen-openapi>, read 2026-11-23: the text of `IOEXCEPTION_RECEIVED`.

use http::StatusCode;
use ports::{Created, HttpError, RefundResult};
use serde::Deserialize;

use super::transport::Reply;
use crate::object_state::ObjectState;

/// The calls, grouped by the meaning of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    /// The call that moves the money.
    Pay,
    /// The call that makes the payment impossible, or reverses it.
    End,
    /// A call that only reads.
    Read,
}

/// A fault, by the reaction that it calls for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// The card was refused before it was charged.
    Card(&'static str),
    /// The API key is unknown or revoked.
    Credentials,
    /// The API key lacks the permission.
    Permission,
    /// The merchant account does not exist, or may not do this.
    Account,
    /// Nothing was done; the same call may be repeated.
    NotDone,
    /// The same call is still in progress, or was answered before.
    UnderWay,
    /// The payment does not exist.
    Missing,
    /// The call is invalid; nothing was done.
    Wrong(&'static str),
    /// Adyen failed; the result is unknown.
    Failed,
    /// The reply is not Adyen's.
    Unclear,
}

/// Adyen's error codes that say more than the status does. Every other 400 or 422 is an invalid call.
///
/// UNVERIFIED: all but 704. Compare with <https://docs.adyen.com/development-resources/error-codes> before going live.
const CODES: &[(Fault, &[&str])] = &[
    (Fault::UnderWay, &["704"]),
    (Fault::Permission, &["010"]),
    (Fault::Account, &["107", "901"]),
    (Fault::Missing, &["167"]),
    (Fault::Card("card_data_incorrect"), &["101", "103", "140", "141", "153"]),
    (Fault::Card("card_not_supported"), &["102", "109", "905"]),
    (Fault::Card("expired_card"), &["129"]),
    // The saved card was deleted.
    (Fault::Card("card_not_kept"), &["800", "802", "803"]),
    (Fault::Wrong("amount_refused"), &["100", "137"]),
    (Fault::Wrong("currency_not_supported"), &["138", "907"]),
    // The wallet encrypted the token for another certificate than Adyen's.
    (Fault::Wrong("wallet_certificate"), &["174"]),
    (Fault::Failed, &["702"]),
];

/// The fault of a refused call without a known code.
const REFUSED: Fault = Fault::Wrong("refused_by_processor");

#[derive(Deserialize)]
struct ErrorBody {
    #[serde(rename = "errorCode")]
    code: Option<String>,
}

/// Interprets a reply that is not a success.
pub(super) fn failure(call: Call, reply: &Reply) -> ObjectState {
    let fault = fault(reply);
    match call {
        Call::Pay => pay(fault),
        Call::End => end(fault),
        // A failed look-up says nothing about the money. Not even a refused key proves that nothing moved.
        Call::Read => ObjectState::Unknown,
    }
}

/// Interprets a call without a reply.
pub(super) const fn unanswered(call: Call, error: &HttpError) -> ObjectState {
    match (call, error) {
        (Call::Read, HttpError::Forbidden | HttpError::NotSent(_) | HttpError::Lost(_))
        | (Call::Pay | Call::End, HttpError::Lost(_)) => ObjectState::Unknown,
        (Call::Pay | Call::End, HttpError::Forbidden) => ObjectState::Blocked { code: "address" },
        (Call::Pay | Call::End, HttpError::NotSent(_)) => ObjectState::Again,
    }
}

/// Interprets a fault before any money can move. All but a plain refusal may be repeated with the same key.
pub(super) fn not_created(reply: &Reply) -> Created {
    match fault(reply) {
        Fault::Card(code) => Created::SoftDeclined { code },
        Fault::Credentials => Created::Blocked { code: "credentials" },
        Fault::Permission => Created::Blocked { code: "permission" },
        Fault::Account => Created::Blocked { code: "account" },
        Fault::NotDone | Fault::UnderWay | Fault::Failed | Fault::Unclear => Created::Again,
        Fault::Missing => Created::Invalid { code: "resource_missing" },
        Fault::Wrong(code) => Created::Invalid { code },
    }
}

/// Nothing was created, or nobody heard of it: the same call with the same key is safe.
pub(super) const fn creation_unanswered(error: &HttpError) -> Created {
    match error {
        HttpError::Forbidden => Created::Blocked { code: "address" },
        HttpError::NotSent(_) | HttpError::Lost(_) => Created::Again,
    }
}

/// Interprets a fault of the paying call. An earlier try may have moved the money, so an indefinite fault is waited out.
const fn pay(fault: Fault) -> ObjectState {
    match fault {
        Fault::Card(code) => ObjectState::SoftDeclined { code },
        Fault::Credentials => ObjectState::Blocked { code: "credentials" },
        Fault::Permission => ObjectState::Blocked { code: "permission" },
        Fault::Account => ObjectState::Blocked { code: "account" },
        Fault::NotDone => ObjectState::Again,
        Fault::Wrong(code) => ObjectState::Invalid { code },
        Fault::UnderWay | Fault::Missing | Fault::Failed | Fault::Unclear => ObjectState::Unknown,
    }
}

/// Interprets a fault of the ending call. Only a look-up or a webhook tells why it was refused.
const fn end(fault: Fault) -> ObjectState {
    match fault {
        Fault::Credentials => ObjectState::Blocked { code: "credentials" },
        Fault::Permission => ObjectState::Blocked { code: "permission" },
        Fault::Account => ObjectState::Blocked { code: "account" },
        Fault::NotDone => ObjectState::Again,
        Fault::Card(_)
        | Fault::UnderWay
        | Fault::Missing
        | Fault::Wrong(_)
        | Fault::Failed
        | Fault::Unclear => ObjectState::Unknown,
    }
}

/// Interprets a reply to a refund that is not a success.
pub(super) fn not_refunded(reply: &Reply) -> RefundResult {
    match fault(reply) {
        Fault::Credentials => RefundResult::Blocked { code: "credentials" },
        Fault::Permission => RefundResult::Blocked { code: "permission" },
        Fault::Account => RefundResult::Blocked { code: "account" },
        Fault::NotDone => RefundResult::Again,
        Fault::Missing => RefundResult::Failed { code: "charge_missing" },
        Fault::Wrong("amount_refused") => RefundResult::Failed { code: "amount_too_large" },
        Fault::Wrong(_) | Fault::Card(_) => RefundResult::Failed { code: "refused_by_processor" },
        Fault::UnderWay | Fault::Failed | Fault::Unclear => RefundResult::Unknown,
    }
}

fn fault(reply: &Reply) -> Fault {
    match reply.status {
        StatusCode::UNAUTHORIZED => return Fault::Credentials,
        StatusCode::FORBIDDEN => {
            return match known(reply) {
                Some(Fault::Account) => Fault::Account,
                Some(_) | None => Fault::Permission,
            };
        }
        StatusCode::TOO_MANY_REQUESTS => return Fault::NotDone,
        _ => {}
    }
    if reply.status.is_server_error() {
        return if reply.transient { Fault::NotDone } else { Fault::Failed };
    }
    match (reply.status.as_u16(), known(reply)) {
        (400 | 409 | 422, Some(Fault::UnderWay)) if reply.transient => Fault::NotDone,
        (400 | 409 | 422, Some(fault)) => fault,
        (400 | 422, None) if is_error(reply) => REFUSED,
        (404, _) => Fault::Missing,
        _ => Fault::Unclear,
    }
}

fn known(reply: &Reply) -> Option<Fault> {
    let code = serde_json::from_slice::<ErrorBody>(&reply.body).ok()?.code?;
    let mut faults = CODES.iter();
    faults.find(|(_, codes)| codes.contains(&code.as_str())).map(|(fault, _)| *fault)
}

/// Returns whether the error is Adyen's. Any proxy in between may answer 400 too.
fn is_error(reply: &Reply) -> bool {
    serde_json::from_slice::<ErrorBody>(&reply.body).is_ok_and(|body| body.code.is_some())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use serde_json::{Value, json};

    use super::*;

    pub(crate) fn word(answer: &ObjectState) -> String {
        match answer {
            ObjectState::SoftDeclined { code } => format!("refused {code}"),
            ObjectState::HardDeclined { code } => format!("declined {code}"),
            ObjectState::Invalid { code } => format!("invalid {code}"),
            ObjectState::Blocked { code } => format!("blocked {code}"),
            ObjectState::Again => "again".to_owned(),
            ObjectState::Unknown => "unknown".to_owned(),
            ObjectState::Done(_)
            | ObjectState::RequiresAction { .. }
            | ObjectState::Processing
            | ObjectState::NotConfirmed
            | ObjectState::Voided => "never".to_owned(),
        }
    }

    fn created(created: &Created) -> String {
        match created {
            Created::SoftDeclined { code } => format!("refused {code}"),
            Created::HardDeclined { code } => format!("declined {code}"),
            Created::Invalid { code } => format!("invalid {code}"),
            Created::Blocked { code } => format!("blocked {code}"),
            Created::Again => "again".to_owned(),
            Created::Ready(_) => "never".to_owned(),
        }
    }

    fn refunded(refunded: &RefundResult) -> String {
        match refunded {
            RefundResult::Failed { code } => format!("failed {code}"),
            RefundResult::Blocked { code } => format!("blocked {code}"),
            RefundResult::Again => "again".to_owned(),
            RefundResult::Unknown => "unknown".to_owned(),
            RefundResult::Done(_) | RefundResult::Pending(_) => "never".to_owned(),
        }
    }

    #[test]
    fn errors_when_documented_have_one_meaning_per_call() {
        let rows: Vec<Value> = serde_json::from_str(include_str!("fixtures/errors.json")).unwrap();
        let mut seen = std::collections::BTreeSet::new();
        for row in &rows {
            let code = row["code"].as_str();
            seen.extend(code);
            let status = u16::try_from(row["status"].as_u64().unwrap()).unwrap();
            let body = code.map_or_else(
                || "<html>busy</html>".to_owned(),
                |code| json!({ "status": status, "errorCode": code, "message": "…" }).to_string(),
            );
            let reply = Reply {
                status: StatusCode::from_u16(status).unwrap(),
                transient: row["transient"].as_bool().unwrap(),
                body: Bytes::from(body),
            };
            assert_eq!(created(&not_created(&reply)), row["prepare"], "{row}");
            assert_eq!(word(&failure(Call::Pay, &reply)), row["pay"], "{row}");
            assert_eq!(word(&failure(Call::End, &reply)), row["end"], "{row}");
            assert_eq!(word(&failure(Call::Read, &reply)), "unknown", "{row}");
            assert_eq!(refunded(&not_refunded(&reply)), row["refund"], "{row}");
        }
        let codes: Vec<&str> = CODES.iter().flat_map(|(_, codes)| codes.iter().copied()).collect();
        assert!(codes.iter().all(|code| seen.contains(code)), "a code without a recorded answer");
        let once: std::collections::BTreeSet<_> = codes.iter().collect();
        assert_eq!(once.len(), codes.len(), "a code with two meanings");
    }

    #[test]
    fn refusals_have_one_answer_and_hide_fraud() {
        let rows: Vec<Value> =
            serde_json::from_str(include_str!("fixtures/refusals.json")).unwrap();
        for row in &rows {
            let answer = super::super::refusals::refusal(row["code"].as_str());
            assert_eq!(word(&answer), row["answer"], "{row}");
        }
        assert_eq!(rows.len(), 18);
    }
}
