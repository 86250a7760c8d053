//! The agents' desk and the customer's phone, as people use them, in a real browser.

mod accessibility;
mod chromedriver;
mod day;
mod deployed;
mod desk;
mod devices;
mod docs;
mod driver;
mod hosted_page;
mod keyboard;
mod operations;
mod page;
mod policy;
mod preview;
mod thread;
mod widget;

use std::time::Duration;

use embedded::SystemClock;
use ports::Clock;
use tests::process::Local;

use self::accessibility::assert_accessible;
use self::chromedriver::{Chromedriver, Screen};
use self::driver::Browser;
use crate::live::folder::Folder;
use crate::live::requester::Requester;

/// The customer's phone number.
const NUMBER: &str = "+15551230001";
/// The width of an ordinary phone, in pixels.
const WIDTH: u32 = 390;
/// The width of the narrowest phone, in pixels.
const NARROW: u32 = 320;

/// The digits of a session code, as the agent says them: 60 is "six, zero", and no 16.
const SAID: [&str; 10] =
    ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
/// The session code and the transaction code on the desk.
const DIGITS: &str = "assent-request >>> #digits";
const TRANSACTION: &str = "assent-request >>> #transaction";

/// Returns the selector of the desk's words for a state.
fn state(name: &str) -> String {
    format!("assent-request >>> #state[data-state={name}]")
}

/// An agent and a customer before one machine.
struct DeskAndPhone {
    case: String,
    agent: Browser,
    customer: Browser,
    _chromedriver: Chromedriver,
    _local: Local,
    requester: Requester,
    folder: Folder,
}

impl DeskAndPhone {
    async fn set(case: &str) -> Self {
        let folder = Folder::new();
        let local = Local::start(&folder.data(), 0, &[]).unwrap();
        let chromedriver = Chromedriver::start();
        let at = |name| folder.path().join(name);
        let agent = chromedriver.open(at("desk"), Screen::Desk, &local.desk).await;
        let customer = chromedriver.open(at("phone"), Screen::Phone(WIDTH), &local.phone).await;
        let (case, requester) = (case.to_owned(), Requester::new(&local));
        let (_chromedriver, _local) = (chromedriver, local);
        Self { case, agent, customer, _chromedriver, _local, requester, folder }
    }

    async fn asks_without_code(&self, amount: &str, channel: &str, minutes: &str) {
        self.agent.clicks("#ask").await;
        self.agent.types("#ask-phone", NUMBER).await;
        self.agent.types("#ask-amount", amount).await;
        self.agent.types("#ask-description", "Invoice 4711").await;
        self.agent.clicks("#ask-more").await;
        self.agent.types("#ask-minutes", minutes).await;
        self.agent.clicks(&format!("#ask-channel-list input[value={channel}]")).await;
        self.agent.clicks("#ask-send").await;
        self.agent.sees(&state("prompted"), "Waiting for the customer").await;
    }

    /// Asks over a channel as the agent, and reads the session code off the screen.
    async fn asks(&self, amount: &str, channel: &str, minutes: &str) -> String {
        self.asks_without_code(amount, channel, minutes).await;
        let code = self.agent.reads(DIGITS).await;
        assert_eq!(code.len(), 2, "{code}");
        let said: Vec<&str> = code.bytes().map(|digit| SAID[usize::from(digit - b'0')]).collect();
        assert_eq!(self.agent.reads("assent-request >>> #words").await, said.join(", "));
        code
    }

    /// Opens the link of the message in another tab, as the customer.
    async fn opens_the_link(&self) {
        self.customer.clicks(".message[data-channel=sms] a").await;
        self.customer.turns_to_tab(2).await;
        self.customer.sees("h1", "Demo Shop Ltd").await;
        self.customer.fits(WIDTH).await;
    }

    /// Asserts that the desk and the requester's endpoint report the outcome.
    async fn is_told(&self, end: &str, word: &str) {
        self.agent.sees(&state(end), word).await;
        let deadline = SystemClock.now().after(Duration::from_secs(20));
        loop {
            let webhooks = self.requester.get("/local/webhooks.json").await;
            let webhooks = webhooks.as_array().unwrap();
            assert!(webhooks.iter().all(|webhook| webhook["verified"] == true), "{webhooks:#?}");
            if webhooks.iter().any(|webhook| webhook["type"] == format!("request.{end}")) {
                return;
            }
            assert!(SystemClock.now() < deadline, "no request.{end} in {webhooks:#?}");
            SystemClock.wait(Duration::from_millis(100)).await;
        }
    }

    /// Asserts that agent and customer read the same transaction code.
    async fn is_paid(&self) {
        let reported = self.customer.reads(".receipt .code dd").await;
        self.is_told("fulfilled", "Paid").await;
        assert_eq!(self.agent.reads(TRANSACTION).await, reported);
    }

    /// Saves both screens, each of which breaks no rule of accessibility.
    async fn shots(&self, step: &str) {
        for (browser, screen) in [(&self.agent, "desk"), (&self.customer, "phone")] {
            let name = format!("{}-{step}-{screen}", self.case);
            browser.shot(&name).await;
            assert_accessible(browser, &name).await;
        }
    }

