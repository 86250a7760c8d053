//! The API: every call of intake, whole and in parts.

use axum::body::Body;
use domain::invariants;
use domain::values::id::RequestId;
use http::{HeaderValue, Uri, header};
use records::storage;
use serde_json::Value;

use super::assertions::assert_sound;
use super::fuzz_fixture::{CallResult, FuzzFixture, KEY, call, wanted, with_fixture};

/// Returns whether a call is the key holder's: the first `Authorization` decides.
fn is_ours(call: &http::Request<Body>) -> bool {
    let value = call.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    value
        .and_then(|value| value.split_once(' '))
        .is_some_and(|(scheme, token)| scheme.eq_ignore_ascii_case("bearer") && token.trim() == KEY)
}

fn post(path: &str, key: &str, body: &[u8]) -> http::Request<Body> {
    let call = http::Request::post(path)
        .header(header::AUTHORIZATION, format!("Bearer {KEY}"))
        .header("idempotency-key", key)
        .body(Body::from(body.to_vec()));
    call.expect("a call")
}

/// A whole call, method, address, headers and body: without the key nothing is answered with success and nothing changes.
pub fn whole_call(input: &[u8]) {
    with_fixture(|fuzz_fixture| {
        let Some(call) = call(input) else { return };
        let (ours, before) = (is_ours(&call), fuzz_fixture.counts());
        let path = call.uri().path();
        let documents = ["/problems", "/docs", "/openapi.json"];
        // A browser asks without a token whether a page of another origin may call.
        let open_to_all = documents.iter().any(|start| path.starts_with(start))
            || call.method() == http::Method::OPTIONS;
        let reads = call.method() == http::Method::GET;
        let answered = fuzz_fixture.ask(&fuzz_fixture.api, call);
        assert_sound(&answered, input);
        let changed = fuzz_fixture.changed_since(&before);
        assert!(ours || !changed, "changed without the key: {answered:?}");
        assert!(ours || open_to_all || answered.status >= 400, "answered without the key");
        assert!(!reads || !changed, "a GET changed something");
        assert!(
            answered.status < 400 || !changed,
            "a refused call changed something: {answered:?}"
        );
    });
}

/// The header that proves the caller and the one that makes a repeat safe, one line each.
pub fn headers(input: &[u8]) {
    with_fixture(|fuzz_fixture| {
        let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
        let (proof, key) = input.split_at(end);
        let body = wanted("+15551230009", "chat").to_string();
        let mut call = http::Request::post("/v1/requests").body(Body::from(body)).expect("a call");
        if let Ok(value) = HeaderValue::from_bytes(proof) {
            call.headers_mut().insert(header::AUTHORIZATION, value);
        }
        if let Ok(value) = HeaderValue::from_bytes(key.get(1..).unwrap_or_default()) {
            call.headers_mut().insert("idempotency-key", value);
        }
        let (ours, before) = (is_ours(&call), fuzz_fixture.counts());
        let answered = fuzz_fixture.ask(&fuzz_fixture.api, call);
        assert_sound(&answered, input);
        assert_eq!(answered.status == 401, !ours, "{answered:?}");
        assert_eq!(answered.status == 201, fuzz_fixture.changed_since(&before), "{answered:?}");
    });
}

/// The body of a call that creates: what is accepted is what was sent, and a repeat gets the same.
pub fn create(input: &[u8]) {
    with_fixture(|fuzz_fixture| {
        let before = fuzz_fixture.counts();
        let answered = fuzz_fixture.ask(&fuzz_fixture.api, post("/v1/requests", "once", input));
        assert_sound(&answered, input);
        if answered.status != 201 {
            assert!(answered.status >= 400 && !fuzz_fixture.changed_since(&before), "{answered:?}");
            return;
        }
        let stored = assert_accepted(fuzz_fixture, &answered);
        let accepted: Value = serde_json::from_slice(input).expect("what was accepted is JSON");
        assert_eq!(
            accepted["ask"]["amount"].as_u64(),
            stored.ask.money().map(|money| money.amount())
        );
        assert_eq!(
            accepted["ask"]["description"].as_str().map(str::trim),
            Some(stored.ask.description())
        );
        assert_eq!(accepted["customer"]["phone"].as_str(), Some(stored.customer.phone.as_str()));
        assert_eq!(accepted["session"]["id"].as_str(), Some(stored.session.id.as_str()));
        let phone = stored.customer.phone.as_str();
        let says =
            |text: &[u8]| text.windows(phone.len()).filter(|at| *at == phone.as_bytes()).count();
        assert!(says(input) != 1 || says(&answered.body) == 0, "the answer tells the phone");
        let after = fuzz_fixture.store().items();
        let again = fuzz_fixture.ask(&fuzz_fixture.api, post("/v1/requests", "once", input));
        assert_eq!((again.status, &again.body), (201, &answered.body));
        assert_eq!(fuzz_fixture.store().items(), after, "a repeat changed something");
    });
}

