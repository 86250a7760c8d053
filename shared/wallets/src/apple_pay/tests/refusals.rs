//! What does not open, one reason at a time, and what does although it looks unusual.

use der::asn1::OctetStringRef;
use der::oid::ObjectIdentifier;
use rcgen::{CustomExtension, IsCa, date_time_ymd};

use super::made::{Authority, Making, Plan, Signing, attribute, mark};
use super::*;

/// Makes a token, changes it, and opens it under the authority's root.
fn outcome(
    plan: impl FnOnce(&mut Plan),
    making: impl FnOnce(&mut Making),
    signing: impl FnOnce(&mut Signing),
    expected: &Expected<'_>,
) -> Result<Unclaimed, Refused> {
    let authority = Authority::new(plan);
    let root = authority.root.clone();
    let mut made = Making::new();
    making(&mut made);
    let token = around(&made.payment_data(authority, signing));
    open_under(&root, &token, keys(), signing_time(), expected)
}

fn with_chain(plan: impl FnOnce(&mut Plan)) -> Result<Unclaimed, Refused> {
    outcome(plan, |_| (), |_| (), &expected())
}

fn with_making(making: impl FnOnce(&mut Making)) -> Result<Unclaimed, Refused> {
    outcome(|_| (), making, |_| (), &expected())
}

fn with_signing(signing: impl FnOnce(&mut Signing)) -> Result<Unclaimed, Refused> {
    outcome(|_| (), |_| (), signing, &expected())
}

#[test]
fn a_token_made_here_opens_under_its_own_root_and_is_forged_under_apples() {
    assert!(with_chain(|_| ()).is_ok());
    let token = around(&Making::new().payment_data(Authority::new(|_| ()), |_| ()));
    assert_eq!(refused(&token, keys(), signing_time(), &expected()), Refused::Forged);
}

#[test]
fn both_certificates_carry_apples_marks() {
    let unmarked: [fn(&mut Plan); 4] = [
        |plan| plan.leaf.custom_extensions.clear(),
        |plan| plan.intermediate.custom_extensions.clear(),
        |plan| plan.leaf.custom_extensions = vec![mark(&[1, 2, 840, 113_635, 100, 6, 2, 14])],
        |plan| plan.intermediate.custom_extensions = vec![mark(&[1, 2, 840, 113_635, 100, 6, 29])],
    ];
    for (case, change) in unmarked.into_iter().enumerate() {
        assert_eq!(with_chain(change).unwrap_err(), Refused::Forged, "{case}");
        let swapped = |signing: &mut Signing| signing.certificates.reverse();
        let refused = outcome(change, |_| (), swapped, &expected()).unwrap_err();
        assert_eq!(refused, Refused::Forged, "{case}");
    }
}

#[test]
fn the_chain_holds_at_the_signing_time() {
    let broken: [fn(&mut Plan); 10] = [
        |plan| plan.leaf.not_after = date_time_ymd(2021, 9, 1),
        |plan| plan.leaf.not_before = date_time_ymd(2021, 9, 2),
        |plan| plan.intermediate.not_after = date_time_ymd(2021, 9, 1),
        |plan| plan.intermediate.not_before = date_time_ymd(2021, 9, 2),
        |plan| plan.skips = true,
        |plan| plan.leaf.is_ca = IsCa::Ca(rcgen::BasicConstraints::Constrained(0)),
        |plan| plan.intermediate.is_ca = IsCa::NoCa,
        |plan| plan.leaf.key_usages = vec![rcgen::KeyUsagePurpose::KeyAgreement],
        |plan| plan.intermediate.key_usages = vec![rcgen::KeyUsagePurpose::CrlSign],
        |plan| {
            let mut unknown = CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 9], vec![5, 0]);
            unknown.set_criticality(true);
            plan.leaf.custom_extensions.push(unknown);
        },
    ];
    for (case, change) in broken.into_iter().enumerate() {
        assert_eq!(with_chain(change).unwrap_err(), Refused::Forged, "{case}");
    }
    let just: fn(&mut Plan) = |plan| {
        plan.leaf.not_before = date_time_ymd(2021, 9, 1);
        plan.leaf.not_after = date_time_ymd(2021, 9, 2);
    };
    assert!(with_chain(just).is_ok());
}

