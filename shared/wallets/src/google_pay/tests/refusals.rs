//! What does not open, one reason at a time, and what does although it looks unusual.

use rcgen::KeyPair;

use super::made::{Making, spki};
use super::*;

const VERSIONS: [Protocol; 3] = [Protocol::EcV1, Protocol::EcV2, Protocol::EcV2SigningOnly];

fn opened(token: &str, roots: &RootKeys, expected: &Expected<'_>) -> Result<Unclaimed, Refused> {
    let (id, keys) = (merchant(), [key()]);
    open(token, Recipient { id: &id, keys: &keys }, roots, today(), expected)
}

fn outcome(protocol: Protocol, change: impl FnOnce(&mut Making)) -> Result<Unclaimed, Refused> {
    let mut made = Making::new(protocol);
    change(&mut made);
    opened(&made.token().to_string(), &made.roots(), &DEVICE)
}

fn new_key() -> KeyPair {
    KeyPair::generate().unwrap()
}

#[test]
fn a_token_of_each_version_made_here_opens() {
    for protocol in VERSIONS {
        assert_eq!(outcome(protocol, |_| ()).unwrap().id(), "own-msg-1");
    }
}

#[test]
fn a_token_is_for_its_recipient_alone() {
    for protocol in VERSIONS {
        for other in ["merchant:1", "merchant:123456789012345678901", "gateway:acme", ""] {
            let refused = outcome(protocol, |making| making.recipient = other.to_owned());
            assert_eq!(refused.unwrap_err(), Refused::Forged, "{other}");
        }
        let refused = outcome(protocol, |making| making.sender = "Goggle");
        assert_eq!(refused.unwrap_err(), Refused::Forged);
    }
}

#[test]
fn a_root_key_signs_the_key_that_signs_the_message() {
    for protocol in VERSIONS {
        let refused = outcome(protocol, |making| making.false_root = Some(new_key()));
        assert_eq!(refused.unwrap_err(), Refused::Forged);
    }
    for protocol in [Protocol::EcV2, Protocol::EcV2SigningOnly] {
        let refused = outcome(protocol, |making| making.false_intermediate = Some(new_key()));
        assert_eq!(refused.unwrap_err(), Refused::Forged);
        let root = |making: &mut Making| {
            let root = KeyPair::from_pem(&making.root.serialize_pem()).unwrap();
            making.false_intermediate = Some(root);
        };
        assert_eq!(outcome(protocol, root).unwrap_err(), Refused::Forged);
    }
}

#[test]
fn a_version_is_not_taken_for_another() {
    for (from, to) in [(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1)] {
        let made = Making::new(VERSIONS[from]);
        let to = VERSIONS[to];
        let key = spki(&made.root);
        // The same root key in each version's place.
        let all = VERSIONS.map(|each| listed(each.name(), &key, Some("4102444800000")));
        let mut token = made.token();
        assert!(opened(&token.to_string(), &roots(&all), &DEVICE).is_ok());
        token["protocolVersion"] = to.name().into();
        let refused = opened(&token.to_string(), &roots(&all), &DEVICE).unwrap_err();
        assert!(matches!(refused, Refused::Forged | Refused::Malformed));
        // A root key is of one version.
        let of_the_other = roots(&[listed(to.name(), &key, Some("4102444800000"))]);
        let refused = opened(&made.token().to_string(), &of_the_other, &DEVICE).unwrap_err();
        assert_eq!(refused, Refused::RootKeys);
    }
    let mut token = Making::new(Protocol::EcV1).token();
    token["protocolVersion"] = "ECv3".into();
    let refused = opened(&token.to_string(), &tinks_roots(), &DEVICE).unwrap_err();
    assert_eq!(refused, Refused::Unsupported);
}

