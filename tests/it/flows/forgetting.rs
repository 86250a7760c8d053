//! Forgetting a customer: what is kept is told, cards are taken off file, and the person leaves no trace.

use domain::brand::Mode;
use domain::keys;
use domain::message::{Message, Task};
use domain::values::phone::Phone;
use http::Method;
use ports::{DetachResult, Rejection};
use serde_json::{Value, json};
use tests::world::brand::{LIVE_KEY, OTHER_KEY};
use tests::world::fake_processor::ProcessorCall;
use tests::world::{Answer, Core, CreatedRequest, PHONE, World};

use super::payment_options::{ask_for, paying_with, save_card_ask, with_a_card};
use super::record::verify;

const CUSTOMER: &str = "/v1/customers/+15551230001";
const DAY: u64 = 86_400;

fn erases(core: &Core) -> Answer {
    core.call(Method::DELETE, CUSTOMER).send()
}

fn erasure_state(world: &World) -> Value {
    world.get(CUSTOMER).ok(200).json()["erasure"]["state"].clone()
}

pub(super) fn card_path(card: &str) -> String {
    format!("/v1/payment_methods/{card}")
}

fn asks_with(world: &World, card: &str) -> CreatedRequest {
    world.asks_for(&ask_for(world, PHONE, &paying_with(card)))
}

/// Returns the hash of the customer's address.
pub(super) fn address(world: &World) -> String {
    let brand = world.run(world.ports.secrets.brand(&"demo".parse().unwrap())).unwrap();
    let phone: Phone = PHONE.parse().unwrap();
    keys::address_hash(&brand.address_key, &phone)
}

pub(super) fn sends(world: &World, task: Task) {
    let message = Message::V2 { task };
    let sent = world.ports.queue.send(&message, std::time::Duration::ZERO);
    world.run(sent).unwrap();
}

#[test]
fn customer_export_lists_what_is_kept_and_no_secret() {
    let (world, card) = with_a_card();
    let answer_json = world.get(CUSTOMER).ok(200).json();
    assert_eq!(answer_json["phone"], "+1•••••0001");
    assert_eq!(
        (&answer_json["erasure"], &answer_json["opt_out"]["opted_out"]),
        (&Value::Null, &json!(false))
    );
    let kept = &answer_json["cards"][0];
    assert_eq!(
        (&kept["id"], &kept["state"], &kept["last4"]),
        (&json!(card), &json!("on_file"), &json!("4242"))
    );
    assert_eq!(answer_json["requests"][0]["state"], "fulfilled");
    assert_eq!(
        (
            answer_json["cards"].as_array().unwrap().len(),
            answer_json["requests"].as_array().unwrap().len()
        ),
        (1, 1)
    );
    let alone = world.get(&card_path(&card)).ok(200).json();
    assert_eq!(alone, *kept);
    for (path, status) in [
        ("/v1/customers/+15559990001", 200),
        ("/v1/customers/0", 400),
        ("/v1/payment_methods/crd_1", 404),
    ] {
        let answer = world.get(path).ok(status).json();
        assert!(status != 200 || answer["cards"] == json!([]), "{answer}");
    }
    world.call(Method::GET, CUSTOMER).key(None).send().ok(401);
    world.call(Method::DELETE, CUSTOMER).key(None).send().ok(401);
}

