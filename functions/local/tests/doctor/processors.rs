//! The processors' services.

use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};

use crate::{Case, HealthyProvider, PUBLIC, assert_each_is_named, has, unknown};

fn callback() -> String {
    format!("{PUBLIC}/callbacks/demo/one")
}

fn stripe(state: &Value, request: &Request<Bytes>) -> (u16, Value) {
    let error =
        |status: u16, code: &str| (status, json!({ "error": { "code": code, "message": code } }));
    if !has(request, "authorization", "Bearer rk_test_s3cret") {
        return error(401, state["key_error"].as_str().unwrap_or_default());
    }
    if has(request, "stripe-account", "acct_9") {
        return error(403, "account_invalid");
    }
    if !has(request, "stripe-version", "2026-08-26.dahlia") {
        return error(400, "api_version_invalid");
    }
    let list = request.uri().path().trim_start_matches("/v1/");
    if state["forbidden"] == list {
        return error(403, "");
    }
    match list {
        "account" => (200, json!({ "charges_enabled": state["charges_enabled"] })),
        "webhook_endpoints" => (200, json!({ "data": state["endpoints"] })),
        "payment_method_configurations" => (200, json!({ "data": [state["wallets"]] })),
        "payment_intents" | "setup_intents" | "checkout/sessions" | "customers" | "refunds"
        | "charges" => (200, json!({ "data": [] })),
        _ => unknown(request),
    }
}

fn stripe_account() -> HealthyProvider {
    HealthyProvider {
        section: "processors",
        kind: "stripe",
        mode: "test",
        settings: json!({
            "secret_key": "rk_test_s3cret", "webhook_secrets": ["whsec_s3cret"], "publishable_key": "pk_test_1",
            "google_pay": { "country": "DE", "networks": ["VISA"] },
        }),
        provider: json!({
            "charges_enabled": true,
            "endpoints": [{ "url": callback(), "status": "enabled", "enabled_events": ["*"] }],
            "wallets": { "is_default": true, "google_pay": { "available": true } },
        }),
        stand_in: stripe,
    }
}

#[test]
fn stripe_misconfigured_is_named() {
    assert_each_is_named(
        &stripe_account(),
        &[
            Case {
                check: "credentials",
                change: |settings, _| settings["secret_key"] = json!("rk_test_s3cretold"),
            },
            Case {
                check: "credentials",
                change: |settings, provider| {
                    settings["secret_key"] = json!("rk_test_s3cretold");
                    provider["key_error"] = json!("api_key_expired");
                },
            },
            Case {
                check: "settings",
                change: |settings, _| settings["secret_key"] = json!("sk_live_s3cret"),
            },
            Case {
                check: "connected_account",
                change: |settings, _| settings["connected_account"] = json!("acct_9"),
            },
            Case {
                check: "api_version",
                change: |settings, _| settings["api_version"] = json!("2020-01-01"),
            },
            Case {
                check: "account",
                change: |_, provider| provider["charges_enabled"] = json!(false),
            },
            Case { check: "webhook", change: |_, provider| provider["endpoints"] = json!([]) },
            Case {
                check: "webhook",
                change: |_, provider| provider["endpoints"][0]["status"] = json!("disabled"),
            },
            Case {
                check: "webhook",
                change: |_, provider| {
                    provider["endpoints"][0]["enabled_events"] =
                        json!(["payment_intent.succeeded"]);
                },
            },
            Case {
                check: "webhook",
                change: |settings, _| settings["webhook_secrets"] = json!([]),
            },
            Case {
                check: "wallets",
                change: |_, provider| provider["wallets"]["google_pay"]["available"] = json!(false),
            },
        ],
    );
}

#[test]
fn stripe_key_without_a_permission_is_named() {
    assert_each_is_named(
        &stripe_account(),
        &[
            Case {
                check: "permission",
                change: |_, provider| provider["forbidden"] = json!("payment_intents"),
            },
            Case {
                check: "permission",
                change: |_, provider| provider["forbidden"] = json!("setup_intents"),
            },
            Case {
                check: "permission",
                change: |_, provider| provider["forbidden"] = json!("checkout/sessions"),
            },
            Case {
                check: "permission",
                change: |_, provider| provider["forbidden"] = json!("customers"),
            },
            Case {
                check: "permission",
                change: |_, provider| provider["forbidden"] = json!("refunds"),
            },
            Case {
                check: "permission",
                change: |_, provider| provider["forbidden"] = json!("charges"),
            },
        ],
    );
}

#[test]
fn certificate_of_apple_pay_that_ended_is_named() {
    let mut healthy = stripe_account();
    healthy.settings["apple_pay"] = json!({
        "merchant_identifier": "merchant.example", "display_name": "Acme", "country": "DE",
        "networks": ["visa"], "certificate": include_str!("fixtures/valid.pem"), "key": "s3cret",
    });
    healthy.provider["wallets"]["apple_pay"] = json!({ "available": true });
    assert_each_is_named(
        &healthy,
        &[
            Case {
                check: "certificate",
                change: |settings, _| {
                    settings["apple_pay"]["certificate"] =
                        json!(include_str!("fixtures/ended.pem"));
                },
            },
            Case {
                check: "certificate",
                change: |settings, _| settings["apple_pay"]["certificate"] = json!("s3cret"),
            },
            Case {
                check: "wallets",
                change: |_, provider| provider["wallets"]["apple_pay"]["available"] = json!(false),
            },
        ],
    );
}

