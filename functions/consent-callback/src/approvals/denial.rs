//! Decides on denials. A denial needs the store alone, so that no caller reaches a processor through it.

use domain::brand::BrandScope;
use domain::outcome::DenialReason;
use ports::Store;
use records::limits;
use records::update::{Commit, commit};

use super::reply::{DecisionInput, ReplyError, ReplySource};

/// Denies a request, and counts the denial in the same transaction against how soon the address may be asked again.
///
/// `source` is `None` when the customer denied without naming a prompt. A report "this is not me" keeps the address quiet
/// for long. A button in a chat is easily hit. So its tap counts as a denial, and the thread asks once more. The
/// page has asked before. The confirmation after the end counts as a report, and changes no outcome.
///
/// The holder of a link may be another person than the customer at the address. So only a wrong code counts for it.
///
/// # Errors
/// [`ReplyError::Refused`] when the request takes no more replies; [`ReplyError::Failed`] when the store fails.
pub(crate) async fn deny(
    store: &dyn Store,
    input: DecisionInput<'_>,
    reason: DenialReason,
    source: Option<ReplySource>,
) -> Result<Commit, ReplyError> {
    let DecisionInput { request, brand, now } = input;
    let prompt = source.map(|source| source.prompt);
    let change = request.deny(reason, prompt, now).map_err(ReplyError::Refused)?;
    let is_not_me = reason == DenialReason::NotMe;
    let (change, is_report) = match source {
        Some(source) if change.is_nothing() && is_not_me => {
            (request.report_not_me(source.prompt, now), true)
        }
        Some(source) => {
            let is_report = is_not_me && !source.method.is_in_thread();
            (change.answered(source.prompt, source.method), is_report)
        }
        None => (change, is_not_me),
    };
    if change.is_nothing() {
        return Ok(commit(change));
    }
    let (scope, address) =
        (BrandScope { brand: &brand.name, mode: request.mode }, &request.address);
    let (limits, expected_version) = limits::load(store, scope, address).await?;
    let proves_no_number =
        source.is_some_and(|source| request.proves_no_number(brand, source.prompt));
    let is_customers = !proves_no_number || reason == DenialReason::WrongSessionCode;
    let limits = if is_customers { limits.denied(&brand.policy, is_report, now) } else { limits };
    let limits = limits.without(&[request.id], now);
    let counted = limits::put(scope, address, &limits, expected_version, now)?;
    let denied = commit(change).with_writes([counted]);
    // Once a request has ended, no other check is left that would find the message which its thread owes.
    Ok(if request.is_closed() { denied.with_recovery_check() } else { denied })
}
