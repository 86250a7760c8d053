//! Webhooks and customers' returns: their verification and their events.

use domain::authorization::Grant;
use domain::brand::Mode;
use domain::processor_result::{ChargeReport, DisputeReport};
use ports::{
    CallbackError, ChargeSelector, IgnoredPart, ProcessorEvent, UnverifiedCallback,
    VerifiedWebhook, WebhookResponse,
};
use serde_json::{Value, json};

use super::{BEGUN, KEY, NAME, base, events_of, item, open, signed, webhook, webhook_callback};
use crate::doubles::Doubles;

const OTHER_KEY: &str = "9064450A8892A093D9E97EFCC9639DE31B74F3A7803135555A3C96F5A57915D6";

fn request() -> domain::values::id::RequestId {
    "req_01J00000000000000000000000".parse().unwrap()
}

#[test]
fn item_of_the_reference_verifies_with_its_own_key_only() {
    let file: Value =
        serde_json::from_str(include_str!("../../../src/adyen/fixtures/vectors-webhook.json"))
            .unwrap();
    for vector in file["standard"].as_array().unwrap() {
        let mut item = vector["item"].clone();
        item["additionalData"] = json!({ "hmacSignature": vector["hmacSignature"].clone() });
        let body = webhook("false", &[item.clone()]);
        let doubles = Doubles::default();
        let mut settings = base();
        settings["merchant_account"] = vector["item"]["merchantAccountCode"].clone();
        settings["hmac_keys"] = json!([OTHER_KEY.replace('9', "8"), vector["key_hex"]]);
        let rotated = doubles.open(Mode::Test, "adyen", &settings).ok().unwrap();
        // None of them is about a request of ours: they are acknowledged.
        assert_eq!(
            rotated.receive(&webhook_callback(&body, 0)).map(|events_of| events_of.events),
            Ok(Vec::new())
        );
        settings["hmac_keys"] = json!([OTHER_KEY.replace('9', "8")]);
        let other = doubles.open(Mode::Test, "adyen", &settings).ok().unwrap();
        assert_eq!(other.receive(&webhook_callback(&body, 0)), Err(CallbackError::Forged));
    }
}

#[test]
fn webhook_when_verified_is_acknowledged_with_no_body() {
    let doubles = Doubles::default();
    let processor = open(&doubles, &json!({}));
    let body = webhook("false", &[signed(item("AUTHORISATION", NAME, "true"), KEY)]);
    let VerifiedWebhook { events, reply, .. } =
        processor.receive(&webhook_callback(&body, 0)).unwrap();
    assert_eq!(events.len(), 1);
    let WebhookResponse::Plain(reply) = reply else { panic!() };
    assert_eq!((reply.status, reply.body.as_str()), (202, ""));
}

