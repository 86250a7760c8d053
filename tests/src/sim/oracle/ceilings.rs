//! C7: no key exceeds its ceilings. And the names of the calls that make requests.

use domain::invariants;
use domain::request::Request;

use super::Oracle;
use crate::sim::agents;

impl Oracle {
    /// Returns what a new request breaks of its key's ceilings, beside what the key asked before.
    pub(super) fn exceeded(&self, new: &Request) -> Option<String> {
        let key = agents::key_of(new)?;
        let all = self.requests.values().map(|seen| &seen.request);
        let before = all.filter(|request| request.key == new.key && request.id != new.id);
        let exceeded = invariants::exceeded_ceiling(key, before, new)?;
        Some(format!("C7: {} of {}", exceeded.as_str(), key.id()))
    }
}

/// Returns the name of the call that made a request. Agents share sessions, and name their calls in the description.
pub(super) fn named_call(made: &Request) -> String {
    if made.is_by_assistant() { made.ask.description().to_owned() } else { made.session.id.clone() }
}
