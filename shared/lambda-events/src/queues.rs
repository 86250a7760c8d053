//! SQS batches in, and what of them is to come again out.

use std::time::Duration;

use domain::message::{Handled, Handler, Message};
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};

/// A batch of messages, as SQS hands it to a function.
#[derive(Debug, Deserialize)]
pub struct Batch {
    /// The messages.
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

/// Which messages of a batch are to come again; the others are deleted.
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

/// Hands each message of a batch to `handler`, all at once so that a slow provider holds up nothing but its own message,
/// and waits for at most `time`.
pub async fn report(handler: &dyn Handler, batch: Batch, time: Duration) -> Report {
    let taken = batch.records.into_iter().map(|record| async move {
        match tokio::time::timeout(time, taken(handler, &record)).await {
            Ok(Handled::Done) => None,
            Ok(Handled::Again) => Some(Failure { id: record.id }),
            Err(_) => {
                tracing::warn!(
                    message.id = record.id,
                    "the function's time ran out before the step was taken"
                );
                Some(Failure { id: record.id })
            }
        }
    });
    Report { failures: join_all(taken).await.into_iter().flatten().collect() }
}

async fn taken(handler: &dyn Handler, record: &Record) -> Handled {
    match serde_json::from_str::<Message>(&record.body) {
        Ok(message) => handler.handle(&message).await,
        Err(error) => {
            // The error's own text may quote the message.
            let (line, column) = (error.line(), error.column());
            tracing::error!(
                message.id = record.id,
                line,
                column,
                "a message on the queue is not one of ours"
            );
            Handled::Again
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use domain::message::Step;

    use super::*;

    /// Fails every `check`, and never ends a `webhook`.
    struct Moody;

    #[async_trait::async_trait]
    impl Handler for Moody {
        async fn handle(&self, message: &Message) -> Handled {
            match message.parts().0 {
                Step::Deliver | Step::Fetch | Step::Refund { .. } => Handled::Done,
                Step::Check => Handled::Again,
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
    async fn only_what_failed_comes_again() {
        let batch =
            batch(&[r#"{"kind":"deliver"}"#, r#"{"kind":"check"}"#, r#"{"kind":"dance"}"#, "{"]);
        let report = report(&Moody, batch, Duration::from_secs(60)).await;
        assert_eq!(failed(report), ["m1", "m2", "m3"].map(str::to_owned).into());
    }

    #[tokio::test]
    async fn a_message_that_never_ends_does_not_take_the_others_with_it() {
        let batch = batch(&[r#"{"kind":"webhook","seq":1}"#, r#"{"kind":"fetch"}"#]);
        let report = report(&Moody, batch, Duration::from_millis(10)).await;
        assert_eq!(failed(report), ["m0".to_owned()].into());
    }

    #[test]
    fn a_report_is_in_the_words_of_lambda() {
        let report = Report { failures: vec![Failure { id: "m1".to_owned() }] };
        let text = serde_json::to_string(&report).unwrap();
        assert_eq!(text, r#"{"batchItemFailures":[{"itemIdentifier":"m1"}]}"#);
    }
}
