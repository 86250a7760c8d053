//! The previews that several kinds of channel share.

use ports::{MessagePreview, Prompt};
use serde_json::Value;

use crate::message_limits::{MessageLimits, cut};

/// Returns a card with as many buttons as fit.
pub(crate) fn card(prompt: &Prompt, limits: &MessageLimits) -> MessagePreview {
    let buttons = prompt.buttons.iter().take(limits.buttons_max);
    let labels = buttons.map(|button| cut(&button.label, limits.label_max)).collect();
    MessagePreview::card(
        cut(&prompt.title, limits.title_max),
        cut(&prompt.body, limits.body_max),
        labels,
    )
}

/// Returns the text at a place of a message; an empty one where the message has none there.
pub(crate) fn text_at(message: &Value, pointer: &str) -> String {
    message.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// Returns the text `name` of each member of a list.
pub(crate) fn texts_at(message: &Value, list: &str, name: &str) -> Vec<String> {
    let members = message.pointer(list).and_then(Value::as_array).into_iter().flatten();
    members.map(|member| text_at(member, name)).collect()
}
