//! A processor: where an authorization is used, at most once.

use std::collections::BTreeMap;
use std::fmt;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::{CallbackError, Source, UnverifiedCallback, VerifiedWebhook};
use crate::ask::Ask;
use crate::authorization::Authorization;
use crate::brand::{Brand, Mode};
use crate::values::id::RequestId;
use crate::values::money::Money;
use crate::values::name::ProcessorName;
use crate::values::time::Timestamp;

/// One way in which the customer can give what a processor needs for an ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PaymentOption {
    /// The yes alone is enough: the ask names a card that is on file.
    Nothing,
    /// A test card, picked on the page or by the sandbox phone's tap. Test mode only.
    TestCard,
    /// Google Pay on the consent page.
    GooglePay(GooglePay),
    /// Apple Pay on the consent page.
    ApplePay(ApplePay),
    /// The processor's own page, where the customer goes on from ours.
    Hosted,
}

/// What Google's script is told; see `PaymentDataRequest` of the Google Pay API, version 2.0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GooglePay {
    /// Whether tokens are real.
    pub mode: Mode,
    /// The brand's id at Google, which real tokens need.
    pub merchant_id: Option<String>,
    /// The `parameters` of the `PAYMENT_GATEWAY` tokenization specification.
    pub gateway: BTreeMap<String, String>,
    /// Card networks in Google's words, such as `VISA`.
    pub networks: Vec<String>,
    /// The country the payment is processed in, ISO 3166-1 alpha-2.
    pub country: String,
}

/// What Safari is told; see `ApplePayPaymentRequest`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApplePay {
    /// Card networks in Apple's words, such as `visa`.
    pub networks: Vec<String>,
    /// The country the payment is processed in, ISO 3166-1 alpha-2.
    pub country: String,
}

/// One attempt to use an authorization, the same however often it is repeated.
#[derive(Clone, Copy)]
pub struct Use<'a> {
    /// The request it is for.
    pub request: RequestId,
    /// Counts the attempts of a request, from 1; a new one only after the one before is known to have failed. Idempotency
    /// keys are derived from it and the request's id, never drawn.
    pub generation: u32,
    /// What the customer said yes to.
    pub ask: &'a Ask,
    /// What the customer's yes carried, or what it was exchanged for since.
    pub authorization: &'a Authorization,
    /// Stands for the customer at the processor: the keyed hash of their address.
    pub customer: &'a str,
    /// The consent page, where the customer comes back to from the processor's own.
    ///
    /// It has no query. An adapter appends `?done=1` for customers who did there what was wanted: the page then waits for what
    /// is heard of it. Those who gave up come back to it as it is, or with any other query, and choose whether to go on. Our
    /// page never sends anybody on by itself but the one who said yes on it a moment ago, so that no two pages throw a
    /// customer to and fro.
    pub page: &'a str,
    /// Where the processor reports to and sends customers back to.
    pub callback: &'a str,
    /// When the attempt was begun.
    pub begun_at: Timestamp,
    /// Whether the customer was sent on to the processor's page.
    pub away: bool,
    /// Whether what the customer came back with may have been used before without our knowing: codes work once.
    pub redeemed: bool,
    /// What the processor told of this attempt by callback, if anything.
    pub told: Option<&'a Told>,
}

impl Use<'_> {
    /// How much, for a payment.
    #[must_use]
    pub const fn money(&self) -> Option<Money> {
        self.ask.money()
    }
}

impl fmt::Debug for Use<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Use")
            .field("request", &self.request)
            .field("generation", &self.generation)
            .finish_non_exhaustive()
    }
}

/// What a processor told of an attempt by a callback whose sender is proven: for those that cannot be asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Whether it succeeded.
    pub success: bool,
    /// The processor's own id for it.
    pub reference: Reference,
    /// A stable word of ours for why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

impl Told {
    /// The code of an attempt that the processor has taken back: it holds whatever else is told, before or after.
    pub const CANCELLED: &'static str = "cancelled";

    /// Whether the processor has taken the attempt back.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        !self.success && self.code.as_deref() == Some(Self::CANCELLED)
    }
}

/// Where a customer goes on to, on the processor's side. It is theirs alone: `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Onward(pub String);

