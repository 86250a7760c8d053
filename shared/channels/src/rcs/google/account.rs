//! A Google service account: its key file, and the call that fetches an access token.
//!
//! Source: RFC 7523. UNVERIFIED: the claims and the hour are from memory. Before going live, compare them with
//! <https://developers.google.com/identity/protocols/oauth2/service-account>.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use domain::settings::is_withheld;
use domain::values::time::Timestamp;
use http::header::CONTENT_TYPE;
use http::{Method, Request, StatusCode};
use ports::{SendError, Source};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::answers::ProviderAnswer;
use crate::settings::{BaseUrl, InvalidSetting};
use crate::tokens::TokenAccount;

const SCOPE: &str = "https://www.googleapis.com/auth/rcsbusinessmessaging";
const TOKEN_URL: &str = "https://oauth2.googleapis.com/token";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// The life of an assertion, and of a token whose answer states none; the most that Google grants.
const LIFE_SECONDS: u64 = 3600;
/// A token is not used in its last seconds: a call takes time, and clocks differ.
const SPARE_SECONDS: u64 = 300;

/// The key file, unchanged. Google defines it, so other fields are ignored.
#[derive(Deserialize)]
pub(super) struct KeyFile {
    #[serde(rename = "type")]
    kind: String,
    client_email: String,
    /// PKCS#8 in PEM.
    private_key: SecretString,
    #[serde(default)]
    private_key_id: Option<String>,
    #[serde(default)]
    token_uri: Option<BaseUrl>,
}

/// A checked account, which can sign.
pub(super) struct ServiceAccount {
    email: String,
    key_id: Option<String>,
    /// `None` in a function that may not read the key, and makes no call.
    key: Option<RsaKeyPair>,
    token_url: String,
    token_account: TokenAccount,
}

/// The account's key cannot sign. A key that was parsed always can.
#[derive(Debug, thiserror::Error)]
#[error("failed to sign with the service account's key")]
struct SigningFailed;

#[derive(Serialize)]
struct TokenHeader<'a> {
    alg: &'static str,
    typ: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<&'a str>,
}

#[derive(Serialize)]
struct TokenClaims<'a> {
    iss: &'a str,
    scope: &'static str,
    aud: &'a str,
    iat: u64,
    exp: u64,
}

impl ServiceAccount {
    pub(super) fn new(file: KeyFile) -> Result<Self, InvalidSetting> {
        let KeyFile { kind, client_email: email, private_key, private_key_id: key_id, token_uri } =
            file;
        if kind != "service_account" {
            return Err(InvalidSetting { field: "type" });
        }
        if email.is_empty() {
            return Err(InvalidSetting { field: "client_email" });
        }
        let pem = private_key.expose_secret();
        let key = if is_withheld(&private_key) { None } else { Some(key_pair(pem)?) };
        let token_url = token_uri.map_or_else(|| TOKEN_URL.to_owned(), |uri| uri.join(""));
        let token_account = TokenAccount::of(&[SCOPE, &token_url, &email, pem]);
        Ok(Self { email, key_id, key, token_url, token_account })
    }

    /// Returns whether this function may read the key.
    pub(super) const fn can_sign(&self) -> bool {
        self.key.is_some()
    }

    /// Returns the key of the token cache.
    pub(super) const fn token_account(&self) -> TokenAccount {
        self.token_account
    }

    /// Writes the call that fetches a token: a pure function of the time.
    pub(super) fn token_call(&self, now: Timestamp) -> Result<Request<Bytes>, Source> {
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", GRANT)
            .append_pair("assertion", &self.assertion(now)?)
            .finish();
        let call = Request::builder().method(Method::POST).uri(&self.token_url);
        let call = call.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        Ok(call.body(Bytes::from(form))?)
    }

    /// Signs a JSON Web Token (RFC 7519) with RS256.
    fn assertion(&self, now: Timestamp) -> Result<String, Source> {
        let iat = u64::try_from(now.as_millis() / 1000)?;
        let header = TokenHeader { alg: "RS256", typ: "JWT", kid: self.key_id.as_deref() };
        let exp = iat.saturating_add(LIFE_SECONDS);
        let claims = TokenClaims { iss: &self.email, scope: SCOPE, aud: &self.token_url, iat, exp };
        let signed = format!("{}.{}", encoded(&header)?, encoded(&claims)?);
        let key = self.key.as_ref().ok_or(SigningFailed)?;
        let mut signature = vec![0; key.public().modulus_len()];
        // PKCS#1 v1.5 padding is deterministic. The function takes randomness for the other paddings.
        let random = SystemRandom::new();
        let done = key.sign(&RSA_PKCS1_SHA256, &random, signed.as_bytes(), &mut signature);
        if done.is_err() {
            return Err(SigningFailed.into());
        }
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

fn key_pair(pem: &str) -> Result<RsaKeyPair, InvalidSetting> {
    let invalid = InvalidSetting { field: "private_key" };
    let Ok(der) = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()) else { return Err(invalid) };
    match RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()) {
        Ok(key) => Ok(key),
        Err(_) => Err(invalid),
    }
}

fn encoded(part: &impl Serialize) -> Result<String, serde_json::Error> {
    Ok(URL_SAFE_NO_PAD.encode(serde_json::to_vec(part)?))
}

/// An access token, and the seconds for which it is used.
pub(super) struct AccessToken {
    pub(super) token: SecretString,
    pub(super) seconds: u64,
}

#[derive(Deserialize)]
struct TokenResponse {
    access_token: SecretString,
    #[serde(default)]
    expires_in: Option<u64>,
}

/// Reads the answer to [`ServiceAccount::token_call`].
///
/// # Errors
///
/// [`SendError`] for the prompt, which was not sent in any case.
pub(super) fn access_token(status: StatusCode, body: &[u8]) -> Result<AccessToken, SendError> {
    let again = || SendError::Again(ProviderAnswer { status }.into());
    match status.as_u16() {
        200..=299 => {}
        300..=399 | 404 | 405 => return Err(SendError::Misconfigured { reason: "base_url" }),
        408 | 429 => return Err(again()),
        // Most often 400 with `invalid_grant`: Google withdrew the key, or this machine's clock is wrong.
        400..=499 => return Err(SendError::Misconfigured { reason: "credentials" }),
        _ => return Err(again()),
    }
    let Ok(grant) = serde_json::from_slice::<TokenResponse>(body) else { return Err(again()) };
    let text = grant.access_token.expose_secret();
    // Any other text is no token, or fits no header.
    if text.is_empty() || text.len() > 8192 || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(again());
    }
    let life = grant.expires_in.unwrap_or(LIFE_SECONDS).min(LIFE_SECONDS);
    Ok(AccessToken { seconds: life.saturating_sub(SPARE_SECONDS), token: grant.access_token })
}
