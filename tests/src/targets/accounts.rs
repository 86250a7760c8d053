//! A brand's accounts at Adyen and at an OpenID provider, over a network that answers as a target says.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use domain::brand::{Brand, Mode};
use futures_util::FutureExt;
use http::{Method, Request, Response};
use ports::{Http, HttpError, Processor, Processors, Proof, Reach, UnverifiedCallback};
use processors::{Deps, Registry};
use serde_json::json;

use super::fuzz_fixture::BASE;
use crate::doubles::{ManualClock, START_TIME};
use crate::lock::lock;
use crate::providers::adyen;

/// The issuer of the OpenID provider.
pub(super) const ISSUER: &str = "https://id.example";
/// The client at the OpenID provider.
pub(super) const CLIENT: &str = "acme shop";

/// The answer to a call, by its path.
pub(super) type Answers = Box<dyn Fn(&str) -> Response<Bytes> + Send>;

/// A network that answers as it is told, and keeps the last call.
#[derive(Default)]
pub(super) struct Network {
    answers: Mutex<Option<Answers>>,
    last: Mutex<Request<Bytes>>,
}

#[async_trait]
impl Http for Network {
    async fn call(
        &self,
        call: Request<Bytes>,
        _: Reach,
        _: Duration,
    ) -> Result<Response<Bytes>, HttpError> {
        let answers = lock(&self.answers);
        let answer = answers.as_ref().map(|answers| answers(call.uri().path()));
        *lock(&self.last) = call;
        answer.ok_or_else(|| HttpError::NotSent("no answer is set".into()))
    }
}

impl Network {
    /// Returns the body of the last call.
    pub(super) fn last_body(&self) -> Bytes {
        lock(&self.last).body().clone()
    }
}

/// One processor of the brand, opened once more.
pub(super) struct Account {
    pub(super) network: Arc<Network>,
    pub(super) processor: Box<dyn Processor>,
}

impl Account {
    /// Opens the processor of that name.
    pub(super) fn open(name: &str, answers: Answers) -> Self {
        let adyen = json!({ "api_key": adyen::API_KEY, "merchant_account": adyen::ACCOUNT,
            "hmac_keys": [adyen::HMAC_KEY], "base_url": "https://adyen.example",
            "google_pay": { "country": "NL" } });
        let openid = json!({ "issuer": ISSUER, "client_id": CLIENT, "client_secret": "s3cret:%" });
        let key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
        let brand = json!({
            "version": "1", "name": "acme", "display_name": "Acme", "keys": [],
            "sealing": { "current": "1", "keys": { "1": key } }, "address_key": key, "link_key": key,
            "test": { "processors": [
                { "name": "adyen", "kind": "adyen", "settings": adyen },
                { "name": "bank", "kind": "openid", "settings": openid },
            ] },
        });
        let brand = Brand::parse(&brand.to_string()).expect("a brand");
        let network = Arc::new(Network::default());
        *lock(&network.answers) = Some(answers);
        let http: Arc<dyn Http> = Arc::<Network>::clone(&network);
        let registry = Registry::new(Deps { http, clock: Arc::new(ManualClock::default()) });
        let opened = registry.open(&brand, Mode::Test, &name.parse().expect("a name"));
        Self { processor: opened.expect("a processor"), network }
    }
}

/// Runs what never waits, since the network answers at once.
pub(super) fn now<T>(work: impl Future<Output = T>) -> T {
    work.now_or_never().expect("nothing waits")
}

/// Returns a call of the processor or of the customer's browser that returns.
pub(super) fn callback(name: &str, method: Method, query: &str, body: &[u8]) -> UnverifiedCallback {
    UnverifiedCallback {
        method,
        url: format!("{BASE}/callbacks/acme/{name}{query}"),
        headers: http::HeaderMap::new(),
        body: body.to_vec().into(),
        now: START_TIME,
        proof: Proof::None,
    }
}
