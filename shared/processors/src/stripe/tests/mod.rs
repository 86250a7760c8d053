//! Stripe's documented and recorded replies, and the answer for each.
//!
//! The shapes of sessions, setups and refunds are those of the fixtures in <https://github.com/stripe/openapi>. No
//! third-party stand-in has all of them.

use domain::processor_result::{Receipt, Reference};
use http::StatusCode;
use ports::{Fulfillment, RefundResult};
use serde_json::Value;

use super::wire::checkout::SessionResult;
use super::*;

mod calls;
mod detaching;
mod refunding;

const STATES: &str = include_str!("../fixtures/states.json");
const CARDS: &str = include_str!("../fixtures/cards.json");
const ERRORS: &str = include_str!("../fixtures/errors.json");
const SETUPS: &str = include_str!("../fixtures/setups.json");
const SESSIONS: &str = include_str!("../fixtures/sessions.json");
const REFUNDS: &str = include_str!("../fixtures/refunds.json");

/// The objects of the fixtures.
const INTENT: StripeObject<'_> = StripeObject::Intent("pi_1C");
const SETUP: StripeObject<'_> = StripeObject::Setup("seti_1C");
const SESSION: StripeObject<'_> = StripeObject::Session("cs_test_a1");

struct ErrorCase {
    name: String,
    call: StripeCall,
    reply: StripeReply,
    means: String,
}

fn cases(file: &str) -> Vec<ErrorCase> {
    let list: Vec<Value> = serde_json::from_str(file).unwrap();
    list.iter().map(case).collect()
}

fn case(value: &Value) -> ErrorCase {
    let call = match value["call"].as_str().unwrap_or("prepare") {
        "prepare" => StripeCall::Create,
        "confirm" => StripeCall::Confirm,
        "cancel" => StripeCall::Cancel,
        "read" => StripeCall::Read,
        other => panic!("{other}"),
    };
    let raw = value["raw"].as_str().map(str::to_owned);
    let body = raw.unwrap_or_else(|| value["body"].to_string());
    let mut response =
        http::Response::builder().status(u16::try_from(value["status"].as_u64().unwrap()).unwrap());
    for (name, text) in value["headers"].as_object().into_iter().flatten() {
        response = response.header(name, text.as_str().unwrap());
    }
    ErrorCase {
        name: format!("{} {}", value["name"], value["call"]),
        call,
        reply: response.body(Bytes::from(body)).unwrap().into(),
        means: value["means"].as_str().unwrap().to_owned(),
    }
}

/// An amount in euros, as Stripe counts it.
fn euros(minor_units: u64) -> StripeAmount {
    StripeAmount { minor_units, currency: "EUR".parse().unwrap() }
}

fn meaning(object: StripeObject<'_>, call: StripeCall, reply: &StripeReply) -> SessionResult {
    let failed = |made: Result<Reference, StripeFailure>| match made {
        Ok(reference) => panic!("{reference:?} is ready"),
        Err(failure) => ObjectState::from(failure).into(),
    };
    match (call, object) {
        (StripeCall::Create, StripeObject::Intent(_)) => {
            failed(intents::created(reply, euros(1999)))
        }
        (StripeCall::Create, StripeObject::Setup(_)) => failed(setups::created(reply)),
        (StripeCall::Create, StripeObject::Session(_)) => failed(checkout::created(reply, None)),
        (StripeCall::Confirm | StripeCall::Cancel | StripeCall::Read, _) => {
            object.outcome(call, reply)
        }
    }
}

fn said(stands: &SessionResult) -> String {
    let answer = match stands {
        SessionResult::State(answer) => answer,
        SessionResult::KeptBy(id) => return format!("KeptBy {id}"),
    };
    match answer {
        ObjectState::SoftDeclined { code } => format!("SoftDeclined {code}"),
        ObjectState::HardDeclined { code } => format!("HardDeclined {code}"),
        ObjectState::Invalid { code } => format!("Invalid {code}"),
        ObjectState::Blocked { by } => format!("Blocked {}", by.code()),
        ObjectState::Done(_) => "Done".to_owned(),
        ObjectState::RequiresAction { redirect: None } => "RequiresAction".to_owned(),
        ObjectState::RequiresAction { redirect: Some(redirect) } => {
            format!("RequiresAction {}", redirect.0)
        }
        ObjectState::Again
        | ObjectState::Processing
        | ObjectState::Unknown
        | ObjectState::NotConfirmed
        | ObjectState::FailedForGood
        | ObjectState::Voided => format!("{answer:?}"),
    }
}

/// Returns the answer to a reply; panics where another object must be read.
fn answered(object: StripeObject<'_>, call: StripeCall, reply: &StripeReply) -> ObjectState {
    match object.outcome(call, reply) {
        SessionResult::State(answer) => answer,
        SessionResult::KeptBy(id) => panic!("kept by {id}"),
    }
}

