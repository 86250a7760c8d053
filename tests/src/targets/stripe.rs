//! Stripe's answers and events: payments, saved cards, hosted pages, refunds, webhooks.

use domain::ask::Ask;
use domain::authorization::{Authorization, Credential, CredentialKind};
use domain::brand::Mode;
use domain::processor_result::Reference;
use domain::values::text::DisplayText;
use http::{HeaderMap, HeaderValue, Method};
use ports::contract_tests::processor::OperationResult;
use ports::{
    AttemptContext, CallbackError, Created, Processor, ProcessorEvent, Processors, Proof, Refund,
    RefundResult, UnverifiedCallback,
};
use serde_json::{Value, json};

use super::fuzz_fixture::{BASE, FuzzFixture, with_fixture};
use super::providers::{ScriptedInput, script, scripted_input};
use crate::doubles::{START_TIME, used};
use crate::providers;

/// What the fixture's webhooks are signed with.
pub(super) const SECRET: &str = "whsec_of_the_ground";
const REQUEST: &str = "req_01J00000000000000000000000";
/// The objects that answers are about.
const INTENT: &str = "pi_1C";
const SETUP: &str = "seti_1C";
const SESSION: &str = "cs_test_a1";

/// Words of these bodies.
pub(super) const WORDS: &[&str] = &[
    "null",
    "{}",
    "[]",
    "7",
    "-1",
    "true",
    "1e999",
    "object",
    "id",
    INTENT,
    SETUP,
    SESSION,
    "re_1R",
    "payment_intent",
    "setup_intent",
    "checkout.session",
    "refund",
    "list",
    "status",
    "succeeded",
    "processing",
    "requires_action",
    "requires_confirmation",
    "requires_payment_method",
    "canceled",
    "open",
    "complete",
    "expired",
    "payment_status",
    "paid",
    "unpaid",
    "pending",
    "failed",
    "amount",
    "amount_total",
    "1999",
    "currency",
    "eur",
    "customer",
    "cus_1A",
    "payment_method",
    "pm_1B",
    "next_action",
    "redirect_to_url",
    "url",
    "https://hooks.stripe.com/",
    "javascript:",
    "data",
    "has_more",
    "metadata",
    "request_id",
    REQUEST,
    "livemode",
    "type",
    "payment_intent.succeeded",
    "charge.dispute.created",
    "charge.refunded",
    "refund.failed",
    "v2.core.event",
    "error",
    "code",
    "card_declined",
    "rate_limit",
    "\\u0000",
    "\\ud800",
];

/// Only an answer about the requested object counts as a charge, a saved card, a refund or an event.
pub fn stripe(input: &[u8]) {
    let Some(scripted) = scripted_input(input) else { return };
    with_fixture(|fuzz_fixture| {
        script(fuzz_fixture, &scripted, "stripe-should-retry");
        let brand = fuzz_fixture.brand.now();
        let name = "stripe".parse().expect("a name");
        let stripe =
            fuzz_fixture.processors().open(&brand, Mode::Test, &name).expect("a processor");
        // What is not looked at may be anything, even no UTF-8.
        let text = String::from_utf8_lossy(scripted.body);
        let object: Value = serde_json::from_str(&text).unwrap_or_default();
        match scripted.word {
            "hear" => receives_webhook(stripe.as_ref(), &scripted),
            "refund" | "refund-again" => refunds(fuzz_fixture, stripe.as_ref(), &scripted, &object),
            _ => acts(fuzz_fixture, stripe.as_ref(), &scripted, &object),
        }
    });
}

fn acts(
    fuzz_fixture: &FuzzFixture,
    stripe: &dyn Processor,
    scripted: &ScriptedInput<'_>,
    object: &Value,
) {
    let (kind, word) = scripted.word.rsplit_once('-').unwrap_or(("pay", scripted.word));
    let (id, hosted) = match kind {
        "pay" => (INTENT, false),
        "keep" => (SETUP, false),
        "host" => (SESSION, true),
        _ => return,
    };
    let authorization = if hosted {
        Authorization::Hosted
    } else {
        Authorization::from(Credential::new(CredentialKind::PaymentMethod, "pm_card_visa"))
    };
    let paying = used(&authorization, 1999, 1);
    let keeping =
        Ask::PaymentMethod { description: DisplayText::new("For later").expect("a text") };
    let what = if kind == "keep" { AttemptContext { ask: &keeping, ..paying } } else { paying };
    let reference = Reference(id.to_owned());
    let answer = match word {
        "prepare" => {
            if let Created::Ready(Reference(made)) = fuzz_fixture.run(stripe.create(&what)) {
                assert!(scripted.status.is_success() && object["id"] == made.as_str());
                assert!(kind != "pay" || object["amount"] == 1999, "{object}");
            }
            return;
        }
        "confirm" => OperationResult::from(fuzz_fixture.run(stripe.confirm(&what, &reference))),
        "read" => fuzz_fixture.run(stripe.retrieve(&what, &reference)).into(),
        "cancel" => fuzz_fixture.run(stripe.void(&what, &reference)).into(),
        _ => return,
    };
    let done = if hosted { "complete" } else { "succeeded" };
    let ours = scripted.status.is_success() && object["id"] == id;
    assert!(
        !matches!(answer, OperationResult::Done(_)) || (ours && object["status"] == done),
        "{answer:?}"
    );
    assert!(answer != OperationResult::Voided || ended(object), "{answer:?}");
    if let OperationResult::RequiresAction { redirect: Some(redirect) } = &answer {
        assert!(redirect.0.starts_with("http"), "a customer is sent to {}", redirect.0);
    }
}

