//! Amazon Connect: a Lambda block of a flow asks, waits, cancels and resends.
//!
//! The instance's ARN tells the brand, whose secret lists the ARN with a key. A flow holds no key. The answer is one flat object of
//! texts (`STRING_MAP`). Only what a repeat may mend is an error of the invocation. Connect repeats it up to three times:
//! <https://docs.aws.amazon.com/connect/latest/adminguide/invoke-lambda-function-block.html>, read 2026-11-26.

mod wire;

use domain::problem::{Code, FieldError, Problem};
use ports::InvocationError;
use serde_json::Value;

use crate::Agents;
use crate::flow::{Conversation, FlatAnswer, Operation, Parameters, Step};

pub(crate) use wire::ContactFlowEvent;

/// The longest wait of a step. Connect ends an invocation after eight seconds, and a cold start is among them.
const WAIT_MAX: u64 = 6;

impl Agents {
    /// Answers the Lambda block of a flow. `call` is the invocation's id.
    ///
    /// # Errors
    /// [`InvocationError`] where a repeat may help.
    pub(crate) async fn connect(
        &self,
        event: ContactFlowEvent,
        call: &str,
    ) -> Result<Value, InvocationError> {
        let parameters = Parameters::of(&event.details.parameters.unwrap_or_default());
        let contact = event.details.contact_data;
        let conversation = conversation(&contact);
        let step = Step { parameters: &parameters, conversation: &conversation };
        let answer = self.contact_step(&contact.instance_arn, call, &step).await;
        self.invoked(answer, "connect", parameters.text("op") == Some("ask"))
    }

    async fn contact_step(
        &self,
        instance: &str,
        call: &str,
        step: &Step<'_>,
    ) -> Result<FlatAnswer, Problem> {
        let operation = operation(step.parameters)?;
        let asking = self.asking_of(instance, call).await?;
        step.perform(&asking, operation).await
    }
}

fn conversation(contact: &wire::ContactData) -> Conversation {
    let endpoint = contact.customer_endpoint.as_ref();
    let number = endpoint.filter(|endpoint| endpoint.kind.as_deref() == Some("TELEPHONE_NUMBER"));
    Conversation {
        platform: "connect",
        kind: if contact.channel.as_deref() == Some("CHAT") { "chat" } else { "ivr" },
        id: contact.contact_id.clone(),
        phone: number.and_then(|endpoint| endpoint.address.clone()),
        language: contact.language_code.clone(),
        wait_max: WAIT_MAX,
    }
}

fn operation(parameters: &Parameters) -> Result<Operation, Problem> {
    let name = parameters.required("op")?;
    Operation::read(name).ok_or_else(|| {
        let detail = "the parameter is `ask`, `wait`, `cancel` or `resend`";
        let error = FieldError::in_parameter("op", "value", detail);
        Problem { errors: vec![error], ..Problem::new(Code::InvalidRequest, detail) }
    })
}
