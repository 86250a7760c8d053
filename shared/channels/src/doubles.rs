//! Test doubles: a scripted network, a store in memory, a clock, a brand and a prompt.

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use domain::brand::{Brand, Key32, Mode};
use domain::contact::Contact;
use domain::postback::{Action, Postback};
use domain::random::Random;
use domain::values::id::{PromptId, RequestId};
use domain::values::name::ChannelName;
use domain::values::phone::Phone;
use domain::values::prompt_ref::PromptRef;
use domain::values::time::Timestamp;
use http::{Request, Response};
use ports::{
    AcceptedPrompt, Button, ButtonAction, Channel, Channels, Clock, Expect, Http, HttpError, Item,
    Key, Labels, MailParts, OpenChannelError, Page, Prompt, Range, Reach, SendError, SignError,
    Signer, Store, StoreError, Write,
};
use serde_json::{Value, json};

use crate::{Deps, Registry, under_test};

pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_000);
pub(crate) const PHONE: &str = "+15551230001";
pub(crate) const EMAIL: &str = "ada.stay-private@example.com";
/// The customer's id at a channel with ids of its own.
pub(crate) const HANDLE: &str = "urn:mbid:AQAAY1handle-stay-private==";

/// The network's behaviour for every call.
#[derive(Clone)]
pub(crate) enum Script {
    Answer(u16, Bytes),
    /// One answer for each call in turn; the answers to further calls are lost.
    InTurn(Vec<(u16, Bytes)>),
    Forbidden,
    NotSent,
    Lost,
}

/// Records every call and follows its scripts in turn; the last one stays.
///
/// Calls for an access token have scripts of their own.
pub(crate) struct Network {
    scripts: Mutex<VecDeque<Script>>,
    tokens: Mutex<VecDeque<Script>>,
    pub(crate) calls: Mutex<Vec<Request<Bytes>>>,
    /// The reach of each call.
    pub(crate) reaches: Mutex<Vec<Reach>>,
    /// The time limit of each call.
    pub(crate) allowed: Mutex<Vec<Duration>>,
    slow: Mutex<Option<(Arc<ManualClock>, Duration)>>,
}

impl Network {
    /// Lets `time` pass on the clock before every answer.
    pub(crate) fn takes(&self, clock: &Arc<ManualClock>, time: Duration) {
        *self.slow.lock().unwrap() = Some((Arc::clone(clock), time));
    }
}

fn next(scripts: &Mutex<VecDeque<Script>>) -> Script {
    let mut scripts = scripts.lock().unwrap();
    if scripts.len() > 1 { scripts.pop_front().unwrap() } else { scripts[0].clone() }
}

/// Returns whether a call fetches an access token (RFC 6749, section 4).
pub(crate) fn asks_for_token(call: &Request<Bytes>) -> bool {
    call.body().starts_with(b"grant_type=")
}

/// The answer that grants a token.
pub(crate) fn granted(token: &str) -> Script {
    let grant = json!({"access_token": token, "expires_in": 3599, "token_type": "Bearer"});
    Script::Answer(200, grant.to_string().into())
}

#[async_trait]
impl Http for Network {
    async fn call(
        &self,
        request: Request<Bytes>,
        reach: Reach,
        allowed: Duration,
    ) -> Result<Response<Bytes>, HttpError> {
        self.allowed.lock().unwrap().push(allowed);
        self.reaches.lock().unwrap().push(reach);
        if let Some((clock, time)) = &*self.slow.lock().unwrap() {
            clock.advance(*time);
        }
        let script = next(if asks_for_token(&request) { &self.tokens } else { &self.scripts });
        let place = {
            let mut calls = self.calls.lock().unwrap();
            calls.push(request);
            calls.len() - 1
        };
        match script {
            Script::InTurn(answers) => match answers.get(place) {
                Some((status, body)) => {
                    Ok(Response::builder().status(*status).body(body.clone()).unwrap())
                }
                None => Err(HttpError::Lost("reset".into())),
            },
            Script::Answer(status, body) => {
                Ok(Response::builder().status(status).body(body).unwrap())
            }
            Script::Forbidden => Err(HttpError::Forbidden),
            Script::NotSent => Err(HttpError::NotSent("refused".into())),
            Script::Lost => Err(HttpError::Lost("reset".into())),
        }
    }
}

/// A store in memory, or one that never answers.
#[derive(Default)]
pub(crate) struct Memory {
    pub(crate) items: Mutex<BTreeMap<Key, Item>>,
    pub(crate) silent: bool,
}

impl Memory {
    fn answers(&self) -> Result<(), StoreError> {
        if self.silent { Err(StoreError::Unavailable("silent".into())) } else { Ok(()) }
    }
}

