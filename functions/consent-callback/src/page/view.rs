//! Turns a stored request into the view that its consent page shows.

use domain::ask::{Ask, AskKind, CLAIMS, SessionKind};
use domain::brand::{Brand, Mode};
use domain::card_name::CardName;
use domain::outcome::{DenialReason, Details, Outcome};
use domain::request::{PromptRecord, Request, ReturnBrowser, State};
use domain::values::time::Timestamp;
use texts::{Locale, PageTexts};
use zeroize::Zeroizing;

use super::form;
use super::html::{
    self, BrandView, CodeField, HostedPage, Offer, PageBranding, PageView, Receipt, ReturnForm,
    Stage, TestCard,
};
use super::link::View;

/// The test cards that a page offers, with the result of each at the sandbox and at Stripe.
const TEST_CARDS: [TestCard<'static>; 3] = [
    TestCard { value: "pm_card_visa", label: "Visa •••• 4242" },
    TestCard { value: "pm_card_chargeDeclined", label: "Visa •••• 0002 (declined)" },
    TestCard {
        value: "pm_card_chargeDeclinedInsufficientFunds",
        label: "Visa •••• 9995 (insufficient funds)",
    },
];

/// One view of the page, by its paths and the time.
#[derive(Clone, Copy)]
pub(super) struct PageVisit<'a> {
    /// The page's own path.
    pub(super) action: &'a str,
    /// The same path, with the query that keeps this view when the page reloads itself.
    pub(super) again: &'a str,
    /// The reason for the view.
    pub(super) view: View,
    pub(super) now: Timestamp,
    /// The languages that the browser accepts, as its header says; empty without one.
    pub(super) accepts: &'a str,
}

/// The stored parts that a page shows.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) request: &'a Request,
    pub(super) prompt: &'a PromptRecord,
    pub(super) brand: &'a Brand,
    pub(super) branding: &'a PageBranding,
}

/// The parts of a page that are not in the request. They are loaded first, as rendering does no I/O.
#[derive(Default)]
pub(super) struct PageParts {
    /// The offers; empty unless the request waits for a reply.
    pub(super) offers: Vec<Offer>,
    /// The URL of the hosted page; `None` unless a redirect to it is open.
    pub(super) hosted_page: Option<Zeroizing<String>>,
    /// The nonce of the form that takes the session code after a return; `None` where the request has no code.
    pub(super) return_form: Option<String>,
    /// The card that was used or kept, as the customer reads it; `None` unless one is known.
    pub(super) card: Option<String>,
}

/// Returns whether the customer, or another person, came back in another browser than the one that left.
fn is_in_another_browser(request: &Request) -> bool {
    let redirect = request.open_attempt().and_then(|attempt| attempt.redirect.as_ref());
    redirect.and_then(|redirect| redirect.browser) == Some(ReturnBrowser::Other)
}

/// Renders the page of a prompt of a request.
///
/// # Errors
/// When the template cannot be written.
pub(super) fn render(
    known: Known<'_>,
    visit: PageVisit<'_>,
    parts: &PageParts,
) -> Result<String, askama::Error> {
    let Known { request, prompt, brand, branding } = known;
    let now = visit.now;
    let locale = locale(request, brand, visit.accepts);
    let texts = locale.page();
    let money = request.ask.money().map(|money| locale.isolated_amount(money));
    let nonce = form::nonce_field(brand, request, prompt.id);
    let code = request.session_code.as_ref().map(|code| match code.picks() {
        Some(choices) => CodeField::Picks(choices.each_ref().map(String::as_str)),
        None => CodeField::Typed,
    });
    let view = PageView {
        locale,
        texts,
        test_mode: request.mode == Mode::Test,
        payee: &request.payee,
        brand: branding.view(brand),
        public_base: "",
        money: money.as_deref(),
        description: request.ask.description(),
        kind: AskKind::of(&request.ask),
        asked_by: request.is_by_assistant().then_some(texts.asked_by_assistant),
        session_label: Some(session_label(request.session.kind, texts)),
        code,
        nonce: &nonce,
        action: visit.action,
        again: visit.again,
        stage: stage(request, prompt, visit, parts),
        seconds_left: now.until(request.expires_at).as_secs(),
        offers: &parts.offers,
        test_cards: &TEST_CARDS,
        claims: &claims(request, texts),
        compares_phone_number: compares_phone_number(&request.ask),
        can_extend: !request.customer_extended && request.is_open_to_answers(),
    };
    html::render(&view)
}

/// Returns the language and region of a page: the customer's, else the browser's, else the brand's.
pub(super) fn locale(request: &Request, brand: &Brand, accepts: &str) -> Locale {
    let accepted = texts::accepted(accepts).filter(|_| request.customer.language.is_none());
    let language = request.customer.language.as_ref().or(accepted.as_ref());
    Locale::nearest(language.unwrap_or(&brand.language), &brand.language)
}

/// Returns the requested claims in the customer's language, and at the end those that were shared.
///
/// A claim without a text is shown by its name, so that the customer shares nothing unseen.
fn claims<'a>(request: &'a Request, texts: &PageTexts) -> Vec<&'a str> {
    let Ask::Identity { claims, .. } = &request.ask else { return Vec::new() };
    let text = |claim: &'a str| {
        let known = CLAIMS.iter().zip(texts.claims).find(|(name, _)| **name == claim);
        known.map_or(claim, |(_, text)| text)
    };
    match receipt(request) {
        Some(Details::Claims(receipt)) => {
            receipt.released.iter().map(|claim| text(claim)).collect()
        }
        Some(Details::Payment(_) | Details::Card { .. }) | None => {
            claims.iter().map(|claim| text(claim.as_str())).collect()
        }
    }
}

