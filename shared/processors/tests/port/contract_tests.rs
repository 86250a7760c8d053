//! The contract tests of the `Processor` port, over every listed kind.

use std::panic::AssertUnwindSafe;

use crate::contract_fixture::{
    SECRET, accepting_replies, authorizations, each, each_that_charges, reference, references,
    settings, visa,
};
use crate::doubles::{
    Doubles, REQUEST, ScriptedReply, WriteFault, attempt, charge, credential_kind, payment,
    payment_method, save_card,
};
use domain::authorization::{Credential, CredentialKind};
use domain::brand::Mode;
use domain::processor_result::Reference;
use domain::values::time::Timestamp;
use pollster::block_on;
use ports::contract_tests::processor::OperationResult;
use ports::{
    Confirmed, Created, DetachResult, OpenProcessorError, Proof, Refund, RefundResult, Retrieved,
    UnverifiedCallback, VoidResult,
};
use serde_json::json;

#[test]
fn attempt_when_repeated_makes_identical_calls() {
    each(|doubles, kind, processor| {
        for (ask, authorization) in [payment(4250), save_card()]
            .into_iter()
            .flat_map(|ask| authorizations().map(|authorization| (ask.clone(), authorization)))
        {
            let credential = credential_kind(&authorization);
            let (answers, done, expected) = accepting_replies(&ask, credential);
            let calls = answers.len() + 1;
            let on_file = credential == Some(CredentialKind::SavedCard);
            let what = attempt(ask.clone(), &authorization, 1);
            let run = || {
                doubles.http.play(answers.iter().cloned().chain([done.clone()]));
                let created = block_on(processor.create(&what));
                let confirmed = block_on(processor.confirm(&what, &expected));
                (
                    created,
                    confirmed,
                    doubles.http.taken(),
                    doubles.store.items.lock().unwrap().clone(),
                )
            };
            let first = run();
            doubles.store.faults.lock().unwrap().push_back(Some(WriteFault::Conflict));
            assert_eq!(first, run(), "{kind}");
            if kind == "stripe" && !(on_file && ask.money().is_none()) {
                assert_eq!(first.0, Created::Ready(expected));
                assert!(matches!(first.1, Confirmed::Done(_)), "{:?}", first.1);
                assert_eq!(first.2.len(), calls);
            }
        }
    });
}

#[test]
fn confirm_without_a_reply_is_unknown() {
    each_that_charges(|doubles, kind, processor| {
        doubles.http.play([ScriptedReply::Lost]);
        let visa = visa(kind);
        let charge = charge(&visa, 4250, 1);
        let created = block_on(processor.create(&charge));
        let reference = if let Created::Ready(reference) = created {
            reference
        } else {
            assert_eq!(created, Created::Again, "{kind}");
            reference()
        };
        for fault in [WriteFault::LostBefore, WriteFault::LostAfter] {
            doubles.store.faults.lock().unwrap().push_back(Some(fault));
            assert_eq!(
                block_on(processor.confirm(&charge, &reference)),
                Confirmed::Unknown,
                "{kind}"
            );
        }
    });
}

#[test]
fn call_that_was_not_sent_may_be_repeated() {
    let doubles = Doubles::default();
    let processor = doubles.open(Mode::Test, "stripe", &settings("stripe")).ok().unwrap();
    doubles.http.play([ScriptedReply::NotSent]);
    let visa = payment_method("pm_card_visa");
    let charge = charge(&visa, 4250, 1);
    assert_eq!(block_on(processor.create(&charge)), Created::Again);
    assert_eq!(block_on(processor.confirm(&charge, &reference())), Confirmed::Again);
    assert_eq!(block_on(processor.retrieve(&charge, &reference())), Retrieved::Unknown);
    assert_eq!(block_on(processor.void(&charge, &reference())), VoidResult::Again);
}

