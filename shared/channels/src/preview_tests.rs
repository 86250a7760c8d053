//! Every adapter previews the words that it then sends. The sandbox phone's are compared in `tests/it/flows/previews.rs`.

use bytes::Bytes;
use http::Request;
use pollster::block_on;
use serde_json::{Value, json};

use crate::contract_tests::{WITHOUT_PROVIDER, samples};
use crate::doubles::{PHONE, Script, World, prompt_to};

/// Returns the texts within a message, also within a text that is JSON itself.
fn texts_of(message: &Value) -> Vec<String> {
    match message {
        Value::String(text) => {
            let inner = serde_json::from_str(text).ok().filter(Value::is_object);
            inner.map_or_else(|| vec![text.clone()], |inner| texts_of(&inner))
        }
        Value::Array(members) => members.iter().flat_map(texts_of).collect(),
        Value::Object(members) => members.values().flat_map(texts_of).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

fn sent_texts(calls: &[Request<Bytes>]) -> Vec<String> {
    let of_call = |call: &Request<Bytes>| match serde_json::from_slice(call.body()) {
        Ok(message) => texts_of(&message),
        Err(_) => form_urlencoded::parse(call.body())
            .flat_map(|(_, value)| texts_of(&Value::from(value.into_owned())))
            .collect(),
    };
    calls.iter().flat_map(of_call).collect()
}

/// Some calls come before the one that sends: for a token, or for a session.
#[test]
fn preview_has_the_words_that_are_sent() {
    let answer = json!({ "access_token": "a-token", "expires_in": 3_600 }).to_string();
    let mut compared = 0;
    for (kind, settings) in
        samples().into_iter().filter(|(kind, _)| !WITHOUT_PROVIDER.contains(kind))
    {
        let world = World::new(Script::Answer(200, answer.clone().into()));
        let (channel, prompt) = (world.open(kind, &settings).unwrap(), prompt_to(PHONE));
        let preview = channel.preview(&prompt).unwrap_or_else(|| panic!("{kind} {settings}"));
        assert!(world.calls().is_empty(), "{kind}");
        drop(block_on(channel.send(&prompt)));
        let sent = sent_texts(&world.calls());
        let lines = preview.text.lines().chain(preview.title.iter().map(String::as_str));
        let mut words = lines
            .chain(preview.buttons.iter().map(String::as_str))
            .filter(|line| !line.is_empty())
            .peekable();
        assert!(words.peek().is_some(), "{kind} {settings}");
        for line in words {
            assert!(
                sent.iter().any(|text| text.contains(line)),
                "{kind} {settings}: {line} is not in {sent:?}"
            );
            compared += 1;
        }
    }
    assert!(compared > 20, "{compared}");
}
