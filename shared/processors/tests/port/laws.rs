//! The laws of the `Processor` port, over every listed kind.

use std::panic::AssertUnwindSafe;

use crate::doubles::{Act, Fault, World, charge, payment, payment_method};
use domain::authorization::{Authorization, AuthorizationKind};
use domain::brand::Mode;
use domain::ports::{Answer, OpenProcessorError, Prepared, Processor, Reference};
use pollster::block_on;
use serde_json::{Value, json};

const SECRET: &str = "N3verSh0wn";

/// Settings under which a kind opens in test mode. A kind that is not here fails every law.
fn settings(kind: &str) -> Value {
    match kind {
        "openid" => json!({
            "issuer": "https://id.example",
            "authorization_endpoint": "https://id.example/authorize",
            "token_endpoint": "https://id.example/token",
            "userinfo_endpoint": "https://id.example/userinfo",
            "client_id": "acme",
            "client_secret": SECRET,
        }),
        "sandbox" => json!({}),
        "stripe" => json!({ "secret_key": format!("sk_test_{SECRET}") }),
        other => panic!("say how a {other} is opened, so that the laws are run over it"),
    }
}

fn each(law: impl Fn(&World, &str, Box<dyn Processor>)) {
    for kind in processors::kinds() {
        let world = World::default();
        let processor = world.open(Mode::Test, kind, &settings(kind)).ok().unwrap();
        law(&world, kind, processor);
    }
}

/// Only those that move money.
fn each_that_charges(law: impl Fn(&World, &str, Box<dyn Processor>)) {
    each(|world, kind, processor| {
        if !processor.ways(&payment(4250)).is_empty() {
            law(world, kind, processor);
        }
    });
}

fn authorizations() -> [Authorization; 3] {
    let apple = json!({ "paymentData": { "data": SECRET }, "transactionIdentifier": "f7" });
    let google = json!({ "id": format!("tok_{SECRET}"), "object": "token", "livemode": false });
    [
        payment_method(&format!("pm_{SECRET}")),
        Authorization { kind: AuthorizationKind::ApplePay, secret: apple.to_string().into() },
        Authorization { kind: AuthorizationKind::GooglePay, secret: google.to_string().into() },
    ]
}

/// The answers of a processor that takes everything.
fn willing() -> Vec<Act> {
    let answer = |value: Value| Act::Answer(200, value.to_string().into_bytes());
    let intent = |status: &str| {
        json!({ "id": "pi_1", "object": "payment_intent", "status": status,
            "amount": 4250, "currency": "eur" })
    };
    vec![
        answer(json!({ "id": "tok_1", "object": "token" })),
        answer(json!({ "id": "pm_1", "object": "payment_method" })),
        answer(intent("requires_confirmation")),
        answer(intent("succeeded")),
    ]
}

fn reference() -> Reference {
    Reference("pi_1".to_owned())
}

#[test]
fn the_same_charge_twice_makes_the_same_calls_byte_for_byte() {
    each(|world, kind, processor| {
        for (skip, authorization) in [(2, 0), (0, 1), (1, 2)] {
            let authorization = &authorizations()[authorization];
            let charge = charge(authorization, 4250, 1);
            let run = || {
                world.http.play(willing().into_iter().skip(skip));
                let prepared = block_on(processor.prepare(&charge));
                let executed = block_on(processor.execute(&charge, &reference()));
                (prepared, executed, world.http.taken(), world.store.items.lock().unwrap().clone())
            };
            let first = run();
            assert_eq!(first, run(), "{kind}");
            if kind == "stripe" {
                assert_eq!(first.0, Prepared::Ready(reference()));
                assert!(matches!(first.1, Answer::Done(_)), "{:?}", first.1);
                assert_eq!(first.2.len(), 4 - skip);
            }
        }
    });
}

