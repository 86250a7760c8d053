//! Every single bit of a token, changed: none of them opens.

use super::*;

/// A token that opens, and what it takes.
struct Case {
    token: String,
    recipient: RecipientId,
    keys: [Key; 1],
    roots: RootKeys,
    now: Timestamp,
}

impl Case {
    fn opens(&self, token: &str) -> bool {
        let recipient = Recipient { id: &self.recipient, keys: &self.keys };
        text_of(token, recipient, &self.roots, self.now)
    }
}

fn text_of(token: &str, recipient: Recipient<'_>, roots: &RootKeys, now: Timestamp) -> bool {
    super::super::text(token, recipient, roots, now).is_ok()
}

fn tinks(member: &str, recipient: RecipientId) -> Case {
    let token = token(&vectors()[member]["token"]);
    Case { token, recipient, keys: [key()], roots: tinks_roots(), now: today() }
}

/// One of each version.
fn cases() -> [Case; 3] {
    [
        tinks("tink_ecv1", RecipientId("someRecipient".to_owned())),
        tinks("own_ecv2", merchant()),
        tinks("own_ecv2_signing_only", merchant()),
    ]
}

fn changed(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    (0..bytes.len() * 8).map(|bit| {
        let mut changed = bytes.to_vec();
        changed[bit / 8] ^= 1 << (bit % 8);
        changed
    })
}

/// As the text stands there: also the names of members, and what is between them. Where the changed text says the same, as
/// `\u003D` does for `\u003d`, it is the same token.
#[test]
fn no_bit_of_the_text_can_be_changed() {
    for case in cases() {
        let said: Value = case.token.parse().unwrap();
        let mut same = 0;
        for (bit, changed) in changed(case.token.as_bytes()).enumerate() {
            let Ok(changed) = String::from_utf8(changed) else { continue };
            let says_the_same = changed.parse::<Value>().is_ok_and(|value| value == said);
            assert_eq!(case.opens(&changed), says_the_same, "bit {bit} of {}", case.token);
            same += usize::from(says_the_same);
        }
        // Only escapes have digits in hexadecimal that can be written two ways.
        assert_eq!(same, case.token.replace("\\\\u", "").matches("\\u003d").count());
    }
}

/// Changes each bit of what the member decodes to.
fn no_bit_of(case: &Case, member: &str, within: Option<&str>) {
    let mut said: Value = case.token.parse().unwrap();
    let outer = text(said.pointer(member).unwrap()).to_owned();
    let mut inner: Value = match within {
        Some(_) => outer.parse().unwrap(),
        None => json!({"": outer}),
    };
    let within = within.unwrap_or("");
    let bytes = STANDARD.decode(text(&inner[within])).unwrap();
    for (bit, changed) in changed(&bytes).enumerate() {
        inner[within] = STANDARD.encode(changed).into();
        let outer =
            if within.is_empty() { inner[within].clone() } else { inner.to_string().into() };
        *said.pointer_mut(member).unwrap() = outer;
        assert!(!case.opens(&said.to_string()), "bit {bit} of {member} {within}");
    }
}

#[test]
fn no_bit_of_what_is_decoded_can_be_changed() {
    let [first, second, signed] = cases();
    for case in [&first, &second, &signed] {
        assert!(case.opens(&case.token));
        no_bit_of(case, "/signature", None);
    }
    for case in [&first, &second] {
        for member in ["encryptedMessage", "ephemeralPublicKey", "tag"] {
            no_bit_of(case, "/signedMessage", Some(member));
        }
    }
    for case in [&second, &signed] {
        no_bit_of(case, "/intermediateSigningKey/signatures/0", None);
        no_bit_of(case, "/intermediateSigningKey/signedKey", Some("keyValue"));
    }
}

/// What the tag is for: nothing else is left once the signature is not looked at.
#[test]
fn no_bit_of_an_encrypted_message_can_be_changed_even_without_the_signature() {
    for case in &cases()[..2] {
        let envelope = wire::read(&case.token).unwrap();
        let bytes = envelope.protocol.key_bytes().unwrap();
        assert!(cipher::open(&envelope.signed_message, &case.keys, bytes).is_ok());
        let message: Value = envelope.signed_message.parse().unwrap();
        for member in ["encryptedMessage", "ephemeralPublicKey", "tag"] {
            let whole = STANDARD.decode(text(&message[member])).unwrap();
            for (bit, changed) in changed(&whole).enumerate() {
                let mut message = message.clone();
                message[member] = STANDARD.encode(changed).into();
                let refused = cipher::open(&message.to_string(), &case.keys, bytes).unwrap_err();
                // Most bits of a point make it one that is not on the curve.
                let expected: &[Refused] = match member {
                    "ephemeralPublicKey" => &[Refused::Malformed, Refused::UnknownKey],
                    _ => &[Refused::UnknownKey],
                };
                assert!(expected.contains(&refused), "bit {bit} of {member}");
            }
        }
    }
}
