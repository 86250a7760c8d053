//! The templates, with what each needs beside the view.

use askama::Template;
use domain::ask::AskKind;

use super::time_left::{left, steps};
use super::{
    BACK_SECONDS, CodeField, HostedPage, Offer, PageView, Receipt, ReturnForm, SCRIPT, STYLE,
    WALLETS, WORKING_SECONDS,
};

/// The time and the address of the page's own reload.
pub(super) struct Refresh<'a> {
    /// Seconds until a browser without scripts reloads. A page with none left goes there at once.
    seconds: u64,
    url: &'a str,
    /// The address that says whether the page is still right; `None` where it does not wait for a change.
    waits: Option<String>,
}

impl<'a> Refresh<'a> {
    /// Makes the reload of a page that waits until it is no longer what the customer should see.
    fn waiting(view: &PageView<'a>, seconds: u64) -> Self {
        let mark = if view.again.contains('?') { '&' } else { '?' };
        let waits = format!("{}{mark}seen={}", view.again, view.stage.name());
        Self { seconds, url: view.again, waits: Some(waits) }
    }
}

#[derive(Template)]
#[template(path = "ask.html")]
pub(super) struct Ask<'a> {
    pub(super) view: &'a PageView<'a>,
    pub(super) refresh: Option<Refresh<'a>>,
    declined: bool,
    asks: &'static str,
    yes: String,
    on_yes: &'static str,
    go_on: &'static str,
    hosted: &'static str,
    refusal: &'static str,
    left: String,
    /// The words that follow as time passes, as JSON.
    steps: String,
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
pub(super) struct End<'a> {
    pub(super) view: &'a PageView<'a>,
    pub(super) refresh: Option<Refresh<'a>>,
    mark: &'static str,
    heading: &'static str,
    hint: &'static str,
    receipt: Option<Receipt<'a>>,
    /// The time of the receipt in the brand's time zone. The script writes the device's own time over it.
    local_time: Option<String>,
    /// Whether the page names the ask that ended.
    names_ask: bool,
}

#[derive(Template)]
#[template(path = "hosted_page.html")]
pub(super) struct Redirection<'a> {
    pub(super) view: &'a PageView<'a>,
    pub(super) refresh: Option<Refresh<'a>>,
    hint: &'static str,
    url: &'a str,
}

pub(super) fn ask<'a>(view: &'a PageView<'a>, declined: bool) -> Ask<'a> {
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
    let seconds = view.seconds_left.saturating_add(1);
    let refresh = Some(Refresh { seconds, url: view.again, waits: None });
    let first = view.offers.iter().position(|offer| !offer.is_wallet());
    let (above, rest) = view.offers.split_at(first.unwrap_or(view.offers.len()));
    let (main, below) =
        rest.split_first().map_or((None, rest), |(main, below)| (Some(main), below));
    let script = view.offers.iter().any(Offer::is_wallet).then_some(WALLETS);
    Ask {
        view,
        refresh,
        declined,
        asks,
        yes: yes.replace("{money}", view.money.unwrap_or_default()),
        on_yes,
        go_on,
        hosted,
        refusal,
        left: left(view.seconds_left, view.locale),
        steps: steps(view.seconds_left, view.locale),
        above,
        main,
        below,
        script,
    }
}

/// A customer who is back may have paid there, so the page reloads until the result is known.
pub(super) fn hosted_page<'a>(view: &'a PageView<'a>, page: HostedPage<'a>) -> Redirection<'a> {
    let (url, refresh, hint) = match page {
        HostedPage::Going { url } => {
            let refresh = Refresh { seconds: 0, url, waits: None };
            (url, refresh, view.texts.hosted_page_going)
        }
        HostedPage::Back { url } => {
            (url, Refresh::waiting(view, BACK_SECONDS), view.texts.hosted_page_hint)
        }
    };
    Redirection { view, refresh: Some(refresh), hint, url }
}

#[derive(Template)]
#[template(path = "not_me.html")]
pub(super) struct NotMe<'a> {
    pub(super) view: &'a PageView<'a>,
    pub(super) refresh: Option<Refresh<'a>>,
}

#[derive(Template)]
#[template(path = "unsubscribe.html")]
pub(super) struct Unsubscribe<'a> {
    pub(super) view: &'a PageView<'a>,
    pub(super) refresh: Option<Refresh<'a>>,
}

#[derive(Template)]
#[template(path = "unsubscribed.html")]
pub(super) struct UnsubscribedPage<'a> {
    pub(super) view: &'a PageView<'a>,
    pub(super) refresh: Option<Refresh<'a>>,
}

#[derive(Template)]
#[template(path = "preview.html")]
pub(super) struct Preview<'a> {
    pub(super) view: &'a PageView<'a>,
}

#[derive(Template)]
#[template(path = "other_browser.html")]
pub(super) struct OtherBrowser<'a> {
    pub(super) view: &'a PageView<'a>,
    pub(super) refresh: Option<Refresh<'a>>,
    form: ReturnForm<'a>,
}

pub(super) fn other_browser<'a>(view: &'a PageView<'a>, form: ReturnForm<'a>) -> OtherBrowser<'a> {
    OtherBrowser { view, refresh: None, form }
}

pub(super) fn end<'a>(
    view: &'a PageView<'a>,
    heading: &'static str,
    hint: &'static str,
) -> End<'a> {
    End {
        view,
        refresh: None,
        mark: "over",
        heading,
        hint,
        receipt: None,
        local_time: None,
        names_ask: !view.description.is_empty(),
    }
}

impl End<'_> {
    pub(super) fn marked(self, mark: &'static str) -> Result<String, askama::Error> {
        Self { mark, ..self }.render()
    }
}

pub(super) fn working<'a>(view: &'a PageView<'a>) -> End<'a> {
    let end = end(view, view.texts.working, view.texts.working_hint);
    let refresh = Some(Refresh::waiting(view, WORKING_SECONDS));
    End { refresh, mark: "busy", ..end }
}

pub(super) fn fulfilled<'a>(view: &'a PageView<'a>, receipt: Receipt<'a>) -> End<'a> {
    let heading = match view.kind {
        AskKind::Payment => view.texts.paid,
        AskKind::PaymentMethod | AskKind::Identity => view.texts.done,
    };
    let end = end(view, heading, view.texts.done_hint);
    let local = view.brand.time_zone.and_then(|zone| zone.local(receipt.at));
    let local_time = local.map(|time| view.locale.date_time(&time));
    End { mark: "good", receipt: Some(receipt), local_time, ..end }
}
