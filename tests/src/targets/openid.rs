//! Answers of an OpenID provider: discovery, pushed requests, tokens and claims, and customers who return.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use domain::ask::Ask;
use domain::authorization::{Authorization, Grant};
use domain::keys;
use domain::processor_result::Reference;
use domain::values::text::DisplayText;
use http::{Method, Response, StatusCode};
use ports::{AttemptContext, Confirmed, Created, ProcessorEvent, RedirectUrl};
use serde_json::{Value, json};

use super::accounts::{Account, CLIENT, ISSUER, callback, now};
use super::providers::{ScriptedInput, scripted_input};
use crate::doubles::{START_TIME, used};

/// Words of these bodies.
pub(super) const WORDS: &[&str] = &[
    "null",
    "{}",
    "[]",
    "7",
    "-1",
    "1e999",
    "issuer",
    ISSUER,
    "authorization_endpoint",
    "token_endpoint",
    "userinfo_endpoint",
    "pushed_authorization_request_endpoint",
    "https://id.example.evil/",
    "https://id.example@evil.example/",
    "https://login.id.example/",
    "javascript:",
    "require_pushed_authorization_requests",
    "claims_parameter_supported",
    "authorization_response_iss_parameter_supported",
    "token_endpoint_auth_methods_supported",
    "client_secret_post",
    "true",
    "request_uri",
    "urn:ietf:params:oauth:request_uri:1",
    "expires_in",
    "access_token",
    "token_type",
    "Bearer",
    "id_token",
    "iss",
    "aud",
    "azp",
    CLIENT,
    "exp",
    "nonce",
    "NONCE",
    "sub",
    "cust1",
    "auth_time",
    "acr",
    "given_name",
    "phone_number",
    "address",
    "formatted",
    "error",
    "invalid_grant",
    "invalid_client",
    "state=STATE",
    "&code=",
    "&iss=",
    "e30.e30.c2ln",
    "\\u0000",
    "\\ud800",
];

/// Customers are sent to the provider's hosts only, claims need this attempt's nonce and subject, and a return our state.
pub fn openid(input: &[u8]) {
    let Some(scripted) = scripted_input(input) else { return };
    let ask = Ask::Identity {
        acr: Vec::new(),
        claims: ["given_name", "address", "phone_number"]
            .map(|claim| DisplayText::new(claim).expect("a claim"))
            .into(),
        description: DisplayText::new("Opening an account").expect("a text"),
        max_age: None,
    };
    match scripted.word {
        "discover" | "push" => sends_on(&scripted, &ask),
        "token" | "claims" => fetches(&scripted, &ask),
        "back" => returns(&scripted, &ask),
        _ => {}
    }
}

fn answer(status: StatusCode, body: impl Into<Bytes>) -> Response<Bytes> {
    let mut answer = Response::new(body.into());
    *answer.status_mut() = status;
    answer
}

fn document() -> Value {
    json!({ "issuer": ISSUER, "authorization_endpoint": "https://id.example/authorize",
        "token_endpoint": "https://id.example/token", "userinfo_endpoint": "https://id.example/me",
        "pushed_authorization_request_endpoint": "https://id.example/push",
        "require_pushed_authorization_requests": true })
}

fn id_token() -> Value {
    json!({ "iss": ISSUER, "aud": CLIENT, "sub": "cust1", "nonce": "NONCE", "exp": START_TIME.as_secs() + 600 })
}

fn tokens() -> Value {
    json!({ "access_token": "at_1", "token_type": "Bearer", "id_token": id_token() })
}

/// Opens the provider's account. What the input tells answers the call that it names, and each other call succeeds.
fn open(scripted: &ScriptedInput<'_>) -> Account {
    let (word, status, body) = (scripted.word.to_owned(), scripted.status, scripted.body.to_vec());
    Account::open(
        "bank",
        Box::new(move |path| {
            let (place, good) = match path {
                "/.well-known/openid-configuration" => ("discover", document()),
                "/push" => ("push", json!({ "request_uri": "urn:1", "expires_in": 60 })),
                "/token" => ("token", tokens()),
                _ => ("claims", json!({ "sub": "cust1", "given_name": "Ada" })),
            };
            match place {
                "token" if word == place => answer(status, signed(&body)),
                "token" => answer(StatusCode::OK, signed(good.to_string().as_bytes())),
                _ if word == place => answer(status, body.clone()),
                _ => answer(StatusCode::OK, good.to_string()),
            }
        }),
    )
}

/// Signs an ID token that is an object. `NONCE` in it stands for the nonce of the attempt.
fn signed(body: &[u8]) -> Vec<u8> {
    let Ok(mut tokens) = serde_json::from_slice::<Value>(body) else { return body.to_vec() };
    let token = tokens.get_mut("id_token").filter(|token| token.is_object());
    let Some(token) = token else { return body.to_vec() };
    let claims = token.to_string().replace("NONCE", &nonce());
    *token = json!(format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims)));
    tokens.to_string().into_bytes()
}

/// Returns the nonce that the adapter derives for the attempt, with the link key of the account's brand.
fn nonce() -> String {
    let key = domain::brand::Key32::new([0; 32]);
    let request = used(&Authorization::Hosted, 1, 1).request;
    let derived = keys::derived(&key, &format!("openid nonce {ISSUER}"), request, 1);
    hex::encode(derived.get(..16).unwrap_or_default())
}

