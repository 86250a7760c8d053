//! The consent page in a real browser: every stage, every payment option, wallets among them.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use tests::world::fake_processor::CODE;
use tests::world::{CreatedRequest, PHONE, World};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use super::accessibility::assert_accessible;
use super::chromedriver::{Chromedriver, Screen};
use super::driver::Browser;
use super::{NARROW, WIDTH};
use crate::live::folder::Folder;

/// Both wallets as far as a page sees them: Apple's browser API and Google's script.
const WALLETS: &str = r#"
window.ApplePaySession = class {
  static STATUS_SUCCESS = 0;
  static STATUS_FAILURE = 1;
  static canMakePayments() { return true; }
  constructor(version, request) { this.request = request; }
  begin() { setTimeout(() => this.onvalidatemerchant({}), 0); }
  completeMerchantValidation(session) {
    const fits = session.domainName === "pay.example.com" && this.request.total.amount === "42.50";
    if (fits) this.onpaymentauthorized({ payment: { token: { transactionIdentifier: "f4ke-wallet" } } });
  }
  completePayment(result) { sessionStorage.setItem("sheet", String(result.status)); }
  abort() { sessionStorage.setItem("sheet", "aborted"); }
};
window.google = { payments: { api: { PaymentsClient: class {
  constructor(options) { this.options = options; }
  createButton(options) {
    const style = document.createElement("style");
    style.nonce = this.options.nonce;
    style.textContent = `.gpay { width: 100%; height: 100%; border-radius: ${options.buttonRadius}px;
      background: ${options.buttonColor} }`;
    document.head.appendChild(style);
    const button = document.createElement("button");
    button.className = "gpay";
    button.ariaLabel = "Google Pay";
    button.onclick = options.onClick;
    const place = document.createElement("div");
    place.append(button);
    return place;
  }
  isReadyToPay(base) { return Promise.resolve({ result: base.apiVersion === 2 }); }
  loadPaymentData(request) {
    const fits = request.transactionInfo.totalPrice === "42.50";
    const data = { paymentMethodData: { tokenizationData: { token: "f4ke-wallet" } } };
    return fits ? Promise.resolve(data) : Promise.reject({ statusCode: "DEVELOPER_ERROR" });
  }
} } } };
HTMLHeadElement.prototype.append = (script) => setTimeout(() => script.onload(), 0);
"#;

/// A logo of plain shapes, and a colour each for light and dark.
fn branding() -> serde_json::Value {
    let logo = r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 24"><rect width="24" height="24" rx="6" fill="#036"/><circle cx="12" cy="12" r="6" fill="#fff"/><path d="M30 6h30v4h-30zM30 14h20v4h-20z" fill="#036"/></svg>"##;
    json!({
        "logo": format!("data:image/svg+xml;base64,{}", STANDARD.encode(logo)),
        "accent": { "light": "#003366", "dark": "#6fa8ff" },
        "support_phone": "+4930123456", "support_url": "https://help.demo.example/pay",
        "terms_url": "https://demo.example/terms", "privacy_url": "https://demo.example/privacy",
        "statement_descriptor": "DEMO BOOKS",
    })
}

/// A world whose pages a real browser can open.
struct PageFixture {
    world: World,
    runtime: Runtime,
    base: String,
    chromedriver: Chromedriver,
    folder: Folder,
}

impl PageFixture {
    fn set(payment_options: &[&str]) -> Self {
        let policy = json!({
            "open_max": 9, "prompts_per_ten_minutes": 99, "cooldown_seconds": 0, "denials_per_ten_minutes": 9,
        });
        let world = World::builder()
            .with_fake_processor(payment_options)
            .with("/policy", &policy)
            .with("/branding", &branding())
            .build();
        let runtime = Runtime::new().unwrap();
        let router = consent_callback::router(Arc::clone(&world.machine.consent_callback));
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        runtime.spawn(async move { axum::serve(listener, router).await });
        let chromedriver = Chromedriver::start();
        Self { world, runtime, base, chromedriver, folder: Folder::new() }
    }

    fn asks(&self, ask: &serde_json::Value, language: &str) -> (CreatedRequest, String) {
        let mut body = self.world.payment(PHONE, 4250);
        if !ask.is_null() {
            body["ask"] = ask.clone();
        }
        body["customer"]["language"] = json!(language);
        let asked = self.world.asks_for(&body);
        (asked, self.world.customer().newest().page)
    }

