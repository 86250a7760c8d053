//! The request of `SendRcsMessage`.
//!
//! Source: <https://docs.aws.amazon.com/pinpoint/latest/apireference_smsvoicev2/API_SendRcsMessage.html> and
//! <https://docs.aws.amazon.com/sms-voice/latest/userguide/sms-limitations-rcs.html>, read 2026-11-26.

use std::collections::BTreeMap;

use ports::{Button, ButtonAction, Prompt};
use serde::Serialize;

use super::settings::SmsFallback;
use crate::aws::{self, LifeSeconds, Origination};
use crate::message_limits::{RCS, cut};

/// The service takes one second to two days, where Google takes 15 days.
const LIFE_SECONDS: LifeSeconds = LifeSeconds { least: 1, most: 172_800 };
/// The longest URL of a button.
const URL_MAX: usize = 2_048;

/// The operation that sends a card.
pub(super) const OPERATION: &str = "SendRcsMessage";

/// The body of the request.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SendRcsMessage<'a> {
    destination_phone_number: &'a str,
    origination_identity: &'a str,
    rcs_message_content: RcsMessageContent<'a>,
    time_to_live: u64,
    message_traffic_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    fallback_configuration: Option<FallbackConfiguration<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    configuration_set_name: Option<&'a str>,
    context: BTreeMap<&'static str, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct RcsMessageContent<'a> {
    content: Content<'a>,
}

#[derive(Serialize)]
enum Content<'a> {
    RichCard(RichCard<'a>),
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct RichCard<'a> {
    card_orientation: &'static str,
    card_content: CardContent<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct CardContent<'a> {
    title: String,
    description: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    suggestions: Vec<Suggestion<'a>>,
}

#[derive(Serialize)]
enum Suggestion<'a> {
    #[serde(rename_all = "PascalCase")]
    Reply { text: String, postback_data: &'a str },
    #[serde(rename_all = "PascalCase")]
    OpenUrl { text: String, postback_data: &'a str, url: &'a str, application: &'static str },
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct FallbackConfiguration<'a> {
    channel: &'static str,
    message_body: &'a str,
    origination_identity: &'a str,
}

/// Writes the prompt as a card: a pure function of it. `None` if its page has a URL that the service does not open.
///
/// The buttons are inside the card, where they stay. Buttons below a message vanish with the next message.
pub(super) fn message<'a>(
    origination: &'a Origination,
    sms_fallback: Option<&'a SmsFallback>,
    prompt: &'a Prompt,
) -> Option<SendRcsMessage<'a>> {
    let LifeSeconds { least, most } = LIFE_SECONDS;
    let after = sms_fallback.map_or(most, |text| u64::from(text.after_seconds));
    let life = LifeSeconds { least, most: after.clamp(least, most) };
    let buttons = prompt.buttons.iter().take(RCS.buttons_max);
    let card_content = CardContent {
        title: cut(&prompt.title, RCS.title_max),
        description: cut(&prompt.body, RCS.body_max),
        suggestions: buttons.map(suggestion).collect::<Option<_>>()?,
    };
    let card = RichCard { card_orientation: "VERTICAL", card_content };
    Some(SendRcsMessage {
        destination_phone_number: prompt.to.as_str(),
        origination_identity: &origination.identity,
        rcs_message_content: RcsMessageContent { content: Content::RichCard(card) },
        time_to_live: life.of(prompt),
        // A message that the customer asked for, which fits a customer on the line. Google spells it without `_`.
        message_traffic_type: "SERVICE_REQUEST",
        fallback_configuration: sms_fallback.map(|text| FallbackConfiguration {
            channel: "SMS",
            message_body: &prompt.text,
            origination_identity: &text.origination_identity,
        }),
        configuration_set_name: origination.configuration_set.as_deref(),
        context: aws::context(prompt),
    })
}

fn suggestion(button: &Button) -> Option<Suggestion<'_>> {
    let text = cut(&button.label, RCS.label_max);
    match &button.action {
        ButtonAction::Reply { postback } => {
            Some(Suggestion::Reply { text, postback_data: postback })
        }
        ButtonAction::Open { url, postback } => {
            let is_accepted = url.starts_with("https://") && url.len() <= URL_MAX;
            // UNVERIFIED: wallets may not work in the web view of every phone, so the page opens in the browser. Before a
            // change to the web view, pay with each wallet in one.
            is_accepted.then_some(Suggestion::OpenUrl {
                text,
                postback_data: postback,
                url,
                application: "BROWSER",
            })
        }
    }
}
