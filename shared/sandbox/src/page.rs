//! The sandbox's pages: the checkout page, and the bank's page of 3-D Secure.

use askama::Template;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::branding::{AccentColours, Branding, Link, Logo};
use domain::values::money::Money;
use domain::values::phone::Phone;
use ports::StoreError;
use processors::stand_in;
use records::update::retry_conflicts;
use sha2::{Digest, Sha256};

use crate::api::StandIn;
use crate::api::sessions::{PageResult, enter_card};
use crate::calls::{ApiError, Form};
use crate::cards::{self, Refusal};
use crate::ledger::{Entry, SandboxObject};
use crate::objects::intent::IntentState;
use crate::objects::session::{CheckoutSession, SessionState};
use crate::objects::setup::SetupState;
use crate::visit::{SandboxPage, SandboxVisit};

const STYLE: &str = include_str!("../templates/sandbox.css");

/// A button of a page.
pub(crate) struct PageButton {
    pub(crate) name: &'static str,
    pub(crate) value: &'static str,
    pub(crate) label: &'static str,
    pub(crate) class: &'static str,
}

/// The cards of the checkout page.
const CARDS: [PageButton; 3] = [
    PageButton {
        name: "card", value: "pm_card_visa", label: "Visa •••• 4242", class: "yes"
    },
    PageButton {
        name: "card",
        value: "pm_card_mastercard",
        label: "Mastercard •••• 4444",
        class: "yes",
    },
    PageButton {
        name: "card",
        value: "pm_card_chargeDeclined",
        label: "Visa •••• 0002, which is refused",
        class: "no",
    },
];

/// The answers on the bank's page.
const ANSWERS: [PageButton; 2] = [
    PageButton { name: "is_me", value: "yes", label: "It is me", class: "yes" },
    PageButton { name: "is_me", value: "no", label: "It is not me", class: "no" },
];

#[derive(Template)]
#[template(path = "sandbox.html")]
pub(crate) struct SandboxPageTemplate<'a> {
    pub(crate) style: &'static str,
    pub(crate) title: &'static str,
    pub(crate) money: Option<String>,
    pub(crate) description: &'a str,
    pub(crate) refused: Option<&'static str>,
    pub(crate) action: String,
    pub(crate) buttons: &'a [PageButton],
    pub(crate) back: Option<&'a str>,
    pub(crate) back_label: &'static str,
    pub(crate) brand: BrandLook<'a>,
}

/// The look of a brand on its customer's checkout page.
pub(crate) struct BrandLook<'a> {
    /// The style sheet of the accent colour.
    pub(crate) style: Option<String>,
    /// The logo as a data URL.
    pub(crate) logo: Option<String>,
    pub(crate) support_phone: Option<&'a str>,
    pub(crate) support: Option<&'a Link>,
}

impl<'a> BrandLook<'a> {
    /// The look of a page that shows no brand.
    const PLAIN: Self = Self { style: None, logo: None, support_phone: None, support: None };

    fn new(branding: &'a Branding) -> Self {
        Self {
            style: branding.accent.map(AccentColours::style_sheet),
            logo: branding.logo.as_ref().map(Logo::data_url),
            support_phone: branding.support_phone.as_ref().map(Phone::as_str),
            support: branding.support_url.as_ref(),
        }
    }
}

impl SandboxPageTemplate<'_> {
    /// Returns a page without a title, a form or a link.
    pub(crate) const fn blank() -> Self {
        Self {
            style: STYLE,
            title: "",
            money: None,
            description: "",
            refused: None,
            action: String::new(),
            buttons: &[],
            back: None,
            back_label: "",
            brand: BrandLook::PLAIN,
        }
    }

    /// Returns the page with its security policy.
    pub(crate) fn shown(&self) -> SandboxPage {
        let digest = |style: &str| {
            format!(" 'sha256-{}'", STANDARD.encode(Sha256::digest(style.as_bytes())))
        };
        let own = self.brand.style.as_deref().map(digest).unwrap_or_default();
        let pictures = if self.brand.logo.is_some() { " img-src data:;" } else { "" };
        let policy = format!(
            "default-src 'none'; style-src{}{own};{pictures} form-action 'self'; base-uri 'none'; \
             frame-ancestors 'none'",
            digest(STYLE)
        );
        SandboxPage::Html { html: self.render().unwrap_or_default(), policy }
    }
}

impl StandIn {
    /// Serves a visit to the page of an object.
    pub(crate) async fn visited(
        &self,
        visit: &SandboxVisit<'_>,
    ) -> Result<Option<SandboxPage>, StoreError> {
        match retry_conflicts(|| self.at_page(visit)).await {
            Ok(page) => Ok(page),
            Err(ApiError::Conflict) => Err(StoreError::Conflict),
            Err(ApiError::Lost(error)) => Err(StoreError::Unavailable(error.into())),
        }
    }

    async fn at_page(&self, visit: &SandboxVisit<'_>) -> Result<Option<SandboxPage>, ApiError> {
        if visit.id.starts_with("cs_") {
            self.at_checkout(visit).await
        } else {
            self.at_bank(visit).await
        }
    }

