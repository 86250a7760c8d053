//! A day at the desk: thirty calls by keyboard alone, over each kind of ask and each end.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tests::process::Local;
use thirtyfour::Key;

use super::accessibility::assert_accessible;
use super::chromedriver::{Chromedriver, Screen};
use super::driver::Browser;
use super::{DIGITS, TRANSACTION, WIDTH, state};
use crate::live::folder::Folder;
use crate::live::requester::Requester;

/// The kinds of ask, as the drawer lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ask {
    Payment(&'static str, &'static str),
    SavedCard(&'static str),
    CardToKeep,
    Identity,
}

/// The ends of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    Paid,
    InDoubt,
    RefusedThenPaid,
    Refused,
    RefundedInPart,
    RefundedWhole,
    Denied,
    NotMe,
    WrongCode,
    Expired,
    Cancelled,
    Undeliverable,
    GivenMoreTime,
    SentAgain,
    HostedPage,
    LeftOpen,
    AskedTwice,
    CardKept,
    ClaimsReleased,
}

const fn payment(amount: &'static str) -> Ask {
    Ask::Payment(amount, "EUR")
}

/// The thirty calls: what is asked, the last digits of the number, and the end. Numbers in `9001` take texts alone.
const CALLS: [(Ask, &str, End); 30] = [
    (payment("42.50"), "2010", End::Paid),
    (Ask::Payment("1000", "JPY"), "2011", End::Paid),
    (Ask::Payment("1.250", "KWD"), "2012", End::Paid),
    (Ask::CardToKeep, "2013", End::CardKept),
    (Ask::SavedCard("12.00"), "2013", End::Paid),
    (Ask::Identity, "9001", End::ClaimsReleased),
    (payment("50.00"), "2014", End::RefundedInPart),
    (payment("60.00"), "2015", End::RefundedWhole),
    (payment("42.00"), "2016", End::RefusedThenPaid),
    (payment("42.05"), "2017", End::InDoubt),
    (payment("42.03"), "2018", End::Refused),
    (payment("13.00"), "2019", End::Denied),
    (payment("15.00"), "2021", End::WrongCode),
    (payment("16.00"), "2022", End::Expired),
    (payment("17.00"), "2023", End::Cancelled),
    (payment("18.00"), "9003", End::Undeliverable),
    (payment("19.00"), "2024", End::GivenMoreTime),
    (payment("20.00"), "2025", End::SentAgain),
    (payment("21.00"), "9001", End::HostedPage),
    (payment("22.00"), "2026", End::LeftOpen),
    (payment("23.00"), "2027", End::AskedTwice),
    (payment("42.04"), "2028", End::Paid),
    (Ask::CardToKeep, "2029", End::Denied),
    (Ask::CardToKeep, "2030", End::Cancelled),
    (Ask::SavedCard("0.50"), "2013", End::Denied),
    (Ask::Identity, "2031", End::Denied),
    (Ask::Identity, "2032", End::Cancelled),
    (Ask::Payment("1,234.56", "USD"), "2033", End::Paid),
    (payment("99999.00"), "2034", End::RefusedThenPaid),
    (payment("14.00"), "9001", End::NotMe),
];

/// An agent with a keyboard, and the customers who call.
struct Day {
    agent: Browser,
    customer: Browser,
    requester: Requester,
    checked: BTreeSet<End>,
    _chromedriver: Chromedriver,
    _local: Local,
    _folder: Folder,
}

impl Day {
    async fn begin() -> Self {
        let folder = Folder::new();
        let local = Local::start(&folder.data(), 0, &[]).unwrap();
        // A number that reported a request is left alone for a day, as in a real brand.
        let path = folder.data().join("brand.json");
        let mut brand: Value =
            serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        brand["policy"]["report_cooldown_seconds"] = json!(86_400);
        std::fs::write(&path, brand.to_string()).unwrap();
        let chromedriver = Chromedriver::start();
        let at = |name| folder.path().join(name);
        let agent = chromedriver.open(at("desk"), Screen::Desk, &local.desk).await;
        let customer = chromedriver.open(at("phone"), Screen::Phone(WIDTH), "about:blank").await;
        let requester = Requester::new(&local);
        let (_chromedriver, _local, _folder) = (chromedriver, local, folder);
        let checked = BTreeSet::new();
        Self { agent, customer, requester, checked, _chromedriver, _local, _folder }
    }

