//! What is no token at all: it is refused, and nothing panics, loops or goes deeper than the stack.

use super::*;

fn answer(token: &str) -> Refused {
    refused(token, keys(), signing_time(), &expected())
}

/// A real token with another signature.
fn signed_by(signature: &[u8]) -> String {
    let mut payment_data = vector()["payment_data"].clone();
    payment_data["signature"] = STANDARD.encode(signature).into();
    around(&payment_data)
}

fn signature() -> Vec<u8> {
    STANDARD.decode(text(&vector()["payment_data"]["signature"])).unwrap()
}

#[test]
fn a_text_that_ends_early_is_no_token() {
    let token = token();
    for end in 0..token.len() {
        assert_eq!(answer(&token[..end]), Refused::Malformed, "{end}");
    }
}

#[test]
fn a_signature_that_ends_early_or_late_is_none() {
    let whole = signature();
    for end in 0..whole.len() {
        assert_eq!(answer(&signed_by(&whole[..end])), Refused::Malformed, "{end}");
    }
    for more in [&[0][..], &[0, 0], &[5, 0], &[0x30, 0x80, 0, 0]] {
        assert_eq!(answer(&signed_by(&[&whole, more].concat())), Refused::Malformed);
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
        r#"{"paymentData":null}"#,
        r#"{"paymentData":{}}"#,
        r#"{"paymentData":{"version":"EC_v1"}}"#,
    ];
    for text in odd {
        assert_eq!(answer(text), Refused::Malformed, "{text}");
    }
    let twice = token().replacen("{\"paymentData\"", "{\"paymentData\":{},\"paymentData\"", 1);
    assert_eq!(answer(&twice), Refused::Malformed);
}

#[test]
fn each_member_is_needed_and_of_its_own_kind() {
    let whole = vector()["payment_data"].clone();
    let members = [
        "/version",
        "/data",
        "/signature",
        "/header",
        "/header/ephemeralPublicKey",
        "/header/publicKeyHash",
        "/header/transactionId",
    ];
    for member in members {
        for other in [json!(null), json!(1), json!([]), json!({}), json!(["a"])] {
            let mut changed = whole.clone();
            *changed.pointer_mut(member).unwrap() = other;
            assert_eq!(answer(&around(&changed)), Refused::Malformed, "{member}");
        }
    }
    for member in &members[1..] {
        for other in ["", "=", "A", "AAAA", "\u{e9}", "00", "zz"] {
            let mut changed = whole.clone();
            *changed.pointer_mut(member).unwrap() = other.into();
            let answer = answer(&around(&changed));
            // Whatever is base64 is data, of which the signature knows nothing.
            let unsigned = *member == "/data" && ["", "AAAA"].contains(&other);
            let expected = if unsigned { Refused::Forged } else { Refused::Malformed };
            assert_eq!(answer, expected, "{member} {other}");
        }
    }
    let mut empty = whole;
    empty["header"]["applicationData"] = "".into();
    assert_eq!(answer(&around(&empty)), Refused::Malformed);
}

#[test]
fn other_versions_are_for_somebody_else() {
    let mut payment_data = vector()["payment_data"].clone();
    for version in ["", "EC_v2", "ec_v1", "EC_v1 "] {
        payment_data["version"] = version.into();
        assert_eq!(answer(&around(&payment_data)), Refused::Unsupported, "{version}");
    }
    let rsa = json!({"wrappedKey": "AA==", "publicKeyHash": "AA==", "transactionId": "00"});
    let rsa = json!({"version": "RSA_v1", "data": "AA==", "signature": "AA==", "header": rsa});
    assert_eq!(answer(&around(&rsa)), Refused::Unsupported);
}

#[test]
fn what_is_huge_or_deep_is_no_token() {
    for count in [100, 10_000, TEXT_MAX / 2, TEXT_MAX, 4 * TEXT_MAX] {
        for (open, close) in [("[", "]"), ("{\"paymentData\":", "}"), ("{\"a\":", "}")] {
            let deep = [open.repeat(count), close.repeat(count)].concat();
            assert_eq!(answer(&deep), Refused::Malformed);
            assert_eq!(answer(&open.repeat(count)), Refused::Malformed);
        }
        let mut payment_data = vector()["payment_data"].clone();
        payment_data["data"] = "A".repeat(count).into();
        let answer = answer(&around(&payment_data));
        assert!(matches!(answer, Refused::Malformed | Refused::Forged));
    }
    let padded = format!("{}{}", token(), " ".repeat(TEXT_MAX));
    assert_eq!(answer(&padded), Refused::Malformed);
}

#[test]
fn a_signature_of_empty_boxes_is_none() {
    let whole = signature();
    for depth in [1, 10, 60, 63, 64, 65, 66, 100, 1_000, 10_000] {
        for header in [[0x30, 0x80], [0x31, 0x80], [0xa0, 0x80], [0x24, 0x80], [0x30, 0x84]] {
            let opened = header.repeat(depth);
            let closed = vec![0; depth * 2];
            // Alone, closed, and at each place where the real one has an indefinite length.
            assert_eq!(answer(&signed_by(&opened)), Refused::Malformed);
            assert_eq!(answer(&signed_by(&[&opened[..], &closed].concat())), Refused::Malformed);
            for place in [2, 15, 17, 20, 37, 39, 52, 54] {
                let (before, after) = whole.split_at(place);
                let within = [before, &opened, &closed, after].concat();
                assert_eq!(answer(&signed_by(&within)), Refused::Malformed);
            }
        }
    }
}
