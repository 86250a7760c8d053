//! The client's authentication at the provider: with its secret, or with a token that it signs.
//!
//! RFC 6749, section 2.3.1; RFC 7523, section 3. OpenID Connect Core 1.0, section 9, names the methods.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use domain::digest::digest_hex;
use domain::settings::is_withheld;
use domain::values::time::Timestamp;
use http::HeaderValue;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

/// The life of an assertion, in seconds. Singpass refuses more than two minutes:
/// <https://docs.developer.singpass.gov.sg/docs/technical-specifications/singpass-authentication-api/2.-token-endpoint/authorization-code-grant>,
/// read 2026-11-26. UNVERIFIED: Login.gov's maximum. Before going live there, sign in once.
const LIFE: i64 = 120;
/// The type of a client assertion (RFC 7523, section 2.2).
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// The audience of Apple's secrets. UNVERIFIED: second hand. Before going live, compare it with
/// <https://developer.apple.com/documentation/accountorganizationaldatasharing/creating-a-client-secret>.
const APPLE: &str = "https://appleid.apple.com";

/// The client's authentication, with its secret or its key.
pub(super) enum ClientAuth {
    /// A secret, sent as the provider takes it: in the header, unless its discovery document lists the form alone.
    Secret(SecretString),
    /// `client_secret_basic`.
    Basic(SecretString),
    /// `client_secret_post`.
    Post(SecretString),
    /// `private_key_jwt`.
    PrivateKeyJwt(AssertionKey),
    /// Apple's secret: a token that the key signs, sent in the form.
    Apple { key: AssertionKey, team_id: String },
}

/// The place where a provider takes a client's secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SecretPlace {
    /// In the header, which is the default.
    Header,
    /// In the form.
    Form,
}

/// A key that signs.
pub(super) struct AssertionKey {
    /// `None` in a function that may not read the key, and makes no call.
    pair: Option<KeyPair>,
    id: Option<String>,
    /// The audience of assertions; `None` for the token endpoint.
    audience: Option<String>,
}

enum KeyPair {
    Rsa(RsaKeyPair),
    P256(EcdsaKeyPair),
}

/// A call that the client authenticates.
#[derive(Clone, Copy)]
pub(super) struct AuthenticatedCall<'a> {
    pub(super) client_id: &'a str,
    /// The token endpoint, also for a call to another endpoint.
    pub(super) token_endpoint: &'a str,
    /// What the call sends. It makes the assertion's id.
    pub(super) form: &'a str,
    pub(super) secret_place: SecretPlace,
    pub(super) now: Timestamp,
}

/// The proof of the client in a call.
pub(super) enum ClientProof {
    /// The header `Authorization`.
    Header(HeaderValue),
    /// Fields of the form.
    Fields(Vec<(&'static str, String)>),
}

/// A key that cannot sign, or a secret that fits no header.
#[derive(Debug, thiserror::Error)]
#[error("failed to authenticate the client")]
pub(super) struct ClientAuthError;

impl ClientAuth {
    /// Returns what proves the client in a call.
    pub(super) fn proof(
        &self,
        call: AuthenticatedCall<'_>,
    ) -> Result<ClientProof, ClientAuthError> {
        match self {
            Self::Basic(secret) => basic(call.client_id, secret),
            Self::Post(secret) => Ok(post(secret)),
            Self::Secret(secret) => match call.secret_place {
                SecretPlace::Header => basic(call.client_id, secret),
                SecretPlace::Form => Ok(post(secret)),
            },
            Self::PrivateKeyJwt(key) => {
                let audience = key.audience.as_deref().unwrap_or(call.token_endpoint);
                let assertion = key.assertion(call, call.client_id, audience)?;
                Ok(ClientProof::Fields(vec![
                    ("client_assertion_type", ASSERTION_TYPE.to_owned()),
                    ("client_assertion", assertion),
                ]))
            }
            Self::Apple { key, team_id } => {
                let secret =
                    key.assertion(call, team_id, key.audience.as_deref().unwrap_or(APPLE))?;
                Ok(ClientProof::Fields(vec![("client_secret", secret)]))
            }
        }
    }
}

/// Returns the field of `client_secret_post`.
fn post(secret: &SecretString) -> ClientProof {
    ClientProof::Fields(vec![("client_secret", secret.expose_secret().to_owned())])
}

/// Returns the header of `client_secret_basic`: both parts are form-encoded before they are joined.
fn basic(client_id: &str, secret: &SecretString) -> Result<ClientProof, ClientAuthError> {
    let encoded =
        |text: &str| -> String { form_urlencoded::byte_serialize(text.as_bytes()).collect() };
    let pair = format!("{}:{}", encoded(client_id), encoded(secret.expose_secret()));
    let header = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(pair)));
    let mut header = header.map_err(|_unfit| ClientAuthError)?;
    header.set_sensitive(true);
    Ok(ClientProof::Header(header))
}

impl AssertionKey {
    /// Reads a key; `None` for a text that is no PKCS#8 key in PEM, RSA or P-256.
    pub(super) fn read(
        pem: &SecretString,
        id: Option<String>,
        audience: Option<String>,
    ) -> Option<Self> {
        if is_withheld(pem) {
            return Some(Self { pair: None, id, audience });
        }
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem.expose_secret().as_bytes()).ok()?;
        let der = der.secret_pkcs8_der();
        let p256 = || {
            let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
            EcdsaKeyPair::from_pkcs8(algorithm, der, &SystemRandom::new()).map(KeyPair::P256)
        };
        let pair = RsaKeyPair::from_pkcs8(der).map(KeyPair::Rsa).or_else(|_not_rsa| p256()).ok()?;
        Some(Self { pair: Some(pair), id, audience })
    }

    /// Signs who the client is. The id of the token differs for every call and second.
    fn assertion(
        &self,
        call: AuthenticatedCall<'_>,
        issuer: &str,
        audience: &str,
    ) -> Result<String, ClientAuthError> {
        let pair = self.pair.as_ref().ok_or(ClientAuthError)?;
        let (algorithm, now) = (pair.algorithm(), call.now.as_secs());
        let header = json!({ "alg": algorithm, "typ": "JWT", "kid": self.id });
        let made_of = format!("{} {} {}", call.now.as_millis(), call.client_id, call.form);
        let payload = json!({
            "iss": issuer,
            "sub": call.client_id,
            "aud": audience,
            "jti": digest_hex(made_of.as_bytes()),
            "iat": now,
            "exp": now.saturating_add(LIFE),
        });
        let signed = format!("{}.{}", part(header), part(payload));
        let signature = pair.sign(signed.as_bytes())?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

/// Encodes a part of a token, without members that are null.
fn part(mut part: Value) -> String {
    if let Some(members) = part.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    URL_SAFE_NO_PAD.encode(part.to_string())
}

impl KeyPair {
    const fn algorithm(&self) -> &'static str {
        match self {
            Self::Rsa(_) => "RS256",
            Self::P256(_) => "ES256",
        }
    }

    fn sign(&self, text: &[u8]) -> Result<Vec<u8>, ClientAuthError> {
        let random = SystemRandom::new();
        match self {
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                let done = pair.sign(&RSA_PKCS1_SHA256, &random, text, &mut signature);
                done.map(|()| signature).map_err(|_unsigned| ClientAuthError)
            }
            Self::P256(pair) => {
                let signature = pair.sign(&random, text);
                signature
                    .map(|signature| signature.as_ref().to_vec())
                    .map_err(|_unsigned| ClientAuthError)
            }
        }
    }
}
