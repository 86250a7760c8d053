//! `invoke`: hands the event of a contact flow to one machine, as Lambda would hand it to the agents' function.

use serde_json::Value;

use crate::Context;
use crate::api::Api;
use crate::arguments::InvokeArguments;
use crate::failure::{Exit, Failure};
use crate::input;

/// The path of one machine that takes events.
const PATH: &str = "/local/invoke";

/// Sends the event and prints the answer.
///
/// # Errors
/// [`Failure`].
pub(crate) async fn run(context: &Context, arguments: &InvokeArguments) -> Result<Exit, Failure> {
    let text = input::text(&arguments.event)?;
    let event: Value = serde_json::from_str(&text)
        .map_err(|error| Failure::usage(format!("the event is no JSON: {error}")))?;
    let api = Api::open(context, &arguments.access)?;
    let answer = api.post(PATH, Some(&event), None).await?;
    let shown = serde_json::to_string_pretty(&answer).unwrap_or_default();
    context.output.result(&shown, &answer)?;
    Ok(Exit::Done)
}
