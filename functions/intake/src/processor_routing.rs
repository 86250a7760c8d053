//! Selects the processor of an ask: the first, in the brand's order, that the customer can use.

use domain::ask::Ask;
use domain::brand::{BrandScope, Mode};
use domain::guards;
use domain::guards::Guard;
use domain::problem::{Code, FieldError, Problem};
use domain::values::name::ProcessorName;
use ports::PaymentOption;
use records::authentication::Requester;
use records::circuit_breaker::CircuitBreaker;
use records::saved_cards;

use crate::Intake;

/// The processor that takes an ask.
pub(crate) struct SelectedProcessor {
    pub(crate) name: ProcessorName,
    /// Whether an approval needs nothing of the customer but a tap.
    pub(crate) by_tap: bool,
}

impl Intake {
    /// Selects the processor of this ask. An ask that names a saved card goes to the processor that keeps the card.
    pub(crate) async fn select_processor(
        &self,
        requester: &Requester,
        ask: &Ask,
        address: &str,
    ) -> Result<SelectedProcessor, Problem> {
        let required = self.card_processor(requester, ask, address).await?;
        let mut refused =
            Problem::new(Code::ProcessorNotConfigured, "the brand has no processor in this mode");
        let mut unavailable = None;
        for setup in &requester.brand.setup(requester.mode).processors {
            if required.as_ref().is_some_and(|required| *required != setup.name) {
                continue;
            }
            let opened = self.processors.open(&requester.brand, requester.mode, &setup.name);
            let Ok(processor) = opened else {
                if refused.code == Code::ProcessorNotConfigured {
                    refused.detail =
                        "a processor's settings in the brand's secret are invalid".to_owned();
                }
                continue;
            };
            let mut payment_options = processor.payment_options(ask);
            // The test card is never offered where money is real.
            payment_options.retain(|option| {
                requester.mode == Mode::Test || *option != PaymentOption::TestCard
            });
            if payment_options.is_empty() {
                let detail = "no processor of the brand supports this ask in this mode";
                refused = Problem::new(Code::AskNotSupported, detail);
                continue;
            }
            let scope = BrandScope { brand: &requester.brand.name, mode: requester.mode };
            let breaker =
                CircuitBreaker::load(self.ports.store.as_ref(), scope, &setup.name).await?;
            if let Some(wait) = breaker.open_for(self.ports.clock.now()) {
                let detail =
                    "the processor rejects our calls; retry after the seconds in `Retry-After`";
                let retry_after = Some(wait.as_secs().saturating_add(1));
                let shut = Problem::new(Code::ProcessorUnavailable, detail);
                unavailable = unavailable.or(Some(Problem { retry_after, ..shut }));
                continue;
            }
            let by_tap = payment_options.iter().any(gives_by_tap);
            return Ok(SelectedProcessor { name: setup.name.clone(), by_tap });
        }
        Err(unavailable.unwrap_or(refused))
    }

    /// Returns the processor that keeps the saved card of the ask; `None` when the ask names no card.
    async fn card_processor(
        &self,
        requester: &Requester,
        ask: &Ask,
        address: &str,
    ) -> Result<Option<ProcessorName>, Problem> {
        let Some(card) = ask.card() else { return Ok(None) };
        let (brand, mode) = (&requester.brand.name, requester.mode);
        let known = saved_cards::load(self.ports.store.as_ref(), brand, mode, card).await?;
        // The answer does not tell whether another customer has that card.
        let is_theirs = |known: &saved_cards::SavedCard| {
            guards::is_disabled(Guard::SavedCardOwner)
                || domain::keys::same(&known.address, address)
        };
        match known.filter(is_theirs) {
            Some(known) => Ok(Some(known.processor)),
            None => {
                let detail =
                    "`payment_method` names no card that this customer saved with the brand";
                let pointer = "/ask/payment_method".to_owned();
                let error = FieldError { pointer, code: "value", detail: detail.to_owned() };
                let problem = Problem::new(Code::PaymentMethodUnknown, detail);
                Err(Problem { errors: vec![error], ..problem })
            }
        }
    }
}

/// Whether an approval alone is enough, on any channel.
const fn gives_by_tap(option: &PaymentOption) -> bool {
    match option {
        PaymentOption::Nothing | PaymentOption::TestCard => true,
        PaymentOption::GooglePay(_) | PaymentOption::ApplePay(_) | PaymentOption::Hosted => false,
    }
}
