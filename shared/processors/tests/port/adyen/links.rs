//! Pay by Link through the port. A webhook reports a payment; the shopper's list holds a saved card.

use std::time::Duration;

use domain::ask::Ask;
use domain::authorization::Authorization;
use domain::processor_result::Reference;
use domain::values::text::DisplayText;
use pollster::block_on;
use ports::contract_tests::processor::OperationResult;
use ports::{
    AttemptContext, Confirmed, Created, Fulfillment, PaymentOption, RedirectUrl, Rejection,
    Retrieved, VoidResult,
};
use serde_json::{Value, json};

use super::{NAME, PSP, json_reply, open, reported, with_reported};
use crate::doubles::{Doubles, ScriptedReply, charge, payment};

const LINK: &str = "PL61C53A8B97E6915A";
const URL: &str = "https://test.adyen.link/PL61C53A8B97E6915A";

fn reference() -> Reference {
    Reference(LINK.to_owned())
}

fn link(status: &str) -> Value {
    json!({
        "id": LINK, "url": URL, "status": status, "merchantAccount": "AcmeECOM", "reference": NAME,
        "amount": { "value": 4250, "currency": "EUR" }, "expiresAt": "2026-01-02T00:00:00Z",
        "updatedAt": "2026-01-01T01:01:00+01:00",
    })
}

fn with(status: &str, change: &str, value: Value) -> Value {
    let mut link = link(status);
    link[change] = value;
    link
}

fn save_card() -> Ask {
    Ask::PaymentMethod { description: DisplayText::new("Card for later").unwrap() }
}

#[test]
fn link_on_repeat_is_created_once_for_the_ask() {
    let doubles = Doubles::default();
    let processor = open(&doubles, &json!({ "country": "NL" }));
    assert_eq!(processor.payment_options(&payment(4250)), [PaymentOption::Hosted]);
    let hosted = Authorization::Hosted;
    let what = charge(&hosted, 4250, 1);
    doubles.http.play([json_reply(201, &link("active"))]);
    assert_eq!(block_on(processor.create(&what)), Created::Ready(reference()));
    assert_eq!(block_on(processor.create(&what)), Created::Ready(reference()));
    let calls = doubles.http.taken();
    assert_eq!(calls[0], calls[1]);
    for part in [
        "POST https://checkout-test.adyen.com/v72/paymentLinks ",
        r#"\"reference\":\"req_01J00000000000000000000000.1\""#,
        r#"\"currency\":\"EUR\""#,
        r#"\"value\":4250"#,
        r#"\"expiresAt\":\"2026-01-02T00:00:00.000Z\""#,
        r#"\"returnUrl\":\"https://pay.example.com/c/page\""#,
        r#"\"reusable\":false"#,
        r#"\"countryCode\":\"NL\""#,
        "idempotency-key",
    ] {
        assert!(calls[0].contains(part), "{part} in {}", calls[0]);
    }
    assert!(!calls[0].contains("storePaymentMethodMode"));
}

#[test]
fn link_that_differs_from_the_ask_is_refused() {
    let doubles = Doubles::default();
    let processor = open(&doubles, &json!({}));
    let hosted = Authorization::Hosted;
    let what = charge(&hosted, 4250, 1);
    for other in [
        with("active", "id", json!("PL/../x")),
        with("active", "id", json!("LP1")),
        with("active", "reference", json!("req_01J00000000000000000000000.2")),
        with("active", "merchantAccount", json!("Other")),
        with("active", "amount", json!({ "value": 4251, "currency": "EUR" })),
        with("active", "url", json!("javascript:alert(1)")),
        json!({}),
    ] {
        doubles.http.play([json_reply(201, &other)]);
        assert_eq!(block_on(processor.create(&what)), Created::Again, "{other}");
    }
    for act in [ScriptedReply::Lost, ScriptedReply::NotSent] {
        doubles.http.play([act]);
        assert_eq!(block_on(processor.create(&what)), Created::Again);
    }
}

