//! Every example of the description happens: its bodies are sent, and its answers are those of the program.
//!
//! Ids, times, codes that are drawn and hashes differ from run to run, and so are compared by form only.

use std::collections::{BTreeMap, BTreeSet};

use http::Method;
use serde_json::{Map, Value, json};
use tests::openapi::{Operation, examples, operations, resolve};
use tests::world::{CreatedRequest, Reply, World};

/// The answers that the program gave, and the examples that were sent.
#[derive(Default)]
struct Answers {
    answers: BTreeMap<String, Value>,
    sent: BTreeSet<String>,
}

fn operation(id: &str) -> Operation<'static> {
    operations().into_iter().find(|one| one.value["operationId"] == id).unwrap()
}

impl Answers {
    /// Returns the example of a body.
    fn body(&mut self, id: &str, name: &str) -> Value {
        self.sent.insert(format!("{id} {name}"));
        examples(&operation(id).value["requestBody"]["content"])[name].clone()
    }

    fn answered(&mut self, key: &str, answer: &Value) {
        self.answers.insert(key.to_owned(), answer.clone());
    }

    /// Asks with the example of that name, and puts the prompt in front of the customer.
    fn asks(&mut self, world: &World, name: &str) -> CreatedRequest {
        world.asks_for(&self.body("createRequest", name))
    }
}

fn approves(world: &World) {
    world.customer().approves().ok(200);
    world.run_until_idle();
}

/// A payment from its capabilities to its evidence, over the documented calls.
fn payment(answers: &mut Answers) {
    let world = World::new();
    let body = answers.body("checkCapabilities", "payment");
    answers.answered(
        "checkCapabilities 200 payment",
        &world.post("/v1/capabilities", &body).ok(200).json(),
    );
    let body = answers.body("previewRequest", "payment");
    let shown = world.post("/v1/previews", &body).ok(200).json();
    answers.answered("previewRequest 200 payment", &shown);
    let asked = answers.asks(&world, "payment");
    answers.answered("createRequest 201 payment", &asked.answer);
    let brief = || world.get(&format!("{}?view=brief", asked.path)).ok(200).json();
    answers.answered("readRequest 200 brief", &brief());
    approves(&world);
    answers.answered("readRequest 200 brief_end", &brief());
    answers.answered("readRequest 200 payment", &world.reads(&asked));
    let part = answers.body("refundRequest", "part");
    let refund = world.acts(&asked, "refund", &part).ok(202).json();
    answers.answered("refundRequest 202 part", &refund);
    answers.answered("readRequest 200 refunded", &world.reads(&asked));
    let record = world.get(&format!("{}/record", asked.path)).ok(200).json();
    answers.answered("exportEvidence 200 payment", &record);
    let list = world.get("/v1/requests?session=CA123&limit=1").ok(200).json();
    answers.answered("listRequests 200 session", &list);
    let rest = answers.body("refundRequest", "rest");
    world.acts(&asked, "refund", &rest).ok(202);
    let refunds = world.reads(&asked)["refunds"].clone();
    assert_eq!((&refunds[1]["amount"], &refunds[1]["state"]), (&json!(4000), &json!("refunded")));
}

fn saved_card(answers: &mut Answers) {
    let world = World::new();
    let asked = answers.asks(&world, "payment_method");
    approves(&world);
    let saved = world.reads(&asked);
    answers.answered("readRequest 200 saved_card", &saved);
    let mut body = answers.body("createRequest", "saved_card");
    body["ask"]["payment_method"] = saved["outcome"]["payment_method"]["id"].clone();
    let asked = world.asks_for(&body);
    approves(&world);
    assert_eq!(world.reads(&asked)["outcome"]["payment"]["last4"], "4242");
}

/// A customer whose card is read and taken off file, and who is then forgotten.
fn forgetting(answers: &mut Answers) {
    let (world, phone) = (World::new(), "+15551230001");
    let asked = answers.asks(&world, "payment_method");
    approves(&world);
    let card = world.reads(&asked)["outcome"]["payment_method"]["id"].clone();
    let card = format!("/v1/payment_methods/{}", card.as_str().unwrap());
    let customer = format!("/v1/customers/{phone}");
    answers.answered("readCustomer 200 card", &world.get(&customer).ok(200).json());
    answers.answered("readPaymentMethod 200 on_file", &world.get(&card).ok(200).json());
    let ended = world.call(Method::DELETE, &card).send().ok(202).json();
    answers.answered("endPaymentMethod 202 ending", &ended);
    let erased = world.call(Method::DELETE, &customer).send().ok(202).json();
    answers.answered("eraseCustomer 202 under_way", &erased);
    world.run_until_idle();
    assert_eq!(world.get(&customer).ok(200).json()["erasure"]["state"], "done");
}

fn identity(answers: &mut Answers) {
    let world = World::builder().with_sandbox_identity().build();
    let body = answers.body("checkCapabilities", "identity");
    let shown = world.post("/v1/capabilities", &body).ok(200).json();
    answers.answered("checkCapabilities 200 identity", &shown);
    let asked = answers.asks(&world, "identity");
    world.signs_in("grace");
    answers.answered("readRequest 200 identity", &world.reads(&asked));
}

