//! The documented flow: what is asked, and the answer to each reply.

use std::collections::VecDeque;
use std::sync::Mutex;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::brand::{Mode, Settings};
use domain::values::text::DisplayText;
use domain::values::time::Timestamp;
use pollster::block_on;
use ports::{Fulfillment, Proof};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use http::Method;

use super::*;

mod providers;
mod refusals;
mod sign_in;

const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_000);
const CALLBACK: &str = "https://pay.example.com/callbacks/acme/bank";

struct StoppedClock;

#[async_trait]
impl Clock for StoppedClock {
    fn now(&self) -> Timestamp {
        NOW
    }

    async fn wait(&self, _: Duration) {}
}

/// An `Http` that answers by a script and records the calls.
#[derive(Default)]
struct ScriptedProvider {
    answers: Mutex<VecDeque<Option<(u16, String)>>>,
    calls: Mutex<Vec<http::Request<Bytes>>>,
}

#[async_trait]
impl Http for ScriptedProvider {
    async fn call(
        &self,
        request: http::Request<Bytes>,
        _: Reach,
        _: Duration,
    ) -> Result<http::Response<Bytes>, HttpError> {
        self.calls.lock().unwrap().push(request);
        match self.answers.lock().unwrap().pop_front().flatten() {
            Some((status, body)) => {
                Ok(http::Response::builder().status(status).body(body.into()).unwrap())
            }
            None => Err(HttpError::Lost("scripted".into())),
        }
    }
}

fn settings(more: &Value) -> Settings {
    let mut settings = json!({
        "issuer": "https://id.example", "authorization_endpoint": "https://id.example/authorize",
        "token_endpoint": "https://id.example/token", "userinfo_endpoint": "https://id.example/me",
        "client_id": "acme shop", "client_secret": "s3cret:%",
    });
    for (name, value) in more.as_object().unwrap() {
        settings[name] = value.clone();
    }
    settings.as_object().unwrap().clone().into()
}

fn provider(more: &Value) -> (OpenId, Arc<ScriptedProvider>) {
    let script = Arc::new(ScriptedProvider::default());
    let opened = OpenId {
        provider: Provider::read(Mode::Live, &settings(more)).unwrap(),
        link_key: Key32::new([7; 32]),
        address_key: Key32::new([8; 32]),
        documents: Arc::default(),
        http: Arc::<ScriptedProvider>::clone(&script),
        clock: Arc::new(StoppedClock),
    };
    (opened, script)
}

fn ask() -> Ask {
    let claims = ["given_name", "address"].map(|claim| DisplayText::new(claim).unwrap());
    Ask::Identity {
        acr: Vec::new(),
        claims: claims.into(),
        description: DisplayText::new("Opening an account").unwrap(),
        max_age: None,
    }
}

/// Returns the code with which the customer returned. The return named its issuer.
fn returned_code() -> Authorization {
    wire::returned("c0de".to_owned(), true).into()
}

fn used<'a>(ask: &'a Ask, authorization: &'a Authorization) -> AttemptContext<'a> {
    AttemptContext {
        request: "req_01J00000000000000000000000".parse().unwrap(),
        attempt_no: 2,
        ask,
        labels: ports::RequestLabels::NONE,
        authorization,
        customer: "c0ffee",
        page: "https://pay.example.com/c/page",
        callback: CALLBACK,
        begun_at: NOW,
        on_hosted_page: false,
        redeemed: false,
        reported: None,
    }
}

/// Returns an ID token with some of its claims changed.
fn id_token(nonce: &str, change: &Value) -> String {
    let mut payload = json!({
        "iss": "https://id.example", "aud": "acme shop", "sub": "cust1", "nonce": nonce,
        "exp": NOW.as_millis() / 1000 + 300,
    });
    for (name, value) in change.as_object().unwrap() {
        payload[name] = value.clone();
    }
    format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(payload.to_string()))
}

fn tokens(id_token: &str) -> Value {
    json!({ "access_token": "at-hidden", "token_type": "Bearer", "expires_in": 300, "id_token": id_token })
}

