//! The list of kinds, and the port that opens a brand's channels by it.

use std::sync::Arc;

use domain::brand::{Brand, Mode};
use domain::values::name::ChannelName;
use ports::{Channel, Channels, LiveHttp, OpenChannelError, PlainHttp, Source, error_chain};

use crate::adapter::{AdapterConfig, AdapterKind, Deps, Kind};
use crate::tokens::Tokens;
use crate::{apple, email, link, rcs, sms, whatsapp};

/// Every kind of this crate, in alphabetical order.
pub(crate) const KINDS: &[Kind] =
    &[apple::KIND, email::KIND, link::KIND, rcs::KIND, sms::KIND, whatsapp::KIND];

/// Opens a brand's channels: those of this crate's kinds, and of the kinds added to it. It logs a wrong setting, so no caller needs to.
///
/// Here a brand sends a prompt by SMS, and the network answers as Twilio does:
///
/// ```
/// # use std::{sync::Arc, time::Duration};
/// # use async_trait::async_trait;
/// # use bytes::Bytes;
/// # use domain::brand::{Brand, Mode};
/// # use domain::contact::Contact;
/// # use domain::random::Random;
/// # use domain::values::prompt_ref::PromptRef;
/// # use ports::*;
/// # use domain::values::id::{PromptId, RequestId};
/// # use domain::values::time::Timestamp;
/// # const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_000);
/// # struct Network;
/// # #[async_trait]
/// # impl Http for Network {
/// #     async fn call(
/// #         &self, _: http::Request<Bytes>, _: Reach, _: Duration,
/// #     ) -> Result<http::Response<Bytes>, HttpError> {
/// #         Ok(http::Response::builder().status(201).body(r#"{"sid": "SM1", "status": "queued"}"#.into()).unwrap())
/// #     }
/// # }
/// # struct Machine;
/// # #[async_trait]
/// # impl Clock for Machine {
/// #     fn now(&self) -> Timestamp { NOW }
/// #     async fn wait(&self, _: Duration) {}
/// # }
/// # impl Random for Machine {
/// #     fn fill(&self, bytes: &mut [u8]) { bytes.fill(7) }
/// # }
/// # let key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
/// let registry = channels::Registry::new(channels::Deps {
///     http: Arc::new(Network),
///     clock: Arc::new(Machine),
///     random: Arc::new(Machine),
///     signer: None,
/// });
/// let brand = Brand::parse(&serde_json::json!({
///     "version": "1", "name": "acme", "display_name": "Acme", "keys": [], "address_key": key, "link_key": key,
///     "sealing": {"current": "k1", "keys": {"k1": key}}, "live": {},
///     "test": {"channels": [{"name": "sms", "kind": "sms", "settings": {
///         "provider": "twilio", "account_sid": "AC0", "auth_token": "secret", "from": "+15005550006",
///     }}]},
/// }).to_string()).unwrap();
/// let channel = registry.open(&brand, Mode::Test, &"sms".parse().unwrap()).unwrap();
/// # let prompt = Prompt {
/// #     reference: PromptRef { request: RequestId::new(NOW, [1; 10]), prompt: PromptId::new(NOW, [2; 10]) },
/// #     to: "+15551230001".parse().unwrap(),
/// #     mail: None,
/// #     language: "en".parse().unwrap(),
/// #     payee: "Acme".to_owned(),
/// #     title: "Pay 42.50 EUR?".to_owned(),
/// #     body: "Acme asks for 42.50 EUR.".to_owned(),
/// #     text: "Acme: pay 42.50 EUR? https://pay.example.com/c/token".to_owned(),
/// #     labels: Labels {
/// #         approve: "Pay".to_owned(), deny: "No".to_owned(), not_me: "Not me".to_owned(), open: "Open".to_owned(),
/// #     },
/// #     buttons: Vec::new(),
/// #     contact: Contact::default(),
/// #     money: None,
/// #     card: None,
/// #     link: "https://pay.example.com/c/token".to_owned(),
/// #     callback: "https://hooks.example.com/callbacks/acme/sms".to_owned(),
/// #     expires_at: NOW.after(Duration::from_secs(300)),
/// #     now: NOW,
/// # };
/// let accepted = pollster::block_on(channel.send(&prompt)).unwrap();
/// assert_eq!(accepted.provider_id.as_deref(), Some("SM1"));
/// ```
pub struct Registry {
    deps: Deps,
    live_deps: Deps,
    tokens: Arc<Tokens>,
    extra: Vec<Box<dyn AdapterKind>>,
}

/// A `kind` that is not in the list.
#[derive(Debug, thiserror::Error)]
#[error("setting `kind` names no kind of channel")]
struct UnknownKind;

impl Registry {
    /// Creates a registry of this crate's kinds, whose channels touch `deps` and nothing else.
    #[must_use]
    pub fn new(deps: Deps) -> Self {
        let live_deps = Deps { http: Arc::new(LiveHttp(Arc::clone(&deps.http))), ..deps.clone() };
        Self { deps, live_deps, tokens: Arc::default(), extra: Vec::new() }
    }

    /// Adds a kind of another crate.
    #[must_use]
    pub fn with(mut self, kind: impl AdapterKind + 'static) -> Self {
        self.extra.push(Box::new(kind));
        self
    }

    fn kind(&self, name: &str) -> Option<&dyn AdapterKind> {
        let own = KINDS.iter().map(|kind| -> &dyn AdapterKind { kind });
        let extra = self.extra.iter().map(|kind| -> &dyn AdapterKind { kind.as_ref() });
        own.chain(extra).find(|kind| kind.name() == name)
    }
}

impl Channels for Registry {
    fn open(
        &self,
        brand: &Brand,
        mode: Mode,
        name: &ChannelName,
    ) -> Result<Box<dyn Channel>, OpenChannelError> {
        let setups = &brand.setup(mode).channels;
        let setup =
            setups.iter().find(|setup| setup.name == *name).ok_or(OpenChannelError::Absent)?;
        let (deps, plain_http) = match mode {
            Mode::Live => (&self.live_deps, setup.settings.plain_http()),
            Mode::Test => (&self.deps, None),
        };
        let config = AdapterConfig { deps, tokens: &self.tokens, brand, mode, setup };
        let kind = match plain_http {
            Some(path) => Err(Source::from(PlainHttp(path))),
            None => self.kind(&setup.kind).ok_or_else(|| Source::from(UnknownKind)),
        };
        kind.and_then(|kind| kind.open(&config)).map_err(|error| {
            tracing::error!(
                brand.name = %brand.name, brand.mode = ?mode, channel.name = %name,
                channel.kind = setup.kind, error = error_chain(error.as_ref()),
                "channel settings invalid"
            );
            OpenChannelError::Settings(error)
        })
    }
}