fn ended(object: &Value) -> bool {
    let nested = ["/status", "/error/payment_intent/status", "/error/setup_intent/status"];
    nested
        .into_iter()
        .filter_map(|place| object.pointer(place))
        .any(|status| status == "canceled" || status == "expired")
}

fn refunds(
    fuzz_fixture: &FuzzFixture,
    stripe: &dyn Processor,
    scripted: &ScriptedInput<'_>,
    object: &Value,
) {
    let charge = Reference(INTENT.to_owned());
    let nothing = Authorization::Hosted;
    let refund = Refund {
        request: REQUEST.parse().expect("an id"),
        seq: 1,
        charge: &charge,
        money: used(&nothing, 500, 1).money().expect("an amount"),
        again: scripted.word == "refund-again",
        reported: None,
    };
    let refunded = fuzz_fixture.run(stripe.refund(&refund));
    if let RefundResult::Done(Reference(id)) | RefundResult::Pending(Reference(id)) = &refunded {
        let found = |object: &Value| object["id"] == id.as_str() && object["amount"] == 500;
        let listed = object["data"].as_array().into_iter().flatten().any(found);
        assert!(scripted.status.is_success() && (found(object) || listed), "{refunded:?}");
    }
}

/// The header is the signature: right, where it says `signed`.
fn receives_webhook(stripe: &dyn Processor, scripted: &ScriptedInput<'_>) {
    let header = scripted.header.clone().unwrap_or_else(|| HeaderValue::from_static(""));
    let signed = header == "signed";
    let header = if signed { signature(scripted.body) } else { header };
    let callback = UnverifiedCallback {
        method: Method::POST,
        url: format!("{BASE}/callbacks/acme/stripe"),
        headers: HeaderMap::from_iter([(
            http::HeaderName::from_static("stripe-signature"),
            header,
        )]),
        body: scripted.body.to_vec().into(),
        now: START_TIME,
        proof: Proof::None,
    };
    match stripe.receive(&callback) {
        Ok(heard) => {
            assert!(signed && heard.events.len() < 2);
            // Stripe's customers return to the page, and no event of Stripe's is believed about an attempt.
            let is_foreign = |event: &ProcessorEvent| {
                matches!(
                    event,
                    ProcessorEvent::Returned { .. } | ProcessorEvent::AttemptReported { .. }
                )
            };
            assert!(!heard.events.iter().any(is_foreign), "{heard:?}");
        }
        Err(error) => assert!(signed || error == CallbackError::Forged, "{error:?}"),
    }
}

fn signature(body: &[u8]) -> HeaderValue {
    let text = providers::stripe::signature(SECRET, START_TIME, body);
    HeaderValue::from_str(&text).expect("a header")
}

fn card(id: &str) -> Value {
    json!({ "id": id, "object": "payment_method",
        "card": { "brand": "visa", "last4": "4242", "exp_month": 8, "exp_year": 2030, "wallet": { "type": "apple_pay" } } })
}

pub(super) fn samples() -> Vec<Vec<u8>> {
    let intent = |status: &str| {
        json!({ "id": INTENT, "object": "payment_intent", "status": status, "amount": 1999, "amount_received": 1999,
            "currency": "eur", "last_payment_error": { "code": "card_declined" },
            "next_action": { "redirect_to_url": { "url": "https://hooks.stripe.com/x" } },
            "latest_charge": { "payment_method_details": { "type": "card", "card": card("pm_1B")["card"] } } })
    };
    let setup = |status: &str| json!({ "id": SETUP, "object": "setup_intent", "status": status, "customer": "cus_1A", "payment_method": card("pm_1B") });
    let session = |status: &str, intent: Value| {
        json!({ "id": SESSION, "object": "checkout.session", "status": status, "payment_status": "paid", "amount_total": 1999,
            "currency": "eur", "url": "https://checkout.stripe.com/c/pay/cs_test_a1", "payment_intent": intent })
    };
    let refund = |status: &str| json!({ "id": "re_1R", "object": "refund", "amount": 500, "status": status, "metadata": { "refund": format!("{REQUEST}-1") } });
    let refused = json!({ "error": { "type": "card_error", "code": "card_declined", "decline_code": "insufficient_funds",
        "payment_intent": { "id": INTENT, "object": "payment_intent", "status": "requires_payment_method" } } });
    let event = json!({ "id": "evt_1", "object": "event", "type": "payment_intent.succeeded", "livemode": false,
        "data": { "object": { "id": INTENT, "metadata": { "request_id": REQUEST } } } });
    let mut all = vec![
        format!("hear 200 signed\n{event}"),
        format!("hear 200 t=1796083200,v1=00\n{event}"),
        format!(
            "refund-again 200\n{}",
            json!({ "object": "list", "data": [refund("pending")], "has_more": true })
        ),
    ];
    all.extend(
        ["succeeded", "pending", "failed"].map(|status| format!("refund 200\n{}", refund(status))),
    );
    for word in ["prepare", "confirm", "read", "cancel"] {
        for status in
            ["succeeded", "processing", "canceled", "requires_payment_method", "requires_action"]
        {
            all.push(format!("{word} 200\n{}", intent(status)));
            all.push(format!("keep-{word} 200\n{}", setup(status)));
        }
        for status in ["open", "complete", "expired"] {
            all.push(format!("host-{word} 200\n{}", session(status, intent("succeeded"))));
            all.push(format!("host-{word} 200\n{}", session(status, json!(INTENT))));
        }
        all.push(format!("{word} 402 false\n{refused}"));
        all.push(format!(
            "{word} 409 true\n{}",
            json!({ "error": { "type": "idempotency_error" } })
        ));
        all.push(format!("{word} 500\n<html>"));
        all.push(format!("keep-{word} 429\n{}", json!({ "error": { "code": "rate_limit" } })));
    }
    all.into_iter().map(String::into_bytes).collect()
}