#[test]
fn a_sandbox_charge_twice_is_one_object_and_one_charge() {
    let world = World::default();
    let processor = world.open(Mode::Test, "sandbox", &json!({})).ok().unwrap();
    let visa = payment_method("pm_card_visa");
    let charge = charge(&visa, 4250, 1);
    let Prepared::Ready(reference) = block_on(processor.prepare(&charge)) else { panic!() };
    let first = block_on(processor.execute(&charge, &reference));
    let items = world.store.items.lock().unwrap().clone();
    assert_eq!(block_on(processor.prepare(&charge)), Prepared::Ready(reference.clone()));
    assert_eq!(block_on(processor.execute(&charge, &reference)), first);
    assert_eq!(*world.store.items.lock().unwrap(), items);
}

#[test]
fn a_lost_answer_to_the_money_call_is_unknown() {
    each_that_charges(|world, kind, processor| {
        world.http.play([Act::Lost]);
        let visa = payment_method("pm_card_visa");
        let charge = charge(&visa, 4250, 1);
        let reference = match block_on(processor.prepare(&charge)) {
            Prepared::Ready(reference) => reference,
            Prepared::Not(answer) => {
                assert_eq!(answer, Answer::Again, "{kind}");
                reference()
            }
        };
        for fault in [Fault::LostBefore, Fault::LostAfter] {
            world.store.faults.lock().unwrap().push_back(Some(fault));
            assert_eq!(block_on(processor.execute(&charge, &reference)), Answer::Unknown, "{kind}");
        }
    });
}

#[test]
fn what_was_never_sent_may_be_sent_again() {
    let world = World::default();
    let processor = world.open(Mode::Test, "stripe", &settings("stripe")).ok().unwrap();
    world.http.play([Act::NotSent]);
    let visa = payment_method("pm_card_visa");
    let charge = charge(&visa, 4250, 1);
    assert_eq!(block_on(processor.prepare(&charge)), Prepared::Not(Answer::Again));
    assert_eq!(block_on(processor.execute(&charge, &reference())), Answer::Again);
    assert_eq!(block_on(processor.look_up(&charge, &reference())), Answer::Unknown);
    assert_eq!(block_on(processor.fence(&charge, &reference())), Answer::Again);
}

