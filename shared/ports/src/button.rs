//! The buttons of a prompt.

use std::fmt;

/// A button of a prompt.
#[derive(Clone, PartialEq, Eq)]
pub struct Button {
    /// The label, at most 20 characters.
    pub label: String,
    /// The answer that a tap on the button gives.
    pub action: ButtonAction,
}

/// The action of a button.
#[derive(Clone, PartialEq, Eq)]
pub enum ButtonAction {
    /// Returns a postback.
    Reply {
        /// The text that [`domain::postback`] writes.
        postback: String,
    },
    /// Opens the consent page, which never approves.
    Open {
        /// The page's URL.
        url: String,
        /// The postback of a channel that reports such taps.
        postback: String,
    },
}

impl fmt::Debug for Button {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Button").field("label", &self.label).finish_non_exhaustive()
    }
}

/// The labels of a prompt's buttons.
#[derive(Clone, Debug)]
pub struct Labels {
    /// Approves.
    pub approve: String,
    /// Denies.
    pub deny: String,
    /// Denies and reports "this is not me".
    pub not_me: String,
    /// Opens the consent page.
    pub open: String,
}
