//! The documented statuses of a message, and what each means for a prompt.
//!
//! Sources, read 2026-11-26:
//! <https://docs.aws.amazon.com/sms-voice/latest/userguide/rcs-events.html>,
//! <https://docs.aws.amazon.com/sms-voice/latest/userguide/configuration-sets-event-types.html>,
//! <https://docs.aws.amazon.com/end-user-messaging/latest/userguide/nx-features-messaging-events.html>.

/// The delivery status of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MessageStatus {
    /// The message is on its way, or its status is unknown.
    InTransit,
    /// The phone has the message.
    Delivered,
    /// The customer read the message.
    Read,
    /// The message will not arrive, for a stable reason of ours.
    Failed(&'static str),
}

/// Every documented word for a status, in the types and statuses of events. Types have `TEXT_` or `RCS_` before it.
///
/// UNVERIFIED: the guide and the list of types name an expired message differently, so both are here. Before going
/// live, let a test message expire and note which of them arrives.
pub(super) const MESSAGE_STATUSES: &[(&str, MessageStatus)] = &[
    ("BLOCKED", MessageStatus::Failed("blocked")),
    ("CARRIER_BLOCKED", MessageStatus::Failed("filtered")),
    ("CARRIER_UNREACHABLE", MessageStatus::Failed("unreachable")),
    ("DELIVERED", MessageStatus::Delivered),
    ("FAILED", MessageStatus::Failed("undelivered")),
    ("FALLEN_BACK_TO_SMS", MessageStatus::Failed("not_on_channel")),
    ("INVALID", MessageStatus::Failed("not_a_mobile")),
    ("INVALID_MESSAGE", MessageStatus::Failed("rejected")),
    ("PENDING", MessageStatus::InTransit),
    ("PROTECT_BLOCKED", MessageStatus::Failed("blocked")),
    ("QUEUED", MessageStatus::InTransit),
    ("READ", MessageStatus::Read),
    ("REJECTED", MessageStatus::Failed("rejected")),
    ("SENT", MessageStatus::InTransit),
    ("SPAM", MessageStatus::Failed("filtered")),
    // The carrier took the message. In some countries no other event follows, and it may stand for "delivered".
    // Reading it as delivered would mistake a phone that is off for one that has the text.
    ("SUCCESSFUL", MessageStatus::InTransit),
    ("TTL_EXPIRATION_REVOKED", MessageStatus::Failed("expired")),
    // The service failed to revoke the message, so it may still arrive.
    ("TTL_EXPIRATION_REVOKE_FAILED", MessageStatus::InTransit),
    ("TTL_EXPIRED", MessageStatus::Failed("expired")),
    ("UNDELIVERABLE", MessageStatus::Failed("not_on_channel")),
    // Another reason, or no event from the carrier within 72 hours, long after every request has ended.
    ("UNKNOWN", MessageStatus::Failed("undelivered")),
    ("UNREACHABLE", MessageStatus::Failed("unreachable")),
];

/// Looks a documented word up.
pub(super) fn status_of(word: &str) -> Option<MessageStatus> {
    MESSAGE_STATUSES.iter().find(|(known, _)| *known == word).map(|(_, status)| *status)
}
