//! The sandbox's OpenID provider, as the ordinary adapter and customers meet it.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::Method;
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use sandbox::SandboxAccess;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tests::world::{Answer, CreatedRequest, PHONE, PUBLIC_BASE, World};

const PROVIDER: &str = "/sandbox/identity";
const CALLBACK: &str = "https://pay.example.com/callbacks/demo/identity";
const VERIFIER: &str = "a-verifier-of-more-than-forty-three-characters";

fn begin() -> World {
    World::builder().with_sandbox_identity().build()
}

fn asks(world: &World, ask: &Value) -> CreatedRequest {
    let mut body = world.payment(PHONE, 1);
    body["ask"] = ask.clone();
    world.asks_for(&body)
}

fn ask() -> Value {
    json!({ "kind": "identity", "claims": ["given_name", "birthdate"], "description": "Age check" })
}

#[test]
fn identity_ask_is_fulfilled_out_of_the_box() {
    let world = begin();
    let question = json!({ "customer": { "phone": PHONE }, "ask": ask() });
    let shown = world.post("/v1/capabilities", &question).ok(200).json();
    let able = shown["processors"].as_array().unwrap().iter();
    let able: Vec<&Value> = able.filter(|one| one["supported"] == true).collect();
    assert_eq!(able.len(), 1, "{shown}");
    assert_eq!(able[0]["name"], "identity");

    let asked = asks(&world, &ask());
    let sign_in = world.goes_to_sign_in();
    let page = world.call(Method::GET, &sign_in).key(None).send().ok(200);
    assert!(page.header("content-security-policy").contains("form-action 'self'"));
    let shared = "To be shared: given_name, birthdate, phone_number, phone_number_verified.";
    assert!(page.text().contains(shared), "{}", page.text());
    let call = world.call(Method::POST, &sign_in).key(None).idempotency(None);
    let back = call.form(&[("person", "grace")]).send().ok(303);
    let back = back.header("location").strip_prefix(PUBLIC_BASE).unwrap().to_owned();
    world.call(Method::GET, &back).key(None).send().ok(303);
    world.run_until_idle();
    let request = world.reads(&asked);
    assert_eq!((&request["state"], &request["processor"]), (&json!("fulfilled"), &Value::Null));
    let identity = &request["outcome"]["identity"];
    assert_eq!(request["outcome"]["processor"], "identity");
    let claims = json!({ "given_name": "Grace", "birthdate": "1906-12-09" });
    assert_eq!(identity["claims"], claims);
    assert_eq!(identity["phone_number_matches"], true);
    assert_eq!(world.webhooks().last().unwrap(), "request.fulfilled");
}

#[test]
fn person_of_each_magic_value_plays_its_case() {
    for (person, state, last) in [
        ("zoe", "fulfilled", "fulfilled"),
        ("shares_one", "fulfilled", "fulfilled"),
        ("shares_nothing", "prompted", "attempt_failed not_released"),
        ("denies", "prompted", "attempt_failed access_denied"),
        ("unavailable", "prompted", "attempt_failed provider_unavailable"),
        ("wrong_return", "processing", "redirected"),
        ("code_refused", "prompted", "attempt_failed authentication_lost"),
        ("wrong_issuer", "failed", "failed issuer_differs"),
        ("wrong_nonce", "prompted", "attempt_failed id_token_nonce"),
        ("expired", "prompted", "attempt_failed id_token_exp"),
        ("old_sign_in", "prompted", "attempt_failed sign_in_too_old"),
        ("wrong_subject", "prompted", "attempt_failed subject_differs"),
    ] {
        let world = begin();
        let mut recent = ask();
        recent["max_age"] = json!(600);
        let asked = asks(&world, &recent);
        world.signs_in(person);
        assert_eq!(world.state(&asked), state, "{person}: {:?}", world.timeline(&asked));
        assert_eq!(world.timeline(&asked).last().unwrap(), last, "{person}");
        let outcome = world.reads(&asked)["outcome"].clone();
        match person {
            "zoe" => assert_eq!(outcome["identity"]["phone_number_matches"], false),
            "shares_one" => assert_eq!(outcome["identity"]["released"], json!(["given_name"])),
            "wrong_issuer" => assert_eq!(outcome["reason"], "issuer_differs"),
            // After a refusal the customer may try again.
            _ if state == "prompted" => {
                world.signs_in("grace");
                assert_eq!(world.state(&asked), "fulfilled", "{person}");
            }
            _ => {}
        }
        world.leaves();
    }
}

