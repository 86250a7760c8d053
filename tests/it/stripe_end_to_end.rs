//! Whole requests over Stripe's wire protocol: the built program, a breaking proxy, a third-party stand-in.
//!
//! Charges are counted in the stand-in.

use std::sync::Arc;
use std::time::Duration;

use ports::Http;
use serde_json::{Value, json};
use tests::process::Local;
use tests::proxy::{Call, Proxy, ProxyFault};

use crate::live::conversations::{Conversation, Conversations, EndedConversation, Plan, draw};
use crate::live::folder::Folder;
use crate::live::killable_machine::{self, KillableMachine};
use crate::live::requester::Requester;
use crate::stripe::{FAULTS, localstripe};

const SESSION: &str = "stripe";

async fn proxy() -> Proxy {
    let http: Arc<dyn Http> = Arc::new(https::Client::new().unwrap());
    Proxy::start(&localstripe(), http).await.unwrap()
}

/// A machine that charges through a proxy.
struct Fixture {
    proxy: Proxy,
    requester: Requester,
    _local: Local,
    _folder: Folder,
}

impl Fixture {
    async fn open() -> Self {
        let (proxy, folder) = (proxy().await, Folder::new());
        let local = Local::start(&folder.data(), 0, &["--stripe", &proxy.url()]).unwrap();
        Self { proxy, requester: Requester::new(&local), _local: local, _folder: folder }
    }

    async fn play(&self, plans: impl Iterator<Item = Plan>) -> Vec<EndedConversation> {
        let conversations = plans.enumerate().map(|(number, plan)| conversation(number, plan));
        let ended = Conversations::begin(&self.requester, conversations).ended().await;
        assert!(self.proxy.is_played(), "not every fault happened");
        self.assert_charges_as_reported(&ended).await;
        ended
    }

    /// Asserts that the stand-in has charged as often as requests were reported as paid.
    async fn assert_charges_as_reported(&self, ended: &[EndedConversation]) {
        let reported = ended.iter().filter(|ended| ended.is_fulfilled()).count();
        assert_eq!(self.proxy.charges().await.unwrap(), reported, "{ended:#?}");
    }
}

const fn conversation(number: usize, plan: Plan) -> Conversation {
    Conversation { number, plan, amount: 4250, session: SESSION, begins: Duration::ZERO }
}

#[tokio::test]
async fn approval_becomes_charge_and_transaction_code() {
    let fixture = Fixture::open().await;
    let ended = fixture.play(std::iter::once(Plan::Approve)).await;
    let outcome = &ended[0].request["outcome"];
    assert_eq!(outcome["kind"], "fulfilled", "{outcome:#}");
    assert_eq!(outcome["processor"], "stripe");
    assert!(outcome["reference"].as_str().unwrap().starts_with("pi_"), "{outcome:#}");
    assert_eq!(outcome["transaction_code"].as_str().unwrap().len(), 9, "{outcome:#}");
    let payment = &outcome["payment"];
    assert_eq!((&payment["amount"], &payment["currency"]), (&json!(4250), &json!("EUR")));
    assert_eq!(payment["method"], "card");
}

#[tokio::test]
async fn declined_card_replaced_is_charged_once() {
    let fixture = Fixture::open().await;
    let ended = fixture.play(std::iter::once(Plan::AnotherCard)).await;
    ended[0].assert_as_planned();
    let facts = ended[0].request["timeline"].as_array().unwrap();
    let refused: Vec<&Value> =
        facts.iter().filter(|fact| fact["what"] == "card_declined").collect();
    assert_eq!(refused.len(), 1, "{facts:#?}");
    assert_eq!(refused[0]["reason"], "card_declined");
}