#[test]
fn erased_customer_leaves_no_trace_but_the_proof() {
    let (world, card) = with_a_card();
    let mut body = ask_for(&world, PHONE, &paying_with(&card));
    body["metadata"] = json!({ "ticket": "Augusta" });
    body["ask"]["description"] = json!("For the Countess");
    let asked = world.asks_for(&body);
    world.customer().approves().ok(200);
    assert_eq!(world.state(&asked), "fulfilled");
    world.acts(&asked, "refund", &json!({ "amount": 100, "reason": "Ada was ill" })).ok(202);
    let other = world.asks_at("+15551230002", 100);
    world.time_passes(400);
    let outcome = world.reads(&asked)["outcome"].clone();

    let answer_json = erases(&world).ok(202).json();
    assert_eq!(answer_json["erasure"]["state"], "under_way");
    world.run_until_idle();
    let answer_json = world.get(CUSTOMER).ok(200).json();
    assert_eq!(answer_json["erasure"]["state"], "done", "{answer_json}");
    for list in ["cards", "contacts", "handles", "requests"] {
        assert_eq!(answer_json[list], json!([]), "{list}");
    }
    assert_eq!(world.fake_processor().count(ProcessorCall::Detach), 1);
    world.get(&card_path(&card)).problem(404, "not-found");
    world
        .post("/v1/requests", &ask_for(&world, PHONE, &paying_with(&card)))
        .problem(422, "payment-method-unknown");

    let traces = ["5551230001", "Ada", "Augusta", "Countess", "en-GB", &address(&world)];
    for item in world.items().iter().filter(|item| item.key.pk.starts_with("REQ#")) {
        if item.body.contains("15551230002") || item.key.pk.contains(&other.id) {
            continue;
        }
        for trace in traces {
            assert!(!item.body.contains(trace), "{trace} is in {:?} {}", item.key, item.body);
        }
        // The list of events says when there was one, and nothing of the customer.
        let listed = item.index.as_ref().map(|index| index.pk.as_str());
        assert!(matches!(listed, None | Some("EVENTS#demo#test")), "{listed:?} still lists it");
    }
    let hashed = world.items().into_iter().filter(|item| item.key.pk.contains(&address(&world)));
    let kinds: Vec<String> =
        hashed.map(|item| item.key.pk.split('#').next().unwrap().to_owned()).collect();
    assert_eq!(kinds, ["ERASE", "LIMIT"], "what is left under the hash of the address");

    let shown = world.reads(&asked);
    assert_eq!(shown["outcome"], outcome, "the outcome stays");
    assert!(shown["erased_at"].is_string() && shown["customer"]["phone"] == "•••••", "{shown}");
    let export = world.get(&format!("{}/record", asked.path)).ok(200).json();
    let (whole, printed) = verify(&export.to_string());
    assert!(whole && printed.contains("erased: the text of the ask"), "{printed}");
    assert_eq!(world.stored(&other).customer.phone.as_str(), "+15551230002");
}

#[test]
fn erasure_is_refused_while_a_request_is_open() {
    let (world, card) = with_a_card();
    let asked = asks_with(&world, &card);
    let problem = erases(&world).problem(409, "customer-has-open-requests").json();
    assert!(problem["detail"].as_str().unwrap().contains(&asked.id), "{problem}");
    assert!(!problem.to_string().contains("5551230001"), "{problem}");
    assert_eq!(world.fake_processor().count(ProcessorCall::Detach), 0);
    world.acts(&asked, "cancel", &json!({})).ok(200);
    erases(&world).ok(202);
    world.run_until_idle();
    assert_eq!(erasure_state(&world), "done");
}

#[test]
fn erasure_is_repeated_until_the_processor_has_detached() {
    let (world, card) = with_a_card();
    let blocked = DetachResult::Blocked { by: Rejection::Account };
    world.fake_processor().will_return([DetachResult::Again, blocked, DetachResult::Again]);
    erases(&world).ok(202);
    world.run_until_idle();
    assert_eq!(erasure_state(&world), "under_way");
    assert_eq!(world.get(CUSTOMER).json()["erasure"]["waits_for"], "processor");
    assert_eq!(world.get(&card_path(&card)).ok(200).json()["id"], json!(card), "it may be on file");
    let refused = world.post("/v1/requests", &world.payment(PHONE, 100));
    refused.problem(409, "customer-being-erased");
    erases(&world).ok(202);
    world.time_passes(2 * 3_600);
    assert_eq!(erasure_state(&world), "done");
    assert!(
        world.fake_processor().count(ProcessorCall::Detach) >= 4,
        "{:?}",
        world.fake_processor().calls()
    );
    let calls = world.fake_processor().count(ProcessorCall::Detach);
    erases(&world).ok(202);
    world.run_until_idle();
    assert_eq!(
        (world.fake_processor().count(ProcessorCall::Detach), erasure_state(&world)),
        (calls, json!("done"))
    );
    world.asks(100);
}

#[test]
fn erasure_whose_message_is_lost_is_recovered() {
    let (world, _card) = with_a_card();
    erases(&world).ok(202);
    world.loses_messages(domain::message::QueueName::Authorizations);
    world.run_until_idle();
    assert_eq!(erasure_state(&world), "under_way");
    world.time_passes(120);
    assert_eq!(erasure_state(&world), "done", "the message ahead of the write finds it");
}

