//! Tests of the consent page.

mod policy;

use domain::values::language::Language;
use texts::{Locale, TextLanguage};

use super::*;

const CARDS: [TestCard<'static>; 2] = [
    TestCard { value: "pm_card_visa", label: "Visa, accepted" },
    TestCard { value: "pm_card_visa_chargeDeclined", label: "Visa, refused" },
];
const HOSTED_PAGE_URL: &str = "https://checkout.example/c/pay/cs_1?a=1&b=2";
const RECEIPT: Receipt<'static> =
    Receipt {
        transaction_code: "7F3K-92QD", card: Some("Visa •••• 4242"), at: Timestamp::EPOCH
    };

const STAGES: [Stage<'static>; 18] = [
    Stage::Ask { declined: false },
    Stage::Ask { declined: true },
    Stage::Working,
    Stage::HostedPage(HostedPage::Going { url: HOSTED_PAGE_URL }),
    Stage::HostedPage(HostedPage::Back { url: HOSTED_PAGE_URL }),
    Stage::Fulfilled(RECEIPT),
    Stage::NotMe,
    Stage::Preview,
    Stage::Denied,
    Stage::Expired,
    Stage::Cancelled,
    Stage::Failed,
    Stage::WrongCode,
    Stage::Used,
    Stage::Unknown,
    Stage::Unsubscribe,
    Stage::Unsubscribed,
    Stage::Resubscribed,
];

fn view(language: TextLanguage, stage: Stage<'static>) -> PageView<'static> {
    let tag: Language = language.tag().parse().unwrap();
    PageView {
        locale: Locale::nearest(&tag, &tag),
        texts: language.page(),
        test_mode: true,
        payee: "Acme Energy Ltd",
        brand: BrandView::PLAIN,
        public_base: "",
        money: Some("42.50 EUR"),
        description: "Invoice 4711",
        kind: AskKind::Payment,
        asked_by: None,
        session_label: Some(language.page().session_voice),
        code: Some(CodeField::Picks(["31", "47", "82"])),
        nonce: "n0nce",
        action: "/c/3vQ8sT0aXb7Zk2LmN5pRwE",
        again: "/c/3vQ8sT0aXb7Zk2LmN5pRwE?go=1",
        stage,
        seconds_left: 290,
        offers: &[Offer::TestCard],
        test_cards: &CARDS,
        claims: &[],
        compares_phone_number: false,
        can_extend: true,
    }
}

fn google() -> Offer {
    let setup = r#"{"environment":"TEST","nonce":"n0nce"}"#.to_owned();
    Offer::GooglePay { setup, style_nonce: "n0nce".to_owned() }
}

fn apple() -> Offer {
    Offer::ApplePay { setup: r#"{"countryCode":"DE"}"#.to_owned() }
}

fn offering(offers: &[Offer]) -> String {
    // Leaked: a page is small.
    let offers: &'static [Offer] = offers.to_vec().leak();
    render(&PageView { offers, ..asking() }).unwrap()
}

fn asking() -> PageView<'static> {
    view(TextLanguage::En, Stage::Ask { declined: false })
}

/// Returns the tags of that name, each up to its closing bracket.
fn tags<'a>(html: &'a str, name: &str) -> Vec<&'a str> {
    let open = format!("<{name}");
    html.match_indices(&open)
        .map(|(start, _)| html[start..].split_once('>').unwrap().0)
        .filter(|tag| tag[open.len()..].is_empty() || tag[open.len()..].starts_with(' '))
        .collect()
}

#[test]
fn page_of_each_stage_is_small_and_loads_nothing() {
    for language in TextLanguage::ALL {
        for stage in STAGES {
            let html = render(&view(language, stage)).unwrap();
            assert!(html.len() < 18_000, "{} bytes for {stage:?}", html.len());
            assert!(html.contains(&format!(
                "<html lang=\"{}\" dir=\"{}\">",
                language.tag(),
                language.page().dir
            )));
            let title = html.split("<title>").nth(1).unwrap().split("</title>").next().unwrap();
            assert!(!title.trim().is_empty());
            // The hosted page is the only outside address that a page may name.
            let html = html.replace("https://checkout.example/", "");
            assert!(html.matches("<script").count() <= 1 && !html.contains("<script "));
            for forbidden in [
                "<img", "<link", "<iframe", "src=", "http://", "https://", "url(", "@import",
                "style=", "onclick",
            ] {
                assert!(!html.contains(forbidden), "{forbidden} in {stage:?}");
            }
        }
    }
}