    fn opens(&self, name: &str, screen: Screen, url: &str) -> Browser {
        let folder = self.folder.path().join(name);
        self.runtime.block_on(self.chromedriver.open(folder, screen, url))
    }

    /// Opens the narrowest phone and a desktop.
    fn screens(&self) -> Screens<'_> {
        let open = |name, screen| self.opens(name, screen, "about:blank");
        let narrow = open("narrow", Screen::Phone(NARROW));
        Screens { fixture: self, narrow, wide: open("wide", Screen::Desk) }
    }
}

/// A phone and a desktop on which pages are shown one after another, each as to a new customer.
struct Screens<'a> {
    fixture: &'a PageFixture,
    narrow: Browser,
    wide: Browser,
}

impl Screens<'_> {
    /// Asserts that the page fits both screens.
    fn show(&self, name: &str, page: &str) {
        let url = format!("{}{page}", self.fixture.base);
        for (width, browser) in [("narrow", &self.narrow), ("wide", &self.wide)] {
            let name = format!("page-{name}-{width}");
            self.fixture.runtime.block_on(async {
                browser.goes(&url).await;
                browser.sees("h1", "").await;
                browser.shot(&name).await;
                if width == "narrow" {
                    browser.fits(NARROW).await;
                    assert_accessible(browser, &name).await;
                }
                browser.forgets().await;
                browser.goes("about:blank").await;
            });
        }
    }

    fn close(self) {
        self.fixture.runtime.block_on(async {
            self.narrow.closes().await;
            self.wide.closes().await;
        });
    }
}

fn code(asked: &CreatedRequest) -> String {
    let code = asked.answer["session_code"].as_str().unwrap();
    format!("input[name=session_code][value=\"{code}\"]")
}

