//! Compresses consent pages. Nothing in front of the function does.
//!
//! API Gateway compresses the answers of REST APIs alone, and ours is an HTTP API
//! (<https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-gzip-compression-decompression.html>, read
//! 2026-11-26). `local` has nothing in front.

use std::io::Write;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::Response;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue, VARY};
use http::request::Parts;

/// Shorter bodies are sent as they are: the headers would cost more.
const LENGTH_MIN: usize = 1024;

/// Compresses a consent page for a browser that accepts gzip. Every other answer stays as it is.
///
/// Who chooses a part of a compressed page could learn a secret on it from its length (BREACH). A stranger lacks the secret
/// address of a consent page, so they choose nothing there. Pages of other paths repeat parts of their query.
pub(crate) fn compressed(asked: &Parts, answer: Response<Bytes>) -> Response<Bytes> {
    let kind = answer.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let is_html = kind.is_some_and(|kind| kind.starts_with("text/html"));
    let is_page = asked.uri.path().starts_with("/c/") && is_html;
    if !is_page {
        return answer;
    }
    let (mut parts, body) = answer.into_parts();
    parts.headers.append(VARY, HeaderValue::from_static("accept-encoding"));
    if body.len() < LENGTH_MIN || !accepts_gzip(&asked.headers) {
        return Response::from_parts(parts, body);
    }
    let body = match gzip(&body) {
        Some(shorter) => {
            parts.headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            shorter
        }
        None => body,
    };
    Response::from_parts(parts, body)
}

fn gzip(body: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).ok()?;
    Some(encoder.finish().ok()?.into())
}

/// Returns whether a caller names gzip among its codings, with a weight above zero (RFC 9110, 12.5.3).
fn accepts_gzip(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(ACCEPT_ENCODING).into_iter();
    let mut codings = lines.filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(','));
    codings.any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let weight = weight.trim().strip_prefix("q=");
        let is_refused = weight.and_then(|weight| weight.trim().parse::<f64>().ok()) == Some(0.0);
        name.trim().eq_ignore_ascii_case("gzip") && !is_refused
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_accepted_where_it_is_named() {
        for (accepted, line) in [
            (true, "gzip"),
            (true, "gzip, deflate, br, zstd"),
            (true, "br;q=1.0, GZIP;q=0.001"),
            (false, ""),
            (false, "br"),
            (false, "identity"),
            (false, "gzip;q=0"),
            (false, "gzip; q=0.000, br"),
            (false, "not-gzip"),
        ] {
            let headers = HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static(line))]);
            assert_eq!(accepts_gzip(&headers), accepted, "{line}");
        }
        assert!(!accepts_gzip(&HeaderMap::new()));
    }
}