/// Runs the attempt against one scripted reply.
fn confirmed(
    opened: &OpenId,
    script: &ScriptedProvider,
    attempt: &AttemptContext<'_>,
    answer: Option<(u16, Value)>,
) -> Confirmed {
    let answer = answer.map(|(status, body)| {
        (status, body.as_str().map_or_else(|| body.to_string(), str::to_owned))
    });
    script.answers.lock().unwrap().push_back(answer);
    let done = block_on(opened.confirm(attempt, &Reference(opened.state(attempt).to_string())));
    script.answers.lock().unwrap().clear();
    done
}

fn query(url: &str) -> Vec<(String, String)> {
    let (_, query) = url.split_once('?').unwrap();
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

fn value(pairs: &[(String, String)], name: &str) -> String {
    let mut found = pairs.iter().filter(|(known, _)| known == name);
    let value = found.next().unwrap_or_else(|| panic!("{name} is not in {pairs:?}"));
    assert!(found.next().is_none(), "{name} is there twice");
    value.1.clone()
}

fn back(url: &str) -> UnverifiedCallback {
    UnverifiedCallback {
        method: Method::GET,
        url: url.to_owned(),
        headers: http::HeaderMap::new(),
        body: Bytes::new(),
        now: NOW,
        proof: Proof::None,
    }
}

#[test]
fn challenge_matches_the_example_of_rfc_7636() {
    let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    assert_eq!(state::challenge(verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
}

#[test]
fn authorization_request_asks_for_exactly_the_claims() {
    let (opened, _) = provider(&json!({}));
    let (ask, yes) = (ask(), Authorization::Hosted);
    let attempt = used(&ask, &yes);
    assert_eq!(opened.payment_options(&ask), [PaymentOption::Hosted]);
    let Created::Ready(reference) = block_on(opened.create(&attempt)) else { panic!() };
    let Confirmed::RequiresAction { redirect: Some(RedirectUrl(url)) } =
        block_on(opened.confirm(&attempt, &reference))
    else {
        panic!()
    };
    assert!(url.starts_with("https://id.example/authorize?"));
    let asked = query(&url);
    for (name, means) in [
        ("response_type", "code"),
        ("client_id", "acme shop"),
        ("redirect_uri", CALLBACK),
        ("scope", "openid"),
        ("code_challenge_method", "S256"),
        ("state", reference.0.as_str()),
        (
            "claims",
            r#"{"userinfo":{"given_name":{"essential":true},"address":{"essential":true},
                "phone_number":null,"phone_number_verified":null}}"#,
        ),
    ] {
        if name == "claims" {
            let (asked, means): (Value, Value) = (
                serde_json::from_str(&value(&asked, name)).unwrap(),
                serde_json::from_str(means).unwrap(),
            );
            assert_eq!(asked, means);
        } else {
            assert_eq!(value(&asked, name), means);
        }
    }
    let same = block_on(opened.confirm(&attempt, &reference));
    assert_eq!(
        same,
        Confirmed::RequiresAction { redirect: Some(RedirectUrl(url)) },
        "the same each time"
    );
    let on_page = AttemptContext { on_hosted_page: true, ..attempt };
    assert_eq!(block_on(opened.retrieve(&on_page, &reference)), Retrieved::Processing);
}

#[test]
fn authorization_request_is_pushed_with_scopes_where_set() {
    let more = json!({
        "pushed_authorization_request_endpoint": "https://id.example/par",
        "claims_parameter": false, "authorization_details_type": "identity_facts",
    });
    let (opened, script) = provider(&more);
    let (ask, yes) = (ask(), Authorization::Hosted);
    let attempt = used(&ask, &yes);
    let pushed =
        json!({ "request_uri": "urn:ietf:params:oauth:request_uri:6esc", "expires_in": 60 });
    let answer = confirmed(&opened, &script, &attempt, Some((201, pushed)));
    let url = "https://id.example/authorize?client_id=acme+shop&request_uri=urn%3Aietf%3Aparams%3Aoauth%3Arequest_uri%3A6esc";
    assert_eq!(answer, Confirmed::RequiresAction { redirect: Some(RedirectUrl(url.to_owned())) });
    let call = script.calls.lock().unwrap().pop().unwrap();
    // "acme+shop:s3cret%3A%25", as RFC 6749, section 2.3.1, asks.
    assert_eq!(call.headers()["authorization"], "Basic YWNtZStzaG9wOnMzY3JldCUzQSUyNQ==");
    let form: Vec<(String, String)> = form_urlencoded::parse(call.body()).into_owned().collect();
    assert_eq!(value(&form, "scope"), "openid address phone profile");
    let details: Value = serde_json::from_str(&value(&form, "authorization_details")).unwrap();
    assert_eq!(details[0]["fields"], json!(["given_name", "address"]));
}

#[test]
fn code_is_exchanged_then_only_asked_claims_are_returned() {
    let (opened, script) = provider(&json!({}));
    let (ask, code) = (ask(), returned_code());
    let attempt = used(&ask, &code);
    let nonce = opened.state(&attempt).nonce;
    let answer =
        confirmed(&opened, &script, &attempt, Some((200, tokens(&id_token(&nonce, &json!({}))))));
    let Confirmed::Exchanged(access) = answer else { panic!("{answer:?}") };
    let access = Authorization::Grant(access);
    let call = script.calls.lock().unwrap().pop().unwrap();
    let form: Vec<(String, String)> = form_urlencoded::parse(call.body()).into_owned().collect();
    assert_eq!(
        state::challenge(&value(&form, "code_verifier")),
        opened.state(&attempt).challenge()
    );
    assert_eq!(value(&form, "redirect_uri"), CALLBACK);

    let attempt = used(&ask, &access);
    let released = json!({ "sub": "cust1", "given_name": "Ada", "email": "ada@example.com",
        "address": { "country": "US" } });
    let answer = confirmed(&opened, &script, &attempt, Some((200, released)));
    let Confirmed::Done(Fulfillment::Claims { receipt, claims }) = answer else {
        panic!("{answer:?}")
    };
    assert_eq!(receipt.released, ["given_name", "address"]);
    assert_eq!(receipt.subject.len(), 64);
    let claims: Value = serde_json::from_str(claims.0.expose_secret()).unwrap();
    assert_eq!(claims, json!({ "given_name": "Ada", "address": { "country": "US" } }));
    let call = script.calls.lock().unwrap().pop().unwrap();
    assert_eq!(call.headers()["authorization"], "Bearer at-hidden");
}

#[test]
fn code_after_a_lost_exchange_is_never_used_again() {
    let (opened, script) = provider(&json!({}));
    let (ask, code) = (ask(), returned_code());
    let attempt = used(&ask, &code);
    assert_eq!(confirmed(&opened, &script, &attempt, None), Confirmed::Unknown);
    script.calls.lock().unwrap().clear();
    let again = AttemptContext { redeemed: true, ..attempt };
    let reference = Reference(opened.state(&again).to_string());
    assert_eq!(
        block_on(opened.retrieve(&again, &reference)),
        Retrieved::SoftDeclined { code: LOST }
    );
    assert_eq!(
        block_on(opened.confirm(&again, &reference)),
        Confirmed::SoftDeclined { code: LOST }
    );
    assert!(script.calls.lock().unwrap().is_empty());
    assert_eq!(block_on(opened.retrieve(&attempt, &reference)), Retrieved::NotConfirmed);
}

#[test]
fn replies_when_documented_have_one_meaning() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("../fixtures/answers.json")).unwrap();
    let (opened, script) = provider(&json!({
        "pushed_authorization_request_endpoint": "https://id.example/par",
    }));
    let ask = ask();
    let access = json!({ "token": "at", "subject": "cust1" }).to_string();
    for case in &cases {
        let authorization = match case["call"].as_str().unwrap() {
            "push" => Authorization::Hosted,
            "exchange" => returned_code(),
            "facts" => Authorization::Grant(Grant::AccessToken(access.as_str().into())),
            other => panic!("{other}"),
        };
        let status = u16::try_from(case["status"].as_u64().unwrap()).unwrap();
        let attempt = used(&ask, &authorization);
        let answer = confirmed(&opened, &script, &attempt, Some((status, case["body"].clone())));
        assert_eq!(format!("{answer:?}"), case["means"].as_str().unwrap(), "{case}");
    }
}
