//! Answers API Gateway's HTTP events (payload format 2.0) through `lambda_http`.
//!
//! An event is normalised first: `lambda_http` stops the process for an address or a body that does not parse. HTTP APIs
//! decode paths, so the call `/v1/requests/a%20b` is enough for that.

use std::fmt::Write;

use axum::Router;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::caller::Caller;
use http::header::HOST;
use http::uri::PathAndQuery;
use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use lambda_http::request::LambdaRequest;
use lambda_http::{Adapter, Error, LambdaEvent, Service};
use tower::ServiceExt;

/// A call, as an HTTP API sends it to a function.
pub type Call = ApiGatewayV2httpRequest;

/// An answer, as an HTTP API reads it from a function.
pub type Answer = serde_json::Value;

/// The event has an address or a body that does not parse.
#[derive(Debug, thiserror::Error)]
#[error("event is no valid HTTP call")]
struct MalformedCall;

/// Answers one call.
///
/// A call that does not parse is answered with 400.
///
/// ```
/// # use axum::{Router, routing::get};
/// # use lambda_events::{Context, LambdaEvent, answer};
/// let call = serde_json::json!({
///     "version": "2.0", "rawPath": "/c/abc", "rawQueryString": "", "headers": {},
///     "requestContext": {"stage": "$default", "http": {"method": "GET"}},
/// });
/// let event = LambdaEvent::new(serde_json::from_value(call).unwrap(), Context::default());
/// let router = Router::new().route("/c/{token}", get(async || "a page"));
/// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
/// let answered = runtime.block_on(answer(&router, event)).unwrap();
/// assert_eq!(answered["body"], "a page");
/// ```
///
/// # Errors
/// If the answer does not serialise as JSON, which an answer of the router always does.
pub async fn answer(router: &Router, event: LambdaEvent<Call>) -> Result<Answer, Error> {
    let Ok(call) = normalised(event.payload) else {
        return Ok(
            serde_json::json!({ "statusCode": 400, "headers": {}, "body": "", "isBase64Encoded": false }),
        );
    };
    let caller = caller(&call);
    let event = LambdaEvent::new(LambdaRequest::ApiGatewayV2(call), event.context);
    let router = router.clone().map_request(move |mut request: lambda_http::Request| {
        request.extensions_mut().insert(caller.clone());
        request
    });
    let response = Adapter::from(router).call(event).await?;
    Ok(serde_json::to_value(response)?)
}

/// Returns the id that API Gateway gave the call, and the address that called it. No header is believed.
fn caller(call: &Call) -> Caller {
    let context = &call.request_context;
    let source = context.http.source_ip.as_deref().and_then(|source| source.parse().ok());
    let call = context.request_id.clone().unwrap_or_default();
    Caller { call, source, ..Caller::default() }
}

/// Returns the call with an address that parses and a body that decodes.
fn normalised(mut call: Call) -> Result<Call, MalformedCall> {
    let path = call.raw_path.unwrap_or_default();
    let stage = call.request_context.stage.take().unwrap_or_default();
    let path = encoded(without_stage(&path, &stage));
    let query = call.raw_query_string.as_deref().unwrap_or_default();
    format!("{path}?{query}").parse::<PathAndQuery>().or(Err(MalformedCall))?;
    if let Some(body) = call.body.as_deref().filter(|_| call.is_base64_encoded) {
        STANDARD.decode(body).or(Err(MalformedCall))?;
    }
    call.raw_path = Some(path);
    // The router needs the path alone. The caller wrote the host, which may not parse.
    call.headers.remove(HOST);
    call.request_context.domain_name = None;
    Ok(call)
}

/// Strips the name of a stage, which API Gateway puts before the path.
fn without_stage<'a>(path: &'a str, stage: &str) -> &'a str {
    match path.strip_prefix('/').and_then(|path| path.strip_prefix(stage)) {
        Some("") => "/",
        Some(rest) if rest.starts_with('/') => rest,
        Some(_) | None => path,
    }
}