/// The form of an approval for the hosted page.
fn approval(asked: &CreatedRequest) -> [(&'static str, &str); 2] {
    let code = asked.answer["session_code"].as_str().unwrap();
    [("action", "approve_hosted"), ("session_code", code)]
}

/// The pages are in the language with the longest words.
#[test]
fn every_stage_fits_narrow_phone_and_desktop() {
    let stage = PageFixture::set(&["nothing", "hosted"]);
    let screens = stage.screens();
    let (asked, page) = stage.asks(&serde_json::Value::Null, "de");
    screens.show("card-entry", &page);
    let yes = approval(&asked);
    stage.world.customer().answers_on(&page, &yes).ok(303);
    screens.show("back", &page);
    screens.show("done", &format!("{page}?done=1"));
    stage.world.customer().answers_on(&page, &[("action", "back")]).ok(303);
    screens.show("left", &page);
    let who =
        json!({ "kind": "identity", "claims": domain::ask::CLAIMS, "description": "Vertrag" });
    let (asked, page) = stage.asks(&who, "de");
    screens.show("facts", &page);
    let yes = approval(&asked);
    stage.world.customer().answers_on(&page, &yes).ok(303);
    stage.world.fake_processor().will_return([ports::Confirmed::SoftDeclined { code: "no" }]);
    stage.world.comes_back(&asked, 1, Some(CODE)).ok(303);
    screens.show("facts-refused", &page);
    let keep = json!({ "kind": "payment_method", "description": "Vertrag" });
    stage.world.time_passes(1);
    let (asked, page) = stage.asks(&keep, "de");
    screens.show("keep", &page);
    let yes = approval(&asked);
    stage.world.customer().answers_on(&page, &yes).ok(303);
    stage.world.fake_processor().customer_is_done(&asked, 1);
    stage.world.customer().opens(&format!("{page}?done=1")).ok(200);
    stage.world.time_passes(5);
    screens.show("kept", &page);
    let card = stage.world.reads(&asked)["outcome"]["payment_method"]["id"].clone();
    let pay = json!({ "kind": "payment", "amount": 4250, "currency": "EUR", "description": "Strom", "payment_method": card });
    let (_, page) = stage.asks(&pay, "de");
    screens.show("card-on-file", &page);
    screens.close();
    stage.world.leaves();
}

/// A machine without a font for a script draws boxes, which take as much room.
#[test]
fn ask_fits_in_scripts_of_both_directions() {
    let stage = PageFixture::set(&["nothing", "hosted"]);
    let screens = stage.screens();
    for language in ["ar-EG", "he", "ja", "hi"] {
        let (_, page) = stage.asks(&json!(null), language);
        screens.show(&format!("ask-{language}"), &page);
    }
    screens.close();
    stage.world.leaves();
}

#[test]
fn every_end_fits_narrow_phone_and_desktop() {
    let stage = PageFixture::set(&["nothing", "hosted"]);
    let screens = stage.screens();
    let (asked, page) = stage.asks(&serde_json::Value::Null, "de");
    screens.show("not-me", &format!("{page}?not_me=1"));
    stage.world.customer().answers_on(&page, &[("action", "deny")]).ok(303);
    screens.show("denied", &page);
    assert_eq!(stage.world.state(&asked), "denied");
    stage.world.time_passes(1);
    let (asked, page) = stage.asks(&serde_json::Value::Null, "de");
    stage.world.acts(&asked, "resend", &json!({})).ok(200);
    screens.show("used", &page);
    stage.world.acts(&asked, "cancel", &json!({})).ok(200);
    screens.show("cancelled", &page);
    let (asked, page) = stage.asks(&serde_json::Value::Null, "de");
    let right = asked.answer["session_code"].as_str().unwrap();
    let wrong =
        [("action", "approve_hosted"), ("session_code", if right == "11" { "12" } else { "11" })];
    stage.world.customer().answers_on(&page, &wrong).ok(303);
    screens.show("wrong-code", &page);
    let (asked, page) = stage.asks(&serde_json::Value::Null, "de");
    stage.world.customer().answers_on(&page, &approval(&asked)).ok(303);
    stage.world.fake_processor().customer_is_done(&asked, 1);
    stage.world.customer().opens(&format!("{page}?done=1")).ok(200);
    stage.world.time_passes(5);
    screens.show("paid", &page);
    let (asked, page) = stage.asks(&serde_json::Value::Null, "de");
    stage.world.time_passes(301);
    screens.show("expired", &page);
    assert_eq!(stage.world.state(&asked), "expired");
    screens.close();
    stage.world.leaves();
}

#[test]
fn wallet_buttons_appear_where_the_browser_has_wallets() {
    let stage = PageFixture::set(&["google_pay", "apple_pay", "hosted"]);
    for (wallet, kind) in [("apple_pay", "ApplePay"), ("google_pay", "GooglePay")] {
        let (asked, page) = stage.asks(&serde_json::Value::Null, "en");
        let browser = stage.opens(wallet, Screen::Phone(WIDTH), "about:blank");
        let button = format!("[data-wallet={wallet}]");
        stage.runtime.block_on(async {
            browser.has_more(WALLETS).await;
            browser.goes(&format!("{}{page}", stage.base)).await;
            browser.sees("[data-wallet=google_pay] [aria-label='Google Pay']", "").await;
            browser.sees("[data-wallet=apple_pay]", "Apple Pay").await;
            browser.shot(&format!("page-wallets-{wallet}")).await;
            browser.fits(WIDTH).await;
            // Without the session code the wallet does not open.
            browser.clicks(&button).await;
            browser.picks(&code(&asked)).await;
            browser.clicks(&button).await;
            browser.sees("h1", "One moment").await;
        });
        stage.world.run_until_idle();
        stage.runtime.block_on(async {
            browser.sees("h1", "Paid").await;
            browser.closes().await;
        });
        let used = format!("Confirm 1 {kind}");
        assert_eq!(
            stage.world.fake_processor().calls().iter().filter(|call| **call == used).count(),
            1
        );
        assert_eq!(stage.world.reads(&asked)["outcome"]["payment"]["wallet"], wallet);
        stage.world.time_passes(1);
    }
    let routes = stage.world.post(
        "/v1/capabilities",
        &json!({
            "customer": { "phone": PHONE },
            "ask": { "kind": "payment", "amount": 1, "currency": "EUR", "description": "x" },
        }),
    );
    let wallets = routes.ok(200).json()["routes"][0]["wallets"].clone();
    assert_eq!(wallets, json!(["apple_pay", "google_pay"]));

    let (_, page) = stage.asks(&serde_json::Value::Null, "en");
    let none =
        stage.opens("none", Screen::PhoneWithoutScripts(NARROW), &format!("{}{page}", stage.base));
    stage.runtime.block_on(async {
        none.sees("button[value=approve_hosted]", "Continue to card entry").await;
        assert!(!none.shows("[data-wallet]").await);
        none.fits(NARROW).await;
        none.closes().await;
    });
    stage.world.leaves();
}
