//! The contact of a customer on one channel.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::values::time::Timestamp;

/// The longest handle that is kept, in bytes. Documented ones stay below 150.
const HANDLE_MAX: usize = 512;
/// How many device features are kept, and the longest name of one, in bytes.
const FEATURES_MAX: (usize, usize) = (32, 64);

/// The contact record of a customer on one channel. It is personal data, so `Debug` hides it.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// The channel's own id of the customer; `None` where it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handle: Option<String>,
    /// The MAC that says whose the handle is, see [`crate::keys::handle_mac`]. A writer of the table could put another there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handle_mac: Option<String>,
    /// When the customer last wrote or tapped; `None` before the first time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_inbound: Option<Timestamp>,
    /// The features of the customer's device, as the channel names them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<String>,
    /// When the channel refused a message as outside its window; `None` before the first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_shut: Option<Timestamp>,
}

impl fmt::Debug for Contact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Contact(…)")
    }
}

impl Contact {
    /// Returns the record after the customer wrote or tapped. Oversized input is dropped.
    #[must_use]
    pub fn with_activity(&self, handle: Option<&str>, features: &[String], at: Timestamp) -> Self {
        let mut next = self.clone();
        next.last_inbound = next.last_inbound.max(Some(at));
        if let Some(handle) = handle.filter(|handle| is_sane_handle(handle)) {
            next.handle = Some(handle.to_owned());
            next.handle_mac = None;
        }
        if !features.is_empty() {
            let (most, long) = FEATURES_MAX;
            let short = features.iter().filter(|feature| feature.len() <= long);
            next.features = short.take(most).cloned().collect();
        }
        next
    }

    /// Returns the record after the channel refused a message that was sent at `at` as outside its window.
    #[must_use]
    pub fn with_window_closed(&self, at: Timestamp) -> Self {
        Self { window_shut: self.window_shut.max(Some(at)), ..self.clone() }
    }

    /// Returns the customer's last message, from which the channel's window runs.
    ///
    /// `None` before the first message, and while the channel says that the window is shut.
    #[must_use]
    pub fn window_since(&self) -> Option<Timestamp> {
        self.last_inbound.filter(|last| self.window_shut.is_none_or(|shut| shut < *last))
    }
}

fn is_sane_handle(handle: &str) -> bool {
    (1..=HANDLE_MAX).contains(&handle.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    #[test]
    fn contact_activity_adds_and_never_turns_time_back() {
        let can = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let first =
            Contact::default().with_activity(Some("US.1349"), &can(&["QUICK", "AUTH2"]), at(10));
        assert_eq!(first.handle.as_deref(), Some("US.1349"));
        let late = first.with_activity(None, &[], at(5));
        assert_eq!(late, first, "a callback that comes late knows nothing newer");
        let other = first.with_activity(Some("US.77"), &can(&["FORM"]), at(20));
        assert_eq!((other.handle.as_deref(), other.last_inbound), (Some("US.77"), Some(at(20))));
        assert_eq!(other.features, can(&["FORM"]));
    }

    #[test]
    fn contact_window_is_shut_until_the_customer_writes() {
        let contact = Contact::default().with_activity(None, &[], at(10));
        assert_eq!(contact.window_since(), Some(at(10)));
        let shut = contact.with_window_closed(at(20)).with_window_closed(at(15));
        assert_eq!((shut.window_since(), shut.last_inbound), (None, Some(at(10))));
        assert_eq!(shut.with_activity(None, &[], at(19)).window_since(), None, "an older message");
        assert_eq!(shut.with_activity(None, &[], at(21)).window_since(), Some(at(21)));
    }

    #[test]
    fn contact_oversized_input_is_dropped() {
        let many: Vec<String> = (0..100).map(|n| format!("F{n}")).chain(["x".repeat(65)]).collect();
        let known = Contact::default().with_activity(Some(&"h".repeat(513)), &many, at(1));
        assert_eq!((known.handle.as_deref(), known.features.len()), (None, 32));
        assert_eq!(Contact::default().with_activity(Some(""), &[], at(1)).handle, None);
    }
}