impl fmt::Debug for Onward {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Onward(…)")
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
    /// The money moved, the card is kept, the facts are here.
    Done(Fetched),
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
    /// The customer has to do more (3-D Secure, the processor's own page), and nothing moved.
    NeedsCustomer {
        /// Where they go on, where they can.
        onward: Option<Onward>,
    },
    /// What the yes carried was exchanged for this, which is stored in its place; then the same call is made again.
    Exchanged(Authorization),
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

/// What using an authorization brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fetched {
    /// The money moved.
    Payment(Receipt),
    /// The card is kept at the processor.
    Card {
        /// What may be told of it.
        receipt: CardReceipt,
        /// What the processor charges it by, which is kept sealed.
        kept: Authorization,
    },
    /// Facts about the customer.
    Claims {
        /// What may be told of them besides themselves.
        receipt: ClaimsReceipt,
        /// The claims, a JSON object: those asked for and consented to, and no others. Kept sealed, and briefly.
        claims: Authorization,
    },
}

/// What is kept of a card that was put on file; nothing here is sensitive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardReceipt {
    /// The processor's own id for the requester's books.
    pub reference: Reference,
    /// The wallet, where one was used.
    pub wallet: Option<String>,
    /// The card's brand, such as `visa`.
    pub card_brand: Option<String>,
    /// The card's last four digits.
    pub last4: Option<String>,
    /// The month it expires, from 1.
    pub exp_month: Option<u8>,
    /// The year it expires, four digits.
    pub exp_year: Option<u16>,
}

/// What is kept of facts that were fetched, besides the facts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimsReceipt {
    /// A keyed hash of the provider's own id for the customer: the same customer, the same hash, for this brand only.
    pub subject: String,
    /// The names of the claims that were released.
    pub released: Vec<String>,
}

/// Money to give back.
#[derive(Clone, Copy, Debug)]
pub struct Refund<'a> {
    /// The request whose charge it is.
    pub request: RequestId,
    /// Counts the refunds of a request, from 1. The idempotency key is derived from it and the request's id.
    pub seq: u32,
    /// What [`Receipt::reference`] said.
    pub charge: &'a Reference,
    /// How much.
    pub money: Money,
    /// Whether the call may have been made before without our knowing.
    pub again: bool,
    /// What the processor told of it by callback, if anything.
    pub told: Option<&'a Told>,
}

/// What became of a refund.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refunded {
    /// It is on its way back, under this id.
    Done(Reference),
    /// The processor took it and says later what became of it.
    Pending(Reference),
    /// It will not be given back.
    Failed {
        /// Such as `already_refunded`, `amount_too_large` or `not_supported`.
        code: &'static str,
    },
    /// Nothing happened yet; the same call with the same key is safe.
    Again,
    /// It may have been given back: the same call with the same key tells.
    Unknown,
    /// Our account or credentials are refused; nothing happened.
    Blocked {
        /// Such as `credentials` or `permission`.
        code: &'static str,
    },
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
    /// The ways in which a customer can give what this ask needs, best first; none where the processor cannot do it.
    ///
    /// An ask that names a card on file is only shown to the processor that keeps it.
    fn payment_options(&self, ask: &Ask) -> Vec<PaymentOption>;

    /// Makes the object that [`execute`](Self::execute) acts on. No money moves; the same use gives the same object.
    async fn prepare(&self, what: &Use<'_>) -> Prepared;

    /// Moves the money. Repeating it moves no more.
    async fn execute(&self, what: &Use<'_>, reference: &Reference) -> Answer;

    /// What became of it.
    async fn look_up(&self, what: &Use<'_>, reference: &Reference) -> Answer;

    /// Makes a late success impossible: [`Answer::Fenced`], or [`Answer::Done`] when it had succeeded before.
    async fn fence(&self, what: &Use<'_>, reference: &Reference) -> Answer;

    /// Gives money back, once however often it is called.
    async fn refund(&self, refund: &Refund<'_>) -> Refunded;

    /// The session that Apple Pay on the page wants before it opens: an opaque object for `completeMerchantValidation`, made
    /// for the page's host. `None` where it cannot be had.
    async fn apple_pay_session(&self, host: &str) -> Option<String>;

    /// Verifies a call of the processor's over its raw bytes, then reads it. Pure.
    ///
    /// # Errors
    /// [`CallbackError`].
    fn receive(&self, callback: &UnverifiedCallback) -> Result<VerifiedWebhook, CallbackError>;
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
