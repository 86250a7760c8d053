//! The consent page: what the customer sees and answers, as pure HTML that needs no script.

use std::sync::LazyLock;

use askama::Template;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::texts::{PageTexts, WantedKind};
use sha2::{Digest, Sha256};

const STYLE: &str = include_str!("../../templates/page.css");
/// How long a page that waits for the processor stands before it looks again.
const WORKING_SECONDS: u64 = 2;

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
    pub kind: WantedKind,
    /// What stands before the payee to name the live session, such as "You are on a call with".
    pub session_label: Option<&'a str>,
    /// The choices, one of which the agent reads out.
    pub code_choices: Option<[&'a str; 3]>,
    /// Binds the answer to this page.
    pub nonce: &'a str,
    /// Where the form goes: the page's own path.
    pub action: &'a str,
    /// Where the request stands.
    pub stage: Stage<'a>,
    /// The deadline, as the customer reads it, such as `14:35 UTC`.
    pub expires_at: &'a str,
    /// How long until then.
    pub seconds_left: u64,
    /// Cards to pick from, in test mode.
    pub test_cards: &'a [TestCard<'a>],
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
    /// It is done.
    Fulfilled {
        /// What the customer may tell the agent.
        transaction_code: &'a str,
    },
    /// It was answered with no.
    Declined,
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

/// The policy every answer with a page carries: the page's own style by its digest, one form to itself, nothing else.
#[must_use]
pub fn content_security_policy() -> &'static str {
    static POLICY: LazyLock<String> = LazyLock::new(|| {
        let digest = STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
        format!(
            "default-src 'none'; style-src 'sha256-{digest}'; img-src 'none'; form-action 'self'; \
             base-uri 'none'; frame-ancestors 'none'"
        )
    });
    &POLICY
}

/// Renders the page.
///
/// # Errors
/// When the template cannot be written, which only a lack of memory could cause.
pub fn render(view: &PageView<'_>) -> Result<String, askama::Error> {
    match view.stage {
        Stage::Ask { refused } => ask(view, refused).render(),
        Stage::Working => working(view).render(),
        Stage::Fulfilled { transaction_code } => fulfilled(view, transaction_code).render(),
        Stage::Declined => end(view, view.texts.declined, view.texts.declined_hint).render(),
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

#[derive(Template)]
#[template(path = "ask.html")]
struct Ask<'a> {
    view: &'a PageView<'a>,
    style: &'static str,
    refresh: Option<u64>,
    refused: bool,
    asks: &'static str,
    on_yes: &'static str,
    left: String,
}

#[derive(Template)]
#[template(path = "end.html")]
struct End<'a> {
    view: &'a PageView<'a>,
    style: &'static str,
    refresh: Option<u64>,
    mark: &'static str,
    heading: &'static str,
    hint: &'static str,
    transaction_code: Option<&'a str>,
}

fn ask<'a>(view: &'a PageView<'a>, refused: bool) -> Ask<'a> {
    let texts = view.texts;
    let (asks, on_yes) = match view.kind {
        WantedKind::Payment => (texts.asks_payment, texts.on_yes_payment),
        WantedKind::PaymentMethod => (texts.asks_payment_method, texts.on_yes_payment_method),
        WantedKind::Identity => (texts.asks_identity, texts.on_yes_identity),
    };
    // Looks again only when the answer could no longer count, so that no choice is lost under the customer's finger.
    let refresh = Some(view.seconds_left.saturating_add(1));
    Ask { view, style: STYLE, refresh, refused, asks, on_yes, left: left(view) }
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
    End { refresh: Some(WORKING_SECONDS), mark: "busy", ..end }
}

fn fulfilled<'a>(view: &'a PageView<'a>, transaction_code: &'a str) -> End<'a> {
    let heading = match view.kind {
        WantedKind::Payment => view.texts.paid,
        WantedKind::PaymentMethod | WantedKind::Identity => view.texts.done,
    };
    let end = end(view, heading, view.texts.done_hint);
    End { mark: "good", transaction_code: Some(transaction_code), ..end }
}

#[cfg(test)]
mod tests;
