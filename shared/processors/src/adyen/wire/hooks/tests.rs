//! The signature itself, over the vectors of the reference; what is made of webhooks is tested through the port.

use serde_json::Value;

use super::*;

const VECTORS: &str = include_str!("../../fixtures/vectors-webhook.json");

fn vectors(name: &str) -> Vec<Value> {
    let file: Value = serde_json::from_str(VECTORS).unwrap();
    file[name].as_array().unwrap().clone()
}

fn key(vector: &Value) -> Vec<u8> {
    hex::decode(vector["key_hex"].as_str().unwrap()).unwrap()
}

#[test]
fn items_are_signed_as_in_the_reference() {
    let vectors = vectors("standard");
    for vector in &vectors {
        let mut item = vector["item"].clone();
        item["additionalData"] =
            serde_json::json!({ "hmacSignature": vector["hmacSignature"].clone() });
        let item: Item = serde_json::from_value(item).unwrap();
        assert_eq!(item.signing_string(), vector["signing_string"].as_str().unwrap());
        assert!(item.is_signed(&[Zeroizing::new(key(vector))]), "{}", vector["name"]);
        assert!(!item.is_signed(&[Zeroizing::new(vec![7; 32])]));
    }
    assert_eq!(vectors.len(), 7);
}

/// Other webhooks of Adyen's sign the whole body with the same kind of key; none of them is taken here.
#[test]
fn bodies_are_signed_as_in_the_reference() {
    let vectors = vectors("payload");
    for vector in &vectors {
        let mac = signature(&key(vector), vector["payload"].as_str().unwrap().as_bytes());
        assert_eq!(mac.as_deref(), vector["expect_b64"].as_str());
    }
    assert_eq!(vectors.len(), 2);
}