#[test]
fn strong_sign_in_that_was_asked_for_is_told() {
    let world = begin();
    let mut strong = ask();
    strong["acr"] = json!(["urn:example:gold"]);
    let asked = asks(&world, &strong);
    world.signs_in("old_sign_in");
    assert_eq!(world.timeline(&asked).last().unwrap(), "attempt_failed acr_not_met");
    world.signs_in("grace");
    assert_eq!(world.reads(&asked)["outcome"]["identity"]["acr"], "urn:example:gold");
}

#[test]
fn provider_is_absent_where_the_sandbox_is_off() {
    let world = World::builder().phone_for(SandboxAccess::Off).build();
    let path = format!("{PROVIDER}/.well-known/openid-configuration");
    world.call(Method::GET, &path).key(None).send().problem(404, "not-found");
}

/// Returns the query of an authorization request, changed in one parameter.
fn query(name: &str, value: &str) -> String {
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
    let mut fields = vec![
        ("client_id", "demo"),
        ("redirect_uri", CALLBACK),
        ("response_type", "code"),
        ("scope", "openid profile"),
        ("state", "s 1"),
        ("nonce", "n1"),
        ("code_challenge", challenge.as_str()),
        ("code_challenge_method", "S256"),
    ];
    fields.retain(|(known, _)| *known != name);
    fields.push((name, value));
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    format!("{PROVIDER}/authorize?{query}")
}

fn chooses(world: &World, url: &str) -> Answer {
    let call = world.call(Method::POST, url).key(None).idempotency(None);
    call.form(&[("person", "grace")]).send()
}

fn parameter(url: &str, name: &str) -> Option<String> {
    let (_, query) = url.split_once('?')?;
    let mut fields = form_urlencoded::parse(query.as_bytes());
    fields.find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

fn code(world: &World) -> String {
    let back = chooses(world, &query("prompt", "consent")).ok(303);
    let back = back.header("location");
    assert!(back.starts_with(CALLBACK), "{back}");
    assert_eq!(parameter(back, "state").as_deref(), Some("s 1"));
    assert_eq!(parameter(back, "iss").unwrap(), format!("{PUBLIC_BASE}{PROVIDER}"));
    parameter(back, "code").unwrap()
}

/// Exchanges a code, with one field changed.
fn exchange(world: &World, code: &str, name: &str, value: &str) -> Answer {
    let mut fields = vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
        ("client_id", "demo"),
        ("client_secret", "sandbox"),
    ];
    fields.retain(|(known, _)| *known != name);
    fields.push((name, value));
    let path = format!("{PROVIDER}/token");
    world.call(Method::POST, &path).key(None).idempotency(None).form(&fields).send()
}

fn user_info(world: &World, token: &str) -> Answer {
    let path = format!("{PROVIDER}/userinfo");
    let call = world.call(Method::GET, &path).key(None);
    call.header("authorization", &format!("Bearer {token}")).send()
}