    async fn at_checkout(&self, visit: &SandboxVisit<'_>) -> Result<Option<SandboxPage>, ApiError> {
        let Some((entry, session)) = self.session(visit.id).await? else { return Ok(None) };
        let now = self.now();
        match session.at(now) {
            SessionState::Open => {}
            SessionState::Complete { .. } => {
                return Ok(Some(SandboxPage::Redirect(session.success_url)));
            }
            SessionState::Expired => return Ok(Some(closed(&session.cancel_url))),
        }
        let card = visit.form.and_then(|form| Form::of(form).some("card"));
        let Some(card) = card.filter(|card| cards::card(card).is_some()) else {
            return Ok(Some(checkout(&session, visit.branding)));
        };
        let PageResult { session, created } = enter_card(&session, &card, now);
        let object = SandboxObject::Session(session.clone());
        let created: Vec<Entry> = created.into_iter().map(|object| self.entry(object)).collect();
        let entry = Entry { object, ..entry };
        let all: Vec<&Entry> = std::iter::once(&entry).chain(&created).collect();
        self.ledger.write(&all).await?;
        Ok(Some(match session.at(now) {
            SessionState::Complete { .. } => SandboxPage::Redirect(session.success_url),
            SessionState::Open | SessionState::Expired => checkout(&session, visit.branding),
        }))
    }

    async fn at_bank(&self, visit: &SandboxVisit<'_>) -> Result<Option<SandboxPage>, ApiError> {
        let answer = visit.form.map(|form| Form::of(form).text("is_me"));
        let is_them = match answer.as_deref() {
            Some("yes") => Some(true),
            Some("no") => Some(false),
            Some(_) | None => None,
        };
        if let Some((entry, intent)) = self.intent(visit.id).await? {
            let Some(back) = intent.return_url.clone() else { return Ok(None) };
            if intent.state != IntentState::RequiresAction {
                return Ok(Some(sent_back(&back, "payment_intent", visit.id)));
            }
            let Some(is_them) = is_them else {
                let money = money(intent.amount, &intent.currency);
                return Ok(Some(bank(visit.id, money)));
            };
            let object = SandboxObject::Intent(intent.authenticated(is_them, self.now()));
            self.ledger.write(&[&Entry { object, ..entry }]).await?;
            return Ok(Some(sent_back(&back, "payment_intent", visit.id)));
        }
        let Some((entry, setup)) = self.setup(visit.id).await? else { return Ok(None) };
        let Some(back) = setup.return_url.clone() else { return Ok(None) };
        if setup.state != SetupState::RequiresAction {
            return Ok(Some(sent_back(&back, "setup_intent", visit.id)));
        }
        let Some(is_them) = is_them else { return Ok(Some(bank(visit.id, None))) };
        let setup = setup.authenticated(is_them);
        let kept = if setup.is_kept() { self.customer_keeping(&setup).await? } else { None };
        let entry = Entry { object: SandboxObject::Setup(setup), ..entry };
        let all: Vec<&Entry> = std::iter::once(&entry).chain(&kept).collect();
        self.ledger.write(&all).await?;
        Ok(Some(sent_back(&back, "setup_intent", visit.id)))
    }
}

fn money(amount: u64, currency: &str) -> Option<String> {
    let (amount, currency) = stand_in::from_stripe(amount, currency)?;
    Some(Money::new(amount, currency).ok()?.to_string())
}

fn checkout(session: &CheckoutSession, branding: Option<&Branding>) -> SandboxPage {
    let price = session.price.as_ref();
    SandboxPageTemplate {
        style: STYLE,
        title: if price.is_some() { "Pay" } else { "Keep a card on file" },
        money: price.and_then(|(amount, currency)| money(*amount, currency)),
        description: &session.description,
        refused: session.refused.map(refusal_text),
        action: format!("/sandbox/checkout/{}", session.id),
        buttons: &CARDS,
        back: Some(&session.cancel_url),
        back_label: "Back",
        brand: branding.map_or(BrandLook::PLAIN, BrandLook::new),
    }
    .shown()
}

fn refusal_text(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::InsufficientFunds => "There is not enough money. Try again, or another card.",
        Refusal::AuthenticationFailed
        | Refusal::AuthenticationRequired
        | Refusal::Generic
        | Refusal::ExpiredCard
        | Refusal::Fraudulent
        | Refusal::IncorrectCvc
        | Refusal::LostCard
        | Refusal::ProcessingError
        | Refusal::StolenCard => "The card was refused. Try another card.",
    }
}

fn bank(id: &str, money: Option<String>) -> SandboxPage {
    SandboxPageTemplate {
        style: STYLE,
        title: "Your bank asks whether it is you",
        money,
        description: "",
        refused: None,
        action: format!("/sandbox/checkout/{id}"),
        buttons: &ANSWERS,
        back: None,
        back_label: "",
        brand: BrandLook::PLAIN,
    }
    .shown()
}

fn closed(back: &str) -> SandboxPage {
    SandboxPageTemplate {
        style: STYLE,
        title: "This page is closed",
        money: None,
        description: "Nothing was paid here.",
        refused: None,
        action: String::new(),
        buttons: &[],
        back: Some(back),
        back_label: "Go back",
        brand: BrandLook::PLAIN,
    }
    .shown()
}

/// Returns the redirect to the return URL. Stripe adds the object's id to it, and a client secret that is left out here.
fn sent_back(back: &str, name: &str, id: &str) -> SandboxPage {
    let mark = if back.contains('?') { '&' } else { '?' };
    SandboxPage::Redirect(format!("{back}{mark}{name}={id}&redirect_status=succeeded"))
}
