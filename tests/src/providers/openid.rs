//! A fake OpenID provider: customers sign in, codes are exchanged, claims are read, and all is counted.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use domain::values::time::Timestamp;
use http::{Method, Request};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::providers::Answer;
use crate::providers::SECRET;

/// The provider's issuer URL.
pub(crate) const ISSUER: &str = "https://id.test";
/// Our client id.
pub(crate) const CLIENT: &str = "shop";

/// An OpenID provider in memory.
#[derive(Clone, Debug, Default)]
pub struct OpenIdProvider {
    /// The client's secret in force.
    pub secret: String,
    codes: BTreeMap<String, Code>,
    /// The requests whose codes were exchanged, until they are looked at.
    pub(crate) exchanges: Vec<String>,
    pushed: Vec<String>,
    /// The messages of broken invariants.
    pub(crate) broken: Vec<&'static str>,
}

/// One authorization code.
#[derive(Clone, Debug)]
struct Code {
    request: String,
    nonce: String,
    challenge: String,
    redirect: String,
    /// How often it was exchanged or tried.
    calls: u32,
    token: Option<String>,
}

type Pairs = BTreeMap<String, String>;

fn pairs(text: &[u8]) -> Pairs {
    form_urlencoded::parse(text).into_owned().collect()
}

fn text(pairs: &Pairs, name: &str) -> String {
    pairs.get(name).cloned().unwrap_or_default()
}

impl OpenIdProvider {
    /// Answers one call.
    pub(crate) fn take(&mut self, request: &Request<Bytes>, now: Timestamp) -> Answer {
        let header = request.headers().get("authorization").and_then(|value| value.to_str().ok());
        let given = header.unwrap_or_default().to_owned();
        if (request.method(), request.uri().path()) == (&Method::GET, "/userinfo") {
            return self.user_info(given.trim_start_matches("Bearer "));
        }
        let pair = STANDARD.encode(format!("{CLIENT}:{}", self.secret));
        if given != format!("Basic {pair}") {
            return (401, json!({ "error": "invalid_client" }));
        }
        match (request.method(), request.uri().path()) {
            (&Method::POST, "/par") => {
                let place = self.pushed.len();
                self.pushed.push(String::from_utf8_lossy(request.body()).into_owned());
                (201, json!({ "request_uri": format!("urn:{SECRET}:{place}"), "expires_in": 600 }))
            }
            (&Method::POST, "/token") => self.exchange(&pairs(request.body()), now),
            _ => (404, json!({ "error": "invalid_request" })),
        }
    }

    fn exchange(&mut self, form: &Pairs, now: Timestamp) -> Answer {
        let refused = (400, json!({ "error": "invalid_grant" }));
        let count = self.codes.values().filter(|code| code.token.is_some()).count();
        let Some(code) = self.codes.get_mut(&text(form, "code")) else { return refused };
        code.calls = code.calls.saturating_add(1);
        if code.calls > 1 {
            self.broken.push("C2: a code was exchanged twice");
            code.token = None;
            return refused;
        }
        let digest = Sha256::digest(text(form, "code_verifier"));
        let proven = URL_SAFE_NO_PAD.encode(digest) == code.challenge;
        if !proven || text(form, "redirect_uri") != code.redirect {
            self.broken.push("C1: a code was exchanged by another client");
            return refused;
        }
        let token = format!("{SECRET}-token-{count}");
        code.token = Some(token.clone());
        self.exchanges.push(code.request.clone());
        let claims = json!({
            "iss": ISSUER, "aud": CLIENT, "sub": "jane", "nonce": code.nonce,
            "exp": now.as_millis().div_euclid(1000).saturating_add(300),
        });
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let id_token = format!("{}.{}.x", part(&json!({ "alg": "none" })), part(&claims));
        (200, json!({ "access_token": token, "token_type": "Bearer", "id_token": id_token }))
    }

    fn user_info(&self, token: &str) -> Answer {
        if !self.codes.values().any(|code| code.token.as_deref() == Some(token)) {
            return (401, json!({ "error": "invalid_token" }));
        }
        // More than is asked for.
        let name = format!("Jane {SECRET}");
        (200, json!({ "sub": "jane", "name": name, "email": format!("{SECRET}@example.com") }))
    }

    /// The customer signs in. Returns the path and query that the browser comes back with.
    pub(crate) fn signs_in(&mut self, url: &str) -> Option<String> {
        let asked = self.asked(url)?;
        let state = text(&asked, "state");
        let code = format!("{SECRET}-code-{}", self.codes.len());
        let known = Code {
            request: state.split('.').next().unwrap_or_default().to_owned(),
            nonce: text(&asked, "nonce"),
            challenge: text(&asked, "code_challenge"),
            redirect: text(&asked, "redirect_uri"),
            calls: 0,
            token: None,
        };
        self.codes.insert(code.clone(), known);
        Some(back(&asked, "code", &code))
    }

    /// The customer releases nothing. Returns the path and query that the browser comes back with.
    pub(crate) fn denies(&self, url: &str) -> Option<String> {
        Some(back(&self.asked(url)?, "error", "access_denied"))
    }

    fn asked(&self, url: &str) -> Option<Pairs> {
        let query = pairs(url.split_once('?')?.1.as_bytes());
        let Some(pushed) = query.get("request_uri") else { return Some(query) };
        let place: usize = pushed.rsplit(':').next()?.parse().ok()?;
        self.pushed.get(place).map(|pushed| pairs(pushed.as_bytes()))
    }

    /// Returns how many codes of a request were exchanged.
    #[must_use]
    pub fn exchanged(&self, request: &str) -> usize {
        self.codes.values().filter(|code| code.request == request && code.token.is_some()).count()
    }
}

fn back(asked: &Pairs, name: &str, value: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair(name, value).append_pair("state", &text(asked, "state"));
    query.append_pair("iss", ISSUER);
    let redirect = text(asked, "redirect_uri");
    let path = redirect.strip_prefix(crate::sim::BASE).unwrap_or_default();
    format!("{path}?{}", query.finish())
}