#[test]
fn the_leaf_is_who_signed() {
    let other: [fn(&mut Signing); 3] = [
        |signing| signing.key = rcgen::KeyPair::generate().unwrap(),
        |signing| signing.named = signing.certificates[1].clone(),
        |signing| signing.named = Authority::new(|_| ()).leaf,
    ];
    for (case, change) in other.into_iter().enumerate() {
        assert_eq!(with_signing(change).unwrap_err(), Refused::Forged, "{case}");
    }
}

#[test]
fn the_signature_covers_this_content_and_says_so_once() {
    let digest = |text: &[u8]| {
        let digest = Sha256::digest(text);
        attribute(cms::MESSAGE_DIGEST, &OctetStringRef::new(&digest).unwrap())
    };
    let other = with_signing(|signing| signing.attributes[2] = digest(b"something else"));
    assert_eq!(other.unwrap_err(), Refused::Forged);
    let other = with_signing(|signing| {
        signing.attributes[0] = attribute(cms::CONTENT_TYPE, &cms::SIGNED_DATA);
    });
    assert_eq!(other.unwrap_err(), Refused::Malformed);
    for missing in 0..3 {
        let without = with_signing(|signing| {
            signing.attributes.remove(missing);
        });
        assert_eq!(without.unwrap_err(), Refused::Malformed, "{missing}");
        let twice = with_signing(|signing| {
            signing.attributes.push(signing.attributes[missing].clone());
        });
        assert_eq!(twice.unwrap_err(), Refused::Malformed, "{missing}");
    }
    // Apple signs one more, RFC 6211's, and may sign others.
    let more = with_signing(|signing| {
        let unknown = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.52");
        signing.attributes.push(attribute(unknown, &OctetStringRef::new(&[1]).unwrap()));
    });
    assert!(more.is_ok());
}

#[test]
fn a_signature_of_another_shape_is_not_looked_at() {
    const SHA_512: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.3");
    let other: [fn(&mut Signing); 11] = [
        |signing| signing.version = 3,
        |signing| signing.signer_version = 3,
        |signing| signing.content_type = cms::SIGNED_DATA,
        |signing| signing.digest_algorithms.clear(),
        |signing| signing.digest_algorithms[0] = SHA_512,
        |signing| signing.digest_algorithms.push(SHA_512),
        |signing| signing.signature_algorithm = SHA_512,
        |signing| signing.signers = 0,
        |signing| signing.signers = 2,
        |signing| signing.certificates.truncate(1),
        |signing| signing.certificates.push(signing.certificates[0].clone()),
    ];
    for (case, change) in other.into_iter().enumerate() {
        assert_eq!(with_signing(change).unwrap_err(), Refused::Malformed, "{case}");
    }
    assert!(with_signing(|signing| signing.certificates.reverse()).is_ok());
}

#[test]
fn a_token_is_only_for_the_amount_it_was_given_for() {
    for other in [money(99, "USD"), money(101, "USD"), money(10_000, "USD"), money(100, "EUR")] {
        let expected = Expected { money: other, ..expected() };
        let refused = refused(&token(), keys(), signing_time(), &expected);
        assert_eq!(refused, Refused::OtherAsk, "{other}");
    }
    // The number of the Australian dollar has a zero in front.
    let in_dollars = Expected { money: money(100, "AUD"), ..expected() };
    let opened =
        outcome(|_| (), |making| making.plain["currencyCode"] = "036".into(), |_| (), &in_dollars);
    assert!(opened.is_ok());
}

#[test]
fn a_token_is_fresh_within_the_window_either_way() {
    let window = expected().window;
    let (early, late) = (signing_time().before(window), signing_time().after(window));
    let millisecond = Duration::from_millis(1);
    for now in [early, signing_time(), late] {
        assert!(open(&token(), keys(), now, &expected()).is_ok(), "{now}");
    }
    for now in [early.before(millisecond), late.after(millisecond), Timestamp::EPOCH] {
        assert_eq!(refused(&token(), keys(), now, &expected()), Refused::Expired, "{now}");
    }
}

