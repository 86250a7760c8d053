//! The brand, mode and processor that a webhook was verified for.

use domain::brand::{Brand, Mode};
use domain::guards;
use domain::guards::Guard;
use domain::request::Request;
use domain::values::name::ProcessorName;

/// The brand, mode and processor that a webhook was verified for.
///
/// What one processor account proves says nothing about requests at another.
#[derive(Clone, Copy)]
pub(super) struct ProcessorContext<'a> {
    pub(super) brand: &'a Brand,
    /// The mode whose credentials proved the sender.
    pub(super) mode: Mode,
    pub(super) name: &'a ProcessorName,
}

impl ProcessorContext<'_> {
    /// Returns whether the request is at this account. A webhook about any other request is acknowledged and changes nothing.
    pub(super) fn is_owner(&self, request: &Request) -> bool {
        let own = (request.brand == self.brand.name
            || guards::is_disabled(Guard::ProcessorWebhookBrand))
            && request.mode == self.mode
            && request.processor == *self.name;
        if !own {
            tracing::info!(request.id = %request.id, "processor webhook about another account's request ignored");
        }
        own
    }
}
