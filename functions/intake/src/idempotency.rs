//! Idempotency keys: the same key and body give the same answer, and another body under the same key is refused.

use std::time::Duration;

use domain::brand::Mode;
use domain::caller::Requester;
use domain::guards::{self, Guard};
use domain::keys::digest_hex;
use domain::ports::{Expect, Item, Key, Store, StoreError, Write};
use domain::problem::{Code, Problem};
use domain::storage::{decode, encode};
use domain::values::id::RequestId;
use domain::values::time::Timestamp;
use http::HeaderMap;
use serde::{Deserialize, Serialize};

const KEPT: Duration = Duration::from_secs(86_400);

/// What is remembered of a call that created.
#[derive(Serialize, Deserialize)]
pub(crate) struct Remembered {
    /// What the body was.
    fingerprint: String,
    /// What was created.
    pub(crate) request: RequestId,
    /// What was answered.
    pub(crate) answer: serde_json::Value,
    /// Until when it counts; the item itself may outlive that.
    until: Timestamp,
}

/// The key of one call, under the caller's identity.
pub(crate) struct CallKey {
    key: Key,
    fingerprint: String,
}

/// What is known of a key.
pub(crate) enum Known {
    /// It is new, or so old that it no longer counts: the write that remembers it expects this.
    New(Expect),
    /// It was used for the same body.
    Same(Remembered),
}

impl CallKey {
    /// Reads the header, quoted (RFC 8941) or bare, and takes the fingerprint of the body.
    pub(crate) fn read(
        headers: &HeaderMap,
        requester: &Requester,
        call: (&str, &[u8]),
    ) -> Result<Self, Problem> {
        let Some(value) = headers.get("idempotency-key") else {
            return Err(Problem::new(
                Code::IdempotencyKeyMissing,
                "send an Idempotency-Key header",
            ));
        };
        let text = value.to_str().unwrap_or_default().trim();
        let bare = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
        let plain =
            (1..=255).contains(&bare.len()) && bare.bytes().all(|b| (0x20..0x7f).contains(&b));
        if !plain {
            let detail = "an Idempotency-Key is 1 to 255 printable ASCII characters";
            return Err(Problem::new(Code::InvalidRequest, detail));
        }
        let mode = match requester.mode {
            Mode::Test => "test",
            Mode::Live => "live",
        };
        let pk = format!("IDEM#{}#{mode}#{bare}", requester.brand.name);
        let (path, body) = call;
        // Fields in another order, or spaced otherwise, are the same body, in whatever order the parser keeps them.
        let canonical = serde_json::from_slice::<serde_json::Value>(body)
            .map(|mut value| {
                value.sort_all_objects();
                value.to_string()
            })
            .unwrap_or_default();
        let fingerprint = digest_hex(format!("POST {path}\n{canonical}").as_bytes());
        Ok(Self { key: Key { pk, sk: "IDEM".to_owned() }, fingerprint })
    }

    /// What is known of the key.
    pub(crate) async fn look_up(
        &self,
        store: &dyn Store,
        now: Timestamp,
    ) -> Result<Known, Problem> {
        let Some(item) = store.read(&self.key).await? else {
            return Ok(Known::New(Expect::Absent));
        };
        let remembered: Remembered = decode(&item.body)?;
        if remembered.until <= now {
            return Ok(Known::New(Expect::Version(item.version)));
        }
        if remembered.fingerprint != self.fingerprint {
            return Err(Problem::new(
                Code::IdempotencyKeyReused,
                "the key was used for another body",
            ));
        }
        Ok(Known::Same(remembered))
    }

    /// The write that remembers what was created and answered.
    pub(crate) fn remember(
        &self,
        request: RequestId,
        answer: serde_json::Value,
        expect: Expect,
        now: Timestamp,
    ) -> Result<Write, StoreError> {
        let until = now.after(KEPT);
        let version = match expect {
            Expect::Version(version) => version.saturating_add(1),
            Expect::Any | Expect::Absent => 1,
        };
        let remembered =
            Remembered { fingerprint: self.fingerprint.clone(), request, answer, until };
        let item = Item {
            key: self.key.clone(),
            version,
            body: encode(remembered)?,
            expires_at: Some(until),
            index: None,
        };
        let expect = if guards::is_disabled(Guard::IdempotencyKey) { Expect::Any } else { expect };
        Ok(Write::Put { item, expect })
    }
}
