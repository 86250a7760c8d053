//! What SNS hands to a function, which may be one that answers HTTP calls too.

use axum::Router;
use domain::message::{Handled, Listener};
use lambda_http::{Error, LambdaEvent};
use serde::Deserialize;
use serde_json::Value;

use crate::http::{self, Answer};

/// What was published on topics, as SNS hands it to a function: one text at a time, in a list all the same.
#[derive(Debug, Deserialize)]
pub struct Notifications {
    /// The texts.
    #[serde(rename = "Records")]
    pub records: Vec<Notification>,
}

/// One text.
#[derive(Debug, Deserialize)]
pub struct Notification {
    /// Where it comes from: `aws:sns`.
    #[serde(rename = "EventSource")]
    source: Source,
    #[serde(rename = "Sns")]
    published: Published,
}

#[derive(Debug, Deserialize)]
enum Source {
    #[serde(rename = "aws:sns")]
    Sns,
}

/// Personal data may be in it, so that only its topic is ever shown.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Published {
    topic_arn: String,
    message: String,
}

impl std::fmt::Debug for Published {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Published").field("topic_arn", &self.topic_arn).finish_non_exhaustive()
    }
}

impl Notification {
    /// The topic's name: the last part of its ARN.
    fn topic(&self) -> &str {
        let Source::Sns = self.source;
        self.published.topic_arn.rsplit(':').next().unwrap_or_default()
    }
}

/// What a topic told is not done with. The run has to fail, so that Lambda makes another and in the end keeps the event.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("what a topic told is to be told again")]
pub struct NotHeard;

/// Hands what was published to `listener`, in its order.
///
/// # Errors
/// [`NotHeard`] where one text or more are to come again; the others are heard all the same.
pub async fn receive(listener: &dyn Listener, told: Notifications) -> Result<(), NotHeard> {
    let mut heard = Ok(());
    for one in told.records {
        match listener.receive(one.topic(), &one.published.message).await {
            Handled::Done => {}
            Handled::Again => heard = Err(NotHeard),
        }
    }
    heard
}

/// Answers an HTTP call, or hears what topics told, whichever the event is.
///
/// # Errors
/// [`NotHeard`], and when the event is neither of the two.
pub async fn answer_or_hear(
    router: &Router,
    listener: &dyn Listener,
    event: LambdaEvent<Value>,
) -> Result<Answer, Error> {
    let LambdaEvent { payload, context, .. } = event;
    if payload.get("Records").is_some() {
        receive(listener, serde_json::from_value(payload).or(Err(NotOurs))?).await?;
        return Ok(Answer::Null);
    }
    let call = serde_json::from_value(payload).or(Err(NotOurs))?;
    http::answer(router, LambdaEvent::new(call, context)).await
}

/// Whoever may invoke the function handed it something that it is not made for. The event's text is not shown.
#[derive(Debug, thiserror::Error)]
#[error("the event is neither an HTTP call nor what a topic told")]
struct NotOurs;

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use axum::routing::get;
    use lambda_http::Context;
    use serde_json::json;

    use super::*;

    /// Keeps what it hears, and wants to hear again whatever asks for it.
    #[derive(Default)]
    struct Notebook(Mutex<Vec<String>>);

    #[async_trait::async_trait]
    impl Listener for Notebook {
        async fn receive(&self, topic: &str, text: &str) -> Handled {
            self.0.lock().unwrap().push(format!("{topic}: {text}"));
            if text == "again" { Handled::Again } else { Handled::Done }
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

    async fn handed(event: Value) -> (Result<Answer, String>, Vec<String>) {
        let router = Router::new().route("/c/{token}", get(async || "a page"));
        let notebook = Notebook::default();
        let event = LambdaEvent::new(event, Context::default());
        let answer = answer_or_hear(&router, &notebook, event).await;
        let heard = notebook.0.lock().unwrap().clone();
        (answer.map_err(|error| error.to_string()), heard)
    }

    #[tokio::test]
    async fn a_text_is_heard_with_the_name_of_its_topic() {
        let (answer, heard) = handed(published(&["{\"a\": 1}", "STOP"])).await;
        assert_eq!(answer, Ok(Value::Null));
        assert_eq!(heard, ["assent_acme_rcs: {\"a\": 1}", "assent_acme_rcs: STOP"]);
    }

    #[tokio::test]
    async fn a_text_that_is_to_come_again_fails_the_run_and_the_others_are_heard() {
        let (answer, heard) = handed(published(&["again", "STOP"])).await;
        assert_eq!(answer, Err("what a topic told is to be told again".to_owned()));
        assert_eq!(heard.len(), 2);
    }

    #[tokio::test]
    async fn a_call_over_http_is_answered_by_the_same_function() {
        let (answer, heard) = handed(json!({
            "version": "2.0", "rawPath": "/c/abc", "rawQueryString": "", "headers": {},
            "requestContext": {"stage": "$default", "http": {"method": "GET"}},
        }))
        .await;
        assert_eq!(answer.unwrap()["body"], "a page");
        assert!(heard.is_empty());
    }

    #[tokio::test]
    async fn what_is_neither_is_an_error_that_shows_nothing_of_it() {
        let mut queued = published(&["+15551230001"]);
        queued["Records"][0]["EventSource"] = json!("aws:sqs");
        let cut = json!({ "Records": [{ "EventSource": "aws:sns", "Sns": { "Message": "+15551230001" } }] });
        let strangers = [queued, cut, json!({ "Records": "+15551230001" }), json!("+15551230001")];
        for event in strangers {
            let (answer, heard) = handed(event).await;
            let error = answer.unwrap_err();
            assert_eq!(error, "the event is neither an HTTP call nor what a topic told");
            assert!(heard.is_empty());
        }
    }

    #[test]
    fn no_text_is_in_the_debug_form() {
        let told: Notifications = serde_json::from_value(published(&["+15551230001"])).unwrap();
        let shown = format!("{told:?}");
        assert!(shown.contains("assent_acme_rcs") && !shown.contains("5551230001"), "{shown}");
    }
}
