//! Renders the consent page as HTML, without I/O. Only wallets need a script; without scripts, the page offers no wallets.

mod branding;
mod policy;
mod templates;
mod time_left;

use askama::Template;
use domain::ask::AskKind;
use domain::values::time::Timestamp;
use texts::{Locale, PageTexts};

pub(super) use branding::{BrandParts, BrandView, PageBranding};
pub(super) use policy::content_security_policy;
use templates::{
    NotMe, Preview, Unsubscribe, UnsubscribedPage, ask, end, fulfilled, hosted_page, other_browser,
    working,
};

const STYLE: &str = include_str!("../../../templates/page.css");
/// The script of every page. Its input is in attributes, so that the script's digest never changes.
const SCRIPT: &str = include_str!("../../../templates/page.js");
/// The script of pages with wallets. Its input is in attributes as well.
const WALLETS: &str = include_str!("../../../templates/wallets.js");
/// Seconds until a page that waits for the processor reloads itself in a browser without scripts.
const WORKING_SECONDS: u64 = 5;
/// Seconds until a page with choices reloads itself there, as the processor may report a result meanwhile.
const BACK_SECONDS: u64 = 20;

/// The content of the page. It comes from what is stored, never from the address.
#[derive(Clone, Copy)]
pub(super) struct PageView<'a> {
    /// The language, and the region that decides its digits.
    pub locale: Locale,
    /// The texts of the language.
    pub texts: &'static PageTexts,
    /// Whether the request is in test mode.
    pub test_mode: bool,
    /// The payee; empty for an unknown link.
    pub payee: &'a str,
    /// The brand's own logo, colour and links.
    pub brand: BrandView<'a>,
    /// The public address of this installation, for previews; empty elsewhere.
    pub public_base: &'a str,
    /// The amount; `None` unless the ask is a payment.
    pub money: Option<&'a str>,
    /// The purpose in the requester's words; may be empty.
    pub description: &'a str,
    /// The kind of ask.
    pub kind: AskKind,
    /// The text before the payee that says that an AI agent asks.
    pub asked_by: Option<&'a str>,
    /// The text before the payee that names the live session, such as "You are on a call with".
    pub session_label: Option<&'a str>,
    /// How the customer gives the session code; `None` where the ask needs none.
    pub code: Option<CodeField<'a>>,
    /// The nonce that binds the reply to this page.
    pub nonce: &'a str,
    /// The target of the form: the page's own path.
    pub action: &'a str,
    /// The address from which the page reloads itself: its own path with the query to keep.
    pub again: &'a str,
    /// The state of the request, as the customer sees it.
    pub stage: Stage<'a>,
    /// Seconds until the deadline.
    pub seconds_left: u64,
    /// The payment options, best first.
    pub offers: &'a [Offer],
    /// The cards to pick from where a test card is offered.
    pub test_cards: &'a [TestCard<'a>],
    /// The claims that the customer would share, in the customer's language.
    pub claims: &'a [&'a str],
    /// Whether the provider's phone number is compared with the customer's.
    pub compares_phone_number: bool,
    /// Whether the customer may still ask for more time.
    pub can_extend: bool,
}

impl PageView<'_> {
    /// Returns whether a yes keeps a card. Card networks want its use, its end and changes named before
    /// (<https://docs.stripe.com/payments/save-during-payment>, read 2026-11-26).
    fn keeps_card(&self) -> bool {
        self.kind == AskKind::PaymentMethod
    }
}

/// The field of the session code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CodeField<'a> {
    /// The codes to pick from; the agent reads one of them out.
    Picks([&'a str; 3]),
    /// The customer types what the agent reads out.
    Typed,
}

/// A test card.
#[derive(Clone, Copy)]
pub(super) struct TestCard<'a> {
    /// The value that the form sends.
    pub value: &'a str,
    /// The label that the customer reads.
    pub label: &'a str,
}

/// A payment option on the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Offer {
    /// The saved card that the ask names.
    SavedCard {
        /// Such as `Visa •••• 4242`.
        label: String,
    },
    /// A test card.
    TestCard,
    /// Google Pay.
    GooglePay {
        /// The settings for the script, as JSON.
        setup: String,
        /// The nonce of the styles that Google's script adds; it is in `setup` as well.
        style_nonce: String,
    },
    /// Apple Pay.
    ApplePay {
        /// The settings for the script, as JSON.
        setup: String,
    },
    /// The processor's hosted page.
    Hosted,
}

impl Offer {
    const fn is_wallet(&self) -> bool {
        match self {
            Self::GooglePay { .. } | Self::ApplePay { .. } => true,
            Self::SavedCard { .. } | Self::TestCard | Self::Hosted => false,
        }
    }
}

/// The page of a customer who is redirected to the hosted page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HostedPage<'a> {
    /// The customer approved a moment ago, and the page goes there by itself.
    Going {
        /// The hosted page's URL.
        url: &'a str,
    },
    /// The customer is back, and chooses to go there again or to use another payment option.
    Back {
        /// The hosted page's URL.
        url: &'a str,
    },
}

