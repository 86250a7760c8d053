//! Tests of a secret's text, and of the errors that name its faults.

use serde_json::{Value, json};

use super::*;

fn secret() -> Value {
    let key = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
    json!({
        "version": "1", "name": "acme", "display_name": "Acme Ltd", "keys": [],
        "sealing": { "current": "k1", "keys": { "k1": key } },
        "address_key": key, "link_key": key,
        "test": {
            "channels": [{ "name": "sms", "kind": "sandbox" }],
            "processors": [{ "name": "stripe", "kind": "stripe" }],
        },
        "live": { "channels": [], "processors": [{ "name": "stripe", "kind": "stripe" }] },
        "policy": { "open_max": 3 },
    })
}

fn refused(change: impl Fn(&mut Value)) -> String {
    let mut text = secret();
    change(&mut text);
    Brand::parse(&text.to_string()).unwrap_err().to_string()
}

#[test]
fn secret_invalid_names_the_field_and_its_rule() {
    let cases: [(&str, Value, &str); 9] = [
        ("/policy/open_max", json!("s3cret"), "setting `policy.open_max` is invalid: expected u32"),
        ("/policy", json!({ "s3cret": 1 }), "unknown setting in `policy` beside the known ones: "),
        (
            "/keys",
            json!([{ "mode": "s3cret" }]),
            "setting `keys[0].mode` is invalid: expected `test` or `live`",
        ),
        ("/keys", json!([{ "mode": "test" }]), "setting `keys[0].sha256` is missing"),
        (
            "/link_key",
            json!("s3cret"),
            "setting `link_key` is invalid: a key is 32 bytes in base64",
        ),
        (
            "/sealing/keys/k1",
            json!("s3cret"),
            "setting `sealing.keys.k1` is invalid: a key is 32 bytes in base64",
        ),
        ("/display_name", json!(""), "setting `display_name` is invalid: the text is empty"),
        (
            "/test/channels/0/name",
            json!("S3cret"),
            "setting `test.channels[0].name` is invalid: a name is 1 to 32 of",
        ),
        ("/sealing/current", json!("k2"), "the brand's current sealing key is not among its keys"),
    ];
    for (place, value, expected) in cases {
        let error = refused(|text| *text.pointer_mut(place).unwrap() = value.clone());
        assert!(error.starts_with(expected), "{place}: {error}");
        assert!(!error.to_lowercase().contains("s3cret"), "{error}");
    }
}

#[test]
fn secret_that_is_not_json_names_the_place_only() {
    for text in ["", "{\"name\": s3cret", "nothing", &format!("{} s3cret", secret())] {
        let error = Brand::parse(text).unwrap_err();
        assert!(matches!(error, InvalidBrand::NoJson { .. }), "{error}");
        assert!(!format!("{error:?} {error}").contains("s3cret"), "{error:?}");
    }
    let twice = secret().to_string().replacen('{', "{\"name\":\"acme\",", 1);
    let error = Brand::parse(&twice).unwrap_err().to_string();
    assert_eq!(error, "setting `name` is invalid: expected once");
}

#[test]
fn processor_with_the_name_of_a_channel_is_refused() {
    assert!(Brand::parse(&secret().to_string()).is_ok());
    for mode in ["test", "live"] {
        let place = format!("/{mode}/processors/0/name");
        let error = refused(|text| *text.pointer_mut(&place).unwrap() = json!("sms"));
        assert_eq!(error, "the processor `sms` has the name of a channel; rename one of them");
    }
}

#[test]
fn key_of_platforms_needs_an_id_and_rights_and_no_digest() {
    let arn = "arn:aws:connect:eu-west-1:123456789012:instance/a";
    let key = json!({ "id": "key_ivr", "mode": "test", "may": ["read"], "callers": [arn] });
    let with = |keys: &Value| {
        let mut text = secret();
        text["keys"] = keys.clone();
        Brand::parse(&text.to_string()).map(|brand| brand.keys[0].is_for(arn))
    };
    assert!(with(&json!([key])).unwrap());
    let mut live = key.clone();
    live["mode"] = json!("live");
    let without = |name: &str| {
        let mut key = key.clone();
        key.as_object_mut().unwrap().remove(name);
        json!([key])
    };
    for (keys, expected) in [
        (without("id"), "setting `keys[0].sha256` is missing; only a key"),
        (without("callers"), "setting `keys[0].sha256` is missing; only a key"),
        (without("may"), "setting `keys[0].may` is missing: a key with limits or callers"),
        (json!([key, live]), "an ARN stands twice in the `callers` of `keys`"),
    ] {
        let error = with(&keys).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}
