//! The consent page: what the customer sees and answers, as pure HTML. Only wallets need a script, and where there is none the
//! page does without them.

use std::sync::LazyLock;

use askama::Template;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::texts::{AskKind, PageTexts};
use sha2::{Digest, Sha256};

const STYLE: &str = include_str!("../../templates/page.css");
/// The one script there is, on pages with wallets. What it works on stands in attributes, so that it is always the same.
const WALLETS: &str = include_str!("../../templates/wallets.js");
/// How long a page that waits for the processor stands before it looks again.
const WORKING_SECONDS: u64 = 2;
/// How long one stands that has choices, and may be overtaken by what is heard from the processor.
const BACK_SECONDS: u64 = 5;

/// Everything the page is made of: what is stored, never what the address says.
#[derive(Clone, Copy)]
pub struct PageView<'a> {
    /// The words, from [`domain::texts::page`].
    pub texts: &'static PageTexts,
    /// Whether nothing real happens.
    pub test_mode: bool,
    /// Who asks; empty for a link nobody knows.
    pub payee: &'a str,
    /// How much, for a payment.
    pub money: Option<&'a str>,
    /// What for.
    pub description: &'a str,
    /// The kind of ask.
    pub kind: AskKind,
    /// What stands before the payee to name the live session, such as "You are on a call with".
    pub session_label: Option<&'a str>,
    /// The choices, one of which the agent reads out.
    pub code_choices: Option<[&'a str; 3]>,
    /// Binds the answer to this page.
    pub nonce: &'a str,
    /// Where the form goes: the page's own path.
    pub action: &'a str,
    /// Where a page that looks again by itself looks: the page's own path, with what is to be remembered.
    pub again: &'a str,
    /// Where the request stands.
    pub stage: Stage<'a>,
    /// The deadline, as the customer reads it, such as `14:35 UTC`.
    pub expires_at: &'a str,
    /// How long until then.
    pub seconds_left: u64,
    /// In which ways the customer can give what a yes needs, best first.
    pub offers: &'a [Offer],
    /// Cards to pick from, where a test card is one of the ways.
    pub test_cards: &'a [TestCard<'a>],
    /// The facts that would be shared, in words.
    pub claims: &'a [&'a str],
    /// Whether the customer may still ask for more time.
    pub can_extend: bool,
}

/// A card that is not one.
#[derive(Clone, Copy)]
pub struct TestCard<'a> {
    /// What the form sends.
    pub value: &'a str,
    /// What the customer reads.
    pub label: &'a str,
}

/// One way to give what a yes needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Offer {
    /// The card on file that the ask names.
    Kept {
        /// Such as `Visa •••• 4242`.
        label: String,
    },
    /// A test card.
    TestCard,
    /// Google Pay.
    GooglePay {
        /// What the script is told, as JSON.
        setup: String,
    },
    /// Apple Pay.
    ApplePay {
        /// What the script is told, as JSON.
        setup: String,
    },
    /// The processor's own page.
    Hosted,
}

impl Offer {
    const fn is_wallet(&self) -> bool {
        match self {
            Self::GooglePay { .. } | Self::ApplePay { .. } => true,
            Self::Kept { .. } | Self::TestCard | Self::Hosted => false,
        }
    }
}

/// What the customer on their way to the processor's page is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostedPage<'a> {
    /// They said yes a moment ago: the page goes there by itself.
    Going {
        /// Where.
        url: &'a str,
    },
    /// They are here again: they choose whether to go on or another way.
    Back {
        /// Where they would go on.
        url: &'a str,
    },
}

/// Where the request stands, as the customer is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage<'a> {
    /// It waits for the answer.
    Ask {
        /// The card given before was refused, and another may be tried.
        refused: bool,
    },
    /// It was answered with yes, and the processor is at it.
    Working,
    /// It was answered with yes, and the customer goes on to the processor's own page.
    HostedPage(HostedPage<'a>),
    /// It is done.
    Fulfilled {
        /// What the customer may tell the agent.
        transaction_code: &'a str,
    },
    /// It was answered with no.
    Denied,
    /// The deadline passed.
    Expired,
    /// The requester withdrew it.
    Cancelled,
    /// It did not work, for good.
    Failed,
    /// A number was picked that the agent did not read out, and that ended it.
    WrongCode,
    /// The link was replaced by another.
    Used,
    /// The link never was one.
    Unknown,
}

