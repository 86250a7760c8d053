//! Selects the processor of an ask: the first, in the brand's order, that takes the ask.

use domain::ask::Ask;
use domain::brand::{Mode, ProcessorSetup};
use domain::card_name::CardName;
use domain::guards;
use domain::guards::Guard;
use domain::problem::{Code, FieldError, Problem};
use domain::values::name::ProcessorName;
use ports::{PaymentOption, Processor, RequestLabels, UnsupportedAmount, UnsupportedLabel};
use records::authentication::Requester;
use records::circuit_breaker::{CallKind, CircuitBreaker};
use records::saved_cards;
use serde::Serialize;

use crate::Intake;

/// The processor that takes an ask.
pub(crate) struct SelectedProcessor {
    pub(crate) name: ProcessorName,
    /// Whether an approval needs nothing of the customer but a tap.
    pub(crate) by_tap: bool,
    /// The saved card that the ask names, as its customer reads it; `None` where it names none.
    pub(crate) card: Option<CardName>,
}

/// The saved card that an ask names.
struct NamedCard {
    /// The processor that keeps it.
    keeper: ProcessorName,
    name: CardName,
}

/// The processors that may take an ask.
struct Candidates<'a> {
    setups: Vec<&'a ProcessorSetup>,
    /// The saved card that the ask names; `None` where it names none.
    card: Option<CardName>,
}

/// A processor that may take an ask.
#[derive(Clone, Copy)]
struct Candidate<'a> {
    setup: &'a ProcessorSetup,
    processor: &'a dyn Processor,
}

/// A processor's answer to an ask.
struct ProcessorFit {
    /// The account that takes the money, by the processor's own name for it.
    account: Option<String>,
    /// The error is the reason why it does not take the ask.
    result: Result<SelectedProcessor, Problem>,
}

/// An ask, and the processor that the requester names.
#[derive(Clone, Copy)]
pub(crate) struct RoutedAsk<'a> {
    pub(crate) ask: &'a Ask,
    /// The processor that takes the ask; `None` takes the first that can.
    pub(crate) processor: Option<&'a ProcessorName>,
    /// The keyed hash of the customer's address.
    pub(crate) address: &'a str,
    /// The request's metadata and session; `None` where a capability is asked for.
    pub(crate) labels: Option<RequestLabels<'a>>,
}

/// A processor in a capability answer.
#[derive(Serialize)]
pub(crate) struct ProcessorView {
    name: ProcessorName,
    /// The account that takes the money, by the processor's own name for it, where settings name one.
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    /// Whether it takes the ask.
    supported: bool,
    /// The code of the problem; `None` where it takes the ask.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    /// The rule that the ask breaks.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

impl Intake {
    /// Selects the processor of this ask. An ask that names a saved card goes to the processor that keeps the card.
    pub(crate) async fn select_processor(
        &self,
        requester: &Requester,
        routed: RoutedAsk<'_>,
    ) -> Result<SelectedProcessor, Problem> {
        let Candidates { setups, card } = self.candidates(requester, routed).await?;
        let mut refused = None;
        for setup in setups {
            match self.consider(requester, routed, setup).await?.result {
                Ok(selected) => return Ok(SelectedProcessor { card, ..selected }),
                Err(problem) => refused = Some(weightier(refused, problem)),
            }
        }
        Err(refused.unwrap_or_else(|| {
            Problem::new(Code::ProcessorNotConfigured, "the brand has no processor in this mode")
        }))
    }

    /// Answers for each processor of the brand whether it takes this ask, in the brand's order.
    pub(crate) async fn processor_views(
        &self,
        requester: &Requester,
        routed: RoutedAsk<'_>,
    ) -> Result<Vec<ProcessorView>, Problem> {
        let mut views = Vec::new();
        for setup in self.candidates(requester, routed).await?.setups {
            let name = setup.name.clone();
            let ProcessorFit { account, result } = self.consider(requester, routed, setup).await?;
            let problem = result.err();
            views.push(ProcessorView {
                name,
                account,
                supported: problem.is_none(),
                reason: problem.as_ref().map(|problem| problem.code.facts().0),
                detail: problem.map(|problem| problem.detail),
            });
        }
        Ok(views)
    }

