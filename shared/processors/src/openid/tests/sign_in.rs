//! Tests of the sign-in, of the source of claims, and of the client's authentication.

use domain::values::phone::Phone;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair,
    UnparsedPublicKey,
};

use super::*;

/// Runs a code through the exchange and user info. Returns the result of the last call.
fn fetched(
    opened: &OpenId,
    script: &ScriptedProvider,
    ask: &Ask,
    change: &Value,
    info: Option<(u16, Value)>,
) -> Confirmed {
    let code = returned_code();
    let attempt = AttemptContext { customer: &customer(), ..used(ask, &code) };
    let token = id_token(&opened.state(&attempt).nonce, change);
    let exchanged = confirmed(opened, script, &attempt, Some((200, tokens(&token))));
    let Confirmed::Exchanged(grant) = exchanged else { return exchanged };
    let grant = Authorization::Grant(grant);
    confirmed(opened, script, &AttemptContext { authorization: &grant, ..attempt }, info)
}

/// Returns the keyed hash of the customer's number.
fn customer() -> String {
    let phone: Phone = "+15551230001".parse().unwrap();
    keys::address_hash(&Key32::new([8; 32]), &phone)
}

pub(super) fn identity(claims: &[&str], max_age: Option<u32>, acr: &[&str]) -> Ask {
    Ask::Identity {
        acr: acr.iter().map(|acr| DisplayText::new(acr).unwrap()).collect(),
        claims: claims.iter().map(|claim| DisplayText::new(claim).unwrap()).collect(),
        description: DisplayText::new("Opening an account").unwrap(),
        max_age,
    }
}

fn released(confirmed: &Confirmed) -> (Value, Option<bool>) {
    let Confirmed::Done(Fulfillment::Claims { receipt, claims }) = confirmed else {
        panic!("{confirmed:?}")
    };
    let claims = serde_json::from_str(claims.0.expose_secret()).unwrap();
    (claims, receipt.phone_number_matches)
}

#[test]
fn claims_of_the_id_token_fill_what_user_info_leaves_out() {
    let (opened, script) = provider(&json!({ "compare_phone_number": false }));
    let ask = identity(&["given_name", "email"], None, &[]);
    let token =
        json!({ "given_name": "Ada", "email": "old@example.com", "birthdate": "1815-12-10" });
    // Everything is in the ID token, so that no call is made.
    let answer = fetched(&opened, &script, &ask, &token, None);
    let all = json!({ "given_name": "Ada", "email": "old@example.com" });
    assert_eq!(released(&answer), (all, None));
    assert_eq!(script.calls.lock().unwrap().len(), 1);

    let token = json!({ "given_name": "Ada" });
    let info = json!({ "sub": "cust1", "email": "ada@example.com", "given_name": "" });
    let answer = fetched(&opened, &script, &ask, &token, Some((200, info)));
    assert_eq!(released(&answer).0, json!({ "given_name": "Ada", "email": "ada@example.com" }));
}

#[test]
fn user_info_as_a_signed_token_counts_for_this_client_only() {
    let (opened, script) = provider(&json!({}));
    let ask = identity(&["given_name"], None, &[]);
    let signed = |change: &Value| {
        let mut payload = json!({ "sub": "cust1", "given_name": "Ada",
            "iss": "https://id.example", "aud": "acme shop" });
        for (name, value) in change.as_object().unwrap() {
            payload[name] = value.clone();
        }
        Some((200, json!(format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(payload.to_string())))))
    };
    for change in [json!({}), json!({ "aud": ["acme shop"] })] {
        let answer = fetched(&opened, &script, &ask, &json!({}), signed(&change));
        assert_eq!(released(&answer).0, json!({ "given_name": "Ada" }), "{change}");
    }
    for (change, refused) in [
        (json!({ "iss": "https://evil.example" }), Confirmed::Invalid { code: "issuer_differs" }),
        (json!({ "aud": "other" }), Confirmed::Invalid { code: "facts_of_another_client" }),
        (json!({ "sub": "cust2" }), Confirmed::SoftDeclined { code: "subject_differs" }),
    ] {
        assert_eq!(fetched(&opened, &script, &ask, &json!({}), signed(&change)), refused);
    }
    let encrypted = Some((200, json!("a.b.c.d.e")));
    let unreadable = Confirmed::Invalid { code: "facts_unreadable" };
    assert_eq!(fetched(&opened, &script, &ask, &json!({}), encrypted), unreadable);
}

#[test]
fn phone_number_is_compared_and_released_only_if_asked() {
    let (opened, script) = provider(&json!({}));
    let ask = identity(&["given_name"], None, &[]);
    for (info, matches) in [
        (json!({ "phone_number": "+1 555 123 0001", "phone_number_verified": true }), Some(true)),
        (json!({ "phone_number": "+1 555 123 0001" }), Some(true)),
        (json!({ "phone_number": "+15551230002", "phone_number_verified": "true" }), Some(false)),
        (json!({ "phone_number": "+15551230001", "phone_number_verified": "false" }), None),
        (json!({ "phone_number": "555 1230001" }), None),
        (json!({}), None),
    ] {
        let mut info = info;
        info["sub"] = json!("cust1");
        info["given_name"] = json!("Ada");
        let answer = fetched(&opened, &script, &ask, &json!({}), Some((200, info.clone())));
        assert_eq!(released(&answer), (json!({ "given_name": "Ada" }), matches), "{info}");
    }
}