/// The calls that change a request which waits.
fn changes(answers: &mut Answers) {
    let world = World::new();
    let asked = answers.asks(&world, "payment");
    let longer = answers.body("extendRequest", "ten_minutes");
    let extended = world.acts(&asked, "extend", &longer).ok(200).json();
    answers.answered("extendRequest 200 ten_minutes", &extended);
    let by_text = answers.body("resendPrompt", "sms");
    let resent = world.acts(&asked, "resend", &by_text).ok(200).json();
    answers.answered("resendPrompt 200 sms", &resent);
    let next = answers.body("resendPrompt", "empty");
    world.acts(&asked, "resend", &next).ok(200);
    let empty = answers.body("cancelRequest", "empty");
    let cancelled = world.acts(&asked, "cancel", &empty).ok(200).json();
    answers.answered("cancelRequest 200 cancelled", &cancelled);
    let world = World::new();
    let asked = answers.asks(&world, "payment");
    world.customer().denies().ok(200);
    answers.answered("readRequest 200 denied", &world.reads(&asked));
    let list = world.get("/v1/requests?state=denied&kind=payment&limit=1").ok(200).json();
    answers.answered("listRequests 200 filtered", &list);
    let world = World::builder().with("/policy", &json!({ "session_code": false })).build();
    let asked = answers.asks(&world, "payment");
    let page = world.customer().newest().page;
    world.customer().answers_on(&page, &[("action", "approve_hosted")]).ok(303);
    let leaving = world.acts(&asked, "cancel", &json!({})).ok(202).json();
    answers.answered("cancelRequest 202 processing", &leaving);
    world.time_passes(60);
    assert_eq!(world.state(&asked), "cancelled");
}

/// A link that the requester shows. The prompt is made while the call waits for it.
fn shown_link(answers: &mut Answers) {
    let channels = json!([{ "name": "link", "kind": "link" }]);
    let world = World::builder().with("/test/channels", &channels).build();
    world.meanwhile("waited", |core| core.run_until_idle());
    let shown = world.asks_for(&answers.body("createRequest", "link")).answer;
    answers.answered("createRequest 201 link", &shown);
}

/// The token that a browser follows a call's requests with.
fn client_tokens(answers: &mut Answers) {
    let world = World::new();
    let body = answers.body("createClientToken", "session");
    let token = world.post("/v1/client_tokens", &body).ok(201).json();
    answers.answered("createClientToken 201 session", &token);
}

/// A test of the endpoint, its attempts, and what is delivered again.
fn events(answers: &mut Answers) {
    let world = World::new();
    let answer = Reply::Status(500, "out of order".to_owned());
    world.replies("shop.example", [answer]);
    let body = answers.body("testWebhook", "empty");
    let test = world.post("/v1/webhooks/test", &body).ok(202).json();
    answers.answered("testWebhook 202 test", &test);
    world.time_passes(5);
    let event = format!("/v1/events/{}", test["id"].as_str().unwrap());
    answers.answered("readEvent 200 delivered", &world.get(&event).ok(200).json());
    answers.answered("listEvents 200 delivered", &world.get("/v1/events").ok(200).json());
    let empty = answers.body("redeliverEvent", "empty");
    let again = world.post(&format!("{event}/redeliver"), &empty).ok(202).json();
    answers.answered("redeliverEvent 202 again", &again);
    world.run_until_idle();
    let since = answers.body("redeliverEvents", "since");
    let redelivery = world.post("/v1/events/redeliver", &since).ok(202).json();
    answers.answered("redeliverEvents 202 since", &redelivery);
    world.run_until_idle();
}

/// The counts of a day, the health of what took part, and the brand.
fn operations_of_a_brand(answers: &mut Answers) {
    let world = World::new();
    world.asks(4250);
    approves(&world);
    world.asks_at("+15551230002", 4250);
    world.customer_at("+15551230002").denies().ok(200);
    world.run_until_idle();
    let day = world.get("/v1/statistics?from=2026-12-01&to=2026-12-01").ok(200).json();
    answers.answered("readStatistics 200 day", &day);
    answers.answered("readHealth 200 day", &world.get("/v1/health").ok(200).json());
    answers.answered("readBrand 200 demo", &world.get("/v1/brand").ok(200).json());
}

