//! Payments under our merchant reference: sent, reported, cancelled and reversed.

use std::time::Duration;

use domain::authorization::{Authorization, CredentialKind, Grant};
use domain::processor_result::{Reference, ReportedResult};
use pollster::block_on;
use ports::{
    AttemptContext, Confirmed, Created, Fulfillment, Processor, RedirectUrl, Refund, RefundResult,
    Rejection, Retrieved, VoidResult,
};
use serde_json::{Value, json};

use super::{NAME, PSP, apple, approval, json_reply, open, reported, with_reported};
use crate::doubles::{Doubles, ScriptedReply, charge, payment};

fn name() -> Reference {
    Reference(NAME.to_owned())
}

fn paid(result: &str) -> Value {
    json!({ "resultCode": result, "pspReference": PSP, "merchantReference": NAME })
}

fn confirm(
    doubles: &Doubles,
    processor: &dyn Processor,
    what: &AttemptContext<'_>,
    answer: &Value,
) -> Confirmed {
    doubles.http.play([json_reply(200, answer)]);
    block_on(processor.confirm(what, &name()))
}

#[test]
fn wallet_token_on_repeat_is_sent_in_the_same_call() {
    let doubles = Doubles::default();
    let processor = open(&doubles, &json!({ "capture_delay_hours": 24 }));
    let google = approval(CredentialKind::GooglePay, r#"{"signature":"M\"E"}"#);
    for (authorization, part) in [
        // The base64 of paymentData, byte for byte: its blanks are signed too.
        (apple(), r#"\"applePayToken\":\"eyAidmVyc2lvbiI6IkVDX3YxIiwiZGF0YSI6ImIrLz0iIH0=\""#),
        (google, r#"\"googlePayToken\":\"{\\\"signature\\\":\\\"M\\\\\\\"E\\\"}\""#),
    ] {
        let what = charge(&authorization, 4250, 1);
        assert_eq!(block_on(processor.create(&what)), Created::Ready(name()));
        assert_eq!(doubles.http.taken(), Vec::<String>::new());
        let first = confirm(&doubles, processor.as_ref(), &what, &paid("Authorised"));
        let Confirmed::Done(Fulfillment::Payment(receipt)) = &first else { panic!("{first:?}") };
        assert_eq!((receipt.reference.0.as_str(), receipt.amount), (PSP, 4250));
        assert_eq!(confirm(&doubles, processor.as_ref(), &what, &paid("Authorised")), first);
        let calls = doubles.http.taken();
        assert_eq!(calls[0], calls[1]);
        assert!(calls[0].contains(part), "{part} in {}", calls[0]);
        assert!(calls[0].contains(r#"\"captureDelayHours\":24"#));
    }
    for bad in [
        approval(CredentialKind::ApplePay, "{}"),
        approval(CredentialKind::GooglePay, ""),
        approval(CredentialKind::GooglePay, &"x".repeat(10_001)),
        approval(CredentialKind::SavedCard, "{}"),
        approval(CredentialKind::PaymentMethod, "pm_1"),
        Authorization::Grant(Grant::Code("c".into())),
    ] {
        let malformed = Created::Invalid { code: "authorization_malformed" };
        assert_eq!(block_on(processor.create(&charge(&bad, 4250, 1))), malformed, "{bad:?}");
    }
}

#[test]
fn result_code_has_one_answer_each() {
    let doubles = Doubles::default();
    let processor = open(&doubles, &json!({}));
    let apple = apple();
    let what = charge(&apple, 4250, 1);
    for (result, expected) in [
        ("PartiallyAuthorised", Confirmed::Unknown),
        ("Refused", Confirmed::SoftDeclined { code: "card_declined" }),
        ("Cancelled", Confirmed::SoftDeclined { code: "customer_cancelled" }),
        ("Error", Confirmed::Unknown),
        ("Received", Confirmed::Unknown),
        ("Pending", Confirmed::Unknown),
        ("Success", Confirmed::Unknown),
        ("RedirectShopper", Confirmed::SoftDeclined { code: "authentication_required" }),
        ("IdentifyShopper", Confirmed::SoftDeclined { code: "authentication_required" }),
        ("ChallengeShopper", Confirmed::SoftDeclined { code: "authentication_required" }),
        ("PresentToShopper", Confirmed::SoftDeclined { code: "authentication_required" }),
        ("AuthenticationFinished", Confirmed::Invalid { code: "authentication_only" }),
        ("AuthenticationNotRequired", Confirmed::Invalid { code: "authentication_only" }),
        ("unheard_of", Confirmed::Unknown),
    ] {
        let answer = confirm(&doubles, processor.as_ref(), &what, &paid(result));
        assert_eq!(answer, expected, "{result}");
    }
    for (change, value) in [
        ("merchantReference", json!("req_01J00000000000000000000000.2")),
        ("pspReference", json!("a/b")),
        ("pspReference", json!(null)),
        ("amount", json!({ "value": 4250, "currency": "XXX" })),
    ] {
        let mut other = paid("Authorised");
        other[change] = value;
        let answer = confirm(&doubles, processor.as_ref(), &what, &other);
        assert_eq!(answer, Confirmed::Unknown, "{change}");
    }
    let mut fraud = paid("Refused");
    fraud["refusalReasonCode"] = json!("20");
    let answer = confirm(&doubles, processor.as_ref(), &what, &fraud);
    assert_eq!(answer, Confirmed::HardDeclined { code: "card_declined" });
    // The receipt holds the authorised amount. The caller compares it with the ask.
    let mut less = paid("Authorised");
    less["amount"] = json!({ "value": 42, "currency": "EUR" });
    less["additionalData"] = json!({ "cardSummary": "1111", "paymentMethod": "visa_applepay" });
    let answer = confirm(&doubles, processor.as_ref(), &what, &less);
    let Confirmed::Done(Fulfillment::Payment(receipt)) = answer else { panic!("{answer:?}") };
    assert_eq!((receipt.amount, receipt.last4.as_deref()), (42, Some("1111")));
    assert_eq!(receipt.card_brand.as_deref(), Some("visa"));
    assert_eq!(receipt.wallet.as_deref(), Some("apple_pay"));
}

#[test]
fn redirect_url_when_fit_is_used_and_the_code_finishes() {
    let doubles = Doubles::default();
    let processor = open(&doubles, &json!({}));
    let apple = apple();
    let what = charge(&apple, 4250, 1);
    let mut redirect = paid("RedirectShopper");
    let url = "https://checkoutshopper-test.adyen.com/checkoutshopper/threeDS/redirect?d=1";
    redirect["action"] = json!({ "type": "redirect", "method": "GET", "url": url });
    let on_their_page = Confirmed::RequiresAction { redirect: Some(RedirectUrl(url.to_owned())) };
    assert_eq!(confirm(&doubles, processor.as_ref(), &what, &redirect), on_their_page);
    let over = Confirmed::SoftDeclined { code: "authentication_required" };
    let refusing = open(&doubles, &json!({ "three_d_secure": "refuse" }));
    assert_eq!(confirm(&doubles, refusing.as_ref(), &what, &redirect), over);
    for action in [
        json!({ "type": "redirect", "method": "POST", "url": url, "data": { "MD": "x" } }),
        json!({ "type": "threeDS2", "url": url }),
        json!({ "type": "redirect", "method": "GET", "url": "javascript:alert(1)" }),
        json!({ "type": "redirect" }),
    ] {
        redirect["action"] = action;
        assert_eq!(confirm(&doubles, processor.as_ref(), &what, &redirect), over);
    }
    doubles.http.taken();
    let on_page = AttemptContext { on_hosted_page: true, ..what };
    assert_eq!(block_on(processor.retrieve(&on_page, &name())), Retrieved::Processing);
    let code = Authorization::Grant(Grant::Code("X6Xtf".into()));
    let back = AttemptContext { authorization: &code, ..on_page };
    assert_eq!(block_on(processor.retrieve(&back, &name())), Retrieved::NotConfirmed);
    assert_eq!(doubles.http.taken(), Vec::<String>::new());
    let answer = confirm(&doubles, processor.as_ref(), &back, &paid("Authorised"));
    assert!(matches!(answer, Confirmed::Done(_)), "{answer:?}");
    let call = doubles.http.taken().remove(0);
    assert!(call.contains("/v72/payments/details "), "{call}");
    assert!(call.contains(r#"b"{\"details\":{\"redirectResult\":\"X6Xtf\"}}""#), "{call}");
}

#[test]
fn lost_reply_is_requested_again_with_one_key_for_a_time() {
    let doubles = Doubles::default();
    let processor = open(&doubles, &json!({}));
    let apple = apple();
    let what = charge(&apple, 4250, 1);
    for (act, expected) in [
        (ScriptedReply::Lost, Confirmed::Unknown),
        (ScriptedReply::NotSent, Confirmed::Again),
        (json_reply(500, &json!({})), Confirmed::Unknown),
        (json_reply(422, &json!({ "errorCode": "704" })), Confirmed::Unknown),
        (
            json_reply(422, &json!({ "errorCode": "14_030" })),
            Confirmed::Invalid { code: "refused_by_processor" },
        ),
    ] {
        doubles.http.play([act]);
        assert_eq!(block_on(processor.confirm(&what, &name())), expected);
    }
    assert_eq!(block_on(processor.retrieve(&what, &name())), Retrieved::NotConfirmed);
    doubles.clock.pass(Duration::from_secs(600));
    doubles.http.taken();
    assert_eq!(block_on(processor.retrieve(&what, &name())), Retrieved::Unknown);
    assert_eq!(block_on(processor.confirm(&what, &name())), Confirmed::Unknown);
    assert_eq!(doubles.http.taken(), Vec::<String>::new());
}

#[test]
fn reported_result_is_returned_without_a_call() {
    let doubles = Doubles::default();
    let processor = open(&doubles, &json!({}));
    let apple = apple();
    let what = charge(&apple, 4250, 1);
    let success = reported(processor.as_ref(), "AUTHORISATION", "true", 30);
    let refused = reported(processor.as_ref(), "AUTHORISATION", "false", 30);
    let cancelled = reported(processor.as_ref(), "TECHNICAL_CANCEL", "true", 30);
    let answer = block_on(processor.retrieve(&with_reported(what, &success), &name()));
    assert!(matches!(answer, Retrieved::Done(_)), "{answer:?}");
    let answer = block_on(processor.void(&with_reported(what, &success), &name()));
    assert!(matches!(answer, VoidResult::Done(_)), "{answer:?}");
    let declined = Retrieved::SoftDeclined { code: "card_declined" };
    assert_eq!(block_on(processor.retrieve(&with_reported(what, &refused), &name())), declined);
    let declined = VoidResult::SoftDeclined { code: "card_declined" };
    assert_eq!(block_on(processor.void(&with_reported(what, &refused), &name())), declined);
    let gone = Retrieved::SoftDeclined { code: "payment_cancelled" };
    assert_eq!(block_on(processor.retrieve(&with_reported(what, &cancelled), &name())), gone);
    assert_eq!(
        block_on(processor.void(&with_reported(what, &cancelled), &name())),
        VoidResult::Voided
    );
    assert_eq!(doubles.http.taken(), Vec::<String>::new());
}

#[test]
fn void_while_the_payment_may_be_sent_is_unknown() {
    let doubles = Doubles::default();
    let processor = open(&doubles, &json!({}));
    let apple = apple();
    let what = charge(&apple, 4250, 1);
    let on_page = AttemptContext { on_hosted_page: true, ..what };
    doubles.http.play([json_reply(201, &json!({ "status": "received", "pspReference": "C1" }))]);
    assert_eq!(block_on(processor.void(&what, &name())), VoidResult::Unknown);
    assert_eq!(block_on(processor.void(&on_page, &name())), VoidResult::Processing);
    doubles.clock.pass(Duration::from_secs(719));
    assert_eq!(block_on(processor.void(&on_page, &name())), VoidResult::Processing);
    assert_eq!(doubles.http.taken(), Vec::<String>::new());
    doubles.clock.pass(Duration::from_secs(1));
    assert_eq!(block_on(processor.void(&on_page, &name())), VoidResult::Unknown);
    assert_eq!(doubles.http.taken().len(), 1);
    assert_eq!(block_on(processor.void(&what, &name())), VoidResult::Unknown);
    assert_eq!(doubles.http.taken(), Vec::<String>::new());
    doubles.clock.pass(Duration::from_secs(1_080));
    for _ in 0..2 {
        assert_eq!(block_on(processor.void(&what, &name())), VoidResult::Unknown);
    }
    let calls = doubles.http.taken();
    assert_eq!(calls[0], calls[1]);
    assert!(calls[0].contains("/v72/cancels "), "{}", calls[0]);
    assert!(calls[0].contains(&format!(r#"\"paymentReference\":\"{NAME}\""#)), "{}", calls[0]);
    for (act, expected) in [
        (ScriptedReply::Lost, VoidResult::Unknown),
        (ScriptedReply::NotSent, VoidResult::Again),
        (json_reply(422, &json!({ "errorCode": "167" })), VoidResult::Unknown),
        (json_reply(401, &json!({})), VoidResult::Blocked { by: Rejection::Credentials }),
    ] {
        doubles.http.play([act]);
        assert_eq!(block_on(processor.void(&what, &name())), expected);
    }
    let cancelled = reported(processor.as_ref(), "TECHNICAL_CANCEL", "true", 1_900);
    assert_eq!(
        block_on(processor.void(&with_reported(what, &cancelled), &name())),
        VoidResult::Voided
    );
}

/// The worker died before its call, and none resumed in time. Adyen knows no payment, and its cancellation fails.
#[test]
fn payment_never_made_is_voided_after_a_day() {
    let doubles = Doubles::default();
    let processor = open(&doubles, &json!({}));
    let apple = apple();
    let what = charge(&apple, 4250, 1);
    let failed = reported(processor.as_ref(), "TECHNICAL_CANCEL", "false", 1_900);
    let unknown = with_reported(what, &failed);
    doubles.clock.pass(Duration::from_secs(86_399));
    doubles.http.play([json_reply(201, &json!({ "status": "received", "pspReference": "C1" }))]);
    assert_eq!(block_on(processor.retrieve(&unknown, &name())), Retrieved::Unknown);
    assert_eq!(block_on(processor.void(&unknown, &name())), VoidResult::Unknown);
    assert_eq!(doubles.http.taken().len(), 1);
    doubles.clock.pass(Duration::from_secs(1));
    assert_eq!(block_on(processor.void(&unknown, &name())), VoidResult::Voided);
    // Without a webhook at all, webhooks may not reach us, and the doubt stays.
    assert_eq!(block_on(processor.void(&what, &name())), VoidResult::Unknown);
    assert_eq!(doubles.http.taken().len(), 1);
}

#[test]
fn late_authorisation_when_voided_is_reversed() {
    let doubles = Doubles::default();
    let processor = open(&doubles, &json!({}));
    let apple = apple();
    let what = charge(&apple, 4250, 1);
    let late = reported(processor.as_ref(), "AUTHORISATION", "true", 1_800);
    let late = with_reported(what, &late);
    doubles.clock.pass(Duration::from_secs(1_801));
    doubles.http.play([json_reply(201, &json!({ "status": "received", "pspReference": "C1" }))]);
    assert_eq!(block_on(processor.retrieve(&late, &name())), Retrieved::Unknown);
    assert_eq!(doubles.http.taken(), Vec::<String>::new());
    assert_eq!(block_on(processor.void(&late, &name())), VoidResult::Unknown);
    let call = doubles.http.taken().remove(0);
    assert!(call.contains(&format!("/v72/payments/{PSP}/reversals ")), "{call}");
    // An authorisation reported in time is done, even if it is read late. A smaller amount is not.
    let early = reported(processor.as_ref(), "AUTHORISATION", "true", 1_799);
    let answer = block_on(processor.void(&with_reported(what, &early), &name()));
    assert!(matches!(answer, VoidResult::Done(_)), "{answer:?}");
    let more = charge(&apple, 5000, 1);
    assert_eq!(
        block_on(processor.void(&with_reported(more, &early), &name())),
        VoidResult::Unknown
    );
    assert!(doubles.http.taken().remove(0).contains("/reversals "));
}

/// A reversal also fails after a cancellation that worked, so that its webhook is waited for.
#[test]
fn payment_that_cannot_be_reversed_is_done_after_a_day() {
    let doubles = Doubles::default();
    let processor = open(&doubles, &json!({}));
    let apple = apple();
    let what = charge(&apple, 4250, 1);
    let kept = ReportedResult {
        code: Some(ReportedResult::REVERSAL_FAILED.to_owned()),
        ..reported(processor.as_ref(), "AUTHORISATION", "true", 1_801)
    };
    doubles.clock.pass(Duration::from_secs(86_399));
    let late = with_reported(what, &kept);
    assert_eq!(block_on(processor.retrieve(&late, &name())), Retrieved::Unknown);
    assert_eq!(block_on(processor.void(&late, &name())), VoidResult::Unknown);
    doubles.clock.pass(Duration::from_secs(1));
    let answer = block_on(processor.retrieve(&late, &name()));
    assert!(matches!(answer, Retrieved::Done(_)), "{answer:?}");
    // Of another amount as well: the domain compares it with what was approved.
    let more = charge(&apple, 5000, 1);
    for what in [what, more] {
        let answer = block_on(processor.void(&with_reported(what, &kept), &name()));
        assert!(matches!(answer, VoidResult::Done(_)), "{answer:?}");
    }
    assert_eq!(doubles.http.taken(), Vec::<String>::new());
}

#[test]
fn refund_is_pending_until_the_webhook_reports_it() {
    let doubles = Doubles::default();
    let processor = open(&doubles, &json!({}));
    let psp = Reference(PSP.to_owned());
    let refund = Refund {
        request: "req_01J00000000000000000000000".parse().unwrap(),
        seq: 2,
        charge: &psp,
        money: payment(500).money().unwrap(),
        again: false,
        reported: None,
    };
    let taken = json!({ "status": "received", "pspReference": "R1" });
    doubles.http.play([json_reply(201, &taken)]);
    let pending = RefundResult::Pending(Reference("R1".to_owned()));
    assert_eq!(block_on(processor.refund(&refund)), pending);
    assert_eq!(block_on(processor.refund(&Refund { again: true, ..refund })), pending);
    let calls = doubles.http.taken();
    assert_eq!(calls[0], calls[1]);
    assert!(calls[0].contains(&format!("/v72/payments/{PSP}/refunds ")), "{}", calls[0]);
    assert!(calls[0].contains("req_01J00000000000000000000000.r2"), "{}", calls[0]);
    for (act, expected) in [
        (ScriptedReply::Lost, RefundResult::Unknown),
        (ScriptedReply::NotSent, RefundResult::Again),
        (json_reply(500, &json!({})), RefundResult::Unknown),
        (json_reply(201, &json!({})), RefundResult::Unknown),
        (json_reply(403, &json!({})), RefundResult::Blocked { by: Rejection::Permission }),
    ] {
        doubles.http.play([act]);
        assert_eq!(block_on(processor.refund(&refund)), expected);
    }
    doubles.http.taken();
    for (success, code, expected) in [
        (true, None, RefundResult::Done(Reference("R1".to_owned()))),
        (false, Some("refund_declined"), RefundResult::Failed { code: "refund_declined" }),
        (false, Some("refund_failed"), RefundResult::Failed { code: "refund_failed" }),
    ] {
        let reference = Reference("R1".to_owned());
        let reported =
            ReportedResult { success, reference, code: code.map(str::to_owned), original: None };
        assert_eq!(
            block_on(processor.refund(&Refund { reported: Some(&reported), ..refund })),
            expected
        );
    }
    for bad in ["PL61C53A8B97E6915A", "", "a/b"] {
        let bad = Reference(bad.to_owned());
        let refunded = block_on(processor.refund(&Refund { charge: &bad, ..refund }));
        assert_eq!(refunded, RefundResult::Failed { code: "not_supported" });
    }
    assert_eq!(doubles.http.taken(), Vec::<String>::new());
}
