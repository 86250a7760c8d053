//! A reply of a customer, on its way to a page or a button.

use super::customer::CustomerReply;

/// A customer's reply with what it carries.
pub(super) struct GivenReply<'a> {
    pub(super) reply: CustomerReply,
    /// The session code that the customer picks.
    pub(super) code: Option<String>,
    pub(super) card: &'a str,
}
