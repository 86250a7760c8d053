//! Renders the consent page as HTML, without I/O. Only wallets need a script; without one, the page offers no wallets.

mod policy;

use askama::Template;
use domain::ask::AskKind;
use texts::PageTexts;

pub(super) use policy::content_security_policy;

const STYLE: &str = include_str!("../../../templates/page.css");
/// The only script, for pages with wallets. Its input is in attributes, so that the script's digest never changes.
const WALLETS: &str = include_str!("../../../templates/wallets.js");
/// Seconds until a page that waits for the processor reloads itself.
const WORKING_SECONDS: u64 = 2;
/// Seconds until a page with choices reloads itself, as the processor may report a result meanwhile.
const BACK_SECONDS: u64 = 5;

/// The content of the page. It comes from what is stored, never from the address.
#[derive(Clone, Copy)]
pub(super) struct PageView<'a> {
    /// The texts, from [`texts::page`].
    pub texts: &'static PageTexts,
    /// Whether the request is in test mode.
    pub test_mode: bool,
    /// The payee; empty for an unknown link.
    pub payee: &'a str,
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
    Fulfilled {
        /// The code that the customer may read to the agent.
        transaction_code: &'a str,
    },
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
        Stage::Fulfilled { transaction_code } => fulfilled(view, transaction_code).render(),
        Stage::NotMe => NotMe { view, style: STYLE, refresh: None }.render(),
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

/// The time and the address of the page's own reload.
struct Refresh<'a> {
    seconds: u64,
    url: &'a str,
}

#[derive(Template)]
#[template(path = "ask.html")]
struct Ask<'a> {
    view: &'a PageView<'a>,
    style: &'static str,
    refresh: Option<Refresh<'a>>,
    declined: bool,
    asks: &'static str,
    yes: String,
    on_yes: &'static str,
    go_on: &'static str,
    hosted: &'static str,
    refusal: &'static str,
    left: String,
    /// The wallets before the first option that needs no script.
    above: &'a [Offer],
    /// The first option that needs no script. Its button stands beside the denial.
    main: Option<&'a Offer>,
    /// The other options.
    below: &'a [Offer],
    script: Option<&'static str>,
}

impl Ask<'_> {
    fn has_hosted(&self) -> bool {
        self.view.offers.contains(&Offer::Hosted)
    }

    fn has_test_card(&self) -> bool {
        self.view.offers.contains(&Offer::TestCard)
    }
}

#[derive(Template)]
#[template(path = "end.html")]
struct End<'a> {
    view: &'a PageView<'a>,
    style: &'static str,
    refresh: Option<Refresh<'a>>,
    mark: &'static str,
    heading: &'static str,
    hint: &'static str,
    transaction_code: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "hosted_page.html")]
struct Redirection<'a> {
    view: &'a PageView<'a>,
    style: &'static str,
    refresh: Option<Refresh<'a>>,
    hint: &'static str,
    url: &'a str,
}

fn ask<'a>(view: &'a PageView<'a>, declined: bool) -> Ask<'a> {
    let texts = view.texts;
    let (asks, on_yes, yes) = match view.kind {
        AskKind::Payment => (texts.asks_payment, texts.on_yes_payment, texts.pay),
        AskKind::PaymentMethod => {
            (texts.asks_payment_method, texts.on_yes_payment_method, texts.save_card)
        }
        AskKind::Identity => (texts.asks_identity, texts.on_yes_identity, texts.share),
    };
    let (go_on, hosted, refusal) = match view.kind {
        AskKind::Payment | AskKind::PaymentMethod => {
            (texts.go_on_card, texts.hosted_card, texts.refused)
        }
        AskKind::Identity => (texts.go_on_identity, texts.hosted_identity, texts.refused_identity),
    };
    // Reloads only after the deadline, so that the customer loses no choice that they have made.
    let refresh = Some(Refresh { seconds: view.seconds_left.saturating_add(1), url: view.again });
    let first = view.offers.iter().position(|offer| !offer.is_wallet());
    let (above, rest) = view.offers.split_at(first.unwrap_or(view.offers.len()));
    let (main, below) =
        rest.split_first().map_or((None, rest), |(main, below)| (Some(main), below));
    let script = view.offers.iter().any(Offer::is_wallet).then_some(WALLETS);
    Ask {
        view,
        style: STYLE,
        refresh,
        declined,
        asks,
        yes: yes.replace("{money}", view.money.unwrap_or_default()),
        on_yes,
        go_on,
        hosted,
        refusal,
        left: left(view),
        above,
        main,
        below,
        script,
    }
}

/// A customer who is back may have paid there, so the page reloads until the result is known.
fn hosted_page<'a>(view: &'a PageView<'a>, page: HostedPage<'a>) -> Redirection<'a> {
    let (url, seconds, next, hint) = match page {
        HostedPage::Going { url } => (url, 0, url, view.texts.hosted_page_going),
        HostedPage::Back { url } => (url, BACK_SECONDS, view.again, view.texts.hosted_page_hint),
    };
    Redirection { view, style: STYLE, refresh: Some(Refresh { seconds, url: next }), hint, url }
}

#[derive(Template)]
#[template(path = "not_me.html")]
struct NotMe<'a> {
    view: &'a PageView<'a>,
    style: &'static str,
    refresh: Option<Refresh<'a>>,
}

#[derive(Template)]
#[template(path = "preview.html")]
struct Preview<'a> {
    view: &'a PageView<'a>,
}

#[derive(Template)]
#[template(path = "other_browser.html")]
struct OtherBrowser<'a> {
    view: &'a PageView<'a>,
    style: &'static str,
    refresh: Option<Refresh<'a>>,
    form: ReturnForm<'a>,
}

fn other_browser<'a>(view: &'a PageView<'a>, form: ReturnForm<'a>) -> OtherBrowser<'a> {
    OtherBrowser { view, style: STYLE, refresh: None, form }
}

/// Returns the time left in the largest unit of which two are left. No clock time, as the customer's time zone is unknown.
fn left(view: &PageView<'_>) -> String {
    let (seconds, texts) = (view.seconds_left, view.texts);
    let rounded = |unit: u64| seconds.saturating_add(unit / 2) / unit;
    let (text, count) = match seconds {
        0..60 => (texts.left_seconds, 0),
        60..90 => (texts.left_minute, 1),
        90..7_200 => (texts.left_minutes, rounded(60)),
        7_200..172_800 => (texts.left_hours, rounded(3_600)),
        172_800.. => (texts.left_days, rounded(86_400)),
    };
    text.replace("{n}", &count.to_string())
}

fn end<'a>(view: &'a PageView<'a>, heading: &'static str, hint: &'static str) -> End<'a> {
    End { view, style: STYLE, refresh: None, mark: "over", heading, hint, transaction_code: None }
}

impl End<'_> {
    fn marked(self, mark: &'static str) -> Result<String, askama::Error> {
        Self { mark, ..self }.render()
    }
}

fn working<'a>(view: &'a PageView<'a>) -> End<'a> {
    let end = end(view, view.texts.working, view.texts.working_hint);
    let refresh = Some(Refresh { seconds: WORKING_SECONDS, url: view.again });
    End { refresh, mark: "busy", ..end }
}

fn fulfilled<'a>(view: &'a PageView<'a>, transaction_code: &'a str) -> End<'a> {
    let heading = match view.kind {
        AskKind::Payment => view.texts.paid,
        AskKind::PaymentMethod | AskKind::Identity => view.texts.done,
    };
    let end = end(view, heading, view.texts.done_hint);
    End { mark: "good", transaction_code: Some(transaction_code), ..end }
}

#[cfg(test)]
mod tests;