#[test]
fn erasure_of_an_open_request_waits_for_its_end() {
    let world = World::new();
    let asked = world.asks(100);
    let (brand, mode, address) = ("demo".parse().unwrap(), Mode::Test, address(&world));
    let of = domain::brand::BrandScope { brand: &brand, mode };
    let customer = records::customers::CustomerScope { of, address: &address };
    let owed = records::erasures::Erasure::asked(world.now());
    let owed = records::erasures::put(customer, &owed, None).unwrap();
    world.run(world.ports.store.write(vec![owed])).unwrap();
    sends(&world, Task::EraseCustomer { brand: brand.clone(), mode, address: address.clone() });
    world.run_until_idle();
    assert_eq!(world.get(CUSTOMER).json()["erasure"]["waits_for"], "open_request");
    assert_eq!(world.stored(&asked).customer.phone.as_str(), PHONE);
    world.customer().approves().ok(200);
    assert_eq!(world.state(&asked), "fulfilled");
    world.time_passes(3_600);
    assert_eq!(erasure_state(&world), "done");
}

#[test]
fn erased_customer_who_opted_out_stays_silent() {
    let world = World::builder().texting().build();
    let asked = world.asks(100);
    world.acts(&asked, "cancel", &json!({})).ok(200);
    let statement = records::opt_outs::Statement {
        word: records::opt_outs::OptOutKeyword::Stop,
        written_at: None,
        reported_at: world.now(),
    };
    let brand = "demo".parse().unwrap();
    let of = domain::brand::BrandScope { brand: &brand, mode: Mode::Test };
    let hash = address(&world);
    world.run(records::opt_outs::record(world.ports.store.as_ref(), of, &hash, statement)).unwrap();
    erases(&world).ok(202);
    world.run_until_idle();
    let answer_json = world.get(CUSTOMER).ok(200).json();
    assert_eq!(
        (&answer_json["erasure"]["state"], &answer_json["opt_out"]["opted_out"]),
        (&json!("done"), &json!(true))
    );
    world.post("/v1/requests", &world.payment(PHONE, 100)).problem(403, "address-opted-out");
}

#[test]
fn erasure_and_ask_at_once_never_both_begin() {
    // The ask is written while the erasure is about to be.
    let world = World::new();
    world.meanwhile("storing ERASE#", |core| {
        core.accepted(&core.payment(PHONE, 100));
    });
    erases(&world).problem(409, "customer-has-open-requests");
    world.time_passes(400);
    // The erasure is written while the ask is about to be.
    let world = World::new();
    world.meanwhile("storing REQ#", |core| {
        erases(core).ok(202);
    });
    let refused = world.post("/v1/requests", &world.payment(PHONE, 100));
    refused.problem(409, "customer-being-erased");
    world.run_until_idle();
    assert_eq!(erasure_state(&world), "done");
}

#[test]
fn card_that_an_open_request_names_is_not_taken_off_file() {
    let (world, card) = with_a_card();
    let asked = asks_with(&world, &card);
    let ends = || world.call(Method::DELETE, &card_path(&card)).send();
    let problem = ends().problem(409, "payment-method-in-use").json();
    assert!(problem["detail"].as_str().unwrap().contains(&asked.id), "{problem}");
    world.customer().approves().ok(200);
    assert_eq!((world.state(&asked).as_str(), world.fake_processor().charges()), ("fulfilled", 1));
    assert_eq!(ends().ok(202).json()["state"], "ending");
    world.run_until_idle();
    ends().problem(404, "not-found");
    assert_eq!(world.fake_processor().count(ProcessorCall::Detach), 1);
    assert_eq!(world.get(CUSTOMER).json()["cards"], json!([]));
}

#[test]
fn ending_card_is_offered_no_more_and_detached_in_the_end() {
    let (world, card) = with_a_card();
    world.fake_processor().will_return([DetachResult::Again; 3]);
    let ends = || world.call(Method::DELETE, &card_path(&card)).send().ok(202).json();
    assert_eq!(ends()["state"], "ending");
    world.run_until_idle();
    let answer_json = world.get(&card_path(&card)).ok(200).json();
    assert_eq!(
        (&answer_json["state"], &answer_json["waits_for"]),
        (&json!("ending"), &json!("processor"))
    );
    let again = ask_for(&world, PHONE, &paying_with(&card));
    world.post("/v1/requests", &again).problem(422, "payment-method-gone");
    assert_eq!(ends()["ending_since"], answer_json["ending_since"], "a repeat changes nothing");
    world.time_passes(3_600);
    world.get(&card_path(&card)).problem(404, "not-found");
    assert_eq!(
        (world.fake_processor().count(ProcessorCall::Detach), world.fake_processor().charges()),
        (4, 0)
    );
}