#[test]
fn an_envelope_has_the_members_of_its_version_and_no_others() {
    for protocol in VERSIONS {
        let made = Making::new(protocol);
        let (whole, roots) = (made.token(), made.roots());
        let refused = |token: Value| opened(&token.to_string(), &roots, &DEVICE).unwrap_err();
        for member in whole.as_object().unwrap().keys() {
            let mut token = whole.clone();
            token.as_object_mut().unwrap().remove(member);
            assert_eq!(refused(token), Refused::Malformed, "{member}");
        }
        let mut more = whole.clone();
        more["more"] = json!(null);
        assert_eq!(refused(more), Refused::Malformed);
    }
    let second = Making::new(Protocol::EcV2);
    let mut token = second.token();
    token["intermediateSigningKey"]["more"] = json!(null);
    let refused = opened(&token.to_string(), &second.roots(), &DEVICE).unwrap_err();
    assert_eq!(refused, Refused::Malformed);
    let first = Making::new(Protocol::EcV1);
    let mut token = first.token();
    token["intermediateSigningKey"] =
        Making::new(Protocol::EcV2).token()["intermediateSigningKey"].clone();
    let refused = opened(&token.to_string(), &first.roots(), &DEVICE).unwrap_err();
    assert_eq!(refused, Refused::Malformed);
}

#[test]
fn root_keys_are_used_until_they_expire() {
    let made = Making::new(Protocol::EcV2);
    let token = made.token().to_string();
    let until = |millis: i64| {
        let end = millis.to_string();
        roots(&[listed("ECv2", &spki(&made.root), Some(&end))])
    };
    let now = today().as_millis();
    assert!(opened(&token, &until(now + 1), &DEVICE).is_ok());
    for end in [now, now - 1, 0] {
        assert_eq!(opened(&token, &until(end), &DEVICE).unwrap_err(), Refused::RootKeys);
    }
    // One that expired does not vouch while another is in force.
    let other = listed("ECv2", &spki(&new_key()), Some("4102444800000"));
    let expired = listed("ECv2", &spki(&made.root), Some("1000"));
    let both = roots(&[expired, other.clone()]);
    assert_eq!(opened(&token, &both, &DEVICE).unwrap_err(), Refused::Forged);
    // Any that is in force does, wherever it stands.
    let ours = listed("ECv2", &spki(&made.root), Some("4102444800000"));
    for both in [[other.clone(), ours.clone()], [ours, other]] {
        assert!(opened(&token, &roots(&both), &DEVICE).is_ok());
    }
}

#[test]
fn one_of_several_signatures_is_enough_and_none_is_not() {
    let made = Making::new(Protocol::EcV2);
    let mut token = made.token();
    let signatures = "/intermediateSigningKey/signatures";
    let good = token.pointer(signatures).unwrap()[0].clone();
    let other = Making::new(Protocol::EcV2).token().pointer(signatures).unwrap()[0].clone();
    for list in [json!([other, good]), json!([good, ""]), json!(["?", good])] {
        *token.pointer_mut(signatures).unwrap() = list;
        assert!(opened(&token.to_string(), &made.roots(), &DEVICE).is_ok());
    }
    for list in [json!([]), json!([other]), json!(["", "AAAA"])] {
        *token.pointer_mut(signatures).unwrap() = list;
        let refused = opened(&token.to_string(), &made.roots(), &DEVICE).unwrap_err();
        assert_eq!(refused, Refused::Forged);
    }
}

#[test]
fn intermediate_keys_and_messages_expire() {
    let now = today().as_millis();
    for protocol in [Protocol::EcV2, Protocol::EcV2SigningOnly] {
        let key_until = |end: Value| outcome(protocol, |making| making.key_expiration = end);
        assert!(key_until((now + 1).to_string().into()).is_ok());
        assert_eq!(key_until(now.to_string().into()).unwrap_err(), Refused::Expired);
        for odd in [json!(null), json!(now + 1), json!(""), json!("-1"), json!("+1"), json!("1e99")]
        {
            assert_eq!(key_until(odd).unwrap_err(), Refused::Malformed);
        }
    }
    for protocol in VERSIONS {
        let until =
            |end: Value| outcome(protocol, |making| making.plain["messageExpiration"] = end);
        assert!(until((now + 1).to_string().into()).is_ok());
        assert_eq!(until(now.to_string().into()).unwrap_err(), Refused::Expired);
        for odd in [json!(null), json!(now + 1), json!("never")] {
            assert_eq!(until(odd).unwrap_err(), Refused::Malformed);
        }
        let nameless = outcome(protocol, |making| making.plain["messageId"] = "".into());
        assert_eq!(nameless.unwrap_err(), Refused::Malformed);
    }
}

