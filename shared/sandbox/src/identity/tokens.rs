//! The token endpoint and user info.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use domain::keys;
use domain::problem::Problem;
use domain::values::time::Timestamp;
use http::header::{AUTHORIZATION, HeaderValue, WWW_AUTHENTICATE};
use http::{HeaderMap, Response};
use ports::{IdentityCall, StoreError};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::params::Params;
use super::people::{Person, SignInScript};
use super::sign_in::SignIn;
use super::{CLIENT_SECRET, IdentityProvider, json};

/// The life of an ID token, in seconds.
const LIFE: i64 = 300;
const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;

impl IdentityProvider {
    /// Exchanges a code for tokens (RFC 6749, section 4.1.3).
    pub(super) async fn exchange(
        &self,
        call: &IdentityCall<'_>,
    ) -> Result<Response<Bytes>, Problem> {
        let Some(form) = call.form.and_then(Params::read) else {
            return Ok(error(400, "invalid_request"));
        };
        let Some(client) = client(call.headers, &form) else {
            return Ok(challenged(error(401, "invalid_client"), "Basic realm=\"sandbox\""));
        };
        if form.get("grant_type") != Some("authorization_code") {
            return Ok(error(400, "unsupported_grant_type"));
        }
        let [Some(code), Some(redirect_uri), Some(verifier)] =
            ["code", "redirect_uri", "code_verifier"].map(|name| form.get(name))
        else {
            return Ok(error(400, "invalid_request"));
        };
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
        let is_asked = |sign_in: &SignIn| {
            sign_in.question.client_id == client
                && sign_in.question.redirect_uri == redirect_uri
                && keys::same(&sign_in.question.challenge, &challenge)
                && person(sign_in).is_some_and(|person| person.conduct != SignInScript::CodeRefused)
        };
        let redeemed = self.redeem(code, is_asked).await?;
        let Some((sign_in, token)) = redeemed else { return Ok(error(400, "invalid_grant")) };
        let id_token = self.id_token(&sign_in, &token).await?;
        Ok(json(
            200,
            &json!({
                "access_token": token,
                "token_type": "Bearer",
                "expires_in": LIFE,
                "id_token": id_token,
            }),
        ))
    }

    async fn id_token(&self, sign_in: &SignIn, token: &str) -> Result<String, StoreError> {
        let claims = id_token_claims(sign_in, &self.issuer(), token, self.clock.now());
        self.signing_key().await?.sign(&claims)
    }

    /// Returns the claims of an access token's person (OpenID Connect Core 1.0, section 5.3).
    pub(super) async fn user_info(
        &self,
        call: &IdentityCall<'_>,
    ) -> Result<Response<Bytes>, Problem> {
        let header = call.headers.get(AUTHORIZATION).and_then(|header| header.to_str().ok());
        let token = header.and_then(|header| header.strip_prefix("Bearer "));
        let sign_in = match token {
            Some(token) => self.by_token(token).await?,
            None => None,
        };
        let Some((sign_in, person)) = sign_in.and_then(|sign_in| {
            let person = person(&sign_in)?;
            Some((sign_in, person))
        }) else {
            let answer = error(401, "invalid_token");
            return Ok(challenged(answer, "Bearer error=\"invalid_token\""));
        };
        let is_another = person.conduct == SignInScript::OtherSubject;
        let subject = if is_another { "sandbox-another".to_owned() } else { person.subject() };
        let mut claims = person.released(&sign_in.question.claims);
        claims.insert("sub".to_owned(), Value::from(subject));
        Ok(json(200, &Value::Object(claims)))
    }
}

fn person(sign_in: &SignIn) -> Option<&'static Person> {
    Person::find(&sign_in.question.person)
}

/// Returns the claims of an ID token (OpenID Connect Core 1.0, sections 2 and 3.1.3.6).
fn id_token_claims(sign_in: &SignIn, issuer: &str, token: &str, now: Timestamp) -> Value {
    let conduct = person(sign_in).map_or(SignInScript::Releases, |person| person.conduct);
    let (now, at) = (now.as_secs(), sign_in.at.as_secs());
    let digest = Sha256::digest(token);
    let half = digest.get(..16).unwrap_or_default();
    let mut claims = Map::from_iter([
        ("iss".to_owned(), json!(issuer)),
        ("sub".to_owned(), json!(person(sign_in).map(Person::subject))),
        ("aud".to_owned(), json!(sign_in.question.client_id)),
        ("iat".to_owned(), json!(now)),
        ("exp".to_owned(), json!(now.saturating_add(LIFE))),
        ("auth_time".to_owned(), json!(at)),
        ("at_hash".to_owned(), json!(URL_SAFE_NO_PAD.encode(half))),
    ]);
    let asked = [("nonce", &sign_in.question.nonce), ("acr", &sign_in.question.acr)];
    let asked = asked.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
    claims.extend(asked.map(|(name, value)| (name.to_owned(), json!(value))));
    let wrong = match conduct {
        SignInScript::OtherIssuer => Some(("iss", json!(format!("{issuer}/another")))),
        SignInScript::OtherNonce => Some(("nonce", json!("of another sign-in"))),
        SignInScript::Expired => Some(("exp", json!(now.saturating_sub(HOUR)))),
        SignInScript::OldSignIn => {
            claims.remove("acr");
            Some(("auth_time", json!(at.saturating_sub(DAY))))
        }
        SignInScript::Releases
        | SignInScript::OtherNumber
        | SignInScript::ReleasesOne
        | SignInScript::ReleasesNone
        | SignInScript::Fails(_)
        | SignInScript::ReturnsFromElsewhere
        | SignInScript::CodeRefused
        | SignInScript::OtherSubject => None,
    };
    claims.extend(wrong.map(|(name, value)| (name.to_owned(), value)));
    Value::Object(claims)
}

/// Authenticates the client by its secret, in the header or in the form; `None` for another secret.
fn client(headers: &HeaderMap, form: &Params) -> Option<String> {
    let (id, secret) = match headers.get(AUTHORIZATION) {
        Some(header) => {
            let pair = STANDARD.decode(header.to_str().ok()?.strip_prefix("Basic ")?).ok()?;
            let pair = String::from_utf8(pair).ok()?;
            let (id, secret) = pair.split_once(':')?;
            (decoded(id), decoded(secret))
        }
        None => (form.get("client_id")?.to_owned(), form.get("client_secret")?.to_owned()),
    };
    keys::same(&secret, CLIENT_SECRET).then_some(id)
}

/// Decodes a part of `client_secret_basic`, which is form-encoded (RFC 6749, section 2.3.1).
fn decoded(text: &str) -> String {
    let field = format!("part={text}");
    let mut fields = form_urlencoded::parse(field.as_bytes());
    fields.next().map(|(_, value)| value.into_owned()).unwrap_or_default()
}

fn error(status: u16, code: &str) -> Response<Bytes> {
    json(status, &json!({ "error": code }))
}

fn challenged(mut answer: Response<Bytes>, challenge: &'static str) -> Response<Bytes> {
    answer.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    answer
}
