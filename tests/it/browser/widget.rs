//! The widget in a page of another origin, with a client token that may do little.

use std::sync::{Arc, Mutex};

use axum::response::Html;
use serde_json::{Value, json};
use tests::process::Local;
use thirtyfour::Key;
use tokio::net::TcpListener;
use tokio::runtime::Handle;

use super::accessibility::assert_accessible;
use super::chromedriver::{Chromedriver, Screen};
use super::driver::Browser;
use super::{DIGITS, NARROW, NUMBER, state};
use crate::architecture::read;
use crate::live::folder::Folder;
use crate::live::requester::Requester;

/// A page of the requester's own, which shows one request after another.
struct ForeignPage {
    origin: String,
    html: Arc<Mutex<String>>,
}

impl ForeignPage {
    async fn serve() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let html = Arc::<Mutex<String>>::default();
        let served = Arc::clone(&html);
        let router = axum::Router::new()
            .fallback(move || async move { Html(served.lock().unwrap().clone()) });
        Handle::current().spawn(async move { axum::serve(listener, router).await });
        Self { origin, html }
    }

    /// Writes the page as the document of the widget does, with its digest.
    fn shows(&self, api: &str, request: &str, token: &str) {
        let text = read("functions/intake/desk/README.md");
        let (_, rest) = text.split_once("integrity=\"").unwrap();
        let (digest, _) = rest.split_once('"').unwrap();
        let page = format!(
            "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>CRM</title><link rel=\"icon\" href=\"data:,\">\
             <style>assent-request {{ --assent-good: rgb(1, 90, 3); }}</style>\
             <script type=\"module\" src=\"{api}/widget.js\" crossorigin integrity=\"{digest}\"></script>\
             <main><h1>CRM</h1><assent-request request=\"{request}\" token=\"{token}\"></assent-request></main></html>"
        );
        *self.html.lock().unwrap() = page;
    }
}

/// A requester with a page of its own, before one machine.
struct Crm {
    page: ForeignPage,
    browser: Browser,
    requester: Requester,
    _chromedriver: Chromedriver,
    _local: Local,
    _folder: Folder,
}

impl Crm {
    async fn open(screen: Screen) -> Self {
        let folder = Folder::new();
        let local = Local::start(&folder.data(), 0, &[]).unwrap();
        let chromedriver = Chromedriver::start();
        let browser = chromedriver.open(folder.path().join("crm"), screen, "about:blank").await;
        let (page, requester) = (ForeignPage::serve().await, Requester::new(&local));
        let (_chromedriver, _local, _folder) = (chromedriver, local, folder);
        Self { page, browser, requester, _chromedriver, _local, _folder }
    }

    /// Asks as the requester's server, and shows the request in its page. Returns the request and the token.
    async fn asks(&self, amount: u64) -> (Value, String) {
        let name = format!("crm-{amount}");
        let body = json!({
            "customer": { "phone": NUMBER }, "channels": ["sms"], "session": { "kind": "voice", "id": name },
            "ask": { "kind": "payment", "amount": amount, "currency": "EUR", "description": "Invoice 4711" },
        });
        let request = self.requester.ask(&body, &name).await;
        let id = request["id"].as_str().unwrap();
        let request = self.requester.until(id, |request| request["state"] == "prompted").await;
        let body = json!({ "request": id, "origin": self.page.origin });
        let (status, token) = self.requester.post("/v1/client_tokens", &body, &name).await;
        assert_eq!(status, 201, "{token}");
        let token = token["client_token"].as_str().unwrap().to_owned();
        self.page.shows(&self.requester.api, id, &token);
        self.browser.goes(&self.page.origin).await;
        self.browser.sees(&state("prompted"), "Waiting for the customer").await;
        (request, token)
    }

    /// Goes to a button of the widget by the Tab key, and presses it.
    async fn presses(&self, id: &str, entry: &str) {
        self.browser.tabs_until(&format!("#{id}")).await;
        self.browser.keys(Key::Enter).await;
        let entry = format!("assent-request >>> #timeline li[data-what={entry}]");
        self.browser.sees(&entry, "").await;
    }
}