fn decoded(part: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[test]
fn id_token_verifies_by_the_published_key() {
    let world = begin();
    let tokens = exchange(&world, &code(&world), "grant_type", "authorization_code").ok(200).json();
    let parts: Vec<&str> = tokens["id_token"].as_str().unwrap().split('.').collect();
    let (header, claims) = (decoded(parts[0]), decoded(parts[1]));
    let keys = world.call(Method::GET, &format!("{PROVIDER}/jwks")).key(None).send().ok(200).json();
    let key = &keys["keys"][0];
    assert_eq!((&header["kid"], &header["alg"]), (&key["kid"], &key["alg"]));
    let mut point = vec![4];
    for name in ["x", "y"] {
        point.extend(URL_SAFE_NO_PAD.decode(key[name].as_str().unwrap()).unwrap());
    }
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
    let signed = format!("{}.{}", parts[0], parts[1]);
    key.verify(signed.as_bytes(), &URL_SAFE_NO_PAD.decode(parts[2]).unwrap()).unwrap();
    let issuer = format!("{PUBLIC_BASE}{PROVIDER}");
    assert_eq!(
        (&claims["iss"], &claims["aud"], &claims["nonce"]),
        (&json!(issuer), &json!("demo"), &json!("n1"))
    );
    let token = tokens["access_token"].as_str().unwrap();
    let digest = URL_SAFE_NO_PAD.encode(&Sha256::digest(token)[..16]);
    assert_eq!(claims["at_hash"], digest);
    let released = user_info(&world, token).ok(200).json();
    assert_eq!((&released["sub"], &released["given_name"]), (&claims["sub"], &json!("Grace")));
    assert!(released.get("email").is_none(), "{released}");
}

#[test]
fn code_works_once_for_its_client_and_verifier() {
    let world = begin();
    let first = code(&world);
    for (name, value) in [
        ("code_verifier", "another-verifier-of-more-than-forty-three-characters"),
        ("redirect_uri", "https://pay.example.com/callbacks/demo/other"),
        ("client_id", "other"),
        ("code", "000000000000000000000000000000000000000000000000.0"),
    ] {
        let refused = exchange(&world, &first, name, value).ok(400).json();
        assert_eq!(refused["error"], "invalid_grant", "{name}");
    }
    let refused = exchange(&world, &first, "client_secret", "wrong").ok(401).json();
    assert_eq!(refused["error"], "invalid_client");
    let tokens = exchange(&world, &first, "client_id", "demo").ok(200).json();
    let token = tokens["access_token"].as_str().unwrap();
    user_info(&world, token).ok(200);
    // A second use of the code ends the token, since an attacker may have been the first.
    exchange(&world, &first, "client_id", "demo").ok(400);
    let refused = user_info(&world, token).ok(401);
    assert!(refused.header("www-authenticate").starts_with("Bearer "), "{refused:?}");
    let late = code(&world);
    world.time_passes(600);
    exchange(&world, &late, "client_id", "demo").ok(400);
    let header = format!("Basic {}", STANDARD.encode("demo:sandbox"));
    let path = format!("{PROVIDER}/token");
    let call = world.call(Method::POST, &path).key(None).idempotency(None);
    let call = call.header("authorization", &header);
    let refused = call.form(&[("grant_type", "password")]).send().ok(400).json();
    assert_eq!(refused["error"], "unsupported_grant_type");
}

#[test]
fn authorization_request_with_a_fault_is_refused() {
    let world = begin();
    for (name, value) in [
        ("client_id", "other"),
        ("redirect_uri", "https://evil.example/callbacks/demo/identity"),
        ("redirect_uri", "https://pay.example.com/callbacks/demo/../x"),
    ] {
        let refused = chooses(&world, &query(name, value)).ok(400);
        assert!(refused.text().contains("cannot begin"), "{name}");
        assert_eq!(refused.header("location"), "");
    }
    chooses(&world, &format!("{}&client_id=demo", query("prompt", "login"))).ok(400);
    for (name, value, error) in [
        ("response_type", "token", "unsupported_response_type"),
        ("scope", "profile", "invalid_scope"),
        ("prompt", "none", "login_required"),
        ("code_challenge_method", "plain", "invalid_request"),
        ("code_challenge", "short", "invalid_request"),
        ("claims", "{", "invalid_request"),
        ("response_mode", "fragment", "invalid_request"),
        ("request", "x", "request_not_supported"),
        ("request_uri", "x", "request_uri_not_supported"),
    ] {
        let back = chooses(&world, &query(name, value)).ok(303);
        let back = back.header("location").to_owned();
        assert_eq!(parameter(&back, "error").as_deref(), Some(error), "{name}");
        assert_eq!(parameter(&back, "state").as_deref(), Some("s 1"), "{name}");
        assert_eq!(parameter(&back, "code"), None, "{name}");
    }
}
