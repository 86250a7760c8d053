//! The pages that need no key: the description of the API, its documentation and the problems.

use bytes::Bytes;
use domain::digest::digest_hex;
use domain::problem::{Code, Problem};
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Response, StatusCode};
use serde_json::{Value, json};

use crate::Intake;

/// The description of the API, in `OpenAPI` 3.1.
pub const OPENAPI: &str = include_str!("../openapi.json");
/// The address in the description that stands for this installation.
const SERVER: &str = "\"http://127.0.0.1:8787\"";

const HTML: &str = "text/html; charset=utf-8";
/// The files of the documentation, with their content types.
const FILES: [(&str, &str, &str); 3] = [
    ("docs.css", "text/css; charset=utf-8", include_str!("../pages/docs.css")),
    ("docs.js", "text/javascript; charset=utf-8", include_str!("../pages/docs.js")),
    ("icon.svg", "image/svg+xml", include_str!("../pages/icon.svg")),
];
const DOCS: &str = include_str!("../pages/docs.html");
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// Caches may keep these for five minutes. A deployment may change them.
const CACHED: HeaderValue = HeaderValue::from_static("public, max-age=300");

impl Intake {
    /// `GET /openapi.json`: the description, with this installation's address. Pages of other sites may read it.
    #[must_use]
    pub fn openapi(&self, headers: &HeaderMap) -> Response<Bytes> {
        let own = Value::from(self.public_base.as_str()).to_string();
        let text = OPENAPI.replacen(SERVER, &own, 1);
        let tag = entity_tag(&text);
        let mut answer = if has_copy(headers, &tag) {
            let mut answer = Response::new(Bytes::new());
            *answer.status_mut() = StatusCode::NOT_MODIFIED;
            answer
        } else {
            document("application/json", text.into())
        };
        let headers = answer.headers_mut();
        headers.insert(header::CACHE_CONTROL, CACHED);
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        if let Ok(tag) = HeaderValue::from_str(&tag) {
            headers.insert(header::ETAG, tag);
        }
        answer
    }

    /// `GET /docs`: a page that shows the description.
    #[must_use]
    pub fn docs(&self) -> Response<Bytes> {
        document(HTML, Bytes::from_static(DOCS.as_bytes()))
    }

    /// `GET /docs/{file}`: the style and the script of the page.
    ///
    /// # Errors
    /// A [`Problem`] for a file that does not exist.
    pub fn docs_file(&self, name: &str) -> Result<Response<Bytes>, Problem> {
        let file = FILES.iter().find(|(known, ..)| *known == name);
        let Some((_, content_type, text)) = file else {
            return Err(Problem::new(Code::NotFound, "the documentation has no such file"));
        };
        Ok(document(content_type, Bytes::from_static(text.as_bytes())))
    }

    /// `GET /problems`: every code, as JSON or as a page.
    #[must_use]
    pub fn problems(&self, headers: &HeaderMap) -> Response<Bytes> {
        if !prefers_html(headers) {
            let codes = Code::ALL.iter().map(|code| self.facts(*code));
            let body = json!({ "problems": codes.collect::<Vec<_>>() });
            return negotiated("application/json", body.to_string());
        }
        let rows = Code::ALL.iter().map(|code| {
            let (code, status, title, _) = code.facts();
            let title = with_code(title);
            format!("<tr><td>{status}</td><td><a href=\"/problems/{code}\">{code}</a></td><td>{title}</td></tr>\n")
        });
        let rows: String = rows.collect();
        let head = "<tr><th scope=\"col\">Status</th><th scope=\"col\">Code</th><th scope=\"col\">Meaning</th></tr>";
        let body = format!("<h1>Problems</h1>\n<table>\n{head}\n{rows}</table>");
        negotiated(HTML, page("Problems", &body))
    }

    /// `GET /problems/{code}`: what a code means and what to do about it, as JSON or as a page.
    ///
    /// # Errors
    /// A [`Problem`] for a code that does not exist.
    pub fn explain(&self, headers: &HeaderMap, code: &str) -> Result<Response<Bytes>, Problem> {
        let Some(known) = Code::ALL.iter().find(|known| known.facts().0 == code) else {
            return Err(Problem::new(Code::NotFound, "no problem has this code"));
        };
        if !prefers_html(headers) {
            return Ok(negotiated("application/json", self.facts(*known).to_string()));
        }
        let (code, status, title, remedy) = known.facts();
        let retry = if known.is_retryable() {
            "The same call may succeed later."
        } else {
            "The same call meets the same problem again."
        };
        let body = format!(
            "<h1>{}</h1>\n<p class=\"soft\"><code>{code}</code> · HTTP {status}</p>\n<h2>What to do</h2>\n<p>{}</p>\n\
             <p>{retry}</p>\n<p><a href=\"/problems\">All problems</a></p>",
            with_code(title),
            with_code(remedy),
        );
        Ok(negotiated(HTML, page(title, &body)))
    }