    /// Fills in the drawer and sends it. Returns the request that the desk then shows.
    async fn asks(&self, ask: Ask, number: &str, end: End) -> Value {
        self.agent.shortcut('a').await;
        self.agent.sees("#form-dialog[open] #ask-phone", "").await;
        self.agent.tabs_until("#ask-phone").await;
        self.agent.keys(number.trim_start_matches("+1")).await;
        let (downs, amount) = match ask {
            Ask::Payment(amount, currency) => (0, Some((amount, currency))),
            Ask::SavedCard(amount) => (1, Some((amount, "EUR"))),
            Ask::CardToKeep => (2, None),
            Ask::Identity => (3, None),
        };
        self.agent.tabs_until("input[name=kind]").await;
        for _ in 0..downs {
            self.agent.keys(Key::Down).await;
        }
        if let Some((amount, currency)) = amount {
            self.agent.tabs_until("#ask-amount").await;
            self.agent.keys(amount).await;
            self.agent.tabs_until("#ask-currency").await;
            self.agent.keys(currency).await;
            self.agent.sees("#ask-reading", currency).await;
        }
        if matches!(ask, Ask::SavedCard(_)) {
            self.agent.sees("#ask-card-list label", "Visa •••• 4242").await;
        }
        self.agent.tabs_until("#ask-description").await;
        self.agent.keys(description(number)).await;
        if end == End::Expired {
            self.agent.tabs_until("#ask-more").await;
            self.agent.keys(Key::Enter).await;
            self.agent.tabs_until("#ask-minutes").await;
            self.agent.keys("0.1").await;
        }
        self.agent.keys(Key::Enter).await;
        let shown = self.agent.sees("main .facts", &description(number)).await;
        let text = shown.text().await.unwrap();
        let id = text.split_whitespace().find(|word| word.starts_with("req_")).unwrap();
        self.requester.until(id, |request| request["state"] != "pending").await
    }

    /// The customer taps in the message on the phone.
    async fn taps(&self, number: &str, request: &Value, tap: Value) {
        let message =
            self.requester.message(number, request["id"].as_str().unwrap()).await.unwrap();
        let answer = self.requester.tap(number, message["id"].as_str().unwrap(), &tap).await;
        assert_eq!(answer.map(|answer| answer.0), Some(200), "{request:#}");
    }

    async fn approves(&self, number: &str, request: &Value, card: &str) {
        let mut tap = json!({ "action": "approve", "session_code": request["session_code"] });
        // A saved card is the one that is charged.
        if request["ask"]["payment_method"].is_null() {
            tap["card"] = json!(card);
        }
        self.taps(number, request, tap).await;
    }

    /// The customer opens the link, and leaves for the processor's or the identity provider's page.
    async fn leaves_for_the_page(&self, number: &str, request: &Value) {
        let message =
            self.requester.message(number, request["id"].as_str().unwrap()).await.unwrap();
        self.customer.goes(message["link"].as_str().unwrap()).await;
        if let Some(code) = request["session_code"].as_str() {
            self.customer.picks(&format!("input[name=session_code][value=\"{code}\"]")).await;
        }
        self.customer.clicks("button[value=approve_hosted]").await;
    }

