//! Stripe's answers as documented, and what each means; the calls as they go out.

use domain::authorization::Authorization;
use domain::ports::{Fetched, Receipt, Use};
use domain::values::money::Money;
use domain::values::text::Shown;
use domain::values::time::Timestamp;
use http::StatusCode;
use serde_json::Value;

use super::*;

const STATES: &str = include_str!("fixtures/states.json");
const CARDS: &str = include_str!("fixtures/cards.json");
const ERRORS: &str = include_str!("fixtures/errors.json");

struct Case {
    name: String,
    call: Call,
    reply: Reply,
    means: String,
}

fn cases(file: &str) -> Vec<Case> {
    let list: Vec<Value> = serde_json::from_str(file).unwrap();
    list.iter().map(case).collect()
}

fn case(value: &Value) -> Case {
    let call = match value["call"].as_str().unwrap() {
        "prepare" => Call::Prepare,
        "confirm" => Call::Confirm,
        "cancel" => Call::Cancel,
        "read" => Call::Read,
        other => panic!("{other}"),
    };
    let raw = value["raw"].as_str().map(str::to_owned);
    let body = raw.unwrap_or_else(|| value["body"].to_string());
    let mut response =
        http::Response::builder().status(u16::try_from(value["status"].as_u64().unwrap()).unwrap());
    for (name, text) in value["headers"].as_object().into_iter().flatten() {
        response = response.header(name, text.as_str().unwrap());
    }
    Case {
        name: format!("{} {}", value["name"], value["call"]),
        call,
        reply: response.body(Bytes::from(body)).unwrap().into(),
        means: value["means"].as_str().unwrap().to_owned(),
    }
}

fn meaning(call: Call, reply: &Reply) -> Answer {
    match call {
        Call::Prepare => match wire::created(reply, 1999, "EUR") {
            Ok(reference) => panic!("{reference:?} is ready"),
            Err(failure) => failure.into(),
        },
        Call::Confirm | Call::Cancel | Call::Read => wire::outcome(call, reply, "pi_1C"),
    }
}

fn said(answer: &Answer) -> String {
    match answer {
        Answer::Refused { code } => format!("Refused {code}"),
        Answer::Declined { code } => format!("Declined {code}"),
        Answer::Invalid { code } => format!("Invalid {code}"),
        Answer::Blocked { code } => format!("Blocked {code}"),
        Answer::Done(_) => "Done".to_owned(),
        Answer::NeedsCustomer { .. } => "NeedsCustomer".to_owned(),
        Answer::Exchanged(_)
        | Answer::Again
        | Answer::Working
        | Answer::Unknown
        | Answer::NotExecuted
        | Answer::Fenced => format!("{answer:?}"),
    }
}

#[test]
fn every_documented_answer_means_what_the_reference_says() {
    for case in [STATES, CARDS, ERRORS].into_iter().flat_map(cases) {
        let answer = meaning(case.call, &case.reply);
        assert_eq!(said(&answer), case.means, "{}", case.name);
        assert!(!format!("{answer:?}").contains("NeverShown"), "{}", case.name);
    }
}

#[test]
fn an_answer_cut_short_anywhere_is_never_done_and_never_a_no() {
    let whole = cases(STATES).into_iter().find(|case| case.means == "Done").unwrap().reply.body;
    for end in 0..whole.len() {
        let reply = Reply { status: StatusCode::OK, should_retry: None, body: whole.slice(..end) };
        assert_eq!(wire::outcome(Call::Confirm, &reply, "pi_1C"), Answer::Unknown, "{end}");
        assert_eq!(wire::created(&reply, 1999, "EUR"), Err(Failure::Again), "{end}");
    }
}

#[test]
fn success_under_any_other_status_is_never_done() {
    let body = cases(STATES).into_iter().find(|case| case.means == "Done").unwrap().reply.body;
    for status in (100..200).chain(300..1000) {
        let status = StatusCode::from_u16(status).unwrap();
        for should_retry in [None, Some(true), Some(false)] {
            let reply = Reply { status, should_retry, body: body.clone() };
            for call in [Call::Confirm, Call::Cancel, Call::Read] {
                let answer = wire::outcome(call, &reply, "pi_1C");
                assert!(!matches!(answer, Answer::Done(_)), "{status}");
            }
            let unsure = matches!(status.as_u16(), 408 | 424 | 500..=599);
            let answer = wire::outcome(Call::Confirm, &reply, "pi_1C");
            assert!(!unsure || answer == Answer::Unknown, "{status} is {answer:?}");
        }
    }
}

#[test]
fn a_receipt_holds_what_the_requester_may_know_and_no_more() {
    let reply = cases(STATES).into_iter().find(|case| case.means == "Done").unwrap().reply;
    let expected = Receipt {
        reference: Reference("pi_1C".to_owned()),
        amount: 1999,
        currency: "EUR".to_owned(),
        method: "card".to_owned(),
        wallet: Some("apple_pay".to_owned()),
        card_brand: Some("visa".to_owned()),
        last4: Some("4242".to_owned()),
    };
    assert_eq!(
        wire::outcome(Call::Read, &reply, "pi_1C"),
        Answer::Done(Fetched::Payment(expected))
    );

    let odd = serde_json::json!({
        "id": "pi_1C", "object": "payment_intent", "status": "succeeded", "amount": 100,
        "currency": "jpy", "latest_charge": { "payment_method_details": { "type": "a b",
            "card": { "brand": "<script>", "last4": "42424", "wallet": { "type": 7 } } } },
    });
    let reply = Reply { body: Bytes::from(odd.to_string()), ..reply };
    let Answer::Done(Fetched::Payment(receipt)) = wire::outcome(Call::Read, &reply, "pi_1C") else {
        panic!()
    };
    assert_eq!(
        (receipt.method.as_str(), receipt.wallet, receipt.card_brand, receipt.last4),
        ("card", None, None, None)
    );
}