    async fn ends(self) {
        self.agent.closes().await;
        self.customer.closes().await;
    }
}

fn another(code: &str) -> String {
    format!(":not([value=\"{code}\"])")
}

#[tokio::test]
async fn approval_on_page_behind_link_is_fulfilled() {
    let scene = DeskAndPhone::set("approve-link").await;
    scene.shots("1-empty").await;
    let code = scene.asks("42.50", "sms", "5").await;
    scene.customer.sees(".message[data-channel=sms]", "Demo Shop Ltd").await;
    scene.shots("2-asked").await;
    scene.opens_the_link().await;
    scene.customer.picks(&format!("input[name=session_code][value=\"{code}\"]")).await;
    scene.shots("3-page").await;
    scene.customer.clicks("button[value=approve]").await;
    scene.is_paid().await;
    scene.shots("4-paid").await;
    scene.ends().await;
}

/// The session code is among the buttons of the message itself.
async fn approves_in_the_chat(channel: &str) {
    let scene = DeskAndPhone::set(&format!("approve-{channel}")).await;
    let code = scene.asks("42.50", channel, "5").await;
    let message = format!(".message[data-channel={channel}]");
    scene.customer.sees(&message, "Demo Shop Ltd").await;
    scene.customer.sees(&message, "Pick the number the agent reads to you").await;
    scene.customer.fits(WIDTH).await;
    scene.shots("1-asked").await;
    scene.customer.clicks(&format!("{message} [data-code=\"{code}\"]")).await;
    scene.customer.sees(".answered", "You tapped").await;
    scene.is_told("fulfilled", "Paid").await;
    assert_eq!(scene.agent.reads(TRANSACTION).await.len(), 9);
    scene.shots("2-paid").await;
    scene.ends().await;
}

#[tokio::test]
async fn approval_on_chat_card_is_fulfilled() {
    approves_in_the_chat("rcs").await;
}

#[tokio::test]
async fn approval_in_whatsapp_is_fulfilled() {
    approves_in_the_chat("whatsapp").await;
}

#[tokio::test]
async fn approval_by_quick_reply_is_fulfilled() {
    approves_in_the_chat("apple").await;
}

#[tokio::test]
async fn wallet_sheet_payment_is_fulfilled() {
    let scene = DeskAndPhone::set("wallet-sheet").await;
    let brand = scene.folder.data().join("brand.json");
    let mut secret: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(&brand).unwrap()).unwrap();
    secret["policy"]["session_code"] = serde_json::json!(false);
    std::fs::write(&brand, secret.to_string()).unwrap();
    scene.asks_without_code("42.50", "apple", "5").await;
    scene.customer.clicks(".message[data-channel=apple] .pay").await;
    scene.customer.sees(".sheet", "Demo Shop Ltd").await;
    scene.customer.sees(".sheet", "Payment of 42.50 EUR").await;
    scene.shots("1-sheet").await;
    scene.customer.clicks(".sheet .confirm").await;
    scene.is_told("fulfilled", "Paid").await;
    scene.shots("2-paid").await;
    scene.ends().await;
}

#[tokio::test]
async fn denial_on_page_is_denied() {
    let scene = DeskAndPhone::set("deny").await;
    scene.asks("42.50", "sms", "5").await;
    scene.opens_the_link().await;
    scene.customer.clicks("button[value=deny]").await;
    scene.customer.sees("[role=status] h1", "Declined").await;
    scene.is_told("denied", "Declined by the customer").await;
    scene.shots("1-denied").await;
    scene.ends().await;
}

/// A no stands beside the numbers of the message itself.
#[tokio::test]
async fn denial_in_the_chat_is_denied() {
    let scene = DeskAndPhone::set("deny-chat").await;
    scene.asks("42.50", "rcs", "5").await;
    scene.customer.clicks("[data-action=deny]").await;
    scene.is_told("denied", "Declined by the customer").await;
    scene.shots("1-denied").await;
    scene.ends().await;
}

#[tokio::test]
async fn wrong_session_code_ends_uncharged() {
    let scene = DeskAndPhone::set("wrong-code").await;
    let code = scene.asks("42.50", "sms", "5").await;
    scene.opens_the_link().await;
    scene.customer.picks(&format!("input[name=session_code]{}", another(&code))).await;
    scene.customer.clicks("button[value=approve]").await;
    scene.customer.sees(".mark.bad + [role=status] h1", "").await;
    scene.is_told("denied", "A number was picked that you did not read out").await;
    scene.shots("1-denied").await;
    scene.ends().await;
}

#[tokio::test]
async fn deadline_expires_on_both_screens() {
    let scene = DeskAndPhone::set("expiry").await;
    scene.asks("42.50", "sms", "0.14").await;
    scene.opens_the_link().await;
    scene.shots("1-page").await;
    // The page reloads by itself when its answer could no longer count.
    scene.customer.sees(".mark.over + [role=status] h1", "").await;
    scene.is_told("expired", "Expired").await;
    scene.shots("2-expired").await;
    scene.ends().await;
}

