//! The steps of a flow: ask, wait, cancel and resend, with parameters and answers of flat texts.
//!
//! Amazon Connect, Lex and Dialogflow differ in their wire formats alone. All of them repeat a step whose answer they lost.
//! A step is therefore safe to repeat: the key of an ask is the conversation, the step and the attempt.

mod answer;
mod parameters;

use domain::problem::{Code, Problem};

use crate::asking::{Asking, Brief};

pub(crate) use answer::FlatAnswer;
pub(crate) use parameters::Parameters;

/// The wait of a step that names none, in seconds.
const WAIT: u64 = 6;

/// The action of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    /// Asks the customer.
    Ask,
    /// Waits for news.
    Wait,
    /// Withdraws the request.
    Cancel,
    /// Sends the message again.
    Resend,
}

impl Operation {
    /// Reads the name that flows use; `None` for any other text.
    pub(crate) fn read(name: &str) -> Option<Self> {
        match name {
            "ask" => Some(Self::Ask),
            "wait" => Some(Self::Wait),
            "cancel" => Some(Self::Cancel),
            "resend" => Some(Self::Resend),
            _ => None,
        }
    }
}

/// The conversation that a step belongs to, as the platform tells it.
pub(crate) struct Conversation {
    /// The platform's name, in keys.
    pub(crate) platform: &'static str,
    /// The kind of session.
    pub(crate) kind: &'static str,
    /// The platform's own id of the conversation.
    pub(crate) id: String,
    /// The customer's number; `None` where the platform tells none.
    pub(crate) phone: Option<String>,
    /// The language of the conversation; `None` where the platform tells none.
    pub(crate) language: Option<String>,
    /// The longest wait that the platform allows, in seconds.
    pub(crate) wait_max: u64,
}

/// A step of a flow.
pub(crate) struct Step<'a> {
    pub(crate) parameters: &'a Parameters,
    pub(crate) conversation: &'a Conversation,
}

impl Step<'_> {
    /// Does the step.
    ///
    /// # Errors
    /// A [`Problem`] that a repeat of the step may mend. Every other one is an answer.
    pub(crate) async fn perform(
        &self,
        asking: &Asking,
        operation: Operation,
    ) -> Result<FlatAnswer, Problem> {
        let done = match operation {
            Operation::Ask => self.ask(asking).await,
            Operation::Wait => self.wait(asking).await,
            Operation::Cancel => self.cancel(asking).await,
            Operation::Resend => self.resend(asking).await,
        };
        done.or_else(|problem| {
            if is_mended_by_a_repeat(&problem) {
                return Err(problem);
            }
            Ok(self.refused(asking, operation, &problem))
        })
    }

    /// Returns the answer of a refused step. Only a refused ask is an end: of a request, nothing is known then.
    fn refused(&self, asking: &Asking, operation: Operation, problem: &Problem) -> FlatAnswer {
        match operation {
            Operation::Ask => {
                FlatAnswer::refused(problem, self.language(), &asking.requester().brand.language)
            }
            Operation::Wait | Operation::Cancel | Operation::Resend => FlatAnswer::unknown(problem),
        }
    }

    /// Returns the language of the answer's sentence, before the brand's own.
    fn language(&self) -> Option<&str> {
        self.parameters.text("language").or(self.conversation.language.as_deref())
    }

    async fn ask(&self, asking: &Asking) -> Result<FlatAnswer, Problem> {
        let attempt = self.attempt()?;
        let body = self.parameters.ask(self.conversation)?;
        let asked = match asking.create(&self.key(attempt), &body).await {
            // The customer has this message already, from a call before.
            Err(Problem { code: Code::DuplicateOpenRequest, request: Some(open), .. }) => {
                asking.read(&open.to_string()).await
            }
            other => other,
        };
        Ok(self.shown(&asked?).with("next_attempt", attempt.saturating_add(1).to_string()))
    }

    async fn wait(&self, asking: &Asking) -> Result<FlatAnswer, Problem> {
        let seconds = self.parameters.number("wait")?.unwrap_or(WAIT);
        let seconds = seconds.min(self.conversation.wait_max);
        let after = self.parameters.number("version")?;
        let request = self.parameters.required("request")?;
        Ok(self.shown(&asking.wait(request, seconds, after).await?))
    }

    /// Cancels the request. Without its id, the one that this attempt asked for; if it asked none, it never will.
    async fn cancel(&self, asking: &Asking) -> Result<FlatAnswer, Problem> {
        let Some(request) = self.parameters.text("request") else {
            let attempt = self.attempt()?;
            let next = attempt.saturating_add(1).to_string();
            let made = asking.withdraw(&self.key(attempt)).await?;
            let answer = match made {
                Some(request) => self.cancel_request(asking, &request).await?,
                None => FlatAnswer::none(),
            };
            return Ok(answer.with("next_attempt", next));
        };
        self.cancel_request(asking, request).await
    }

    async fn cancel_request(&self, asking: &Asking, request: &str) -> Result<FlatAnswer, Problem> {
        match asking.cancel(request).await {
            Ok(brief) => Ok(self.shown(&brief)),
            Err(problem) => self.refused_for(asking, request, problem).await,
        }
    }

    async fn resend(&self, asking: &Asking) -> Result<FlatAnswer, Problem> {
        let request = self.parameters.required("request")?;
        let channel = self.parameters.text("channel");
        // A flow counts the version up with each answer, so that the same version is a repeat.
        let version = self.parameters.number("version")?;
        let Conversation { platform, id, .. } = self.conversation;
        let key = version.map(|version| format!("{platform}:{id}:resend:{request}:{version}"));
        match asking.resend(request, channel, key.as_deref()).await {
            Ok(brief) => Ok(self.shown(&brief)),
            Err(problem) => self.refused_for(asking, request, problem).await,
        }
    }

    /// Answers a refused change with the request as it is.
    async fn refused_for(
        &self,
        asking: &Asking,
        request: &str,
        problem: Problem,
    ) -> Result<FlatAnswer, Problem> {
        if is_mended_by_a_repeat(&problem) {
            return Err(problem);
        }
        Ok(self.shown(&asking.read(request).await?).with_problem(&problem))
    }

    /// Returns the answer, with whether its sentence is another than the one that the flow spoke last.
    fn shown(&self, brief: &Brief) -> FlatAnswer {
        let is_said = self.parameters.text("said") == Some(brief.say.as_str());
        FlatAnswer::of(brief).with("news", (!is_said).to_string())
    }

    /// Returns the number of the ask in this conversation, from 1. A flow counts up once it has the answer.
    fn attempt(&self) -> Result<u64, Problem> {
        Ok(self.parameters.number("attempt")?.unwrap_or(1))
    }

    fn key(&self, attempt: u64) -> String {
        let Conversation { platform, id, .. } = self.conversation;
        let step = self.parameters.text("step").unwrap_or("ask");
        format!("{platform}:{id}:{step}:{attempt}")
    }
}

/// Returns whether the same call may succeed a moment later.
fn is_mended_by_a_repeat(problem: &Problem) -> bool {
    let (_, status, ..) = problem.code.facts();
    status >= 500
}
