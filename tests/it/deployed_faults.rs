//! The deployed stack while its calls of DynamoDB, SQS and Secrets Manager fail.
//!
//! Answers are lost, calls are throttled, index reads are stale, and messages come twice. In the end every request has the
//! right outcome, once.
//!
//! `tests/deploy/faults.py` makes the faults.

use std::collections::BTreeSet;
use std::time::Duration;

use embedded::SystemClock;
use http::Request;
use ports::Clock;
use serde_json::{Value, json};

use crate::deployed::{raw, variable};
use crate::live::conversations::{Conversation, Conversations, EndedConversation, Plan, draw};
use crate::live::killable_machine;
use crate::live::requester::Requester;
use crate::stripe::localstripe;

/// The time for which calls fail; every conversation begins within it.
const FAULTY_SECONDS: u64 = 20;
/// The visibility timeout of the queues, after which a failed message comes back.
const WAIT_MAX: Duration = Duration::from_secs(200);

/// The plan of each customer, with amounts of the sandbox.
fn at_the_sandbox(number: usize) -> Conversation {
    let (plan, amount) = match number % 9 {
        0 => (Plan::Silent, 4250),
        1 => (Plan::Deny, 4250),
        2 => (Plan::Cancelled, 4250),
        3 => (Plan::Approve, 4202),
        4 => (Plan::Doomed, 4203),
        5 => (Plan::Approve, 4205),
        6 => (Plan::WrongCode, 4250),
        _ => (Plan::Approve, 4250),
    };
    conversation(number, plan, amount, "faults-sandbox")
}

fn at_stripe(number: usize) -> Conversation {
    let plan = match number % 6 {
        0 => Plan::AnotherCard,
        1 => Plan::Deny,
        _ => Plan::Approve,
    };
    conversation(number, plan, 4250, "faults-stripe")
}

fn conversation(number: usize, plan: Plan, amount: u64, session: &'static str) -> Conversation {
    // The conversations are spread over the faulty time.
    let begins = Duration::from_millis(u64::try_from(number * 7 % 16).unwrap() * 1000);
    Conversation { number, plan, amount, session, begins }
}

/// Returns the proxy's counts so far. Ordering faults resets them.
async fn faults(order: Option<Value>) -> Value {
    let address = variable("ASSENT_FAULTS");
    let answer = match order {
        Some(order) => raw(Request::post(address), &order.to_string()).await,
        None => raw(Request::get(address), "").await,
    };
    assert_eq!(answer.status(), 200, "{answer:?}");
    serde_json::from_slice(answer.body()).unwrap()
}

#[tokio::test]
async fn requests_end_once_despite_failing_aws_calls() {
    let sandbox = Requester::of(variable("ASSENT_API"), variable("ASSENT_KEY"));
    let stripe = Requester::of(variable("ASSENT_API"), variable("ASSENT_STRIPE_KEY"));
    let rates = json!({
        "seed": draw(&killable_machine::random(), u64::MAX), "seconds": FAULTY_SECONDS,
        "lost": 0.06, "unsent": 0.06, "throttled": 0.06, "stale": 0.3, "twice": 0.3,
    });
    let mut now = faults(Some(rates)).await;
    let at_sandbox = Conversations::begin(&sandbox, (0..18).map(at_the_sandbox));
    let at_stripe = Conversations::begin(&stripe, (100..112).map(at_stripe));
    while now["seconds"].as_f64().unwrap() > 0.0 {
        // An agent's list may be stale, but never wrong about the requests it shows.
        for one in sandbox.of_session("faults-sandbox").await {
            assert_eq!(one["session"]["id"], "faults-sandbox", "{one:#}");
        }
        SystemClock.wait(Duration::from_millis(500)).await;
        now = faults(None).await;
    }
    for kind in ["lost", "unsent", "throttled", "stale", "twice"] {
        assert!(now[kind].as_u64().unwrap() > 0, "nothing was {kind}: {now:#}");
    }
    for operation in ["AmazonSQS.SendMessage", "secretsmanager.GetSecretValue"] {
        assert!(now["calls"][operation].as_u64() > Some(0), "{now:#}");
    }
    let (at_sandbox, at_stripe) = (at_sandbox.ended().await, at_stripe.ended().await);
    assert_outcomes_reported_under_one_id(at_sandbox.iter().chain(&at_stripe)).await;
    assert_one_request_per_call(&sandbox, "faults-sandbox", &at_sandbox).await;
    assert_one_request_per_call(&stripe, "faults-stripe", &at_stripe).await;
    for one in &at_stripe {
        assert_eq!(charges(one.id()).await, usize::from(one.is_fulfilled()), "{one:#?}");
    }
}

/// Asserts that the session holds exactly the accepted requests, with unchanged outcomes.
async fn assert_one_request_per_call(
    requester: &Requester,
    session: &str,
    ended: &[EndedConversation],
) {
    let listed = requester.of_session(session).await;
    let listed: BTreeSet<&str> = listed.iter().map(|one| one["id"].as_str().unwrap()).collect();
    assert_eq!(listed, ended.iter().map(EndedConversation::id).collect(), "of {session}");
    assert_eq!(listed.len(), ended.len(), "two calls were one request");
    for one in ended {
        one.assert_as_planned();
        let now = requester.get(&format!("/v1/requests/{}", one.id())).await;
        assert_eq!(now["outcome"], one.request["outcome"], "the outcome changed: {one:#?}");
    }
}

/// Waits until every outcome was reported, however often, but as one webhook event.
async fn assert_outcomes_reported_under_one_id(ended: impl Iterator<Item = &EndedConversation>) {
    let deadline = SystemClock.now().after(WAIT_MAX);
    for one in ended {
        let last = format!("request.{}", one.request["outcome"]["kind"].as_str().unwrap());
        loop {
            let events = webhooks(one.id(), &last).await;
            if !events.is_empty() {
                assert_eq!(events.len(), 1, "{last} of {one:#?}: {events:#?}");
                break;
            }
            assert!(SystemClock.now() < deadline, "no webhook reports {last} of {one:#?}");
            SystemClock.wait(Duration::from_millis(500)).await;
        }
    }
}

/// Returns the webhook events of that type about a request, by id.
async fn webhooks(id: &str, kind: &str) -> BTreeSet<(String, String)> {
    let shown = raw(Request::get(variable("ASSENT_WEBHOOKS")), "").await;
    let webhooks: Vec<Value> = serde_json::from_slice(shown.body()).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    webhooks
        .iter()
        .filter(|webhook| {
            let body: Value = serde_json::from_str(webhook["body"].as_str().unwrap()).unwrap();
            body["type"] == kind && body["data"]["id"] == id
        })
        .map(|webhook| (text(&webhook["headers"]["webhook-id"]), text(&webhook["body"])))
        .collect()
}

/// Returns how often Stripe's stand-in has charged for a request.
async fn charges(request: &str) -> usize {
    let mut after = String::new();
    let mut charges = 0;
    loop {
        let address = format!("{}/v1/payment_intents?limit=100{after}", localstripe());
        let call = Request::get(address).header("authorization", "Bearer sk_test_count");
        let page: Value = serde_json::from_slice(raw(call, "").await.body()).unwrap();
        let intents = page["data"].as_array().unwrap();
        charges += intents
            .iter()
            .filter(|intent| intent["metadata"]["request_id"] == request)
            .flat_map(|intent| intent["charges"]["data"].as_array().unwrap())
            .filter(|charge| charge["status"] == "succeeded")
            .count();
        if page["has_more"] != true {
            return charges;
        }
        after = format!("&starting_after={}", intents.last().unwrap()["id"].as_str().unwrap());
    }
}
