//! A scripted `Http`, a store in memory and a manual clock.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use domain::ask::Ask;
use domain::authorization::{Authorization, Credential, CredentialKind};
use domain::brand::{Brand, Mode};
use domain::values::money::Money;
use domain::values::name::ProcessorName;
use domain::values::text::DisplayText;
use domain::values::time::Timestamp;
use ports::{
    AttemptContext, Clock, Expect, Http, HttpError, Item, Key, OpenProcessorError, Page, Processor,
    Processors, Range, Reach, Store, StoreError, Write,
};
use processors::Deps;
use serde_json::{Value, json};

/// The reaction to one call.
#[derive(Clone)]
pub(crate) enum ScriptedReply {
    Answer(u16, Vec<u8>),
    /// An answer that the processor keeps under the idempotency key.
    Kept(u16, Vec<u8>),
    NotSent,
    Lost,
}

/// An `Http` that plays a script, repeats its last act, and records the calls.
#[derive(Default)]
pub(crate) struct ScriptedHttp {
    pub(crate) acts: Mutex<VecDeque<ScriptedReply>>,
    pub(crate) calls: Mutex<Vec<String>>,
}

impl ScriptedHttp {
    pub(crate) fn play(&self, acts: impl IntoIterator<Item = ScriptedReply>) {
        *self.acts.lock().unwrap() = acts.into_iter().collect();
    }

    /// Takes the recorded calls, byte for byte.
    pub(crate) fn taken(&self) -> Vec<String> {
        std::mem::take(&mut *self.calls.lock().unwrap())
    }
}

#[async_trait]
impl Http for ScriptedHttp {
    async fn call(
        &self,
        request: http::Request<Bytes>,
        reach: Reach,
        timeout: Duration,
    ) -> Result<http::Response<Bytes>, HttpError> {
        let headers: Vec<String> = request
            .headers()
            .iter()
            .map(|(name, value)| format!("{name}={:?}", value.as_bytes()))
            .collect();
        self.calls.lock().unwrap().push(format!(
            "{} {} {headers:?} {:?} {reach:?} {timeout:?}",
            request.method(),
            request.uri(),
            request.body()
        ));
        let act = {
            let mut acts = self.acts.lock().unwrap();
            if acts.len() > 1 { acts.pop_front() } else { acts.front().cloned() }
        };
        match act.unwrap_or(ScriptedReply::NotSent) {
            ScriptedReply::Answer(status, body) => {
                Ok(http::Response::builder().status(status).body(body.into()).unwrap())
            }
            ScriptedReply::Kept(status, body) => Ok(http::Response::builder()
                .status(status)
                .header("idempotent-replayed", "true")
                .body(body.into())
                .unwrap()),
            ScriptedReply::NotSent => Err(HttpError::NotSent("scripted".into())),
            ScriptedReply::Lost => Err(HttpError::Lost("scripted".into())),
        }
    }
}

/// A fault of the next write.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum WriteFault {
    /// Nothing is written, and the caller gets an unclear error.
    LostBefore,
    /// The item is written, and the caller gets an unclear error.
    LostAfter,
    /// Another write came first.
    Conflict,
}

/// A store in memory.
#[derive(Default)]
pub(crate) struct MemoryStore {
    pub(crate) items: Mutex<BTreeMap<Key, Item>>,
    pub(crate) faults: Mutex<VecDeque<Option<WriteFault>>>,
}

#[async_trait]
impl Store for MemoryStore {
    async fn read(&self, key: &Key) -> Result<Option<Item>, StoreError> {
        Ok(self.items.lock().unwrap().get(key).cloned())
    }

    async fn list(&self, _range: &Range) -> Result<Page, StoreError> {
        Ok(Page { items: Vec::new(), more: false })
    }

    async fn list_index(&self, range: &Range) -> Result<Page, StoreError> {
        self.list(range).await
    }

    async fn write(&self, writes: Vec<Write>) -> Result<(), StoreError> {
        let fault = self.faults.lock().unwrap().pop_front().flatten();
        match fault {
            Some(WriteFault::LostBefore) => return Err(StoreError::Unavailable("scripted".into())),
            Some(WriteFault::Conflict) => return Err(StoreError::Conflict),
            Some(WriteFault::LostAfter) | None => {}
        }
        let mut items = self.items.lock().unwrap();
        for write in writes {
            match write {
                Write::Put { item, expect } => {
                    let version = items.get(&item.key).map(|item| item.version);
                    let holds = match expect {
                        Expect::Any => true,
                        Expect::Absent => version.is_none(),
                        Expect::Version(expected) => version == Some(expected),
                    };
                    if !holds {
                        return Err(StoreError::Conflict);
                    }
                    items.insert(item.key.clone(), item);
                }
                Write::Delete { key } => {
                    items.remove(&key);
                }
            }
        }
        match fault {
            Some(WriteFault::LostAfter) => Err(StoreError::Unavailable("scripted".into())),
            Some(WriteFault::LostBefore | WriteFault::Conflict) | None => Ok(()),
        }
    }
}

