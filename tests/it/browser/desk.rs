//! The desk: what it reads as typed, who signs in, and what stays while requests change.

use std::sync::Arc;

use intake::{DeskAccess, Intake};
use serde_json::{Value, json};
use tests::process::Local;
use tests::world::World;
use tests::world::brand::TEST_KEY;
use thirtyfour::Key;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use super::accessibility::assert_accessible;
use super::chromedriver::{Chromedriver, Screen};
use super::{DIGITS, NARROW, NUMBER, state};
use crate::live::folder::Folder;
use crate::live::requester::Requester;

/// Returns amounts as typed, with currency, locale and minor units; `null` where the desk refuses.
fn amounts() -> Value {
    json!([
        ["42.50", "EUR", "en-US", 4250],
        ["42,5", "EUR", "en-US", 4250],
        ["42", "EUR", "de-DE", 4200],
        ["1.000,50", "EUR", "en-US", 100_050],
        ["1,000.50", "EUR", "de-DE", 100_050],
        ["1,000", "EUR", "en-US", 100_000],
        ["1.000", "EUR", "de-DE", 100_000],
        ["1.000", "EUR", "en-US", null],
        ["1,000", "EUR", "de-DE", null],
        ["1,000,000", "EUR", "de-DE", 100_000_000],
        ["12,34,567.00", "INR", "en-IN", 123_456_700],
        ["1'000.50", "CHF", "de-CH", 100_050],
        ["1 000,50", "EUR", "fr-FR", 100_050],
        ["1000", "KWD", "en-US", 1_000_000],
        ["1,000", "KWD", "en-US", null],
        ["1,000", "KWD", "en-KW", null],
        ["1,000", "KWD", "ar-KW", null],
        ["1.000", "KWD", "en-US", 1000],
        ["\u{661}\u{66c}\u{660}\u{660}\u{660}", "KWD", "ar-KW", 1_000_000],
        ["\u{664}\u{662}\u{66b}\u{665}", "KWD", "ar-KW", 42_500],
        ["0.005", "KWD", "en-US", 5],
        ["1000", "JPY", "en-US", 1000],
        ["1.5", "JPY", "en-US", null],
        ["1.000", "JPY", "en-US", null],
        ["1.23456", "CLF", "en-US", null],
        ["0", "EUR", "en-US", null],
        ["-5", "EUR", "en-US", null],
        ["1e5", "EUR", "en-US", null],
        ["1,2,3", "EUR", "en-US", null],
        ["5.", "EUR", "en-US", null],
        ["99999999999999.00", "EUR", "en-US", null],
    ])
}

/// Returns numbers as typed, with the picked country and the number; `null` where the desk refuses.
fn numbers() -> Value {
    json!([
        ["(555) 123-0001", "US", "+15551230001"],
        ["1 555 123 0001", "US", "+15551230001"],
        ["0171 2345678", "DE", "+491712345678"],
        ["+49 (0)171 2345678", "US", "+491712345678"],
        ["0049 171 2345678", "US", "+491712345678"],
        ["011 49 171 2345678", "US", "+491712345678"],
        ["06 12345678", "IT", "+390612345678"],
        ["06 30 123 4567", "HU", "+36301234567"],
        ["9765 4321", "KW", "+96597654321"],
        ["12", "US", null],
        ["not a number", "US", null],
    ])
}

#[tokio::test]
async fn amounts_and_numbers_are_read_as_people_type_them() {
    let folder = Folder::new();
    let local = Local::start(&folder.data(), 0, &[]).unwrap();
    let chromedriver = Chromedriver::start();
    let browser = chromedriver.open(folder.path().join("desk"), Screen::Desk, &local.desk).await;
    let (amounts, numbers) = (amounts(), numbers());
    let script = format!(
        "const done = arguments[0]; import('/desk/entry.js').then(({{ readAmount, readPhone }}) => done([ \
         {amounts}.map(([text, currency, locale]) => readAmount(text, currency, locale).amount ?? null), \
         {numbers}.map(([text, country]) => readPhone(text, country).phone ?? null)]));"
    );
    let read = browser.runs(&script).await;
    for (place, (cases, value)) in [(&amounts, 3), (&numbers, 2)].into_iter().enumerate() {
        for (case, read) in cases.as_array().unwrap().iter().zip(read[place].as_array().unwrap()) {
            assert_eq!(*read, case[value], "{case}");
        }
    }
    browser.closes().await;
}