#[test]
fn sign_in_that_is_older_or_weaker_than_asked_is_refused() {
    let (opened, script) = provider(&json!({}));
    let ask = identity(&["given_name"], Some(300), &["phr", "phrh"]);
    let yes = Authorization::Hosted;
    let attempt = used(&ask, &yes);
    let reference = Reference(opened.state(&attempt).to_string());
    let Confirmed::RequiresAction { redirect: Some(RedirectUrl(url)) } =
        block_on(opened.confirm(&attempt, &reference))
    else {
        panic!()
    };
    let asked = query(&url);
    assert_eq!(value(&asked, "max_age"), "300");
    assert_eq!(value(&asked, "acr_values"), "phr phrh");
    let claims: Value = serde_json::from_str(&value(&asked, "claims")).unwrap();
    assert_eq!(claims["id_token"]["acr"]["values"], json!(["phr", "phrh"]));

    let now = NOW.as_secs();
    for (change, code) in [
        (json!({ "acr": "phr" }), "auth_time_missing"),
        (json!({ "acr": "phr", "auth_time": now - 421 }), "sign_in_too_old"),
        (json!({ "auth_time": now }), "acr_not_met"),
        (json!({ "auth_time": now, "acr": "0" }), "acr_not_met"),
    ] {
        let answer = fetched(&opened, &script, &ask, &change, None);
        assert_eq!(answer, Confirmed::SoftDeclined { code }, "{change}");
    }
    let token =
        json!({ "auth_time": f64::from(u32::try_from(now).unwrap()) - 60.5, "acr": "phrh" });
    let info = Some((200, json!({ "sub": "cust1", "given_name": "Ada" })));
    let answer = fetched(&opened, &script, &ask, &token, info);
    let Confirmed::Done(Fulfillment::Claims { receipt, .. }) = answer else { panic!("{answer:?}") };
    assert_eq!(receipt.acr.as_deref(), Some("phrh"));
    assert_eq!(receipt.auth_time.map(Timestamp::as_secs), Some(now - 61));
}

#[test]
fn code_up_to_16_kib_is_taken_from_a_query_or_a_form() {
    let (opened, _) = provider(&json!({}));
    let ask = ask();
    let yes = Authorization::Hosted;
    let attempt = used(&ask, &yes);
    let state = opened.state(&attempt).to_string();
    let posted = |body: String, kind: &'static str| {
        let mut headers = http::HeaderMap::new();
        headers.insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static(kind));
        UnverifiedCallback { method: Method::POST, body: body.into(), headers, ..back(CALLBACK) }
    };
    let form = "application/x-www-form-urlencoded; charset=utf-8";
    for (length, taken) in [(2_409, true), (16_384, true), (16_385, false)] {
        let fields = format!("state={state}&code={}&id_token=x&user=%7B%7D", "x".repeat(length));
        for callback in [back(&format!("{CALLBACK}?{fields}")), posted(fields.clone(), form)] {
            assert_eq!(opened.receive(&callback).is_ok(), taken, "{length}");
        }
        let json = posted(fields, "application/json");
        assert_eq!(opened.receive(&json), Err(CallbackError::None));
    }
}

pub(super) fn pem(der: &[u8]) -> String {
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n")
}

fn decoded(part: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[test]
fn client_with_a_key_signs_who_it_is() {
    let random = SystemRandom::new();
    let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
    let der = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
    let public = EcdsaKeyPair::from_pkcs8(algorithm, der.as_ref(), &random).unwrap();
    let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, public.public_key().as_ref());
    let key = json!({ "pem": pem(der.as_ref()), "id": "k1", "team_id": "TEAM" });
    for (method, field, issuer, audience) in [
        ("private_key_jwt", "client_assertion", "acme shop", "https://id.example/token"),
        ("apple", "client_secret", "TEAM", "https://appleid.apple.com"),
    ] {
        let (opened, script) = provider(&json!({ "client_auth": method, "private_key": key }));
        let ask = ask();
        let code = returned_code();
        confirmed(&opened, &script, &used(&ask, &code), Some((400, json!({}))));
        let call = script.calls.lock().unwrap().pop().unwrap();
        assert!(!call.headers().contains_key("authorization"));
        let form: Vec<(String, String)> =
            form_urlencoded::parse(call.body()).into_owned().collect();
        assert_eq!(value(&form, "client_id"), "acme shop");
        let token = value(&form, field);
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        public.verify(signed.as_bytes(), &signature).unwrap();
        let (header, payload) = signed.split_once('.').unwrap();
        assert_eq!(decoded(header), json!({ "alg": "ES256", "typ": "JWT", "kid": "k1" }));
        let payload = decoded(payload);
        assert_eq!(
            (payload["iss"].as_str(), payload["aud"].as_str()),
            (Some(issuer), Some(audience))
        );
        assert_eq!(payload["sub"], "acme shop");
        assert_eq!(payload["exp"], NOW.as_secs() + 120);
    }
    for (settings, missing) in [
        (json!({ "client_auth": "private_key_jwt" }), "client_auth needs private_key"),
        (json!({ "client_auth": "apple", "private_key": { "pem": pem(der.as_ref()) } }), "team_id"),
        (json!({ "client_auth": "private_key_jwt", "private_key": { "pem": "x" } }), "PKCS#8"),
        (
            json!({ "client_auth": "post", "client_secret": null }),
            "client_auth needs client_secret",
        ),
    ] {
        let error = Provider::read(Mode::Live, &super::settings(&settings)).err().unwrap();
        assert!(error.to_string().contains(missing), "{error}");
    }
}
