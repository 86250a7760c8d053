//! The parts that a mail has beside the texts of its prompt.

use std::fmt;

use domain::values::email::Email;

/// The parts that a mail has beside the texts of its prompt. They are personal data, so `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct MailParts {
    /// The customer's e-mail address.
    pub to: Email,
    /// The subject, which names no amount: it is shown on locked screens.
    pub subject: String,
    /// The label of the link that unsubscribes.
    pub unsubscribe_label: String,
    /// The URL that unsubscribes the address.
    pub unsubscribe: String,
}

impl fmt::Debug for MailParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MailParts(…)")
    }
}