#[test]
fn ask_and_warning_come_before_the_buttons() {
    let html = render(&asking()).unwrap();
    let answers = html.find("value=\"approve\"").unwrap();
    for text in [
        "Acme Energy Ltd",
        "42.50 EUR",
        "Invoice 4711",
        "If you did not expect this, decline.",
        "You are on a call with",
    ] {
        assert!(html.find(text).unwrap() < answers, "{text}");
    }
}

#[test]
fn foreign_text_is_escaped() {
    let nasty = "<script>alert(1)</script>\"'&";
    let cards = [TestCard { value: nasty, label: nasty }];
    for stage in [
        Stage::Ask { declined: false },
        Stage::Fulfilled(Receipt { transaction_code: nasty, card: Some(nasty), ..RECEIPT }),
        Stage::HostedPage(HostedPage::Going { url: nasty }),
        Stage::HostedPage(HostedPage::Back { url: nasty }),
    ] {
        let html = render(&PageView {
            payee: nasty,
            money: Some(nasty),
            description: nasty,
            session_label: Some(nasty),
            code: Some(CodeField::Picks([nasty; 3])),
            nonce: nasty,
            action: nasty,
            again: nasty,
            test_cards: &cards,
            claims: &[nasty],
            ..view(TextLanguage::En, stage)
        });
        let html = html.unwrap();
        assert!(!html.contains("<script>alert") && !html.contains("alert(1)</"), "{html}");
        assert!(!html.contains("\"'&\"") && !html.contains("'&<"), "{html}");
    }
}

#[test]
fn each_control_has_a_label() {
    let html = render(&asking()).unwrap();
    let labels = tags(&html, "label");
    let mut labelled = 0;
    for control in tags(&html, "input").into_iter().chain(tags(&html, "select")) {
        if control.contains("type=\"hidden\"") {
            continue;
        }
        let id = control.split("id=\"").nth(1).unwrap().split('"').next().unwrap();
        assert!(labels.contains(&format!("<label for=\"{id}\"").as_str()), "{control}");
        labelled += 1;
    }
    assert_eq!(labelled, 4);
    assert_eq!(html.matches("<form").count(), 1);
    assert_eq!(html.matches("<legend>Pick the number the agent reads to you</legend>").count(), 1);
}

#[test]
fn session_code_is_required_for_approval_only() {
    let html = render(&asking()).unwrap();
    let buttons = tags(&html, "button");
    let actions: Vec<_> = buttons
        .iter()
        .map(|tag| tag.split("value=\"").nth(1).unwrap().split('"').next().unwrap())
        .collect();
    // Enter in a field presses the first button of the form.
    assert_eq!(actions, ["approve", "deny", "extend"]);
    for (button, action) in buttons.iter().zip(actions) {
        assert_eq!(button.contains("formnovalidate"), action != "approve", "{button}");
        assert!(!button.contains("autofocus"));
    }
    let row = html.split("<div class=\"answers\">").nth(1).unwrap().split("</div>").next().unwrap();
    assert!(row.contains("value=\"deny\"") && row.contains("value=\"approve\""));
    assert_eq!(tags(&html, "input").iter().filter(|tag| tag.ends_with("required")).count(), 3);
}

#[test]
fn absent_parts_are_not_rendered() {
    let plain = PageView {
        test_mode: false,
        session_label: None,
        code: None,
        offers: &[Offer::Hosted],
        compares_phone_number: false,
        can_extend: false,
        money: None,
        kind: AskKind::Identity,
        ..asking()
    };
    let html = render(&plain).unwrap();
    for absent in [
        "session_code",
        "<select",
        "<fieldset",
        "Test mode",
        "value=\"extend\"",
        "class=\"amount\"",
    ] {
        assert!(!html.contains(absent), "{absent}");
    }
    assert!(html.contains("asks you to confirm who you are"));
}

