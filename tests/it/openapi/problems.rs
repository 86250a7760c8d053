//! Every example of a problem happens, and a test meets every code.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;

use async_trait::async_trait;
use axum::body::Body;
use domain::brand::Brand;
use domain::digest::digest_hex;
use domain::problem::Code;
use domain::values::name::BrandName;
use http::{Method, Request};
use http_body_util::BodyExt;
use intake::Intake;
use ports::{Created, Item, Key, Ports, Rejection, Secrets, SecretsError};
use serde_json::{Value, json};
use tests::openapi::{DESCRIPTION, resolve};
use tests::world::brand::{RESTRICTED_KEY, TEST_KEY};
use tests::world::{Answer, CreatedRequest, PHONE, World};
use tower::ServiceExt;

use super::examples::assert_equal_answers;
use crate::architecture::files_below;

const REQUESTS: &str = "/v1/requests";
const UNKNOWN: &str = "/v1/requests/req_01M844DZG03XCBJ52V4K8GHNXC";

/// The program's answers, by the name of the example.
#[derive(Default)]
struct Answers(BTreeMap<String, Value>);

impl Answers {
    fn add(&mut self, name: &str, answer: &Answer) {
        assert!(answer.status >= 400, "{name}: {}", answer.text());
        self.0.insert(format!("problem-{name}"), answer.json());
    }

    /// Asks for a payment, changed at one place.
    fn asks(&mut self, name: &str, world: &World, pointer: &str, value: &Value) {
        let mut body = world.payment(PHONE, 4250);
        let (parent, member) = pointer.rsplit_once('/').unwrap();
        body.pointer_mut(parent).unwrap()[member] = value.clone();
        self.add(name, &world.post(REQUESTS, &body));
    }
}

fn bodies(answers: &mut Answers) {
    let world = World::new();
    answers.asks("invalid-request", &world, "/customer/phone", &json!("15551230001"));
    answers.asks("amount-out-of-range", &world, "/ask/amount", &json!(0));
    answers.asks("number-not-allowed", &world, "/customer/phone", &json!("+18005550123"));
    answers.asks("channel-not-configured", &world, "/channels", &json!(["fax"]));
    let card = json!("crd_01M844DZG03XCBJ52V4K8GHNXC");
    answers.asks("payment-method-unknown", &world, "/ask/payment_method", &card);
    let claims = json!({ "kind": "identity", "claims": ["birthdate"], "description": "Wine" });
    answers.asks("ask-not-supported", &world, "/ask", &claims);
    answers.asks("payload-too-large", &world, "/metadata", &json!({ "n": "v".repeat(65 * 1024) }));
    let stripe = json!([{ "name": "stripe", "kind": "stripe", "settings": { "secret_key": "sk_test_made_up" } }]);
    let world = World::builder().with("/test/processors", &stripe).build();
    answers.asks("amount-not-supported", &world, "/ask/amount", &json!(1));
    let mut labelled = stripe;
    labelled[0]["settings"]["labels"] = json!({ "statement": { "metadata": "order" } });
    let world = World::builder().with("/test/processors", &labelled).build();
    answers.asks("label-not-supported", &world, "/metadata", &json!({ "order": "4711" }));
    let world = World::builder().with("/test/processors", &json!([])).build();
    answers.asks("processor-not-configured", &world, "/metadata", &json!({}));
    let world = World::builder().with("/test/webhooks", &Value::Null).build();
    answers.add("webhooks-not-configured", &world.post("/v1/webhooks/test", &json!({})));
}

fn calls(answers: &mut Answers) {
    let world = World::new();
    let body = world.payment(PHONE, 4250);
    let call = || world.call(Method::POST, REQUESTS).json(&body);
    answers.add("idempotency-key-missing", &call().idempotency(None).send());
    answers.add("unauthenticated", &call().key(None).send());
    answers.add("unsupported-media-type", &call().header("content-type", "text/plain").send());
    answers.add("not-found", &world.get(UNKNOWN));
    answers.add("invalid-parameter", &world.get(&format!("{UNKNOWN}?wait=21")));
    call().idempotency("used").send().ok(201);
    let mut same = body.clone();
    same["allow_duplicate"] = json!(false);
    answers.add("duplicate-open-request", &world.post(REQUESTS, &same));
    let other = world.call(Method::POST, REQUESTS).json(&world.payment(PHONE, 1));
    answers.add("idempotency-key-reused", &other.idempotency("used").send());
    world.run_until_idle();
}