#[async_trait]
impl Store for Memory {
    async fn read(&self, key: &Key) -> Result<Option<Item>, StoreError> {
        self.answers()?;
        Ok(self.items.lock().unwrap().get(key).cloned())
    }

    async fn list(&self, range: &Range) -> Result<Page, StoreError> {
        self.answers()?;
        let items = self.items.lock().unwrap();
        Ok(Page {
            items: items.values().filter(|item| item.key.pk == range.pk).cloned().collect(),
            more: false,
        })
    }

    async fn list_index(&self, range: &Range) -> Result<Page, StoreError> {
        self.list(range).await
    }

    async fn write(&self, writes: Vec<Write>) -> Result<(), StoreError> {
        self.answers()?;
        let mut items = self.items.lock().unwrap();
        for write in writes {
            let Write::Put { item, expect } = write else { panic!("a channel deletes nothing") };
            let there = items.get(&item.key).map(|item| item.version);
            let holds = match expect {
                Expect::Any => true,
                Expect::Absent => there.is_none(),
                Expect::Version(version) => there == Some(version),
            };
            if !holds {
                return Err(StoreError::Conflict);
            }
            items.insert(item.key.clone(), item);
        }
        Ok(())
    }
}

/// A clock that stands still between calls of [`advance`](Self::advance).
pub(crate) struct ManualClock(Mutex<Timestamp>);

impl ManualClock {
    pub(crate) fn advance(&self, time: Duration) {
        let mut now = self.0.lock().unwrap();
        *now = now.after(time);
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self(Mutex::new(NOW))
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    async fn wait(&self, _: Duration) {}
}

/// Draws the next number in each byte, so that every draw differs and every world draws the same.
#[derive(Default)]
pub(crate) struct CountingRandom(AtomicU8);

impl Random for CountingRandom {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(self.0.fetch_add(1, Ordering::SeqCst));
    }
}

struct FakeSigner;

#[async_trait]
impl Signer for FakeSigner {
    async fn sign(
        &self,
        mut call: Request<Bytes>,
        service: &str,
        region: &str,
    ) -> Result<Request<Bytes>, SignError> {
        call.headers_mut()
            .insert("authorization", format!("AWS4 {service}/{region}").parse().unwrap());
        Ok(call)
    }
}

/// The ports of one machine, and everything that a channel did to them.
pub(crate) struct World {
    pub(crate) network: Arc<Network>,
    pub(crate) store: Arc<Memory>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) random: Arc<CountingRandom>,
    pub(crate) signs: bool,
}

impl World {
    pub(crate) fn new(script: Script) -> Self {
        Self::in_turn([granted("secret-access")], [script])
    }

    /// A world whose network has `tokens` for calls that fetch a token, and `scripts` for all others.
    pub(crate) fn in_turn(
        tokens: impl Into<VecDeque<Script>>,
        scripts: impl Into<VecDeque<Script>>,
    ) -> Self {
        let network = Arc::new(Network {
            scripts: Mutex::new(scripts.into()),
            tokens: Mutex::new(tokens.into()),
            calls: Mutex::default(),
            reaches: Mutex::default(),
            allowed: Mutex::default(),
            slow: Mutex::default(),
        });
        let (store, clock, random) = (Arc::default(), Arc::default(), Arc::default());
        Self { network, store, clock, random, signs: true }
    }

    /// A world in which no port answers, except the call for an access token.
    pub(crate) fn silent() -> Self {
        let store = Arc::new(Memory { silent: true, ..Memory::default() });
        Self { store, ..Self::new(Script::Lost) }
    }

    pub(crate) fn registry(&self) -> Registry {
        under_test::registry(self)
    }

    pub(crate) fn deps(&self) -> Deps {
        let signer: Option<Arc<dyn Signer>> =
            if self.signs { Some(Arc::new(FakeSigner)) } else { None };
        let http: Arc<dyn Http> = Arc::<Network>::clone(&self.network);
        let clock: Arc<dyn Clock> = Arc::<ManualClock>::clone(&self.clock);
        let random: Arc<dyn Random> = Arc::<CountingRandom>::clone(&self.random);
        Deps { http, clock, random, signer }
    }

    /// Opens a channel of this kind, in test mode.
    pub(crate) fn open(
        &self,
        kind: &str,
        settings: &Value,
    ) -> Result<Box<dyn Channel>, OpenChannelError> {
        let (brand, name) = (brand(kind, settings), name());
        self.registry().open(&brand, Mode::Test, &name)
    }

    pub(crate) fn calls(&self) -> Vec<Request<Bytes>> {
        self.network.calls.lock().unwrap().clone()
    }
}

/// Opens a channel in a registry that may have opened others before.
pub(crate) fn open_in(registry: &Registry, kind: &str, settings: &Value) -> Box<dyn Channel> {
    registry.open(&brand(kind, settings), Mode::Test, &name()).unwrap()
}

