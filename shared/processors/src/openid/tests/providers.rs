//! The known quirks of real providers: the settings for each, what it is asked, and what its replies release.
//!
//! `fixtures/providers.json` names the source of each.

use domain::values::phone::Phone;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};

use super::*;

fn settings_of(case: &Value) -> Settings {
    let mut settings = case["settings"].clone();
    settings["client_id"] = json!("acme shop");
    if settings["client_auth"].is_null() {
        settings["client_secret"] = json!("s3cret");
    } else {
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let der = EcdsaKeyPair::generate_pkcs8(algorithm, &SystemRandom::new()).unwrap();
        let pem = sign_in::pem(der.as_ref());
        settings["private_key"] = json!({ "pem": pem, "id": "k1", "team_id": "TEAM" });
    }
    settings.as_object().unwrap().clone().into()
}

fn texts(list: &Value) -> Vec<&str> {
    let entries = list.as_array().into_iter().flatten();
    entries.map(|entry| entry.as_str().unwrap()).collect()
}

fn ask_of(case: &Value) -> Ask {
    let max_age = case["max_age"].as_u64().map(|seconds| u32::try_from(seconds).unwrap());
    sign_in::identity(&texts(&case["claims"]), max_age, &texts(&case["acr"]))
}

fn signed(payload: &Value) -> String {
    format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(payload.to_string()))
}

/// Answers with these replies, in this order.
fn scripted(script: &ScriptedProvider, replies: Vec<String>) {
    let replies = replies.into_iter().map(|body| Some((200, body)));
    *script.answers.lock().unwrap() = replies.collect();
}

fn run(case: &Value) {
    let name = &case["provider"];
    let script = Arc::new(ScriptedProvider::default());
    let address_key = Key32::new([8; 32]);
    let phone: Phone = "+15551230001".parse().unwrap();
    let customer = keys::address_hash(&address_key, &phone);
    let opened = OpenId {
        provider: Provider::read(Mode::Live, &settings_of(case)).unwrap(),
        link_key: Key32::new([7; 32]),
        address_key,
        documents: Arc::default(),
        http: Arc::<ScriptedProvider>::clone(&script),
        clock: Arc::new(StoppedClock),
    };
    let ask = ask_of(case);
    assert_eq!(opened.payment_options(&ask), [PaymentOption::Hosted], "{name}");

    let yes = Authorization::Hosted;
    let attempt = AttemptContext { customer: &customer, ..used(&ask, &yes) };
    let reference = Reference(opened.state(&attempt).to_string());
    scripted(&script, vec![case["discovery"].to_string()]);
    let redirect = block_on(opened.confirm(&attempt, &reference));
    let Confirmed::RequiresAction { redirect: Some(RedirectUrl(url)) } = redirect else {
        panic!("{name}: {redirect:?}")
    };
    assert!(url.starts_with(case["discovery"]["authorization_endpoint"].as_str().unwrap()));
    let asked = query(&url);
    for (parameter, text) in case["asked"].as_object().unwrap() {
        assert_eq!(json!(value(&asked, parameter)), *text, "{name}: {parameter}");
    }

    let nonce = opened.state(&attempt).nonce;
    let issuer = json!({ "iss": case["discovery"]["issuer"] });
    let mut change = issuer;
    for (claim, value) in case["token"].as_object().unwrap() {
        change[claim] = value.clone();
    }
    let code = returned_code();
    let attempt = AttemptContext { authorization: &code, ..attempt };
    scripted(&script, vec![tokens(&id_token(&nonce, &change)).to_string()]);
    let exchanged = block_on(opened.confirm(&attempt, &reference));
    let Confirmed::Exchanged(grant) = exchanged else { panic!("{name}: {exchanged:?}") };
    let grant = Authorization::Grant(grant);

    let attempt = AttemptContext { authorization: &grant, ..attempt };
    let info = match (&case["info"], &case["signed_info"]) {
        (Value::Null, Value::Null) => vec![],
        (Value::Null, payload) => vec![signed(payload)],
        (info, _) => vec![info.to_string()],
    };
    scripted(&script, info);
    let done = block_on(opened.confirm(&attempt, &reference));
    let Confirmed::Done(Fulfillment::Claims { receipt, claims }) = done else {
        panic!("{name}: {done:?}")
    };
    let claims: Value = serde_json::from_str(claims.0.expose_secret()).unwrap();
    assert_eq!(claims, case["released"], "{name}");
    assert_eq!(json!(receipt.phone_number_matches), case["phone_number_matches"], "{name}");
    assert_eq!(json!(receipt.acr), case["token"]["acr"], "{name}");
    assert!(script.answers.lock().unwrap().is_empty(), "{name}: every reply is read");
}

fn cases() -> Vec<Value> {
    serde_json::from_str(include_str!("../fixtures/providers.json")).unwrap()
}