fn states(answers: &mut Answers) {
    let world = World::new();
    let asked = world.asks(4250);
    world.customer().approves().ok(200);
    answers.add("conflict-state", &world.acts(&asked, "cancel", &json!({})));
    answers.add("refund-too-large", &world.acts(&asked, "refund", &json!({ "amount": 4251 })));
    let late = world.asks(4250);
    world.clock_jumps(3_601);
    let extend = world.post(&format!("{}/extend", late.path), &json!({ "expires_in": 600 }));
    answers.add("deadline-passed", &extend);
    world.run_until_idle();
    let again = |world: &World| world.post(REQUESTS, &world.payment(PHONE, 100));
    world.asks(100);
    let page = world.customer().newest().page;
    world.customer().answers_on(&page, &[("action", "not_me")]).ok(303);
    answers.add("address-reported", &again(&world));
    let world = World::new();
    for _ in 0..2 {
        world.asks(100);
        world.customer().denies().ok(200);
    }
    answers.add("address-in-cooldown", &again(&world));
    let world = World::builder().with("/policy", &json!({ "open_max": 1 })).build();
    world.asks(100);
    let other = world.post(REQUESTS, &world.payment(PHONE, 200));
    answers.add("too-many-requests-for-address", &other);
    let refuses =
        json!([{ "name": "sms", "kind": "fake-channel", "settings": { "refuses": "opted_out" } }]);
    let world = World::builder().with("/test/channels", &refuses).build();
    world.asks(100);
    answers.add("address-opted-out", &world.post(REQUESTS, &world.payment(PHONE, 100)));
}

/// A customer who is forgotten, and the brand's own limit.
fn forgetting(answers: &mut Answers) {
    let policy = json!({ "session_code": false });
    let world = World::builder().with_fake_processor(&[]).with("/policy", &policy).build();
    let mut body = world.payment(PHONE, 4250);
    body["ask"] = json!({ "kind": "payment_method", "description": "Keep" });
    let asked = world.asks_for(&body);
    let page = world.customer().newest().page;
    world.customer().answers_on(&page, &[("action", "approve_hosted")]).ok(303);
    world.fake_processor().customer_is_done(&asked, 1);
    world.customer().opens(&format!("{page}?done=1")).ok(200);
    world.time_passes(5);
    let card = world.reads(&asked)["outcome"]["payment_method"]["id"].clone();
    body["ask"] = json!({ "kind": "payment", "amount": 4250, "currency": "EUR",
        "description": "Invoice 4711", "payment_method": card });
    let open = world.asks_for(&body);
    let path = format!("/v1/payment_methods/{}", card.as_str().unwrap());
    answers.add("payment-method-in-use", &world.call(Method::DELETE, &path).send());
    let customer = format!("/v1/customers/{PHONE}");
    let erase = || world.call(Method::DELETE, &customer).send();
    answers.add("customer-has-open-requests", &erase());
    world.acts(&open, "cancel", &json!({})).ok(200);
    erase().ok(202);
    answers.add("customer-being-erased", &world.post(REQUESTS, &world.payment(PHONE, 100)));
    world.run_until_idle();
    let policy = json!({ "prompts_per_hour": 1 });
    let world = World::builder().with("/policy", &policy).build();
    world.asks(100);
    answers.add("brand-limit-reached", &world.post(REQUESTS, &world.payment(PHONE, 100)));
}

/// A card that the processor no longer keeps, and an account that it rejects.
fn processors(answers: &mut Answers) {
    let policy = json!({ "session_code": false });
    let world = World::builder().with_fake_processor(&[]).with("/policy", &policy).build();
    let ask = |ask: &Value| {
        let mut body = world.payment(PHONE, 4250);
        body["ask"] = ask.clone();
        body
    };
    let approves = |asked: &CreatedRequest| {
        let page = world.customer().newest().page;
        world.customer().answers_on(&page, &[("action", "approve_hosted")]).ok(303);
        world.fake_processor().customer_is_done(asked, 1);
        world.customer().opens(&format!("{page}?done=1")).ok(200);
        world.time_passes(5);
    };
    let asked = world.asks_for(&ask(&json!({ "kind": "payment_method", "description": "Keep" })));
    approves(&asked);
    let card = world.reads(&asked)["outcome"]["payment_method"]["id"].clone();
    let paying = ask(&json!({ "kind": "payment", "amount": 4250, "currency": "EUR",
        "description": "Invoice 4711", "payment_method": card }));
    world.asks_for(&paying);
    world.fake_processor().will_return([Created::SoftDeclined { code: ports::CARD_NOT_KEPT }]);
    world.customer().approves().ok(200);
    answers.add("payment-method-gone", &world.post(REQUESTS, &paying));
    let world = World::builder().with_fake_processor(&["test_card"]).with("/policy", &policy);
    let world = world.build();
    world.asks(4250);
    world.fake_processor().will_return(vec![Created::Blocked { by: Rejection::Credentials }; 2]);
    world.customer().approves().ok(200);
    answers
        .add("processor-unavailable", &world.post(REQUESTS, &world.payment("+15551230002", 100)));
    world.time_passes(80);
}

