//! What travels on the queues: pointers, never data.

use serde::{Deserialize, Serialize};

use crate::values::id::RequestId;

/// A step still owed for a request. Its text is stable: a message sent by an older release is read by a newer one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "version")]
pub enum Message {
    /// The first text of messages.
    #[serde(rename = "1")]
    V1 {
        /// Which step.
        step: Step,
        /// Of which request.
        request: RequestId,
    },
}

/// The steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Step {
    /// Put the prompt of the current route in front of the customer.
    Deliver,
    /// See whether time asks for something: a step that was never taken, a silent route, a reminder, the deadline.
    Check,
    /// Use the authorization at the processor.
    Fetch,
    /// Give money back.
    Refund {
        /// Which of the request's refunds, counted from 1.
        seq: u32,
    },
    /// Deliver one notice.
    Webhook {
        /// Which of the request's notices, counted from 1.
        seq: u32,
    },
}

/// The three queues.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum QueueName {
    /// `deliver` and `check`, for `send-prompt`.
    Prompts,
    /// `fetch` and `refund`, for `fetch-info`.
    Authorizations,
    /// `webhook`, for `fetch-info`.
    Webhooks,
}

impl QueueName {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Prompts, Self::Authorizations, Self::Webhooks];

    /// The queue's name in settings, logs and tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Prompts => "prompts",
            Self::Authorizations => "authorizations",
            Self::Webhooks => "webhooks",
        }
    }
}

impl Message {
    /// A message of the current text.
    #[must_use]
    pub const fn new(step: Step, request: RequestId) -> Self {
        Self::V1 { step, request }
    }

    /// Which step of which request.
    #[must_use]
    pub const fn parts(&self) -> (Step, RequestId) {
        let Self::V1 { step, request } = self;
        (*step, *request)
    }

    /// The queue the message belongs on.
    #[must_use]
    pub const fn queue(&self) -> QueueName {
        let Self::V1 { step, .. } = self;
        match step {
            Step::Deliver | Step::Check => QueueName::Prompts,
            Step::Fetch | Step::Refund { .. } => QueueName::Authorizations,
            Step::Webhook { .. } => QueueName::Webhooks,
        }
    }
}

/// What became of a message that was handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handled {
    /// The step is taken, or can never be: the message goes.
    Done,
    /// Something outside did not answer: the queue gives the message again, and to a person in the end.
    Again,
}

/// A function that is driven by a queue: takes one message, again and again if need be.
#[async_trait::async_trait]
pub trait Handler: Send + Sync {
    /// Takes the step the message asks for. Taking it twice is the same as once.
    async fn handle(&self, message: &Message) -> Handled;
}

/// A function that hears what others publish on topics: one text, again and again if need be.
#[async_trait::async_trait]
pub trait Listener: Send + Sync {
    /// Hears what was published on the topic of that name. Hearing it twice is the same as once.
    async fn receive(&self, topic: &str, text: &str) -> Handled;
}