/// Returns the details of a fulfilled request.
const fn receipt(request: &Request) -> Option<&Details> {
    match &request.state {
        State::Closed { outcome: Outcome::Fulfilled { receipt, .. }, .. } => Some(receipt),
        State::Pending
        | State::Prompted
        | State::Authorized { .. }
        | State::Processing { .. }
        | State::Closed { .. } => None,
    }
}

/// Returns the card that a fulfilled request used or kept, as the customer reads it.
pub(super) fn card(request: &Request) -> Option<String> {
    match receipt(request)? {
        Details::Payment(receipt) => CardName::from(receipt).dotted(),
        Details::Card { receipt, .. } => CardName::from(receipt).dotted(),
        Details::Claims(_) => None,
    }
}

/// Renders the page for the preview of a link.
///
/// # Errors
/// When the template cannot be written.
pub(super) fn preview(
    request: &Request,
    brand: &Brand,
    branding: &PageBranding,
    public_base: &str,
) -> Result<String, askama::Error> {
    let language = request.customer.language.as_ref().unwrap_or(&brand.language);
    let locale = Locale::nearest(language, &brand.language);
    let view = blank(locale, &request.payee, Stage::Preview);
    html::render(&PageView { brand: branding.view(brand), public_base, ..view })
}

/// Renders the page of an unknown link.
///
/// # Errors
/// When the template cannot be written.
pub(super) fn unknown(action: &str, accepts: &str) -> Result<String, askama::Error> {
    let language = texts::accepted(accepts).unwrap_or_default();
    let view = blank(Locale::nearest(&language, &language), "", Stage::Unknown);
    html::render(&PageView { action, again: action, ..view })
}

/// Returns the view of a page without a request's details.
pub(super) const fn blank<'a>(locale: Locale, payee: &'a str, stage: Stage<'a>) -> PageView<'a> {
    PageView {
        locale,
        texts: locale.page(),
        test_mode: false,
        payee,
        brand: BrandView::PLAIN,
        public_base: "",
        money: None,
        description: "",
        kind: AskKind::Payment,
        asked_by: None,
        session_label: None,
        code: None,
        nonce: "",
        action: "",
        again: "",
        stage,
        seconds_left: 0,
        offers: &[],
        test_cards: &[],
        claims: &[],
        compares_phone_number: false,
        can_extend: false,
    }
}

/// Returns whether the provider may be asked for the phone number beside the claims, to compare it.
fn compares_phone_number(ask: &Ask) -> bool {
    match ask {
        Ask::Identity { claims, .. } => {
            !claims.iter().any(|claim| claim.as_str() == "phone_number")
        }
        Ask::Payment { .. } | Ask::PaymentMethod { .. } => false,
    }
}

const fn session_label(kind: SessionKind, texts: &PageTexts) -> &'static str {
    match kind {
        SessionKind::Voice | SessionKind::Ivr => texts.session_voice,
        SessionKind::Chat => texts.session_chat,
        SessionKind::InPerson => texts.session_in_person,
    }
}

/// Returns the state of a request as a visit of its page shows it.
pub(super) fn stage<'a>(
    request: &'a Request,
    prompt: &PromptRecord,
    visit: PageVisit<'a>,
    parts: &'a PageParts,
) -> Stage<'a> {
    match &request.state {
        State::Pending | State::Prompted if visit.now >= request.expires_at => Stage::Expired,
        State::Pending | State::Prompted if !prompt.in_force() => Stage::Used,
        State::Pending | State::Prompted if visit.view == View::NotMe => Stage::NotMe,
        State::Pending | State::Prompted => Stage::Ask { declined: is_card_declined(request) },
        State::Authorized { .. } | State::Processing { .. } => match &parts.hosted_page {
            None => Stage::Working,
            Some(_) if is_in_another_browser(request) => {
                Stage::OtherBrowser(parts.return_form.as_ref().map(|nonce| ReturnForm {
                    action: visit.action,
                    fields: &[],
                    confirms: Some(nonce),
                }))
            }
            Some(_) if visit.view == View::Done => Stage::Working,
            Some(url) if visit.view == View::Going => Stage::HostedPage(HostedPage::Going { url }),
            Some(url) => Stage::HostedPage(HostedPage::Back { url }),
        },
        State::Closed { outcome, at } => match outcome {
            Outcome::Fulfilled { transaction_code, .. } => {
                Stage::Fulfilled(Receipt { transaction_code, card: parts.card.as_deref(), at: *at })
            }
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

/// Returns whether the last attempt's card was declined. A customer who left the hosted page knows why the attempt ended.
fn is_card_declined(request: &Request) -> bool {
    let mut entries = request.timeline.iter().rev();
    let last = entries
        .find(|entry| ["card_declined", "attempt_failed"].contains(&entry.what.as_str()))
        .and_then(|entry| entry.reason.as_deref());
    !request.attempts.is_empty() && last != Some("customer_left")
}
