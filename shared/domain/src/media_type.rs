//! The media type of a call's body.

use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};

use crate::problem::{Code, Problem};

/// Refuses a body that says to be anything but JSON in UTF-8. A body without a `Content-Type` is read as JSON.
///
/// # Errors
/// [`Code::UnsupportedMediaType`].
pub fn require_json(headers: &HeaderMap, body: &[u8]) -> Result<(), Problem> {
    let text =
        |name| headers.get_all(name).iter().map(|value| value.to_str().unwrap_or("unreadable"));
    let problem = |detail: &str| Err(Problem::new(Code::UnsupportedMediaType, detail));
    if body.is_empty() {
        return Ok(());
    }
    if !text(CONTENT_TYPE).all(is_json) {
        return problem("the body's `Content-Type` is not `application/json` in UTF-8");
    }
    if !text(CONTENT_ENCODING).all(|coding| coding.trim().eq_ignore_ascii_case("identity")) {
        return problem("the body has a `Content-Encoding`; send it without one");
    }
    Ok(())
}

/// Returns whether a `Content-Type` is `application/json` or one of its relatives (RFC 6839), and of no other character set.
fn is_json(content_type: &str) -> bool {
    let mut parts = content_type.split(';');
    let essence = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_relative = essence.starts_with("application/") && essence.ends_with("+json");
    let is_utf8 = parts.all(|parameter| {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let value = value.trim().trim_matches('"');
        !name.trim().eq_ignore_ascii_case("charset")
            || ["utf-8", "utf8", "us-ascii"].iter().any(|known| value.eq_ignore_ascii_case(known))
    });
    (essence == "application/json" || is_relative) && is_utf8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts(pairs: &[(http::HeaderName, &str)], body: &[u8]) -> bool {
        let headers = pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap()));
        require_json(&headers.collect(), body).is_ok()
    }

    #[test]
    fn json_in_utf_8_is_accepted() {
        for content_type in [
            "application/json",
            "Application/JSON",
            "application/json;charset=utf-8",
            "application/json; charset=\"UTF-8\"",
            "application/json; profile=x; charset=us-ascii",
            "application/problem+json",
            "application/vnd.acme+json; v=1",
        ] {
            assert!(accepts(&[(CONTENT_TYPE, content_type)], b"{}"), "{content_type}");
        }
        assert!(accepts(&[], b"{}"));
        assert!(accepts(&[(CONTENT_ENCODING, "identity")], b"{}"));
    }

    #[test]
    fn body_of_another_type_is_refused() {
        for content_type in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "application/xml",
            "application/jsonp",
            "application/json, text/plain",
            "image/svg+json-not",
            "text/x+json",
            "application/json; charset=utf-16",
            "",
        ] {
            assert!(!accepts(&[(CONTENT_TYPE, content_type)], b"{}"), "{content_type}");
            assert!(accepts(&[(CONTENT_TYPE, content_type)], b""), "{content_type}");
        }
        let two = [(CONTENT_TYPE, "application/json"), (CONTENT_TYPE, "text/plain")];
        assert!(!accepts(&[(CONTENT_ENCODING, "gzip")], b"{}"));
        let mut headers = HeaderMap::new();
        for (name, value) in two {
            headers.append(name, value.parse().unwrap());
        }
        assert!(require_json(&headers, b"{}").is_err());
    }
}
