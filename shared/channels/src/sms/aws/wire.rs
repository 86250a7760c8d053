//! The words of AWS End User Messaging for a text.

use std::collections::BTreeMap;

use domain::ports::Prompt;
use serde::Serialize;

use crate::eum::{self, Sender};

/// The service takes five seconds to three days.
const LIFE_SECONDS: (u64, u64) = (5, 259_200);

/// The operation that sends a text.
pub(super) const OPERATION: &str = "SendTextMessage";

/// A text.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SendTextMessage<'a> {
    destination_phone_number: &'a str,
    origination_identity: &'a str,
    message_body: &'a str,
    message_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    configuration_set_name: Option<&'a str>,
    time_to_live: u64,
    context: BTreeMap<&'static str, String>,
}

/// The text that a prompt becomes: a pure function of it.
pub(super) fn message<'a>(sender: &'a Sender, prompt: &'a Prompt) -> SendTextMessage<'a> {
    SendTextMessage {
        destination_phone_number: prompt.to.as_str(),
        origination_identity: &sender.identity,
        message_body: &prompt.text,
        message_type: "TRANSACTIONAL",
        configuration_set_name: sender.configuration_set.as_deref(),
        time_to_live: eum::life_seconds(prompt, LIFE_SECONDS),
        context: eum::context(prompt),
    }
}