fn assert_accepted(fuzz_fixture: &FuzzFixture, answered: &CallResult) -> domain::request::Request {
    let id: RequestId = answered.json()["id"].as_str().expect("an id").parse().expect("an id");
    let stored = fuzz_fixture.request(id);
    let events =
        fuzz_fixture.run(storage::journal(fuzz_fixture.store(), &stored)).expect("the store");
    assert!(invariants::broken(None, &stored, &events).is_empty());
    assert!(stored.expires_at > stored.created_at);
    stored
}

/// The body of a question for capabilities: it changes nothing, and the answers are kept for a minute.
pub fn capabilities(input: &[u8]) {
    with_fixture(|fuzz_fixture| {
        let lasting = |fuzz_fixture: &FuzzFixture| {
            let kept = fuzz_fixture.store().items().into_iter();
            kept.filter(|item| item.key.sk != "CAP").collect::<Vec<_>>()
        };
        let before = lasting(fuzz_fixture);
        let answered = fuzz_fixture.ask(&fuzz_fixture.api, post("/v1/capabilities", "once", input));
        assert_sound(&answered, input);
        assert_eq!(lasting(fuzz_fixture), before, "a question changed something");
        if answered.status == 200 {
            let channels = fuzz_fixture.brand.now().test.channels.len();
            let routes = answered.json()["routes"].as_array().map(Vec::len);
            assert_eq!(routes, Some(channels));
        }
    });
}

/// Acts on a request: `cancel`, `extend` or `resend` by the first byte, the rest is the body.
pub fn act(input: &[u8]) {
    with_fixture(|fuzz_fixture| {
        let Some((first, body)) = input.split_first() else { return };
        let what = match first {
            b'c' => "cancel",
            b'e' => "extend",
            b'r' => "resend",
            _ => return,
        };
        let (before, was) = (fuzz_fixture.counts(), fuzz_fixture.request(fuzz_fixture.shown.id));
        let path = format!("/v1/requests/{}/{what}", fuzz_fixture.shown.id);
        let answered = fuzz_fixture.ask(&fuzz_fixture.api, post(&path, "once", body));
        assert_sound(&answered, input);
        let is = fuzz_fixture.request(fuzz_fixture.shown.id);
        if answered.status == 200 {
            assert!(
                is.expires_at >= was.expires_at
                    && is.ask == was.ask
                    && is.prompts.len() == was.prompts.len()
            );
            assert_eq!(is.is_closed(), what == "cancel");
        } else {
            assert!(
                !fuzz_fixture.changed_since(&before),
                "a refused call changed something: {answered:?}"
            );
        }
    });
}

fn read(fuzz_fixture: &FuzzFixture, address: &[u8], input: &[u8]) -> Option<CallResult> {
    let uri = Uri::try_from(address).ok()?;
    let mut call = http::Request::new(Body::empty());
    *call.uri_mut() = uri;
    call.headers_mut().insert(
        header::AUTHORIZATION,
        HeaderValue::from_str(&format!("Bearer {KEY}")).expect("a header"),
    );
    let before = fuzz_fixture.counts();
    let answered = fuzz_fixture.ask(&fuzz_fixture.api, call);
    assert_sound(&answered, input);
    assert!(!fuzz_fixture.changed_since(&before), "reading changed something");
    Some(answered)
}

/// The query of a list with its cursor: pages hold what passes the filters, and lead to one another.
pub fn list(input: &[u8]) {
    with_fixture(|fuzz_fixture| {
        let address = [b"/v1/requests?", input].concat();
        let Some(answered) = read(fuzz_fixture, &address, input) else { return };
        if answered.status != 200 {
            return;
        }
        let page = answered.json();
        let requests = page["requests"].as_array().expect("a list");
        assert!(requests.len() <= 100);
        let (mut next, mut session) = (form_urlencoded::Serializer::new(String::new()), None);
        for (name, value) in form_urlencoded::parse(input) {
            if name == "session" {
                session = Some(value.clone());
            }
            if name != "limit" && name != "cursor" {
                next.append_pair(&name, &value);
            }
        }
        let is_in =
            |request: &Value| session.as_ref().is_none_or(|id| request["session"]["id"] == **id);
        assert!(requests.iter().all(is_in));
        if let Some(cursor) = page["next_cursor"].as_str() {
            let next = format!("/v1/requests?{}&limit=1&cursor={cursor}", next.finish());
            let next = read(fuzz_fixture, next.as_bytes(), input).expect("an address").json();
            let last = requests.last().expect("a page that has a next one is not empty");
            assert!(next["requests"].is_array(), "{next}");
            assert_ne!(next["requests"][0]["id"], last["id"]);
        }
    });
}

/// The id and query of a read: only the one id reads the request.
pub fn one(input: &[u8]) {
    with_fixture(|fuzz_fixture| {
        let address = [b"/v1/requests/", input].concat();
        let Some(answered) = read(fuzz_fixture, &address, input) else { return };
        if answered.status == 200 && answered.json()["state"].is_string() {
            let id = answered.json()["id"].as_str().expect("an id").to_owned();
            assert!(
                fuzz_fixture.store().items().iter().any(|item| item.key.pk == format!("REQ#{id}"))
            );
        }
    });
}