/// Makes every fault once at that call, all at once; `failed` requests end without a charge.
async fn each_fault_at(call: Call, failed: usize) {
    let fixture = Fixture::open().await;
    for fault in FAULTS {
        fixture.proxy.plan(call, fault);
        if call == Call::Read {
            fixture.proxy.plan(Call::Confirm, ProxyFault::DropAfter);
        }
    }
    let ended = fixture.play(FAULTS.iter().map(|_| Plan::Approve)).await;
    let (paid, not): (Vec<&EndedConversation>, Vec<&EndedConversation>) =
        ended.iter().partition(|one| one.is_fulfilled());
    assert_eq!((paid.len(), not.len()), (FAULTS.len() - failed, failed), "{not:#?}");
    let reasons = not.iter().map(|one| &one.request["outcome"]["reason"]);
    assert!(reasons.into_iter().all(|reason| reason == "processor_error"), "{not:#?}");
}

#[tokio::test]
async fn any_fault_at_create_charges_once_and_is_reported() {
    // A failure that Stripe keeps before any money moves ends the attempt.
    each_fault_at(Call::Create, 1).await;
}

#[tokio::test]
async fn any_fault_at_confirm_charges_once_and_is_reported() {
    each_fault_at(Call::Confirm, 0).await;
}

#[tokio::test]
async fn any_fault_at_retrieve_charges_once_and_is_reported() {
    each_fault_at(Call::Read, 0).await;
}

#[tokio::test]
async fn simultaneous_customers_are_charged_once_each() {
    let fixture = Fixture::open().await;
    for fault in
        [ProxyFault::DropAfter, ProxyFault::Twice, ProxyFault::Locked, ProxyFault::GatewayAfter]
    {
        fixture.proxy.plan(Call::Confirm, fault);
        fixture.proxy.plan(Call::Create, fault);
    }
    let plan = |number| if number % 3 == 0 { Plan::AnotherCard } else { Plan::Approve };
    let ended = fixture.play((0..24).map(plan)).await;
    ended.iter().for_each(EndedConversation::assert_as_planned);
}

#[tokio::test]
async fn simultaneous_taps_of_one_customer_charge_once() {
    let fixture = Fixture::open().await;
    let (phone, requester) = ("+15552001999", &fixture.requester);
    let ask = json!({
        "customer": { "phone": phone }, "session": { "kind": "voice", "id": SESSION },
        "ask": { "kind": "payment", "amount": 4250, "currency": "EUR", "description": "Invoice" },
    });
    let request = requester.ask(&ask, "impatient").await;
    let id = request["id"].as_str().unwrap().to_owned();
    let request = requester.until(&id, |request| request["state"] == "prompted").await;
    let message = requester.message(phone, &id).await.unwrap();
    let tap = json!({ "action": "approve", "session_code": request["session_code"] });
    let taps = (0..12).map(|_| requester.tap(phone, message["id"].as_str().unwrap(), &tap));
    for answer in futures_util::future::join_all(taps).await {
        let (status, reported) = answer.unwrap();
        // One tap comes late, after the first one is charged.
        assert!(matches!(status, 200 | 409), "{status} {reported}");
    }
    let request = requester.until(&id, |request| !request["outcome"].is_null()).await;
    assert_eq!(request["outcome"]["kind"], "fulfilled", "{request:#}");
    assert_eq!(fixture.proxy.charges().await.unwrap(), 1);
}

#[tokio::test]
async fn repeatedly_killed_machine_charges_once() {
    let (random, proxy, folder) = (killable_machine::random(), proxy().await, Folder::new());
    let machine = KillableMachine::start(folder.data(), &["--stripe", &proxy.url()]);
    let requester = machine.requester();
    let conversations = (0..40).map(|number| {
        let plan = match number % 8 {
            0 => Plan::AnotherCard,
            1 => Plan::Deny,
            _ => Plan::Approve,
        };
        let begins = Duration::from_millis(draw(&random, 20_000));
        Conversation { begins, ..conversation(number, plan) }
    });
    let conversations = Conversations::begin(&requester, conversations);
    let (machine, kills) =
        machine.kill_repeatedly_for(Duration::from_secs(20), &requester, &random).await;
    assert!(kills > 8, "killed {kills} times only");
    let ended = conversations.ended().await;
    ended.iter().for_each(EndedConversation::assert_as_planned);
    let paid = ended.iter().filter(|ended| ended.is_fulfilled()).count();
    assert_eq!(proxy.charges().await.unwrap(), paid, "{ended:#?}");
    machine.kill();
}
