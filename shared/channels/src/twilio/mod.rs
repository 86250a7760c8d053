//! Twilio: texts, RCS and `WhatsApp` through one account.
//!
//! UNVERIFIED: Twilio has no idempotency key. So a message whose answer was lost is in doubt, and a repeat may be a second
//! one. Before going live, check that <https://www.twilio.com/docs/messaging/api/message-resource> still has none.

mod account;
mod callback;
mod chat;
mod content;
mod errors;
mod signature;
mod text;
mod wire;

use std::time::Duration;

pub(crate) use account::Settings;
pub(crate) use chat::{ChatKind, ChatSettings, TwilioChat};
pub(crate) use text::TwilioSms;

const TIMEOUT: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests;
