//! Lex V2: the code hook of a bot asks, and asks Lex to confirm until the customer has answered.
//!
//! The bot's alias tells the brand, whose secret lists its ARN with a key. Each turn is one invocation. Its session attributes carry
//! what the next turn needs. A lost turn is repeated by its key: the session, the intent and the attempt.
//! <https://docs.aws.amazon.com/lexv2/latest/dg/lambda-input-format.html> and
//! <https://docs.aws.amazon.com/lexv2/latest/dg/lambda-response-format.html>, read 2026-11-26.
//!
//! The hook of the dialog runs while Lex still collects slots, so it asks nothing. It is where a "no" to Lex arrives: without it, Lex
//! ends the intent by itself.

mod wire;

use ports::InvocationError;
use serde_json::{Map, Value, json};

use crate::Agents;
use crate::asking::Asking;
use crate::flow::{Conversation, FlatAnswer, Operation, Parameters, Step};
use wire::Intent;

pub(crate) use wire::LexEvent;

/// What the session attributes of ours begin with.
const PREFIX: &str = "assent_";
/// The longest wait of a turn, in seconds. Lex gives a function 30 seconds, and nothing is spoken in them.
const WAIT_MAX: u64 = 20;
/// The source of an invocation before the intent is fulfilled.
const DIALOG: &str = "DialogCodeHook";

impl Agents {
    /// Answers a code hook. `call` is the invocation's id, `function_arn` that of the function, in the bot's account and region.
    ///
    /// # Errors
    /// [`InvocationError`] where a repeat may help.
    pub(crate) async fn lex(
        &self,
        event: LexEvent,
        call: &str,
        function_arn: &str,
    ) -> Result<Value, InvocationError> {
        let mut attributes = event.session_state.session_attributes.unwrap_or_default();
        let intent = event.session_state.intent;
        let mut parameters = attributes.clone();
        let step = format!("{PREFIX}step");
        parameters.insert(step, json!(intent.name));
        let parameters = Parameters::with_prefix(&parameters, PREFIX);
        let is_spoken = matches!(event.input_mode.as_deref(), Some("Speech" | "DTMF"));
        let conversation = Conversation {
            platform: "lex",
            kind: if is_spoken { "ivr" } else { "chat" },
            id: event.session_id,
            phone: None,
            language: event.bot.locale_id,
            wait_max: WAIT_MAX,
        };
        let step = Step { parameters: &parameters, conversation: &conversation };
        let arn = bot_arn(function_arn, &event.bot.id, &event.bot.alias_id);
        let is_dialog = event.invocation_source.as_deref() == Some(DIALOG);
        if is_dialog && !intent.is_denied() {
            return Ok(delegated(&attributes, &intent));
        }
        let answer = match self.asking_of(&arn, call).await {
            Ok(asking) => turn(&asking, &step, &intent).await,
            Err(problem) => Err(problem),
        };
        let answer = self.invoked(answer, "lex", parameters.text("request").is_none())?;
        // The customer said no to a question of the bot's own, and nothing was asked.
        let is_nothing = answer.get("state").and_then(Value::as_str) == Some("none");
        if is_dialog && is_nothing {
            let next = answer.get("next_attempt").cloned().unwrap_or_default();
            attributes.insert(format!("{PREFIX}attempt"), next);
            return Ok(delegated(&attributes, &intent));
        }
        Ok(response(&answer, attributes, &intent))
    }
}

/// Asks at first, waits from then on, and cancels once the customer says no to Lex.
async fn turn(
    asking: &Asking,
    step: &Step<'_>,
    intent: &Intent,
) -> Result<FlatAnswer, domain::problem::Problem> {
    let is_asked = step.parameters.text("request").is_some();
    if intent.is_denied() {
        return step.perform(asking, Operation::Cancel).await;
    }
    if is_asked {
        return step.perform(asking, Operation::Wait).await;
    }
    step.perform(asking, Operation::Ask).await
}

/// Returns the ARN of a bot's alias. A function and the bots that invoke it by name are in one account and region.
fn bot_arn(function_arn: &str, bot: &str, alias: &str) -> String {
    let mut parts = function_arn.split(':').skip(1);
    let partition = parts.next().unwrap_or_default();
    let region = parts.nth(1).unwrap_or_default();
    let account = parts.next().unwrap_or_default();
    format!("arn:{partition}:lex:{region}:{account}:bot-alias/{bot}/{alias}")
}

/// Returns the answer that lets Lex go on as the bot says.
fn delegated(attributes: &Map<String, Value>, intent: &Intent) -> Value {
    json!({
        "sessionState": {
            "sessionAttributes": attributes,
            "dialogAction": { "type": "Delegate" },
            "intent": {
                "name": intent.name,
                "slots": intent.slots,
                "state": intent.state,
                "confirmationState": intent.confirmation_state,
            },
        },
    })
}

/// Returns the answer to Lex. An open request asks for another turn to confirm, and an ended one closes the intent.
fn response(answer: &Value, mut attributes: Map<String, Value>, intent: &Intent) -> Value {
    let text = |name: &str| answer.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let is_over = text("over") == "true";
    let is_unknown = text("state") == "unknown";
    let mut keep = |name: &str, value: String| {
        attributes.insert(format!("{PREFIX}{name}"), Value::String(value));
    };
    for name in ["state", "error", "reason", "code", "transaction_code", "last4", "version"] {
        keep(name, text(name));
    }
    // The request stays known where this turn could not read it.
    if !is_unknown {
        keep("request", if is_over { String::new() } else { text("id") });
        keep("said", text("say"));
    }
    if !text("next_attempt").is_empty() {
        keep("attempt", text("next_attempt"));
    }
    let is_fulfilled = text("state") == "fulfilled";
    let (action, state) = match (is_over, is_fulfilled) {
        (false, _) => ("ConfirmIntent", "InProgress"),
        (true, true) => ("Close", "Fulfilled"),
        (true, false) => ("Close", "Failed"),
    };
    let said = text("say");
    let messages: Vec<Value> = [said]
        .into_iter()
        .filter(|said| !said.is_empty())
        .map(|said| json!({ "contentType": "PlainText", "content": said }))
        .collect();
    json!({
        "sessionState": {
            "sessionAttributes": attributes,
            "dialogAction": { "type": action },
            "intent": {
                "name": intent.name,
                "slots": intent.slots,
                "state": state,
                "confirmationState": "None",
            },
        },
        "messages": messages,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bots_arn_has_the_functions_account_and_region() {
        let function = "arn:aws-us-gov:lambda:us-gov-west-1:123456789012:function:agents:live";
        let arn = "arn:aws-us-gov:lex:us-gov-west-1:123456789012:bot-alias/B/A";
        assert_eq!(bot_arn(function, "B", "A"), arn);
        assert_eq!(bot_arn("", "B", "A"), "arn::lex:::bot-alias/B/A");
    }
}