/// The policy a page comes with: its own style by its digest, one form to itself, nothing else.
///
/// Wallets add the one script by its digest, and Google's hosts where Google Pay is offered: which those are is known from
/// practice. Apple's is part of the browser.
#[must_use]
pub fn content_security_policy(offers: &[Offer]) -> String {
    static DIGESTS: LazyLock<[String; 2]> = LazyLock::new(|| {
        [STYLE, WALLETS].map(|text| STANDARD.encode(Sha256::digest(text.as_bytes())))
    });
    let [style, script] = &*DIGESTS;
    let google = offers.iter().any(|offer| matches!(offer, Offer::GooglePay { .. }));
    let wallets = match (google, offers.iter().any(Offer::is_wallet)) {
        (true, _) => format!(
            "script-src 'sha256-{script}' https://pay.google.com; frame-src https://pay.google.com; \
             connect-src 'self' https://pay.google.com https://google.com https://www.google.com; "
        ),
        (false, true) => format!("script-src 'sha256-{script}'; connect-src 'self'; "),
        (false, false) => String::new(),
    };
    format!(
        "default-src 'none'; style-src 'sha256-{style}'; {wallets}img-src 'none'; form-action 'self'; \
         base-uri 'none'; frame-ancestors 'none'"
    )
}

/// Renders the page.
///
/// # Errors
/// When the template cannot be written, which only a lack of memory could cause.
pub fn render(view: &PageView<'_>) -> Result<String, askama::Error> {
    match view.stage {
        Stage::Ask { refused } => ask(view, refused).render(),
        Stage::Working => working(view).render(),
        Stage::HostedPage(hosted_page) => self::hosted_page(view, hosted_page).render(),
        Stage::Fulfilled { transaction_code } => fulfilled(view, transaction_code).render(),
        Stage::Denied => end(view, view.texts.denied, view.texts.denied_hint).render(),
        Stage::Expired => end(view, view.texts.expired, view.texts.expired_hint).render(),
        Stage::Cancelled => end(view, view.texts.cancelled, view.texts.cancelled_hint).render(),
        Stage::Failed => end(view, view.texts.failed, view.texts.failed_hint).marked("bad"),
        Stage::WrongCode => {
            end(view, view.texts.wrong_code, view.texts.wrong_code_hint).marked("bad")
        }
        Stage::Used => end(view, view.texts.used, view.texts.used_hint).render(),
        Stage::Unknown => end(view, view.texts.unknown, view.texts.unknown_hint).marked("bad"),
    }
}

/// When a page looks again by itself, and where.
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
    refused: bool,
    asks: &'static str,
    on_yes: &'static str,
    go_on: &'static str,
    hosted: &'static str,
    refusal: &'static str,
    left: String,
    /// The wallets that come before the first way that needs no script.
    above: &'a [Offer],
    /// That first way: its yes stands beside the no.
    main: Option<&'a Offer>,
    /// The other ways.
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
struct GoOn<'a> {
    view: &'a PageView<'a>,
    style: &'static str,
    refresh: Option<Refresh<'a>>,
    hint: &'static str,
    url: &'a str,
}

fn ask<'a>(view: &'a PageView<'a>, refused: bool) -> Ask<'a> {
    let texts = view.texts;
    let (asks, on_yes) = match view.kind {
        AskKind::Payment => (texts.asks_payment, texts.on_yes_payment),
        AskKind::PaymentMethod => (texts.asks_payment_method, texts.on_yes_payment_method),
        AskKind::Identity => (texts.asks_identity, texts.on_yes_identity),
    };
    let (go_on, hosted, refusal) = match view.kind {
        AskKind::Payment | AskKind::PaymentMethod => {
            (texts.go_on_card, texts.hosted_card, texts.refused)
        }
        AskKind::Identity => (texts.go_on_identity, texts.hosted_identity, texts.refused_identity),
    };
    // Looks again only when the answer could no longer count, so that no choice is lost under the customer's finger.
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
        refused,
        asks,
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

/// A customer who is here again may have done there what was wanted: the page looks again until that is known.
fn hosted_page<'a>(view: &'a PageView<'a>, hosted_page: HostedPage<'a>) -> GoOn<'a> {
    let (url, seconds, next, hint) = match hosted_page {
        HostedPage::Going { url } => (url, 0, url, view.texts.hosted_page_going),
        HostedPage::Back { url } => (url, BACK_SECONDS, view.again, view.texts.hosted_page_hint),
    };
    GoOn { view, style: STYLE, refresh: Some(Refresh { seconds, url: next }), hint, url }
}

fn left(view: &PageView<'_>) -> String {
    match view.seconds_left.saturating_add(30) / 60 {
        _ if view.seconds_left < 60 => view.texts.left_seconds.to_owned(),
        1 => view.texts.left_minute.to_owned(),
        minutes => view.texts.left_minutes.replace("{n}", &minutes.to_string()),
    }
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
