//! Each outcome of an update, against a store that loses races when it is told to.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;

use super::*;
use crate::contact;
use crate::contact::ChannelScope;
use domain::ask::{Ask, AskHash, Customer, Metadata, Session, SessionKind};
use domain::brand::{Brand, Mode};
use domain::contact::Contact;
use domain::journal::HeldEntries;
use domain::message::{Message, Step};
use domain::random::Random;
use domain::request::{Aftermath, State};
use domain::values::money::Money;
use domain::values::name::BrandName;
use domain::values::text::DisplayText;
use ports::{
    Clock, Expect, Item, Key, Page, Queue, QueueError, Range, Secrets, SecretsError, Store, Write,
};

const NOW: Timestamp = Timestamp::from_millis(1_796_083_200_000);

/// A store that loses its first `conflicts` writes, a queue that keeps its messages, and a clock that stands still.
#[derive(Default)]
struct Double {
    items: Mutex<BTreeMap<Key, Item>>,
    conflicts: AtomicU32,
    reads: AtomicU32,
    sent: Mutex<Vec<Step>>,
}

#[async_trait]
impl Store for Double {
    async fn read(&self, key: &Key) -> Result<Option<Item>, StoreError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        Ok(self.items.lock().unwrap().get(key).cloned())
    }

    async fn list(&self, _: &Range) -> Result<Page, StoreError> {
        Ok(Page { items: Vec::new(), more: false })
    }

    async fn list_index(&self, range: &Range) -> Result<Page, StoreError> {
        self.list(range).await
    }

    async fn write(&self, writes: Vec<Write>) -> Result<(), StoreError> {
        let lost = |left: u32| left.checked_sub(1);
        if self.conflicts.fetch_update(Ordering::SeqCst, Ordering::SeqCst, lost).is_ok() {
            return Err(StoreError::Conflict);
        }
        let mut items = self.items.lock().unwrap();
        for write in writes {
            match write {
                Write::Delete { key } => drop(items.remove(&key)),
                Write::Put { item, expect } => {
                    let version = items.get(&item.key).map(|item| item.version);
                    match expect {
                        Expect::Any => {}
                        Expect::Absent => assert_eq!(version, None),
                        Expect::Version(expected) => assert_eq!(version, Some(expected)),
                    }
                    items.insert(item.key.clone(), item);
                }
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Queue for Double {
    async fn send(&self, message: &Message, _: Duration) -> Result<(), QueueError> {
        self.sent.lock().unwrap().push(message.parts().unwrap().0);
        Ok(())
    }
}

#[async_trait]
impl Clock for Double {
    fn now(&self) -> Timestamp {
        NOW
    }

    async fn wait(&self, _: Duration) {}
}

impl Random for Double {
    fn fill(&self, _: &mut [u8]) {}
}

#[async_trait]
impl Secrets for Double {
    async fn brand(&self, _: &BrandName) -> Result<Arc<Brand>, SecretsError> {
        Err(SecretsError::Unknown)
    }

    async fn refresh(&self, name: &BrandName) -> Result<Arc<Brand>, SecretsError> {
        self.brand(name).await
    }
}

fn ports() -> (Arc<Double>, Ports) {
    let double = Arc::new(Double::default());
    let ports = Ports {
        clock: Arc::<Double>::clone(&double),
        random: Arc::<Double>::clone(&double),
        store: Arc::<Double>::clone(&double),
        queue: Arc::<Double>::clone(&double),
        secrets: Arc::<Double>::clone(&double),
    };
    (double, ports)
}

fn request() -> Request {
    let (id, brand) = (RequestId::new(NOW, [0; 10]), "demo".parse().unwrap());
    let money = Money::new(4250, "EUR".parse().unwrap()).unwrap();
    let description = DisplayText::new("Invoice 4711").unwrap();
    let ask = Ask::Payment { money, description, card: None };
    Request {
        id,
        mode: Mode::Test,
        payee: "Demo".to_owned(),
        customer: Customer {
            phone: "+15551230001".parse().unwrap(),
            email: None,
            name: None,
            language: None,
        },
        language: None,
        address: "hash".to_owned(),
        session: Session { kind: SessionKind::Voice, id: "call".to_owned(), agent: None },
        ask_hash: AskHash::of(id, &brand, "Demo", &ask),
        brand,
        ask,
        processor: "sandbox".parse().unwrap(),
        routes: Vec::new(),
        routes_used: 0,
        session_code: None,
        by_tap: false,
        key: None,
        metadata: Metadata::new(),
        notify: true,
        fallback_seconds: 12,
        attempts_max: 5,
        retention_seconds: 86_400,
        created_at: NOW,
        expires_at: NOW.after(Duration::from_secs(300)),
        customer_extended: false,
        state: State::Pending,
        prompts: Vec::new(),
        attempts: Vec::new(),
        refunds: Vec::new(),
        aftermath: Aftermath::default(),
        thread: Box::default(),
        entry: None,
        card: None,
        erased_at: None,
        timeline: Vec::new(),
        journal: HeldEntries::default(),
        entries: 0,
        chain: String::new(),
        webhooks: 0,
    }
}

/// Stores the sample request and forgets what that took.
fn stored(double: &Double, ports: &Ports) -> VersionedRequest {
    let accepted = commit(request().accepted()).apply(ports, None);
    let stored = pollster::block_on(accepted).unwrap();
    double.sent.lock().unwrap().clear();
    stored
}

fn cancel(request: &Request, now: Timestamp) -> Result<Decision<()>, EffectError> {
    let change = request.cancel(now);
    Ok(change.map_or(Decision::Stop(()), |change| commit(change).then(Step::Deliver).into()))
}

fn marker(name: &str) -> Write {
    let key = Key { pk: name.to_owned(), sk: name.to_owned() };
    let item = Item { key, version: 1, body: String::new(), expires_at: None, index: None };
    Write::Put { item, expect: Expect::Absent }
}

#[test]
fn update_absent_request_is_absent() {
    let (double, ports) = ports();
    let updated = pollster::block_on(update(&ports, request().id, cancel)).unwrap();
    assert!(matches!(updated, Updated::Absent));
    assert!(double.sent.lock().unwrap().is_empty());
}

#[test]
fn update_stores_then_sends_step_and_webhook_event() {
    let (double, ports) = ports();
    let before = stored(&double, &ports);
    let updated = pollster::block_on(update(&ports, before.request.id, cancel)).unwrap();
    let after = updated.stored().unwrap();
    assert_eq!(after.version, before.version + 1);
    assert!(after.request.is_closed());
    let sent = double.sent.lock().unwrap();
    assert_eq!(*sent, [Step::Deliver, Step::webhook(after.request.webhooks)]);
}

#[test]
fn update_repeat_stores_nothing_and_sends_step_again() {
    let (double, ports) = ports();
    let id = stored(&double, &ports).request.id;
    let first = pollster::block_on(update(&ports, id, cancel)).unwrap().stored().unwrap();
    double.sent.lock().unwrap().clear();
    let second = pollster::block_on(update(&ports, id, cancel)).unwrap().stored().unwrap();
    assert_eq!(first.version, second.version);
    assert_eq!(*double.sent.lock().unwrap(), [Step::Deliver]);
}

#[test]
fn update_refused_command_gives_request_back() {
    let (double, ports) = ports();
    let before = stored(&double, &ports);
    let decide = |request: &Request, now| {
        let change = request.approval().map(|_approved| request.expire(now));
        let stop = || Decision::Stop(request.clone());
        Ok::<_, EffectError>(change.map_or_else(stop, Decision::from))
    };
    let updated = pollster::block_on(update(&ports, before.request.id, decide)).unwrap();
    assert!(matches!(updated, Updated::Stopped(request) if request.id == before.request.id));
    assert!(double.sent.lock().unwrap().is_empty());
}

#[test]
fn update_precondition_is_checked_again_after_conflict() {
    let (double, ports) = ports();
    let before = stored(&double, &ports);
    // Another writer is first: it takes the request over, which a brand's name stands for here.
    let seen = AtomicU32::new(0);
    let decide = |request: &Request, now| {
        if seen.fetch_add(1, Ordering::SeqCst) == 0 {
            return Ok(Decision::from(request.cancel(now).unwrap()));
        }
        Ok::<_, EffectError>(Decision::Stop("taken over"))
    };
    double.conflicts.store(1, Ordering::SeqCst);
    let updated = pollster::block_on(update(&ports, before.request.id, decide)).unwrap();
    assert!(matches!(updated, Updated::Stopped("taken over")));
}

#[test]
fn update_conflicts_below_limit_are_decided_again() {
    let (double, ports) = ports();
    let id = stored(&double, &ports).request.id;
    double.conflicts.store(CONFLICTS_MAX - 1, Ordering::SeqCst);
    let updated = pollster::block_on(update(&ports, id, cancel)).unwrap();
    assert!(updated.stored().unwrap().request.is_closed());
}

#[test]
fn update_conflicts_at_limit_are_a_conflict() {
    let (double, ports) = ports();
    let id = stored(&double, &ports).request.id;
    double.conflicts.store(CONFLICTS_MAX, Ordering::SeqCst);
    let error = pollster::block_on(update(&ports, id, cancel)).unwrap_err();
    assert!(error.is_conflict());
    assert!(double.sent.lock().unwrap().is_empty());
}

#[test]
fn update_loaded_request_is_read_again_only_after_conflict() {
    let (double, ports) = ports();
    let loaded = stored(&double, &ports);
    double.reads.store(0, Ordering::SeqCst);
    double.conflicts.store(1, Ordering::SeqCst);
    pollster::block_on(update(&ports, loaded, cancel)).unwrap();
    assert_eq!(double.reads.load(Ordering::SeqCst), 1);
}

#[test]
fn update_error_of_decision_is_returned() {
    #[derive(Debug)]
    struct Forbidden;
    impl From<EffectError> for Forbidden {
        fn from(_: EffectError) -> Self {
            Self
        }
    }
    let (double, ports) = ports();
    let id = stored(&double, &ports).request.id;
    let decide = |_: &Request, _| Err::<Decision<()>, _>(Forbidden);
    assert!(pollster::block_on(update(&ports, id, decide)).is_err());
}

#[test]
fn commit_writes_are_stored_with_the_change() {
    let (double, ports) = ports();
    let id = stored(&double, &ports).request.id;
    let decide = async |loaded: VersionedRequest, now| {
        let change = loaded.request.cancel(now).unwrap();
        Ok::<_, EffectError>(Decision::<()>::from(commit(change).with_writes([marker("extra")])))
    };
    pollster::block_on(update_async(&ports, id, decide)).unwrap();
    let key = Key { pk: "extra".to_owned(), sk: "extra".to_owned() };
    assert!(double.items.lock().unwrap().contains_key(&key));
}

#[test]
fn commit_recovery_check_is_sent_before_the_write() {
    let (double, ports) = ports();
    double.conflicts.store(1, Ordering::SeqCst);
    let accepted = commit(request().accepted()).then(Step::Deliver).with_recovery_check();
    assert!(pollster::block_on(accepted.apply(&ports, None)).is_err());
    assert_eq!(*double.sent.lock().unwrap(), [Step::Check]);
}

#[test]
fn commit_recovery_check_is_sent_once_the_first_is_over() {
    for (at, sent) in [(0, 0), (10_999, 0), (11_000, 1), (60_000, 1)] {
        let (double, ports) = ports();
        let now = NOW.after(Duration::from_millis(at));
        let loaded = stored(&double, &ports);
        let change = commit(loaded.request.extend(Duration::from_secs(400), now).unwrap());
        let change = change.with_recovery_check().apply(&ports, Some(loaded.version));
        pollster::block_on(change).unwrap();
        let checks =
            double.sent.lock().unwrap().iter().filter(|step| **step == Step::Check).count();
        assert_eq!(checks, sent, "{at}");
    }
}

#[test]
fn create_conflict_is_decided_again() {
    let (double, ports) = ports();
    double.conflicts.store(1, Ordering::SeqCst);
    let decide = |_| {
        let accepted = commit(request().accepted()).then(Step::Deliver);
        std::future::ready(Ok::<_, EffectError>(Decision::<()>::from(accepted)))
    };
    let created = pollster::block_on(create(&ports, decide)).unwrap();
    assert!(matches!(created, Created::Stored(stored) if stored.version == 1));
    assert_eq!(*double.sent.lock().unwrap(), [Step::Deliver]);
}

#[test]
fn retry_conflicts_stops_at_limit_and_at_other_errors() {
    let attempts = AtomicU32::new(0);
    let lost = || {
        attempts.fetch_add(1, Ordering::SeqCst);
        std::future::ready(Err::<(), _>(StoreError::Conflict))
    };
    assert!(pollster::block_on(retry_conflicts(lost)).is_err());
    assert_eq!(attempts.swap(0, Ordering::SeqCst), CONFLICTS_MAX);
    let broken = || {
        attempts.fetch_add(1, Ordering::SeqCst);
        std::future::ready(Err::<(), _>(StoreError::Unavailable("down".into())))
    };
    assert!(pollster::block_on(retry_conflicts(broken)).is_err());
    assert_eq!(attempts.load(Ordering::SeqCst), 1);
}

#[test]
fn contact_update_survives_conflicts_below_limit_only() {
    let (double, ports) = ports();
    let (brand, channel) = ("demo".parse().unwrap(), "rcs".parse().unwrap());
    let scope = ChannelScope { brand: &brand, mode: Mode::Test, channel: &channel };
    let store = ports.store.as_ref();
    let update = || {
        let shut = |known: &Contact| known.with_window_closed(NOW);
        pollster::block_on(contact::update(store, scope, "address", NOW, shut))
    };
    double.conflicts.store(CONFLICTS_MAX - 1, Ordering::SeqCst);
    update().unwrap();
    let (kept, _) = pollster::block_on(contact::load(store, scope, "address", NOW)).unwrap();
    assert_eq!(kept, Contact::default().with_window_closed(NOW));
    double.conflicts.store(CONFLICTS_MAX, Ordering::SeqCst);
    assert!(update().unwrap_err().is_conflict());
}
