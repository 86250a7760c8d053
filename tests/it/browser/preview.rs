//! The preview in the drawer: what the customer would get, before anything is sent.

use serde_json::json;
use tests::process::Local;
use thirtyfour::Key;

use super::accessibility::assert_accessible;
use super::chromedriver::{Chromedriver, Screen};
use super::{NUMBER, state};
use crate::live::folder::Folder;
use crate::live::requester::Requester;

/// The words of the first message in the drawer.
const WORDS: &str =
    "arguments[0](document.querySelector('#ask-preview .bubble')?.innerText ?? null)";

#[tokio::test]
async fn drawer_previews_the_message_that_is_sent() {
    let folder = Folder::new();
    let local = Local::start(&folder.data(), 0, &[]).unwrap();
    let (chromedriver, requester) = (Chromedriver::start(), Requester::new(&local));
    let browser = chromedriver.open(folder.path().join("desk"), Screen::Desk, &local.desk).await;
    browser.sees("#list-note", "No requests yet").await;
    browser.shortcut('a').await;
    browser.sees("#form-dialog[open] #ask-phone", "").await;
    browser.tabs_until("#ask-phone").await;
    browser.keys(NUMBER.trim_start_matches("+1")).await;
    browser.tabs_until("#ask-amount").await;
    browser.keys("42.50").await;
    assert!(browser.runs(WORDS).await.is_null(), "nothing is previewed before the form is whole");
    browser.tabs_until("#ask-description").await;
    browser.keys("Invoice 4711").await;
    browser.sees("#ask-preview .said", "Invoice 4711").await;
    browser.sees("#ask-preview .bubble", "Decline").await;
    assert_accessible(&browser, "desk-preview").await;
    // By text alone: the preview follows, and the focus stays at the channel.
    browser.tabs_until("#ask-channel-list input[value=sms]").await;
    browser.keys(Key::Space).await;
    browser.sees("#ask-preview figcaption", "a text with a link").await;
    let focus = "arguments[0](document.activeElement.value)";
    assert_eq!(browser.runs(focus).await, "sms");
    let previewed = browser.sees("#ask-preview .said", "/c/••").await.text().await.unwrap();
    let listed = requester.get("/v1/requests?limit=1").await;
    assert_eq!(listed["requests"], json!([]), "a preview makes no request");
    browser.tabs_until("#ask-send").await;
    browser.keys(Key::Enter).await;
    browser.sees("main .facts", "Invoice 4711").await;
    let listed = requester.get("/v1/requests?limit=1").await;
    let id = listed["requests"][0]["id"].as_str().unwrap().to_owned();
    requester.until(&id, |request| request["state"] == "prompted").await;
    let message = requester.message(NUMBER, &id).await.unwrap();
    let (before, after) = previewed.split_once("••").unwrap();
    let sent = message["text"].as_str().unwrap();
    assert!(sent.starts_with(before) && sent.ends_with(after), "{sent} is not {previewed}");
    let tap = json!({ "action": "deny" });
    requester.tap(NUMBER, message["id"].as_str().unwrap(), &tap).await.unwrap();
    browser.sees(&state("denied"), "").await;
    // The next call begins without the last customer's words.
    browser.shortcut('n').await;
    browser.sees("main .empty h1", "Ask the customer").await;
    browser.shortcut('a').await;
    browser.sees("#form-dialog[open] #ask-phone", "").await;
    assert_eq!(browser.runs(WORDS).await, json!(null));
    browser.closes().await;
}
