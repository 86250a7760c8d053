//! From a stored request to what its consent page shows.

use domain::ask::{Ask, CLAIMS, SessionKind};
use domain::brand::{Brand, Mode};
use domain::keys;
use domain::outcome::{DenialReason, Outcome};
use domain::request::{PromptRecord, Request, State};
use domain::texts::{self, AskKind, PageTexts};
use domain::values::language::Language;
use domain::values::text::DisplayText;
use domain::values::time::Timestamp;
use zeroize::Zeroizing;

use crate::page::{self, HostedPage, Offer, PageView, Stage, TestCard};

/// The test cards a page offers, with what each of them does at the sandbox and at Stripe.
const TEST_CARDS: [TestCard<'static>; 3] = [
    TestCard { value: "pm_card_visa", label: "Visa •••• 4242" },
    TestCard { value: "pm_card_chargeDeclined", label: "Visa •••• 0002 (declined)" },
    TestCard {
        value: "pm_card_chargeDeclinedInsufficientFunds",
        label: "Visa •••• 9995 (insufficient funds)",
    },
];

/// How the page is looked at.
#[derive(Clone, Copy)]
pub(crate) struct Look<'a> {
    /// The page's own path.
    pub(crate) action: &'a str,
    /// The same, with what is to be remembered when the page looks again.
    pub(crate) again: &'a str,
    /// Whether the customer said yes on this page a moment ago, and goes on by themselves.
    pub(crate) going: bool,
    /// Whether the customer says that they are done on the processor's page.
    pub(crate) done: bool,
    /// When.
    pub(crate) now: Timestamp,
}

/// What a page is made of besides the request: opened and loaded before, because rendering waits for nobody.
#[derive(Default)]
pub(crate) struct Found {
    /// What is offered, while the request waits for an answer.
    pub(crate) offers: Vec<Offer>,
    /// Where the customer goes on to at the processor, while they are to.
    pub(crate) hosted_page: Option<Zeroizing<String>>,
}

/// Renders the page of a prompt of a request.
///
/// # Errors
/// When the template cannot be written.
pub(crate) fn render(
    request: &Request,
    prompt: &PromptRecord,
    brand: &Brand,
    look: Look<'_>,
    found: &Found,
) -> Result<String, askama::Error> {
    let now = look.now;
    let language = request.customer.language.as_ref().unwrap_or(&brand.language);
    let texts = texts::page(language, &brand.language);
    let money = request.ask.money().map(|money| texts::amount(language, &brand.language, money));
    let nonce = keys::page_nonce(&brand.link_key, prompt.id, &request.ask_hash);
    let choices =
        request.session_code.as_ref().map(|code| code.choices.each_ref().map(String::as_str));
    let expires_at = clock_time(request.expires_at);
    let view = PageView {
        texts,
        test_mode: request.mode == Mode::Test,
        payee: &request.payee,
        money: money.as_deref(),
        description: request.ask.description(),
        kind: kind(&request.ask),
        session_label: Some(session_label(request.session.kind, texts)),
        code_choices: choices,
        nonce: &nonce,
        action: look.action,
        again: look.again,
        stage: stage(request, prompt, look, found),
        expires_at: &expires_at,
        seconds_left: now.until(request.expires_at).as_secs(),
        offers: &found.offers,
        test_cards: &TEST_CARDS,
        claims: &claims(&request.ask, texts),
        can_extend: !request.customer_extended && request.is_open_to_answers(),
    };
    page::render(&view)
}

/// The facts that are asked for, in the customer's words. One without words is shown by its name: nothing is shared unseen.
fn claims<'a>(ask: &'a Ask, texts: &PageTexts) -> Vec<&'a str> {
    let Ask::Identity { claims, .. } = ask else { return Vec::new() };
    let worded = |claim: &'a DisplayText<64>| {
        let words = CLAIMS.iter().zip(texts.claims).find(|(name, _)| **name == claim.as_str());
        words.map_or(claim.as_str(), |(_, words)| words)
    };
    claims.iter().map(worded).collect()
}

/// Renders the page of a link nobody knows.
///
/// # Errors
/// When the template cannot be written.
pub(crate) fn unknown(action: &str) -> Result<String, askama::Error> {
    let language = Language::default();
    let view = PageView {
        texts: texts::page(&language, &language),
        test_mode: false,
        payee: "",
        money: None,
        description: "",
        kind: AskKind::Payment,
        session_label: None,
        code_choices: None,
        nonce: "",
        action,
        again: action,
        stage: Stage::Unknown,
        expires_at: "",
        seconds_left: 0,
        offers: &[],
        test_cards: &[],
        claims: &[],
        can_extend: false,
    };
    page::render(&view)
}

const fn kind(ask: &Ask) -> AskKind {
    match ask {
        Ask::Payment { .. } => AskKind::Payment,
        Ask::PaymentMethod { .. } => AskKind::PaymentMethod,
        Ask::Identity { .. } => AskKind::Identity,
    }
}

const fn session_label(kind: SessionKind, texts: &PageTexts) -> &'static str {
    match kind {
        SessionKind::Voice | SessionKind::Ivr => texts.session_voice,
        SessionKind::Chat => texts.session_chat,
        SessionKind::InPerson => texts.session_in_person,
    }
}

fn stage<'a>(
    request: &'a Request,
    prompt: &PromptRecord,
    look: Look<'_>,
    found: &'a Found,
) -> Stage<'a> {
    match &request.state {
        State::Pending | State::Prompted if look.now >= request.expires_at => Stage::Expired,
        State::Pending | State::Prompted if !prompt.in_force() => Stage::Used,
        State::Pending | State::Prompted => Stage::Ask { refused: refused(request) },
        State::Authorized { .. } | State::Processing { .. } => match &found.hosted_page {
            None => Stage::Working,
            Some(_) if look.done => Stage::Working,
            Some(url) if look.going => Stage::HostedPage(HostedPage::Going { url }),
            Some(url) => Stage::HostedPage(HostedPage::Back { url }),
        },
        State::Closed { outcome, .. } => match outcome {
            Outcome::Fulfilled { transaction_code, .. } => Stage::Fulfilled { transaction_code },
            Outcome::Denied { reason: DenialReason::WrongSessionCode } => Stage::WrongCode,
            Outcome::Denied {
                reason: DenialReason::Customer | DenialReason::NotMe | DenialReason::OptedOut,
            } => Stage::Denied,
            Outcome::Expired => Stage::Expired,
            Outcome::Cancelled => Stage::Cancelled,
            Outcome::Undeliverable { .. } | Outcome::Failed { .. } => Stage::Failed,
        },
    }
}

/// Whether the last attempt was refused, and not left by the customer, who knows.
fn refused(request: &Request) -> bool {
    let mut facts = request.timeline.iter().rev();
    let last =
        facts.find(|fact| fact.what == "card_declined").and_then(|fact| fact.reason.as_deref());
    !request.attempts.is_empty() && last != Some("customer_left")
}

/// `14:35 UTC`, which is enough for a deadline within the day and never wrong.
fn clock_time(time: Timestamp) -> String {
    let text = time.to_string();
    let hours = text.get(11..16).unwrap_or_default();
    let day = text.get(..10).unwrap_or_default();
    format!("{day} {hours} UTC")
}