/// Answers that no processor gives: none may panic, none may be a success or a fence.
fn garbage() -> Vec<Vec<u8>> {
    let deep = [b"[".repeat(100_000), b"{\"a\":".repeat(100_000)];
    let huge =
        format!(r#"{{"id":"pi_1","object":"payment_intent","status":"{}"}}"#, "x".repeat(1 << 20));
    let texts = [
        "",
        "null",
        "0",
        "[]",
        "{}",
        "\"succeeded\"",
        "<html>",
        "{\"error\":null}",
        "{\"error\":[]}",
        "{\"error\":{\"code\":7}}",
        "{\"error\":{}}",
        "{\"status\":\"succeeded\"}",
        "\u{feff}{}",
        "{\"id\":\"pi_1\",\"object\":\"payment_intent\",\"status\":null}",
        "{\"id\":\"pi_2\",\"object\":\"payment_intent\",\"status\":\"succeeded\",\"amount\":1,\"currency\":\"eur\"}",
        "{\"id\":\"pi_1\",\"object\":\"payment_intent\",\"status\":\"succeeded\",\"amount\":-1,\"currency\":\"eur\"}",
        "{\"id\":\"pi_1\",\"object\":\"payment_intent\",\"status\":\"succeeded\",\"amount\":1e99,\"currency\":\"eur\"}",
        "{\"id\":\"pi_1\",\"object\":\"charge\",\"status\":\"succeeded\",\"amount\":1,\"currency\":\"eur\"}",
    ];
    let bytes = [vec![0; 100], vec![0xff; 4096], huge.into_bytes()];
    texts.into_iter().map(|text| text.as_bytes().to_vec()).chain(bytes).chain(deep).collect()
}

#[test]
fn no_garbage_under_any_status_panics_or_is_taken_for_success_or_decline() {
    each(|world, kind, processor| {
        let visa = payment_method("pm_card_visa");
        let charge = charge(&visa, 4250, 1);
        for body in garbage() {
            for status in [100, 200, 201, 204, 302, 400, 401, 402, 404, 409, 429, 500, 503, 999] {
                world.http.play([Act::Answer(status, body.clone())]);
                let run = AssertUnwindSafe(|| {
                    let prepared = block_on(processor.prepare(&charge));
                    if kind == "stripe" {
                        assert!(matches!(prepared, Prepared::Not(_)), "{status}");
                    }
                    [
                        block_on(processor.execute(&charge, &reference())),
                        block_on(processor.look_up(&charge, &reference())),
                        block_on(processor.fence(&charge, &reference())),
                    ]
                });
                let answers = std::panic::catch_unwind(run).unwrap();
                let text = String::from_utf8_lossy(&body[..body.len().min(90)]).into_owned();
                for answer in answers {
                    let taken = matches!(answer, Answer::Done(_) | Answer::Fenced);
                    assert!(!taken, "{kind} {status} {text}: {answer:?}");
                    let refused =
                        matches!(answer, Answer::Refused { .. } | Answer::Declined { .. });
                    assert!(!refused || status == 402, "{kind} {status} {text}: {answer:?}");
                }
            }
        }
    });
}

#[test]
fn no_reference_reaches_a_path_unless_it_is_one() {
    each(|world, kind, processor| {
        world.http.play([Act::Lost]);
        let visa = payment_method("pm_card_visa");
        let charge = charge(&visa, 4250, 1);
        for bad in
            ["", "pi_", "pi_../charges", "pi_1?x", "pi_1 ", "ch_1", "pi_é", &"pi_1".repeat(99)]
        {
            let bad = Reference(bad.to_owned());
            assert_eq!(block_on(processor.execute(&charge, &bad)), Answer::Unknown, "{kind}");
            assert_eq!(block_on(processor.look_up(&charge, &bad)), Answer::Unknown, "{kind}");
            assert_eq!(block_on(processor.fence(&charge, &bad)), Answer::Unknown, "{kind}");
        }
        assert_eq!(world.http.taken(), Vec::<String>::new());
    });
}

#[test]
fn no_secret_and_no_token_reaches_debug_or_display() {
    each(|world, kind, processor| {
        for authorization in authorizations() {
            let charge = charge(&authorization, 4250, 1);
            let error = format!(r#"{{"error":{{"code":"{SECRET}","message":"{SECRET}"}}}}"#);
            for act in
                [Act::Lost, Act::Answer(400, error.clone().into()), Act::Answer(402, error.into())]
            {
                world.http.play([act]);
                let prepared = block_on(processor.prepare(&charge));
                let executed = block_on(processor.execute(&charge, &reference()));
                let shown = format!("{charge:?} {prepared:?} {executed:?}");
                assert!(!shown.contains(SECRET), "{kind}: {shown}");
            }
        }
        for broken in [
            json!({ "secret_key": SECRET }),
            json!({ "secret_key": [SECRET] }),
            json!({ SECRET: 1 }),
        ] {
            let error = world.open(Mode::Test, kind, &broken).err().unwrap();
            let source = std::error::Error::source(&error).unwrap();
            let shown = format!("{error} {error:?} {source} {source:?}");
            assert!(!shown.contains(SECRET), "{kind}: {shown}");
        }
    });
}

#[test]
fn a_kind_or_name_there_is_not_is_said_so() {
    let world = World::default();
    let error = world.open(Mode::Test, "paypal", &json!({})).err().unwrap();
    assert!(matches!(error, OpenProcessorError::Settings(_)));
    let brand = crate::doubles::brand("sandbox", &json!({}));
    let registry = processors::Registry::new(world.outside());
    let open =
        domain::ports::Processors::open(&registry, &brand, Mode::Test, &"other".parse().unwrap());
    assert!(matches!(open.err().unwrap(), OpenProcessorError::Absent));
}
