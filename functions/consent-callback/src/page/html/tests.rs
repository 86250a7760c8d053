//! Tests of the consent page.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use texts::TextLanguage;

use super::policy::GOOGLE_SCRIPT;
use super::*;
use crate::browser::reports::REPORTS_PATH;

const CARDS: [TestCard<'static>; 2] = [
    TestCard { value: "pm_card_visa", label: "Visa, accepted" },
    TestCard { value: "pm_card_visa_chargeDeclined", label: "Visa, refused" },
];

const HOSTED_PAGE_URL: &str = "https://checkout.example/c/pay/cs_1?a=1&b=2";

const STAGES: [Stage<'static>; 13] = [
    Stage::Ask { declined: false },
    Stage::Ask { declined: true },
    Stage::Working,
    Stage::HostedPage(HostedPage::Going { url: HOSTED_PAGE_URL }),
    Stage::HostedPage(HostedPage::Back { url: HOSTED_PAGE_URL }),
    Stage::Fulfilled { transaction_code: "7F3K-92QD" },
    Stage::Denied,
    Stage::Expired,
    Stage::Cancelled,
    Stage::Failed,
    Stage::WrongCode,
    Stage::Used,
    Stage::Unknown,
];

fn view(language: TextLanguage, stage: Stage<'static>) -> PageView<'static> {
    PageView {
        texts: language.page(),
        test_mode: true,
        payee: "Acme Energy Ltd",
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
        expires_at: "14:35 UTC",
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
            assert!(html.len() < 16_000, "{} bytes for {stage:?}", html.len());
            assert!(html.contains(&format!("<html lang=\"{}\" dir=\"ltr\">", language.tag())));
            let title = html.split("<title>").nth(1).unwrap().split("</title>").next().unwrap();
            assert!(!title.trim().is_empty());
            // The hosted page is the only outside address that a page may name.
            let html = html.replace("https://checkout.example/", "");
            for forbidden in [
                "<script", "<img", "<link", "<iframe", "src=", "http://", "https://", "url(",
                "@import", "style=", "onclick",
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
        Stage::Fulfilled { transaction_code: "\"><script>" },
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
            expires_at: nasty,
            test_cards: &cards,
            claims: &[nasty],
            ..view(TextLanguage::En, stage)
        });
        let html = html.unwrap();
        assert!(!html.contains("<script") && !html.contains("alert(1)</"), "{html}");
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
    assert_eq!(actions, ["deny", "approve", "not_me", "extend"]);
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

#[test]
fn waiting_page_reloads_and_ask_reloads_at_the_deadline() {
    let working = render(&view(TextLanguage::En, Stage::Working)).unwrap();
    assert!(
        working.contains("http-equiv=\"refresh\" content=\"2;url=/c/3vQ8sT0aXb7Zk2LmN5pRwE?go=1\"")
    );
    assert!(render(&asking()).unwrap().contains("http-equiv=\"refresh\" content=\"291;url=/c/"));
    for stage in STAGES.into_iter().skip(5) {
        assert!(
            !render(&view(TextLanguage::En, stage)).unwrap().contains("http-equiv"),
            "{stage:?}"
        );
    }
}

#[test]
fn time_left_is_shown_in_whole_minutes() {
    let shown = |seconds_left| left(&PageView { seconds_left, ..asking() });
    assert_eq!(shown(0), "Less than a minute left.");
    assert_eq!(shown(59), "Less than a minute left.");
    assert_eq!(shown(60), "About 1 minute left.");
    assert_eq!(shown(290), "About 5 minutes left.");
}

#[test]
fn fulfilled_payment_page_is_a_receipt() {
    let html = render(&view(TextLanguage::En, Stage::Fulfilled { transaction_code: "7F3K-92QD" }))
        .unwrap();
    for text in ["Paid", "7F3K-92QD", "42.50 EUR", "Acme Energy Ltd", "Invoice 4711"] {
        assert!(html.contains(text), "{text}");
    }
    assert!(!html.contains("<form"));
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
    assert!(back.contains("content=\"5;url=/c/"), "{back}");
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

fn digest(html: &str, tag: &str) -> String {
    let text = html.split(&format!("<{tag}>")).nth(1).unwrap();
    STANDARD.encode(Sha256::digest(text.split(&format!("</{tag}>")).next().unwrap().as_bytes()))
}

/// Returns the sources of a directive; nothing where the policy lacks it.
fn sources(policy: &str, directive: &str) -> String {
    let mut parts = policy.split("; ");
    let start = format!("{directive} ");
    parts.find_map(|part| part.strip_prefix(&start)).unwrap_or_default().to_owned()
}

#[test]
fn policy_allows_exactly_what_the_page_contains() {
    let plain = render(&asking()).unwrap();
    let style = format!("'sha256-{}'", digest(&plain, "style"));
    let script = format!("'sha256-{}'", digest(&offering(&[apple()]), "script"));
    let none = content_security_policy(&[Offer::TestCard, Offer::Hosted]);
    let with_apple = content_security_policy(&[apple()]);
    let with_google = content_security_policy(&[google(), apple(), Offer::Hosted]);
    assert!(!none.contains("script-src") && !none.contains("https:"), "{none}");
    assert_eq!(sources(&none, "style-src"), style);
    assert_eq!(sources(&with_apple, "script-src"), script);
    assert_eq!(sources(&with_apple, "connect-src"), "'self'");
    assert_eq!(sources(&with_apple, "require-trusted-types-for"), "'script'");
    assert!(!with_apple.contains("https:"), "{with_apple}");
    let google_script = "https://pay.google.com/gp/p/js/pay.js";
    assert_eq!(
        sources(&with_google, "script-src"),
        format!("{script} 'strict-dynamic' {google_script}")
    );
    assert_eq!(sources(&with_google, "style-src"), format!("{style} 'nonce-n0nce'"));
    for policy in [none, with_apple, with_google] {
        let is_closed = policy.starts_with("default-src 'none'; ") && !policy.contains("unsafe");
        assert!(is_closed, "{policy}");
        for (directive, expected) in [
            ("form-action", "'self'"),
            ("base-uri", "'none'"),
            ("frame-ancestors", "'none'"),
            ("img-src", "'none'"),
            ("report-uri", REPORTS_PATH),
            ("report-to", "csp"),
        ] {
            assert_eq!(sources(&policy, directive), expected, "{policy}");
        }
    }
}

/// PCI DSS 4.0.1, 6.4.3: the inventory names each script with its reason, and our own with its present digest.
#[test]
fn inventory_lists_every_script_of_the_page() {
    let inventory = include_str!("../../../scripts.md");
    let rows: Vec<&str> = inventory.lines().filter(|line| line.starts_with("| `")).collect();
    let policy = content_security_policy(&[google(), apple(), Offer::TestCard, Offer::Hosted]);
    let scripts = sources(&policy, "script-src");
    let named: Vec<&str> =
        scripts.split(' ').filter(|source| *source != "'strict-dynamic'").collect();
    assert_eq!(rows.len(), named.len(), "{rows:?} {named:?}");
    for source in named {
        let row = rows.iter().find(|row| row.contains(source.trim_matches('\'')));
        assert!(row.is_some_and(|row| row.split('|').count() >= 6), "{source} is not listed");
    }
    // Our own script names one address, and the inventory lists it.
    let addresses = WALLETS.matches("https://").count();
    assert_eq!((addresses, WALLETS.matches(GOOGLE_SCRIPT).count()), (1, 1));
    for page in [&[google(), apple()][..], &[Offer::TestCard, Offer::Hosted], &[apple()]] {
        let html = offering(page);
        let scripts = tags(&html, "script");
        assert!(scripts.len() <= 1 && scripts.iter().all(|tag| *tag == "<script"), "{scripts:?}");
    }
}
