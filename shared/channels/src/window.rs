//! `WhatsApp`'s window: the time after a customer's message in which a business may write freely.

use std::time::Duration;

use domain::contact::Contact;
use domain::values::time::Timestamp;

/// The time after the customer's last message in which Meta takes free-form messages. That is 24 hours, less ten minutes
/// for clocks that differ and for messages on their way.
const WINDOW: Duration = Duration::from_secs(24 * 3_600 - 600);

/// Returns whether the customer's window is open.
pub(crate) fn is_open(contact: &Contact, now: Timestamp) -> bool {
    contact.window_since().is_some_and(|since| since.until(now) < WINDOW)
}

/// Returns the reason with which a channel of `WhatsApp` answers for a customer.
pub(crate) fn reason(contact: &Contact, now: Timestamp) -> &'static str {
    if is_open(contact, now) { "window_open" } else { "not_checked" }
}
