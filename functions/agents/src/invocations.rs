//! Tells the platforms that invoke the function apart, by the shape of their events.

use domain::problem::{Code, Problem};
use domain::values::language::Language;
use http::HeaderMap;
use ports::{Invocation, InvocationError, Invocations};
use records::audit;
use serde_json::Value;

use crate::Agents;
use crate::asking::Asking;
use crate::flow::FlatAnswer;

#[async_trait::async_trait]
impl Invocations for Agents {
    async fn invoke(&self, invocation: Invocation) -> Result<Value, InvocationError> {
        let Invocation { event, id, function_arn } = invocation;
        if event.pointer("/Details/ContactData").is_some() {
            let event = serde_json::from_value(event).map_err(|_unlike| UNREADABLE)?;
            return self.connect(event, &id).await;
        }
        if event.get("bot").is_some() && event.get("sessionState").is_some() {
            let event = serde_json::from_value(event).map_err(|_unlike| UNREADABLE)?;
            return self.lex(event, &id, &function_arn).await;
        }
        Err(InvocationError("event is neither of Amazon Connect nor of Lex"))
    }
}

const UNREADABLE: InvocationError = InvocationError("event is not as its platform documents it");

impl Agents {
    /// Authenticates a platform by its ARN.
    pub(crate) async fn asking_of(&self, arn: &str, call: &str) -> Result<Asking, Problem> {
        let refused = || {
            Problem::new(Code::Unauthenticated, "this caller belongs to no brand; see `Callers`")
        };
        let brand = self.callers.brand(arn).ok_or_else(refused)?;
        Asking::for_platform(&self.intake, brand, arn, call).await
    }

    /// Returns the answer of an invocation. A problem that a repeat may mend fails it; a caller without a key is answered.
    /// `is_ask` says that the conversation has no request yet.
    pub(crate) fn invoked(
        &self,
        answer: Result<FlatAnswer, Problem>,
        platform: &'static str,
        is_ask: bool,
    ) -> Result<Value, InvocationError> {
        let answer = answer.or_else(|problem| {
            let (code, status, ..) = problem.code.facts();
            if status >= 500 {
                tracing::warn!(platform, problem.code = code, "invocation failed");
                return Err(InvocationError("failed for now; repeat the step"));
            }
            audit::refused(&problem, &HeaderMap::new());
            // The brand is unknown, and its language with it.
            let language = Language::default();
            let refused = || FlatAnswer::refused(&problem, None, &language);
            Ok(if is_ask { refused() } else { FlatAnswer::unknown(&problem) })
        })?;
        if answer.text("ok") != "true" {
            tracing::info!(platform, problem.code = answer.text("error"), "step refused");
        }
        serde_json::to_value(answer).map_err(|_never| InvocationError("answer is no JSON"))
    }
}