    fn facts(&self, code: Code) -> Value {
        let (code, status, title, remedy) = code.facts();
        let address = format!("{}/problems/{code}", self.public_base);
        json!({ "type": address, "code": code, "status": status, "title": title, "remedy": remedy })
    }
}

/// Returns the tag of a text (RFC 9110, section 8.8.3).
pub(crate) fn entity_tag(text: &str) -> String {
    format!("\"{}\"", digest_hex(text.as_bytes()))
}

/// Returns whether the caller has a copy with this tag.
pub(crate) fn has_copy(headers: &HeaderMap, tag: &str) -> bool {
    headers.get_all(header::IF_NONE_MATCH).iter().any(|value| {
        value.to_str().is_ok_and(|known| known.split(',').any(|one| one.trim().ends_with(tag)))
    })
}

/// An answer that needs no key and may be kept for five minutes.
fn document(content_type: &'static str, body: Bytes) -> Response<Bytes> {
    let mut answer = Response::new(body);
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, CACHED);
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    let referrer = HeaderName::from_static("referrer-policy");
    headers.insert(referrer, HeaderValue::from_static("no-referrer"));
    answer
}

/// An answer that depends on what the caller accepts.
fn negotiated(content_type: &'static str, body: String) -> Response<Bytes> {
    let mut answer = document(content_type, body.into());
    answer.headers_mut().insert(header::VARY, HeaderValue::from_static("accept"));
    answer
}

fn page(title: &str, body: &str) -> String {
    let title = escaped(title);
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\">\n<title>{title} · Assent API</title>\n<link rel=\"icon\" \
         href=\"/docs/icon.svg\">\n<link rel=\"stylesheet\" href=\"/docs/docs.css\">\n</head>\n<body>\n<header>\
         <p class=\"brand\">Assent API</p><a href=\"/docs\">Documentation</a></header>\n<main class=\"page\">\n{body}\n</main>\n</body>\n</html>\n"
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Escapes a text, and marks what stands between backticks as code.
fn with_code(text: &str) -> String {
    let parts = escaped(text);
    let parts = parts.split('`').enumerate();
    parts
        .map(
            |(place, part)| {
                if place % 2 == 1 { format!("<code>{part}</code>") } else { part.to_owned() }
            },
        )
        .collect()
}

/// Returns whether a caller would rather have a page than JSON, as browsers say. A caller that takes anything gets JSON.
fn prefers_html(headers: &HeaderMap) -> bool {
    let weight = |wanted: &[&str]| {
        let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let ranges = values.flat_map(|value| value.split(','));
        let weights = ranges.filter_map(|range| {
            let mut parts = range.split(';').map(str::trim);
            let name = parts.next().unwrap_or_default().to_ascii_lowercase();
            let quality = parts.find_map(|part| part.strip_prefix("q="));
            let quality = quality.map_or(Some(1.0), |text| text.parse::<f64>().ok())?;
            wanted.contains(&name.as_str()).then_some(quality)
        });
        weights.fold(0.0, f64::max)
    };
    let json = weight(&["application/json", "application/problem+json", "application/*"]);
    let html = weight(&["text/html", "text/*", "application/xhtml+xml"]);
    html > 0.0 && html >= json
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_is_for_browsers_and_json_for_programs() {
        for (accept, html) in [
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", true),
            ("text/html", true),
            ("application/json, text/html;q=0.5", false),
            ("text/html;q=0.2, application/json;q=0.1", true),
            ("text/html;q=0", false),
            ("application/problem+json", false),
            ("application/json", false),
            ("*/*", false),
            ("", false),
        ] {
            let headers = [(header::ACCEPT, HeaderValue::from_static(accept))];
            assert_eq!(prefers_html(&headers.into_iter().collect()), html, "{accept}");
        }
        assert!(!prefers_html(&HeaderMap::new()));
    }

    #[test]
    fn code_between_backticks_is_marked_and_escaped() {
        assert_eq!(with_code("Send `a<b>` & wait."), "Send <code>a&lt;b&gt;</code> &amp; wait.");
    }

    #[test]
    fn description_names_its_server_once() {
        assert_eq!(OPENAPI.matches(SERVER).count(), 1);
    }
}
