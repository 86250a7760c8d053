//! The sandbox phone: prompts that are kept instead of sent, so that a person at a browser or a script can be the customer.
//!
//! Test mode only. Numbers here are fictional, which is why they may be keys.

use serde::{Deserialize, Serialize};

use crate::brand::Mode;
use crate::ports::{Expect, Item, Key, Order, Range, Write};
use crate::values::id::{PromptId, RequestId};
use crate::values::name::{BrandName, ChannelName};
use crate::values::phone::Phone;
use crate::values::time::Timestamp;

/// One message on a sandbox phone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhoneMessage {
    /// The prompt's id.
    pub id: PromptId,
    /// The request it asks for.
    pub request: RequestId,
    /// The brand that asks.
    pub brand: BrandName,
    /// Always test.
    pub mode: Mode,
    /// The channel the message came over, as the brand calls it.
    pub channel: ChannelName,
    /// The name the message comes from.
    pub from: String,
    /// A heading; empty on a channel that has only text.
    pub title: String,
    /// What the message says.
    pub text: String,
    /// The consent page.
    pub link: String,
    /// What can be tapped in the message itself; empty on a channel that has only text.
    pub actions: Vec<PhoneAction>,
    /// What kind of channel it looks like.
    #[serde(default, skip_serializing_if = "SandboxStyle::is_rcs")]
    pub style: SandboxStyle,
    /// When it came.
    pub at: Timestamp,
    /// Whether it was taken back.
    pub retracted: bool,
}

/// The kinds of channel that the phone can look like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SandboxStyle {
    /// A card with buttons.
    #[default]
    Rcs,
    /// A message with three buttons, or with one that opens the page.
    Whatsapp,
    /// A message with quick replies, or a payment sheet.
    Apple,
    /// A text with a link.
    Sms,
}

impl SandboxStyle {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    fn is_rcs(&self) -> bool {
        *self == Self::Rcs
    }
}

/// Something to tap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhoneAction {
    /// What the tap means.
    pub action: Tap,
    /// What the button says.
    pub label: String,
    /// The session code that the button stands for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_code: Option<String>,
    /// What the tap brings back on a channel like this, as its provider would.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postback: Option<String>,
    /// Whether the yes is a payment that a wallet's sheet asks to confirm.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sheet: bool,
}

/// What a tap means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tap {
    /// Yes.
    Approve,
    /// No.
    Deny,
    /// No, and this was not asked for by me.
    NotMe,
    /// The consent page is opened, which answers nothing.
    Open,
}

/// For how long a sandbox phone keeps a message.
const KEPT: std::time::Duration = std::time::Duration::from_secs(86_400);

fn partition(phone: &Phone) -> String {
    format!("PHONE#{}", phone.as_str())
}

/// Where a message is.
#[must_use]
pub fn key(phone: &Phone, id: PromptId) -> Key {
    Key { pk: partition(phone), sk: format!("MSG#{id}") }
}

/// The newest hundred messages of a phone, newest first.
#[must_use]
pub fn newest(phone: &Phone) -> Range {
    Range {
        pk: partition(phone),
        prefix: "MSG#".to_owned(),
        after: None,
        limit: 100,
        order: Order::Descending,
    }
}

/// Puts a message on a phone; the same message again changes nothing.
///
/// # Errors
/// When the message cannot be written as JSON, which it always can.
pub fn put(phone: &Phone, message: &PhoneMessage) -> Result<Write, serde_json::Error> {
    let item = Item {
        key: key(phone, message.id),
        version: 1,
        body: serde_json::to_string(message)?,
        expires_at: Some(message.at.after(KEPT)),
        index: None,
    };
    Ok(Write::Put { item, expect: Expect::Any })
}

/// Reads what [`put`] wrote.
///
/// # Errors
/// When the item is not a message.
pub fn read(item: &Item) -> Result<PhoneMessage, serde_json::Error> {
    serde_json::from_str(&item.body)
}
