//! The channels' providers.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};

use crate::{Case, HealthyProvider, PUBLIC, assert_each_is_named, has, unknown};

fn callback() -> String {
    format!("{PUBLIC}/callbacks/demo/one")
}

fn twilio(state: &Value, request: &Request<Bytes>) -> (u16, Value) {
    let basic = |user: &str, password: &str| {
        format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
    };
    let is_known = has(request, "authorization", &basic("AC0", "s3cret-token"))
        || has(request, "authorization", &basic("SK1", "s3cret-key"));
    let path = request.uri().path();
    if !path.contains("/Accounts/AC0") && path.starts_with("/2010") {
        return (404, json!({ "code": 20404 }));
    }
    if !is_known {
        return (401, json!({ "code": 20003 }));
    }
    if state["forbidden"] == true {
        return (403, json!({ "code": 70051 }));
    }
    match path {
        "/2010-04-01/Accounts/AC0.json" => (200, json!({ "status": state["status"] })),
        "/2010-04-01/Accounts/AC0/IncomingPhoneNumbers.json" => {
            (200, json!({ "incoming_phone_numbers": state["numbers"] }))
        }
        "/v1/Services/MG0" => (200, state["service"].clone()),
        "/v1/Services/MG0/PhoneNumbers" => (200, json!({ "phone_numbers": state["pool"] })),
        "/v1/Services/MG9" => (404, json!({ "code": 20404 })),
        "/v1/Content/HX9" => (404, json!({ "code": 20404 })),
        "/v1/Content/HX1" => (200, json!({ "variables": state["variables"] })),
        "/v1/Content/HX2" => (200, json!({ "variables": { "1": "T", "2": "B", "3": "d" } })),
        "/v1/Content/HX1/ApprovalRequests" => (200, json!({ "whatsapp": state["approval"] })),
        _ => unknown(request),
    }
}

fn twilio_number() -> HealthyProvider {
    HealthyProvider {
        section: "channels",
        kind: "sms",
        mode: "test",
        settings: json!({
            "provider": "twilio", "account_sid": "AC0", "auth_token": "s3cret-token", "from": "+15005550006",
        }),
        provider: json!({
            "status": "active",
            "numbers": [{
                "phone_number": "+15005550006", "capabilities": { "sms": true }, "sms_url": callback(), "sms_method": "POST",
            }],
        }),
        stand_in: twilio,
    }
}

#[test]
fn twilio_number_misconfigured_is_named() {
    assert_each_is_named(
        &twilio_number(),
        &[
            Case {
                check: "credentials",
                change: |settings, _| settings["auth_token"] = json!(["s3cret-old"]),
            },
            Case { check: "account", change: |settings, _| settings["account_sid"] = json!("AC9") },
            Case {
                check: "account",
                change: |_, provider| provider["status"] = json!("suspended"),
            },
            Case {
                check: "sender",
                change: |settings, _| settings["from"] = json!("+15005550009"),
            },
            Case { check: "sender", change: |_, provider| provider["numbers"] = json!([]) },
            Case {
                check: "sender",
                change: |_, provider| provider["numbers"][0]["capabilities"]["sms"] = json!(false),
            },
            Case {
                check: "webhook",
                change: |_, provider| {
                    provider["numbers"][0]["sms_url"] = json!("https://old.example");
                },
            },
            Case {
                check: "webhook",
                change: |_, provider| provider["numbers"][0]["sms_method"] = json!("GET"),
            },
            Case { check: "settings", change: |settings, _| settings["form"] = json!("+1") },
        ],
    );
}

#[test]
fn twilio_service_misconfigured_is_named() {
    let healthy = HealthyProvider {
        settings: json!({
            "provider": "twilio", "account_sid": "AC0", "auth_token": "s3cret-token",
            "api_key": { "sid": "SK1", "secret": "s3cret-key" }, "messaging_service_sid": "MG0",
        }),
        provider: json!({
            "status": "active", "numbers": [], "pool": [{}],
            "service": { "inbound_request_url": callback(), "inbound_method": "POST" },
        }),
        ..twilio_number()
    };
    assert_each_is_named(
        &healthy,
        &[
            Case {
                check: "credentials",
                change: |settings, _| settings["api_key"]["secret"] = json!("s3cret-other"),
            },
            Case { check: "permission", change: |_, provider| provider["forbidden"] = json!(true) },
            Case {
                check: "sender",
                change: |settings, _| settings["messaging_service_sid"] = json!("MG9"),
            },
            Case { check: "sender", change: |_, provider| provider["pool"] = json!([]) },
            Case {
                check: "webhook",
                change: |_, provider| provider["service"]["inbound_request_url"] = json!(null),
            },
        ],
    );
}

