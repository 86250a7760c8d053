//! The loops over Lambda's events, until Lambda ends the process.

use std::time::Duration;

use axum::Router;
use domain::values::time::Timestamp;
use lambda_events::{Batch, Call, answer, answer_or_invoke, answer_or_receive, report};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use ports::Clock;
use ports::{Handler, Invocations, Listener};
use serde_json::Value;

use crate::clock::SystemClock;

/// How long before the function's time-out a message is given up, so that the other messages are still reported.
const LAST_WORD: Duration = Duration::from_secs(1);
/// The time of a batch where the runtime names no deadline in the future, as under `cargo lambda watch`.
const TIME_WITHOUT_DEADLINE: Duration = Duration::from_secs(30);

/// Serves HTTP calls until Lambda ends the process.
///
/// ```no_run
/// use axum::Router;
/// use axum::routing::get;
///
/// # async fn example() -> Result<(), lambda::Error> {
/// // It calls the Lambda runtime, which a test does not have.
/// lambda::serve_http(Router::new().route("/health", get(async || "well"))).await
/// # }
/// ```
///
/// # Errors
/// When the Lambda runtime does not answer.
pub async fn serve_http(router: Router) -> Result<(), Error> {
    let router = &router;
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Call>| answer(router, event).await))
        .await
}

/// Serves HTTP calls and topics' messages until Lambda ends the process.
///
/// ```no_run
/// # async fn example(router: axum::Router, listener: impl ports::Listener) -> Result<(), lambda::Error> {
/// lambda::serve_http_and_topics(router, listener).await
/// # }
/// ```
///
/// An invocation fails when it could not record a topic's message. Lambda retries it, and moves the event to the function's
/// dead letters in the end.
///
/// # Errors
/// When the Lambda runtime does not answer.
pub async fn serve_http_and_topics(router: Router, listener: impl Listener) -> Result<(), Error> {
    let (router, listener) = (&router, &listener);
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Value>| {
        answer_or_receive(router, listener, event).await
    }))
    .await
}

/// Serves HTTP calls and the invocations of platforms until Lambda ends the process.
///
/// ```no_run
/// # async fn example(router: axum::Router, platforms: impl ports::Invocations) -> Result<(), lambda::Error> {
/// lambda::serve_http_and_invocations(router, platforms).await
/// # }
/// ```
///
/// # Errors
/// When the Lambda runtime does not answer.
pub async fn serve_http_and_invocations(
    router: Router,
    invocations: impl Invocations,
) -> Result<(), Error> {
    let (router, invocations) = (&router, &invocations);
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Value>| {
        answer_or_invoke(router, invocations, event).await
    }))
    .await
}

/// Serves batches until Lambda ends the process.
///
/// ```no_run
/// # async fn example(function: impl ports::Handler) -> Result<(), lambda::Error> {
/// lambda::serve_queue(function).await
/// # }
/// ```
///
/// # Errors
/// When the Lambda runtime does not answer.
pub async fn serve_queue(handler: impl Handler) -> Result<(), Error> {
    let handler = &handler;
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Batch>| {
        let deadline = i64::try_from(event.context.deadline).map_or(i64::MAX, |millis| millis);
        let time = time_left(SystemClock.now(), Timestamp::from_millis(deadline));
        let report = report(handler, event.payload, time.saturating_sub(LAST_WORD)).await;
        Ok::<_, Error>(report)
    }))
    .await
}

/// Returns the time until a deadline. On Lambda it is never over when a run begins.
fn time_left(now: Timestamp, deadline: Timestamp) -> Duration {
    if deadline <= now { TIME_WITHOUT_DEADLINE } else { now.until(deadline) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_without_a_deadline_is_that_of_the_template() {
        let now = Timestamp::from_millis(1_795_651_200_000);
        assert_eq!(time_left(now, now.after(Duration::from_secs(9))), Duration::from_secs(9));
        // `cargo lambda watch` names ten minutes after 1970 began.
        assert_eq!(time_left(now, Timestamp::from_millis(600_000)), TIME_WITHOUT_DEADLINE);
    }
}