    /// Returns the processors that may take this ask: the keeper of its card, the named one, or all.
    async fn candidates<'a>(
        &self,
        requester: &'a Requester,
        routed: RoutedAsk<'_>,
    ) -> Result<Candidates<'a>, Problem> {
        let card = self.named_card(requester, routed.ask, routed.address).await?;
        let keeper = card.as_ref().map(|card| &card.keeper);
        let configured = &requester.brand.setup(requester.mode).processors;
        if let Some(named) = routed.processor {
            if !configured.iter().any(|setup| setup.name == *named) {
                let detail = format!("the brand has no processor named {named} in this mode");
                return Err(in_field("/processor", Code::ProcessorNotConfigured, detail));
            }
            if keeper.is_some_and(|keeper| keeper != named) {
                let detail = "another processor keeps the card; omit `processor`";
                return Err(in_field("/processor", Code::PaymentMethodUnknown, detail));
            }
        }
        let only = keeper.or(routed.processor);
        let is_candidate = |setup: &&ProcessorSetup| only.is_none_or(|only| *only == setup.name);
        let setups = configured.iter().filter(is_candidate).collect();
        Ok(Candidates { setups, card: card.map(|card| card.name) })
    }

    /// Judges one processor.
    async fn consider(
        &self,
        requester: &Requester,
        routed: RoutedAsk<'_>,
        setup: &ProcessorSetup,
    ) -> Result<ProcessorFit, Problem> {
        let opened = self.processors.open(&requester.brand, requester.mode, &setup.name);
        let Ok(processor) = opened else {
            let detail = "a processor's settings in the brand's secret are invalid";
            let result = Err(Problem::new(Code::ProcessorNotConfigured, detail));
            return Ok(ProcessorFit { account: None, result });
        };
        let account = processor.account().map(str::to_owned);
        let result = self
            .judge(requester, routed, Candidate { setup, processor: processor.as_ref() })
            .await?;
        Ok(ProcessorFit { account, result })
    }

    /// Judges an open processor: the inner error is the reason why it does not take the ask.
    async fn judge(
        &self,
        requester: &Requester,
        routed: RoutedAsk<'_>,
        candidate: Candidate<'_>,
    ) -> Result<Result<SelectedProcessor, Problem>, Problem> {
        let (ask, Candidate { setup, processor }) = (routed.ask, candidate);
        if let Some(money) = ask.money()
            && let Err(unsupported) = processor.check_amount(money)
        {
            return Ok(Err(amount_problem(&setup.name, unsupported)));
        }
        if let Some(labels) = routed.labels
            && let Err(unsupported) = processor.check_labels(labels)
        {
            return Ok(Err(label_problem(&setup.name, &unsupported)));
        }
        let mut payment_options = processor.payment_options(ask);
        // The test card is never offered where money is real.
        payment_options
            .retain(|option| requester.mode == Mode::Test || *option != PaymentOption::TestCard);
        if payment_options.is_empty() {
            let detail = "no processor of the brand supports this ask in this mode";
            return Ok(Err(Problem::new(Code::AskNotSupported, detail)));
        }
        let scope = requester.scope();
        let (store, kind) = (self.ports.store.as_ref(), CallKind::of(ask));
        let breaker = CircuitBreaker::load(store, scope, &setup.name, kind).await?;
        if let Some(wait) = breaker.open_for(self.ports.clock.now()) {
            let detail =
                "the processor rejects our calls; retry after the seconds in `Retry-After`";
            let retry_after = Some(wait.as_secs().saturating_add(1));
            let shut = Problem::new(Code::ProcessorUnavailable, detail);
            return Ok(Err(Problem { retry_after, ..shut }));
        }
        let by_tap = payment_options.iter().any(gives_by_tap);
        Ok(Ok(SelectedProcessor { name: setup.name.clone(), by_tap, card: None }))
    }

    /// Returns the saved card that the ask names; `None` when it names none.
    async fn named_card(
        &self,
        requester: &Requester,
        ask: &Ask,
        address: &str,
    ) -> Result<Option<NamedCard>, Problem> {
        let Some(card) = ask.card() else { return Ok(None) };
        let (brand, mode) = (&requester.brand.name, requester.mode);
        let known = saved_cards::load(self.ports.store.as_ref(), brand, mode, card).await?;
        // The answer does not tell whether another customer has that card.
        let is_theirs = |known: &saved_cards::SavedCard| {
            guards::is_disabled(Guard::SavedCardOwner)
                || domain::keys::same(&known.address, address)
        };
        match known.filter(is_theirs) {
            Some(known) if !known.is_usable() => {
                let detail = "the processor no longer keeps the card of `payment_method`";
                Err(Problem::new(Code::PaymentMethodGone, detail))
            }
            Some(known) if self.is_silent(requester, card, &known).await? => {
                self.end_silent_card(requester, card, &known).await?;
                let detail = "the customer was silent for longer than `card_silence_days`; the card is taken off file";
                Err(Problem::new(Code::PaymentMethodGone, detail))
            }
            Some(known) => {
                let name = CardName::from(&known.receipt);
                Ok(Some(NamedCard { keeper: known.processor, name }))
            }
            None => {
                let detail =
                    "`payment_method` names no card that this customer saved with the brand";
                Err(in_field("/ask/payment_method", Code::PaymentMethodUnknown, detail))
            }
        }
    }
}

