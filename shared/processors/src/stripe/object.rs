//! The object that an attempt acts on: which kind its reference names, and the calls each kind takes.

use domain::ports::{Reference, Use};

use super::errors::Call;
use super::settings::Dialect;
use super::wire::checkout::Stands;
use super::wire::{self, Reply, Request, checkout, intents, setups};

/// An object, by its id. Nothing else than an id ever reaches a path.
#[derive(Clone, Copy)]
pub(super) enum Object<'a> {
    /// A PaymentIntent.
    Intent(&'a str),
    /// A SetupIntent.
    Setup(&'a str),
    /// A Checkout Session.
    Session(&'a str),
}

impl<'a> Object<'a> {
    /// The object a stored reference names.
    pub(super) fn of(reference: &'a Reference) -> Option<Self> {
        let id = reference.0.as_str();
        let is = |prefix| wire::is_id(id, prefix);
        match id.split('_').next() {
            Some("pi") if is("pi_") => Some(Self::Intent(id)),
            Some("seti") if is("seti_") => Some(Self::Setup(id)),
            Some("cs") if is("cs_") => Some(Self::Session(id)),
            Some(_) | None => None,
        }
    }

    /// The call that acts; there is none where the customer does it on Stripe's own page.
    pub(super) fn confirm(self, what: &Use<'_>, dialect: &Dialect) -> Option<Request> {
        match self {
            Self::Intent(id) => Some(intents::confirm(what, id, dialect)),
            Self::Setup(id) => Some(setups::confirm(what, id, dialect)),
            Self::Session(_) => None,
        }
    }

    /// The call that makes acting impossible.
    pub(super) fn end(self) -> Request {
        match self {
            Self::Intent(id) => intents::cancel(id),
            Self::Setup(id) => setups::cancel(id),
            Self::Session(id) => checkout::expire(id),
        }
    }

    /// The call that tells what became of it.
    pub(super) fn read(self, what: &Use<'_>, dialect: &Dialect) -> Request {
        match self {
            Self::Intent(id) => intents::read(id, dialect),
            Self::Setup(id) => setups::read(id, dialect),
            Self::Session(id) => checkout::read(what, id, dialect),
        }
    }

    /// What an answer about it means.
    pub(super) fn outcome(self, call: Call, reply: &Reply) -> Stands {
        match self {
            Self::Intent(id) => intents::outcome(call, reply, id).into(),
            Self::Setup(id) => setups::outcome(call, reply, id).into(),
            Self::Session(id) => checkout::outcome(call, reply, id),
        }
    }
}
