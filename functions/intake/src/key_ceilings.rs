//! The ceilings of the caller's key.

use domain::api_key::KeyLimit;
use domain::ask::Ask;
use domain::problem::Problem;
use domain::values::name::ChannelName;
use domain::values::time::Timestamp;
use ports::Write;
use records::authentication::Requester;
use records::key_usage;
use records::key_usage::Ceiling;

use crate::Intake;
use crate::operation::exceeded;

impl Intake {
    /// Counts an ask for the caller's key. Returns the write that stores the count; `None` for a key without a count.
    pub(crate) async fn count_ask(
        &self,
        requester: &Requester,
        ask: &Ask,
        now: Timestamp,
    ) -> Result<Option<Write>, Problem> {
        let key = &requester.key;
        if !key.is_counted() {
            return Ok(None);
        }
        let scope = requester.scope();
        let id = key.id();
        let (usage, version) = key_usage::load(self.ports.store.as_ref(), scope, &id).await?;
        let counted =
            usage.count(key, ask.money(), now).map_err(|ceiling| reached(ceiling, now))?;
        Ok(Some(key_usage::put(scope, &id, &counted, version, now)?))
    }
}

fn reached(ceiling: Ceiling, now: Timestamp) -> Problem {
    let wait = ceiling.until.map(|until| now.until(until).as_secs().saturating_add(1));
    Problem { retry_after: wait, ..exceeded(ceiling.limit) }
}

/// Refuses an ask that the key may never make.
pub(crate) fn require_allowed(requester: &Requester, ask: &Ask) -> Result<(), Problem> {
    requester.key.check(ask).map_err(exceeded)
}

/// Refuses a channel that the key may not use.
pub(crate) fn require_channel(requester: &Requester, name: &ChannelName) -> Result<(), Problem> {
    if requester.key.may_use(name) { Ok(()) } else { Err(exceeded(KeyLimit::Channels)) }
}
