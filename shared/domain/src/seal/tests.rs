//! Tests of what opens a sealed secret, and what does not.

use serde_json::json;

use super::*;
use crate::authorization::{
    Authorization, Credential, CredentialKind, SealedCard, StoredAuthorization,
};
use crate::brand::Mode;
use crate::redirect_url::RedirectUrl;
use crate::released_claims::ReleasedClaims;
use crate::saved_credential::SavedCredential;
use crate::seal_binding::CardBinding;
use crate::values::id::RequestId;
use crate::values::time::Timestamp;

struct FixedRandom;

impl Random for FixedRandom {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

fn key(byte: u8) -> String {
    STANDARD.encode([byte; 32])
}

/// A brand with two keys of each kind, of which `current` is in use.
fn brand(current: &str) -> Brand {
    let ring = |a: u8| json!({ "current": current, "keys": { "a": key(a), "b": key(a + 1) } });
    let text = json!({
        "version": "1", "name": "acme", "display_name": "Acme", "keys": [],
        "sealing": ring(1), "consent": ring(3), "claims": ring(5),
        "address_key": key(9), "link_key": key(10),
    });
    Brand::parse(&text.to_string()).unwrap()
}

fn id(random: u8) -> RequestId {
    RequestId::new(Timestamp::from_millis(1), [random; 10])
}

fn bound(random: u8) -> Binding {
    let (brand, processor) = ("acme".parse().unwrap(), "stripe".parse().unwrap());
    let (mode, address) = (Mode::Test, "address");
    Binding::card(CardBinding {
        brand: &brand,
        mode,
        request: id(random),
        processor: &processor,
        address,
    })
}

fn card(secret: &str) -> StoredAuthorization {
    Authorization::from(Credential::new(CredentialKind::PaymentMethod, secret)).into()
}

#[test]
fn seal_opens_as_its_own_type_only() {
    let (brand, to) = (brand("a"), bound(1));
    let url = RedirectUrl("https://pay.example.com".to_owned());
    let claims = ReleasedClaims(r#"{"kind":"kept_card","secret":"c0de"}"#.into());
    let saved = SavedCredential::new("c0de");
    let sealed_url = seal(&brand, &to, &url, &FixedRandom).unwrap();
    let sealed_claims = seal(&brand, &to, &claims, &FixedRandom).unwrap();
    let sealed_saved = seal(&brand, &to, &saved, &FixedRandom).unwrap();
    let sealed_card = seal(&brand, &to, &card("tok"), &FixedRandom).unwrap();
    assert_eq!(open(&brand, &to, &sealed_url), Ok(url));
    assert_eq!(open(&brand, &to, &sealed_claims), Ok(claims));
    assert_eq!(open(&brand, &to, &sealed_saved), Ok(saved));
    assert_eq!(open(&brand, &to, &sealed_card), Ok(card("tok")));
    for other in [&sealed_url, &sealed_claims, &sealed_saved] {
        assert!(open::<StoredAuthorization>(&brand, &to, other).is_err());
    }
    for other in [&sealed_url, &sealed_claims, &sealed_card] {
        assert!(open::<SavedCredential>(&brand, &to, other).is_err());
    }
    for other in [&sealed_url, &sealed_saved, &sealed_card] {
        assert!(open::<ReleasedClaims>(&brand, &to, other).is_err());
    }
    for other in [&sealed_claims, &sealed_saved, &sealed_card] {
        assert!(open::<RedirectUrl>(&brand, &to, other).is_err());
    }
}

#[test]
fn seal_opens_after_rotation_for_its_own_binding_only() {
    let sealed = seal(&brand("a"), &bound(1), &card("pm_card_visa"), &FixedRandom).unwrap();
    assert!(!serde_json::to_string(&sealed).unwrap().contains("pm_card"));
    assert_eq!(open(&brand("b"), &bound(1), &sealed), Ok(card("pm_card_visa")));
    let other = open::<StoredAuthorization>(&brand("a"), &bound(2), &sealed);
    assert_eq!(other.unwrap_err(), SealError::Broken);
    let newer = seal(&brand("b"), &bound(1), &card("pm_card_visa"), &FixedRandom).unwrap();
    assert_eq!((sealed.key_id.as_str(), newer.key_id.as_str()), ("a", "b"));
    // A key id that is swapped, of the key or of its sender, opens nothing.
    let mut swapped = sealed.clone();
    swapped.key_id = "b".to_owned();
    assert!(open::<StoredAuthorization>(&brand("a"), &bound(1), &swapped).is_err());
    let mut swapped = sealed.clone();
    if let Some(Form::Hpke { sender_key_id, .. }) = &mut swapped.form {
        *sender_key_id = "b".to_owned();
    }
    assert!(open::<StoredAuthorization>(&brand("a"), &bound(1), &swapped).is_err());
    let mut first = sealed;
    first.form = None;
    assert!(open::<StoredAuthorization>(&brand("a"), &bound(1), &first).is_err());
}

#[test]
fn seal_with_any_changed_character_fails_to_open() {
    let sealed = seal(&brand("a"), &bound(1), &card("tok"), &FixedRandom).unwrap();
    for place in 0..sealed.ciphertext.len() {
        let mut altered = sealed.clone();
        let old = altered.ciphertext.as_bytes()[place];
        let new = if old == b'A' { "B" } else { "A" };
        altered.ciphertext.replace_range(place..=place, new);
        assert!(open::<StoredAuthorization>(&brand("a"), &bound(1), &altered).is_err());
    }
}

#[test]
fn sealing_without_a_private_key_is_possible_and_opening_is_not() {
    let whole = brand("a");
    let sealer = Brand { sealing: None, claims: None, ..whole.clone() };
    let sealed = seal(&sealer, &bound(1), &card("tok"), &FixedRandom).unwrap();
    assert_eq!(open::<StoredAuthorization>(&sealer, &bound(1), &sealed), Err(SealError::Key));
    assert_eq!(open(&whole, &bound(1), &sealed), Ok(card("tok")));
    let saved = SavedCredential::new("c0de");
    assert_eq!(seal(&sealer, &bound(1), &saved, &FixedRandom), Err(SealError::Key));
    let claims = ReleasedClaims("{}".into());
    assert_eq!(seal(&sealer, &bound(1), &claims, &FixedRandom), Err(SealError::Key));
}

/// An attacker who has the public key, but no consent key, seals with a key of their own.
#[test]
fn authorization_of_another_sender_fails_to_open() {
    let whole = brand("a");
    let mut attacker = Brand { sealing: None, ..whole.clone() };
    assert_eq!(
        seal(&Brand { consent: None, ..attacker.clone() }, &bound(1), &card("tok"), &FixedRandom),
        Err(SealError::Key)
    );
    let guessed = KeyRing {
        current: "a".to_owned(),
        keys: [("a".to_owned(), crate::brand::Key32::new([0; 32]))].into(),
    };
    attacker.consent = Some(guessed);
    let forged = seal(&attacker, &bound(1), &card("tok"), &FixedRandom).unwrap();
    assert_eq!(open::<StoredAuthorization>(&whole, &bound(1), &forged), Err(SealError::Broken));
}

#[test]
fn first_stored_texts_still_open() {
    let brand = brand("a");
    let keys = brand.sealing.clone().unwrap();
    let first = |plain: &str, purpose: &str| {
        let mut sealed =
            seal_shared(&keys, plain, &bound(1).first_associated_data(purpose), &FixedRandom)
                .unwrap();
        sealed.form = None;
        sealed
    };
    let kept = r#"{"kind":"kept_card","secret":"c0de"}"#;
    assert_eq!(open(&brand, &bound(1), &first(kept, "")), Ok(SavedCredential::new("c0de")));
    let hosted = StoredAuthorization::from(Authorization::Hosted);
    assert_eq!(open(&brand, &bound(1), &first(r#"{"kind":"hosted","secret":""}"#, "")), Ok(hosted));
    let url = RedirectUrl("https://pay.example.com".to_owned());
    assert_eq!(open(&brand, &bound(1), &first(&url.0, ":redirect_url")), Ok(url));
    assert_eq!(open(&brand, &bound(1), &first("{}", ":claims")), Ok(ReleasedClaims("{}".into())));
    assert!(open::<ReleasedClaims>(&brand, &bound(2), &first("{}", ":claims")).is_err());
}

#[test]
fn saved_card_stays_sealed_within_an_authorization() {
    let (whole, to) = (brand("a"), bound(1));
    let sealed = seal(&whole, &to, &SavedCredential::new("c0de"), &FixedRandom).unwrap();
    let card = SealedCard { request: id(1), address: "address".to_owned(), sealed };
    let sealer = Brand { sealing: None, ..whole.clone() };
    let stored =
        seal(&sealer, &bound(2), &StoredAuthorization::Card(card.clone()), &FixedRandom).unwrap();
    assert_eq!(open(&whole, &bound(2), &stored), Ok(StoredAuthorization::Card(card)));
}

/// The first test vector of RFC 9180 for X25519, HKDF-SHA-256 and AES-128-GCM has no sibling for AES-256-GCM. The key pair of
/// its section A.1.1 checks the derivation of public keys.
#[test]
fn public_key_is_that_of_rfc_9180() {
    let private = "4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8";
    let public = "3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d";
    let private = <[u8; 32]>::try_from(hex::decode(private).unwrap()).unwrap();
    let derived = seal_public::public_key(&crate::brand::Key32::new(private));
    assert_eq!(hex::encode(derived.0), public);
}