fn reference(account: &Account, ask: &Ask) -> Reference {
    let attempt = AttemptContext { ask, ..used(&Authorization::Hosted, 1, 1) };
    let Created::Ready(reference) = now(account.processor.create(&attempt)) else {
        panic!("an identity ask has a state")
    };
    reference
}

fn sends_on(scripted: &ScriptedInput<'_>, ask: &Ask) {
    let account = open(scripted);
    let attempt = AttemptContext { ask, ..used(&Authorization::Hosted, 1, 1) };
    let confirmed = now(account.processor.confirm(&attempt, &reference(&account, ask)));
    if let Confirmed::RequiresAction { redirect: Some(RedirectUrl(url)) } = &confirmed {
        let url: http::Uri = url.parse().expect("an address");
        let host = url.host().unwrap_or_default().to_ascii_lowercase();
        assert!(host == "id.example" || host.ends_with(".id.example"), "{url}");
        assert!(scripted.status.is_success(), "{confirmed:?}");
    }
    assert!(!matches!(confirmed, Confirmed::Done(_) | Confirmed::Exchanged(_)), "{confirmed:?}");
}

fn fetches(scripted: &ScriptedInput<'_>, ask: &Ask) {
    let account = open(scripted);
    let reference = reference(&account, ask);
    let query = format!("?state={}&code=c1", reference.0);
    let returned = account.processor.receive(&callback("bank", Method::GET, &query, b""));
    let returned = returned.expect("our own state").events;
    let Some(ProcessorEvent::Returned { grant, .. }) = returned.into_iter().next() else {
        panic!("a return with a code")
    };
    let confirm = |grant: Grant| {
        let grant = Authorization::Grant(grant);
        let attempt = AttemptContext { ask, ..used(&grant, 1, 1) };
        now(account.processor.confirm(&attempt, &reference))
    };
    let exchanged = confirm(grant);
    let Confirmed::Exchanged(grant) = exchanged else {
        assert!(!matches!(exchanged, Confirmed::Done(_)), "{exchanged:?}");
        assert!(scripted.word == "token", "{exchanged:?}");
        return;
    };
    if scripted.word == "token" {
        let tokens: Value = serde_json::from_slice(scripted.body).unwrap_or_default();
        let is_ours = tokens["id_token"]["nonce"] == "NONCE" && scripted.status.is_success();
        assert!(is_ours, "a token of another sign-in was taken");
    }
    let released = confirm(grant);
    if scripted.word == "claims" && matches!(released, Confirmed::Done(_)) {
        assert!(scripted.status == StatusCode::OK, "{released:?}");
    }
}

/// The body is the query of the return. `STATE` stands for the attempt's state.
fn returns(scripted: &ScriptedInput<'_>, ask: &Ask) {
    let account = open(scripted);
    let query = String::from_utf8_lossy(scripted.body);
    let is_ours = query.contains("STATE");
    let query = format!("?{}", query.replace("STATE", &reference(&account, ask).0));
    for method in [Method::GET, Method::POST] {
        let form = query.trim_start_matches('?').as_bytes();
        let place = if method == Method::GET { query.as_str() } else { "" };
        let received = account.processor.receive(&callback("bank", method, place, form));
        assert!(is_ours || received.is_err(), "{received:?}");
    }
}

pub(super) fn samples() -> Vec<Vec<u8>> {
    let with = |mut value: Value, name: &str, other: Value| {
        value[name] = other;
        value
    };
    let info = json!({ "sub": "cust1", "given_name": "Ada", "phone_number": "+1 (555) 123-0001",
        "address": { "formatted": "1 St James's Square", "country": "GB" } });
    let jwt = format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(info.to_string()));
    let error = |code: &str| json!({ "error": code });
    let mut all = vec![
        format!("discover 200\n{}", document()),
        "discover 500\noops".to_owned(),
        format!("push 201\n{}", json!({ "request_uri": "urn:1", "expires_in": 60 })),
        format!("token 200\n{}", tokens()),
        format!("claims 200\n{info}"),
        format!("claims 200\n{jwt}"),
        format!("claims 200\n\"{jwt}\""),
        "claims 401\n".to_owned(),
        "back 200\nstate=STATE&code=c1&iss=https%3A%2F%2Fid.example".to_owned(),
        "back 200\nstate=STATE&error=access_denied".to_owned(),
        "back 200\nstate=req_01J00000000000000000000000.1.00&code=c1".to_owned(),
    ];
    for (name, value) in [
        ("issuer", json!("https://other.example")),
        ("token_endpoint", json!("https://other.example/token")),
        ("authorization_endpoint", json!("https://login.id.example/a?b=c")),
        ("require_pushed_authorization_requests", json!(false)),
        ("token_endpoint_auth_methods_supported", json!(["client_secret_post"])),
        ("scopes_supported", json!(["openid", "phone"])),
    ] {
        all.push(format!("discover 200\n{}", with(document(), name, value)));
    }
    for (name, value) in [
        ("iss", json!("https://other.example")),
        ("aud", json!([CLIENT, "other"])),
        ("nonce", json!("other")),
        ("exp", json!(1)),
        ("given_name", json!("Ada")),
    ] {
        all.push(format!(
            "token 200\n{}",
            with(tokens(), "id_token", with(id_token(), name, value))
        ));
    }
    for code in ["invalid_grant", "invalid_client", "invalid_scope"] {
        all.extend(["push", "token"].map(|word| format!("{word} 400\n{}", error(code))));
    }
    all.into_iter().map(String::into_bytes).collect()
}