/// A clock that the test moves.
pub(crate) struct ManualClock(pub(crate) Mutex<Timestamp>);

impl Default for ManualClock {
    fn default() -> Self {
        Self(Mutex::new(Timestamp::from_millis(1_767_225_600_000)))
    }
}

impl ManualClock {
    pub(crate) fn pass(&self, time: Duration) {
        let mut now = self.0.lock().unwrap();
        *now = now.after(time);
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    async fn wait(&self, duration: Duration) {
        self.pass(duration);
    }
}

/// The ports of a processor, as doubles.
#[derive(Default)]
pub(crate) struct Doubles {
    pub(crate) http: Arc<ScriptedHttp>,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) clock: Arc<ManualClock>,
}

impl Doubles {
    /// Returns the ports of the adapters.
    pub(crate) fn deps(&self) -> Deps {
        Deps {
            http: Arc::<ScriptedHttp>::clone(&self.http),
            clock: Arc::<ManualClock>::clone(&self.clock),
        }
    }

    /// Opens a processor of a kind with its settings.
    pub(crate) fn open(&self, mode: Mode, kind: &str, settings: &Value) -> OpenResult {
        crate::registry(self, self.deps()).open(&brand(kind, settings), mode, &processor_name())
    }
}

/// A processor, or the reason why it cannot be opened.
pub(crate) type OpenResult = Result<Box<dyn Processor>, OpenProcessorError>;

/// Returns the name of the processor in every brand here.
fn processor_name() -> ProcessorName {
    "primary".parse().unwrap()
}

/// Returns a brand with the processor `primary` in both modes.
pub(crate) fn brand(kind: &str, settings: &Value) -> Brand {
    let key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let setup =
        json!({ "processors": [{ "name": "primary", "kind": kind, "settings": settings }] });
    let brand = json!({
        "version": "1", "name": "acme", "display_name": "Acme", "keys": [],
        "sealing": { "current": "1", "keys": { "1": key } }, "address_key": key, "link_key": key,
        "test": setup, "live": setup,
    });
    Brand::parse(&brand.to_string()).unwrap()
}

/// Returns an ask for an amount in euros.
pub(crate) fn payment(amount: u64) -> Ask {
    let money = Money::new(amount, "EUR".parse().unwrap()).unwrap();
    Ask::Payment { money, description: DisplayText::new("Invoice 4711").unwrap(), card: None }
}

/// Returns an ask for a card to save.
pub(crate) fn save_card() -> Ask {
    Ask::PaymentMethod { description: DisplayText::new("Card for later").unwrap() }
}

/// Returns an attempt to charge.
pub(crate) fn charge(
    authorization: &Authorization,
    amount: u64,
    attempt_no: u32,
) -> AttemptContext<'_> {
    attempt(payment(amount), authorization, attempt_no)
}

/// Returns an attempt at an ask.
pub(crate) fn attempt(
    ask: Ask,
    authorization: &Authorization,
    attempt_no: u32,
) -> AttemptContext<'_> {
    AttemptContext {
        request: REQUEST.parse().unwrap(),
        attempt_no,
        ask: Box::leak(Box::new(ask)),
        labels: ports::RequestLabels::NONE,
        authorization,
        customer: "c0ffee",
        page: "https://pay.example.com/c/page",
        callback: "https://pay.example.com/callbacks/acme/primary",
        begun_at: Timestamp::from_millis(1_767_225_600_000),
        on_hosted_page: false,
        redeemed: false,
        reported: None,
    }
}

/// The request of every attempt.
pub(crate) const REQUEST: &str = "req_01J00000000000000000000000";

/// Returns an authorization of a kind.
pub(crate) fn approval(kind: CredentialKind, secret: &str) -> Authorization {
    Credential::new(kind, secret).into()
}

/// Returns the kind of the credential; `None` for a grant or a hosted page.
pub(crate) const fn credential_kind(authorization: &Authorization) -> Option<CredentialKind> {
    match authorization {
        Authorization::Credential(credential) => Some(credential.kind),
        Authorization::Hosted | Authorization::Grant(_) => None,
    }
}

/// Returns an authorization that carries a payment method.
pub(crate) fn payment_method(id: &str) -> Authorization {
    approval(CredentialKind::PaymentMethod, id)
}

/// Returns an authorization for the processor's hosted page.
pub(crate) fn hosted() -> Authorization {
    Authorization::Hosted
}