#[test]
fn link_status_has_one_answer_each() {
    let doubles = Doubles::default();
    let processor = open(&doubles, &json!({}));
    let hosted = Authorization::Hosted;
    let what = charge(&hosted, 4250, 1);
    let redirect = OperationResult::RequiresAction { redirect: Some(RedirectUrl(URL.to_owned())) };
    for (status, expected) in [
        ("active", redirect),
        ("paymentPending", OperationResult::Processing),
        ("completed", OperationResult::Processing),
        ("paid", OperationResult::Processing),
        ("expired", OperationResult::Voided),
        ("unheard_of", OperationResult::Unknown),
    ] {
        doubles.http.play([json_reply(200, &link(status))]);
        let confirmed: OperationResult = block_on(processor.confirm(&what, &reference())).into();
        assert_eq!(confirmed, expected, "{status}");
        let retrieved: OperationResult = block_on(processor.retrieve(&what, &reference())).into();
        assert_eq!(retrieved, expected, "{status}");
    }
    for act in [
        ScriptedReply::Lost,
        ScriptedReply::NotSent,
        json_reply(401, &json!({})),
        json_reply(404, &json!({})),
    ] {
        doubles.http.play([act]);
        assert_eq!(block_on(processor.retrieve(&what, &reference())), Retrieved::Unknown);
    }
    doubles.http.play([json_reply(200, &with("expired", "id", json!("PL2")))]);
    assert_eq!(block_on(processor.retrieve(&what, &reference())), Retrieved::Unknown);
}

#[test]
fn paid_link_after_the_webhook_is_done() {
    let doubles = Doubles::default();
    let processor = open(&doubles, &json!({}));
    let hosted = Authorization::Hosted;
    let what = charge(&hosted, 4250, 1);
    let success = reported(processor.as_ref(), "AUTHORISATION", "true", 30);
    let known = with_reported(what, &success);
    doubles.http.play([ScriptedReply::Lost]);
    for answer in [
        OperationResult::from(block_on(processor.retrieve(&known, &reference()))),
        block_on(processor.void(&known, &reference())).into(),
    ] {
        let OperationResult::Done(Fulfillment::Payment(receipt)) = answer else {
            panic!("{answer:?}")
        };
        assert_eq!((receipt.reference.0.as_str(), receipt.amount), (PSP, 4250));
        assert_eq!(receipt.currency, "EUR");
    }
    // A refused card changes nothing. The page is still open for another card.
    let refused = reported(processor.as_ref(), "AUTHORISATION", "false", 30);
    doubles.http.play([json_reply(200, &link("active"))]);
    let answer = block_on(processor.retrieve(&with_reported(what, &refused), &reference()));
    assert!(matches!(answer, Retrieved::RequiresAction { .. }));
    let cancelled = reported(processor.as_ref(), "CANCELLATION", "true", 30);
    doubles.http.play([json_reply(200, &link("completed"))]);
    let answer = block_on(processor.retrieve(&with_reported(what, &cancelled), &reference()));
    assert_eq!(answer, Retrieved::SoftDeclined { code: "payment_cancelled" });
}

#[test]
fn paid_link_without_a_webhook_is_done_after_a_while() {
    let doubles = Doubles::default();
    let processor = open(&doubles, &json!({}));
    let hosted = Authorization::Hosted;
    let what = charge(&hosted, 4250, 1);
    doubles.http.play([json_reply(200, &link("completed"))]);
    doubles.clock.pass(Duration::from_secs(660));
    assert_eq!(block_on(processor.retrieve(&what, &reference())), Retrieved::Processing);
    doubles.clock.pass(Duration::from_secs(1));
    let Retrieved::Done(Fulfillment::Payment(receipt)) =
        block_on(processor.retrieve(&what, &reference()))
    else {
        panic!()
    };
    assert_eq!((receipt.reference, receipt.amount), (reference(), 4250));
}