/// A page never reloads itself where scripts run: a screen reader would begin to read it again.
#[test]
fn only_a_browser_without_scripts_reloads_a_waiting_page() {
    let refresh = |seconds: u64, query: &str| {
        let meta = "<noscript><meta http-equiv=\"refresh\" content=\"";
        format!("{meta}{seconds};url=/c/3vQ8sT0aXb7Zk2LmN5pRwE?{query}\"></noscript>")
    };
    let working = render(&view(TextLanguage::En, Stage::Working)).unwrap();
    assert!(working.contains(&refresh(5, "go=1")), "{working}");
    let waits = "data-waits=\"/c/3vQ8sT0aXb7Zk2LmN5pRwE?go=1&#38;seen=working\"";
    assert!(working.contains(waits), "{working}");
    let ask = render(&asking()).unwrap();
    assert!(ask.contains(&refresh(291, "go=1")) && !ask.contains("data-waits="), "{ask}");
    for stage in STAGES.into_iter().skip(5) {
        let html = render(&view(TextLanguage::En, stage)).unwrap();
        assert!(!html.contains("http-equiv") && !html.contains("data-waits="), "{stage:?}");
    }
}

#[test]
fn names_of_stages_differ() {
    let names: std::collections::BTreeSet<_> = STAGES.iter().map(Stage::name).collect();
    // Both asks have one name, with and without a declined card.
    assert_eq!(names.len(), STAGES.len() - 1);
}

#[test]
fn approval_button_says_its_effect() {
    let label = |kind, offers| {
        let html = render(&PageView { kind, offers, ..asking() }).unwrap();
        let button = html.split("class=\"yes\">").nth(1).unwrap();
        button.split('<').next().unwrap().to_owned()
    };
    assert_eq!(label(AskKind::Payment, &[Offer::TestCard]), "Pay 42.50 EUR");
    assert_eq!(label(AskKind::PaymentMethod, &[Offer::TestCard]), "Save card");
    assert_eq!(label(AskKind::Identity, &[Offer::TestCard]), "Share");
    assert_eq!(label(AskKind::Identity, &[Offer::Hosted]), "Continue to sign in");
}

#[test]
fn report_of_a_wrong_person_is_confirmed_on_a_page_of_its_own() {
    let asked = render(&asking()).unwrap();
    assert!(asked.contains("href=\"/c/3vQ8sT0aXb7Zk2LmN5pRwE?not_me=1\""), "{asked}");
    assert!(!asked.contains("value=\"not_me\""));
    let html = render(&view(TextLanguage::En, Stage::NotMe)).unwrap();
    let buttons = tags(&html, "button");
    assert_eq!(buttons.len(), 1, "{buttons:?}");
    assert!(buttons[0].contains("value=\"not_me\"") && html.contains("name=\"nonce\""));
    assert!(html.contains("hang up") && html.contains("href=\"/c/3vQ8sT0aXb7Zk2LmN5pRwE\""));
}

#[test]
fn preview_names_the_payee_and_nothing_of_the_ask() {
    let html = render(&view(TextLanguage::En, Stage::Preview)).unwrap();
    assert!(html.contains("og:title\" content=\"Acme Energy Ltd has a request for you\""));
    for absent in ["42.50", "Invoice", "<form", "<button", "47", "n0nce", "/c/"] {
        assert!(!html.contains(absent), "{absent} in {html}");
    }
}

#[test]
fn title_has_no_amount() {
    for stage in STAGES {
        let html = render(&view(TextLanguage::En, stage)).unwrap();
        let title = html.split("<title>").nth(1).unwrap().split("</title>").next().unwrap();
        assert!(!title.contains("42.50"), "{title}");
    }
}

#[test]
fn fulfilled_payment_page_is_a_receipt() {
    let html = render(&view(TextLanguage::En, Stage::Fulfilled(RECEIPT))).unwrap();
    for text in [
        "Paid",
        "7F3K-92QD",
        "42.50 EUR",
        "Acme Energy Ltd",
        "Invoice 4711",
        "Visa •••• 4242",
        "<time datetime=\"1970-01-01T00:00:00.000Z\"></time>",
        "data-print hidden>Print or save",
    ] {
        assert!(html.contains(text), "{text}");
    }
    assert!(!html.contains("<form"));
}