#[test]
fn replies_when_documented_have_the_referenced_meaning() {
    let about_intents = [STATES, CARDS, ERRORS].map(|file| (INTENT, file));
    for (object, file) in about_intents.into_iter().chain([(SETUP, SETUPS), (SESSION, SESSIONS)]) {
        for case in cases(file) {
            let stands = meaning(object, case.call, &case.reply);
            assert_eq!(said(&stands), case.means, "{}", case.name);
            if let SessionResult::State(answer) = &stands {
                let shown = format!("{answer:?}");
                assert!(!shown.contains("NeverShown"), "{}: {shown}", case.name);
                assert!(!shown.contains("https://"), "{}: {shown}", case.name);
            }
        }
    }
}

#[test]
fn reply_when_truncated_is_never_done_or_declined() {
    for (object, file) in [(INTENT, STATES), (SETUP, SETUPS), (SESSION, SESSIONS)] {
        let done = cases(file).into_iter().find(|case| case.means == "Done").unwrap();
        let whole = done.reply.body;
        for end in 0..whole.len() {
            let reply = StripeReply {
                replayed: false,
                status: StatusCode::OK,
                should_retry: None,
                body: whole.slice(..end),
            };
            assert_eq!(
                answered(object, StripeCall::Confirm, &reply),
                ObjectState::Unknown,
                "{end}"
            );
            assert_eq!(said(&meaning(object, StripeCall::Create, &reply)), "Again", "{end}");
        }
    }
}

#[test]
fn success_body_under_another_status_is_never_done() {
    for (object, file) in [(INTENT, STATES), (SETUP, SETUPS), (SESSION, SESSIONS)] {
        let body = cases(file).into_iter().find(|case| case.means == "Done").unwrap().reply.body;
        for status in (100..200).chain(300..1000) {
            let status = StatusCode::from_u16(status).unwrap();
            for should_retry in [None, Some(true), Some(false)] {
                let reply =
                    StripeReply { status, replayed: false, should_retry, body: body.clone() };
                for call in [StripeCall::Confirm, StripeCall::Cancel, StripeCall::Read] {
                    let answer = answered(object, call, &reply);
                    assert!(!matches!(answer, ObjectState::Done(_)), "{status}");
                }
                let unsure = matches!(status.as_u16(), 408 | 424 | 500..=599);
                let answer = answered(object, StripeCall::Confirm, &reply);
                let in_doubt = matches!(answer, ObjectState::Unknown | ObjectState::FailedForGood);
                assert!(!unsure || in_doubt, "{status} is {answer:?}");
            }
        }
    }
}

fn named(file: &str, name: &str) -> StripeReply {
    let name = format!("\"{name}\" \"read\"");
    cases(file).into_iter().find(|case| case.name == name).unwrap().reply
}

fn paid(answer: ObjectState) -> Receipt {
    let ObjectState::Done(Fulfillment::Payment(receipt)) = answer else { panic!("{answer:?}") };
    receipt
}

#[test]
fn receipt_holds_only_the_allowed_details() {
    let expected = Receipt {
        reference: Reference("pi_1C".to_owned()),
        amount: 1999,
        currency: "EUR".to_owned(),
        method: "card".to_owned(),
        wallet: Some("apple_pay".to_owned()),
        card_brand: Some("visa".to_owned()),
        last4: Some("4242".to_owned()),
    };
    assert_eq!(paid(answered(INTENT, StripeCall::Read, &named(STATES, "succeeded"))), expected);
    // A payment on Stripe's own page is reported, and refunded, by the same id.
    assert_eq!(paid(answered(SESSION, StripeCall::Read, &named(SESSIONS, "paid"))), expected);
    let receipt = paid(answered(SESSION, StripeCall::Read, &named(SESSIONS, "paid_unexpanded")));
    assert_eq!(receipt, Receipt { wallet: None, card_brand: None, last4: None, ..expected });

    let odd = serde_json::json!({
        "id": "pi_1C", "object": "payment_intent", "status": "succeeded", "amount": 100,
        "currency": "jpy", "latest_charge": { "payment_method_details": { "type": "a b",
            "card": { "brand": "<script>", "last4": "42424", "wallet": { "type": 7 } } } },
    });
    let body = Bytes::from(odd.to_string());
    let reply = StripeReply { status: StatusCode::OK, replayed: false, should_retry: None, body };
    let receipt = paid(answered(INTENT, StripeCall::Read, &reply));
    assert_eq!(
        (receipt.method.as_str(), receipt.wallet, receipt.card_brand, receipt.last4),
        ("card", None, None, None)
    );
}

