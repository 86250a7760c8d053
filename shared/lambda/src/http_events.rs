//! API Gateway's HTTP events (payload format 2.0) in, and answers out.
//!
//! `lambda_http` does this too, for five kinds of event, and stops the process when a path does not parse: HTTP APIs hand
//! paths over decoded, so `/v1/requests/a%20b` would be enough.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt::Write;

use axum::Router;
use axum::body::Body;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use http_body_util::BodyExt;
use lambda_runtime::{LambdaEvent, service_fn};
use serde::{Deserialize, Serialize};
use tower_service::Service;

/// A call, as an HTTP API hands it to a function.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Call {
    raw_path: String,
    #[serde(default)]
    raw_query_string: String,
    #[serde(default)]
    cookies: Vec<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    request_context: Context,
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

#[derive(Debug, Deserialize)]
struct Context {
    http: Line,
    stage: String,
}

#[derive(Debug, Deserialize)]
struct Line {
    method: String,
}

/// An answer, as an HTTP API takes it from a function.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// The status.
    pub status_code: u16,
    /// The headers, several values of one name joined by commas.
    pub headers: BTreeMap<String, String>,
    /// The values of `set-cookie`, which commas would not join.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cookies: Vec<String>,
    /// The body.
    pub body: String,
    /// Whether the body is base64, as what is not text has to be.
    pub is_base64_encoded: bool,
}

/// A call that is no HTTP.
#[derive(Debug, thiserror::Error)]
#[error("the event is not an HTTP call")]
struct NotHttp;

/// Serves HTTP calls until Lambda ends the process.
///
/// # Errors
/// When the Lambda runtime does not answer.
pub async fn serve_http(router: Router) -> Result<(), lambda_runtime::Error> {
    let router = &router;
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Call>| {
        Ok::<_, lambda_runtime::Error>(answer(router, event.payload).await)
    }))
    .await
}

/// Answers one call.
pub async fn answer(router: &Router, call: Call) -> Answer {
    let Ok(request) = request(call) else {
        return Answer::empty(StatusCode::BAD_REQUEST);
    };
    let answered: Result<_, Infallible> = router.clone().call(request).await;
    let Ok(response) = answered;
    let (parts, body) = response.into_parts();
    match body.collect().await {
        Ok(body) => Answer::new(parts.status, &parts.headers, body.to_bytes()),
        Err(error) => {
            tracing::error!(%error, "an answer's body broke off");
            Answer::empty(StatusCode::INTERNAL_SERVER_ERROR)
        }
    }
}

fn request(call: Call) -> Result<http::Request<Body>, NotHttp> {
    let method = Method::from_bytes(call.request_context.http.method.as_bytes());
    let body = match call.body {
        None => Bytes::new(),
        Some(text) if call.is_base64_encoded => STANDARD.decode(text).or(Err(NotHttp))?.into(),
        Some(text) => text.into(),
    };
    let mut uri = encoded(without_stage(&call.raw_path, &call.request_context.stage));
    if !call.raw_query_string.is_empty() {
        uri.push('?');
        uri.push_str(&call.raw_query_string);
    }
    let mut request = http::Request::new(Body::from(body));
    *request.method_mut() = method.or(Err(NotHttp))?;
    *request.uri_mut() = uri.parse().or(Err(NotHttp))?;
    *request.headers_mut() = headers(&call.headers, &call.cookies)?;
    Ok(request)
}

fn headers(headers: &BTreeMap<String, String>, cookies: &[String]) -> Result<HeaderMap, NotHttp> {
    let mut map = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes()).or(Err(NotHttp))?;
        map.append(name, HeaderValue::from_bytes(value.as_bytes()).or(Err(NotHttp))?);
    }
    if !cookies.is_empty() {
        let joined = HeaderValue::from_str(&cookies.join("; ")).or(Err(NotHttp))?;
        map.insert(header::COOKIE, joined);
    }
    Ok(map)
}

/// The path as the router knows it: a stage with a name of its own comes first in what API Gateway hands over.
fn without_stage<'a>(path: &'a str, stage: &str) -> &'a str {
    match path.strip_prefix('/').and_then(|path| path.strip_prefix(stage)) {
        Some("") => "/",
        Some(rest) if rest.starts_with('/') => rest,
        Some(_) | None => path,
    }
}

/// The path with all that has no place in one written as `%XX`, and what is written so already left alone.
fn encoded(path: &str) -> String {
    let mut text = String::with_capacity(path.len());
    for (place, byte) in path.bytes().enumerate() {
        let escape = || {
            path.as_bytes()
                .get(place + 1..place + 3)
                .is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit))
        };
        let plain = match byte {
            b'%' => escape(),
            b'/' | b'-' | b'.' | b'_' | b'~' | b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*'
            | b'+' | b',' | b';' | b'=' | b':' | b'@' => true,
            other => other.is_ascii_alphanumeric(),
        };
        if plain {
            text.push(char::from(byte));
        } else if write!(text, "%{byte:02X}").is_err() {
            break;
        }
    }
    text
}

