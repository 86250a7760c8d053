//! A fake processor that takes each ask, has its own page and books, and answers as a test says.
//!
//! What a processor's own words mean is each adapter's business and tested there; what follows from them is told here.

mod callbacks;
mod registry;
mod scripted;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use domain::ask::Ask;
use domain::authorization::{Authorization, Credential, CredentialKind, Grant};
use domain::brand::Mode;
use domain::processor_result::{CardReceipt, ClaimsReceipt, Receipt, Reference};
use domain::released_claims::ReleasedClaims;
use domain::values::id::RequestId;
use ports::{
    ApplePay, AttemptContext, CallbackError, Confirmed, Created, DetachResult, Fulfillment,
    GooglePay, LateReversal, PaymentOption, Processor, RedirectUrl, Refund, RefundResult,
    Retrieved, UnverifiedCallback, VerifiedWebhook, VoidResult,
};
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::json;

pub(super) use registry::join;
pub use scripted::ScriptedResult;

use super::CreatedRequest;
use super::ports::Hooks;
use crate::lock::lock;

/// The kind of such a processor in a brand's settings.
pub const KIND: &str = "fake";
/// The header that proves a callback: as it is in the processor's settings.
pub const PROOF: &str = "x-fake-proof";
/// What a customer comes back with.
pub const CODE: &str = "f4ke-code";
/// The facts that are released: no one but the requester, and only by reading the request, learns them.
pub const RELEASED_CLAIMS: &str = r#"{"given_name":"Lovelace","birthdate":"1815-12-10"}"#;
/// What never leaves what is sealed.
pub(super) const SECRETS: [&str; 4] = [CODE, "f4ke-access", "f4ke-card", "f4ke-wallet"];
/// Where a customer goes on, which only they are told.
pub(super) const PAGES: [&str; 1] = ["f4ke.example/pay"];
/// What of the facts is looked for where it does not belong.
pub(super) const CLAIM_VALUES: [&str; 2] = ["Lovelace", "1815-12-10"];

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Settings {
    /// What a callback's header must be.
    proof: String,
    /// The ways there are, best first.
    payment_options: Vec<String>,
    /// The kinds of ask it takes.
    asks: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Self {
            proof: "proven".to_owned(),
            payment_options: words(&["nothing", "google_pay", "apple_pay", "hosted"]),
            asks: words(&["payment", "payment_method", "identity"]),
        }
    }
}

/// A kind of call to a processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProcessorCall {
    /// [`Processor::create`].
    Create,
    /// [`Processor::confirm`].
    Confirm,
    /// [`Processor::retrieve`].
    Retrieve,
    /// [`Processor::void`].
    Void,
    /// [`Processor::refund`].
    Refund,
    /// [`Processor::detach`].
    Detach,
}

/// An attempt, on its books.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Page {
    Open,
    Done,
    Ended,
}

/// Its books.
#[derive(Default)]
pub struct FakeProcessorState {
    /// Fired before each call: `fake_processor Confirm` and so on.
    hooks: Arc<Hooks>,
    pages: Mutex<BTreeMap<(RequestId, u32), Page>>,
    charged: Mutex<BTreeSet<(RequestId, u32)>>,
    refunded: Mutex<BTreeSet<(RequestId, u32)>>,
    creates: Mutex<VecDeque<Created>>,
    confirms: Mutex<VecDeque<Confirmed>>,
    retrieves: Mutex<VecDeque<Retrieved>>,
    voids: Mutex<VecDeque<VoidResult>>,
    refunds_said: Mutex<VecDeque<RefundResult>>,
    detaches: Mutex<VecDeque<DetachResult>>,
    calls: Mutex<Vec<String>>,
}

impl FakeProcessorState {
    /// The calls so far, such as `Confirm 1 Hosted`: what, which attempt or refund, and with what.
    #[must_use]
    pub fn calls(&self) -> Vec<String> {
        lock(&self.calls).clone()
    }

    /// Returns how many calls of that kind there were.
    #[must_use]
    pub fn count(&self, doing: ProcessorCall) -> usize {
        lock(&self.calls).iter().filter(|call| call.starts_with(&format!("{doing:?}"))).count()
    }

    /// Returns how often it charged.
    #[must_use]
    pub fn charges(&self) -> usize {
        lock(&self.charged).len()
    }

    /// Returns how often it gave money back.
    #[must_use]
    pub fn refunds(&self) -> usize {
        lock(&self.refunded).len()
    }

    /// Scripts the next answers to calls with that result.
    pub fn will_return<R: ScriptedResult>(&self, results: impl IntoIterator<Item = R>) {
        lock(R::script(self)).extend(results);
    }

    /// Scripts the next answers to refunds.
    pub fn will_return_for_refunds(&self, answers: impl IntoIterator<Item = RefundResult>) {
        lock(&self.refunds_said).extend(answers);
    }

