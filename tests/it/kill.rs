//! One machine is killed repeatedly while a hundred requests are under way.
//!
//! No request is lost, none is charged twice, and every webhook arrives.

use std::sync::Arc;
use std::time::Duration;

use domain::invariants;
use embedded::{Database, SystemClock};
use ports::{Clock, Store};
use records::storage;

use crate::live::conversations::{Conversation, Conversations, EndedConversation, Plan, draw};
use crate::live::endpoint::Endpoint;
use crate::live::folder::Folder;
use crate::live::killable_machine::{self, KillableMachine};
use crate::live::requester::Requester;

const SESSION: &str = "killed";
const CONVERSATIONS: usize = 100;
/// The time in which the machine is killed; every conversation begins within it.
const KILLING: Duration = Duration::from_secs(40);

/// The plan of each customer, with amounts of the sandbox.
fn conversation(number: usize, begins: Duration) -> Conversation {
    let (plan, amount) = match number % 10 {
        0 => (Plan::Silent, 4250),
        1 => (Plan::Deny, 4250),
        2 if number % 20 == 2 => (Plan::WrongCode, 4250),
        2 => (Plan::Cancelled, 4250),
        3 => (Plan::Approve, 4202),
        4 => (Plan::Doomed, 4203),
        5 => (Plan::Approve, 4204),
        6 => (Plan::Approve, 4205),
        7 => (Plan::AnotherCard, 4250),
        _ => (Plan::Approve, 4250),
    };
    Conversation { number, plan, amount, session: SESSION, begins }
}

#[tokio::test]
async fn hundred_requests_survive_repeated_kills() {
    let random = killable_machine::random();
    let folder = Folder::new();
    let endpoint = Endpoint::start().await;
    let machine = KillableMachine::start(folder.data(), &["--webhooks", &endpoint.url()]);
    endpoint.trust(&folder.data());
    let requester = machine.requester();
    let begins = || Duration::from_millis(draw(&random, 40_000));
    let conversations = (0..CONVERSATIONS).map(|number| conversation(number, begins()));
    let conversations = Conversations::begin(&requester, conversations);
    let (machine, kills) = machine.kill_repeatedly_for(KILLING, &requester, &random).await;
    assert!(kills > 15, "killed {kills} times only");
    let ended = conversations.ended().await;
    assert_outcomes_reported(&requester, &endpoint, &ended).await;
    assert_events_delivered(&requester).await;
    machine.kill();
    assert_counts(&folder, &endpoint, &ended).await;
}

/// Waits until every outcome was reported, and asserts that none has changed since.
async fn assert_outcomes_reported(
    requester: &Requester,
    endpoint: &Endpoint,
    ended: &[EndedConversation],
) {
    let deadline = SystemClock.now().after(Duration::from_secs(40));
    for one in ended {
        let last = format!("request.{}", one.request["outcome"]["kind"].as_str().unwrap());
        while !endpoint.taken(one.id()).contains(&last) {
            assert!(SystemClock.now() < deadline, "no webhook reports {last} of {one:#?}");
            SystemClock.wait(Duration::from_millis(50)).await;
        }
    }
    let listed = requester.of_session(SESSION).await;
    assert_eq!(listed.len(), ended.len(), "a repeated call made another request, or one is lost");
    for one in ended {
        one.assert_as_planned();
        let now = requester.get(&format!("/v1/requests/{}", one.id())).await;
        assert_eq!(now["outcome"], one.request["outcome"], "the outcome changed: {one:#?}");
    }
}

/// Waits until every event was delivered. One that the endpoint rejected comes again, at times after the outcome's.
async fn assert_events_delivered(requester: &Requester) {
    let deadline = SystemClock.now().after(Duration::from_secs(40));
    while !events_are_delivered(requester).await {
        assert!(SystemClock.now() < deadline, "an event was not delivered");
        SystemClock.wait(Duration::from_millis(200)).await;
    }
}

async fn events_are_delivered(requester: &Requester) -> bool {
    let mut path = "/v1/events?limit=100".to_owned();
    loop {
        let page = requester.get(&path).await;
        if page["events"].as_array().unwrap().iter().any(|event| event["delivered_at"].is_null()) {
            return false;
        }
        let Some(next) = page["next_cursor"].as_str() else { return true };
        path = format!("/v1/events?limit=100&cursor={next}");
    }
}

/// Opens the dead machine's database, and counts charges and webhooks.
async fn assert_counts(folder: &Folder, endpoint: &Endpoint, ended: &[EndedConversation]) {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let database = Database::open(&folder.data(), Arc::clone(&clock)).unwrap();
    let store: Arc<dyn Store> = Arc::new(database.clone());
    let deliveries = endpoint.deliveries();
    assert!(deliveries.values().flatten().all(|delivery| delivery.verified));
    let mut reported = 0;
    for one in ended {
        let id = one.id().parse().unwrap();
        let stored = storage::load(store.as_ref(), id).await.unwrap().unwrap().request;
        assert_eq!(invariants::broken(None, &stored, &[]), Vec::<&str>::new(), "{one:#?}");
        let attempts = u32::try_from(stored.attempts.len()).unwrap() + 1;
        let (store, clock) = (Arc::clone(&store), Arc::clone(&clock));
        let charges = sandbox::charges(Arc::clone(&store), clock, id, attempts).await;
        assert_eq!(charges.unwrap(), u32::from(one.is_fulfilled()), "charges of {one:#?}");
        let webhooks = storage::webhooks(store.as_ref(), id).await.unwrap();
        assert_eq!(webhooks.len(), usize::try_from(stored.webhooks).unwrap(), "{one:#?}");
        for (webhook, _) in webhooks {
            let seen = deliveries.get(&webhook.id.to_string());
            let seen = seen.unwrap_or_else(|| panic!("{webhook:?} never came of {one:#?}"));
            assert!(seen.iter().any(|delivery| delivery.taken), "{webhook:?} was never taken");
            let same = |body: &[u8]| body == webhook.payload.as_bytes();
            assert!(seen.iter().all(|delivery| same(&delivery.body)), "{webhook:?} differs");
            reported += 1;
        }
    }
    assert_eq!(deliveries.len(), reported, "a webhook of no request came");
    assert_eq!(database.dead_letters().unwrap(), Vec::new());
}