/// The state of the request, as the customer sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage<'a> {
    /// The request waits for the reply.
    Ask {
        /// Whether the last card was declined and the customer may try another.
        declined: bool,
    },
    /// The customer approved, and the processor is working.
    Working,
    /// The customer approved, and continues on the hosted page.
    HostedPage(HostedPage<'a>),
    /// The request is fulfilled.
    Fulfilled(Receipt<'a>),
    /// The customer says that they are another person, and is asked to confirm.
    NotMe,
    /// A program fetches the page for the preview of its link.
    Preview,
    /// The customer denied.
    Denied,
    /// The deadline passed.
    Expired,
    /// The requester cancelled the request.
    Cancelled,
    /// The request failed.
    Failed,
    /// The customer picked a wrong session code, which ended the request.
    WrongCode,
    /// The customer is back in another browser, and types the session code where there is one.
    OtherBrowser(Option<ReturnForm<'a>>),
    /// The return cannot be used.
    ReturnFailed,
    /// The provider ended the attempt, and the customer is in another browser.
    ReturnEnded,
    /// A newer link has replaced this one.
    Used,
    /// The link is unknown.
    Unknown,
    /// The reader of a mail is asked whether they want no more of them.
    Unsubscribe,
    /// The reader of a mail gets no more of them.
    Unsubscribed,
    /// The reader of a mail gets mail again.
    Resubscribed,
}

impl Stage<'_> {
    /// Returns the name by which a page that waits asks whether it is still what the customer sees.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Ask { .. } => "ask",
            Self::Working => "working",
            Self::HostedPage(HostedPage::Going { .. }) => "going",
            Self::HostedPage(HostedPage::Back { .. }) => "back",
            Self::Fulfilled(_) => "fulfilled",
            Self::NotMe => "not-me",
            Self::Preview => "preview",
            Self::Denied => "denied",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
            Self::WrongCode => "wrong-code",
            Self::OtherBrowser(_) => "other-browser",
            Self::ReturnFailed => "return-failed",
            Self::ReturnEnded => "return-ended",
            Self::Used => "used",
            Self::Unknown => "unknown",
            Self::Unsubscribe => "unsubscribe",
            Self::Unsubscribed => "unsubscribed",
            Self::Resubscribed => "resubscribed",
        }
    }
}

/// The receipt of a fulfilled request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Receipt<'a> {
    /// The code that the customer may read to the agent.
    pub transaction_code: &'a str,
    /// The card that was used or kept; `None` where none is known.
    pub card: Option<&'a str>,
    /// When it was done.
    pub at: Timestamp,
}

/// Renders the page.
///
/// # Errors
/// When the template cannot be written, which only a lack of memory causes.
pub(super) fn render(view: &PageView<'_>) -> Result<String, askama::Error> {
    match view.stage {
        Stage::Ask { declined } => ask(view, declined).render(),
        Stage::Working => working(view).render(),
        Stage::HostedPage(page) => hosted_page(view, page).render(),
        Stage::Fulfilled(receipt) => fulfilled(view, receipt).render(),
        Stage::NotMe => NotMe { view, refresh: None }.render(),
        Stage::Preview => Preview { view }.render(),
        Stage::Denied => end(view, view.texts.denied, view.texts.denied_hint).render(),
        Stage::Expired => end(view, view.texts.expired, view.texts.expired_hint).render(),
        Stage::Cancelled => end(view, view.texts.cancelled, view.texts.cancelled_hint).render(),
        Stage::Failed => end(view, view.texts.failed, view.texts.failed_hint).marked("bad"),
        Stage::WrongCode => {
            end(view, view.texts.wrong_code, view.texts.wrong_code_hint).marked("bad")
        }
        Stage::OtherBrowser(Some(form)) => other_browser(view, form).render(),
        Stage::OtherBrowser(None) => {
            end(view, view.texts.other_browser, view.texts.other_browser_hint).marked("bad")
        }
        Stage::ReturnFailed => {
            end(view, view.texts.return_failed, view.texts.return_failed_hint).marked("bad")
        }
        Stage::ReturnEnded => {
            end(view, view.texts.return_ended, view.texts.return_ended_hint).render()
        }
        Stage::Used => end(view, view.texts.used, view.texts.used_hint).render(),
        Stage::Unknown => end(view, view.texts.unknown, view.texts.unknown_hint).marked("bad"),
        Stage::Unsubscribe => Unsubscribe { view, refresh: None }.render(),
        Stage::Unsubscribed => UnsubscribedPage { view, refresh: None }.render(),
        Stage::Resubscribed => {
            end(view, view.texts.resubscribe, view.texts.resubscribed_hint).render()
        }
    }
}

/// The form of a customer who is back in another browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ReturnForm<'a> {
    /// The target of the form.
    pub action: &'a str,
    /// The fields of the return, which the form sends again.
    pub fields: &'a [(String, String)],
    /// The nonce of the consent page, where the form is that page's.
    pub confirms: Option<&'a str>,
}

#[cfg(test)]
mod tests;
