//! The binding of a sealed secret: it opens for exactly that, and for nothing else.

use crate::brand::{Brand, Mode};
use crate::consent::Consent;
use crate::guards;
use crate::guards::Guard;
use crate::keys;
use crate::request::Request;
use crate::values::id::RequestId;
use crate::values::name::{BrandName, ProcessorName};

/// The facts that a sealed secret is bound to, beside what kind of secret it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    request: RequestId,
    text: String,
}

/// The saved card that a credential is sealed for.
#[derive(Clone, Copy, Debug)]
pub struct CardBinding<'a> {
    /// The brand that keeps the card.
    pub brand: &'a BrandName,
    /// The mode in which it was saved.
    pub mode: Mode,
    /// The request that saved it.
    pub request: RequestId,
    /// The processor that keeps it.
    pub processor: &'a ProcessorName,
    /// The keyed hash of its customer's address.
    pub address: &'a str,
}

impl Binding {
    /// Binds to a request.
    #[must_use]
    pub fn request(request: &Request) -> Self {
        let Request { id, brand, mode, .. } = request;
        Self { request: *id, text: format!("{brand}\n{mode:?}\n{id}") }
    }

    /// Binds to one attempt of a request.
    #[must_use]
    pub fn attempt(request: &Request, attempt_no: u32) -> Self {
        let Self { request, text } = Self::request(request);
        Self { request, text: format!("{text}\n{attempt_no}") }
    }

    /// Binds to one attempt under this consent. Another consent's authorization, or an earlier attempt's, does not open.
    #[must_use]
    pub fn approval(request: &Request, consent: &Consent, attempt_no: u32) -> Self {
        if guards::is_disabled(Guard::SealedForApproval) {
            return Self::request(request);
        }
        let Self { request, text } = Self::attempt(request, attempt_no);
        let mac = consent.signature.as_ref().map_or("", |signature| signature.mac.as_str());
        Self { request, text: format!("{text}\n{mac}") }
    }

    /// Binds to a saved card of one customer at one processor.
    #[must_use]
    pub fn card(card: CardBinding<'_>) -> Self {
        let CardBinding { brand, mode, request, processor, address } = card;
        if guards::is_disabled(Guard::SealedForCustomer) {
            return Self { request, text: format!("{brand}\n{mode:?}\n{request}") };
        }
        Self { request, text: format!("{brand}\n{mode:?}\n{request}\n{processor}\n{address}") }
    }

    /// Returns the associated data of a secret of this purpose.
    pub(crate) fn associated_data(&self, purpose: &str) -> String {
        format!("{purpose}\n{}", self.text)
    }

    /// Returns the associated data of what was sealed before secrets were bound to more than their request.
    pub(crate) fn first_associated_data(&self, purpose: &str) -> String {
        format!("{}{purpose}", self.request)
    }
}

impl Request {
    /// Returns the number of the attempt that an approval given now is for.
    #[must_use]
    pub fn next_attempt_no(&self) -> u32 {
        u32::try_from(self.attempts.len()).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// Returns the keyed hash of the customer's address, from the number itself.
    ///
    /// A writer of the table can store another hash beside the number.
    #[must_use]
    pub fn customer_address(&self, brand: &Brand) -> String {
        keys::address_hash(&brand.address_key, &self.customer.phone)
    }
}
