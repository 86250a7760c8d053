//! Live mode: every address of settings is `https`, and every call goes to public addresses only.

use domain::authorization::Authorization;
use domain::brand::Mode;
use pollster::block_on;
use ports::{OpenProcessorError, error_chain};
use serde_json::{Value, json};

use crate::contract_fixture::settings;
use crate::doubles::{Doubles, charge};

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
