//! Every single bit of a real token, changed: none of them opens.

use super::*;

fn opens(payment_data: &Value) -> bool {
    open(&around(payment_data), keys(), signing_time(), &expected()).is_ok()
}

/// The bytes with one bit changed, for each bit.
fn changed(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    (0..bytes.len() * 8).map(|bit| {
        let mut changed = bytes.to_vec();
        changed[bit / 8] ^= 1 << (bit % 8);
        changed
    })
}

/// Changes each bit of what the member decodes to.
fn no_bit_of(member: &str, decode: fn(&str) -> Vec<u8>, encode: fn(Vec<u8>) -> String) {
    let mut payment_data = vector()["payment_data"].clone();
    assert!(opens(&payment_data));
    let bytes = decode(text(payment_data.pointer(member).unwrap()));
    assert!(bytes.len() >= 32);
    for (bit, changed) in changed(&bytes).enumerate() {
        *payment_data.pointer_mut(member).unwrap() = encode(changed).into();
        assert!(!opens(&payment_data), "bit {bit} of {member}");
    }
}

fn from_base64(text: &str) -> Vec<u8> {
    STANDARD.decode(text).unwrap()
}

fn from_hex(text: &str) -> Vec<u8> {
    hex::decode(text).unwrap()
}

#[test]
fn no_bit_of_the_signature_can_be_changed() {
    no_bit_of("/signature", from_base64, |bytes| STANDARD.encode(bytes));
}

/// The last 16 bytes are the tag.
#[test]
fn no_bit_of_the_data_can_be_changed() {
    no_bit_of("/data", from_base64, |bytes| STANDARD.encode(bytes));
}

#[test]
fn no_bit_of_the_ephemeral_key_can_be_changed() {
    no_bit_of("/header/ephemeralPublicKey", from_base64, |bytes| STANDARD.encode(bytes));
}

#[test]
fn no_bit_of_the_public_key_hash_can_be_changed() {
    no_bit_of("/header/publicKeyHash", from_base64, |bytes| STANDARD.encode(bytes));
}

#[test]
fn no_bit_of_the_transaction_id_can_be_changed() {
    no_bit_of("/header/transactionId", from_hex, hex::encode);
}

/// As the text stands there: also the names of members, and what is between them. A bit of a letter's case in hexadecimal is
/// the one that means the same, and then the id is the same.
#[test]
fn no_bit_of_the_text_can_be_changed() {
    let (now, expected) = (signing_time(), expected());
    let payment_data = vector()["payment_data"].to_string();
    let id = text(&vector()["payment_data"]["header"]["transactionId"]).to_owned();
    let mut same = 0;
    for (bit, changed) in changed(payment_data.as_bytes()).enumerate() {
        let Ok(changed) = String::from_utf8(changed) else { continue };
        let token = format!(r#"{{"paymentData":{changed}}}"#);
        if let Ok(unclaimed) = open(&token, keys(), now, &expected) {
            assert_eq!(unclaimed.id(), id, "bit {bit}");
            assert!(
                changed.contains(&id.to_uppercase())
                    || changed.to_lowercase() == payment_data.to_lowercase()
            );
            same += 1;
        }
    }
    let letters = id.bytes().filter(u8::is_ascii_alphabetic).count();
    assert_eq!(same, letters);
}

/// One bit that is changed where nothing is verified would be noticed by the decryption only if it were part of it: the
/// transaction's id is not.
#[test]
fn the_signature_alone_protects_the_transaction_id() {
    let mut sealed = wire::read(&token()).unwrap();
    sealed.transaction_id[0] ^= 1;
    assert!(cipher::open(&key(), &sealed).is_ok());
}
