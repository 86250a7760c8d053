//! The words of AWS End User Messaging for a card.

use std::collections::BTreeMap;

use domain::ports::{Button, ButtonAction, Prompt};
use serde::Serialize;

use super::SmsFallback;
use crate::eum::{self, Sender};
use crate::message_limits::{RCS, cut};

/// The service takes one second to two days, fewer than Google's 15.
const LIFE_SECONDS: (u64, u64) = (1, 172_800);
/// The longest address of a button.
const URL_MAX: usize = 2_048;

/// The operation that sends a card.
pub(super) const OPERATION: &str = "SendRcsMessage";

/// A card, and what goes with it.
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

/// The card that a prompt becomes: a pure function of it. Its buttons are inside the card, where they stay; those below a
/// message vanish with the next one. `None` where its page is at no address that the service would open.
pub(super) fn message<'a>(
    sender: &'a Sender,
    sms_fallback: Option<&'a SmsFallback>,
    prompt: &'a Prompt,
) -> Option<SendRcsMessage<'a>> {
    let (least, most) = LIFE_SECONDS;
    let after = sms_fallback.map_or(most, |text| u64::from(text.after_seconds));
    let buttons = prompt.buttons.iter().take(RCS.buttons_max);
    let card_content = CardContent {
        title: cut(&prompt.title, RCS.title_max),
        description: cut(&prompt.body, RCS.body_max),
        suggestions: buttons.map(suggestion).collect::<Option<_>>()?,
    };
    let card = RichCard { card_orientation: "VERTICAL", card_content };
    Some(SendRcsMessage {
        destination_phone_number: prompt.to.as_str(),
        origination_identity: &sender.identity,
        rcs_message_content: RcsMessageContent { content: Content::RichCard(card) },
        time_to_live: eum::life_seconds(prompt, (least, after.clamp(least, most))),
        // Something the customer asked for, which fits whoever is on the line. Google spells it without the stroke.
        message_traffic_type: "SERVICE_REQUEST",
        fallback_configuration: sms_fallback.map(|text| FallbackConfiguration {
            channel: "SMS",
            message_body: &prompt.text,
            origination_identity: &text.origination_identity,
        }),
        configuration_set_name: sender.configuration_set.as_deref(),
        context: eum::context(prompt),
    })
}

fn suggestion(button: &Button) -> Option<Suggestion<'_>> {
    let text = cut(&button.label, RCS.label_max);
    match &button.action {
        ButtonAction::Reply { postback } => {
            Some(Suggestion::Reply { text, postback_data: postback })
        }
        ButtonAction::Open { url, postback } => {
            let opens = url.starts_with("https://") && url.len() <= URL_MAX;
            // A browser: whether wallets work in a web view of every phone is not known.
            opens.then_some(Suggestion::OpenUrl {
                text,
                postback_data: postback,
                url,
                application: "BROWSER",
            })
        }
    }
}