    /// Plays the customer's part and the agent's, up to the words that the desk ends with.
    async fn ends(&self, number: &str, request: &Value, end: End) {
        let visa = "pm_card_visa";
        match end {
            End::Paid | End::InDoubt => {
                self.approves(number, request, visa).await;
                let sentence = if end == End::InDoubt { "In doubt at " } else { "Paid" };
                self.agent.sees(&state("fulfilled"), sentence).await;
            }
            End::RefusedThenPaid => self.is_refused_first(number, request).await,
            End::Refused => {
                self.approves(number, request, visa).await;
                self.agent.sees(&state("failed"), "Nothing was charged.").await;
            }
            End::RefundedInPart => self.refunds(number, request, "5").await,
            End::RefundedWhole => self.refunds(number, request, "60").await,
            End::Denied => {
                self.taps(number, request, json!({ "action": "deny" })).await;
                self.agent.sees(&state("denied"), "Declined by the customer").await;
            }
            End::NotMe => self.is_reported(number, request).await,
            End::WrongCode => self.approves_with_another_code(number, request).await,
            End::Expired => {
                self.agent.sees(&state("expired"), "Expired").await;
            }
            End::Cancelled => {
                self.agent.shortcut('c').await;
                self.agent.sees(&state("cancelled"), "Cancelled").await;
            }
            End::Undeliverable => {
                self.agent.sees(&state("undeliverable"), "Not delivered").await;
            }
            End::GivenMoreTime => self.gives_more_time(number, request).await,
            End::SentAgain => self.sends_again(number, request).await,
            End::HostedPage => self.pays_on_the_hosted_page(number, request).await,
            End::LeftOpen => {
                self.agent.sees(&state("prompted"), "Waiting for the customer").await;
            }
            End::AskedTwice => self.is_asked_twice(number, request).await,
            End::CardKept => {
                self.approves(number, request, visa).await;
                self.agent.sees(&state("fulfilled"), "Card saved, Visa •••• 4242, crd_").await;
            }
            End::ClaimsReleased => self.releases_claims(number, request).await,
        }
    }

    async fn is_refused_first(&self, number: &str, request: &Value) {
        self.approves(number, request, "pm_card_chargeDeclinedInsufficientFunds").await;
        let words = "Card refused (insufficient funds). Ask for another card.";
        self.agent.sees(&state("prompted"), words).await;
        self.approves(number, request, "pm_card_visa").await;
        self.agent.sees(&state("fulfilled"), "Paid").await;
    }

    /// Refunds a sum of a paid request at the desk, and waits for the words.
    async fn refunds(&self, number: &str, request: &Value, amount: &str) {
        self.approves(number, request, "pm_card_visa").await;
        self.agent.sees(&state("fulfilled"), "Paid").await;
        self.agent.tabs_until("#refund-amount").await;
        self.agent.keys(amount).await;
        self.agent.keys(Key::Enter).await;
        let words = match amount {
            "5" => "Paid, 5.00 of 50.00 refunded",
            _ => "Paid, all of 60.00 refunded",
        };
        self.agent.sees(&state("fulfilled"), words).await;
    }

    async fn is_reported(&self, number: &str, request: &Value) {
        let id = request["id"].as_str().unwrap();
        let message = self.requester.message(number, id).await.unwrap();
        self.customer.goes(message["link"].as_str().unwrap()).await;
        self.customer.clicks("a[href$='?not_me=1']").await;
        self.customer.clicks("button[value=not_me]").await;
        for words in ["This number reported a request.", "Try again in 24 h."] {
            self.agent.sees(&state("denied"), words).await;
        }
        self.asks_in_vain(number).await;
    }

    async fn approves_with_another_code(&self, number: &str, request: &Value) {
        let right = request["session_code"].as_str().unwrap();
        let wrong = if right == "11" { "12" } else { "11" };
        let tap = json!({ "action": "approve", "session_code": wrong });
        self.taps(number, request, tap).await;
        self.agent.sees(&state("denied"), "A number was picked that you did not read").await;
    }

    async fn gives_more_time(&self, number: &str, request: &Value) {
        self.agent.tabs_until("#extend").await;
        self.agent.keys(Key::Enter).await;
        self.agent.sees("assent-request >>> [data-what=extended]", "More time given").await;
        self.approves(number, request, "pm_card_visa").await;
        self.agent.sees(&state("fulfilled"), "Paid").await;
    }

    async fn sends_again(&self, number: &str, request: &Value) {
        self.agent.shortcut('r').await;
        self.agent.sees("assent-request >>> [data-what=resent]", "Sent again").await;
        self.taps(number, request, json!({ "action": "deny" })).await;
        self.agent.sees(&state("denied"), "Declined by the customer").await;
    }

    async fn releases_claims(&self, number: &str, request: &Value) {
        self.leaves_for_the_page(number, request).await;
        self.agent.sees(&state("processing"), "Signing in at the identity provider").await;
        self.customer.clicks("button[value=grace]").await;
        self.agent.sees(&state("fulfilled"), "Released: given name, birth date").await;
        self.agent.sees("#claims dd", "Grace").await;
    }

