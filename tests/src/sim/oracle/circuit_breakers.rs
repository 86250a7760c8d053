//! The rules of circuit breakers: a worker that begins while a circuit is open makes no such call. A circuit opens for
//! the whole account only after the processor rejected the key.

use domain::values::time::Timestamp;
use http::Request;
use ports::Write;
use records::circuit_breaker::Open;
use records::storage::decode;

use super::Oracle;
use crate::providers::adyen::ADYEN_HOST;

/// A host, and the kind of call; `None` for the whole account.
pub(super) type Circuit = (&'static str, Option<String>);

/// Returns the account's host of a call, and its kind where the path tells it.
fn circuit_of<T>(request: &Request<T>) -> Option<Circuit> {
    let host = ["stripe.test", "id.test", ADYEN_HOST]
        .into_iter()
        .find(|host| request.uri().host() == Some(host))?;
    let object = request.uri().path().split('/').nth(2).unwrap_or_default();
    let kind = match (host, object) {
        ("id.test", _) => Some("read_claims"),
        (ADYEN_HOST, _) => None,
        (_, "refunds") => Some("refund"),
        (_, "payment_intents") => Some("pay"),
        (_, "setup_intents" | "customers") => Some("save_card"),
        _ => None,
    };
    Some((host, kind.map(str::to_owned)))
}

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
            let kind = key.sk.strip_prefix("BREAKER#").map(str::to_owned);
            let kept = match write {
                Write::Put { item, .. } => decode::<Open>(&item.body).ok(),
                Write::Delete { .. } => None,
            };
            if kind.is_none() && kept.is_some() && !self.refused.contains(host) {
                self.broken
                    .push("BREAKER: an account is shut that never refused our key".to_owned());
            }
            match kept {
                Some(shut) => self.open_circuits.insert((host, kind), (shut.until, step)),
                None => self.open_circuits.remove(&(host, kind)),
            };
        }
    }

    /// Sees the answer of a processor.
    pub(in crate::sim) fn sees_answer<T>(&mut self, request: &Request<T>, status: u16) {
        if status == 401
            && let Some((host, _)) = circuit_of(request)
        {
            self.refused.insert(host);
        }
    }

    /// Returns whether a worker that began at that step must know that the circuit is open.
    pub(in crate::sim) fn is_circuit_open<T>(
        &self,
        request: &Request<T>,
        now: Timestamp,
        since: u64,
    ) -> bool {
        let Some((host, kind)) = circuit_of(request) else { return false };
        let scopes = [Some((host, None)), kind.map(|kind| (host, Some(kind)))];
        let known = |scope| self.open_circuits.get(&scope).copied();
        scopes
            .into_iter()
            .flatten()
            .filter_map(known)
            .any(|(until, step)| now < until && since > step)
    }
}
