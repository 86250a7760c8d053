//! Live mode: every address of settings is `https`, and every call goes to public addresses only. Settings without secrets.

use domain::authorization::Authorization;
use domain::brand::Mode;
use domain::settings::WITHHELD;
use pollster::block_on;
use ports::{OpenProcessorError, error_chain};
use serde_json::{Value, json};

use crate::contract_fixture::settings;
use crate::doubles::{Doubles, charge, payment, save_card};

/// Returns settings under which a kind opens in live mode.
fn live(kind: &str) -> Value {
    let mut live = settings(kind);
    match kind {
        "adyen" => live["live_prefix"] = json!("1a-Acme"),
        "stripe" => live["secret_key"] = json!("sk_live_a1"),
        _ => {}
    }
    live
}

#[test]
fn live_processor_calls_public_addresses_only() {
    for kind in crate::kinds().filter(|kind| *kind != "openid") {
        let doubles = Doubles::default();
        let processor = doubles.open(Mode::Live, kind, &live(kind)).ok().unwrap();
        block_on(processor.create(&charge(&Authorization::Hosted, 4250, 1)));
        let calls = doubles.http.taken();
        assert!(!calls.is_empty(), "{kind}");
        assert!(calls.iter().all(|call| call.contains(" PublicProvider ")), "{kind} {calls:?}");
    }
}

#[test]
fn live_processor_with_any_http_address_is_refused() {
    let places = [
        ("adyen", "base_url"),
        ("openid", "issuer"),
        ("openid", "discovery_url"),
        ("openid", "authorization_endpoint"),
        ("openid", "token_endpoint"),
        ("openid", "userinfo_endpoint"),
        ("openid", "pushed_authorization_request_endpoint"),
        ("stripe", "base_url"),
    ];
    for (kind, place) in places {
        for address in ["http://127.0.0.1:1", "HTTP://id.example/x"] {
            let mut settings = live(kind);
            settings[place] = json!(address);
            let Err(OpenProcessorError::Settings(error)) =
                Doubles::default().open(Mode::Live, kind, &settings)
            else {
                panic!("{kind} {place} {address}")
            };
            let error = error_chain(error.as_ref());
            assert_eq!(error, format!("setting `{place}` is an http address in live mode"));
        }
    }
    for kind in crate::kinds() {
        assert!(places.iter().any(|(known, _)| *known == kind), "{kind}");
    }
}

/// Puts the mark of a setting that this function may not read in place of each secret.
fn withhold(settings: &mut Value) {
    let Some(settings) = settings.as_object_mut() else { return };
    for (name, value) in settings {
        let secrets = [
            "secret_key",
            "webhook_secrets",
            "certificate",
            "key",
            "api_key",
            "hmac_keys",
            "client_secret",
            "pem",
        ];
        if secrets.contains(&name.as_str()) {
            *value = json!(WITHHELD);
        } else {
            withhold(value);
        }
    }
}

/// Intake opens processors for what they say of themselves, and may read none of their secrets.
#[test]
fn processor_without_its_secrets_opens_and_believes_nothing() {
    for (kind, mode) in crate::kinds().flat_map(|kind| [(kind, Mode::Test), (kind, Mode::Live)]) {
        let mut settings = if mode == Mode::Live { live(kind) } else { settings(kind) };
        withhold(&mut settings);
        let processor = Doubles::default().open(mode, kind, &settings);
        let processor = processor.unwrap_or_else(|error| panic!("{kind}: {error:?}"));
        let asks = [payment(4250), save_card()];
        let options = asks.iter().flat_map(|ask| processor.payment_options(ask)).count();
        assert!(options > 0 || kind == "openid", "{kind}");
    }
    let key = json!({ "issuer": "https://id.example", "client_id": "c", "client_auth": "private_key_jwt",
        "private_key": { "pem": WITHHELD } });
    assert!(Doubles::default().open(Mode::Live, "openid", &key).is_ok());
    let apple = json!({ "merchant_identifier": "merchant.com.example", "display_name": "Acme",
        "certificate": WITHHELD, "key": WITHHELD, "country": "DE" });
    let wallets =
        json!({ "secret_key": WITHHELD, "webhook_secrets": WITHHELD, "apple_pay": apple });
    assert!(Doubles::default().open(Mode::Live, "stripe", &wallets).is_ok());
}
