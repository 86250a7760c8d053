//! A received message and its receipt.

use std::fmt;

use domain::message::Message;

/// The handle that deletes or releases a received message. It is valid for this delivery alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    pub(crate) message: i64,
    pub(crate) receives: u32,
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.message, self.receives)
    }
}

/// A received message, hidden from other receivers until its visibility timeout ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceivedMessage {
    /// The handle that deletes or releases it.
    pub receipt: Receipt,
    /// The parsed message, as its sender queued it.
    pub message: Message,
    /// The number of its deliveries, including this one.
    pub receives: u32,
}