#[tokio::test]
async fn declined_card_replaced_is_fulfilled() {
    let scene = DeskAndPhone::set("another-card").await;
    let code = scene.asks("42.50", "sms", "5").await;
    scene.opens_the_link().await;
    let picks_code = format!("input[name=session_code][value=\"{code}\"]");
    scene.customer.picks(&picks_code).await;
    scene.customer.picks("#card option[value=pm_card_chargeDeclined]").await;
    scene.customer.clicks("button[value=approve]").await;
    scene.customer.sees(".refused", "").await;
    let refused = "Card refused. Ask for another card.";
    scene.agent.sees(&state("prompted"), refused).await;
    assert_eq!(scene.agent.reads(DIGITS).await, code);
    scene.shots("1-refused").await;
    scene.customer.picks(&picks_code).await;
    scene.customer.picks("#card option[value=pm_card_visa]").await;
    scene.customer.clicks("button[value=approve]").await;
    scene.is_paid().await;
    scene.shots("2-paid").await;
    scene.ends().await;
}

#[tokio::test]
async fn declined_amount_retried_is_fulfilled() {
    let scene = DeskAndPhone::set("amount-declines").await;
    let code = scene.asks("42.02", "rcs", "5").await;
    for (step, shown, text) in
        [("1-refused", state("prompted"), "Card refused"), ("2-paid", state("fulfilled"), "Paid")]
    {
        scene.customer.clicks(&format!("[data-code=\"{code}\"]")).await;
        scene.agent.sees(&shown, text).await;
        scene.shots(step).await;
    }
    scene.is_told("fulfilled", "Paid").await;
    scene.ends().await;
}

/// Walks through the page of a narrow phone without scripts, from the link to the end.
async fn without_scripts(case: &str, button: &str, end: &str) {
    let folder = Folder::new();
    let local = Local::start(&folder.data(), 0, &[]).unwrap();
    let chromedriver = Chromedriver::start();
    let screen = Screen::PhoneWithoutScripts(NARROW);
    let customer = chromedriver.open(folder.path().join("phone"), screen, &local.phone).await;
    assert!(customer.has("noscript p").await, "scripts run");
    let requester = Requester::new(&local);
    let ask = serde_json::json!({
        "customer": { "phone": NUMBER, "language": "de" }, "channels": ["sms"],
        "session": { "kind": "voice", "id": "narrow" },
        "ask": {
            "kind": "payment", "amount": 87_654_321, "currency": "EUR",
            "description": "Donaudampfschifffahrtsgesellschaftskapitänsmützenversicherung 2026",
        },
    });
    let request = requester.ask(&ask, case).await;
    let id = request["id"].as_str().unwrap();
    let request = requester.until(id, |request| request["state"] == "prompted").await;
    let message = requester.message(NUMBER, id).await.unwrap();
    customer.goes(message["link"].as_str().unwrap()).await;
    customer.fits(NARROW).await;
    let code = request["session_code"].as_str().unwrap();
    customer.presses(&format!("input[name=session_code][value=\"{code}\"]")).await;
    customer.shot(&format!("{case}-1-page")).await;
    if button == "approve" {
        // Enter in the form approves, and never denies.
        customer.enters(&format!("input[name=session_code][value=\"{code}\"]")).await;
    } else {
        customer.presses(&format!("button[value={button}]")).await;
    }
    customer.sees("[role=status] h1", "").await;
    let request = requester.until(id, |request| !request["outcome"].is_null()).await;
    assert_eq!(request["outcome"]["kind"], end, "{request:#}");
    if let Some(code) = request["outcome"]["transaction_code"].as_str() {
        customer.sees(".receipt .code dd", code).await;
    }
    customer.fits(NARROW).await;
    customer.shot(&format!("{case}-2-end")).await;
    customer.closes().await;
}

#[tokio::test]
async fn approval_on_narrow_phone_without_scripts_counts() {
    without_scripts("no-script-approve", "approve", "fulfilled").await;
}

/// The report is a link to a page of its own, which says what happens and what to do.
#[tokio::test]
async fn not_me_on_the_page_is_confirmed_and_denied() {
    let scene = DeskAndPhone::set("not-me-link").await;
    scene.asks("42.50", "sms", "5").await;
    scene.opens_the_link().await;
    scene.customer.clicks("a[href$='?not_me=1']").await;
    scene.customer.sees("h1", "Is this not you?").await;
    scene.customer.fits(WIDTH).await;
    scene.shots("1-question").await;
    scene.customer.clicks("button[value=not_me]").await;
    scene.is_told("denied", "This number reported a request.").await;
    scene.shots("2-denied").await;
    scene.ends().await;
}

#[tokio::test]
async fn denial_on_narrow_phone_without_scripts_counts() {
    without_scripts("no-script-decline", "deny", "denied").await;
}
