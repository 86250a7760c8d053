//! Decides on denials. A denial needs the store alone, so that no caller reaches a processor through it.

use domain::brand::BrandScope;
use domain::outcome::DenialReason;
use domain::values::id::PromptId;
use ports::Store;
use records::limits;
use records::update::{Commit, commit};

use super::reply::{DecisionInput, ReplyError};

/// Denies a request, and counts the denial in the same transaction against how soon the address may be asked again.
///
/// `prompt` is `None` when the customer denied without naming a prompt.
///
/// # Errors
/// [`ReplyError::Refused`] when the request takes no more replies; [`ReplyError::Failed`] when the store fails.
pub(crate) async fn deny(
    store: &dyn Store,
    input: DecisionInput<'_>,
    reason: DenialReason,
    prompt: Option<PromptId>,
) -> Result<Commit, ReplyError> {
    let DecisionInput { request, brand, now } = input;
    let change = request.deny(reason, prompt, now).map_err(ReplyError::Refused)?;
    if change.is_nothing() {
        return Ok(commit(change));
    }
    let (scope, address) =
        (BrandScope { brand: &brand.name, mode: request.mode }, &request.address);
    let (limits, expected_version) = limits::load(store, scope, address).await?;
    let reported = reason == DenialReason::NotMe;
    let limits = limits.denied(&brand.policy, reported, now).without(&[request.id], now);
    let counted = limits::put(scope, address, &limits, expected_version, now)?;
    Ok(commit(change).with_writes([counted]))
}