#[test]
fn detach_without_a_clear_reply_may_leave_the_card_on_file() {
    each_that_charges(|doubles, kind, processor| {
        if kind == "sandbox" {
            return;
        }
        let ids = match kind {
            "adyen" => json!({ "shopper": "req_1.1", "stored": "7914073381342284" }),
            _ => json!({ "customer": "cus_1", "payment_method": "pm_1" }),
        };
        let saved = Credential::new(CredentialKind::SavedCard, ids.to_string());
        let detach = |act: ScriptedReply| {
            doubles.http.play([act]);
            block_on(processor.detach(&saved))
        };
        for act in [ScriptedReply::Lost, ScriptedReply::NotSent] {
            assert_eq!(detach(act), DetachResult::Again, "{kind}");
        }
        for status in [408, 429, 500, 502, 503, 504] {
            for body in garbage() {
                let result = detach(ScriptedReply::Answer(status, body));
                assert_eq!(result, DetachResult::Again, "{kind} {status}");
            }
        }
        let missing = br#"{"error":{"code":"resource_missing"},"errorCode":"167"}"#;
        let missing = ScriptedReply::Answer(404, missing.to_vec());
        assert_eq!(detach(missing), DetachResult::Detached, "{kind}");
    });
}

/// Returns replies that no processor sends. None may panic, succeed or count as a void.
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
fn garbage_reply_under_any_status_never_succeeds_or_declines() {
    each(|doubles, kind, processor| {
        let visa = payment_method("pm_card_visa");
        let charge = charge(&visa, 4250, 1);
        for body in garbage() {
            for status in [100, 200, 201, 204, 302, 400, 401, 402, 404, 409, 429, 500, 503, 999] {
                doubles.http.play([ScriptedReply::Answer(status, body.clone())]);
                let run = AssertUnwindSafe(|| {
                    let created = block_on(processor.create(&charge));
                    if kind == "stripe" {
                        assert!(!matches!(created, Created::Ready(_)), "{status}");
                    }
                    references().map(|reference| {
                        [
                            OperationResult::from(block_on(processor.confirm(&charge, &reference))),
                            block_on(processor.retrieve(&charge, &reference)).into(),
                            block_on(processor.void(&charge, &reference)).into(),
                        ]
                    })
                });
                let answers = std::panic::catch_unwind(run).unwrap();
                let text = String::from_utf8_lossy(&body[..body.len().min(90)]).into_owned();
                for answer in answers.into_iter().flatten() {
                    let taken =
                        matches!(answer, OperationResult::Done(_) | OperationResult::Voided);
                    assert!(!taken, "{kind} {status} {text}: {answer:?}");
                    let refused = matches!(
                        answer,
                        OperationResult::SoftDeclined { .. } | OperationResult::HardDeclined { .. }
                    );
                    assert!(!refused || status == 402, "{kind} {status} {text}: {answer:?}");
                }
            }
        }
    });
}

#[test]
fn garbage_reply_under_any_status_never_refunds() {
    each(|doubles, kind, processor| {
        let charge = reference();
        let refund = |again| Refund {
            request: REQUEST.parse().unwrap(),
            seq: 1,
            charge: &charge,
            money: payment(500).money().unwrap(),
            again,
            reported: None,
        };
        for body in garbage() {
            for status in [200, 400, 401, 402, 404, 409, 429, 500] {
                doubles.http.play([ScriptedReply::Answer(status, body.clone())]);
                for again in [false, true] {
                    let run = AssertUnwindSafe(|| block_on(processor.refund(&refund(again))));
                    let refunded = std::panic::catch_unwind(run).unwrap();
                    let taken =
                        matches!(refunded, RefundResult::Done(_) | RefundResult::Pending(_));
                    assert!(!taken, "{kind} {status}: {refunded:?}");
                }
            }
        }
        for act in [ScriptedReply::Lost, ScriptedReply::NotSent] {
            doubles.http.play([act]);
            let refunded = block_on(processor.refund(&refund(false)));
            assert!(
                !matches!(refunded, RefundResult::Done(_) | RefundResult::Pending(_)),
                "{kind}"
            );
        }
    });
}