/// The name of the channel in every brand here.
pub(crate) fn name() -> ChannelName {
    "a-channel".parse().unwrap()
}

/// A brand with one channel, the same in both modes.
pub(crate) fn brand(kind: &str, settings: &Value) -> Brand {
    let key = STANDARD.encode([7; 32]);
    let setup = json!({"channels": [{"name": "a-channel", "kind": kind, "settings": settings}]});
    let text = json!({
        "version": "1", "name": "acme", "display_name": "Acme", "keys": [], "address_key": key, "link_key": key,
        "sealing": {"current": "k1", "keys": {"k1": key}}, "test": setup, "live": setup,
    });
    Brand::parse(&text.to_string()).unwrap()
}

pub(crate) fn reference() -> PromptRef {
    PromptRef { request: RequestId::new(NOW, [1; 10]), prompt: PromptId::new(NOW, [2; 10]) }
}

pub(crate) fn prompt_to(phone: &str) -> Prompt {
    let [approve, deny, not_me, open] = ["Pay", "No", "Not me", "Open"].map(str::to_owned);
    Prompt {
        reference: reference(),
        to: phone.parse::<Phone>().unwrap(),
        mail: Some(MailParts {
            to: EMAIL.parse().unwrap(),
            subject: "Acme & Söhne: please answer".to_owned(),
            unsubscribe_label: "Unsubscribe".to_owned(),
            unsubscribe: "https://pay.example.com/u/acme.test.tok_hidden".to_owned(),
        }),
        language: "en-GB".parse().unwrap(),
        payee: "Acme & Söhne".to_owned(),
        title: "Pay 42.50 EUR?".to_owned(),
        body: "Acme & Söhne asks for 42.50 EUR for Invoice 4711.".to_owned(),
        text: "Acme & Söhne: pay 42.50 EUR? https://pay.example.com/c/tok_hidden".to_owned(),
        labels: Labels { approve, deny, not_me, open },
        buttons: vec![
            reply("Pay", Action::Approve),
            Button {
                label: "Open".to_owned(),
                action: ButtonAction::Open {
                    url: "https://pay.example.com/c/tok_hidden".to_owned(),
                    postback: postback(Action::Open),
                },
            },
            reply("No", Action::Deny),
            reply("Not me", Action::NotMe),
        ],
        contact: Contact { handle: Some(HANDLE.to_owned()), ..Contact::default() },
        money: None,
        card: None,
        link: "https://pay.example.com/c/tok_hidden".to_owned(),
        callback: "https://hooks.example.com/callbacks/acme/sms".to_owned(),
        expires_at: NOW.after(Duration::from_secs(300)),
        now: NOW,
    }
}

/// The postback of a button of the sample prompt.
pub(crate) fn postback(action: Action) -> String {
    Postback { reference: reference(), action }.write(&Key32::new([7; 32]))
}

fn reply(label: &str, action: Action) -> Button {
    Button { label: label.to_owned(), action: ButtonAction::Reply { postback: postback(action) } }
}

/// Returns a folder below the sources of `channels`, also when the tests of another crate use these doubles.
pub(crate) fn folder(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../channels/src").join(path)
}

/// The JSON files of a folder below the sources of `channels`, by name.
pub(crate) fn fixtures(path: &str) -> BTreeMap<String, Value> {
    let entries = fs::read_dir(folder(path)).unwrap().map(|entry| entry.unwrap().path());
    let files =
        entries.filter(|path| path.extension().is_some_and(|extension| extension == "json"));
    files
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, serde_json::from_slice(&fs::read(&path).unwrap()).unwrap())
        })
        .collect()
}

/// The status, the body and the meaning of a recorded answer.
pub(crate) fn recorded(fixture: &Value) -> (u16, Bytes, String) {
    let body = &fixture["body"];
    let body = body.as_str().map_or_else(|| body.to_string(), str::to_owned);
    let status = fixture["status"].as_u64().unwrap().try_into().unwrap();
    (status, body.into(), fixture["means"].as_str().unwrap().to_owned())
}

/// The result of a send, in the words of the fixtures.
pub(crate) fn meaning(sent: &Result<AcceptedPrompt, SendError>) -> String {
    match sent {
        Ok(accepted) => format!("accepted {}", accepted.provider_id.as_deref().unwrap_or("-")),
        Err(SendError::Unreachable { reason }) => format!("unreachable {reason}"),
        Err(SendError::Again(_)) => "again".to_owned(),
        Err(SendError::Unknown(_)) => "unknown".to_owned(),
        Err(SendError::Misconfigured { reason }) => format!("person {reason}"),
    }
}