/// Percent-encodes the path, and keeps escapes that it already has.
fn encoded(path: &str) -> String {
    let mut text = String::with_capacity(path.len());
    for (place, byte) in path.bytes().enumerate() {
        let escape = || {
            path.as_bytes()
                .get(place + 1..place + 3)
                .is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit))
        };
        let is_plain = match byte {
            b'%' => escape(),
            b'/' | b'-' | b'.' | b'_' | b'~' | b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*'
            | b'+' | b',' | b';' | b'=' | b':' | b'@' => true,
            other => other.is_ascii_alphanumeric(),
        };
        if is_plain {
            text.push(char::from(byte));
        } else if write!(text, "%{byte:02X}").is_err() {
            break;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::routing::any;
    use http::HeaderValue;
    use http_body_util::BodyExt;
    use serde_json::json;

    use super::*;

    /// Answers with the call that it received.
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
            .header("set-cookie", "one=1; Secure")
            .header("set-cookie", "two=2; Secure")
            .body(Body::from(body))
            .unwrap()
    }

    async fn call(event: serde_json::Value) -> serde_json::Value {
        let router = Router::new().fallback(any(echo));
        let call = serde_json::from_value(event).unwrap();
        answer(&router, LambdaEvent::new(call, lambda_http::Context::default())).await.unwrap()
    }

    fn get(path: &str, stage: &str) -> serde_json::Value {
        json!({"version": "2.0", "rawPath": path, "rawQueryString": "", "headers": {},
               "requestContext": {"stage": stage, "http": {"method": "GET"}}})
    }

    #[tokio::test]
    async fn call_and_answer_keep_every_part() {
        let mut event = get("/v1/requests", "$default");
        event["rawQueryString"] = json!("session=CA%201&after=2");
        event["cookies"] = json!(["__Host-a=1", "b=2"]);
        event["requestContext"]["http"]["method"] = json!("POST");
        event["body"] = json!("aGVsbG8=");
        event["isBase64Encoded"] = json!(true);
        let answer = call(event).await;
        assert_eq!(answer["statusCode"], 201);
        assert_eq!(answer["headers"]["x-line"], "POST /v1/requests?session=CA%201&after=2");
        assert_eq!(answer["headers"]["x-cookie"], "__Host-a=1; b=2");
        assert_eq!(answer["cookies"], json!(["one=1; Secure", "two=2; Secure"]));
        assert_eq!((&answer["body"], &answer["isBase64Encoded"]), (&json!("hello"), &json!(false)));
    }

    #[tokio::test]
    async fn stage_name_is_not_part_of_the_path() {
        for (path, stage, line) in [
            ("/live/v1/requests", "live", "GET /v1/requests"),
            ("/live", "live", "GET /"),
            ("/livery", "live", "GET /livery"),
            ("/v1/requests", "$default", "GET /v1/requests"),
        ] {
            assert_eq!(call(get(path, stage)).await["headers"]["x-line"], line);
        }
    }

    #[tokio::test]
    async fn decoded_path_is_encoded_again() {
        for (path, line) in [
            ("/v1/requests/a b", "GET /v1/requests/a%20b"),
            ("/sandbox/phones/+15551230001/messages", "GET /sandbox/phones/+15551230001/messages"),
            ("/sandbox/phones/%2B1555/messages", "GET /sandbox/phones/%2B1555/messages"),
            ("/c/50%/é?#", "GET /c/50%25/%C3%A9%3F%23"),
        ] {
            assert_eq!(call(get(path, "$default")).await["headers"]["x-line"], line);
        }
    }

    #[tokio::test]
    async fn malformed_call_is_answered_with_400() {
        let mut event = get("/", "$default");
        event["rawQueryString"] = json!("a b\u{7f}");
        assert_eq!(call(event).await["statusCode"], 400);
        let mut event = get("/", "$default");
        event["headers"] = json!({"host": "a b"});
        assert_eq!(call(event).await["statusCode"], 201);
        let mut event = get("/", "$default");
        event["body"] = json!("?");
        event["isBase64Encoded"] = json!(true);
        assert_eq!(call(event).await["statusCode"], 400);
    }
}
