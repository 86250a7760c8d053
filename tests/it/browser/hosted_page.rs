//! Customers who leave the consent page for a page of the sandbox: its processor's checkout and its OpenID provider.

use tests::process::Local;

use super::accessibility::assert_accessible;
use super::chromedriver::{Chromedriver, Screen};
use super::driver::Browser;
use super::{NUMBER, WIDTH};
use crate::live::folder::Folder;
use crate::live::requester::Requester;

/// A customer who left the consent page for a page of the sandbox, on a machine of its own.
struct HostedPageVisit {
    customer: Browser,
    requester: Requester,
    request: serde_json::Value,
    _chromedriver: Chromedriver,
    _local: Local,
    _folder: Folder,
}

impl HostedPageVisit {
    /// Asks by text, opens the link, and approves on the page.
    async fn go(ask: serde_json::Value, case: &str) -> Self {
        let folder = Folder::new();
        let local = Local::start(&folder.data(), 0, &[]).unwrap();
        let chromedriver = Chromedriver::start();
        let at = folder.path().join("phone");
        let customer = chromedriver.open(at, Screen::Phone(WIDTH), &local.phone).await;
        let requester = Requester::new(&local);
        let body = serde_json::json!({
            "customer": { "phone": NUMBER }, "channels": ["sms"],
            "session": { "kind": "voice", "id": case }, "ask": ask,
        });
        let request = requester.ask(&body, case).await;
        let id = request["id"].as_str().unwrap();
        let request = requester.until(id, |request| request["state"] == "prompted").await;
        let message = requester.message(NUMBER, id).await.unwrap();
        customer.goes(message["link"].as_str().unwrap()).await;
        let code = request["session_code"].as_str().unwrap();
        customer.picks(&format!("input[name=session_code][value=\"{code}\"]")).await;
        customer.clicks("button[value=approve_hosted]").await;
        let (_chromedriver, _local, _folder) = (chromedriver, local, folder);
        Self { customer, requester, request, _chromedriver, _local, _folder }
    }

    /// Taps a button there, comes back, and returns the request once it has ended.
    async fn answers(self, button: &str) -> serde_json::Value {
        self.customer.fits(WIDTH).await;
        assert_accessible(&self.customer, &format!("away-{button}")).await;
        self.customer.clicks(&format!("button[value={button}]")).await;
        self.customer.sees("[role=status] h1", "").await;
        let id = self.request["id"].as_str().unwrap();
        let ended = self.requester.until(id, |request| !request["outcome"].is_null()).await;
        self.customer.closes().await;
        assert_eq!(ended["state"], "fulfilled", "{ended:#}");
        ended
    }
}

#[tokio::test]
async fn identity_ask_is_fulfilled_out_of_the_box() {
    let claims = ["given_name", "address"];
    let ask = serde_json::json!({ "kind": "identity", "claims": claims, "description": "Opening an account" });
    let away = HostedPageVisit::go(ask, "identity").await;
    away.customer.sees("main p", "To be shared: given_name, phone_number").await;
    away.customer.shot("identity-provider").await;
    let ended = away.answers("grace").await;
    let claims = &ended["outcome"]["identity"]["claims"];
    assert_eq!(
        (&claims["given_name"], &claims["address"]["country"]),
        (&"Grace".into(), &"GB".into())
    );
}

#[tokio::test]
async fn card_on_the_sandboxs_hosted_page_is_charged() {
    let ask = serde_json::json!({
        "kind": "payment", "amount": 4250, "currency": "EUR", "description": "Invoice 4711",
    });
    let away = HostedPageVisit::go(ask, "hosted").await;
    away.customer.sees("h1", "42.50 EUR").await;
    let ended = away.answers("pm_card_mastercard").await;
    assert_eq!(ended["outcome"]["payment"]["card_brand"], "mastercard");
}
