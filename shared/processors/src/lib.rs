#![doc = include_str!("../README.md")]

use std::sync::Arc;

use domain::brand::{Brand, Mode, Settings};
use domain::values::name::ProcessorName;
use ports::{
    Clock, Http, LiveHttp, OpenProcessorError, PlainHttp, Ports, Processor, Processors, Source,
    error_chain,
};

mod adyen;
mod checks;
mod labels;
mod object_state;
mod openid;
pub mod stand_in;
mod stripe;
mod wallet_settings;

/// The ports that the adapters use.
#[derive(Clone)]
pub struct Deps {
    /// Calls to a processor's API.
    pub http: Arc<dyn Http>,
    /// The clock of idempotency windows and token lifetimes.
    pub clock: Arc<dyn Clock>,
}

impl Deps {
    /// Takes the adapters' ports from a function's; `http` is its way out.
    #[must_use]
    pub fn new(ports: &Ports, http: &Arc<dyn Http>) -> Self {
        Self { http: Arc::clone(http), clock: Arc::clone(&ports.clock) }
    }
}

/// A processor, or the error in its settings.
pub type OpenResult = Result<Box<dyn Processor>, Source>;

/// One kind of adapter: its name in a brand's settings, and its constructor.
///
/// ```
/// use processors::{AdapterConfig, AdapterKind, OpenResult};
///
/// /// A kind that exists in settings and cannot be used yet.
/// struct Announced;
///
/// impl AdapterKind for Announced {
///     fn name(&self) -> &'static str {
///         "announced"
///     }
///
///     fn open(&self, config: &AdapterConfig<'_>) -> OpenResult {
///         Err(format!("brand `{}` uses a kind that is only announced", config.brand.name).into())
///     }
/// }
///
/// /// Adds the kind to those of this crate.
/// fn with_announced(deps: processors::Deps) -> processors::Registry {
///     processors::Registry::new(deps).with(Announced)
/// }
/// assert_eq!(Announced.name(), "announced");
/// ```
pub trait AdapterKind: Send + Sync {
    /// Returns the name by which settings choose this kind.
    fn name(&self) -> &'static str;

    /// Opens a processor with a brand's settings.
    ///
    /// # Errors
    /// The settings are not what the adapter documents. No setting's value is quoted.
    fn open(&self, config: &AdapterConfig<'_>) -> OpenResult;
}

/// The input of an adapter's constructor.
pub struct AdapterConfig<'a> {
    /// The ports that the adapter uses.
    pub deps: &'a Deps,
    /// The brand whose processor is opened.
    pub brand: &'a Brand,
    /// The mode in which the processor is opened.
    pub mode: Mode,
    /// The processor's settings from the brand's secret.
    pub settings: &'a Settings,
    /// The discovery documents that were read.
    documents: &'a Arc<openid::Documents>,
}

/// A kind of this crate.
struct Kind {
    name: &'static str,
    open: fn(&AdapterConfig<'_>) -> OpenResult,
}

impl AdapterKind for Kind {
    fn name(&self) -> &'static str {
        self.name
    }

    fn open(&self, config: &AdapterConfig<'_>) -> OpenResult {
        (self.open)(config)
    }
}

/// The kinds of this crate, by name.
const KINDS: &[Kind] = &[adyen::KIND, openid::KIND, stripe::KIND];

/// Returns the names of this crate's kinds, in alphabetical order.
pub fn kinds() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|kind| kind.name)
}