#[tokio::test]
async fn widget_follows_a_request_from_another_origin() {
    let crm = Crm::open(Screen::Phone(NARROW)).await;
    let (request, _) = crm.asks(5000).await;
    let code = request["session_code"].as_str().unwrap();
    assert_eq!(crm.browser.reads(DIGITS).await, code);
    let say = crm.browser.reads("assent-request >>> #sentence").await;
    assert!(code.chars().all(|digit| say.contains(digit)), "{say} without {code}");
    crm.browser.fits(NARROW).await;
    assert_accessible(&crm.browser, "widget-1-waiting").await;
    crm.presses("extend", "extended").await;
    crm.presses("resend", "resent").await;
    let id = request["id"].as_str().unwrap();
    let message = crm.requester.message(NUMBER, id).await.unwrap();
    let tap = json!({ "action": "approve", "session_code": code });
    crm.requester.tap(NUMBER, message["id"].as_str().unwrap(), &tap).await.unwrap();
    crm.browser.sees(&state("fulfilled"), "Paid").await;
    assert!(!crm.browser.shows(DIGITS).await, "the code stays after the answer");
    let colour = "arguments[0](getComputedStyle(document.querySelector('assent-request').shadowRoot.querySelector('#label')).color)";
    assert_eq!(crm.browser.runs(colour).await, "rgb(1, 90, 3)");
    assert_accessible(&crm.browser, "widget-2-paid").await;
    let (request, _) = crm.asks(5100).await;
    crm.presses("cancel", "cancelled").await;
    crm.browser.sees(&state("cancelled"), "Cancelled").await;
    // The button is gone, and the focus is at the words that say why.
    let focus = "arguments[0](document.activeElement.shadowRoot?.activeElement?.id ?? null)";
    assert_eq!(crm.browser.runs(focus).await, "label");
    let ended =
        crm.requester.get(&format!("/v1/requests/{}", request["id"].as_str().unwrap())).await;
    assert_eq!(ended["state"], "cancelled");
    crm.browser.closes().await;
}

/// The calls of the API that the token of one request may not make, with what they answer.
fn refused(id: &str, other: &str) -> Value {
    let number = NUMBER.replace('+', "%2B");
    json!([
        ["GET", format!("/v1/requests/{other}"), null, 404],
        ["POST", format!("/v1/requests/{other}/cancel"), {}, 404],
        ["POST", "/v1/requests", {}, 403],
        ["POST", "/v1/capabilities", {}, 403],
        ["POST", "/v1/previews", {}, 403],
        ["POST", "/v1/client_tokens", {}, 403],
        ["GET", format!("/v1/requests/{id}/record"), null, 403],
        ["POST", format!("/v1/requests/{id}/refund"), {}, 403],
        ["GET", format!("/v1/customers/{number}"), null, 403],
        ["GET", "/v1/payment_methods/crd_01JDZ8ZQ4V9M6T3X2B7C5N8K1P", null, 403],
        ["GET", "/v1/events", null, 403],
        ["GET", "/v1/statistics", null, 403],
        ["GET", "/v1/health", null, 403],
        ["GET", "/v1/brand", null, 403],
        ["POST", "/v1/events/redeliver", {}, 403],
        ["POST", "/v1/webhooks/test", {}, 403],
        // No page of another origin may send these: the browser itself stops them.
        ["DELETE", format!("/v1/customers/{number}"), null, 0],
        ["DELETE", "/v1/payment_methods/crd_01JDZ8ZQ4V9M6T3X2B7C5N8K1P", null, 0],
    ])
}

#[tokio::test]
async fn client_token_does_nothing_else_from_its_page() {
    let crm = Crm::open(Screen::Desk).await;
    let (other, _) = crm.asks(5200).await;
    let (request, token) = crm.asks(5300).await;
    let (id, other) = (request["id"].as_str().unwrap(), other["id"].as_str().unwrap());
    let calls = refused(id, other);
    let script = format!(
        "const done = arguments[0]; const call = async ([method, path, body]) => {{ \
         const headers = {{ authorization: 'Bearer {token}', ...(body ? {{ 'content-type': 'application/json' }} : {{}}) }}; \
         try {{ return (await fetch('{}' + path, {{ method, headers, body: body ? JSON.stringify(body) : undefined }})).status; }} catch {{ return 0; }} }}; \
         Promise.all({calls}.map(call)).then(done);",
        crm.requester.api
    );
    let answered = crm.browser.runs(&script).await;
    let wanted: Vec<_> = calls.as_array().unwrap().iter().map(|call| call[3].clone()).collect();
    assert_eq!(answered, Value::from(wanted), "{calls:#}");
    // Both requests are as they were.
    for id in [id, other] {
        assert_eq!(crm.requester.get(&format!("/v1/requests/{id}")).await["state"], "prompted");
    }
}