#[test]
fn unsigned_callback_is_refused() {
    each(|_, kind, processor| {
        for body in garbage() {
            for header in ["", "t=1767225600,v1=00", "v1=,t=", "t=9,v1=a,v1=b", "t=-1,v1=\u{e9}"] {
                let mut headers = http::HeaderMap::new();
                headers.insert("stripe-signature", header.parse().unwrap());
                let callback = UnverifiedCallback {
                    method: http::Method::POST,
                    url: "https://pay.example.com/callbacks/acme/primary".to_owned(),
                    headers,
                    body: body.clone().into(),
                    now: Timestamp::from_millis(1_767_225_600_000),
                    proof: Proof::None,
                };
                let run = AssertUnwindSafe(|| processor.receive(&callback));
                assert!(std::panic::catch_unwind(run).unwrap().is_err(), "{kind}");
            }
        }
    });
}

#[test]
fn malformed_reference_never_reaches_a_path() {
    each(|doubles, kind, processor| {
        doubles.http.play([ScriptedReply::Lost]);
        let visa = payment_method("pm_card_visa");
        let charge = charge(&visa, 4250, 1);
        for bad in [
            "",
            "pi_",
            "pi_../charges",
            "pi_1?x",
            "pi_1 ",
            "ch_1",
            "pi_é",
            "cs_",
            "cs_a/b",
            "seti_%2e",
            &"pi_1".repeat(99),
        ] {
            let bad = Reference(bad.to_owned());
            assert_eq!(block_on(processor.confirm(&charge, &bad)), Confirmed::Unknown, "{kind}");
            assert_eq!(block_on(processor.retrieve(&charge, &bad)), Retrieved::Unknown, "{kind}");
            assert_eq!(block_on(processor.void(&charge, &bad)), VoidResult::Unknown, "{kind}");
        }
        assert_eq!(doubles.http.taken(), Vec::<String>::new());
    });
}

#[test]
fn debug_and_display_never_show_secrets_or_tokens() {
    each(|doubles, kind, processor| {
        for authorization in authorizations() {
            let charge = charge(&authorization, 4250, 1);
            let error = format!(r#"{{"error":{{"code":"{SECRET}","message":"{SECRET}"}}}}"#);
            for act in [
                ScriptedReply::Lost,
                ScriptedReply::Answer(400, error.clone().into()),
                ScriptedReply::Answer(402, error.into()),
            ] {
                doubles.http.play([act]);
                let created = block_on(processor.create(&charge));
                let confirmed = block_on(processor.confirm(&charge, &reference()));
                let shown = format!("{charge:?} {created:?} {confirmed:?}");
                assert!(!shown.contains(SECRET), "{kind}: {shown}");
            }
        }
        let apple = json!({ "merchant_identifier": SECRET, "certificate": SECRET, "key": SECRET });
        for broken in [
            json!({ "secret_key": SECRET }),
            json!({ "secret_key": [SECRET] }),
            json!({ "secret_key": "sk_test_a", "webhook_secrets": SECRET }),
            json!({ "secret_key": "sk_test_a", "publishable_key": SECRET }),
            json!({ "secret_key": "sk_test_a", "apple_pay": apple }),
            json!({ "google_pay": { "country": SECRET } }),
            json!({ SECRET: 1 }),
        ] {
            let error = doubles.open(Mode::Test, kind, &broken).err().unwrap();
            let source = std::error::Error::source(&error).unwrap();
            let shown = format!("{error} {error:?} {source} {source:?}");
            assert!(!shown.contains(SECRET), "{kind}: {shown}");
        }
    });
}

#[test]
fn open_of_an_unknown_kind_or_name_is_an_error() {
    let doubles = Doubles::default();
    let error = doubles.open(Mode::Test, "paypal", &json!({})).err().unwrap();
    assert!(matches!(error, OpenProcessorError::Settings(_)));
    let brand = crate::doubles::brand("sandbox", &json!({}));
    let registry = crate::registry(&doubles, doubles.deps());
    let open = ports::Processors::open(&registry, &brand, Mode::Test, &"other".parse().unwrap());
    assert!(matches!(open.err().unwrap(), OpenProcessorError::Absent));
}
