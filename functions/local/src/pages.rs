//! The files of the phone, built into the program.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";

/// Every file, with its path, content type and text.
const FILES: [(&str, &str, &str); 7] = [
    ("/phone", HTML, include_str!("../pages/phone.html")),
    ("/assets/common.css", CSS, include_str!("../pages/common.css")),
    ("/assets/common.js", JS, include_str!("../pages/common.js")),
    ("/assets/icon.svg", "image/svg+xml", include_str!("../pages/icon.svg")),
    ("/assets/message_styles.js", JS, include_str!("../pages/message_styles.js")),
    ("/assets/phone.css", CSS, include_str!("../pages/phone.css")),
    ("/assets/phone.js", JS, include_str!("../pages/phone.js")),
];

/// The desk of this machine shows the phone beside itself.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; \
    base-uri 'none'; form-action 'self'; frame-ancestors 'self'";

/// Returns the file at a path.
pub(crate) fn file(path: &str) -> Option<Response<Bytes>> {
    let (_, content_type, text) = FILES.iter().find(|(known, ..)| *known == path)?;
    let mut answer = Response::new(Bytes::from_static(text.as_bytes()));
    *answer.status_mut() = StatusCode::OK;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Some(answer)
}
