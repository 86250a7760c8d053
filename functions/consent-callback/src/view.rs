//! From a stored request to what its consent page shows.

use domain::ask::{Ask, SessionKind};
use domain::brand::{Brand, Mode};
use domain::keys;
use domain::outcome::{DeclineReason, Outcome};
use domain::request::{PromptRecord, Request, State};
use domain::texts::{self, PageTexts, WantedKind};
use domain::values::language::Language;
use domain::values::time::Timestamp;

use crate::page::{self, PageView, Stage, TestCard};

/// The test cards a page offers, with what each of them does at the sandbox and at Stripe.
const TEST_CARDS: [TestCard<'static>; 3] = [
    TestCard { value: "pm_card_visa", label: "Visa •••• 4242" },
    TestCard { value: "pm_card_chargeDeclined", label: "Visa •••• 0002 (declined)" },
    TestCard {
        value: "pm_card_chargeDeclinedInsufficientFunds",
        label: "Visa •••• 9995 (insufficient funds)",
    },
];

/// Renders the page of a prompt of a request.
///
/// # Errors
/// When the template cannot be written.
pub(crate) fn render(
    request: &Request,
    prompt: &PromptRecord,
    brand: &Brand,
    action: &str,
    now: Timestamp,
) -> Result<String, askama::Error> {
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
        action,
        stage: stage(request, prompt, now),
        expires_at: &expires_at,
        seconds_left: now.until(request.expires_at).as_secs(),
        test_cards: match request.mode {
            Mode::Test => &TEST_CARDS,
            Mode::Live => &[],
        },
        can_extend: !request.customer_extended && request.is_open_to_answers(),
    };
    page::render(&view)
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
        kind: WantedKind::Payment,
        session_label: None,
        code_choices: None,
        nonce: "",
        action,
        stage: Stage::Unknown,
        expires_at: "",
        seconds_left: 0,
        test_cards: &[],
        can_extend: false,
    };
    page::render(&view)
}

const fn kind(ask: &Ask) -> WantedKind {
    match ask {
        Ask::Payment { .. } => WantedKind::Payment,
        Ask::PaymentMethod { .. } => WantedKind::PaymentMethod,
        Ask::Identity { .. } => WantedKind::Identity,
    }
}

const fn session_label(kind: SessionKind, texts: &PageTexts) -> &'static str {
    match kind {
        SessionKind::Voice | SessionKind::Ivr => texts.session_voice,
        SessionKind::Chat => texts.session_chat,
        SessionKind::InPerson => texts.session_in_person,
    }
}

fn stage<'a>(request: &'a Request, prompt: &PromptRecord, now: Timestamp) -> Stage<'a> {
    match &request.state {
        State::Pending | State::Prompted if now >= request.expires_at => Stage::Expired,
        State::Pending | State::Prompted if !prompt.in_force() => Stage::Used,
        State::Pending | State::Prompted => Stage::Ask { refused: !request.attempts.is_empty() },
        State::Authorized { .. } | State::Processing { .. } => Stage::Working,
        State::Closed { outcome, .. } => match outcome {
            Outcome::Fulfilled { transaction_code, .. } => Stage::Fulfilled { transaction_code },
            Outcome::Declined { reason: DeclineReason::WrongSessionCode } => Stage::WrongCode,
            Outcome::Declined {
                reason: DeclineReason::Customer | DeclineReason::NotMe | DeclineReason::OptedOut,
            } => Stage::Declined,
            Outcome::Expired => Stage::Expired,
            Outcome::Cancelled => Stage::Cancelled,
            Outcome::Undeliverable { .. } | Outcome::Failed { .. } => Stage::Failed,
        },
    }
}

/// `14:35 UTC`, which is enough for a deadline within the day and never wrong.
fn clock_time(time: Timestamp) -> String {
    let text = time.to_string();
    let hours = text.get(11..16).unwrap_or_default();
    let day = text.get(..10).unwrap_or_default();
    format!("{day} {hours} UTC")
}
