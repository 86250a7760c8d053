//! The merchant references by which webhooks name an attempt or a refund, and the idempotency keys of their calls.

use std::fmt;

use domain::digest::digest_hex;
use domain::values::id::RequestId;
use ports::LateReversal;

/// A merchant reference of ours. Its text has no colon, since webhook signatures join values with colons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MerchantReference {
    /// An attempt: `req_….1`.
    Attempt { request: RequestId, attempt_no: u32 },
    /// A cancellation or reversal of an attempt: `req_….1.c`.
    End { request: RequestId, attempt_no: u32 },
    /// A refund: `req_….r1`.
    Refund { request: RequestId, seq: u32 },
}

impl fmt::Display for MerchantReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Attempt { request, attempt_no } => write!(f, "{request}.{attempt_no}"),
            Self::End { request, attempt_no } => write!(f, "{request}.{attempt_no}.c"),
            Self::Refund { request, seq } => write!(f, "{request}.r{seq}"),
        }
    }
}

impl MerchantReference {
    /// Reads a merchant reference; `None` for a text of another form.
    pub(super) fn read(text: &str) -> Option<Self> {
        let (request, rest) = text.split_once('.')?;
        let request = request.parse().ok()?;
        let named = if let Some(seq) = rest.strip_prefix('r') {
            Self::Refund { request, seq: seq.parse().ok()? }
        } else if let Some(attempt_no) = rest.strip_suffix(".c") {
            Self::End { request, attempt_no: attempt_no.parse().ok()? }
        } else {
            Self::Attempt { request, attempt_no: rest.parse().ok()? }
        };
        (named.to_string() == text).then_some(named)
    }
}

/// The calls that carry an idempotency key. Expiring a link carries none, since a repeat changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AdyenStep {
    Link,
    Payment,
    Details,
    Cancel,
    Refund,
}

/// Returns the idempotency key of a step. It is derived, so that every repeat has the same key.
///
/// At most 64 characters (<https://docs.adyen.com/development-resources/api-idempotency>, read 2026-11-26).
pub(super) fn key(request: RequestId, step: AdyenStep, count: u32) -> String {
    let step = match step {
        AdyenStep::Link => "link",
        AdyenStep::Payment => "payment",
        AdyenStep::Details => "details",
        AdyenStep::Cancel => "cancel",
        AdyenStep::Refund => "refund",
    };
    derive(&format!("adyen/v1|{request}|{step}|{count}"), step, count)
}

/// Returns the idempotency key of a reversal. An attempt may have several payments, and each has a key of its own.
pub(super) fn reversal_key(late: &LateReversal<'_>) -> String {
    let LateReversal { request, attempt_no, payment } = late;
    let text = format!("adyen/v1|{request}|reversal|{attempt_no}|{}", payment.0);
    derive(&text, "reversal", *attempt_no)
}

fn derive(text: &str, step: &str, count: u32) -> String {
    let mut digest = digest_hex(text.as_bytes());
    digest.truncate(32);
    format!("{step}-{count}-{digest}")
}

/// Returns whether a text is an id of Adyen's. Nothing else ever reaches a path.
pub(super) fn is_psp(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Returns whether a text is the id of a payment link.
pub(super) fn is_link(text: &str) -> bool {
    text.strip_prefix("PL").is_some_and(is_psp)
}

#[cfg(test)]
mod tests {
    use domain::processor_result::Reference;

    use super::*;

    fn request() -> RequestId {
        "req_01J00000000000000000000000".parse().unwrap()
    }

    #[test]
    fn merchant_reference_round_trips_and_other_texts_are_refused() {
        let request = request();
        for named in [
            MerchantReference::Attempt { request, attempt_no: 1 },
            MerchantReference::End { request, attempt_no: 12 },
            MerchantReference::Refund { request, seq: 3 },
        ] {
            let text = named.to_string();
            assert_eq!(MerchantReference::read(&text), Some(named));
            assert!(text.len() <= 80 && !text.contains(':'));
        }
        for bad in ["", "order 7", "req_1.1", ".1", "a.b.c"] {
            assert_eq!(MerchantReference::read(bad), None, "{bad}");
        }
        for end in ["", ".", ".01", ".+1", ".r", ".r-1", ".1.c.c", ".1.d", ".4294967296", ".1 "] {
            assert_eq!(MerchantReference::read(&format!("{request}{end}")), None, "{end}");
        }
    }

    #[test]
    fn idempotency_keys_are_unique_per_step_and_at_most_64_long() {
        let steps = [
            AdyenStep::Link,
            AdyenStep::Payment,
            AdyenStep::Details,
            AdyenStep::Cancel,
            AdyenStep::Refund,
        ];
        let mut keys = std::collections::BTreeSet::new();
        for step in steps {
            for count in [1, 2, u32::MAX] {
                let key = key(request(), step, count);
                assert!(key.len() <= 64, "{key}");
                keys.insert(key);
            }
        }
        for (attempt_no, payment) in [(1, "A"), (2, "A"), (1, "B")] {
            let payment = &Reference(payment.to_owned());
            let key = reversal_key(&LateReversal { request: request(), attempt_no, payment });
            assert!(key.len() <= 64, "{key}");
            keys.insert(key);
        }
        assert_eq!(keys.len(), 18);
    }
}