#[test]
fn quirks_of_known_providers_release_standard_claims() {
    let cases = cases();
    assert_eq!(cases.len(), 12);
    for case in &cases {
        run(case);
    }
}

/// Opens Keycloak's fixture and answers its discovery call.
fn discovered(change: &Value, more: &Value, answer: Option<u16>) -> (Confirmed, OpenId) {
    let mut case = cases().into_iter().find(|case| case["provider"] == "Keycloak").unwrap();
    for (name, value) in change.as_object().unwrap() {
        case["discovery"][name] = value.clone();
    }
    for (name, value) in more.as_object().unwrap() {
        case["settings"][name] = value.clone();
    }
    let script = Arc::new(ScriptedProvider::default());
    let opened = OpenId {
        provider: Provider::read(Mode::Live, &settings_of(&case)).unwrap(),
        link_key: Key32::new([7; 32]),
        address_key: Key32::new([8; 32]),
        documents: Arc::default(),
        http: Arc::<ScriptedProvider>::clone(&script),
        clock: Arc::new(StoppedClock),
    };
    let (ask, yes) = (ask_of(&case), Authorization::Hosted);
    let attempt = used(&ask, &yes);
    let reference = Reference(opened.state(&attempt).to_string());
    let body = case["discovery"].to_string();
    *script.answers.lock().unwrap() = [answer.map(|status| (status, body))].into();
    let confirmed = block_on(opened.confirm(&attempt, &reference));
    let calls = script.calls.lock().unwrap();
    let well_known = "https://sso.acme.example/realms/acme/.well-known/openid-configuration";
    assert_eq!(calls.first().unwrap().uri().to_string(), well_known);
    drop(calls);
    (confirmed, opened)
}

#[test]
fn discovery_document_of_another_party_is_not_believed() {
    let wrong = Confirmed::Blocked { by: Rejection::Discovery };
    for change in [
        json!({ "issuer": "https://sso.acme.example/realms/acme/" }),
        json!({ "token_endpoint": "https://evil.example/token" }),
        json!({ "token_endpoint": "https://sso.acme.example.evil.example/token" }),
        json!({ "userinfo_endpoint": "https://evilsso.acme.example/me" }),
        json!({ "authorization_endpoint": "http://sso.acme.example/auth" }),
        json!({ "authorization_endpoint": "https://u:p@sso.acme.example/auth" }),
        json!({ "pushed_authorization_request_endpoint": "https://169.254.169.254/" }),
        json!({ "token_endpoint": null }),
    ] {
        assert_eq!(discovered(&change, &json!({}), Some(200)).0, wrong, "{change}");
    }
    assert_eq!(discovered(&json!({}), &json!({}), Some(404)).0, wrong);
    for passing in [None, Some(503), Some(429)] {
        assert_eq!(discovered(&json!({}), &json!({}), passing).0, Confirmed::Again);
    }
    let change = json!({ "token_endpoint": "https://api.sso.acme.example/token",
        "userinfo_endpoint": "https://Other.example/me" });
    let more = json!({ "endpoint_hosts": ["other.example"] });
    let (confirmed, opened) = discovered(&change, &more, Some(200));
    assert!(matches!(confirmed, Confirmed::RequiresAction { .. }), "{confirmed:?}");
    // The document says that a return names the issuer, so that one without a name is refused.
    let (ask, yes) = (ask(), Authorization::Hosted);
    let state = opened.state(&used(&ask, &yes)).to_string();
    let url = format!("{CALLBACK}?code=c0de&state={state}");
    assert_eq!(opened.receive(&back(&url)), Err(CallbackError::Forged));
    // A process that has not read the document yet refuses the code later.
    opened.documents.clear();
    let heard = opened.receive(&back(&url)).unwrap();
    let [ProcessorEvent::Returned { grant, .. }] = heard.events.as_slice() else { panic!() };
    let code = Authorization::Grant(grant.clone());
    let attempt = used(&ask, &code);
    let reference = Reference(opened.state(&attempt).to_string());
    let refused = block_on(opened.confirm(&attempt, &reference));
    assert_eq!(refused, Confirmed::Again, "the document cannot be read");
}

#[test]
fn copied_address_counts_more_than_the_document() {
    let more = json!({ "token_endpoint": "https://proxy.acme.example/token" });
    let (_, opened) = discovered(&json!({}), &more, Some(200));
    let endpoints = block_on(opened.endpoints()).unwrap();
    assert_eq!(endpoints.token, "https://proxy.acme.example/token");
    assert!(endpoints.userinfo.unwrap().ends_with("/userinfo"));
    assert_eq!(endpoints.pushed, None, "offered, and not required");
    let required = json!({ "require_pushed_authorization_requests": true });
    let (confirmed, opened) = discovered(&required, &json!({}), Some(200));
    assert_eq!(confirmed, Confirmed::Again, "the push has no reply in this script");
    assert!(block_on(opened.endpoints()).unwrap().pushed.unwrap().ends_with("/par/request"));
}
