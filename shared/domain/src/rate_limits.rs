//! The limits of a call, as its response tells them.
//!
//! The fields `RateLimit-Policy` and `RateLimit` of draft-ietf-httpapi-ratelimit-headers-11 of 2026-05-23
//! (<https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/>), which is no standard yet.
//! UNVERIFIED: the syntax is that of version 10 of 2025-09-27. Compare it with version 11 before relying on a client library.

use std::time::Duration;

use http::HeaderMap;
use http::header::{HeaderName, HeaderValue};

/// The rest of one limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// The limit's name.
    pub name: &'static str,
    /// The most calls in the window.
    pub most: u32,
    /// The length of the window.
    pub window: Duration,
    /// How many calls are left.
    pub left: u32,
    /// The time until more are left.
    pub reset: Duration,
}

/// The rest of every limit that a call counts against.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RateLimits(pub Vec<Quota>);

impl RateLimits {
    /// Writes both fields into a response. Without a limit, none is written.
    pub fn write(&self, headers: &mut HeaderMap) {
        let policies = self.0.iter().map(|quota| {
            let Quota { name, most, window, .. } = quota;
            format!("\"{name}\";q={most};w={}", window.as_secs())
        });
        let left = self.0.iter().map(|quota| {
            // A second that has begun counts as whole.
            let reset = quota.reset.as_millis().div_ceil(1_000);
            format!("\"{}\";r={};t={reset}", quota.name, quota.left)
        });
        let fields = [
            ("ratelimit-policy", policies.collect::<Vec<String>>()),
            ("ratelimit", left.collect::<Vec<String>>()),
        ];
        for (name, members) in fields {
            if let Ok(value) = HeaderValue::try_from(members.join(", "))
                && !members.is_empty()
            {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_written_as_lists_of_structured_items() {
        let quota = |name, left| Quota {
            name,
            most: 5,
            window: Duration::from_secs(600),
            left,
            reset: Duration::from_millis(30_001),
        };
        let mut headers = HeaderMap::new();
        RateLimits(vec![quota("one", 0), quota("two", 4)]).write(&mut headers);
        assert_eq!(headers["ratelimit-policy"], "\"one\";q=5;w=600, \"two\";q=5;w=600");
        assert_eq!(headers["ratelimit"], "\"one\";r=0;t=31, \"two\";r=4;t=31");
        let mut none = HeaderMap::new();
        RateLimits::default().write(&mut none);
        assert!(none.is_empty());
    }
}
