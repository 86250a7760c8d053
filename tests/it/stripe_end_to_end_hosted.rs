//! Whole requests with a redirect to the hosted page of a third-party stand-in, through a breaking proxy.
//!
//! Payments are counted in the stand-in.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use ports::{Http, Reach};
use serde_json::{Value, json};
use tests::process::Local;
use tests::proxy::{Call, Proxy, ProxyFault};

use crate::live::folder::Folder;
use crate::live::requester::Requester;
use crate::stripe::{FAULTS, emulate, localstripe};

/// The longest time for a page.
const POLL_INTERVAL: Duration = Duration::from_secs(20);

/// A machine that charges through a proxy, and a browser.
struct Fixture {
    proxy: Proxy,
    requester: Requester,
    browser: Arc<dyn Http>,
    _local: Local,
    _folder: Folder,
}

/// A request and its customer's page.
struct CreatedRequest {
    id: String,
    code: String,
    page: String,
}

impl Fixture {
    async fn open() -> Self {
        let browser: Arc<dyn Http> = Arc::new(https::Client::new().unwrap());
        let stripe = (localstripe(), emulate());
        let proxy = Proxy::with_checkout(&stripe.0, &stripe.1, Arc::clone(&browser)).await.unwrap();
        let folder = Folder::new();
        let local = Local::start(&folder.data(), 0, &["--stripe", &proxy.url()]).unwrap();
        let requester = Requester::new(&local);
        Self { proxy, requester, browser, _local: local, _folder: folder }
    }

    async fn asks(&self, number: usize) -> CreatedRequest {
        let phone = format!("+1555300{number:04}");
        let ask = json!({
            "customer": { "phone": phone }, "session": { "kind": "voice", "id": "hosted" },
            "ask": { "kind": "payment", "amount": 4250, "currency": "EUR", "description": "Invoice" },
        });
        let request = self.requester.ask(&ask, &format!("hosted-{number}")).await;
        let id = request["id"].as_str().unwrap().to_owned();
        let request = self.requester.until(&id, |request| request["state"] == "prompted").await;
        let message = self.requester.message(&phone, &id).await.unwrap();
        let code = request["session_code"].as_str().unwrap_or_default().to_owned();
        CreatedRequest { id, code, page: message["link"].as_str().unwrap().to_owned() }
    }

    async fn browses(&self, url: &str, form: Option<&str>) -> (u16, String) {
        let request = match form {
            None => http::Request::get(url),
            Some(_) => {
                http::Request::post(url).header("content-type", "application/x-www-form-urlencoded")
            }
        };
        let body = Bytes::from(form.unwrap_or_default().to_owned());
        let request = request.header("user-agent", "Mozilla/5.0").body(body).unwrap();
        let answer = self.browser.call(request, Reach::Configured, POLL_INTERVAL).await.unwrap();
        (answer.status().as_u16(), String::from_utf8_lossy(answer.body()).into_owned())
    }

    /// Presses a button of our page, as the customer.
    async fn presses(&self, asked: &CreatedRequest, action: &str) {
        let (_, html) = self.browses(&asked.page, None).await;
        let nonce =
            html.split_once("name=\"nonce\" value=\"").unwrap().1.split('"').next().unwrap();
        let code = &asked.code;
        let form = format!("nonce={nonce}&action={action}&session_code={code}&card=pm_card_visa");
        assert_eq!(self.browses(&asked.page, Some(&form)).await.0, 303);
    }

    /// Returns the address to which our page redirects.
    async fn redirect(&self, asked: &CreatedRequest) -> String {
        self.requester
            .until(&asked.id, |request| {
                let facts = request["timeline"].as_array().unwrap();
                facts.iter().any(|fact| fact["what"] == "redirected")
            })
            .await;
        let (_, html) = self.browses(&asked.page, None).await;
        let link = html.split_once("class=\"hosted-page\" href=\"").unwrap().1;
        link.split('"').next().unwrap().to_owned()
    }

    async fn pays(&self, page: &str) -> u16 {
        self.browses(&format!("{page}/complete"), Some("")).await.0
    }

    async fn ends(&self, asked: &CreatedRequest) -> Value {
        // The customer's return triggers the look-up at once.
        self.browses(&format!("{}?done=1", asked.page), None).await;
        let request = self.requester.until(&asked.id, |request| !request["outcome"].is_null());
        request.await["outcome"].clone()
    }
}

#[tokio::test]
async fn hosted_page_charges_once_despite_any_fault() {
    let fixture = Fixture::open().await;
    for call in [Call::Session, Call::SessionRead] {
        for fault in FAULTS.into_iter().filter(|fault| *fault != ProxyFault::FailedAfter) {
            fixture.proxy.plan(call, fault);
        }
    }
    let mut all = Vec::new();
    for number in 0..FAULTS.len() {
        let asked = fixture.asks(number).await;
        fixture.presses(&asked, "approve_hosted").await;
        all.push(asked);
    }
    for asked in &all {
        let page = fixture.redirect(asked).await;
        assert_eq!(fixture.pays(&page).await, 302);
    }
    for asked in &all {
        let outcome = fixture.ends(asked).await;
        assert_eq!(outcome["kind"], "fulfilled", "{outcome:#}");
        assert_eq!(outcome["payment"]["amount"], 4250, "{outcome:#}");
        assert!(outcome["reference"].as_str().unwrap().starts_with("pi_"), "{outcome:#}");
    }
    assert!(fixture.proxy.is_played(), "not every fault happened");
    assert_eq!(fixture.proxy.charges().await.unwrap(), all.len());
}

#[tokio::test]
async fn other_payment_option_closes_the_hosted_page() {
    let fixture = Fixture::open().await;
    let asked = fixture.asks(100).await;
    fixture.presses(&asked, "approve_hosted").await;
    let page = fixture.redirect(&asked).await;
    fixture.proxy.plan(Call::SessionExpire, ProxyFault::DropAfter);
    fixture.presses(&asked, "back").await;
    let again = |request: &Value| request["state"] == "prompted";
    fixture.requester.until(&asked.id, again).await;
    fixture.presses(&asked, "approve").await;
    let outcome = fixture.ends(&asked).await;
    assert_eq!(outcome["kind"], "fulfilled", "{outcome:#}");
    assert!(fixture.proxy.is_played());
    fixture.pays(&page).await;
    assert_eq!(fixture.proxy.charges().await.unwrap(), 1);
}
