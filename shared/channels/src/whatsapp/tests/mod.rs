//! The calls to the Cloud API, the meaning of each recorded answer, and the callbacks.

mod callbacks;
mod proof;
mod sending;
mod templates;

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderValue, Method};
use ports::{CallbackError, Channel, Proof, ReceivedWebhook, UnverifiedCallback};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::doubles::{NOW, Script, World, fixtures};

const NUMBER: &str = "106540352242922";
const CUSTOMER: &str = "15551230001";
const USER: &str = "US.13491208655302741918";

fn settings(name: &str) -> Value {
    fixtures("whatsapp/fixtures/settings")[name].clone()
}

fn channel(name: &str) -> (World, Box<dyn Channel>) {
    let world = World::new(Script::Lost);
    let channel = world.open("whatsapp", &settings(name)).unwrap();
    (world, channel)
}

fn headers(signature: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("x-hub-signature-256", HeaderValue::from_str(signature).unwrap());
    headers
}

fn call(method: Method, url: &str, headers: HeaderMap, body: &[u8]) -> UnverifiedCallback {
    let body = Bytes::copy_from_slice(body);
    let url = format!("https://hooks.example.com/callbacks/acme/whatsapp{url}");
    UnverifiedCallback { method, url, headers, body, now: NOW, proof: Proof::None }
}

fn signed(body: &[u8], secret: &str) -> UnverifiedCallback {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body);
    let signature = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
    call(Method::POST, "", headers(&signature), body)
}

fn receive(body: &[u8]) -> Result<ReceivedWebhook, CallbackError> {
    channel("page").1.receive(&signed(body, "secret-app"))
}

fn value(members: &Value) -> Value {
    let mut value = json!({
        "messaging_product": "whatsapp",
        "metadata": { "display_phone_number": "15550783881", "phone_number_id": NUMBER },
        "contacts": [{ "profile": { "name": "Zoë" }, "wa_id": CUSTOMER, "user_id": USER }],
    });
    value.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    value
}

fn body(values: &[Value]) -> Vec<u8> {
    let changes = values.iter().map(|value| json!({ "field": "messages", "value": value }));
    let entries = changes.map(|change| json!({ "id": "102290129340398", "changes": [change] }));
    let entries: Vec<Value> = entries.collect();
    json!({ "object": "whatsapp_business_account", "entry": entries }).to_string().into_bytes()
}