/// Serves a world's API with a desk that asks for a key.
fn serve(world: &World, runtime: &Runtime) -> String {
    let own = &world.machine.intake;
    let intake = Intake {
        ports: own.ports.clone(),
        channels: Arc::clone(&own.channels),
        processors: Arc::clone(&own.processors),
        public_base: own.public_base.clone(),
        desk: DeskAccess::Key,
    };
    let listener = runtime.block_on(TcpListener::bind(("127.0.0.1", 0))).unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let router = intake::router(Arc::new(intake));
    runtime.spawn(async move { axum::serve(listener, router).await });
    base
}

/// The key is in the tab alone. A reload keeps it, another tab asks for it, and signing out forgets it.
#[test]
fn agent_signs_in_with_a_key_that_stays_in_the_tab() {
    let world = World::new();
    let runtime = Runtime::new().unwrap();
    let base = serve(&world, &runtime);
    let (chromedriver, folder) = (Chromedriver::start(), Folder::new());
    let url = format!("{base}/desk");
    runtime.block_on(async {
        let at = folder.path().join("desk");
        let browser = chromedriver.open(at, Screen::Phone(NARROW), &url).await;
        browser.sees("#sign-in h1", "Desk").await;
        browser.fits(NARROW).await;
        browser.keys("sk_test_demo_wrong").await;
        browser.keys(Key::Enter).await;
        browser.sees("#key-error", "This key is not known here.").await;
        assert_accessible(&browser, "desk-sign-in").await;
        browser.types("#key", TEST_KEY).await;
        browser.keys(Key::Enter).await;
        browser.sees("#list-note", "No requests yet").await;
        browser.sees("#brand", "demo").await;
        browser.reloads().await;
        browser.sees("#list-note", "No requests yet").await;
        browser.fits(NARROW).await;
        let kept = "arguments[0]([JSON.stringify(localStorage), document.cookie])";
        assert_eq!(browser.runs(kept).await, json!(["{}", ""]));
        browser.clicks("#sign-out").await;
        browser.sees("#sign-in h1", "Desk").await;
        browser.reloads().await;
        browser.sees("#sign-in h1", "Desk").await;
        browser.types("#key", TEST_KEY).await;
        browser.keys(Key::Enter).await;
        browser.sees("#list-note", "No requests yet").await;
        browser.opens_tab(&url).await;
        browser.sees("#sign-in h1", "Desk").await;
    });
    world.leaves();
}

#[tokio::test]
async fn errors_stay_at_their_fields_until_mended() {
    let folder = Folder::new();
    let local = Local::start(&folder.data(), 0, &[]).unwrap();
    let chromedriver = Chromedriver::start();
    let at = folder.path().join("desk");
    let browser = chromedriver.open(at, Screen::Phone(NARROW), &local.desk).await;
    browser.clicks("#ask").await;
    browser.clicks("#ask-send").await;
    for (name, text) in [("phone", "Type the customer's number."), ("amount", "Type the amount.")] {
        browser.sees(&format!("#ask-{name}[aria-invalid=true]"), "").await;
        browser.sees(&format!("#ask-{name}-error"), text).await;
    }
    browser.fits(NARROW).await;
    assert_accessible(&browser, "desk-errors").await;
    let focus = "arguments[0](document.activeElement.id)";
    assert_eq!(browser.runs(focus).await, "ask-phone");
    browser.types("#ask-phone", "555 123 0001").await;
    browser.sees("#ask-phone:not([aria-invalid])", "").await;
    browser.sees("#ask-amount-error", "Type the amount.").await;
    browser.types("#ask-amount", "1.000").await;
    browser.types("#ask-description", "See https://evil.example").await;
    browser.clicks("#ask-send").await;
    browser.sees("#ask-amount-error", "can mean two amounts. Type 1000 or 1.00.").await;
    browser.types("#ask-amount", "10").await;
    browser.sees("#ask-reading", "10.00").await;
    browser.clicks("#ask-send").await;
    // This one the API finds.
    browser.sees("#ask-description[aria-invalid=true]", "").await;
    browser.sees("#ask-description-error", "link").await;
}

