//! The object that an attempt acts on, and the calls of each kind of object.

use domain::processor_result::Reference;
use ports::AttemptContext;

use super::errors::StripeCall;
use super::ids::is_id;
use super::settings::Dialect;
use super::transport::{StripeReply, StripeRequest};
use super::wire::checkout::SessionResult;
use super::wire::{checkout, intents, setups};

/// An object by its id. Only ids of Stripe's form go into a path.
#[derive(Clone, Copy)]
pub(super) enum StripeObject<'a> {
    /// A PaymentIntent, which charges.
    Intent(&'a str),
    /// A SetupIntent, which saves a card.
    Setup(&'a str),
    /// A Checkout Session.
    Session(&'a str),
}

impl<'a> StripeObject<'a> {
    /// Returns the object that a stored reference names.
    pub(super) fn of(reference: &'a Reference) -> Option<Self> {
        let id = reference.0.as_str();
        let is = |prefix| is_id(id, prefix);
        match id.split('_').next() {
            Some("pi") if is("pi_") => Some(Self::Intent(id)),
            Some("seti") if is("seti_") => Some(Self::Setup(id)),
            Some("cs") if is("cs_") => Some(Self::Session(id)),
            Some(_) | None => None,
        }
    }

    /// Returns the call that acts; `None` where the customer acts on Stripe's own page.
    pub(super) fn confirm(
        self,
        attempt: &AttemptContext<'_>,
        dialect: &Dialect,
    ) -> Option<StripeRequest> {
        match self {
            Self::Intent(id) => Some(intents::confirm(attempt, id, dialect)),
            Self::Setup(id) => Some(setups::confirm(attempt, id, dialect)),
            Self::Session(_) => None,
        }
    }

    /// Returns the call that makes acting impossible.
    pub(super) fn end(self) -> StripeRequest {
        match self {
            Self::Intent(id) => intents::cancel(id),
            Self::Setup(id) => setups::cancel(id),
            Self::Session(id) => checkout::expire(id),
        }
    }

    /// Returns the call that reads the object.
    pub(super) fn read(self, attempt: &AttemptContext<'_>, dialect: &Dialect) -> StripeRequest {
        match self {
            Self::Intent(id) => intents::read(id, dialect),
            Self::Setup(id) => setups::read(id, dialect),
            Self::Session(id) => checkout::read(attempt, id, dialect),
        }
    }

    /// Interprets a reply about the object.
    pub(super) fn outcome(self, call: StripeCall, reply: &StripeReply) -> SessionResult {
        match self {
            Self::Intent(id) => intents::outcome(call, reply, id).into(),
            Self::Setup(id) => setups::outcome(call, reply, id).into(),
            Self::Session(id) => checkout::outcome(call, reply, id),
        }
    }
}