/// Keys with a right or a ceiling that the call exceeds.
fn keys(answers: &mut Answers) {
    let sha256 = digest_hex(RESTRICTED_KEY.as_bytes());
    let key = |may: &str, amount_max: &Value| json!([{ "mode": "test", "sha256": sha256, "may": [may], "amount_max": amount_max }]);
    for (name, keys) in [
        ("not-allowed-for-key", key("read", &json!({}))),
        ("ceiling-reached", key("request", &json!({ "EUR": 100 }))),
    ] {
        let world = World::builder().with("/keys", &keys).build();
        let call = world.call(Method::POST, REQUESTS).key(RESTRICTED_KEY);
        answers.add(name, &call.json(&world.payment(PHONE, 4250)).send());
    }
}

/// A machine that asks again after a denial.
fn denial(answers: &mut Answers) {
    let sha256 = digest_hex(RESTRICTED_KEY.as_bytes());
    let keys =
        json!([{ "mode": "test", "sha256": sha256, "may": ["request"], "kind": "ai_agent" }]);
    let world = World::builder().with("/keys", &keys).build();
    let asks = || {
        let call = world.call(Method::POST, REQUESTS).key(RESTRICTED_KEY);
        let answer = call.json(&world.payment(PHONE, 4250)).send();
        world.run_until_idle();
        answer
    };
    asks().ok(201);
    world.customer().denies().ok(200);
    world.run_until_idle();
    answers.add("denied-in-session", &asks());
}

/// Secrets that cannot be loaded now.
struct StoreDown;

#[async_trait]
impl Secrets for StoreDown {
    async fn brand(&self, _: &BrandName) -> Result<Arc<Brand>, SecretsError> {
        Err(SecretsError::Unavailable("down".into()))
    }

    async fn refresh(&self, name: &BrandName) -> Result<Arc<Brand>, SecretsError> {
        self.brand(name).await
    }
}

fn faults(answers: &mut Answers) {
    let world = World::new();
    let key = Key { pk: "IDEM#demo#test#damaged".to_owned(), sk: "IDEM".to_owned() };
    world.put_item(Item { key, version: 1, body: "{}".into(), expires_at: None, index: None });
    let call = world.call(Method::POST, REQUESTS).idempotency("damaged");
    answers.add("internal", &call.json(&world.payment(PHONE, 4250)).send());
    let machine = &world.machine.intake;
    let intake = Intake {
        ports: Ports { secrets: Arc::new(StoreDown), ..world.ports.clone() },
        channels: Arc::clone(&machine.channels),
        processors: Arc::clone(&machine.processors),
        public_base: machine.public_base.clone(),
        desk: machine.desk,
    };
    let call = Request::get(UNKNOWN).header("authorization", format!("Bearer {TEST_KEY}"));
    let call = call.body(Body::empty()).unwrap();
    let answer = world.run(async {
        let (parts, body) =
            intake::router(Arc::new(intake)).oneshot(call).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let uri = UNKNOWN.to_owned();
        Answer { uri, status: parts.status.as_u16(), headers: parts.headers, body }
    });
    answers.add("temporary-reduced-capacity", &answer.problem(503, "temporary-reduced-capacity"));
}

#[test]
fn every_example_of_a_problem_happens() {
    let mut produced = Answers::default();
    for story in [bodies, calls, states, forgetting, processors, keys, denial, faults] {
        story(&mut produced);
    }
    let described = DESCRIPTION["components"]["examples"].as_object().unwrap();
    let described = described
        .iter()
        .map(|(name, example)| (name.clone(), resolve(example)["value"].clone()))
        .collect();
    assert_equal_answers(&produced.0, &described);
}

/// `Answer::problem` takes the status and the code, and fails unless the program answered so.
#[test]
fn every_problem_code_is_met_by_a_test() {
    let sources: Vec<String> = files_below("tests/it", &["rs"])
        .into_iter()
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    for code in Code::ALL {
        let (code, status, ..) = code.facts();
        let met = format!("{status}, \"{code}\")");
        assert!(sources.iter().any(|source| source.contains(&met)), "no test meets {code}");
    }
}