fn twilio_chat(kind: &'static str) -> HealthyProvider {
    HealthyProvider {
        kind,
        settings: json!({
            "provider": "twilio", "account_sid": "AC0", "auth_token": "s3cret-token",
            "from": format!("{kind}:+15005550006"),
            "templates": [{ "content": { "en": "HX1" }, "variables": ["body", "page", "deny"] }],
            "thread_templates": [{ "content": { "en": "HX2" }, "variables": ["title", "body", "not_me"] }],
        }),
        provider: json!({
            "status": "active", "variables": { "1": "Pay?", "2": "x", "3": "y" },
            "approval": { "status": if kind == "whatsapp" { "approved" } else { "unsubmitted" } },
        }),
        ..twilio_number()
    }
}

#[test]
fn twilio_chat_misconfigured_is_named() {
    let cases = [
        Case {
            check: "credentials",
            change: |settings, _| settings["auth_token"] = json!("s3cret-old"),
        },
        Case {
            check: "templates",
            change: |settings, _| settings["templates"][0]["content"]["en"] = json!("HX9"),
        },
        Case {
            check: "templates",
            change: |settings, _| settings["thread_templates"][0]["content"]["en"] = json!("HX9"),
        },
        Case {
            check: "templates",
            change: |_, provider| provider["variables"] = json!({ "1": "Pay?" }),
        },
        Case {
            check: "settings",
            change: |settings, _| settings["templates"][0]["variables"] = json!(["body", "page"]),
        },
    ];
    assert_each_is_named(&twilio_chat("rcs"), &cases);
    let unapproved = Case {
        check: "templates",
        change: |_, provider| provider["approval"]["status"] = json!("pending"),
    };
    let never =
        Case { check: "templates", change: |_, provider| provider["approval"] = json!(null) };
    assert_each_is_named(&twilio_chat("whatsapp"), &[unapproved, never]);
}

fn meta(state: &Value, request: &Request<Bytes>) -> (u16, Value) {
    let error = |code: u64, message: &str| {
        (400, json!({ "error": { "code": code, "message": message, "type": "OAuthException" } }))
    };
    if !has(request, "authorization", "Bearer s3cret-token") {
        return error(190, "Error validating access token");
    }
    let query = request.uri().query().unwrap_or_default();
    match request.uri().path() {
        "/v25.0/debug_token" => (200, json!({ "data": state["token"] })),
        "/v25.0/111" if state["forbidden"] == true => {
            error(10, "Application does not have permission")
        }
        // HMAC-SHA-256 of the token under the key `s3cret-app`.
        "/v25.0/111" if !query.contains(state["proof"].as_str().unwrap()) => {
            error(100, "Invalid appsecret_proof provided in the API argument")
        }
        "/v25.0/111" => (200, state["number"].clone()),
        "/v25.0/222" => error(100, "Unsupported get request"),
        "/v25.0/777/message_templates" => (200, json!({ "data": state["templates"] })),
        "/v25.0/777/subscribed_apps" => (200, json!({ "data": state["apps"] })),
        _ => unknown(request),
    }
}

fn proof() -> String {
    use hmac::{Hmac, KeyInit, Mac};
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(b"s3cret-app").unwrap();
    mac.update(b"s3cret-token");
    hex::encode(mac.finalize().into_bytes())
}

fn whatsapp() -> HealthyProvider {
    HealthyProvider {
        section: "channels",
        kind: "whatsapp",
        mode: "test",
        settings: json!({
            "phone_number_id": "111", "access_token": "s3cret-token", "app_secret": "s3cret-app",
            "verify_token": "s3cret-verify",
            "templates": [{ "name": "pay", "languages": { "en": "en_US" }, "body": ["payee", "amount"], "buttons": ["page", "deny"] }],
        }),
        provider: json!({
            "token": {
                "app_id": "555", "is_valid": true, "expires_at": 0,
                "scopes": ["whatsapp_business_messaging", "whatsapp_business_management"],
                "granular_scopes": [{ "scope": "whatsapp_business_management", "target_ids": ["777"] }],
            },
            "proof": proof(),
            "number": { "status": "CONNECTED", "name_status": "APPROVED", "webhook_configuration": { "application": callback() } },
            "templates": [{ "name": "pay", "language": "en_US", "status": "APPROVED" }],
            "apps": [{ "whatsapp_business_api_data": { "id": "555" } }],
        }),
        stand_in: meta,
    }
}

