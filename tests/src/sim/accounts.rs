//! The processor accounts that refuse us. A worker that starts after a refusal is known must not call them.

use domain::values::time::Timestamp;
use ports::Write;
use records::circuit_breaker::Open;
use records::storage::decode;

use super::oracle::Oracle;

impl Oracle {
    /// Sees what is kept of accounts that refuse us.
    pub(super) fn learns_of_accounts(&mut self, writes: &[Write], step: u64) {
        for write in writes {
            let key = match write {
                Write::Put { item, .. } => &item.key,
                Write::Delete { key } => key,
            };
            let host = match key.pk.strip_prefix("BREAKER#shop#Test#") {
                Some("stripe") => "stripe.test",
                Some("facts") => "id.test",
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

    /// Whether a worker that started at that step should know that an account refuses us.
    pub(super) fn is_shut(&self, host: Option<&str>, now: Timestamp, since: u64) -> bool {
        let known = host.and_then(|host| self.shut.get(host));
        known.is_some_and(|(until, step)| now < *until && since > *step)
    }
}