#[test]
fn a_message_is_for_one_of_our_keys() {
    let made = Making::new(Protocol::EcV2);
    let (token, roots, id) = (made.token().to_string(), made.roots(), merchant());
    let other = || Key::new(&new_key().serialize_pem().into()).unwrap();
    for keys in [vec![], vec![other()], vec![other(), other()]] {
        let recipient = Recipient { id: &id, keys: &keys };
        let refused = open(&token, recipient, &roots, today(), &DEVICE).unwrap_err();
        assert_eq!(refused, Refused::UnknownKey);
    }
    let rotated = [other(), key(), other()];
    let recipient = Recipient { id: &id, keys: &rotated };
    assert!(open(&token, recipient, &roots, today(), &DEVICE).is_ok());
    let short = outcome(Protocol::EcV2, |making| making.compressed = true);
    assert_eq!(short.unwrap_err(), Refused::Malformed);
}

#[test]
fn real_card_numbers_are_taken_only_where_asked_for() {
    let pan_only = |making: &mut Making| {
        let details = &mut making.plain["paymentMethodDetails"];
        *details = json!({
            "pan": "4111111111111111", "expirationMonth": 12, "expirationYear": 2030,
            "authMethod": "PAN_ONLY", "assuranceDetails": {"cardHolderAuthenticated": false}
        });
    };
    let mut made = Making::new(Protocol::EcV2);
    pan_only(&mut made);
    let (token, roots) = (made.token().to_string(), made.roots());
    assert_eq!(opened(&token, &roots, &DEVICE).unwrap_err(), Refused::CardNumber);
    let card = opened(&token, &roots, &ANY).unwrap().claimed();
    assert_eq!(card.kind(), Number::Card);
    assert!(card.cryptogram().is_none());
}

#[test]
fn what_is_no_card_with_what_a_processor_needs_is_refused() {
    let changed = |path: &str, value: Value| {
        outcome(Protocol::EcV2, |making| {
            let (outer, inner) = path.rsplit_once('/').unwrap();
            making.plain.pointer_mut(outer).unwrap()[inner] = value;
        })
    };
    for (path, value) in [
        ("/paymentMethod", json!("LOYALTY")),
        ("/paymentMethodDetails/authMethod", json!("3DS")),
        ("/paymentMethodDetails/authMethod", json!("CRYPTOGRAM_4DS")),
    ] {
        assert_eq!(changed(path, value).unwrap_err(), Refused::Unsupported, "{path}");
    }
    for (path, value) in [
        ("/paymentMethod", json!(null)),
        ("/paymentMethodDetails", json!(null)),
        ("/paymentMethodDetails/pan", json!(null)),
        ("/paymentMethodDetails/pan", json!(4_111_111_111_111_111_u64)),
        ("/paymentMethodDetails/dpan", json!("4111111111111111")),
        ("/paymentMethodDetails/cryptogram", json!(null)),
        ("/paymentMethodDetails/expirationMonth", json!(13)),
        ("/paymentMethodDetails/expirationMonth", json!(-1)),
        ("/paymentMethodDetails/expirationYear", json!(30)),
        ("/paymentMethodDetails/eciIndicator", json!("five")),
    ] {
        assert_eq!(changed(path, value).unwrap_err(), Refused::Malformed, "{path}");
    }
    assert!(changed("/paymentMethodDetails/eciIndicator", json!(null)).is_ok());
}

#[test]
fn a_gateways_token_is_for_the_merchant_the_page_named() {
    let of = |named: Value, expected: Option<&'static str>| {
        let mut made = Making::new(Protocol::EcV2);
        made.plain["gatewayMerchantId"] = named;
        let expected = Expected { gateway_merchant: expected, ..DEVICE };
        opened(&made.token().to_string(), &made.roots(), &expected)
    };
    assert!(of("acme".into(), Some("acme")).is_ok());
    assert!(of("acme".into(), None).is_ok());
    for (named, expected) in [("acme".into(), "other"), ("".into(), "acme"), (json!(null), "acme")]
    {
        assert_eq!(of(named, Some(expected)).unwrap_err(), Refused::OtherAsk);
    }
}

#[test]
fn a_recipient_is_a_merchant_or_a_gateway() {
    for good in ["merchant:12345678901234567890", "gateway:example"] {
        assert!(good.parse::<RecipientId>().is_ok());
    }
    for bad in ["", "merchant", "merchant:", "gateway:", "Merchant:1", "acme", "merchant:1 2"] {
        assert_eq!(bad.parse::<RecipientId>(), Err(InvalidRecipientId), "{bad}");
    }
}
