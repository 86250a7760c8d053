//! A processor: where an authorization is used, at most once.

mod amount;
mod attempt;
mod detach;
mod fulfillment;
mod labels;
mod payment_option;
mod refund;
mod rejection;
mod results;

use async_trait::async_trait;

pub use amount::UnsupportedAmount;
pub use attempt::AttemptContext;
pub use detach::DetachResult;
pub use domain::redirect_url::RedirectUrl;
pub use fulfillment::Fulfillment;
pub use labels::{RequestLabels, UnsupportedLabel};
pub use payment_option::{ApplePay, GooglePay, PaymentOption};
pub use refund::{LateReversal, Refund, RefundResult};
pub use rejection::Rejection;
pub use results::{CARD_NOT_KEPT, Confirmed, Created, Retrieved, VoidResult};

use super::{CallbackError, Source, UnverifiedCallback, VerifiedWebhook};
use domain::ask::Ask;
use domain::authorization::Credential;
use domain::brand::{Brand, Mode};
use domain::processor_result::{Reference, ReportedResult};
use domain::values::money::Money;
use domain::values::name::ProcessorName;

/// One processor account of one brand.
///
/// A worker commits the attempt's record before each call. [`create`](Self::create) moves no money and may be repeated.
/// [`confirm`](Self::confirm) takes a stored reference only. A worker resolves an unknown result by
/// [`retrieve`](Self::retrieve), by the same call again, or by [`void`](Self::void).
///
/// ```
/// use ports::{AttemptContext, Confirmed, Created, Processor, Retrieved};
///
/// /// Charges once. A worker also commits the attempt's record before each of these calls.
/// async fn charge(processor: &dyn Processor, attempt: &AttemptContext<'_>) -> bool {
///     let Created::Ready(reference) = processor.create(attempt).await else { return false };
///     match processor.confirm(attempt, &reference).await {
///         Confirmed::Done(_) => true,
///         Confirmed::Unknown | Confirmed::Processing => {
///             matches!(processor.retrieve(attempt, &reference).await, Retrieved::Done(_))
///         }
///         _ => false,
///     }
/// }
/// ```
#[async_trait]
pub trait Processor: Send + Sync {
    /// Returns how the customer can pay for this ask, best first. Empty where the processor cannot do it.
    ///
    /// An ask that names a saved card is shown only to the processor that has saved it.
    fn payment_options(&self, ask: &Ask) -> Vec<PaymentOption>;

    /// Judges an amount before the customer is asked. No call is made, and a processor without amounts has no rule.
    ///
    /// # Errors
    /// [`UnsupportedAmount`] with the rule of the processor that the amount breaks.
    fn check_amount(&self, _money: Money) -> Result<(), UnsupportedAmount> {
        Ok(())
    }

    /// Judges a request's labels before the customer is asked, where the settings send any of them to the processor.
    ///
    /// # Errors
    /// [`UnsupportedLabel`] with the rule of the processor that a label breaks.
    fn check_labels(&self, _labels: RequestLabels<'_>) -> Result<(), UnsupportedLabel> {
        Ok(())
    }

    /// Returns the account that takes the money, by the processor's own name for it; `None` where only the key tells.
    fn account(&self) -> Option<&str> {
        None
    }

    /// Creates the object that [`confirm`](Self::confirm) acts on. No money moves, and the same attempt gives the same object.
    async fn create(&self, attempt: &AttemptContext<'_>) -> Created;

    /// Moves the money. A repeat moves no more.
    async fn confirm(&self, attempt: &AttemptContext<'_>, reference: &Reference) -> Confirmed;

    /// Reads the attempt's result.
    async fn retrieve(&self, attempt: &AttemptContext<'_>, reference: &Reference) -> Retrieved;

    /// Makes a late success impossible, or returns the success that was there before.
    async fn void(&self, attempt: &AttemptContext<'_>, reference: &Reference) -> VoidResult;

    /// Refunds money, once however often it is called.
    async fn refund(&self, refund: &Refund<'_>) -> RefundResult;

    /// Reverses a payment that was reported after its attempt had ended, once however often it is called.
    ///
    /// A processor whose voided attempts can never succeed has nothing to reverse.
    async fn reverse(&self, _reversal: &LateReversal<'_>) -> RefundResult {
        RefundResult::Failed { code: "not_supported" }
    }

    /// Takes a saved card off file, so that nothing charges it again. A repeat changes nothing.
    ///
    /// `saved` is the credential of [`Fulfillment::Card`]. A card that the processor does not keep is
    /// [`DetachResult::Detached`]. A processor that saves no cards keeps the default.
    async fn detach(&self, _saved: &Credential) -> DetachResult {
        DetachResult::Failed { code: "not_supported" }
    }

    /// Returns the merchant session that Apple Pay on the page needs before it opens.
    ///
    /// It is an opaque object for `completeMerchantValidation`, made for the page's host. `None` where Apple gives none.
    async fn apple_pay_session(&self, host: &str) -> Option<String>;

    /// Verifies a webhook of the processor over its raw bytes, then reads it. Does no I/O.
    ///
    /// # Errors
    /// [`CallbackError`].
    fn receive(&self, callback: &UnverifiedCallback) -> Result<VerifiedWebhook, CallbackError>;
}

/// The reason why a brand's processor cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenProcessorError {
    /// The brand has no processor of that name in that mode.
    #[error("the brand has no such processor")]
    Absent,
    /// An operator must look: the settings name an unknown adapter, or are not what the adapter documents.
    #[error("the processor's settings are invalid")]
    Settings(#[source] Source),
}

/// The registry that opens a brand's processors.
///
/// ```
/// use domain::brand::{Brand, Mode};
/// use domain::values::money::Money;
/// use domain::values::name::ProcessorName;
/// use ports::{OpenProcessorError, Processor, Processors};
///
/// /// A registry without a processor.
/// struct NoProcessors;
///
/// impl Processors for NoProcessors {
///     fn open(
///         &self,
///         _: &Brand,
///         _: Mode,
///         _: &ProcessorName,
///     ) -> Result<Box<dyn Processor>, OpenProcessorError> {
///         Err(OpenProcessorError::Absent)
///     }
/// }
///
/// /// Whether the brand's processor of that name takes the amount.
/// fn takes(processors: &dyn Processors, brand: &Brand, name: &ProcessorName, money: Money) -> bool {
///     let opened = processors.open(brand, Mode::Test, name);
///     opened.is_ok_and(|processor| processor.check_amount(money).is_ok())
/// }
///
/// # let key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
/// # let brand = format!(r#"{{"version":"1","name":"acme","display_name":"Acme","keys":[],"address_key":"{key}",
/// # "link_key":"{key}","sealing":{{"current":"a","keys":{{"a":"{key}"}}}},"live":{{}},"test":{{}}}}"#);
/// let brand = Brand::parse(&brand).unwrap();
/// let money = Money::new(4250, "EUR".parse().unwrap()).unwrap();
/// assert!(!takes(&NoProcessors, &brand, &"stripe".parse().unwrap(), money));
/// ```
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