#[test]
fn events_reach_the_attempt_or_refund_they_name() {
    let doubles = Doubles::default();
    let processor = open(&doubles, &json!({}));
    let ending = format!("{NAME}.c");
    let refund = "req_01J00000000000000000000000.r2";
    for (event, name, success, expected) in [
        ("AUTHORISATION", NAME, "true", "told 1 true "),
        ("AUTHORISATION", NAME, "false", "told 1 false card_declined"),
        ("CANCELLATION", NAME, "true", "told 1 false cancelled"),
        ("TECHNICAL_CANCEL", ending.as_str(), "true", "told 1 false cancelled"),
        ("TECHNICAL_CANCEL", NAME, "true", "told 1 false cancelled"),
        ("TECHNICAL_CANCEL", NAME, "false", "told 1 false cancel_failed"),
        ("CANCELLATION", NAME, "false", "told 1 false cancel_failed"),
        ("CANCEL_OR_REFUND", ending.as_str(), "true", "told 1 false cancelled"),
        ("CANCEL_OR_REFUND", ending.as_str(), "false", "told 1 false reversal_failed"),
        ("REFUND_FAILED", ending.as_str(), "true", "told 1 false refund_failed"),
        ("REFUNDED_REVERSED", ending.as_str(), "true", "told 1 false refund_failed"),
        ("REFUND_FAILED", ending.as_str(), "false", ""),
        ("REFUND", refund, "true", "refund 2 true "),
        ("REFUND", refund, "false", "refund 2 false refund_declined"),
        ("REFUND_FAILED", refund, "true", "refund 2 false refund_failed"),
        ("REFUND_FAILED", refund, "false", ""),
        ("REFUND", NAME, "true", "charge 1 Refund 4250 true"),
        ("REFUND", NAME, "false", "charge 1 Refund 4250 false"),
        ("REFUND_FAILED", NAME, "true", "charge 1 Refund 4250 false"),
        ("REFUNDED_REVERSED", NAME, "true", "charge 1 Refund 4250 false"),
        ("REFUND_FAILED", NAME, "false", ""),
        ("AUTHORISATION", ending.as_str(), "true", ""),
        ("AUTHORISATION", refund, "true", ""),
        ("AUTHORISATION", "order 7", "true", ""),
        ("AUTHORISATION", NAME, "maybe", ""),
        ("CAPTURE", NAME, "true", ""),
        ("CAPTURE", NAME, "false", "charge 1 CaptureFailed"),
        ("CAPTURE_FAILED", NAME, "true", "charge 1 CaptureFailed"),
        ("REQUEST_FOR_INFORMATION", NAME, "true", "charge 1 Opened 1 4250"),
        ("NOTIFICATION_OF_CHARGEBACK", NAME, "true", "charge 1 Opened 1 4250"),
        ("CHARGEBACK", NAME, "true", "charge 1 ChargedBack 2 4250"),
        ("CHARGEBACK_REVERSED", NAME, "true", "charge 1 Won 3 4250"),
        ("ISSUER_RESPONSE_TIMEFRAME_EXPIRED", NAME, "true", "charge 1 Won 4 4250"),
        ("SECOND_CHARGEBACK", NAME, "true", "charge 1 Lost 5 4250"),
        ("PREARBITRATION_WON", NAME, "true", "charge 1 Won 6 4250"),
        ("PREARBITRATION_LOST", NAME, "true", "charge 1 Lost 6 4250"),
        ("CHARGEBACK", refund, "true", ""),
        ("REPORT_AVAILABLE", "", "true", ""),
        ("RECURRING_CONTRACT", NAME, "true", ""),
    ] {
        let events = events_of(processor.as_ref(), item(event, name, success), 0);
        let words: Vec<String> = events
            .iter()
            .map(|events| match events {
                ProcessorEvent::StatusChanged(about) => {
                    assert_eq!(*about, request());
                    "look".to_owned()
                }
                ProcessorEvent::AttemptReported { attempt_no, reported, .. } => {
                    let code = reported.code.as_deref().unwrap_or_default();
                    format!("told {attempt_no} {} {code}", reported.success)
                }
                ProcessorEvent::RefundReported { seq, reported, .. } => {
                    let code = reported.code.as_deref().unwrap_or_default();
                    format!("refund {seq} {} {code}", reported.success)
                }
                ProcessorEvent::ChargeReported { charge, report } => charge_word(charge, report),
                ProcessorEvent::Returned { .. } => panic!(),
            })
            .collect();
        assert_eq!(words.join(","), expected, "{event} {name} {success}");
    }
}

fn charge_word(charge: &ChargeSelector, report: &ChargeReport) -> String {
    let ChargeSelector::Attempt { attempt_no, .. } = charge else { panic!() };
    let word = match report {
        ChargeReport::CaptureFailed => "CaptureFailed".to_owned(),
        ChargeReport::Dispute(DisputeReport { reference, status, stage, amount, currency }) => {
            assert_eq!((reference.0.as_str(), currency.as_str()), (super::PSP, "EUR"));
            format!("{status:?} {stage} {amount}")
        }
        ChargeReport::Refund { amount, success, .. } => format!("Refund {amount} {success}"),
    };
    format!("charge {attempt_no} {word}")
}