#[test]
fn a_token_is_for_one_of_our_keys_and_its_merchant() {
    let vector = vector();
    let pem = text(&vector["merchant_private_key_pem"]).into();
    let fresh = rcgen::KeyPair::generate().unwrap().serialize_pem().into();
    let ours = text(&vector["merchant_identifier"]);
    let others = [Key::new(&pem, "merchant.other").unwrap(), Key::new(&fresh, ours).unwrap()];
    for other in others {
        let refused = refused(&token(), &[other], signing_time(), &expected());
        assert_eq!(refused, Refused::UnknownKey);
    }
    assert_eq!(refused(&token(), &[], signing_time(), &expected()), Refused::UnknownKey);
    let keys = [Key::new(&fresh, "merchant.other").unwrap(), key()];
    assert!(open(&token(), &keys, signing_time(), &expected()).is_ok());
}

#[test]
fn application_data_binds_a_token_to_its_request() {
    let bound = |data: Option<&[u8]>, expected_data: Option<&'static [u8]>| {
        let hash = data.map(|data| Sha256::digest(data).into());
        let expected = Expected { application_data: expected_data, ..expected() };
        outcome(|_| (), |making| making.application_data = hash, |_| (), &expected)
    };
    assert!(bound(Some(b"req_1"), Some(b"req_1")).is_ok());
    assert!(bound(Some(b"req_1"), None).is_ok());
    assert_eq!(bound(Some(b"req_1"), Some(b"req_2")).unwrap_err(), Refused::OtherAsk);
    assert_eq!(bound(None, Some(b"req_1")).unwrap_err(), Refused::OtherAsk);
}

/// What is signed is fields end to end: none of them may give to its neighbour, and so get another id.
#[test]
fn the_signed_fields_do_not_run_into_each_other() {
    let authority = Authority::new(|_| ());
    let root = authority.root.clone();
    let made = Making { application_data: Some([3; 32]), ..Making::new() };
    let whole = made.payment_data(authority, |_| ());
    let opened = |payment_data: &Value| {
        open_under(&root, &around(payment_data), keys(), signing_time(), &expected())
    };
    assert!(opened(&whole).is_ok());
    let header = &whole["header"];
    let id = hex::decode(text(&header["transactionId"])).unwrap();
    let application_data = hex::decode(text(&header["applicationData"])).unwrap();
    let data = STANDARD.decode(text(&whole["data"])).unwrap();
    let all = [data.clone(), id, application_data].concat();
    let len = data.len();
    for data_len in [len - 64, len - 32, len - 1, len, len + 1, len + 32, len + 64] {
        let (data, rest) = all.split_at(data_len);
        for id_len in 0..=rest.len() {
            let (id, application_data) = rest.split_at(id_len);
            let mut moved = whole.clone();
            moved["data"] = STANDARD.encode(data).into();
            moved["header"]["transactionId"] = hex::encode(id).into();
            moved["header"]["applicationData"] = hex::encode(application_data).into();
            let same = moved == whole;
            assert_eq!(opened(&moved).is_ok(), same, "{data_len} {id_len}");
            moved["header"]["applicationData"] = STANDARD.encode(application_data).into();
            assert_eq!(opened(&moved).is_ok(), same, "{data_len} {id_len}");
        }
    }
}

#[test]
fn what_is_not_a_device_account_number_with_a_cryptogram_is_refused() {
    let chip = |making: &mut Making| making.plain["paymentDataType"] = "EMV".into();
    assert_eq!(with_making(chip).unwrap_err(), Refused::Unsupported);
    let members = text(&vector()["expect"]["plaintext"]).parse::<Value>().unwrap();
    let unread = ["deviceManufacturerIdentifier"];
    for member in members.as_object().unwrap().keys() {
        let without = with_making(|making| {
            making.plain.as_object_mut().unwrap().remove(member);
        });
        assert_eq!(without.is_ok(), unread.contains(&member.as_str()), "{member}");
    }
    let bad: [fn(&mut Making); 6] = [
        |making| making.plain["paymentData"] = json!({}),
        |making| making.plain["transactionAmount"] = "100".into(),
        |making| making.plain["transactionAmount"] = json!(-100),
        |making| making.plain["transactionAmount"] = json!(100.5),
        |making| making.plain["applicationExpirationDate"] = "2409".into(),
        |making| making.plain = "plaintext".into(),
    ];
    for (case, change) in bad.into_iter().enumerate() {
        assert_eq!(with_making(change).unwrap_err(), Refused::Malformed, "{case}");
    }
    let eci = |making: &mut Making| making.plain["paymentData"]["eciIndicator"] = "7".into();
    let opened = with_making(eci).unwrap().claimed();
    assert_eq!(opened.eci().unwrap().expose_secret(), "7");
}