#[test]
fn a_payment_intent_for_other_money_is_never_confirmed() {
    let body = |amount: u64, currency: &str| {
        let intent = serde_json::json!({ "id": "pi_1C", "object": "payment_intent",
            "status": "requires_confirmation", "amount": amount, "currency": currency });
        let body = Bytes::from(intent.to_string());
        Reply { status: StatusCode::OK, should_retry: None, body }
    };
    let mismatch = Err(Failure::Invalid("amount_mismatch"));
    assert!(wire::created(&body(1999, "eur"), 1999, "EUR").is_ok());
    assert_eq!(wire::created(&body(199_900, "eur"), 1999, "EUR"), mismatch);
    assert_eq!(wire::created(&body(1999, "usd"), 1999, "EUR"), mismatch);
}

fn authorization(kind: AuthorizationKind, secret: &str) -> Authorization {
    Authorization { kind, secret: secret.into() }
}

fn euros(amount: u64) -> Money {
    Money::new(amount, "EUR".parse().unwrap()).unwrap()
}

fn with_charge<T>(authorization: &Authorization, read: impl FnOnce(&Use<'_>) -> T) -> T {
    read(&Use {
        request: "req_01J00000000000000000000000".parse().unwrap(),
        generation: 2,
        ask: &Ask::Payment {
            money: euros(4250),
            description: Shown::new("Invoice 4711 & more").unwrap(),
            card: None,
        },
        authorization,
        customer: "c0ffee",
        page: "https://pay.example.com/c/page",
        callback: "https://pay.example.com/callbacks/acme/stripe",
        begun_at: Timestamp::from_millis(1_767_225_600_000),
        away: false,
        redeemed: false,
        told: None,
    })
}

#[test]
fn the_calls_are_the_documented_ones() {
    let visa = authorization(AuthorizationKind::PaymentMethod, "pm_card_visa");
    let settings = serde_json::json!({ "secret_key": "sk_test_a" });
    let account = Account::read(Mode::Test, &settings.as_object().unwrap().clone().into()).unwrap();
    let create = with_charge(&visa, |charge| {
        wire::create(charge, (4250, euros(4250)), "pm_card_visa", &account.dialect)
    });
    assert_eq!(create.path, "/v1/payment_intents");
    assert!(create.key.unwrap().starts_with("pi_create-2-"));
    assert_eq!(
        create.body,
        "amount=4250&currency=eur&payment_method=pm_card_visa&payment_method_types[0]=card&confirm=false\
         &metadata[request_id]=req_01J00000000000000000000000&metadata[attempt]=2\
         &description=Invoice+4711+%26+more"
    );
    let confirm = with_charge(&visa, |charge| wire::confirm(charge, "pi_1C", &account.dialect));
    assert_eq!(confirm.path, "/v1/payment_intents/pi_1C/confirm");
    assert!(confirm.key.unwrap().starts_with("pi_confirm-2-"));
    assert_eq!(confirm.body, "expand[0]=latest_charge&error_on_requires_action=true");
    assert_eq!(confirm.timeout.as_secs(), 25);
}

#[test]
fn what_a_stand_in_refuses_can_be_left_out() {
    let visa = authorization(AuthorizationKind::PaymentMethod, "pm_card_visa");
    let settings = serde_json::json!({
        "secret_key": "sk_test_a",
        "omit": ["description", "error_on_requires_action", "expand"],
        "payment_method_types": "allowed_payment_method_types",
    });
    let account = Account::read(Mode::Test, &settings.as_object().unwrap().clone().into()).unwrap();
    let create =
        with_charge(&visa, |charge| wire::create(charge, (1, euros(1)), "pm_x", &account.dialect));
    assert!(!create.body.contains("description"));
    assert!(create.body.contains("&allowed_payment_method_types[0]=card&"));
    let confirm = with_charge(&visa, |charge| wire::confirm(charge, "pi_1C", &account.dialect));
    assert_eq!(confirm.body, "");
    assert_eq!(wire::read("pi_1C", &account.dialect).path, "/v1/payment_intents/pi_1C");
}

#[test]
fn an_apple_pay_token_goes_to_stripe_as_apple_made_it() {
    let secret = r#"{"paymentData":{"version":"EC_v1","data":"b+/="},
        "paymentMethod":{"displayName":"Visa 1234","network":"Visa","type":"debit"},
        "transactionIdentifier":"f7f1"}"#;
    let apple = ApplePay::read(secret).unwrap();
    let token = authorization(AuthorizationKind::ApplePay, secret);
    let call = with_charge(&token, |charge| wire::token(charge, &apple));
    assert_eq!(
        call.body,
        "pk_token=%7B%22version%22%3A%22EC_v1%22%2C%22data%22%3A%22b%2B%2F%3D%22%7D\
         &pk_token_instrument_name=Visa+1234&pk_token_payment_network=Visa&pk_token_transaction_id=f7f1"
    );
    let call = with_charge(&token, |charge| wire::payment_method(charge, "tok_1A"));
    assert_eq!(call.body, "type=card&card[token]=tok_1A");
    assert!(call.key.unwrap().starts_with("pm_create-2-"));
}
