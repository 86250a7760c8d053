//! The audit stream: one line for each act that counts, under the target [`ports::AUDIT`].
//!
//! A line says what was done, to which request, by which call and from where. The address of a customer is never in it.

use domain::api_key::ApiKey;
use domain::digest::digest_hex;
use domain::journal::{EntryKind, JournalEntry};
use domain::problem::Problem;
use domain::request::Request;
use http::HeaderMap;

use crate::{authentication, caller};

/// The digits of a presented key's digest that are logged. `sha256` of a key in the brand's secret begins with them.
const DIGEST_DIGITS: usize = 16;

/// Records that a call was refused for its key, its signature or a limit. Other refusals say nothing of an attack.
pub fn refused(problem: &Problem, headers: &HeaderMap) {
    let (code, status, ..) = problem.code.facts();
    if ![401, 403, 429].contains(&status) {
        return;
    }
    let caller = caller::of(headers);
    let presented = authentication::presented(headers);
    let key = presented.and_then(ApiKey::read);
    let digest = presented.filter(|_| key.is_some()).map(|token| digest_hex(token.as_bytes()));
    tracing::warn!(
        target: ports::AUDIT, event = "refused", status, code, call = caller.call,
        source = caller.source.map(tracing::field::display),
        brand = key.as_ref().map(|key| key.brand.as_str()),
        key_digest = digest.as_deref().and_then(|digest| digest.get(..DIGEST_DIGITS)),
        "call refused"
    );
}

/// Records the stored journal entries of a request that count.
pub(crate) fn changed(request: &Request, entries: &[JournalEntry]) {
    let mode = request.mode.as_str();
    for entry in entries {
        let Some(event) = event(&entry.what) else { continue };
        // A customer's address stays in the journal alone.
        let caller = entry.caller.as_ref();
        let source = caller.filter(|_| is_requester(&entry.what)).and_then(|caller| caller.source);
        tracing::info!(
            target: ports::AUDIT, event, request = %request.id, brand = %request.brand, mode,
            key = caller.and_then(|caller| caller.key.as_ref()).map(tracing::field::display),
            call = caller.map(|caller| caller.call.as_str()),
            source = source.map(tracing::field::display),
            "request changed"
        );
    }
}

/// Returns whether the requester causes such an entry, through the API.
const fn is_requester(what: &EntryKind) -> bool {
    matches!(
        what,
        EntryKind::Accepted
            | EntryKind::Cancelled
            | EntryKind::Extended { by_customer: false, .. }
            | EntryKind::Resent { .. }
            | EntryKind::RefundAsked { .. }
    )
}

/// Returns the name of the act that an entry explains; `None` for steps of the machinery.
const fn event(what: &EntryKind) -> Option<&'static str> {
    Some(match what {
        EntryKind::Accepted => "asked",
        EntryKind::Approved { .. } => "approved",
        EntryKind::Denied { .. } => "denied",
        EntryKind::Cancelled => "cancelled",
        EntryKind::Extended { by_customer: false, .. } => "extended",
        EntryKind::Resent { .. } => "resent",
        EntryKind::Fulfilled { .. } => "fulfilled",
        EntryKind::Failed { .. } => "failed",
        EntryKind::RefundAsked { .. } => "refund_asked",
        EntryKind::Refunded { .. } => "refunded",
        EntryKind::RefundedOutside { .. } => "refunded_outside",
        EntryKind::DisputeReported { .. } => "disputed",
        EntryKind::Erased => "erased",
        EntryKind::NotMeReported { .. } => "not_me_reported",
        EntryKind::Sending { .. }
        | EntryKind::Prompt { .. }
        | EntryKind::Leased { .. }
        | EntryKind::Created { .. }
        | EntryKind::Started { .. }
        | EntryKind::InDoubt { .. }
        | EntryKind::Redirected { .. }
        | EntryKind::Returned { .. }
        | EntryKind::Exchanged { .. }
        | EntryKind::RedirectCancelled { .. }
        | EntryKind::AttemptReported { .. }
        | EntryKind::Released { .. }
        | EntryKind::AttemptFailed { .. }
        | EntryKind::RefundStarted { .. }
        | EntryKind::RefundReleased { .. }
        | EntryKind::RefundReported { .. }
        | EntryKind::RefundFailed { .. }
        | EntryKind::CaptureFailed
        | EntryKind::LatePayment { .. }
        | EntryKind::ReversalReported { .. }
        | EntryKind::Expired
        | EntryKind::Undeliverable { .. }
        | EntryKind::Extended { by_customer: true, .. }
        | EntryKind::Requeued { .. }
        | EntryKind::SpentTap { .. }
        | EntryKind::Message { .. } => return None,
    })
}
