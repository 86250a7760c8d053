//! The sandbox's OpenID provider, for identity asks in test mode.
//!
//! It has the authorization code flow with PKCE (OpenID Connect Core 1.0, RFC 7636). The `openid` adapter reaches it over
//! HTTP, as it reaches any provider. Its customers are [test people](people::PEOPLE), who sign in with one tap.

mod authorization;
mod discovery;
mod params;
mod people;
mod sign_in;
mod signing;
mod tokens;

use std::sync::Arc;

use bytes::Bytes;
use domain::digest::to_hex;
use domain::problem::{Code, Problem};
use domain::random::Random;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use ports::{Clock, IdentityCall, Ports, Store};
use serde_json::Value;

/// The path of the provider, and the end of its issuer.
const PATH: &str = "/sandbox/identity";
/// The secret of every client. Nothing is real in test mode, so it is no secret.
const CLIENT_SECRET: &str = "sandbox";

/// The OpenID provider of one installation.
pub(crate) struct IdentityProvider {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    /// The installation's address, without a slash at its end.
    public_base: String,
}

impl IdentityProvider {
    /// Creates the provider of the installation at `public_base`.
    pub(crate) fn new(ports: &Ports, public_base: &str) -> Self {
        Self {
            store: Arc::clone(&ports.store),
            clock: Arc::clone(&ports.clock),
            random: Arc::clone(&ports.random),
            public_base: public_base.to_owned(),
        }
    }

    /// Answers a call below the provider's path.
    ///
    /// # Errors
    /// [`Code::NotFound`] for an unknown path, and a problem of the store.
    pub(crate) async fn serve(&self, call: &IdentityCall<'_>) -> Result<Response<Bytes>, Problem> {
        match call.path {
            ".well-known/openid-configuration" => Ok(json(200, &self.discovery())),
            "jwks" => Ok(json(200, &self.signing_key().await?.jwks())),
            "authorize" => self.authorize(call).await,
            "token" => self.exchange(call).await,
            "userinfo" => self.user_info(call).await,
            _ => {
                Err(Problem::new(Code::NotFound, "the sandbox's OpenID provider has no such path"))
            }
        }
    }

    fn issuer(&self) -> String {
        format!("{}{PATH}", self.public_base)
    }

    /// Draws a text that cannot be guessed.
    fn draw(&self) -> String {
        let mut bytes = [0; 24];
        self.random.fill(&mut bytes);
        to_hex(&bytes)
    }
}

/// Returns an answer in JSON that no cache keeps.
fn json(status: u16, body: &Value) -> Response<Bytes> {
    let mut answer = Response::new(Bytes::from(body.to_string()));
    *answer.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}
