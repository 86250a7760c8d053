//! Tokens made here, as Google makes them, under a root key of our own: whole, or wrong in one way.

use hmac::{Hmac, KeyInit, Mac};
use p256::SecretKey;
use p256::pkcs8::EncodePublicKey;
use rcgen::{KeyPair, PublicKeyData, SigningKey};
use sha2::Sha256;

use super::super::signing::joined;
use super::*;

/// What a token is made from; each part can be made wrong.
pub(super) struct Making {
    pub(super) protocol: Protocol,
    pub(super) recipient: String,
    pub(super) plain: Value,
    /// Who is said to send it.
    pub(super) sender: &'static str,
    /// The intermediate key's end.
    pub(super) key_expiration: Value,
    pub(super) root: KeyPair,
    pub(super) intermediate: KeyPair,
    /// Signs in the root's place.
    pub(super) false_root: Option<KeyPair>,
    /// Signs in the place of the intermediate key.
    pub(super) false_intermediate: Option<KeyPair>,
    /// Takes the message's point for the 33 bytes of its short form.
    pub(super) compressed: bool,
}

/// DER of a `SubjectPublicKeyInfo`, in base64.
pub(super) fn spki(key: &KeyPair) -> String {
    STANDARD.encode(key.subject_public_key_info())
}

fn new_key() -> KeyPair {
    KeyPair::generate().unwrap()
}

fn sign(key: &KeyPair, texts: &[&str]) -> String {
    STANDARD.encode(key.sign(&joined(texts).unwrap()).unwrap())
}

impl Making {
    pub(super) fn new(protocol: Protocol) -> Self {
        let plain = text(&vectors()["own_ecv2"]["expect"]["plaintext"]).parse().unwrap();
        Self {
            protocol,
            recipient: merchant().0,
            plain,
            sender: "Google",
            key_expiration: "4102444800000".into(),
            root: new_key(),
            intermediate: new_key(),
            false_root: None,
            false_intermediate: None,
            compressed: false,
        }
    }

    /// The list that has its root key in it.
    pub(super) fn roots(&self) -> RootKeys {
        roots(&[listed(self.protocol.name(), &spki(&self.root), Some("4102444800000"))])
    }

    pub(super) fn token(&self) -> Value {
        let name = self.protocol.name();
        let message = self.signed_message();
        let root = self.false_root.as_ref().unwrap_or(&self.root);
        let signer = match self.protocol {
            Protocol::EcV1 => root,
            Protocol::EcV2 | Protocol::EcV2SigningOnly => {
                self.false_intermediate.as_ref().unwrap_or(&self.intermediate)
            }
        };
        let signature = sign(signer, &[self.sender, &self.recipient, name, &message]);
        let mut token =
            json!({"protocolVersion": name, "signature": signature, "signedMessage": message});
        if self.protocol != Protocol::EcV1 {
            let key = json!({
                "keyExpiration": self.key_expiration, "keyValue": spki(&self.intermediate)
            });
            let key = key.to_string();
            let signatures = [sign(root, &[self.sender, name, &key])];
            token["intermediateSigningKey"] = json!({"signedKey": key, "signatures": signatures});
        }
        token
    }

    fn signed_message(&self) -> String {
        let mut plain = self.plain.to_string().into_bytes();
        let Some(bytes) = self.protocol.key_bytes() else {
            return self.plain.to_string();
        };
        let ephemeral = SecretKey::from_slice(&[7; 32]).unwrap().public_key();
        let whole = ephemeral.to_sec1_bytes();
        let short = ephemeral.to_public_key_der().unwrap();
        let point = if self.compressed {
            let odd = whole.last().unwrap() & 1;
            [&[2 + odd][..], &whole[1..33]].concat()
        } else {
            assert!(short.as_bytes().ends_with(&whole));
            whole.to_vec()
        };
        let keys = cipher::Keys::agreed(&key(), &point, bytes).unwrap();
        // The key stream is the same both ways.
        keys.decrypt(&mut plain).unwrap();
        let mac = Hmac::<Sha256>::new_from_slice(keys.halves().1).unwrap();
        let tag = mac.chain_update(&plain).finalize().into_bytes();
        json!({
            "encryptedMessage": STANDARD.encode(plain),
            "ephemeralPublicKey": STANDARD.encode(point),
            "tag": STANDARD.encode(tag),
        })
        .to_string()
    }
}