#[test]
fn webhook_with_one_bad_item_is_refused() {
    let doubles = Doubles::default();
    let processor = open(&doubles, &json!({ "merchant_accounts": ["AcmePOS"] }));
    let good = || signed(item("AUTHORISATION", NAME, "true"), KEY);
    let changed = |pointer: &str, value: Value| {
        let mut item = good();
        *item.pointer_mut(pointer).unwrap() = value;
        item
    };
    let other_account = |account: &str| {
        let mut item = item("AUTHORISATION", NAME, "true");
        item["merchantAccountCode"] = json!(account);
        signed(item, KEY)
    };
    assert!(processor.receive(&webhook_callback(&webhook("false", &[good(), good()]), 0)).is_ok());
    let pos = webhook("false", &[other_account("AcmePOS")]);
    assert!(processor.receive(&webhook_callback(&pos, 0)).is_ok());
    let forged = [
        changed("/success", json!("false")),
        changed("/amount/value", json!(1)),
        changed("/amount/currency", json!("USD")),
        changed("/pspReference", json!("1")),
        changed("/merchantReference", json!("req_01J00000000000000000000000.2")),
        changed("/additionalData/hmacSignature", json!("")),
        changed("/additionalData/hmacSignature", json!(null)),
        signed(item("AUTHORISATION", NAME, "true"), OTHER_KEY),
        item("AUTHORISATION", NAME, "true"),
    ];
    for bad in forged {
        for items in [[good(), bad.clone()], [bad.clone(), good()]] {
            let body = webhook("false", &items);
            assert_eq!(
                processor.receive(&webhook_callback(&body, 0)),
                Err(CallbackError::Forged),
                "{bad}"
            );
        }
    }
    for body in [webhook("false", &[]), json!([]), json!({ "live": "false" })] {
        assert_eq!(
            processor.receive(&webhook_callback(&body, 0)),
            Err(CallbackError::Forged),
            "{body}"
        );
    }
    // Unsigned fields have no effect.
    for pointer in ["/eventDate", "/paymentMethod", "/reason", "/operations"] {
        let body = webhook("false", &[changed(pointer, json!("x"))]);
        assert!(processor.receive(&webhook_callback(&body, 0)).is_ok(), "{pointer}");
    }
}

#[test]
fn signature_with_shifted_separators_has_no_effect() {
    let doubles = Doubles::default();
    let processor = open(&doubles, &json!({}));
    // Another user of the account may choose such a merchant reference, and Adyen signs it.
    let mut theirs = item("AUTHORISATION", &format!("AcmeECOM:{NAME}"), "true");
    theirs["pspReference"] = json!("P");
    let signature = signed(theirs.clone(), KEY)["additionalData"].clone();
    assert_eq!(events_of(processor.as_ref(), theirs.clone(), 0), []);
    // With the colon at another place, the same text would name a request of ours.
    let mut ours = item("AUTHORISATION", NAME, "true");
    ours["pspReference"] = json!("P:");
    ours["originalReference"] = json!("AcmeECOM");
    ours["additionalData"] = signature;
    let heard = processor.receive(&webhook_callback(&webhook("false", &[ours]), 0)).unwrap();
    assert_eq!((heard.events, heard.ignored), (Vec::new(), vec![IgnoredPart::Ambiguous]));
}

/// Adyen repeats what is refused and holds back all that comes after it.
#[test]
fn signed_items_of_others_are_ignored_beside_ours() {
    let doubles = Doubles::default();
    let processor = open(&doubles, &json!({}));
    let good = || signed(item("AUTHORISATION", NAME, "true"), KEY);
    let changed = |pointer: &str, value: &str| {
        let mut item = item("AUTHORISATION", NAME, "true");
        *item.pointer_mut(pointer).unwrap() = json!(value);
        signed(item, KEY)
    };
    let report = {
        let file = "threedsecure_authentication_report_2022-11-01T00:00:00_2022-11-02T23:59:59.csv";
        let mut report = item("REPORT_AVAILABLE", "", "true");
        report["pspReference"] = json!(file);
        report["amount"] = json!({ "value": 0, "currency": "EUR" });
        signed(report, KEY)
    };
    let bare = {
        let mut bare = item("DISABLE_RECURRING", "", "true");
        bare["amount"] = json!(null);
        bare["originalReference"] = json!(null);
        signed(bare, KEY)
    };
    for (other, reason) in [
        (report, IgnoredPart::Ambiguous),
        (bare, IgnoredPart::OtherObject),
        (changed("/merchantAccountCode", "SomebodyElse"), IgnoredPart::OtherAccount),
        (changed("/merchantReference", "order 7"), IgnoredPart::OtherObject),
        (changed("/merchantReference", "14-08-2020-09:53:00"), IgnoredPart::OtherObject),
        (changed("/merchantReference", "a\\b:c"), IgnoredPart::OtherObject),
        (changed("/merchantReference", "Bestellung Ä–ß 😀"), IgnoredPart::OtherObject),
        (changed("/merchantReference", ""), IgnoredPart::OtherObject),
        (changed("/eventCode", "RECURRING_CONTRACT"), IgnoredPart::OtherType),
        (changed("/eventCode", "SOMETHING_NEW"), IgnoredPart::OtherType),
        (changed("/success", "maybe"), IgnoredPart::OtherFormat),
    ] {
        for items in [[good(), other.clone()], [other.clone(), good()]] {
            let heard = processor.receive(&webhook_callback(&webhook("false", &items), 0)).unwrap();
            assert_eq!((heard.events.len(), &heard.ignored), (1, &vec![reason]), "{other}");
        }
    }
    for live in ["true", ""] {
        let heard = processor.receive(&webhook_callback(&webhook(live, &[good()]), 0)).unwrap();
        assert_eq!((heard.events, heard.ignored), (Vec::new(), vec![IgnoredPart::OtherMode]));
    }
}

