//! Receives SNS notifications, in a function that may answer HTTP calls too.

use axum::Router;
use domain::message::MessageResult;
use domain::values::time::Timestamp;
use lambda_http::{Error, LambdaEvent};
use ports::Listener;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::http::{self, Answer};

/// Notifications of topics, as SNS sends them to a function: a list, with one entry in practice.
#[derive(Debug, Deserialize)]
pub struct Notifications {
    /// The notifications that SNS delivers together.
    #[serde(rename = "Records")]
    pub records: Vec<Notification>,
}

/// One notification.
#[derive(Debug, Deserialize)]
pub struct Notification {
    /// The service: `aws:sns`.
    #[serde(rename = "EventSource")]
    source: EventSource,
    #[serde(rename = "Sns")]
    published: PublishedMessage,
}

#[derive(Debug, Deserialize)]
enum EventSource {
    #[serde(rename = "aws:sns")]
    Sns,
}

/// A published message. It may hold personal data, so its debug form has the topic alone.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PublishedMessage {
    topic_arn: String,
    message: String,
    /// When the message was published. SNS repeats it unchanged with the message.
    #[serde(default, deserialize_with = "lenient")]
    timestamp: Option<Timestamp>,
}

/// Reads a time; `None` for anything else, as a message counts without its time too.
fn lenient<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    Ok(serde_json::from_value(Value::deserialize(deserializer)?).ok())
}

impl std::fmt::Debug for PublishedMessage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PublishedMessage")
            .field("topic_arn", &self.topic_arn)
            .finish_non_exhaustive()
    }
}

impl Notification {
    /// The topic's name: the last part of its ARN.
    fn topic(&self) -> &str {
        let EventSource::Sns = self.source;
        self.published.topic_arn.rsplit(':').next().unwrap_or_default()
    }
}

/// The listener did not handle a notification. The run must fail, so that Lambda retries, and keeps the event at last.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("failed to handle a notification")]
pub struct NotificationError;

/// Passes the notifications to `listener` in order.
///
/// # Errors
/// [`NotificationError`] if the listener asked for one again. It has handled the others.
pub async fn receive(
    listener: &dyn Listener,
    notifications: Notifications,
) -> Result<(), NotificationError> {
    let mut result = Ok(());
    for notification in notifications.records {
        let published = &notification.published;
        let received = ports::Notification {
            topic: notification.topic(),
            text: &published.message,
            published_at: published.timestamp,
        };
        match listener.receive(received).await {
            MessageResult::Done => {}
            MessageResult::Again => result = Err(NotificationError),
        }
    }
    result
}

/// Answers an HTTP call, or receives notifications, by the shape of the event.
///
/// ```
/// # use domain::message::MessageResult;
/// # use lambda_events::{Context, LambdaEvent, answer_or_receive};
/// /// A listener that drops every notification.
/// struct Deaf;
///
/// #[async_trait::async_trait]
/// impl ports::Listener for Deaf {
///     async fn receive(&self, _: ports::Notification<'_>) -> MessageResult {
///         MessageResult::Done
///     }
/// }
///
/// let published = serde_json::json!({ "Records": [{
///     "EventSource": "aws:sns",
///     "Sns": { "TopicArn": "arn:aws:sns:eu-west-1:123456789012:assent_acme_rcs", "Message": "STOP" },
/// }] });
/// let event = LambdaEvent::new(published, Context::default());
/// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
/// let answered = runtime.block_on(answer_or_receive(&axum::Router::new(), &Deaf, event)).unwrap();
/// assert!(answered.is_null());
/// ```
///
/// # Errors
/// [`NotificationError`], and an error for any other event.
pub async fn answer_or_receive(
    router: &Router,
    listener: &dyn Listener,
    event: LambdaEvent<Value>,
) -> Result<Answer, Error> {
    let LambdaEvent { payload, context, .. } = event;
    if payload.get("Records").is_some() {
        receive(listener, serde_json::from_value(payload).or(Err(UnknownEvent))?).await?;
        return Ok(Answer::Null);
    }
    let call = serde_json::from_value(payload).or(Err(UnknownEvent))?;
    http::answer(router, LambdaEvent::new(call, context)).await
}

