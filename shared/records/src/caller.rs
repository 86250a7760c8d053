//! The caller of an HTTP function: the id of its call and its address, in headers of the edge alone.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::caller::Caller;
use domain::values::time::Timestamp;
use http::header::{HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use http::request::Parts;

/// The id of a call, in its answer.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The address of a caller, within this process.
const SOURCE: HeaderName = HeaderName::from_static("x-assent-source");

/// The most characters of a browser's name that are kept.
const AGENT_MAX: usize = 256;

/// Writes the caller into the headers of a call, in place of what the caller sent under these names.
///
/// The server in front tells the caller in the extensions of the call. A call without an id gets one.
pub fn stamp(parts: &mut Parts, now: Timestamp) {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    let known = parts.extensions.get::<Caller>().cloned().unwrap_or_default();
    let headers = &mut parts.headers;
    headers.remove(REQUEST_ID);
    headers.remove(SOURCE);
    let own = || format!("{:x}-{:x}", now.as_millis(), COUNT.fetch_add(1, Ordering::Relaxed));
    let id = if is_id(&known.call) { known.call } else { own() };
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID, id);
    }
    let source = known.source.map(|source| HeaderValue::from_str(&source.to_string()));
    if let Some(Ok(source)) = source {
        headers.insert(SOURCE, source);
    }
}

/// Reads the caller from headers that were stamped.
#[must_use]
pub fn of(headers: &HeaderMap) -> Caller {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let source = text(SOURCE).and_then(|source| source.parse::<IpAddr>().ok());
    let call = text(REQUEST_ID).unwrap_or_default().to_owned();
    Caller { call, source, ..Caller::default() }
}

/// Reads a customer who visits a page, with their browser's name for itself. It is evidence of a reply.
#[must_use]
pub fn visitor(headers: &HeaderMap) -> Caller {
    let agent = headers.get(USER_AGENT).and_then(|value| value.to_str().ok());
    let agent = agent.map(|agent| agent.chars().take(AGENT_MAX).collect());
    Caller { user_agent: agent, ..of(headers) }
}

/// Returns whether a text is an id of a call: 1 to 64 characters of base64 or of a UUID.
fn is_id(text: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-_=+/".contains(&b);
    (1..=64).contains(&text.len()) && text.bytes().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_694_400_000);

    fn stamped(known: Option<Caller>) -> Caller {
        let mut call = http::Request::get("/").header("x-assent-source", "192.0.2.66");
        call = call.header("x-request-id", "chosen by the caller").header("x-request-id", "b");
        let (mut parts, ()) = call.body(()).unwrap().into_parts();
        if let Some(known) = known {
            parts.extensions.insert(known);
        }
        stamp(&mut parts, NOW);
        assert_eq!(parts.headers.get_all(REQUEST_ID).iter().count(), 1);
        of(&parts.headers)
    }

    #[test]
    fn caller_is_who_the_server_says_and_not_the_headers() {
        let source = Some([203, 0, 113, 9].into());
        let known = Caller { call: "JKJaXmPLvHcESHA=".to_owned(), source, ..Caller::default() };
        assert_eq!(stamped(Some(known.clone())), known);
        let first = stamped(None);
        assert_eq!(first.source, None);
        assert!(is_id(&first.call), "{}", first.call);
        assert_ne!(stamped(None).call, first.call);
    }

    #[test]
    fn malformed_id_is_replaced() {
        for bad in ["", "a b", "x\r\ny: z", &"x".repeat(65)] {
            let call = stamped(Some(Caller { call: bad.to_owned(), ..Caller::default() })).call;
            assert!(is_id(&call) && call != bad, "{call}");
        }
    }

    #[test]
    fn visitor_has_a_bounded_name_of_the_browser() {
        let mut headers = HeaderMap::new();
        assert_eq!(visitor(&headers).user_agent, None);
        headers.insert(USER_AGENT, "x".repeat(5_000).parse().unwrap());
        assert_eq!(visitor(&headers).user_agent.map(|agent| agent.len()), Some(256));
        headers.insert(USER_AGENT, HeaderValue::from_bytes(b"\xff\xfe").unwrap());
        assert_eq!(visitor(&headers).user_agent, None);
    }
}
