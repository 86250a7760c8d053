//! The processor accounts that refuse us, whole or for one kind of call. A worker that starts after a refusal is known must
//! not make such a call.

use bytes::Bytes;
use domain::values::time::Timestamp;
use http::Request;
use ports::Write;
use records::circuit_breaker::Open;
use records::storage::decode;
use serde_json::json;

use super::oracle::Oracle;
use super::outside::Outside;
use super::stripe::Answer;

/// A host, and the kind of call; `None` for the whole account.
pub(super) type Circuit = (&'static str, Option<String>);

/// Returns the account's host of a call, and its kind where the path tells it.
fn circuit_of<T>(request: &Request<T>) -> Option<Circuit> {
    let host =
        ["stripe.test", "id.test"].into_iter().find(|host| request.uri().host() == Some(host))?;
    let object = request.uri().path().split('/').nth(2).unwrap_or_default();
    let kind = match (host, object) {
        ("id.test", _) => Some("read_claims"),
        (_, "refunds") => Some("refund"),
        (_, "payment_intents") => Some("pay"),
        (_, "setup_intents" | "customers") => Some("save_card"),
        _ => None,
    };
    Some((host, kind.map(str::to_owned)))
}

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
            let kind = key.sk.strip_prefix("BREAKER#").map(str::to_owned);
            let kept = match write {
                Write::Put { item, .. } => decode::<Open>(&item.body).ok(),
                Write::Delete { .. } => None,
            };
            if kind.is_none() && kept.is_some() && !self.refused.contains(host) {
                self.broken.push("SHUT: an account is shut that never refused our key".to_owned());
            }
            match kept {
                Some(shut) => self.shut.insert((host, kind), (shut.until, step)),
                None => self.shut.remove(&(host, kind)),
            };
        }
    }

    /// Sees the answer of a processor.
    pub(super) fn learns_of_answer<T>(&mut self, request: &Request<T>, status: u16) {
        if status == 401
            && let Some((host, _)) = circuit_of(request)
        {
            self.refused.insert(host);
        }
    }

    /// Whether a worker that started at that step should know that such a call is refused.
    pub(super) fn is_shut<T>(&self, request: &Request<T>, now: Timestamp, since: u64) -> bool {
        let Some((host, kind)) = circuit_of(request) else { return false };
        let scopes = [Some((host, None)), kind.map(|kind| (host, Some(kind)))];
        let known = |scope| self.shut.get(&scope).copied();
        scopes
            .into_iter()
            .flatten()
            .filter_map(known)
            .any(|(until, step)| now < until && since > step)
    }
}

/// Returns the answer of a processor that is busy, or at which another call holds the object.
pub(super) fn busy(outside: &mut Outside, request: &Request<Bytes>) -> Answer {
    let locks = request.uri().host() == Some("stripe.test") && outside.rng.happens(500);
    if locks {
        (409, json!({ "error": { "type": "invalid_request_error", "code": "lock_timeout" } }))
    } else {
        (429, json!({ "error": { "code": "rate_limit" }, "code": 20429 }))
    }
}
