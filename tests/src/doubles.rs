//! Simple ports: a clock that a test moves, randomness from a seed, and one brand.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use domain::ask::{Ask, AskHash, Customer, Metadata, Session, SessionKind};
use domain::authorization::Authorization;
use domain::brand::{Brand, Mode};
use domain::journal::HeldEntries;
use domain::random::Random;
use domain::request::{Aftermath, AttemptEnd, Request, State};
use domain::values::id::RequestId;
use domain::values::money::Money;
use domain::values::name::BrandName;
use domain::values::text::DisplayText;
use domain::values::time::Timestamp;
use ports::{AttemptContext, Clock, RequestLabels, Secrets, SecretsError};
use sha2::{Digest, Sha256};

use crate::lock::lock;

/// When every double's time begins: the first of December 2026.
pub const START_TIME: Timestamp = Timestamp::from_millis(1_796_083_200_000);

/// A clock that stands until it is moved. Waiting moves it.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl Default for ManualClock {
    fn default() -> Self {
        Self(AtomicI64::new(START_TIME.as_millis()))
    }
}

impl ManualClock {
    /// Lets time pass.
    pub fn pass(&self, duration: Duration) {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        self.0.fetch_add(millis, Ordering::SeqCst);
    }

    /// Stands at `at` from now on, ahead or back.
    pub fn stand_at(&self, at: Timestamp) {
        self.0.store(at.as_millis(), Ordering::SeqCst);
    }

    /// Lets time pass until `at`, if that is ahead.
    pub fn pass_until(&self, at: Timestamp) {
        self.0.fetch_max(at.as_millis(), Ordering::SeqCst);
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }

    async fn wait(&self, duration: Duration) {
        self.pass(duration);
    }
}

/// Randomness that is the same for the same seed: SHA-256 over the seed and a count.
#[derive(Debug)]
pub struct SeededRandom {
    seed: u64,
    drawn: Mutex<u64>,
}

impl SeededRandom {
    /// Randomness of that seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { seed, drawn: Mutex::new(0) }
    }

    fn block(&self) -> [u8; 32] {
        let mut drawn = lock(&self.drawn);
        *drawn = drawn.wrapping_add(1);
        let mut hash = Sha256::new();
        hash.update(self.seed.to_be_bytes());
        hash.update(drawn.to_be_bytes());
        hash.finalize().into()
    }
}

impl Random for SeededRandom {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            for (to, from) in chunk.iter_mut().zip(self.block()) {
                *to = from;
            }
        }
    }
}

/// One brand, whose secret can be replaced to rotate what is in it.
#[derive(Debug)]
pub struct OneBrand(Mutex<Arc<Brand>>);

impl OneBrand {
    /// The brand of a secret's text.
    ///
    /// # Errors
    /// When the text is no brand's secret.
    pub fn new(text: &str) -> Result<Self, domain::brand::InvalidBrand> {
        Ok(Self(Mutex::new(Arc::new(Brand::parse(text)?))))
    }

    /// Puts another secret in place.
    pub fn rotate(&self, brand: Brand) {
        *lock(&self.0) = Arc::new(brand);
    }

    /// The brand now.
    #[must_use]
    pub fn now(&self) -> Arc<Brand> {
        Arc::clone(&lock(&self.0))
    }
}

#[async_trait]
impl Secrets for OneBrand {
    async fn brand(&self, name: &BrandName) -> Result<Arc<Brand>, SecretsError> {
        let brand = self.now();
        if brand.name == *name { Ok(brand) } else { Err(SecretsError::Unknown) }
    }

    async fn refresh(&self, name: &BrandName) -> Result<Arc<Brand>, SecretsError> {
        self.brand(name).await
    }
}

/// One use of an authorization for a payment in euros, as a processor is handed it.
///
/// # Panics
/// Panics when the amount is invalid.
#[must_use]
#[expect(clippy::expect_used, reason = "a double fails the test it is in")]
pub fn used(authorization: &Authorization, amount: u64, attempt_no: u32) -> AttemptContext<'_> {
    let money = Money::new(amount, "EUR".parse().expect("a currency")).expect("an amount");
    let description = DisplayText::new("Invoice 4711").expect("a description");
    AttemptContext {
        request: "req_01J00000000000000000000000".parse().expect("an id"),
        attempt_no,
        ask: Box::leak(Box::new(Ask::Payment { money, description, card: None })),
        labels: RequestLabels::NONE,
        authorization,
        customer: "c0ffee",
        page: "https://pay.example.com/c/page",
        callback: "https://pay.example.com/callbacks/demo/stripe",
        begun_at: START_TIME,
        on_hosted_page: false,
        redeemed: false,
        reported: None,
    }
}

/// Returns an ordinary request in test mode, accepted at that moment. A test replaces the fields that it is about.
///
/// # Panics
/// Panics when a sample is invalid.
#[must_use]
#[expect(clippy::expect_used, reason = "a double fails the test it is in")]
pub fn sample_request(
    id: RequestId,
    brand: &BrandName,
    payee: &str,
    ask: Ask,
    at: Timestamp,
) -> Request {
    Request {
        id,
        brand: brand.clone(),
        mode: Mode::Test,
        payee: payee.to_owned(),
        customer: Customer {
            phone: "+15551230001".parse().expect("a phone"),
            email: None,
            name: None,
            language: None,
        },
        language: None,
        address: "hash".to_owned(),
        session: Session { kind: SessionKind::Voice, id: "call".to_owned(), agent: None },
        ask_hash: AskHash::of(id, brand, payee, &ask),
        ask,
        processor: "sandbox".parse().expect("a name"),
        routes: vec!["rcs".parse().expect("a name")],
        routes_used: 0,
        session_code: None,
        by_tap: false,
        key: None,
        metadata: Metadata::new(),
        notify: true,
        fallback_seconds: 12,
        attempts_max: 5,
        retention_seconds: 86_400,
        created_at: at,
        expires_at: at.after(Duration::from_secs(300)),
        customer_extended: false,
        state: State::Pending,
        prompts: Vec::new(),
        attempts: Vec::new(),
        refunds: Vec::new(),
        aftermath: Aftermath::default(),
        thread: Box::default(),
        entry: None,
        card: None,
        erased_at: None,
        timeline: Vec::new(),
        journal: HeldEntries::default(),
        entries: 0,
        chain: String::new(),
        webhooks: 0,
    }
}

/// Returns how many cards may have been given on hosted pages without a return in a browser that counts.
///
/// Such a card stays at the processor, unused. Only a return with the cookie or the session code saves it.
#[must_use]
pub fn orphaned_cards_max(request: &Request) -> usize {
    if !matches!(request.ask, Ask::PaymentMethod { .. }) {
        return 0;
    }
    let attempts = request.attempts.iter();
    attempts.filter(|attempt| attempt.end() == Some(AttemptEnd::NotCharged)).count()
}