#[test]
fn whatsapp_misconfigured_is_named() {
    assert_each_is_named(
        &whatsapp(),
        &[
            Case {
                check: "credentials",
                change: |settings, _| settings["access_token"] = json!("s3cret-old"),
            },
            Case {
                check: "credentials",
                change: |_, provider| provider["token"]["is_valid"] = json!(false),
            },
            Case {
                check: "permission",
                change: |_, provider| {
                    provider["token"]["scopes"] = json!(["whatsapp_business_management"]);
                },
            },
            Case {
                check: "expiry",
                change: |_, provider| provider["token"]["expires_at"] = json!(1_900_000_000),
            },
            Case {
                check: "number",
                change: |settings, _| settings["phone_number_id"] = json!("222"),
            },
            Case {
                check: "number",
                change: |_, provider| provider["number"]["status"] = json!("PENDING"),
            },
            Case {
                check: "sender",
                change: |_, provider| provider["number"]["name_status"] = json!("DECLINED"),
            },
            Case { check: "permission", change: |_, provider| provider["forbidden"] = json!(true) },
            Case {
                check: "app_secret",
                change: |settings, _| settings["app_secret"] = json!("s3cret-other"),
            },
            Case {
                check: "webhook",
                change: |_, provider| provider["number"]["webhook_configuration"] = json!({}),
            },
            Case {
                check: "webhook",
                change: |_, provider| {
                    provider["number"]["webhook_configuration"]["phone_number"] =
                        json!("https://old.example");
                },
            },
            Case { check: "templates", change: |_, provider| provider["templates"] = json!([]) },
            Case {
                check: "templates",
                change: |_, provider| provider["templates"][0]["status"] = json!("PAUSED"),
            },
            Case {
                check: "templates",
                change: |_, provider| provider["templates"][0]["language"] = json!("de"),
            },
            Case { check: "subscription", change: |_, provider| provider["apps"] = json!([]) },
            Case { check: "settings", change: |settings, _| settings["templates"] = json!([]) },
        ],
    );
}

fn google(state: &Value, request: &Request<Bytes>) -> (u16, Value) {
    let status = |name: &str| u16::try_from(state[name].as_u64().unwrap()).unwrap();
    if request.uri().path().ends_with("/token") {
        return (status("token"), json!({ "access_token": "s3cret-access", "expires_in": 3600 }));
    }
    (status("agent"), json!({ "features": ["RICHCARD_STANDALONE"] }))
}

#[test]
fn google_rcs_misconfigured_is_named() {
    let settings =
        include_str!("../../../../shared/channels/src/rcs/fixtures/settings/google.json");
    let healthy = HealthyProvider {
        section: "channels",
        kind: "rcs",
        mode: "test",
        settings: serde_json::from_str(settings).unwrap(),
        provider: json!({ "token": 200, "agent": 200 }),
        stand_in: google,
    };
    assert_each_is_named(
        &healthy,
        &[
            Case { check: "credentials", change: |_, provider| provider["token"] = json!(400) },
            Case { check: "credentials", change: |_, provider| provider["agent"] = json!(401) },
            Case { check: "agent", change: |_, provider| provider["agent"] = json!(403) },
            Case { check: "agent", change: |_, provider| provider["agent"] = json!(400) },
            Case { check: "reach", change: |_, provider| provider["agent"] = json!(503) },
            Case { check: "settings", change: |settings, _| settings["region"] = json!("moon") },
            Case {
                check: "settings",
                change: |settings, _| settings["service_account"]["private_key"] = json!("s3cret"),
            },
        ],
    );
    let no_tester = HealthyProvider { provider: json!({ "token": 200, "agent": 404 }), ..healthy };
    assert_each_is_named(&no_tester, &[]);
}

#[test]
fn apple_misconfigured_is_named() {
    let settings =
        include_str!("../../../../shared/channels/src/apple/fixtures/settings/messages.json");
    let healthy = HealthyProvider {
        section: "channels",
        kind: "apple",
        mode: "test",
        settings: serde_json::from_str(settings).unwrap(),
        provider: json!({}),
        stand_in: |_, request| unknown(request),
    };
    assert_each_is_named(
        &healthy,
        &[
            Case {
                check: "settings",
                change: |settings, _| settings["api_secret"] = json!("%s3cret"),
            },
            Case { check: "settings", change: |settings, _| settings["business_id"] = json!("") },
        ],
    );
}
