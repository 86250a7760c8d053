//! The desk's views for those who run it: statistics, health, and the signatures of the webhook log.

use std::fs;

use serde_json::{Value, json};
use tests::process::Local;
use thirtyfour::Key;

use super::accessibility::assert_accessible;
use super::chromedriver::{Chromedriver, Screen};
use super::driver::Browser;
use super::{NARROW, NUMBER};
use crate::live::folder::Folder;
use crate::live::requester::Requester;

/// Asks a customer over text messages, who answers on the phone. Returns when the request has ended.
async fn asked_and_answered(requester: &Requester, amount: u64, action: &str) {
    let body = json!({
        "customer": { "phone": NUMBER }, "session": { "kind": "voice", "id": "day" }, "channels": ["sms"],
        "ask": { "kind": "payment", "amount": amount, "currency": "EUR", "description": "Invoice 4711" },
    });
    let request = requester.ask(&body, &amount.to_string()).await;
    let id = request["id"].as_str().unwrap().to_owned();
    requester.until(&id, |request| request["state"] == "prompted").await;
    let message = requester.message(NUMBER, &id).await.unwrap();
    let tap = json!({ "action": action, "session_code": request["session_code"] });
    requester.tap(NUMBER, message["id"].as_str().unwrap(), &tap).await.unwrap();
    requester.until(&id, |request| !request["outcome"].is_null()).await;
}

/// Returns the text that the page hands over as a file.
async fn saved(browser: &Browser, button: &str) -> String {
    let watch = "const make = URL.createObjectURL; URL.createObjectURL = (blob) => { \
                 blob.text().then((text) => { window.saved = text; }); return make(blob); }; arguments[0](null)";
    browser.runs(watch).await;
    browser.clicks(button).await;
    let wait = "const done = arguments[0]; const look = () => (window.saved ? done(window.saved) : setTimeout(look, 50)); look()";
    browser.runs(wait).await.as_str().unwrap().to_owned()
}

#[tokio::test]
async fn statistics_are_read_without_colour_and_saved_as_csv() {
    let folder = Folder::new();
    let local = Local::start(&folder.data(), 0, &[]).unwrap();
    let (chromedriver, requester) = (Chromedriver::start(), Requester::new(&local));
    for (amount, action) in [(1100, "approve"), (1200, "deny"), (1300, "approve")] {
        asked_and_answered(&requester, amount, action).await;
    }
    let browser = chromedriver.open(folder.path().join("desk"), Screen::Desk, &local.desk).await;
    browser.tabs_until("#to-statistics").await;
    browser.keys(Key::Enter).await;
    browser.sees("#stats-note", "3 requests ended").await;
    browser.sees("#to-statistics[aria-current=page]", "Statistics").await;
    browser.sees("#funnel .bars", "2 (67 %)").await;
    browser.sees("#reasons .bars", "denied: customer").await;
    browser.sees("#by-channel .bars", "67 % of 3").await;
    browser.tabs_until("#funnel summary").await;
    browser.keys(Key::Enter).await;
    browser.sees("#funnel table", "Of the step before").await;
    assert_accessible(&browser, "desk-statistics").await;
    browser.shot_whole("desk-statistics").await;
    let csv = saved(&browser, "#stats-csv").await;
    let lines: Vec<&str> = csv.split("\r\n").collect();
    assert!(lines[0].starts_with("day,kind,channel,asked,delivered,opened,approved,fulfilled,"));
    assert!(lines[1].contains(",payment,sms,3,3,3,2,2,1,0,0,0,0,"), "{csv}");
    assert_eq!(lines.len(), 3, "{csv}");
    browser.picks("#stats-kind option[value=identity]").await;
    browser.sees("#stats-note", "No request ended on these days.").await;
    browser.closes().await;
    let url = format!("{}/statistics", local.desk);
    let at = folder.path().join("narrow");
    let narrow = chromedriver.open(at, Screen::Phone(NARROW), &url).await;
    narrow.sees("#stats-note", "3 requests ended").await;
    narrow.fits(NARROW).await;
    narrow.shot_whole("desk-statistics-narrow").await;
    narrow.closes().await;
}