#[test]
fn card_that_cannot_be_detached_is_told() {
    let (world, card) = with_a_card();
    // The message ahead of the write tries as well.
    world.fake_processor().will_return([DetachResult::Failed { code: "refused_by_processor" }; 2]);
    let ends = || world.call(Method::DELETE, &card_path(&card)).send().ok(202);
    ends();
    world.time_passes(3 * 3_600);
    let answer_json = world.get(&card_path(&card)).ok(200).json();
    assert_eq!(answer_json["waits_for"], "refused_by_processor", "{answer_json}");
    assert!(world.logs().contains("delete it at the processor"));
    assert_eq!(world.fake_processor().count(ProcessorCall::Detach), 2);
    ends();
    world.run_until_idle();
    world.get(&card_path(&card)).problem(404, "not-found");
}

#[test]
fn end_of_a_card_and_ask_for_it_at_once_never_both_begin() {
    let (world, card) = with_a_card();
    let body = ask_for(&world, PHONE, &paying_with(&card));
    let asked_for = body.clone();
    world.meanwhile("storing CARD#", move |core| {
        core.accepted(&asked_for);
    });
    let ended = world.call(Method::DELETE, &card_path(&card)).send();
    ended.problem(409, "payment-method-in-use");
    world.time_passes(400);
    let path = card_path(&card);
    world.meanwhile("storing REQ#", move |core| {
        core.call(Method::DELETE, &path).send().ok(202);
    });
    world.post("/v1/requests", &body).problem(422, "payment-method-gone");
    world.run_until_idle();
    assert_eq!(
        (world.fake_processor().charges(), world.fake_processor().count(ProcessorCall::Detach)),
        (0, 1)
    );
}

#[test]
fn card_of_a_silent_number_ends() {
    let (world, card) = with_a_card();
    world.time_passes(200 * DAY);
    let asked = asks_with(&world, &card);
    world.customer().approves().ok(200);
    assert_eq!(world.state(&asked), "fulfilled");
    world.time_passes(364 * DAY);
    assert_eq!(world.get(&card_path(&card)).ok(200).json()["state"], "on_file");
    let asked = asks_with(&world, &card);
    world.acts(&asked, "cancel", &json!({})).ok(200);
    world.time_passes(2 * DAY);
    let late = ask_for(&world, PHONE, &paying_with(&card));
    world.post("/v1/requests", &late).problem(422, "payment-method-gone");
    world.run_until_idle();
    world.get(&card_path(&card)).problem(404, "not-found");
    assert_eq!(
        (world.fake_processor().charges(), world.fake_processor().count(ProcessorCall::Detach)),
        (1, 1)
    );
}

#[test]
fn card_of_a_silent_number_stays_where_the_brand_says_so() {
    let policy = json!({ "card_silence_days": 0 });
    let world = World::builder().with("/policy", &policy).with_fake_processor(&[]).build();
    let asked = world.asks_for(&ask_for(&world, PHONE, &save_card_ask()));
    world.acts(&asked, "cancel", &json!({})).ok(200);
    let brand = world.run(world.ports.secrets.brand(&"demo".parse().unwrap())).unwrap();
    assert_eq!(brand.policy.card_silence(), None);
    let default = domain::brand::Policy::default();
    assert_eq!(default.card_silence(), Some(std::time::Duration::from_secs(365 * DAY)));
}

#[test]
fn customers_of_another_brand_or_mode_are_untouched() {
    let (world, card) = with_a_card();
    for key in [LIVE_KEY, OTHER_KEY] {
        let call = |method: Method, path: &str| world.call(method, path).key(key).send();
        assert_eq!(call(Method::GET, CUSTOMER).ok(200).json()["cards"], json!([]));
        call(Method::DELETE, CUSTOMER).ok(202);
        call(Method::GET, &card_path(&card)).problem(404, "not-found");
        call(Method::DELETE, &card_path(&card)).problem(404, "not-found");
    }
    world.run_until_idle();
    assert_eq!(world.get(CUSTOMER).json()["erasure"], Value::Null);
    assert_eq!(world.get(&card_path(&card)).ok(200).json()["state"], "on_file");
    assert_eq!(world.fake_processor().count(ProcessorCall::Detach), 0);
}
