//! The request of `SendTextMessage`.
//!
//! Source: the API model in botocore 1.44.5.

use std::collections::BTreeMap;

use ports::Prompt;
use serde::Serialize;

use crate::aws::{self, LifeSeconds, Origination};

/// The service takes five seconds to three days.
const LIFE_SECONDS: LifeSeconds = LifeSeconds { least: 5, most: 259_200 };

/// The operation that sends a text.
pub(super) const OPERATION: &str = "SendTextMessage";

/// The body of the request.
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

/// Writes the prompt as a text: a pure function of it.
pub(super) fn message<'a>(origination: &'a Origination, prompt: &'a Prompt) -> SendTextMessage<'a> {
    SendTextMessage {
        destination_phone_number: prompt.to.as_str(),
        origination_identity: &origination.identity,
        message_body: &prompt.text,
        message_type: "TRANSACTIONAL",
        configuration_set_name: origination.configuration_set.as_deref(),
        time_to_live: LIFE_SECONDS.of(prompt),
        context: aws::context(prompt),
    }
}