/// Returns whether an approval alone is enough, on any channel.
const fn gives_by_tap(option: &PaymentOption) -> bool {
    match option {
        PaymentOption::Nothing | PaymentOption::TestCard => true,
        PaymentOption::GooglePay(_) | PaymentOption::ApplePay(_) | PaymentOption::Hosted => false,
    }
}

/// The problem of a value that the brand's settings or records do not have.
fn in_field(pointer: &str, code: Code, detail: impl Into<String>) -> Problem {
    Problem::new(code, detail).at(|detail| FieldError::in_body(pointer, "value", detail))
}

/// The problem of an amount that a processor cannot take.
fn amount_problem(name: &ProcessorName, unsupported: UnsupportedAmount) -> Problem {
    let detail = format!("{name} cannot take this amount: {unsupported}");
    let pointer = match unsupported {
        UnsupportedAmount::Currency => "/ask/currency",
        UnsupportedAmount::Step(_) | UnsupportedAmount::Below(_) | UnsupportedAmount::Above(_) => {
            "/ask/amount"
        }
    };
    Problem::new(Code::AmountNotSupported, detail)
        .at(|detail| FieldError::in_body(pointer, unsupported.code(), detail))
}

/// The problem of a label that a processor cannot take.
fn label_problem(name: &ProcessorName, unsupported: &UnsupportedLabel) -> Problem {
    let UnsupportedLabel { pointer, rule } = unsupported;
    let detail = format!("{name} cannot take {pointer}: {rule}");
    in_field(pointer, Code::LabelNotSupported, detail)
}

/// Returns the problem that helps the requester most. Waiting comes before another amount, and that before another ask.
fn weightier(before: Option<Problem>, now: Problem) -> Problem {
    let order = [
        Code::AskNotSupported,
        Code::AmountNotSupported,
        Code::LabelNotSupported,
        Code::ProcessorUnavailable,
    ];
    let weight = |problem: &Problem| order.iter().position(|code| *code == problem.code);
    match before {
        Some(before) if weight(&before) >= weight(&now) => before,
        Some(_) | None => now,
    }
}
