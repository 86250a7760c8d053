//! A processor: where an authorization is used, at most once.

use std::fmt;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::Source;
use crate::authorization::Authorization;
use crate::brand::{Brand, Mode};
use crate::values::id::RequestId;
use crate::values::money::Money;
use crate::values::name::ProcessorName;

/// What a processor needs from the customer before it can act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// A test card, picked on the page or by the sandbox phone's tap. Test mode only.
    TestCard,
    /// A wallet's token, which only a page with that wallet can give.
    Wallet,
}

/// One attempt to charge, the same however often it is repeated.
#[derive(Clone, Copy)]
pub struct Charge<'a> {
    /// The request charged for.
    pub request: RequestId,
    /// Counts the attempts of a request, from 1; a new one only after the one before is known to have failed. Idempotency
    /// keys are derived from it and the request's id, never drawn.
    pub generation: u32,
    /// How much.
    pub money: Money,
    /// What for, as the customer read it.
    pub description: &'a str,
    /// What the customer's yes carried.
    pub authorization: &'a Authorization,
}

impl fmt::Debug for Charge<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Charge")
            .field("request", &self.request)
            .field("generation", &self.generation)
            .field("money", &self.money)
            .finish_non_exhaustive()
    }
}

/// The processor's own id of the object an attempt acts on, such as `pi_…`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Reference(pub String);

/// What preparing came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Prepared {
    /// The object is there and nothing has moved. It is stored before [`Processor::execute`] is called.
    Ready(Reference),
    /// It could not be prepared. Never [`Answer::Done`]: no money moves before [`Processor::execute`].
    Not(Answer),
}

/// What a processor's answer means, told by the one reaction to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The money moved.
    Done(Receipt),
    /// A definite no, and the customer may try another card. `code` is a stable word without detail.
    Refused {
        /// Such as `insufficient_funds` or `card_declined`.
        code: &'static str,
    },
    /// A definite no that no other try will mend. `code` never tells a thief why.
    Declined {
        /// Such as `card_declined`.
        code: &'static str,
    },
    /// The customer would have to do more (3-D Secure), and nothing moved.
    NeedsCustomer,
    /// The attempt itself is wrong; nothing moved and a repeat cannot help.
    Invalid {
        /// Such as `token_already_used` or `amount_too_small`.
        code: &'static str,
    },
    /// Our account or credentials are refused; nothing moved. Secrets are read anew, then the same call is made again later.
    Blocked {
        /// Such as `credentials` or `permission`.
        code: &'static str,
    },
    /// Nothing moved yet; the same call with the same key is safe.
    Again,
    /// The processor is at it: look it up in a moment.
    Working,
    /// The money may have moved: look it up.
    Unknown,
    /// Looked up: the money has not moved, and the same call with the same key may be made.
    NotExecuted,
    /// Fenced: this attempt can never move money from now on.
    Fenced,
}

/// What is kept of a charge that succeeded; nothing here is sensitive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The processor's own id for the requester's books.
    pub reference: Reference,
    /// What was charged, as the processor reports it; compared with the ask.
    pub amount: u64,
    /// The currency's code, as the processor reports it, in capitals.
    pub currency: String,
    /// `card`, or the processor's word for another method.
    pub method: String,
    /// The wallet, where one was used: `apple_pay`, `google_pay`.
    pub wallet: Option<String>,
    /// The card's brand, such as `visa`.
    pub card_brand: Option<String>,
    /// The card's last four digits.
    pub last4: Option<String>,
}

/// One processor account of one brand.
///
/// No call is made without an attempt record committed before it: [`prepare`](Self::prepare) moves no money and may
/// be repeated, [`execute`](Self::execute) is called for a stored reference only, and whatever is unknown is settled by
/// [`look_up`](Self::look_up), by repeating the same call, or by [`fence`](Self::fence).
#[async_trait]
pub trait Processor: Send + Sync {
    /// What the customer must give.
    fn needs(&self) -> Needs;

    /// Makes the object that [`execute`](Self::execute) acts on. No money moves; the same charge gives the same object.
    async fn prepare(&self, charge: &Charge<'_>) -> Prepared;

    /// Moves the money. Repeating it moves no more.
    async fn execute(&self, charge: &Charge<'_>, reference: &Reference) -> Answer;

    /// What became of it.
    async fn look_up(&self, charge: &Charge<'_>, reference: &Reference) -> Answer;

    /// Makes a late success impossible: [`Answer::Fenced`], or [`Answer::Done`] when it had succeeded before.
    async fn fence(&self, charge: &Charge<'_>, reference: &Reference) -> Answer;
}

/// Why a brand's processor cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenProcessorError {
    /// The brand has no processor of that name in that mode.
    #[error("the brand has no such processor")]
    Absent,
    /// Its settings name an adapter that does not exist, or are not what the adapter documents: an operator must look.
    #[error("the settings of the processor cannot be used")]
    Settings(#[source] Source),
}

/// Opens a brand's processors: the list of adapters there are.
pub trait Processors: Send + Sync {
    /// Opens the brand's processor of that name in that mode.
    ///
    /// # Errors
    /// [`OpenProcessorError`].
    fn open(
        &self,
        brand: &Brand,
        mode: Mode,
        name: &ProcessorName,
    ) -> Result<Box<dyn Processor>, OpenProcessorError>;
}
