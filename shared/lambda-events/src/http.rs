//! API Gateway's HTTP events (payload format 2.0) in, and answers out, through `lambda_http`.
//!
//! An event is made sound first. `lambda_http` stops the process when an address or a body does not parse, and HTTP APIs
//! hand paths over decoded, so `/v1/requests/a%20b` would be enough.

use std::fmt::Write;

use axum::Router;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::HOST;
use http::uri::PathAndQuery;
use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use lambda_http::request::LambdaRequest;
use lambda_http::{Adapter, Error, LambdaEvent, Service};

/// A call, as an HTTP API hands it to a function.
pub type Call = ApiGatewayV2httpRequest;

/// An answer, as an HTTP API takes it from a function.
pub type Answer = serde_json::Value;

/// A call that is no HTTP.
#[derive(Debug, thiserror::Error)]
#[error("the event is not an HTTP call")]
struct NotHttp;

/// Answers one call.
///
/// # Errors
/// When the answer cannot be written as JSON, which an answer of the router always can.
pub async fn answer(router: &Router, event: LambdaEvent<Call>) -> Result<Answer, Error> {
    let Ok(call) = sound(event.payload) else {
        return Ok(
            serde_json::json!({ "statusCode": 400, "headers": {}, "body": "", "isBase64Encoded": false }),
        );
    };
    let event = LambdaEvent::new(LambdaRequest::ApiGatewayV2(call), event.context);
    let response = Adapter::from(router.clone()).call(event).await?;
    Ok(serde_json::to_value(response)?)
}

/// The call with an address that parses and a body that decodes.
fn sound(mut call: Call) -> Result<Call, NotHttp> {
    let path = call.raw_path.unwrap_or_default();
    let stage = call.request_context.stage.take().unwrap_or_default();
    let path = encoded(without_stage(&path, &stage));
    let query = call.raw_query_string.as_deref().unwrap_or_default();
    format!("{path}?{query}").parse::<PathAndQuery>().or(Err(NotHttp))?;
    if let Some(body) = call.body.as_deref().filter(|_| call.is_base64_encoded) {
        STANDARD.decode(body).or(Err(NotHttp))?;
    }
    call.raw_path = Some(path);
    // The address is known by its path alone: what a caller wrote as host is not to be trusted, and need not parse.
    call.headers.remove(HOST);
    call.request_context.domain_name = None;
    Ok(call)
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

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::routing::any;
    use http::HeaderValue;
    use http_body_util::BodyExt;
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
            .header("set-cookie", "one=1; Secure")
            .header("set-cookie", "two=2; Secure")
            .body(Body::from(body))
            .unwrap()
    }

    async fn asked(event: serde_json::Value) -> serde_json::Value {
        let router = Router::new().fallback(any(echo));
        let call = serde_json::from_value(event).unwrap();
        answer(&router, LambdaEvent::new(call, lambda_http::Context::default())).await.unwrap()
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
        assert_eq!(answer["cookies"], json!(["one=1; Secure", "two=2; Secure"]));
        assert_eq!((&answer["body"], &answer["isBase64Encoded"]), (&json!("hello"), &json!(false)));
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
        let mut event = get("/", "$default");
        event["rawQueryString"] = json!("a b\u{7f}");
        assert_eq!(asked(event).await["statusCode"], 400);
        let mut event = get("/", "$default");
        event["headers"] = json!({"host": "a b"});
        assert_eq!(asked(event).await["statusCode"], 201);
        let mut event = get("/", "$default");
        event["body"] = json!("?");
        event["isBase64Encoded"] = json!(true);
        assert_eq!(asked(event).await["statusCode"], 400);
    }
}
