//! The calls to Google, the meaning of each recorded answer, and the webhook.

mod calls;
mod webhook;

use bytes::Bytes;
use domain::values::phone::Phone;
use http::Request;
use ports::Channel;
use serde_json::Value;

use crate::doubles::{PHONE, World, asks_for_token, fixtures, reference};

fn settings(name: &str) -> Value {
    fixtures("rcs/fixtures/settings").remove(name).unwrap()
}

fn open(world: &World) -> Box<dyn Channel> {
    world.open("rcs", &settings("google")).unwrap()
}

fn phone() -> Phone {
    PHONE.parse().unwrap()
}

fn uuid() -> String {
    reference().prompt.to_uuid()
}

/// The purpose of each call that was made.
fn purposes(world: &World) -> Vec<&'static str> {
    let of = |call: &Request<Bytes>| match call.method().as_str() {
        _ if asks_for_token(call) => "token",
        "GET" => "capability",
        "DELETE" => "revoke",
        _ => "send",
    };
    world.calls().iter().map(of).collect()
}
