//! The rule on statistics: each request that ended counts once, as it ended.

use std::collections::BTreeMap;

use domain::statistics::EndFacts;
use records::storage::decode;

use super::erasure::Records;

impl Records {
    /// Returns the requests whose end counts another number of times than it should, once all has ended.
    pub(in crate::sim) fn miscounted_ends(&self) -> Vec<String> {
        let mut counted: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for (key, item) in self.items.iter().filter(|(key, _)| key.pk.starts_with("STATS#")) {
            let Some((_, id)) = key.sk.split_once('#') else { continue };
            let state = decode::<EndFacts>(&item.body).map(|end| end.state);
            counted.entry(id).or_default().push(state.unwrap_or_default());
        }
        let mut broken = Vec::new();
        for request in self.requests() {
            let found = counted.remove(request.id.to_string().as_str()).unwrap_or_default();
            let ended = request.outcome().map(|outcome| outcome.state_name().to_owned());
            if found != Vec::from_iter(ended) {
                broken.push(format!("STATS: {} counts as {found:?}", request.id));
            }
        }
        broken.extend(counted.keys().map(|id| format!("STATS: {id} counts and is not stored")));
        broken
    }
}
