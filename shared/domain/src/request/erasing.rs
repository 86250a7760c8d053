//! Erasing the customer of a request that has ended.

use super::{Change, Request};
use crate::ask::{Ask, Customer};
use crate::guards;
use crate::guards::Guard;
use crate::journal::EntryKind;
use crate::values::phone::Phone;
use crate::values::text::{DisplayText, ERASED};
use crate::values::time::Timestamp;

impl Request {
    /// Erases the customer's personal data. `None` while the request is open.
    ///
    /// The number, its hash, the e-mail address, the name and the language go. The session's id, the purpose, the metadata
    /// and the reasons of refunds go as well. The outcome, the journal, the hash of the ask and what a refund needs stay.
    #[must_use]
    pub fn erase(&self, now: Timestamp) -> Option<Change> {
        if !self.is_closed() && !guards::is_disabled(Guard::EraseAfterEnd) {
            return None;
        }
        let mut change = self.unchanged(now);
        if self.erased_at.is_some() {
            return Some(change);
        }
        let request = &mut change.request;
        request.erased_at = Some(now);
        request.customer =
            Customer { phone: Phone::erased(), email: None, name: None, language: None };
        request.language = None;
        ERASED.clone_into(&mut request.address);
        ERASED.clone_into(&mut request.session.id);
        request.session_code = None;
        request.card = None;
        request.metadata.clear();
        match &mut request.ask {
            Ask::Payment { description, .. }
            | Ask::PaymentMethod { description }
            | Ask::Identity { description, .. } => *description = DisplayText::erased(),
        }
        for prompt in &mut request.prompts {
            prompt.provider_id = None;
        }
        for refund in &mut request.refunds {
            refund.reason = None;
        }
        Some(change.with_entry(EntryKind::Erased).with_timeline_entry("erased", None, None))
    }
}
