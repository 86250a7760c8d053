//! The signature, over the reference vectors. The content of webhooks is tested through the port.

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
fn item_signatures_match_the_reference_vectors() {
    let vectors = vectors("standard");
    for vector in &vectors {
        let mut item = vector["item"].clone();
        item["additionalData"] =
            serde_json::json!({ "hmacSignature": vector["hmacSignature"].clone() });
        let item: NotificationItem = serde_json::from_value(item).unwrap();
        assert_eq!(item.signing_string(), vector["signing_string"].as_str().unwrap());
        assert!(item.is_signed(&[Zeroizing::new(key(vector))]), "{}", vector["name"]);
        assert!(!item.is_signed(&[Zeroizing::new(vec![7; 32])]));
    }
    assert_eq!(vectors.len(), 7);
}

/// Adyen's other webhooks sign the whole body with the same kind of key.
#[test]
fn body_signatures_match_the_reference_vectors() {
    let vectors = vectors("payload");
    for vector in &vectors {
        let mac = signature(&key(vector), vector["payload"].as_str().unwrap().as_bytes());
        assert_eq!(mac.as_deref(), vector["expect_b64"].as_str());
    }
    assert_eq!(vectors.len(), 2);
}
