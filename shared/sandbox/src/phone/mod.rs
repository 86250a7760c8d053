//! The sandbox phone. It keeps prompts in place of sending them: a browser or a script is the customer.
//!
//! Test mode only. Its numbers are fictional, so they may be item keys.

mod channel;
mod drawing;

use domain::brand::Mode;
use domain::values::id::{PromptId, RequestId};
use domain::values::name::{BrandName, ChannelName};
use domain::values::phone::Phone;
use domain::values::prompt_ref::PromptRef;
use domain::values::time::Timestamp;
use ports::{Expect, Item, Key, Order, Range, Write};
use serde::{Deserialize, Serialize};

pub(crate) use channel::open;

/// A message on a sandbox phone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhoneMessage {
    /// The prompt's id.
    pub id: PromptId,
    /// The request that the message asks about.
    pub request: RequestId,
    /// The brand that sent the message.
    pub brand: BrandName,
    /// The mode, which is always test.
    pub mode: Mode,
    /// The brand's name of the channel.
    pub channel: ChannelName,
    /// The sender's name.
    pub from: String,
    /// The heading; empty on a text-only channel.
    pub title: String,
    /// The text below the heading.
    pub text: String,
    /// The URL of the consent page.
    pub link: String,
    /// The buttons; empty on a text-only channel.
    pub actions: Vec<PhoneAction>,
    /// The channel that the message imitates.
    #[serde(default, skip_serializing_if = "SandboxStyle::is_rcs")]
    pub style: SandboxStyle,
    /// When the message arrived.
    pub at: Timestamp,
    /// Whether the message was retracted.
    pub retracted: bool,
    /// The prompt in whose thread the message is; `None` for a prompt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answers: Option<PromptId>,
}

impl PhoneMessage {
    /// Returns the prompt that a tap on the message answers.
    #[must_use]
    pub fn prompt(&self) -> PromptRef {
        PromptRef { request: self.request, prompt: self.answers.unwrap_or(self.id) }
    }
}

/// The channel that a sandbox message imitates.
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
    /// A mail with a link.
    Email,
}

impl SandboxStyle {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    fn is_rcs(&self) -> bool {
        *self == Self::Rcs
    }

    /// Returns whether a message has buttons.
    pub(crate) const fn is_rich(self) -> bool {
        match self {
            Self::Rcs | Self::Whatsapp | Self::Apple => true,
            Self::Sms | Self::Email => false,
        }
    }
}

/// A button on the phone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhoneAction {
    /// The action of the tap.
    pub action: Tap,
    /// The label in the customer's language.
    pub label: String,
    /// The session code that the button picks; `None` for other buttons.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_code: Option<String>,
    /// The postback that a real channel would return.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postback: Option<String>,
    /// Whether the approval is a payment in a wallet's sheet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sheet: bool,
}

/// The action of a tap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tap {
    /// Approves.
    Approve,
    /// Denies.
    Deny,
    /// Denies and reports "this is not me".
    NotMe,
    /// Opens the consent page, which answers nothing.
    Open,
}

/// How long a sandbox phone keeps a message.
const KEPT: std::time::Duration = std::time::Duration::from_secs(86_400);

fn partition(phone: &Phone) -> String {
    format!("PHONE#{}", phone.as_str())
}

/// The most messages of one brand that a phone shows.
pub const SHOWN_MAX: usize = 100;

/// Returns the key of a message. Each brand's messages are apart, so that no brand's can hide another's.
#[must_use]
pub fn key(phone: &Phone, brand: &BrandName, id: PromptId) -> Key {
    Key { pk: partition(phone), sk: format!("MSG#{brand}#{id}") }
}

/// Returns the range of a brand's newest messages on a phone, newest first.
#[must_use]
pub fn newest(phone: &Phone, brand: &BrandName) -> Range {
    Range { prefix: format!("MSG#{brand}#"), ..all(phone) }
}

/// Returns the range of all messages on a phone, brand by brand, the newest of each first.
#[must_use]
pub fn all(phone: &Phone) -> Range {
    Range {
        pk: partition(phone),
        prefix: "MSG#".to_owned(),
        after: None,
        limit: SHOWN_MAX,
        order: Order::Descending,
    }
}

/// Returns the write that puts a message on a phone. A repeat changes nothing.
///
/// # Errors
/// An encoding error, which no message causes.
pub fn put(phone: &Phone, message: &PhoneMessage) -> Result<Write, serde_json::Error> {
    let item = Item {
        key: key(phone, &message.brand, message.id),
        version: 1,
        body: serde_json::to_string(message)?,
        expires_at: Some(message.at.after(KEPT)),
        index: None,
    };
    Ok(Write::Put { item, expect: Expect::Any })
}

/// Decodes a message that [`put`] wrote.
///
/// # Errors
/// When the item is not a message.
pub fn read(item: &Item) -> Result<PhoneMessage, serde_json::Error> {
    serde_json::from_str(&item.body)
}
