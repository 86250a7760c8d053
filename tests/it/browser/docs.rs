//! The documentation of the API in a real browser, on wide and narrow screens.

use tests::openapi::{DESCRIPTION, operations};
use tests::process::Local;

use super::chromedriver::{Chromedriver, Screen};
use super::{NARROW, WIDTH};
use crate::live::folder::Folder;

/// The page shows every operation and event. It needs nothing from elsewhere, or its policy would fail the browser's log.
#[tokio::test]
async fn documentation_shows_every_operation_on_any_screen() {
    let folder = Folder::new();
    let local = Local::start(&folder.data(), 0, &[]).unwrap();
    let chromedriver = Chromedriver::start();
    let docs = local.desk.replace("/desk", "/docs");
    for (name, screen, width) in [
        ("desk", Screen::Desk, None),
        ("phone", Screen::Phone(WIDTH), Some(WIDTH)),
        ("narrow", Screen::Phone(NARROW), Some(NARROW)),
    ] {
        let browser = chromedriver.open(folder.path().join(name), screen, &docs).await;
        browser.sees("h1", "Assent API").await;
        for operation in operations() {
            let id = operation.value["operationId"].as_str().unwrap();
            let title = operation.value["summary"].as_str().unwrap();
            browser.sees(&format!("#operation-{id} h3"), title).await;
        }
        assert!(browser.has("#operation-onFulfilled").await);
        for schema in DESCRIPTION["components"]["schemas"].as_object().unwrap().keys() {
            assert!(browser.has(&format!("#schema-{schema}")).await, "{schema}");
        }
        browser.clicks("#operation-createRequest details summary").await;
        browser.sees("#operation-createRequest details[open] pre", "+15551230001").await;
        if let Some(width) = width {
            browser.fits(width).await;
        } else {
            browser.types("#filter", "refund").await;
            browser.sees("#nav li:not([hidden])", "Refund").await;
            assert!(!browser.shows("#nav a[href='#operation-cancelRequest']").await);
        }
        browser.shot(&format!("docs-{name}")).await;
        let problem = docs.replace("/docs", "/problems/conflict-state");
        browser.goes(&problem).await;
        browser.sees("h1", "does not allow this").await;
        browser.closes().await;
    }
}
