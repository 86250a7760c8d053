//! The calls to Apple, the meaning of its answers, and its callbacks.

mod paying;
mod receiving;
mod resolving;
mod sending;
mod vectors;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use domain::brand::Mode;
use domain::code_policy::SessionCodePolicy;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderValue, Method, Request};
use ports::{Channel, Channels, Proof, UnverifiedCallback};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::doubles::{NOW, Script, World, brand, fixtures};

const CSP: &str = "6d8f7a52-1c1e-4f0a-9f3e-0a2b4c6d8e10";
const SECRET: &[u8] = b"secret-key-of-the-provider";

fn settings(name: &str) -> Value {
    fixtures("apple/fixtures/settings")[name].clone()
}

fn open(world: &World, settings: &Value) -> Box<dyn Channel> {
    world.open("apple", settings).unwrap()
}

/// The channel of a brand whose payments carry no session code, with Apple Pay set up.
fn paying(script: Script) -> (World, Box<dyn Channel>) {
    let world = World::new(script);
    let mut brand = brand("apple", &settings("apple-pay"));
    brand.policy.session_code = SessionCodePolicy::all(false);
    let channel = world.registry().open(&brand, Mode::Test, &"a-channel".parse().unwrap()).unwrap();
    (world, channel)
}

fn json_of(call: &Request<Bytes>) -> Value {
    serde_json::from_slice(call.body()).unwrap()
}

/// A token as Apple signs one, computed independently of the code that verifies it.
fn token(header: &Value, claims: &Value, key: &[u8]) -> String {
    let [header, claims] = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
    let signed = format!("{header}.{claims}");
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

fn bearer() -> String {
    let claims = json!({ "aud": CSP, "iat": NOW.as_secs() });
    format!("Bearer {}", token(&json!({ "alg": "HS256" }), &claims, SECRET))
}

/// A callback with a valid token.
fn proven(body: &[u8]) -> UnverifiedCallback {
    let mut headers = HeaderMap::new();
    headers.insert("authorization", HeaderValue::from_str(&bearer()).unwrap());
    UnverifiedCallback {
        method: Method::POST,
        url: "https://hooks.example.com/callbacks/acme/apple/message".to_owned(),
        headers,
        body: Bytes::copy_from_slice(body),
        now: NOW,
        proof: Proof::None,
    }
}

fn base64(text: &Value) -> Vec<u8> {
    STANDARD.decode(text.as_str().unwrap()).unwrap()
}
