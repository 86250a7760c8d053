//! What attempts and refunds are called at Adyen, so that a webhook says whose news it is; and the keys of their calls.

use std::fmt;

use domain::ports::{Reference, ReportedResult};
use domain::values::id::RequestId;
use domain::values::time::Timestamp;
use sha2::{Digest, Sha256};

/// What a merchant reference of ours names. None of its texts has a colon, as webhooks are signed with colons in between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// An attempt: `req_….1`.
    Attempt { request: RequestId, attempt_no: u32 },
    /// What ends an attempt: `req_….1.c`.
    End { request: RequestId, attempt_no: u32 },
    /// A refund: `req_….r1`.
    Refund { request: RequestId, seq: u32 },
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Attempt { request, attempt_no } => write!(f, "{request}.{attempt_no}"),
            Self::End { request, attempt_no } => write!(f, "{request}.{attempt_no}.c"),
            Self::Refund { request, seq } => write!(f, "{request}.r{seq}"),
        }
    }
}

impl Named {
    /// Reads a merchant reference; `None` for what we did not write.
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

/// The calls that carry a key. Expiring a link carries none: done twice it is the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Link,
    Payment,
    Details,
    Cancel,
    Reversal,
    Refund,
}

/// The idempotency key of a step, at most 64 characters: a function of what it is for, so that every repeat has the same.
pub(super) fn key(request: RequestId, step: Step, count: u32) -> String {
    let step = match step {
        Step::Link => "link",
        Step::Payment => "payment",
        Step::Details => "details",
        Step::Cancel => "cancel",
        Step::Reversal => "reversal",
        Step::Refund => "refund",
    };
    let digest = Sha256::digest(format!("adyen/v1|{request}|{step}|{count}"));
    let mut text = hex::encode(digest);
    text.truncate(32);
    format!("{step}-{count}-{text}")
}

/// What is remembered of an authorisation that a webhook told: its signed values, and when we heard of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Paid {
    /// Adyen's own id of the payment.
    pub(super) psp: String,
    /// As Adyen counts it.
    pub(super) value: u64,
    /// The currency's code.
    pub(super) currency: String,
    /// When we heard.
    pub(super) at: Timestamp,
}

impl Paid {
    /// As it is kept: nothing but the text survives until the attempt is looked at.
    pub(super) fn to_reference(&self) -> Reference {
        let Self { psp, value, currency, at } = self;
        Reference(format!("{psp} {value} {currency} {}", at.as_millis()))
    }

    /// Reads what was kept of a success.
    pub(super) fn of(reported: &ReportedResult) -> Option<Self> {
        let mut parts = reported.reference.0.split(' ');
        let mut part = || parts.next().map(str::to_owned);
        let (psp, value, currency, at) = (part()?, part()?, part()?, part()?);
        let at = Timestamp::from_millis(at.parse().ok()?);
        let paid = Self { psp, value: value.parse().ok()?, currency, at };
        (reported.success && parts.next().is_none() && is_psp(&paid.psp)).then_some(paid)
    }
}

/// Whether a text is an id of Adyen's. Nothing else ever reaches a path.
pub(super) fn is_psp(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Whether a text is the id of a payment link.
pub(super) fn is_link(text: &str) -> bool {
    text.strip_prefix("PL").is_some_and(is_psp)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> RequestId {
        "req_01J00000000000000000000000".parse().unwrap()
    }

    #[test]
    fn what_we_write_is_read_back_and_nothing_else_is() {
        let request = request();
        for named in [
            Named::Attempt { request, attempt_no: 1 },
            Named::End { request, attempt_no: 12 },
            Named::Refund { request, seq: 3 },
        ] {
            let text = named.to_string();
            assert_eq!(Named::read(&text), Some(named));
            assert!(text.len() <= 80 && !text.contains(':'));
        }
        for bad in ["", "order 7", "req_1.1", ".1", "a.b.c"] {
            assert_eq!(Named::read(bad), None, "{bad}");
        }
        for end in ["", ".", ".01", ".+1", ".r", ".r-1", ".1.c.c", ".1.d", ".4294967296", ".1 "] {
            assert_eq!(Named::read(&format!("{request}{end}")), None, "{end}");
        }
    }

    #[test]
    fn every_step_of_every_attempt_has_a_key_of_its_own_that_fits() {
        let steps =
            [Step::Link, Step::Payment, Step::Details, Step::Cancel, Step::Reversal, Step::Refund];
        let mut keys = std::collections::BTreeSet::new();
        for step in steps {
            for count in [1, 2, u32::MAX] {
                let key = key(request(), step, count);
                assert!(key.len() <= 64, "{key}");
                keys.insert(key);
            }
        }
        assert_eq!(keys.len(), 18);
    }

    #[test]
    fn an_authorisation_is_remembered_whole() {
        let at = Timestamp::from_millis(1_767_225_600_000);
        let paid = Paid { psp: "7914073381342284".into(), value: 1999, currency: "EUR".into(), at };
        let reported = ReportedResult { success: true, reference: paid.to_reference(), code: None };
        assert_eq!(Paid::of(&reported), Some(paid));
        let refused = ReportedResult { success: false, ..reported };
        assert_eq!(Paid::of(&refused), None);
        let damaged = ReportedResult {
            reference: Reference("a/b 1 EUR 1".into()),
            success: true,
            code: None,
        };
        assert_eq!(Paid::of(&damaged), None);
    }
}