/// The function was invoked with another event. The error does not quote it.
#[derive(Debug, thiserror::Error)]
#[error("event is neither an HTTP call nor a notification")]
struct UnknownEvent;

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use axum::routing::get;
    use lambda_http::Context;
    use serde_json::json;

    use super::*;

    /// A listener that records every notification, and asks for "again" again.
    #[derive(Default)]
    struct RecordingListener(Mutex<Vec<String>>);

    #[async_trait::async_trait]
    impl Listener for RecordingListener {
        async fn receive(&self, notification: ports::Notification<'_>) -> MessageResult {
            let ports::Notification { topic, text, published_at } = notification;
            let at = published_at.map_or_else(|| "no time".to_owned(), |at| at.to_string());
            self.0.lock().unwrap().push(format!("{topic}: {text} ({at})"));
            if text == "again" { MessageResult::Again } else { MessageResult::Done }
        }
    }

    fn published(texts: &[&str]) -> Value {
        let record = |text: &&str| {
            json!({
                "EventVersion": "1.0",
                "EventSubscriptionArn": "arn:aws:sns:eu-west-1:123456789012:assent_acme_rcs:21be56ed",
                "EventSource": "aws:sns",
                "Sns": {
                    "Type": "Notification", "MessageId": "95df01b4", "Subject": null,
                    "TopicArn": "arn:aws:sns:eu-west-1:123456789012:assent_acme_rcs",
                    "Message": text, "Timestamp": "2026-11-23T12:00:00.000Z", "MessageAttributes": {},
                },
            })
        };
        json!({ "Records": texts.iter().map(record).collect::<Vec<_>>() })
    }

    async fn invoke(event: Value) -> (Result<Answer, String>, Vec<String>) {
        let router = Router::new().route("/c/{token}", get(async || "a page"));
        let recording = RecordingListener::default();
        let event = LambdaEvent::new(event, Context::default());
        let answer = answer_or_receive(&router, &recording, event).await;
        let received = recording.0.lock().unwrap().clone();
        (answer.map_err(|error| error.to_string()), received)
    }

    #[tokio::test]
    async fn notification_is_received_with_its_topics_name() {
        let (answer, received) = invoke(published(&["{\"a\": 1}", "STOP"])).await;
        assert_eq!(answer, Ok(Value::Null));
        assert_eq!(
            received,
            [
                "assent_acme_rcs: {\"a\": 1} (2026-11-23T12:00:00.000Z)",
                "assent_acme_rcs: STOP (2026-11-23T12:00:00.000Z)",
            ]
        );
    }

    #[tokio::test]
    async fn notification_without_a_readable_time_is_received() {
        for time in [Value::Null, json!(""), json!("yesterday"), json!(1_764_000_000)] {
            let mut event = published(&["STOP"]);
            event["Records"][0]["Sns"]["Timestamp"] = time;
            let (answer, received) = invoke(event).await;
            assert_eq!(answer, Ok(Value::Null));
            assert_eq!(received, ["assent_acme_rcs: STOP (no time)"]);
        }
    }

    #[tokio::test]
    async fn unhandled_notification_fails_the_run_after_the_others() {
        let (answer, received) = invoke(published(&["again", "STOP"])).await;
        assert_eq!(answer, Err("failed to handle a notification".to_owned()));
        assert_eq!(received.len(), 2);
    }

    #[tokio::test]
    async fn http_call_is_answered_by_the_same_function() {
        let (answer, received) = invoke(json!({
            "version": "2.0", "rawPath": "/c/abc", "rawQueryString": "", "headers": {},
            "requestContext": {"stage": "$default", "http": {"method": "GET"}},
        }))
        .await;
        assert_eq!(answer.unwrap()["body"], "a page");
        assert!(received.is_empty());
    }

    #[tokio::test]
    async fn other_event_is_an_error_that_quotes_nothing() {
        let mut queued = published(&["+15551230001"]);
        queued["Records"][0]["EventSource"] = json!("aws:sqs");
        let cut = json!({ "Records": [{ "EventSource": "aws:sns", "Sns": { "Message": "+15551230001" } }] });
        let strangers = [queued, cut, json!({ "Records": "+15551230001" }), json!("+15551230001")];
        for event in strangers {
            let (answer, received) = invoke(event).await;
            let error = answer.unwrap_err();
            assert_eq!(error, "event is neither an HTTP call nor a notification");
            assert!(received.is_empty());
        }
    }

    #[test]
    fn debug_form_has_no_message() {
        let notifications: Notifications =
            serde_json::from_value(published(&["+15551230001"])).unwrap();
        let shown = format!("{notifications:?}");
        assert!(shown.contains("assent_acme_rcs") && !shown.contains("5551230001"), "{shown}");
    }
}