fn adyen(state: &Value, request: &Request<Bytes>) -> (u16, Value) {
    if !has(request, "x-api-key", "s3cret-key") {
        return (401, json!({ "errorCode": "000" }));
    }
    match request.uri().path() {
        "/v72/paymentMethods" if state["forbidden"] == true => (403, json!({ "errorCode": "010" })),
        "/v72/paymentMethods"
            if !String::from_utf8_lossy(request.body()).contains("\"AcmeECOM\"") =>
        {
            (403, json!({ "errorCode": "901" }))
        }
        "/v72/paymentMethods" => (200, json!({ "paymentMethods": state["methods"] })),
        "/v3/merchants/AcmeECOM" => (200, state["merchant"].clone()),
        "/v3/merchants/AcmeECOM/webhooks" => (200, json!({ "data": state["webhooks"] })),
        _ => unknown(request),
    }
}

#[test]
fn adyen_misconfigured_is_named() {
    let healthy = HealthyProvider {
        section: "processors",
        kind: "adyen",
        mode: "test",
        settings: json!({
            "api_key": "s3cret-key", "merchant_account": "AcmeECOM", "hmac_keys": ["5".repeat(64)],
            "google_pay": { "country": "NL", "networks": ["VISA"] },
        }),
        provider: json!({
            "methods": [{ "type": "scheme" }, { "type": "googlepay" }],
            "merchant": { "captureDelay": "immediate", "status": "Active" },
            "webhooks": [{ "url": callback(), "active": true, "communicationFormat": "json", "hasError": false }],
        }),
        stand_in: adyen,
    };
    assert_each_is_named(
        &healthy,
        &[
            Case {
                check: "credentials",
                change: |settings, _| settings["api_key"] = json!("s3cret-old"),
            },
            Case {
                check: "merchant_account",
                change: |settings, _| settings["merchant_account"] = json!("Other"),
            },
            Case { check: "permission", change: |_, provider| provider["forbidden"] = json!(true) },
            Case {
                check: "wallets",
                change: |_, provider| provider["methods"] = json!([{ "type": "scheme" }]),
            },
            Case {
                check: "capture",
                change: |_, provider| provider["merchant"]["captureDelay"] = json!("manual"),
            },
            Case {
                check: "account",
                change: |_, provider| provider["merchant"]["status"] = json!("Inactive"),
            },
            Case { check: "webhook", change: |_, provider| provider["webhooks"] = json!([]) },
            Case {
                check: "webhook",
                change: |_, provider| provider["webhooks"][0]["active"] = json!(false),
            },
            Case {
                check: "webhook",
                change: |_, provider| {
                    provider["webhooks"][0]["communicationFormat"] = json!("soap");
                },
            },
            Case {
                check: "webhook",
                change: |_, provider| provider["webhooks"][0]["hasError"] = json!(true),
            },
            Case {
                check: "settings",
                change: |settings, _| settings["hmac_keys"] = json!(["s3cret"]),
            },
        ],
    );
}

fn provider(state: &Value, request: &Request<Bytes>) -> (u16, Value) {
    match request.uri().path() {
        "/.well-known/openid-configuration" => (200, state["document"].clone()),
        "/token" => {
            let body = String::from_utf8_lossy(request.body());
            assert!(body.contains("code=assent-doctor"), "{body}");
            // `client:s3cret` in base64.
            if has(request, "authorization", "Basic Y2xpZW50OnMzY3JldA==") {
                (400, json!({ "error": state["answer"] }))
            } else {
                (401, json!({ "error": "invalid_client" }))
            }
        }
        _ => (404, json!(null)),
    }
}

#[test]
fn openid_misconfigured_is_named() {
    let healthy = HealthyProvider {
        section: "processors",
        kind: "openid",
        mode: "test",
        settings: json!({ "issuer": "https://id.example", "client_id": "client", "client_secret": "s3cret" }),
        provider: json!({
            "document": {
                "issuer": "https://id.example", "authorization_endpoint": "https://id.example/authorize",
                "token_endpoint": "https://id.example/token", "code_challenge_methods_supported": ["S256"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            },
            "answer": "invalid_grant",
        }),
        stand_in: provider,
    };
    assert_each_is_named(
        &healthy,
        &[
            Case {
                check: "issuer",
                change: |settings, _| settings["issuer"] = json!("https://id.example/tenant"),
            },
            Case {
                check: "issuer",
                change: |settings, _| settings["issuer"] = json!("https://id.example/"),
            },
            Case {
                check: "endpoints",
                change: |_, provider| provider["document"]["token_endpoint"] = json!(null),
            },
            Case {
                check: "pkce",
                change: |_, provider| {
                    provider["document"]["code_challenge_methods_supported"] = json!(["plain"]);
                },
            },
            Case {
                check: "client_auth",
                change: |settings, _| settings["client_auth"] = json!("post"),
            },
            Case {
                check: "client",
                change: |settings, _| settings["client_secret"] = json!("s3cret-old"),
            },
            Case { check: "client", change: |settings, _| settings["client_id"] = json!("other") },
            Case {
                check: "redirect",
                change: |_, provider| provider["answer"] = json!("redirect_uri_mismatch"),
            },
        ],
    );
}
