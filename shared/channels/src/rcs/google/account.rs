//! A Google service account: the key file Google hands out, and how its holder asks for an access token.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use domain::ports::{SendError, Source};
use domain::values::time::Timestamp;
use http::header::CONTENT_TYPE;
use http::{Method, Request, StatusCode};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::answers::Answered;
use crate::settings::{BaseUrl, InvalidSetting};
use crate::tokens::Account;

const SCOPE: &str = "https://www.googleapis.com/auth/rcsbusinessmessaging";
const TOKEN_URL: &str = "https://oauth2.googleapis.com/token";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// How long an assertion counts, and a token unless its answer says otherwise; the most Google grants.
const LIFE_SECONDS: u64 = 3600;
/// A token is used no more this long before its end: a call takes time, and clocks differ.
const SPARE_SECONDS: u64 = 300;

/// The key file, pasted as it is. It is Google's and not ours: what else it holds, now or later, is ignored.
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

/// The account, ready to sign.
pub(super) struct ServiceAccount {
    email: String,
    key_id: Option<String>,
    key: RsaKeyPair,
    token_url: String,
    account: Account,
}

/// The account's key cannot sign, which a key that was read never says.
#[derive(Debug, thiserror::Error)]
#[error("the service account's key does not sign")]
struct NoSignature;

#[derive(Serialize)]
struct Header<'a> {
    alg: &'static str,
    typ: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<&'a str>,
}

#[derive(Serialize)]
struct Claims<'a> {
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
        let Ok(der) = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()) else {
            return Err(InvalidSetting { field: "private_key" });
        };
        let Ok(key) = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()) else {
            return Err(InvalidSetting { field: "private_key" });
        };
        let token_url = token_uri.map_or_else(|| TOKEN_URL.to_owned(), |uri| uri.join(""));
        let account = Account::of(&[SCOPE, &token_url, &email, pem]);
        Ok(Self { email, key_id, key, token_url, account })
    }

    /// What its tokens are kept by.
    pub(super) const fn account(&self) -> Account {
        self.account
    }

    /// The call that asks for a token: a pure function of the time.
    pub(super) fn call(&self, now: Timestamp) -> Result<Request<Bytes>, Source> {
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", GRANT)
            .append_pair("assertion", &self.assertion(now)?)
            .finish();
        let call = Request::builder().method(Method::POST).uri(&self.token_url);
        let call = call.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        Ok(call.body(Bytes::from(form))?)
    }

    /// A JSON Web Token (RFC 7519) signed with RS256, which says who asks for what and when.
    fn assertion(&self, now: Timestamp) -> Result<String, Source> {
        let iat = u64::try_from(now.as_millis() / 1000)?;
        let header = Header { alg: "RS256", typ: "JWT", kid: self.key_id.as_deref() };
        let exp = iat.saturating_add(LIFE_SECONDS);
        let claims = Claims { iss: &self.email, scope: SCOPE, aud: &self.token_url, iat, exp };
        let signed = format!("{}.{}", encoded(&header)?, encoded(&claims)?);
        let mut signature = vec![0; self.key.public().modulus_len()];
        // This padding draws nothing from the randomness that the signature of the function asks for.
        let random = SystemRandom::new();
        let done = self.key.sign(&RSA_PKCS1_SHA256, &random, signed.as_bytes(), &mut signature);
        if done.is_err() {
            return Err(NoSignature.into());
        }
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

fn encoded(part: &impl Serialize) -> Result<String, serde_json::Error> {
    Ok(URL_SAFE_NO_PAD.encode(serde_json::to_vec(part)?))
}

/// A token, and for how many seconds it is used.
pub(super) struct Granted {
    pub(super) token: SecretString,
    pub(super) seconds: u64,
}

#[derive(Deserialize)]
struct Grant {
    access_token: SecretString,
    #[serde(default)]
    expires_in: Option<u64>,
}

/// What the answer to [`ServiceAccount::call`] means for the prompt, which is not sent yet whatever it is.
pub(super) fn granted(status: StatusCode, body: &[u8]) -> Result<Granted, SendError> {
    let again = || SendError::Again(Answered { status }.into());
    match status.as_u16() {
        200..=299 => {}
        300..=399 | 404 | 405 => return Err(SendError::Person { reason: "base_url" }),
        408 | 429 => return Err(again()),
        // Most often 400 with `invalid_grant`: the key was withdrawn, or this machine's clock is wrong.
        400..=499 => return Err(SendError::Person { reason: "credentials" }),
        _ => return Err(again()),
    }
    let Ok(grant) = serde_json::from_slice::<Grant>(body) else { return Err(again()) };
    let text = grant.access_token.expose_secret();
    // Anything else would not be taken in a header, or is no token.
    if text.is_empty() || text.len() > 8192 || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(again());
    }
    let life = grant.expires_in.unwrap_or(LIFE_SECONDS).min(LIFE_SECONDS);
    Ok(Granted { seconds: life.saturating_sub(SPARE_SECONDS), token: grant.access_token })
}
