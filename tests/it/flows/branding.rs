//! The brand on the customer's page: logo, colours, contact and links, and the terms of keeping a card.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tests::world::{BROWSER, PHONE, PUBLIC_BASE, World};

const LOGO: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 24 24\"><path d=\"M2 2h20v20H2z\" fill=\"#036\"/></svg>";

fn branding() -> Value {
    json!({
        "logo": format!("data:image/svg+xml;base64,{}", STANDARD.encode(LOGO)),
        "accent": { "light": "#003366", "dark": "#6fa8ff" },
        "support_phone": "+4930123456",
        "support_url": "https://help.demo.example/pay?from=assent",
        "terms_url": "https://demo.example/terms",
        "privacy_url": "https://demo.example/privacy",
        "statement_descriptor": "DEMO BOOKS",
    })
}

fn digest(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text.as_bytes())))
}

#[test]
fn page_shows_the_brand_and_its_policy_allows_no_more() {
    let world = World::builder().with("/branding", &branding()).build();
    let asked = world.asks(4250);
    let page = world.customer().newest().page;
    let answer = world.customer().opens(&page).ok(200);
    let html = answer.text();
    for part in [
        "<a href=\"tel:+4930123456\"><bdi dir=\"ltr\">+4930123456</bdi></a>",
        "<a href=\"https://help.demo.example/pay?from=assent\" target=\"_blank\" rel=\"noopener noreferrer\"><bdi dir=\"ltr\">help.demo.example</bdi></a>",
        "<a href=\"https://demo.example/terms\" target=\"_blank\" rel=\"noopener noreferrer\">Terms</a>",
        "<a href=\"https://demo.example/privacy\" target=\"_blank\" rel=\"noopener noreferrer\">Privacy</a>",
    ] {
        assert!(html.contains(part), "{part} is not on {html}");
    }
    let styles: Vec<&str> =
        html.split("<style>").skip(1).map(|rest| rest.split("</style>").next().unwrap()).collect();
    assert_eq!(styles.len(), 2);
    assert_eq!(
        styles[1],
        ":root{--accent:#003366;--on-accent:#ffffff}\
         @media (prefers-color-scheme:dark){:root{--accent:#6fa8ff;--on-accent:#000000}}"
    );
    let policy = answer.header("content-security-policy");
    let allowed = format!("style-src {} {};", digest(styles[0]), digest(styles[1]));
    assert!(policy.contains(&allowed) && policy.contains("img-src 'self';"), "{policy}");

    let logo = html.split("<img src=\"").nth(1).unwrap().split('"').next().unwrap();
    assert!(logo.starts_with(&format!("{page}?logo=")), "{logo}");
    // A picture is no navigation, so that the page does not count as opened.
    let picture =
        world.call(Method::GET, logo).key(None).header("sec-fetch-mode", "no-cors").send();
    let picture = picture.ok(200);
    assert_eq!(picture.text(), LOGO);
    for (name, value) in [
        ("content-type", "image/svg+xml"),
        ("content-security-policy", "default-src 'none'; sandbox"),
        ("cache-control", "private, max-age=31536000, immutable"),
        ("x-content-type-options", "nosniff"),
    ] {
        assert_eq!(picture.header(name), value);
    }
    let code = asked.answer["session_code"].as_str().unwrap();
    world.customer().answers_on(&page, &[("action", "approve"), ("session_code", code)]).ok(303);
    let receipt = world.customer().opens(&page).ok(200).text();
    for part in ["On your statement", "DEMO BOOKS", "help.demo.example", logo] {
        assert!(receipt.contains(part), "{part} is not on {receipt}");
    }
}

#[test]
fn preview_shows_the_logo_and_nothing_of_the_ask() {
    let world = World::builder().with("/branding", &branding()).build();
    world.asks(4250);
    let page = world.customer().newest().page;
    let call = world.call(Method::GET, &page).key(None).header("user-agent", "WhatsApp/2.26");
    let html = call.send().ok(200).text();
    assert!(html.contains("<meta property=\"og:image\" content=\"https://"), "{html}");
    assert!(html.contains(&format!("{page}?logo=")) && !html.contains("42.50"), "{html}");
    world.run_until_idle();
}

/// A brand without branding has the page as before, and no logo behind its link.
#[test]
fn page_of_a_plain_brand_has_no_picture() {
    let world = World::new();
    world.asks(4250);
    let page = world.customer().newest().page;
    let answer = world.customer().opens(&page).ok(200);
    assert!(!answer.text().contains("<img") && !answer.text().contains("<footer"));
    assert!(answer.header("content-security-policy").contains("img-src 'none'"));
    let logo = world.call(Method::GET, &format!("{page}?logo=x")).key(None);
    logo.header("user-agent", BROWSER).send().ok(404);
    world.run_until_idle();
}

/// Card networks want use, end and changes named before the yes.
#[test]
fn terms_of_keeping_a_card_stand_before_the_yes() {
    let world = World::builder().with("/branding", &branding()).build();
    let mut body = world.payment(PHONE, 4250);
    body["ask"] = json!({ "kind": "payment_method", "description": "Later orders" });
    world.asks_for(&body);
    let page = world.customer().newest().page;
    let html = world.customer().opens(&page).ok(200).text();
    let yes = html.find("value=\"approve\"").unwrap();
    for text in [
        "Use: later payments to this business",
        "End: you can have the card removed",
        "Changes: the business asks you again",
    ] {
        assert!(html.find(text).is_some_and(|place| place < yes), "{text}: {html}");
    }
    assert!(html.contains("+4930123456"));
    world.run_until_idle();
    world.time_passes(1);
    world.asks(4250);
    let page = world.customer().newest().page;
    assert!(!world.customer().opens(&page).text().contains("Use: later payments"));
    world.run_until_idle();
}

/// The processor's hosted page of test mode stands for one that knows the brand.
#[test]
fn checkout_of_the_sandbox_shows_the_brand() {
    for branded in [true, false] {
        let builder = World::builder().with("/policy", &json!({ "session_code": false }));
        let builder = if branded { builder.with("/branding", &branding()) } else { builder };
        let world = builder.build();
        world.asks(4250);
        let page = world.customer().approves_hosted();
        let html = world.customer().opens(&format!("{page}?go=1")).ok(200).text();
        let url = html.split_once("content=\"0;url=").unwrap().1.split('"').next().unwrap();
        let path = url.replacen(PUBLIC_BASE, "", 1);
        let answer = world.call(Method::GET, &path).key(None).send().ok(200);
        let (html, policy) = (answer.text(), answer.header("content-security-policy"));
        let logo =
            format!("<img src=\"data:image/svg+xml;base64,{}\" alt=\"\">", STANDARD.encode(LOGO));
        for part in [
            logo.as_str(),
            "--accent:#003366",
            "<a href=\"tel:+4930123456\">",
            "<bdi dir=\"ltr\">help.demo.example</bdi>",
        ] {
            assert_eq!(html.contains(part), branded, "{part}: {html}");
        }
        let styles: Vec<&str> = html
            .split("<style>")
            .skip(1)
            .map(|rest| rest.split("</style>").next().unwrap())
            .collect();
        let digests: Vec<String> = styles.iter().map(|style| digest(style)).collect();
        assert!(policy.contains(&format!("style-src {};", digests.join(" "))), "{policy}");
        assert_eq!(policy.contains("img-src data:;"), branded, "{policy}");
    }
}