/// The magic values of amounts.
fn sandbox_amounts(answers: &mut Answers) {
    let world = World::new();
    let asked = answers.asks(&world, "sandbox_declined_once");
    approves(&world);
    assert_eq!(world.state(&asked), "prompted");
    assert_eq!(world.timeline(&asked).last().unwrap(), "card_declined insufficient_funds");
    approves(&world);
    assert_eq!(world.state(&asked), "fulfilled");
    let world = World::new();
    let asked = answers.asks(&world, "sandbox_declined");
    approves(&world);
    answers.answered("readRequest 200 declined", &world.reads(&asked));
    let world = World::new();
    let asked = answers.asks(&world, "sandbox_slow");
    approves(&world);
    assert_eq!(world.state(&asked), "processing");
    world.time_passes(5);
    assert_eq!(world.state(&asked), "fulfilled");
    let world = World::new();
    let asked = answers.asks(&world, "sandbox_in_doubt");
    approves(&world);
    assert_eq!(world.state(&asked), "processing");
    world.time_passes(120);
    assert_eq!(world.state(&asked), "fulfilled");
    for (name, end) in [("sandbox_refund_pending", "refunded"), ("sandbox_refund_fails", "failed")]
    {
        let world = World::new();
        let asked = answers.asks(&world, name);
        approves(&world);
        let state = || world.reads(&asked)["refunds"][0]["state"].clone();
        world.acts(&asked, "refund", &json!({})).ok(202);
        assert_eq!(state(), "pending");
        world.time_passes(200);
        assert_eq!(state(), end);
    }
}

/// The magic values of phones.
fn sandbox_phones(answers: &mut Answers) {
    let world = World::new();
    let asked = answers.asks(&world, "sandbox_text_only");
    assert_eq!(world.state(&asked), "prompted");
    let channels = |phone: &str| {
        let messages = world.customer_at(phone).messages();
        messages.iter().map(|message| message.text("channel").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(channels("+15551239001"), ["sms"]);
    let asked = answers.asks(&world, "sandbox_silent");
    world.time_passes(11);
    assert_eq!(channels("+15551239002"), Vec::<String>::new());
    world.time_passes(2);
    assert_eq!(world.state(&asked), "prompted");
    assert_eq!(channels("+15551239002"), ["sms"]);
    let asked = answers.asks(&world, "sandbox_unreachable");
    world.time_passes(30);
    assert_eq!(world.state(&asked), "undeliverable");
}

/// Puts a form in place of what is drawn, hashed or told by a clock.
pub(super) fn form_of(name: &str, value: &Value) -> Value {
    let drawn = [
        "session_code",
        "transaction_code",
        "reference",
        "hash",
        "head",
        "text",
        "dct:identifier",
        "link",
        "qr",
    ];
    match value {
        Value::Object(map) => {
            let inner = map.iter().map(|(name, inner)| (name.clone(), form_of(name, inner)));
            Value::Object(inner.collect::<Map<_, _>>())
        }
        Value::Array(values) => values.iter().map(|inner| form_of(name, inner)).collect(),
        Value::String(text) => {
            let is_time = text.len() == 24 && text.ends_with('Z') && text.get(10..11) == Some("T");
            let words = text.split(['/', ' ']).map(|part| match part.split_once('_') {
                Some((kind, id)) if id.len() == 26 => kind.to_owned(),
                _ => part.to_owned(),
            });
            match () {
                () if is_time => json!("a time"),
                () if drawn.contains(&name) => json!("drawn"),
                () => json!(words.collect::<Vec<_>>().join("/")),
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

/// Fails with each answer that differs from its example, as a line with its name and the answer.
pub(super) fn assert_equal_answers(
    produced: &BTreeMap<String, Value>,
    described: &BTreeMap<String, Value>,
) {
    let names =
        |examples: &BTreeMap<String, Value>| examples.keys().cloned().collect::<BTreeSet<_>>();
    let mut failures = String::new();
    for (name, answer) in produced {
        let example = described.get(name);
        if example.map(|example| form_of("", example)) != Some(form_of("", answer)) {
            failures.push_str(&format!("answer\t{name}\t{answer}\n"));
        }
    }
    assert!(failures.is_empty(), "answers that differ from their examples:\n{failures}");
    assert_eq!(names(produced), names(described));
}

#[test]
fn every_example_of_a_call_happens() {
    let mut produced = Answers::default();
    let stories: [fn(&mut Answers); 11] = [
        payment,
        saved_card,
        forgetting,
        identity,
        changes,
        shown_link,
        client_tokens,
        events,
        operations_of_a_brand,
        sandbox_amounts,
        sandbox_phones,
    ];
    for story in stories {
        story(&mut produced);
    }
    let mut sent = BTreeSet::new();
    let mut answers = BTreeMap::new();
    for operation in operations() {
        let id = operation.value["operationId"].as_str().unwrap();
        for name in examples(&operation.value["requestBody"]["content"]).keys() {
            sent.insert(format!("{id} {name}"));
        }
        for (status, response) in operation.value["responses"].as_object().unwrap() {
            if status.starts_with('2') {
                for (name, value) in examples(&resolve(response)["content"]) {
                    answers.insert(format!("{id} {status} {name}"), value);
                }
            }
        }
    }
    assert_eq!(produced.sent, sent, "bodies that are sent, and examples of bodies");
    // The harness holds each answer to its schema, as it does every answer.
    let names =
        |examples: &BTreeMap<String, Value>| examples.keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(
        names(&produced.answers),
        names(&answers),
        "answers that came, and examples of answers"
    );
}