#[tokio::test]
async fn health_shows_what_worked_and_failed_last() {
    let folder = Folder::new();
    let local = Local::start(&folder.data(), 0, &[]).unwrap();
    let (chromedriver, requester) = (Chromedriver::start(), Requester::new(&local));
    asked_and_answered(&requester, 1100, "approve").await;
    asked_and_answered(&requester, 1203, "approve").await;
    let url = format!("{}/health", local.desk);
    let at = folder.path().join("desk");
    let browser = chromedriver.open(at, Screen::Phone(NARROW), &url).await;
    browser.sees("#channel-sms", "Works").await;
    browser.sees("#channel-rcs", "Not used in this time").await;
    browser.sees("#processor-sandbox table", "1").await;
    browser.sees("#endpoint", "Deliveries succeed").await;
    browser.fits(NARROW).await;
    assert_accessible(&browser, "desk-health").await;
    browser.shot_whole("desk-health").await;
    browser.clicks("#health-again").await;
    browser.sees("#health-note", "Read at").await;
    browser.closes().await;
}

/// An integrator types the endpoint's secret, and the desk checks the signature over the bytes that were sent.
#[tokio::test]
async fn signature_of_an_event_is_checked_with_a_typed_secret() {
    let folder = Folder::new();
    let local = Local::start(&folder.data(), 0, &[]).unwrap();
    let (chromedriver, requester) = (Chromedriver::start(), Requester::new(&local));
    asked_and_answered(&requester, 1100, "deny").await;
    let brand: Value =
        serde_json::from_str(&fs::read_to_string(folder.data().join("brand.json")).unwrap())
            .unwrap();
    let secret = brand["test"]["webhooks"]["secrets"][0].as_str().unwrap();
    let log = format!("{}/webhooks", local.desk);
    let browser = chromedriver.open(folder.path().join("desk"), Screen::Desk, &log).await;
    let event = "#events li[data-type='request.denied']";
    browser.sees(&format!("{event} summary"), "delivered, 1 attempt").await;
    browser.clicks(&format!("{event} summary")).await;
    browser.clicks(&format!("{event} .signing summary")).await;
    browser.sees(&format!("{event} .base"), "evt_").await;
    let cases = [
        (secret, "The signature is right for this secret."),
        ("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "The signature is not of this secret"),
        ("made up!", "This is not a signing secret"),
    ];
    for (typed, told) in cases {
        browser.types(&format!("{event} .secret"), typed).await;
        browser.clicks(&format!("{event} .check")).await;
        browser.sees(&format!("{event} .verdict"), told).await;
    }
    assert_accessible(&browser, "desk-signature").await;
    browser.clicks("#redeliver summary").await;
    browser.clicks("#redeliver-all").await;
    browser.sees("#redeliver-note", "events are due again.").await;
    browser.closes().await;
}

/// Measures the first paint and one interaction, and prints them. The limits are wide, as the machine has other work.
#[tokio::test]
#[expect(clippy::print_stderr, reason = "the measurement is a result of this test")]
async fn first_paint_and_interaction_are_quick_and_small() {
    let folder = Folder::new();
    let local = Local::start(&folder.data(), 0, &[]).unwrap();
    let (chromedriver, requester) = (Chromedriver::start(), Requester::new(&local));
    asked_and_answered(&requester, 1100, "approve").await;
    let browser = chromedriver.open(folder.path().join("desk"), Screen::Desk, &local.desk).await;
    browser.sees("#list a", "11.00 EUR").await;
    let measured = browser
        .runs(
            "const done = arguments[0]; \
             const entries = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]; \
             const files = entries.map((entry) => [entry.name.replace(location.origin, ''), entry.decodedBodySize]); \
             const paint = performance.getEntriesByName('first-contentful-paint')[0].startTime; \
             const from = performance.now(); \
             document.getElementById('ask').click(); \
             requestAnimationFrame(() => setTimeout(() => done({ paint, shown: performance.now() - from, files })));",
        )
        .await;
    let files = measured["files"].as_array().unwrap();
    let bytes = |file: &Value| file[1].as_u64().unwrap();
    let sum: u64 = files.iter().map(bytes).sum();
    let (paint, shown) = (measured["paint"].as_f64().unwrap(), measured["shown"].as_f64().unwrap());
    let largest = files.iter().max_by_key(|file| bytes(file)).unwrap();
    eprintln!(
        "the desk: first paint after {paint:.0} ms, the drawer after {shown:.0} ms; {} answers of {sum} bytes, the largest {largest}",
        files.len()
    );
    assert!(bytes(largest) < 50_000, "{files:?}");
    assert!(sum < 150_000, "{files:?}");
    // The views beside the requests are loaded when they are opened.
    assert!(!files.iter().any(|file| file[0] == "/desk/statistics.js"), "{files:?}");
    assert!(paint < 5_000.0 && shown < 1_000.0, "{paint} {shown}");
    browser.sees("#form-title", "Ask the customer").await;
    browser.closes().await;
}