#[test]
fn void_of_a_link_expires_it_unless_paid() {
    let doubles = Doubles::default();
    let processor = open(&doubles, &json!({}));
    let hosted = Authorization::Hosted;
    let what = charge(&hosted, 4250, 1);
    let refused = json_reply(422, &json!({ "errorCode": "29_001", "message": "…" }));
    for (acts, expected) in [
        (vec![json_reply(200, &link("expired"))], VoidResult::Voided),
        (vec![refused.clone(), json_reply(200, &link("completed"))], VoidResult::Processing),
        (vec![refused, json_reply(200, &link("expired"))], VoidResult::Voided),
        (vec![ScriptedReply::Lost, json_reply(200, &link("expired"))], VoidResult::Voided),
        (vec![ScriptedReply::Lost, ScriptedReply::Lost], VoidResult::Unknown),
        (vec![ScriptedReply::NotSent], VoidResult::Again),
        (vec![json_reply(401, &json!({}))], VoidResult::Blocked { by: Rejection::Credentials }),
    ] {
        doubles.http.play(acts);
        assert_eq!(block_on(processor.void(&what, &reference())), expected);
    }
    let call = doubles.http.taken().remove(0);
    assert!(call.starts_with("PATCH https://checkout-test.adyen.com/v72/paymentLinks/PL61C5"));
    assert!(call.contains(r#"b"{\"status\":\"expired\"}""#), "{call}");
}

#[test]
fn saved_card_is_found_under_its_own_shopper() {
    let doubles = Doubles::default();
    let off = open(&doubles, &json!({}));
    assert_eq!(off.payment_options(&save_card()), []);
    let processor = open(&doubles, &json!({ "keep_cards": { "currency": "EUR" } }));
    let ask = save_card();
    assert_eq!(processor.payment_options(&ask), [PaymentOption::Hosted]);
    let hosted = Authorization::Hosted;
    let what = AttemptContext { ask: &ask, ..charge(&hosted, 4250, 1) };
    let nothing = json!({ "value": 0, "currency": "EUR" });
    doubles.http.play([json_reply(201, &with("active", "amount", nothing.clone()))]);
    assert_eq!(block_on(processor.create(&what)), Created::Ready(reference()));
    let call = doubles.http.taken().remove(0);
    for part in [
        r#"\"storePaymentMethodMode\":\"enabled\""#,
        r#"\"recurringProcessingModel\":\"CardOnFile\""#,
        r#"\"shopperReference\":\"req_01J00000000000000000000000.1\""#,
    ] {
        assert!(call.contains(part), "{part} in {call}");
    }
    let completed = json_reply(200, &with("completed", "amount", nothing));
    let card = json!({ "id": "M5N7TQ4TG5PFWR50", "brand": "visa", "lastFour": "1111",
        "expiryMonth": "03", "expiryYear": "30", "type": "scheme" });
    let list = json_reply(200, &json!({ "storedPaymentMethods": [card] }));
    doubles.http.play([completed.clone(), list]);
    // What was authorised for it is nothing, and says nothing of the card.
    let zero = reported(processor.as_ref(), "AUTHORISATION", "true", 30);
    let Retrieved::Done(Fulfillment::Card { receipt, saved: kept }) =
        block_on(processor.retrieve(&with_reported(what, &zero), &reference()))
    else {
        panic!()
    };
    assert_eq!(receipt.last4.as_deref(), Some("1111"));
    assert_eq!((receipt.exp_month, receipt.exp_year), (Some(3), Some(2030)));
    let calls = doubles.http.taken();
    assert!(calls[1].contains(
        "/storedPaymentMethods?merchantAccount=AcmeECOM&shopperReference=req_01J00000000000000000000000.1 "
    ));
    // It is charged by what was kept.
    let paid = json!({ "resultCode": "Authorised", "pspReference": PSP });
    doubles.http.play([json_reply(200, &paid)]);
    let kept: Authorization = kept.into();
    let again = charge(&kept, 4250, 1);
    let answer = block_on(processor.confirm(&again, &Reference(NAME.to_owned())));
    assert!(matches!(answer, Confirmed::Done(_)), "{answer:?}");
    let call = doubles.http.taken().remove(0);
    assert!(call.contains(r#"\"storedPaymentMethodId\":\"M5N7TQ4TG5PFWR50\""#), "{call}");
    assert!(call.contains(r#"\"shopperInteraction\":\"ContAuth\""#), "{call}");
    // A card that does not appear was not kept.
    let none = json_reply(200, &json!({ "storedPaymentMethods": [] }));
    doubles.http.play([completed.clone(), none.clone()]);
    assert_eq!(block_on(processor.retrieve(&what, &reference())), Retrieved::Processing);
    doubles.clock.pass(Duration::from_secs(3_600));
    doubles.http.play([completed, none]);
    let refused = Retrieved::SoftDeclined { code: "card_not_kept" };
    assert_eq!(block_on(processor.retrieve(&what, &reference())), refused);
}
