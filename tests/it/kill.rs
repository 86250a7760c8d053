//! One machine that is killed again and again while a hundred requests are under way: none is lost, none is charged
//! twice, and every notice arrives.

use std::sync::Arc;
use std::time::Duration;

use domain::invariants;
use domain::ports::{Clock, Store};
use domain::storage;
use embedded::{Database, SystemClock};

use crate::live::crowd::{Conversation, Crowd, Ended, Plan, draw};
use crate::live::endpoint::Endpoint;
use crate::live::folder::Folder;
use crate::live::killing::{self, Mortal};
use crate::live::requester::Requester;

const SESSION: &str = "killed";
const CONVERSATIONS: usize = 100;
/// For how long the machine is killed again and again; every conversation begins within that time.
const KILLING: Duration = Duration::from_secs(40);

/// What each customer does, with amounts of the sandbox.
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
async fn a_hundred_requests_survive_a_machine_that_is_killed_again_and_again() {
    let random = killing::random();
    let folder = Folder::new();
    let endpoint = Endpoint::start().await;
    let machine = Mortal::start(folder.data(), &["--webhooks", &endpoint.url()]);
    endpoint.trust(&folder.data());
    let requester = machine.requester();
    let begins = || Duration::from_millis(draw(&random, 40_000));
    let conversations = (0..CONVERSATIONS).map(|number| conversation(number, begins()));
    let crowd = Crowd::begin(&requester, conversations);
    let (machine, kills) = machine.dies_for(KILLING, &requester, &random).await;
    assert!(kills > 15, "killed {kills} times only");
    let ended = crowd.ended().await;
    every_end_is_told(&requester, &endpoint, &ended).await;
    machine.kill();
    every_count_is_right(&folder, &endpoint, &ended).await;
}

/// Waits until the requester was told each request's end, and looks whether any end has changed since.
async fn every_end_is_told(requester: &Requester, endpoint: &Endpoint, ended: &[Ended]) {
    let deadline = SystemClock.now().after(Duration::from_secs(40));
    for one in ended {
        let last = format!("request.{}", one.request["outcome"]["kind"].as_str().unwrap());
        while !endpoint.taken(one.id()).contains(&last) {
            assert!(SystemClock.now() < deadline, "nobody is told {last} of {one:#?}");
            SystemClock.wait(Duration::from_millis(50)).await;
        }
    }
    let listed = requester.of_session(SESSION).await;
    assert_eq!(listed.len(), ended.len(), "a repeated call made another request, or one is lost");
    for one in ended {
        one.is_as_planned();
        let now = requester.get(&format!("/v1/requests/{}", one.id())).await;
        assert_eq!(now["outcome"], one.request["outcome"], "the outcome changed: {one:#?}");
    }
}

/// Opens what the dead machine left, and counts charges and notices.
async fn every_count_is_right(folder: &Folder, endpoint: &Endpoint, ended: &[Ended]) {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let database = Database::open(&folder.data(), Arc::clone(&clock)).unwrap();
    let store: Arc<dyn Store> = Arc::new(database.clone());
    let deliveries = endpoint.deliveries();
    assert!(deliveries.values().flatten().all(|delivery| delivery.verified));
    let mut told = 0;
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
            told += 1;
        }
    }
    assert_eq!(deliveries.len(), told, "a webhook of no request came");
    assert_eq!(database.dead_letters().unwrap(), Vec::new());
}
