//! Idempotency keys: the same key and body give the same answer, and another body under the same key is refused.

use std::time::Duration;

use domain::digest::digest_hex;
use domain::guards;
use domain::guards::Guard;
use domain::problem::{Code, FieldError, Problem};
use domain::values::id::RequestId;
use domain::values::time::Timestamp;
use http::HeaderMap;
use ports::{Expect, Item, Key, Ports, Store, StoreError, Write};
use records::authentication::Requester;
use records::storage::{decode, encode};
use serde::{Deserialize, Serialize};

use crate::json_object::spell_integers_alike;

/// How long a key counts.
const RETENTION: Duration = Duration::from_secs(86_400);

/// How often a withdrawal meets a call in between.
const WITHDRAWALS_MAX: u32 = 5;

/// The record of a call that created a request or a refund.
#[derive(Serialize, Deserialize)]
pub(crate) struct IdempotencyRecord {
    /// A digest of the path and the body.
    fingerprint: String,
    /// The request that was created, or refunded.
    pub(crate) request: RequestId,
    /// The body of the answer.
    pub(crate) answer: serde_json::Value,
    /// The end of the time in which the key counts. The item may outlive it.
    until: Timestamp,
    /// Whether the caller gave the key up before anything was created under it. Nothing is then created.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    withdrawn: bool,
}

/// The key of one call, under the caller's identity.
pub(crate) struct CallKey {
    key: Key,
    fingerprint: String,
}

/// The earlier use of a key, if there was one.
pub(crate) enum KeyUse {
    /// It is new, or too old to count. The write of its record expects this of the item.
    New(Expect),
    /// It was used for the same body.
    Repeat(IdempotencyRecord),
}

/// The problem of the key's header.
fn fault(code: Code, fault: &'static str, detail: &str) -> Problem {
    Problem::new(code, detail).at(|detail| FieldError::in_header("Idempotency-Key", fault, detail))
}

impl CallKey {
    /// Reads the header, quoted (RFC 8941) or bare, and takes the fingerprint of the body.
    pub(crate) fn read(
        headers: &HeaderMap,
        requester: &Requester,
        path: &str,
        body: &[u8],
    ) -> Result<Self, Problem> {
        let Some(value) = headers.get("idempotency-key") else {
            let detail = "send an Idempotency-Key header";
            return Err(fault(Code::IdempotencyKeyMissing, "missing", detail));
        };
        let text = value.to_str().unwrap_or_default().trim();
        let bare = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
        Self::new(bare, requester, path, body)
    }

    /// Takes a key without quotes, and the fingerprint of the body.
    pub(crate) fn new(
        bare: &str,
        requester: &Requester,
        path: &str,
        body: &[u8],
    ) -> Result<Self, Problem> {
        let plain =
            (1..=255).contains(&bare.len()) && bare.bytes().all(|b| (0x20..0x7f).contains(&b));
        if !plain {
            let detail = "an Idempotency-Key is 1 to 255 printable ASCII characters";
            return Err(fault(Code::InvalidRequest, "value", detail));
        }
        let mode = requester.mode.as_str();
        let pk = format!("IDEM#{}#{mode}#{bare}", requester.brand.name);
        // A restricted key's calls are its own: the answer to another key's call is not for it.
        let sk = if requester.key.is_restricted() {
            format!("IDEM#{}", requester.key.id())
        } else {
            "IDEM".to_owned()
        };
        // Fields in another order, other spaces and `220.0` in place of `220` are the same body.
        let canonical = serde_json::from_slice::<serde_json::Value>(body)
            .map(|mut value| {
                value.sort_all_objects();
                spell_integers_alike(&mut value);
                value.to_string()
            })
            .unwrap_or_default();
        let fingerprint = digest_hex(format!("POST {path}\n{canonical}").as_bytes());
        Ok(Self { key: Key { pk, sk }, fingerprint })
    }

    /// Returns the key of its record.
    pub(crate) const fn key(&self) -> &Key {
        &self.key
    }

    /// Looks up whether the key was used before.
    pub(crate) async fn look_up(
        &self,
        store: &dyn Store,
        now: Timestamp,
    ) -> Result<KeyUse, Problem> {
        let Some(item) = store.read(&self.key).await? else {
            return Ok(KeyUse::New(Expect::Absent));
        };
        let record: IdempotencyRecord = decode(&item.body)?;
        if record.until <= now {
            return Ok(KeyUse::New(Expect::Version(item.version)));
        }
        if record.withdrawn && guards::is_disabled(Guard::WithdrawnAsk) {
            return Ok(KeyUse::New(Expect::Version(item.version)));
        }
        if record.withdrawn {
            let detail = "the call was withdrawn before it came; use a new key";
            return Err(fault(Code::IdempotencyKeyReused, "reused", detail));
        }
        if record.fingerprint != self.fingerprint {
            let detail = "the Idempotency-Key was used for another body; use a new key";
            return Err(fault(Code::IdempotencyKeyReused, "reused", detail));
        }
        Ok(KeyUse::Repeat(record))
    }

    /// Returns the request that was created under the key, for any body. Without one, the key is given up, so that a call that is
    /// still under way creates nothing.
    pub(crate) async fn withdraw(
        &self,
        ports: &Ports,
        now: Timestamp,
    ) -> Result<Option<RequestId>, Problem> {
        let store = ports.store.as_ref();
        for _ in 0..WITHDRAWALS_MAX {
            let item = store.read(&self.key).await?;
            let expect = item.as_ref().map_or(Expect::Absent, |item| Expect::Version(item.version));
            let record = item.map(|item| decode::<IdempotencyRecord>(&item.body)).transpose()?;
            match record {
                Some(record) if record.until > now && record.withdrawn => return Ok(None),
                Some(record) if record.until > now => return Ok(Some(record.request)),
                Some(_) | None => {}
            }
            let mut random = [0_u8; 10];
            ports.random.fill(&mut random);
            let given_up = IdempotencyRecord {
                fingerprint: String::new(),
                request: RequestId::new(now, random),
                answer: serde_json::Value::Null,
                until: now.after(RETENTION),
                withdrawn: true,
            };
            match store.write(vec![self.put(given_up, expect)?]).await {
                Ok(()) => return Ok(None),
                // The call came in between.
                Err(StoreError::Conflict) => {}
                Err(error @ (StoreError::Unavailable(_) | StoreError::Damaged(_))) => {
                    return Err(error.into());
                }
            }
        }
        Err(Problem::overtaken())
    }

    /// Returns the write that records what was created and answered.
    pub(crate) fn remember(
        &self,
        request: RequestId,
        answer: serde_json::Value,
        expect: Expect,
        now: Timestamp,
    ) -> Result<Write, StoreError> {
        let record = IdempotencyRecord {
            fingerprint: self.fingerprint.clone(),
            request,
            answer,
            until: now.after(RETENTION),
            withdrawn: false,
        };
        let expect = if guards::is_disabled(Guard::IdempotencyKey) { Expect::Any } else { expect };
        self.put(record, expect)
    }

    fn put(&self, record: IdempotencyRecord, expect: Expect) -> Result<Write, StoreError> {
        let version = match expect {
            Expect::Version(version) => version.saturating_add(1),
            Expect::Any | Expect::Absent => 1,
        };
        let expires_at = Some(record.until);
        let item =
            Item { key: self.key.clone(), version, body: encode(record)?, expires_at, index: None };
        Ok(Write::Put { item, expect })
    }
}