    /// Asks the number again that reported a request. The refusal stays at its field.
    async fn asks_in_vain(&self, number: &str) {
        self.agent.shortcut('a').await;
        self.agent.tabs_until("#ask-amount").await;
        self.agent.keys("14").await;
        self.agent.tabs_until("#ask-description").await;
        self.agent.keys(description(number)).await;
        self.agent.keys(Key::Enter).await;
        let words = "This number reported a request. Try again in 24 h.";
        self.agent.sees("#ask-phone-error", words).await;
        assert_accessible(&self.agent, "desk-reported").await;
        self.agent.keys(Key::Escape).await;
    }

    async fn pays_on_the_hosted_page(&self, number: &str, request: &Value) {
        self.leaves_for_the_page(number, request).await;
        self.agent.sees(&state("processing"), "Entering card details").await;
        assert!(!self.agent.shows(DIGITS).await, "the code is shown at the processor's page");
        assert!(!self.agent.shows("assent-request >>> #resend").await);
        self.customer.clicks("button[value=pm_card_mastercard]").await;
        self.agent.sees(&state("fulfilled"), "Mastercard ••••").await;
    }

    /// The desk asks before the same is asked for twice, and goes to the open request.
    async fn is_asked_twice(&self, number: &str, request: &Value) {
        self.agent.shortcut('a').await;
        self.agent.tabs_until("#ask-amount").await;
        self.agent.keys("23").await;
        self.agent.tabs_until("#ask-description").await;
        self.agent.keys(description(number)).await;
        self.agent.keys(Key::Enter).await;
        self.agent.sees("#question[open]", "The same is open already").await;
        assert_accessible(&self.agent, "desk-duplicate").await;
        self.agent.tabs_until("[data-choice=open]").await;
        self.agent.keys(Key::Enter).await;
        let digits = request["session_code"].as_str().unwrap();
        self.agent.sees(DIGITS, digits).await;
        self.agent.shortcut('c').await;
        self.agent.sees(&state("cancelled"), "Cancelled").await;
    }

    /// Begins the next call. Nothing of the last customer may be in it.
    async fn next_call(&self, number: &str, end: End) {
        self.agent.shortcut('n').await;
        if end == End::LeftOpen {
            self.agent.sees("#question[open]", "One request of this call is still open.").await;
            self.agent.tabs_until("[data-choice=leave]").await;
            self.agent.keys(Key::Enter).await;
            self.agent.sees("#toast", "still open").await;
        }
        self.agent.sees("main h1", "Ask the customer while you talk").await;
        let script = "arguments[0]([...document.querySelectorAll('#form-dialog input:not([type=checkbox]):not([type=radio]), #search')].map((field) => field.value).join('|') + document.querySelector('main').innerText + document.title + document.querySelectorAll('assent-request').length)";
        let left = self.agent.runs(script).await;
        let left = left.as_str().unwrap();
        assert!(left.ends_with('0'), "{left}");
        for text in [number.trim_start_matches("+1"), &description(number)] {
            assert!(!left.contains(text), "{text} stays after {end:?}: {left}");
        }
    }
}

/// Returns a description by which a call is recognised.
fn description(number: &str) -> String {
    format!("Order {}", number.trim_start_matches("+1555123"))
}

#[tokio::test]
async fn day_at_the_desk_is_worked_by_keyboard_alone() {
    let mut day = Day::begin().await;
    day.agent.sees("#list-note", "No requests yet").await;
    assert_accessible(&day.agent, "desk-empty").await;
    for (place, (ask, digits, end)) in CALLS.into_iter().enumerate() {
        let number = format!("+1555123{digits}");
        let request = day.asks(ask, &number, end).await;
        if place % 3 == 0 {
            // The request has its own address, which a reload keeps.
            day.agent.reloads().await;
        }
        day.ends(&number, &request, end).await;
        let ended =
            day.requester.get(&format!("/v1/requests/{}", request["id"].as_str().unwrap())).await;
        if let Some(code) = ended["outcome"]["transaction_code"].as_str() {
            assert_eq!(day.agent.reads(TRANSACTION).await, code);
        }
        let name = format!("desk-{place}-{end:?}");
        if day.checked.insert(end) {
            assert_accessible(&day.agent, &name).await;
        }
        day.next_call(&number, end).await;
    }
    // The duplicate, and the number that is left alone.
    day.agent.closes_after(&[409, 429]).await;
}