/// Adyen's webhooks of other products sign the whole body.
#[test]
fn webhook_signed_as_a_whole_is_ignored() {
    let doubles = Doubles::default();
    let file: Value =
        serde_json::from_str(include_str!("../../../src/adyen/fixtures/vectors-webhook.json"))
            .unwrap();
    for vector in file["payload"].as_array().unwrap() {
        let mut settings = base();
        settings["hmac_keys"] = json!([vector["key_hex"]]);
        let processor = doubles.open(Mode::Test, "adyen", &settings).ok().unwrap();
        let mut callback = webhook_callback(&json!({}), 0);
        callback.body = vector["payload"].as_str().unwrap().to_owned().into();
        callback
            .headers
            .insert("hmacsignature", vector["expect_b64"].as_str().unwrap().parse().unwrap());
        let heard = processor.receive(&callback).unwrap();
        assert_eq!((heard.events, heard.ignored), (Vec::new(), vec![IgnoredPart::OtherFormat]));
        callback.headers.insert("hmacsignature", "AAAA".parse().unwrap());
        assert_eq!(processor.receive(&callback), Err(CallbackError::Forged));
    }
}

#[test]
fn webhook_of_the_other_mode_has_no_effect() {
    let doubles = Doubles::default();
    let mut settings = base();
    settings["live_prefix"] = json!("1797a841fbb37ca7-AcmeCompany");
    let live = doubles.open(Mode::Live, "adyen", &settings).ok().unwrap();
    let items = [signed(item("AUTHORISATION", NAME, "true"), KEY)];
    assert!(live.receive(&webhook_callback(&webhook("true", &items), 0)).is_ok());
    let test = webhook("false", &items);
    let heard = live.receive(&webhook_callback(&test, 0)).unwrap();
    assert_eq!((heard.events, heard.ignored), (Vec::new(), vec![IgnoredPart::OtherMode]));
}

fn return_callback(query: &str) -> UnverifiedCallback {
    let url = format!("https://pay.example.com/callbacks/acme/primary{query}");
    let now = domain::values::time::Timestamp::from_millis(BEGUN);
    UnverifiedCallback { method: http::Method::GET, url, now, ..webhook_callback(&json!({}), 0) }
}

#[test]
fn return_of_a_customer_carries_the_redirect_result() {
    let doubles = Doubles::default();
    let processor = open(&doubles, &json!({}));
    // The address is in the call that pays.
    let apple = super::apple();
    doubles.http.play([crate::doubles::ScriptedReply::Lost]);
    let what = crate::doubles::charge(&apple, 4250, 1);
    let name = domain::processor_result::Reference(NAME.to_owned());
    pollster::block_on(processor.confirm(&what, &name));
    let call = doubles.http.taken().remove(0);
    let state = call.split("primary?state=").nth(1).unwrap().split('\\').next().unwrap().to_owned();
    assert!(state.starts_with(NAME), "{state}");
    let back = return_callback(&format!("?state={state}&redirectResult=X6XtfGC3%21Y"));
    let VerifiedWebhook { events, reply, .. } = processor.receive(&back).unwrap();
    assert_eq!(reply, WebhookResponse::ToPage(request()));
    let grant = Grant::Code("X6XtfGC3!Y".into());
    assert_eq!(events, [ProcessorEvent::Returned { request: request(), attempt_no: 1, grant }]);
    for (query, error) in [
        (format!("?state={NAME}.00&redirectResult=a"), CallbackError::Forged),
        (format!("?state={}&redirectResult=a", state.replace(".1.", ".2.")), CallbackError::Forged),
        (format!("?state={state}"), CallbackError::None),
        (format!("?state={state}&redirectResult="), CallbackError::None),
        (format!("?state={state}&state={state}&redirectResult=a"), CallbackError::None),
        (format!("?state={state}&redirectResult=a&redirectResult=b"), CallbackError::None),
        ("?redirectResult=a".to_owned(), CallbackError::None),
        (String::new(), CallbackError::None),
    ] {
        assert_eq!(processor.receive(&return_callback(&query)), Err(error), "{query}");
    }
}