    /// The customer does what is wanted on its page.
    ///
    /// # Panics
    /// When that page is not open.
    pub fn customer_is_done(&self, asked: &CreatedRequest, attempt_no: u32) {
        let mut pages = lock(&self.pages);
        let page = pages.get_mut(&(asked.id.parse().expect("an id"), attempt_no));
        let page = page.filter(|page| **page == Page::Open).expect("its page is open");
        *page = Page::Done;
    }

    /// The customer confirms an attempt where no page of ours leads, such as in the bank's app.
    ///
    /// # Panics
    /// When the id is invalid.
    pub fn confirms_elsewhere(&self, request: &str, attempt_no: u32) {
        lock(&self.charged).insert((request.parse().expect("an id"), attempt_no));
    }

    fn called(&self, doing: ProcessorCall, what: &str) {
        lock(&self.calls).push(format!("{doing:?} {what}"));
        self.hooks.fire(&format!("fake {doing:?}"));
    }

    fn next<R: ScriptedResult>(&self) -> Option<R> {
        lock(R::script(self)).pop_front()
    }
}

struct FakeProcessor {
    settings: Settings,
    mode: Mode,
    books: Arc<FakeProcessorState>,
}

fn google(mode: Mode) -> GooglePay {
    GooglePay {
        mode,
        merchant_id: None,
        gateway: BTreeMap::from([("gateway".to_owned(), "fake".to_owned())]),
        networks: vec!["VISA".to_owned()],
        country: "DE".to_owned(),
    }
}

fn receipt(charge: &AttemptContext<'_>) -> Receipt {
    let money = charge.money().expect("an ask for a payment");
    let wallet = match charge.authorization {
        Authorization::Credential(credential) => match credential.kind {
            CredentialKind::GooglePay => Some("google_pay".to_owned()),
            CredentialKind::ApplePay => Some("apple_pay".to_owned()),
            CredentialKind::PaymentMethod | CredentialKind::SavedCard => None,
        },
        Authorization::Grant(_) | Authorization::Hosted => None,
    };
    Receipt {
        // A charge has an id of its own, as at Adyen.
        reference: Reference(format!("paid-{}-{}", charge.request, charge.attempt_no)),
        amount: money.amount(),
        currency: money.currency().code().to_owned(),
        method: "card".to_owned(),
        wallet,
        card_brand: Some("visa".to_owned()),
        last4: Some("4242".to_owned()),
    }
}

fn reference(what: &AttemptContext<'_>) -> Reference {
    Reference(format!("fake-{}-{}", what.request, what.attempt_no))
}

impl FakeProcessor {
    fn done(&self, what: &AttemptContext<'_>) -> Fulfillment {
        match what.ask {
            Ask::Payment { .. } => {
                lock(&self.books.charged).insert((what.request, what.attempt_no));
                Fulfillment::Payment(receipt(what))
            }
            Ask::PaymentMethod { .. } => Fulfillment::Card {
                receipt: CardReceipt {
                    reference: reference(what),
                    wallet: None,
                    card_brand: Some("visa".to_owned()),
                    last4: Some("4242".to_owned()),
                    exp_month: Some(12),
                    exp_year: Some(2030),
                },
                saved: Credential::new(CredentialKind::SavedCard, "f4ke-card"),
            },
            Ask::Identity { claims, .. } => Fulfillment::Claims {
                receipt: ClaimsReceipt {
                    subject: "5ub".to_owned(),
                    released: claims.iter().map(|claim| claim.as_str().to_owned()).collect(),
                    ..ClaimsReceipt::default()
                },
                claims: ReleasedClaims(RELEASED_CLAIMS.into()),
            },
        }
    }

    fn page(&self, what: &AttemptContext<'_>) -> Option<Page> {
        lock(&self.books.pages).get(&(what.request, what.attempt_no)).copied()
    }

    fn turn(&self, what: &AttemptContext<'_>, page: Page) {
        lock(&self.books.pages).insert((what.request, what.attempt_no), page);
    }

    fn redirect(what: &AttemptContext<'_>) -> RedirectUrl {
        let url = format!("https://f4ke.example/pay/{}?n={}&x=1", what.request, what.attempt_no);
        RedirectUrl(url)
    }

    fn charged(&self, what: &AttemptContext<'_>) -> bool {
        lock(&self.books.charged).contains(&(what.request, what.attempt_no))
    }
}

#[async_trait]
impl Processor for FakeProcessor {
    fn payment_options(&self, ask: &Ask) -> Vec<PaymentOption> {
        if !self.settings.asks.iter().any(|kind| kind == ask.kind()) {
            return Vec::new();
        }
        let payment_options = self.settings.payment_options.iter().filter_map(|option| {
            match (option.as_str(), ask) {
                ("nothing", _) => ask.card().map(|_| PaymentOption::Nothing),
                (_, Ask::Payment { card: Some(_), .. }) => None,
                ("hosted", _) => Some(PaymentOption::Hosted),
                ("test_card", Ask::Payment { .. }) => Some(PaymentOption::TestCard),
                ("google_pay", Ask::Payment { .. }) => {
                    Some(PaymentOption::GooglePay(google(self.mode)))
                }
                ("apple_pay", Ask::Payment { .. }) => Some(PaymentOption::ApplePay(ApplePay {
                    networks: vec!["visa".to_owned()],
                    country: "DE".to_owned(),
                })),
                _ => None,
            }
        });
        payment_options.collect()
    }

