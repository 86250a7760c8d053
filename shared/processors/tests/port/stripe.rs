//! Stripe through the port: failures that Stripe keeps, and saved cards that are gone.

use domain::authorization::CredentialKind;
use domain::brand::Mode;
use domain::processor_result::Reference;
use pollster::block_on;
use ports::{Confirmed, Created, Processor};
use serde_json::{Value, json};

use crate::doubles::{Doubles, ScriptedReply, approval, charge, payment_method};

fn open(doubles: &Doubles) -> Box<dyn Processor> {
    doubles.open(Mode::Test, "stripe", &json!({ "secret_key": "sk_test_a" })).ok().unwrap()
}

fn intent(status: &str) -> ScriptedReply {
    let body = json!({ "id": "pi_1", "object": "payment_intent", "status": status, "amount": 4250,
        "currency": "eur", "amount_received": 4250 });
    ScriptedReply::Answer(200, body.to_string().into_bytes())
}

fn error(status: u16, error: &Value) -> ScriptedReply {
    ScriptedReply::Answer(status, json!({ "error": error }).to_string().into_bytes())
}

/// Stripe keeps a 500 for a day, so the same key gets it again although the payment was never confirmed.
#[test]
fn kept_failure_of_an_unconfirmed_payment_is_definite() {
    let kept = || ScriptedReply::Kept(500, b"{}".to_vec());
    let card = payment_method("pm_card_visa");
    let attempt = charge(&card, 4250, 1);
    let reference = Reference("pi_1".to_owned());
    let done = SoftDeclined("processor_error");
    for (script, expected, calls) in [
        (vec![kept(), intent("requires_confirmation"), intent("canceled")], done, 3),
        (vec![kept(), intent("succeeded")], Done, 2),
        (vec![kept(), intent("processing")], Processing, 2),
        (vec![kept(), ScriptedReply::Lost], Unknown, 2),
        // The cancellation was not confirmed, so the payment may still be there.
        (vec![kept(), intent("requires_confirmation"), ScriptedReply::Lost], Unknown, 3),
        (vec![ScriptedReply::Answer(500, b"{}".to_vec())], Unknown, 1),
    ] {
        let doubles = Doubles::default();
        let stripe = open(&doubles);
        doubles.http.play(script);
        let confirmed = block_on(stripe.confirm(&attempt, &reference));
        assert_eq!(word(&confirmed), expected, "{confirmed:?}");
        assert_eq!(doubles.http.taken().len(), calls);
    }
}

#[derive(Debug, PartialEq)]
enum Word {
    Done,
    SoftDeclined(&'static str),
    Processing,
    Unknown,
}
use Word::{Done, Processing, SoftDeclined, Unknown};

fn word(confirmed: &Confirmed) -> Word {
    match confirmed {
        Confirmed::Done(_) => Done,
        Confirmed::SoftDeclined { code } => SoftDeclined(code),
        Confirmed::Processing => Processing,
        Confirmed::Unknown => Unknown,
        Confirmed::HardDeclined { .. }
        | Confirmed::RequiresAction { .. }
        | Confirmed::Exchanged(_)
        | Confirmed::Invalid { .. }
        | Confirmed::Blocked { .. }
        | Confirmed::Again
        | Confirmed::Voided => panic!("{confirmed:?}"),
    }
}

#[test]
fn saved_card_that_is_gone_has_its_own_code() {
    let kept =
        approval(CredentialKind::SavedCard, r#"{"customer":"cus_1A","payment_method":"pm_1B"}"#);
    let typed = payment_method("pm_card_visa");
    for (status, told, gone) in [
        (400, json!({ "param": "payment_method" }), true),
        (400, json!({ "code": "resource_missing", "param": "payment_method" }), true),
        (404, json!({ "code": "resource_missing", "param": "customer" }), true),
        (
            400,
            json!({ "code": "payment_method_unexpected_state", "param": "payment_method" }),
            true,
        ),
        (400, json!({ "code": "parameter_missing", "param": "payment_method" }), false),
        (400, json!({ "code": "amount_too_small", "param": "amount" }), false),
        (400, json!({ "param": "currency" }), false),
        (402, json!({ "code": "card_declined", "param": "payment_method" }), false),
        (500, json!({ "param": "payment_method" }), false),
    ] {
        let doubles = Doubles::default();
        let stripe = open(&doubles);
        doubles.http.play([error(status, &told)]);
        let is_gone = |authorization| {
            let created = block_on(stripe.create(&charge(authorization, 4250, 1)));
            created == Created::SoftDeclined { code: ports::CARD_NOT_KEPT }
        };
        assert_eq!((is_gone(&kept), is_gone(&typed)), (gone, false), "{status} {told}");
    }
}

/// A platform calls for its connected account, which also takes the money.
#[test]
fn every_call_names_the_connected_account() {
    let doubles = Doubles::default();
    let settings = json!({ "secret_key": "sk_test_a", "connected_account": "acct_1A" });
    let stripe = doubles.open(Mode::Test, "stripe", &settings).ok().unwrap();
    assert_eq!(stripe.account(), Some("acct_1A"));
    let own = open(&doubles);
    assert_eq!(own.account(), None);
    let card = payment_method("pm_card_visa");
    let attempt = charge(&card, 4250, 1);
    for (processor, names) in [(&stripe, true), (&own, false)] {
        doubles.http.play([intent("requires_confirmation"), intent("succeeded")]);
        let Created::Ready(reference) = block_on(processor.create(&attempt)) else { panic!() };
        block_on(processor.confirm(&attempt, &reference));
        block_on(processor.retrieve(&attempt, &reference));
        block_on(processor.void(&attempt, &reference));
        let calls = doubles.http.taken();
        assert!(calls.len() >= 4);
        let header = format!("stripe-account={:?}", b"acct_1A");
        assert!(calls.iter().all(|call| call.contains(&header) == names), "{calls:#?}");
    }
}
