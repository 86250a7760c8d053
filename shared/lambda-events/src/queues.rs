//! Handles SQS batches, and reports the messages that SQS must deliver again.

use std::time::Duration;

use domain::message::{Message, MessageResult};
use futures_util::future::join_all;
use ports::Handler;
use serde::{Deserialize, Serialize};

/// A batch of messages, as SQS sends it to a function.
#[derive(Debug, Deserialize)]
pub struct Batch {
    /// The messages of the batch, in any order.
    #[serde(rename = "Records")]
    pub records: Vec<Record>,
}

/// One message of a batch.
#[derive(Debug, Deserialize)]
pub struct Record {
    /// The queue's own id of the message.
    #[serde(rename = "messageId")]
    pub id: String,
    /// The message's text.
    pub body: String,
}

/// The messages of a batch that SQS must deliver again. SQS deletes the others.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The messages that failed.
    #[serde(rename = "batchItemFailures")]
    pub failures: Vec<Failure>,
}

/// One message that failed.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// The queue's own id of the message.
    #[serde(rename = "itemIdentifier")]
    pub id: String,
}

/// Handles the messages of a batch concurrently, and reports those that failed or took longer than `time`.
///
/// A slow provider delays its own message alone.
///
/// ```
/// use std::time::Duration;
///
/// use domain::message::{Message, MessageResult};
/// use lambda_events::report;
/// use ports::Handler;
///
/// /// A function whose dependency does not answer.
/// struct Failing;
///
/// #[async_trait::async_trait]
/// impl Handler for Failing {
///     async fn handle(&self, _: &Message) -> MessageResult {
///         MessageResult::Again
///     }
/// }
///
/// let body = r#"{"version": "1", "step": {"kind": "deliver"}, "request": "req_01KAR2M8G00000000000000000"}"#;
/// let batch = serde_json::json!({ "Records": [{ "messageId": "m1", "body": body }] });
/// let batch = serde_json::from_value(batch).unwrap();
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
/// let report = runtime.block_on(report(&Failing, batch, Duration::from_secs(20)));
/// // SQS delivers the message again.
/// assert_eq!(report.failures[0].id, "m1");
/// ```
pub async fn report(handler: &dyn Handler, batch: Batch, time: Duration) -> Report {
    let results = batch.records.into_iter().map(|record| async move {
        match tokio::time::timeout(time, handle(handler, &record)).await {
            Ok(MessageResult::Done) => None,
            Ok(MessageResult::Again) => Some(Failure { id: record.id }),
            Err(_) => {
                tracing::warn!(message.id = record.id, "step timed out");
                Some(Failure { id: record.id })
            }
        }
    });
    Report { failures: join_all(results).await.into_iter().flatten().collect() }
}

async fn handle(handler: &dyn Handler, record: &Record) -> MessageResult {
    match serde_json::from_str::<Message>(&record.body) {
        Ok(message) => handler.handle(&message).await,
        Err(error) => {
            // The error's text may quote the message.
            let (line, column) = (error.line(), error.column());
            tracing::error!(
                message.id = record.id,
                line,
                column,
                "failed to parse a queue message"
            );
            MessageResult::Again
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use domain::message::Step;

    use super::*;

    /// A handler that fails every `check` and never ends a `webhook`.
    struct FailingHandler;

    #[async_trait::async_trait]
    impl Handler for FailingHandler {
        async fn handle(&self, message: &Message) -> MessageResult {
            match message.parts().unwrap().0 {
                Step::Deliver | Step::Fetch | Step::Refund { .. } | Step::Reverse { .. } => {
                    MessageResult::Done
                }
                Step::Check => MessageResult::Again,
                Step::Webhook { .. } => std::future::pending().await,
            }
        }
    }

    fn batch(steps: &[&str]) -> Batch {
        let record = |(place, step): (usize, &&str)| Record {
            id: format!("m{place}"),
            body: format!(
                r#"{{"version":"1","step":{step},"request":"req_01JD000000000000000000000V"}}"#
            ),
        };
        Batch { records: steps.iter().enumerate().map(record).collect() }
    }

    fn failed(report: Report) -> BTreeSet<String> {
        report.failures.into_iter().map(|failure| failure.id).collect()
    }

    #[tokio::test]
    async fn only_failed_messages_are_reported() {
        let batch =
            batch(&[r#"{"kind":"deliver"}"#, r#"{"kind":"check"}"#, r#"{"kind":"dance"}"#, "{"]);
        let report = report(&FailingHandler, batch, Duration::from_secs(60)).await;
        assert_eq!(failed(report), ["m1", "m2", "m3"].map(str::to_owned).into());
    }

    #[tokio::test]
    async fn message_that_never_ends_fails_alone() {
        let batch = batch(&[r#"{"kind":"webhook","seq":1}"#, r#"{"kind":"fetch"}"#]);
        let report = report(&FailingHandler, batch, Duration::from_millis(10)).await;
        assert_eq!(failed(report), ["m0".to_owned()].into());
    }

    #[test]
    fn report_has_lambdas_field_names() {
        let report = Report { failures: vec![Failure { id: "m1".to_owned() }] };
        let text = serde_json::to_string(&report).unwrap();
        assert_eq!(text, r#"{"batchItemFailures":[{"itemIdentifier":"m1"}]}"#);
    }
}
