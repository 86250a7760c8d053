//! What must hold of circuit breakers: a worker that begins while a circuit is open calls nothing.

use domain::values::time::Timestamp;
use ports::Write;
use records::circuit_breaker::Open;
use records::storage::decode;

use super::Oracle;
use crate::providers::adyen::ADYEN_HOST;

impl Oracle {
    /// Sees which circuits are open.
    pub(in crate::sim) fn sees_circuit_breakers(&mut self, writes: &[Write], step: u64) {
        for write in writes {
            let key = match write {
                Write::Put { item, .. } => &item.key,
                Write::Delete { key } => key,
            };
            let host = match key.pk.strip_prefix("BREAKER#shop#Test#") {
                Some("stripe") => "stripe.test",
                Some("facts") => "id.test",
                Some("adyen") => ADYEN_HOST,
                Some(_) | None => continue,
            };
            let kept = match write {
                Write::Put { item, .. } => decode::<Open>(&item.body).ok(),
                Write::Delete { .. } => None,
            };
            match kept {
                Some(shut) => self.shut.insert(host, (shut.until, step)),
                None => self.shut.remove(host),
            };
        }
    }

    /// Returns whether a worker that began at that step must know that the circuit is open.
    pub(in crate::sim) fn is_shut(&self, host: Option<&str>, now: Timestamp, since: u64) -> bool {
        let known = host.and_then(|host| self.shut.get(host));
        known.is_some_and(|(until, step)| now < *until && since > *step)
    }
}