#[test]
fn saved_card_shows_brand_and_digits_and_seals_its_ids() {
    for (object, file, name) in [(SETUP, SETUPS, "succeeded"), (SESSION, SESSIONS, "kept")] {
        let answer = answered(object, StripeCall::Read, &named(file, name));
        let ObjectState::Done(Fulfillment::Card { receipt, saved: kept }) = answer else {
            panic!()
        };
        assert_eq!(receipt.reference, Reference("seti_1C".to_owned()));
        assert_eq!(receipt.card_brand.as_deref(), Some("visa"));
        assert_eq!(receipt.last4.as_deref(), Some("4242"));
        assert_eq!(receipt.wallet.as_deref(), Some("google_pay"));
        assert_eq!((receipt.exp_month, receipt.exp_year), (Some(8), Some(2030)));
        assert_eq!(kept.kind, CredentialKind::SavedCard);
        let text = kept.secret.expose_secret();
        assert_eq!(text, r#"{"customer":"cus_1A","payment_method":"pm_1B"}"#);
        assert!(StripeSavedCard::read(text).is_some());
    }
    for bad in [
        "",
        "pm_1B",
        r#"{"customer":"cus_1A"}"#,
        r#"{"customer":"cus_1&amount=1","payment_method":"pm_1B"}"#,
        r#"{"customer":"cus_1A","payment_method":"pm_../x"}"#,
        r#"{"customer":"pm_1B","payment_method":"cus_1A"}"#,
    ] {
        assert!(StripeSavedCard::read(bad).is_none(), "{bad}");
    }
}

#[test]
fn created_object_with_another_amount_is_refused() {
    let reply = |kind: &str, id: &str, field: &str, amount: u64, currency: &str| {
        let object = serde_json::json!({ "id": id, "object": kind, "status": "open",
            field: amount, "currency": currency });
        let body = Bytes::from(object.to_string());
        StripeReply { status: StatusCode::OK, replayed: false, should_retry: None, body }
    };
    let mismatch = Err(StripeFailure::Invalid("amount_mismatch"));
    let euros = euros(1999);
    for (amount, currency, right) in
        [(1999, "eur", true), (199_900, "eur", false), (1999, "usd", false)]
    {
        let intent = reply("payment_intent", "pi_1C", "amount", amount, currency);
        let made = intents::created(&intent, euros);
        assert!(if right { made.is_ok() } else { made == mismatch });
        let session = reply("checkout.session", "cs_test_a1", "amount_total", amount, currency);
        let made = checkout::created(&session, Some(euros));
        assert!(if right { made.is_ok() } else { made == mismatch });
    }
}

#[test]
fn error_codes_have_one_answer_per_call() {
    use super::codes::{CODES, StripeErrorClass};

    for (class, codes) in CODES {
        for code in *codes {
            let body =
                serde_json::json!({ "error": { "type": "invalid_request_error", "code": code } });
            let body = Bytes::from(body.to_string());
            let reply = StripeReply {
                status: StatusCode::BAD_REQUEST,
                replayed: false,
                should_retry: None,
                body,
            };
            let means = |call| said(&meaning(INTENT, call, &reply));
            let wrong = format!("Invalid {code}");
            let (create, confirm, cancel) = match class {
                StripeErrorClass::CardDeclined => {
                    ("SoftDeclined card_declined", "SoftDeclined card_declined", "Unknown")
                }
                StripeErrorClass::Credentials => {
                    ("Blocked credentials", "Blocked credentials", "Blocked credentials")
                }
                StripeErrorClass::AccountRestricted => {
                    ("Blocked account", "Blocked account", "Blocked account")
                }
                StripeErrorClass::Throttled => ("Again", "Again", "Again"),
                StripeErrorClass::Locked => ("Again", "Processing", "Unknown"),
                StripeErrorClass::Missing => ("Invalid resource_missing", "Unknown", "Unknown"),
                StripeErrorClass::UnexpectedState => {
                    ("Invalid unexpected_state", "Unknown", "Unknown")
                }
                StripeErrorClass::Wrong => (wrong.as_str(), wrong.as_str(), "Unknown"),
                StripeErrorClass::NotRefundable(_) | StripeErrorClass::Elsewhere => {
                    ("Invalid refused_by_processor", "Unknown", "Unknown")
                }
            };
            assert_eq!(means(StripeCall::Create), create, "{code}");
            assert_eq!(means(StripeCall::Confirm), confirm, "{code}");
            assert_eq!(means(StripeCall::Cancel), cancel, "{code}");
            assert_eq!(means(StripeCall::Read), "Unknown", "{code}");
            let refunded = errors::not_refunded(&reply);
            assert!(
                !matches!(refunded, RefundResult::Done(_) | RefundResult::Pending(_)),
                "{code}"
            );
            if let StripeErrorClass::NotRefundable(word) = class {
                assert_eq!(refunded, RefundResult::Failed { code: word }, "{code}");
            }
        }
    }
}

#[test]
fn refusals_mean_the_same_when_creating_and_confirming() {
    for (failure, codes) in refusals::REFUSALS {
        for code in *codes {
            for (status, name) in [(400, "code"), (402, "code"), (402, "decline_code")] {
                let body = serde_json::json!({ "error": { "type": "card_error", name: code } });
                let body = Bytes::from(body.to_string());
                let status = StatusCode::from_u16(status).unwrap();
                let reply = StripeReply { status, replayed: false, should_retry: None, body };
                for call in [StripeCall::Create, StripeCall::Confirm] {
                    let reported = errors::failure(call, &reply, Some("pi_1C"));
                    assert_eq!(reported, *failure, "{code} as {name} under {status}");
                }
            }
        }
    }
}