    async fn create(&self, what: &AttemptContext<'_>) -> Created {
        self.books.called(ProcessorCall::Create, &what.attempt_no.to_string());
        self.books.next().unwrap_or_else(|| Created::Ready(reference(what)))
    }

    async fn confirm(&self, what: &AttemptContext<'_>, _: &Reference) -> Confirmed {
        let kind = match what.authorization {
            Authorization::Hosted => "Hosted".to_owned(),
            Authorization::Credential(credential) => format!("{:?}", credential.kind),
            Authorization::Grant(Grant::Code(_)) => "Code".to_owned(),
            Authorization::Grant(Grant::AccessToken(_)) => "AccessToken".to_owned(),
        };
        let used = format!("{} {kind}", what.attempt_no);
        self.books.called(ProcessorCall::Confirm, &used);
        if let Some(said) = self.books.next() {
            return said;
        }
        match what.authorization {
            Authorization::Hosted => match self.page(what) {
                Some(Page::Done) => Confirmed::Done(self.done(what)),
                Some(Page::Ended) => Confirmed::Voided,
                Some(Page::Open) | None => {
                    self.turn(what, Page::Open);
                    Confirmed::RequiresAction { redirect: Some(Self::redirect(what)) }
                }
            },
            Authorization::Grant(Grant::Code(_)) if what.redeemed => {
                Confirmed::SoftDeclined { code: "code_used" }
            }
            Authorization::Grant(Grant::Code(code)) => {
                assert_eq!(code.expose_secret(), CODE);
                let secret = "f4ke-access".into();
                Confirmed::Exchanged(Grant::AccessToken(secret))
            }
            Authorization::Credential(_) | Authorization::Grant(Grant::AccessToken(_)) => {
                Confirmed::Done(self.done(what))
            }
        }
    }

    async fn retrieve(&self, what: &AttemptContext<'_>, _: &Reference) -> Retrieved {
        self.books.called(ProcessorCall::Retrieve, &what.attempt_no.to_string());
        if let Some(said) = self.books.next() {
            return said;
        }
        match (what.reported, self.page(what)) {
            (Some(reported), _) if reported.success => Retrieved::Done(self.done(what)),
            (Some(_), _) => Retrieved::SoftDeclined { code: "card_declined" },
            (None, _) if self.charged(what) => Retrieved::Done(self.done(what)),
            (None, Some(Page::Done)) => Retrieved::Done(self.done(what)),
            (None, Some(Page::Ended)) => Retrieved::Voided,
            (None, Some(Page::Open)) if *what.authorization == Authorization::Hosted => {
                Retrieved::RequiresAction { redirect: Some(Self::redirect(what)) }
            }
            (None, _) => Retrieved::NotConfirmed,
        }
    }

    async fn void(&self, what: &AttemptContext<'_>, _: &Reference) -> VoidResult {
        self.books.called(ProcessorCall::Void, &what.attempt_no.to_string());
        if let Some(said) = self.books.next() {
            return said;
        }
        if self.charged(what) || self.page(what) == Some(Page::Done) {
            return VoidResult::Done(self.done(what));
        }
        self.turn(what, Page::Ended);
        VoidResult::Voided
    }

    async fn refund(&self, refund: &Refund<'_>) -> RefundResult {
        let what = format!("{} {} {}", refund.seq, refund.money.amount(), refund.again);
        self.books.called(ProcessorCall::Refund, &what);
        let id = Reference(format!("re-{}-{}", refund.request, refund.seq));
        if let Some(reported) = refund.reported {
            return if reported.success {
                RefundResult::Done(id)
            } else {
                RefundResult::Failed { code: "declined" }
            };
        }
        if let Some(said) = lock(&self.books.refunds_said).pop_front() {
            return said;
        }
        lock(&self.books.refunded).insert((refund.request, refund.seq));
        RefundResult::Done(id)
    }

    async fn reverse(&self, late: &LateReversal<'_>) -> RefundResult {
        self.books.reverses(late)
    }

    async fn detach(&self, saved: &Credential) -> DetachResult {
        self.books.detaches(saved)
    }

    async fn apple_pay_session(&self, host: &str) -> Option<String> {
        Some(json!({ "domainName": host }).to_string())
    }

    fn receive(&self, callback: &UnverifiedCallback) -> Result<VerifiedWebhook, CallbackError> {
        callbacks::receive(callback, &self.settings.proof)
    }
}
