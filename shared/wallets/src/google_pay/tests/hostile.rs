//! What is no token at all, or no list of keys: it is refused, and nothing panics, loops or goes deeper than the stack.

use std::sync::LazyLock;

use super::made::Making;
use super::*;
use crate::TEXT_MAX;

fn answer(token: &str) -> Refused {
    static KEYS: LazyLock<[Key; 1]> = LazyLock::new(|| [key()]);
    static ROOTS: LazyLock<RootKeys> = LazyLock::new(tinks_roots);
    let id = merchant();
    open(token, Recipient { id: &id, keys: &*KEYS }, &ROOTS, today(), &ANY).unwrap_err()
}

fn whole() -> Value {
    vectors()["own_ecv2"]["token"].clone()
}

#[test]
fn a_text_that_ends_early_is_no_token() {
    for vector in ["tink_ecv1", "own_ecv2", "own_ecv2_signing_only"] {
        let token = token(&vectors()[vector]["token"]);
        for end in 0..token.len() {
            assert_eq!(answer(&token[..end]), Refused::Malformed, "{end}");
        }
    }
}

#[test]
fn what_is_other_json_is_no_token() {
    let odd = [
        "",
        " ",
        "null",
        "[]",
        "{}",
        "1",
        "\"\"",
        "\u{0}",
        "\u{feff}{}",
        r#"{"protocolVersion":null}"#,
        r#"{"protocolVersion":"ECv1"}"#,
        r#"{"protocolVersion":"ECv1","protocolVersion":"ECv1"}"#,
    ];
    for text in odd {
        assert_eq!(answer(text), Refused::Malformed, "{text}");
    }
    for (member, twice) in [("protocolVersion", "\"ECv2\""), ("signature", "\"\"")] {
        let more = format!("{{\"{member}\":{twice},");
        let twice = whole().to_string().replacen('{', &more, 1);
        assert_eq!(answer(&twice), Refused::Malformed, "{member}");
    }
}

#[test]
fn each_member_is_of_its_own_kind() {
    let members = [
        "/protocolVersion",
        "/signature",
        "/signedMessage",
        "/intermediateSigningKey",
        "/intermediateSigningKey/signedKey",
        "/intermediateSigningKey/signatures",
        "/intermediateSigningKey/signatures/0",
    ];
    for member in members {
        for other in [json!(null), json!(1), json!({}), json!([1]), json!([["a"]])] {
            let mut changed = whole();
            *changed.pointer_mut(member).unwrap() = other;
            assert_eq!(answer(&changed.to_string()), Refused::Malformed, "{member}");
        }
    }
    for member in ["/signature", "/signedMessage", "/intermediateSigningKey/signatures/0"] {
        for other in ["", "=", "A", "AAAA", "\u{e9}", "MAA=", "MAYCAQACAQA="] {
            let mut changed = whole();
            *changed.pointer_mut(member).unwrap() = other.into();
            assert_eq!(answer(&changed.to_string()), Refused::Forged, "{member} {other}");
        }
    }
}

/// What Google itself would have to sign: it is read as carefully.
#[test]
fn what_is_signed_is_read_as_carefully() {
    let id = merchant();
    let keys = [key()];
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200)).parse::<Value>();
    assert!(deep.is_err());
    for plain in [json!(null), json!([]), json!("plaintext"), json!({}), json!({"messageId": "a"})]
    {
        for protocol in [Protocol::EcV1, Protocol::EcV2, Protocol::EcV2SigningOnly] {
            let made = Making { plain: plain.clone(), ..Making::new(protocol) };
            let recipient = Recipient { id: &id, keys: &keys };
            let token = made.token().to_string();
            let refused = message(&token, recipient, &made.roots(), today()).unwrap_err();
            assert_eq!(refused, Refused::Malformed);
        }
    }
    let bytes = Protocol::EcV2.key_bytes().unwrap();
    let signed: Value = text(&whole()["signedMessage"]).parse().unwrap();
    for member in signed.as_object().unwrap().keys() {
        for other in [json!(null), json!(""), json!("="), json!("AAAA"), json!(["AAAA"])] {
            let mut changed = signed.clone();
            changed[member] = other;
            assert!(cipher::open(&changed.to_string(), &keys, bytes).is_err(), "{member}");
        }
        let mut less = signed.clone();
        less.as_object_mut().unwrap().remove(member);
        let refused = cipher::open(&less.to_string(), &keys, bytes).unwrap_err();
        assert_eq!(refused, Refused::Malformed);
    }
    let mut more = signed;
    more["more"] = "".into();
    assert_eq!(cipher::open(&more.to_string(), &keys, bytes).unwrap_err(), Refused::Malformed);
}

#[test]
fn what_is_huge_or_deep_is_no_token() {
    for count in [100, 10_000, TEXT_MAX / 2, TEXT_MAX, 4 * TEXT_MAX] {
        for (open, close) in [("[", "]"), ("{\"protocolVersion\":", "}"), ("{\"a\":", "}")] {
            let deep = [open.repeat(count), close.repeat(count)].concat();
            assert_eq!(answer(&deep), Refused::Malformed);
            assert_eq!(answer(&open.repeat(count)), Refused::Malformed);
            assert_eq!(RootKeys::read(&deep).unwrap_err(), InvalidRootKeys);
        }
        let mut long = whole();
        long["signedMessage"] = "A".repeat(count).into();
        assert!(matches!(answer(&long.to_string()), Refused::Malformed | Refused::Forged));
        let mut many = whole();
        let signatures = "/intermediateSigningKey/signatures";
        *many.pointer_mut(signatures).unwrap() = vec![""; count / 4].into();
        assert!(matches!(answer(&many.to_string()), Refused::Malformed | Refused::Forged));
    }
    let padded = format!("{}{}", whole(), " ".repeat(TEXT_MAX));
    assert_eq!(answer(&padded), Refused::Malformed);
}

#[test]
fn a_list_of_keys_without_one_that_can_be_used_is_none() {
    let vectors = vectors();
    let key = text(&vectors["keys"]["root_ecv2_spki_b64"]);
    let usable = || listed("ECv2", key, Some("4102444800000"));
    let read = |keys: Value| RootKeys::read(&json!({"keys": keys}).to_string());
    assert!(read(json!([usable()])).is_ok());
    let odd = [
        listed("ECv3", key, Some("4102444800000")),
        listed("ECv2", key, None),
        listed("ECv2SigningOnly", key, None),
        listed("ECv2", key, Some("")),
        listed("ECv2", key, Some("-4102444800000")),
        listed("ECv2", key, Some("4102444800000000000000")),
        listed("ECv2", "", Some("4102444800000")),
        listed("ECv2", "AAAA", Some("4102444800000")),
    ];
    for odd in odd {
        assert_eq!(read(json!([odd])).unwrap_err(), InvalidRootKeys, "{odd}");
        assert!(read(json!([odd, usable()])).is_ok(), "{odd}");
    }
    for odd in ["", "{}", "[]", r#"{"keys":{}}"#, r#"{"keys":[1]}"#, r#"{"keys":[]}"#] {
        assert_eq!(RootKeys::read(odd).unwrap_err(), InvalidRootKeys, "{odd}");
    }
    let whole = json!({"keys": [usable()]}).to_string();
    let padded = format!("{whole}{}", " ".repeat(TEXT_MAX));
    assert_eq!(RootKeys::read(&padded).unwrap_err(), InvalidRootKeys);
    for end in 0..whole.len() {
        assert_eq!(RootKeys::read(&whole[..end]).unwrap_err(), InvalidRootKeys, "{end}");
    }
}