impl Answer {
    fn empty(status: StatusCode) -> Self {
        Self::new(status, &HeaderMap::new(), Bytes::new())
    }

    fn new(status: StatusCode, headers: &HeaderMap, body: Bytes) -> Self {
        let mut joined = BTreeMap::<String, String>::new();
        let mut cookies = Vec::new();
        for (name, value) in headers {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            if *name == header::SET_COOKIE {
                cookies.push(value);
            } else if let Some(values) = joined.get_mut(name.as_str()) {
                values.push_str(", ");
                values.push_str(&value);
            } else {
                joined.insert(name.as_str().to_owned(), value);
            }
        }
        let (body, is_base64_encoded) = match String::from_utf8(body.into()) {
            Ok(text) => (text, false),
            Err(error) => (STANDARD.encode(error.as_bytes()), true),
        };
        Self { status_code: status.as_u16(), headers: joined, cookies, body, is_base64_encoded }
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::any;
    use serde_json::json;

    use super::*;

    /// Answers with what it was asked.
    async fn echo(request: axum::extract::Request) -> http::Response<Body> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        http::Response::builder()
            .status(201)
            .header("x-line", format!("{} {}", parts.method, parts.uri))
            .header(
                "x-cookie",
                parts.headers.get("cookie").cloned().unwrap_or(HeaderValue::from_static("")),
            )
            .header("vary", "a")
            .header("vary", "b")
            .header("set-cookie", "one=1; Secure")
            .header("set-cookie", "two=2; Secure")
            .body(Body::from(body))
            .unwrap()
    }

    async fn asked(event: serde_json::Value) -> serde_json::Value {
        let router = Router::new().fallback(any(echo));
        let call = serde_json::from_value(event).unwrap();
        serde_json::to_value(answer(&router, call).await).unwrap()
    }

    fn get(path: &str, stage: &str) -> serde_json::Value {
        json!({"version": "2.0", "rawPath": path, "rawQueryString": "", "headers": {},
               "requestContext": {"stage": stage, "http": {"method": "GET"}}})
    }

    #[tokio::test]
    async fn a_call_arrives_whole_and_its_answer_leaves_whole() {
        let mut event = get("/v1/requests", "$default");
        event["rawQueryString"] = json!("session=CA%201&after=2");
        event["cookies"] = json!(["__Host-a=1", "b=2"]);
        event["requestContext"]["http"]["method"] = json!("POST");
        event["body"] = json!("aGVsbG8=");
        event["isBase64Encoded"] = json!(true);
        let answer = asked(event).await;
        assert_eq!(answer["statusCode"], 201);
        assert_eq!(answer["headers"]["x-line"], "POST /v1/requests?session=CA%201&after=2");
        assert_eq!(answer["headers"]["x-cookie"], "__Host-a=1; b=2");
        assert_eq!(answer["headers"]["vary"], "a, b");
        assert_eq!(answer["cookies"], json!(["one=1; Secure", "two=2; Secure"]));
        assert_eq!((&answer["body"], &answer["isBase64Encoded"]), (&json!("hello"), &json!(false)));
    }

    #[tokio::test]
    async fn what_is_not_text_travels_as_base64() {
        let mut event = get("/", "$default");
        event["body"] = json!("/wA=");
        event["isBase64Encoded"] = json!(true);
        let answer = asked(event).await;
        assert_eq!((&answer["body"], &answer["isBase64Encoded"]), (&json!("/wA="), &json!(true)));
    }

    #[tokio::test]
    async fn a_stage_s_name_is_not_part_of_the_path() {
        for (path, stage, line) in [
            ("/live/v1/requests", "live", "GET /v1/requests"),
            ("/live", "live", "GET /"),
            ("/livery", "live", "GET /livery"),
            ("/v1/requests", "$default", "GET /v1/requests"),
        ] {
            assert_eq!(asked(get(path, stage)).await["headers"]["x-line"], line);
        }
    }

    #[tokio::test]
    async fn a_path_that_was_decoded_is_encoded_again() {
        for (path, line) in [
            ("/v1/requests/a b", "GET /v1/requests/a%20b"),
            ("/sandbox/phones/+15551230001/messages", "GET /sandbox/phones/+15551230001/messages"),
            ("/sandbox/phones/%2B1555/messages", "GET /sandbox/phones/%2B1555/messages"),
            ("/c/50%/é?#", "GET /c/50%25/%C3%A9%3F%23"),
        ] {
            assert_eq!(asked(get(path, "$default")).await["headers"]["x-line"], line);
        }
    }

    #[tokio::test]
    async fn an_event_that_is_no_http_is_answered_and_stops_nothing() {
        for (name, value) in
            [("rawQueryString", json!("a b\u{7f}")), ("headers", json!({"a b": "c"}))]
        {
            let mut event = get("/", "$default");
            event[name] = value;
            assert_eq!(asked(event).await["statusCode"], 400);
        }
        let mut event = get("/", "$default");
        event["body"] = json!("?");
        event["isBase64Encoded"] = json!(true);
        assert_eq!(asked(event).await["statusCode"], 400);
    }
}