/// Without scripts, too, the receipt has a time where the brand's time zone is known.
#[test]
fn receipt_shows_the_time_of_the_brand() {
    let zone = "Europe/Berlin".parse().unwrap();
    let page = view(TextLanguage::De, Stage::Fulfilled(RECEIPT));
    let brand = BrandView { time_zone: Some(&zone), ..BrandView::PLAIN };
    for (page, row) in [
        (
            PageView { brand, ..page },
            "<div><dt>Wann</dt><dd><time datetime=\"1970-01-01T00:00:00.000Z\">01.01.1970, 01:00 CET</time>",
        ),
        (page, "<div hidden><dt>Wann</dt><dd><time datetime=\"1970-01-01T00:00:00.000Z\"></time>"),
    ] {
        let html = render(&page).unwrap();
        assert!(html.contains(row), "{html}");
    }
}

#[test]
fn redirect_is_automatic_at_first_and_a_choice_after_return() {
    let going = render(&view(
        TextLanguage::En,
        Stage::HostedPage(HostedPage::Going { url: HOSTED_PAGE_URL }),
    ))
    .unwrap();
    let there = "https://checkout.example/c/pay/cs_1?a=1&#38;b=2";
    assert!(
        going.contains(&format!("http-equiv=\"refresh\" content=\"0;url={there}\"")),
        "{going}"
    );
    let back = render(&view(
        TextLanguage::En,
        Stage::HostedPage(HostedPage::Back { url: HOSTED_PAGE_URL }),
    ))
    .unwrap();
    assert!(back.contains("<noscript><meta http-equiv=\"refresh\" content=\"20;url=/c/"), "{back}");
    for html in [going, back] {
        assert!(html.contains(&format!("href=\"{there}\"")), "{html}");
        assert!(html.contains("value=\"back\"") && html.contains("name=\"nonce\""));
    }
}

#[test]
fn first_scriptless_offer_stands_beside_the_denial() {
    let place = |html: &str, what: &str| html.find(what).unwrap_or_else(|| panic!("{what}"));
    let html = offering(&[google(), Offer::Hosted, apple()]);
    let row = html.split("<div class=\"answers\">").nth(1).unwrap().split("</div>").next().unwrap();
    assert!(row.contains("value=\"deny\"") && row.contains("value=\"approve_hosted\""));
    assert!(row.contains("Continue to card entry"));
    assert!(place(&html, "data-wallet=\"google_pay\"") < place(&html, "value=\"approve_hosted\""));
    assert!(place(&html, "value=\"approve_hosted\"") < place(&html, "data-wallet=\"apple_pay\""));
    assert!(!html.contains("value=\"approve\"") && !html.contains("id=\"no-wallet\""));
    let html = offering(&[Offer::TestCard, Offer::Hosted]);
    let row = html.split("<div class=\"answers\">").nth(1).unwrap().split("</div>").next().unwrap();
    assert!(row.contains("value=\"approve\"") && html.contains("value=\"approve_hosted\""));
    let html = offering(&[Offer::SavedCard { label: "Visa •••• 4242".to_owned() }]);
    assert!(place(&html, "Visa •••• 4242") < place(&html, "value=\"approve\""));
    assert!(!html.contains("<select"));
}

#[test]
fn wallets_without_script_are_hidden_and_explained() {
    let html = offering(&[google(), apple()]);
    for button in tags(&html, "button").iter().filter(|tag| tag.contains("data-wallet")) {
        assert!(button.ends_with("hidden") && button.contains("type=\"button\""), "{button}");
    }
    let buttons = tags(&html, "button");
    let first = buttons.iter().find(|tag| !tag.contains("type=\"button\"")).unwrap();
    assert!(first.contains("value=\"stay\"") && first.contains("hidden"), "Enter denies: {first}");
    assert!(html.contains("<p id=\"no-wallet\">This needs Google Pay or Apple Pay"));
    assert!(html.contains("value=\"deny\"") && !html.contains("value=\"approve"));
    assert!(offering(&[]).contains("<p>This cannot be done here at the moment"));
    assert!(html.len() < 24_000, "{} bytes", html.len());
}

#[test]
fn requested_claims_are_listed() {
    let claims = &["your name", "your date of birth"];
    let asked = PageView { kind: AskKind::Identity, offers: &[Offer::Hosted], claims, ..asking() };
    let html = render(&asked).unwrap();
    assert!(html.contains("<li>your name</li><li>your date of birth</li>"), "{html}");
    assert!(html.contains("Continue to sign in"));
}