/// Two requests of one call change at once: the list shows both, and the focus stays where it was.
#[tokio::test]
async fn two_requests_at_once_are_followed_and_keep_the_focus() {
    let folder = Folder::new();
    let local = Local::start(&folder.data(), 0, &[]).unwrap();
    let (chromedriver, requester) = (Chromedriver::start(), Requester::new(&local));
    let browser = chromedriver.open(folder.path().join("desk"), Screen::Desk, &local.desk).await;
    let mut asked = Vec::new();
    for amount in [1100_u64, 1200] {
        let body = json!({
            "customer": { "phone": NUMBER }, "session": { "kind": "voice", "id": "two" }, "channels": ["sms"],
            "ask": { "kind": "payment", "amount": amount, "currency": "EUR", "description": "Invoice 4711" },
        });
        let request = requester.ask(&body, &amount.to_string()).await;
        let id = request["id"].as_str().unwrap().to_owned();
        asked.push(requester.until(&id, |request| request["state"] == "prompted").await);
    }
    let link = |request: &Value| format!("#list a[href$={}]", request["id"].as_str().unwrap());
    browser.sees(&link(&asked[0]), "11.00 EUR").await;
    browser.sees(&link(&asked[1]), "12.00 EUR").await;
    browser.tabs_until("#list a").await;
    browser.keys(Key::Down).await;
    browser.keys(Key::Enter).await;
    browser.sees(DIGITS, asked[0]["session_code"].as_str().unwrap()).await;
    browser.tabs_until("#extend").await;
    for request in asked.iter().rev() {
        let message = requester.message(NUMBER, request["id"].as_str().unwrap()).await.unwrap();
        let tap = json!({ "action": "deny" });
        if request == &asked[0] {
            let focus =
                "arguments[0](document.activeElement.shadowRoot?.activeElement?.id ?? null)";
            assert_eq!(browser.runs(focus).await, "extend");
        }
        requester.tap(NUMBER, message["id"].as_str().unwrap(), &tap).await.unwrap();
        browser.sees(&format!("{}[data-state=denied]", link(request)), "Declined").await;
    }
    browser.sees(&state("denied"), "Declined by the customer").await;
    browser.types("#search", "12").await;
    browser.sees(&link(&asked[1]), "12.00 EUR").await;
    let deadline = "#list:not(:has(li:nth-child(2)))";
    browser.sees(deadline, "").await;
    browser.closes().await;
}

/// Loads the whole log by cursor, and from then on only what is new.
#[tokio::test]
async fn event_log_is_fetched_once_and_then_by_cursor() {
    let folder = Folder::new();
    let local = Local::start(&folder.data(), 0, &[]).unwrap();
    let (chromedriver, requester) = (Chromedriver::start(), Requester::new(&local));
    for number in 0..60 {
        let (status, _) =
            requester.post("/v1/webhooks/test", &json!({}), &number.to_string()).await;
        assert_eq!(status, 202);
    }
    let log = format!("{}/webhooks", local.desk);
    let browser = chromedriver.open(folder.path().join("desk"), Screen::Desk, &log).await;
    for page in 1..6 {
        browser.sees(&format!("#events li:nth-child({})", page * 10), "webhook.test").await;
        browser.clicks("#events-older").await;
    }
    browser.sees("#events li:nth-child(60)", "delivered, 1 attempt").await;
    let sizes = "arguments[0](performance.getEntriesByType('resource').map((entry) => [entry.name.replace(location.origin, ''), entry.decodedBodySize]))";
    let fetched = browser.runs(sizes).await;
    for entry in fetched.as_array().unwrap() {
        assert!(entry[1].as_u64().unwrap() < 50_000, "{entry}");
    }
    browser.runs("performance.clearResourceTimings(); arguments[0](null)").await;
    browser.clicks("#test-event").await;
    browser.sees("#events li:nth-child(61)", "webhook.test").await;
    let fetched = browser.runs(sizes).await;
    let fetched = fetched.as_array().unwrap();
    let bytes: u64 = fetched.iter().map(|entry| entry[1].as_u64().unwrap()).sum();
    assert!(bytes < 10_000, "one new event costs {bytes} bytes: {fetched:?}");
    browser.clicks("#events li:first-child summary").await;
    browser.clicks("#events li:first-child .redeliver").await;
    browser.sees("#events li:first-child summary", "delivered, 2 attempts").await;
    assert_accessible(&browser, "desk-webhooks").await;
    browser.closes().await;
}