/// Opens the processors of a brand: those of this crate's kinds, and of the kinds added to it.
///
/// It logs the settings that cannot be used, so that no caller has to.
///
/// # Examples
/// Creates and confirms a payment at Stripe, over an `Http` that plays Stripe's replies:
/// ```
#[doc = include_str!("example.md")]
/// let intent = |status: &str| {
///     json!({ "id": "pi_1", "object": "payment_intent", "status": status, "amount": 4250, "currency": "eur" })
/// };
/// let http = scripted(vec![intent("requires_confirmation"), intent("succeeded")]);
/// let brand = brand("stripe", json!({ "secret_key": "sk_test_1" }));
/// let name = "stripe".parse().unwrap();
/// let stripe = registry(&http).open(&brand, Mode::Test, &name).unwrap();
///
/// let ask = payment();
/// let card = Credential::new(CredentialKind::PaymentMethod, "pm_card_visa").into();
/// let attempt = attempt(&ask, &card);
/// // No money moves yet. The worker stores the reference first.
/// let Created::Ready(reference) = block_on(stripe.create(&attempt)) else { panic!() };
/// let confirmed = block_on(stripe.confirm(&attempt, &reference));
/// let Confirmed::Done(Fulfillment::Payment(receipt)) = confirmed else { panic!() };
/// assert_eq!((receipt.amount, receipt.currency.as_str()), (4250, "EUR"));
/// assert_eq!(*http.calls.lock().unwrap(), [
///     "https://api.stripe.com/v1/payment_intents",
///     "https://api.stripe.com/v1/payment_intents/pi_1/confirm",
/// ]);
/// ```
pub struct Registry {
    deps: Deps,
    live_deps: Deps,
    documents: Arc<openid::Documents>,
    extra: Vec<Box<dyn AdapterKind>>,
}

impl Registry {
    /// Creates a registry of this crate's kinds.
    #[must_use]
    pub fn new(deps: Deps) -> Self {
        let live_deps = Deps { http: Arc::new(LiveHttp(Arc::clone(&deps.http))), ..deps.clone() };
        Self { deps, live_deps, documents: Arc::default(), extra: Vec::new() }
    }

    /// Adds a kind, such as the sandbox's.
    #[must_use]
    pub fn with(mut self, kind: impl AdapterKind + 'static) -> Self {
        self.extra.push(Box::new(kind));
        self
    }

    fn kind(&self, name: &str) -> Option<&dyn AdapterKind> {
        let own = KINDS.iter().map(|kind| -> &dyn AdapterKind { kind });
        let extra = self.extra.iter().map(|kind| -> &dyn AdapterKind { kind.as_ref() });
        own.chain(extra).find(|kind| kind.name() == name)
    }
}

/// A `kind` that is not in the list.
#[derive(Debug, thiserror::Error)]
#[error("setting `kind` names no kind of processor")]
struct UnknownKind;

impl Processors for Registry {
    fn open(
        &self,
        brand: &Brand,
        mode: Mode,
        name: &ProcessorName,
    ) -> Result<Box<dyn Processor>, OpenProcessorError> {
        let mut setups = brand.setup(mode).processors.iter();
        let setup = setups.find(|setup| setup.name == *name).ok_or(OpenProcessorError::Absent)?;
        let (deps, plain_http) = match mode {
            Mode::Live => (&self.live_deps, setup.settings.plain_http()),
            Mode::Test => (&self.deps, None),
        };
        let kind = match plain_http {
            Some(path) => Err(Source::from(PlainHttp(path))),
            None => self.kind(&setup.kind).ok_or_else(|| Source::from(UnknownKind)),
        };
        let documents = &self.documents;
        let config = AdapterConfig { deps, brand, mode, settings: &setup.settings, documents };
        kind.and_then(|kind| kind.open(&config)).map_err(|error| {
            tracing::error!(
                brand.name = %brand.name, brand.mode = ?mode, processor.name = %name,
                processor.kind = setup.kind, error = error_chain(error.as_ref()),
                "processor settings invalid"
            );
            OpenProcessorError::Settings(error)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_list_every_folder_once_and_in_order() {
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
        let mut folders: Vec<String> = std::fs::read_dir(source)
            .unwrap()
            .map(|entry| entry.unwrap())
            .filter(|entry| entry.file_type().unwrap().is_dir())
            .map(|entry| entry.file_name().into_string().unwrap())
            .collect();
        folders.sort();
        assert_eq!(kinds().collect::<Vec<_>>(), folders);
    }
}
