//! Answers platforms that invoke the function themselves, in a function that answers HTTP calls too.

use axum::Router;
use lambda_http::{Error, LambdaEvent};
use ports::{Invocation, Invocations};
use serde_json::Value;

use crate::http::{self, Answer};

/// The function was invoked with a malformed HTTP call. The error does not quote it.
#[derive(Debug, thiserror::Error)]
#[error("event is no HTTP call")]
struct MalformedCall;

/// Answers an HTTP call, or the invocation of a platform, by the shape of the event.
///
/// ```
/// # use axum::Router;
/// # use lambda_events::{Context, LambdaEvent, answer_or_invoke};
/// # use ports::{Invocation, InvocationError, Invocations};
/// /// Answers with the event.
/// struct Echo;
///
/// #[async_trait::async_trait]
/// impl Invocations for Echo {
///     async fn invoke(&self, invocation: Invocation) -> Result<serde_json::Value, InvocationError> {
///         Ok(invocation.event)
///     }
/// }
///
/// let event = LambdaEvent::new(serde_json::json!({ "Name": "ContactFlowEvent" }), Context::default());
/// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
/// let answered = runtime.block_on(answer_or_invoke(&Router::new(), &Echo, event)).unwrap();
/// assert_eq!(answered["Name"], "ContactFlowEvent");
/// ```
///
/// # Errors
/// What the invocation ends in, and an error for an HTTP call that does not parse.
pub async fn answer_or_invoke(
    router: &Router,
    invocations: &dyn Invocations,
    event: LambdaEvent<Value>,
) -> Result<Answer, Error> {
    let LambdaEvent { payload, context, .. } = event;
    if payload.get("requestContext").is_some() {
        let call = serde_json::from_value(payload).or(Err(MalformedCall))?;
        return http::answer(router, LambdaEvent::new(call, context)).await;
    }
    let (id, function_arn) = (context.request_id, context.invoked_function_arn);
    Ok(invocations.invoke(Invocation { event: payload, id, function_arn }).await?)
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use lambda_http::Context;
    use ports::InvocationError;
    use serde_json::json;

    use super::*;

    struct EchoOfContext;

    #[async_trait::async_trait]
    impl Invocations for EchoOfContext {
        async fn invoke(&self, invocation: Invocation) -> Result<Value, InvocationError> {
            if invocation.event.is_null() {
                return Err(InvocationError("failed"));
            }
            Ok(json!([invocation.id, invocation.function_arn]))
        }
    }

    async fn invoke(event: Value) -> Result<Answer, String> {
        let router = Router::new().route("/mcp", get(async || "a page"));
        let mut context = Context::default();
        context.request_id = "8476a536".to_owned();
        context.invoked_function_arn =
            "arn:aws:lambda:eu-west-1:123456789012:function:a".to_owned();
        let answered =
            answer_or_invoke(&router, &EchoOfContext, LambdaEvent::new(event, context)).await;
        answered.map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn event_is_told_apart_by_its_shape() {
        let call = json!({
            "version": "2.0", "rawPath": "/mcp", "rawQueryString": "", "headers": {},
            "requestContext": {"stage": "$default", "http": {"method": "GET"}},
        });
        assert_eq!(invoke(call).await.unwrap()["body"], "a page");
        let arn = "arn:aws:lambda:eu-west-1:123456789012:function:a";
        assert_eq!(invoke(json!({ "Details": {} })).await, Ok(json!(["8476a536", arn])));
        assert_eq!(invoke(Value::Null).await, Err("failed".to_owned()));
        let broken = json!({ "requestContext": "+15551230001" });
        assert_eq!(invoke(broken).await, Err("event is no HTTP call".to_owned()));
    }
}
