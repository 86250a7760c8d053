//! Adyen's answers and reports: payment links, payments, refunds, webhooks, and customers who return.

use bytes::Bytes;
use domain::authorization::{Authorization, Credential, CredentialKind};
use domain::processor_result::Reference;
use http::{Method, Response, StatusCode};
use ports::contract_tests::processor::OperationResult;
use ports::{Created, Refund, RefundResult};
use serde_json::{Value, json};

use super::accounts::{Account, callback, now};
use super::providers::{ScriptedInput, scripted_input};
use crate::doubles::used;
use crate::providers::adyen::{ACCOUNT, signature};

const LINK: &str = "PL1234567890ABCDEF";
const PSP: &str = "8835517762430014";
/// The merchant reference of the attempt.
const ATTEMPT: &str = "req_01J00000000000000000000000.1";

/// Words of these bodies.
pub(super) const WORDS: &[&str] = &[
    "null",
    "{}",
    "[]",
    "7",
    "-1",
    "1e999",
    "id",
    LINK,
    PSP,
    ATTEMPT,
    "url",
    "https://test.adyen.link/PL1",
    "javascript:",
    "status",
    "active",
    "completed",
    "expired",
    "paymentPending",
    "reference",
    "merchantAccount",
    ACCOUNT,
    "amount",
    "value",
    "1999",
    "currency",
    "EUR",
    "updatedAt",
    "2026-12-01T01:00:00+01:00",
    "resultCode",
    "Authorised",
    "Refused",
    "RedirectShopper",
    "pspReference",
    "merchantReference",
    "refusalReasonCode",
    "action",
    "redirect",
    "errorCode",
    "errorType",
    "live",
    "false",
    "notificationItems",
    "NotificationRequestItem",
    "eventCode",
    "AUTHORISATION",
    "CHARGEBACK",
    "REFUND",
    "success",
    "true",
    "additionalData",
    "hmacSignature",
    "state=",
    "&redirectResult=",
    "\\u0000",
    "\\ud800",
];

/// Only a successful answer is a payment, and only a signed item an event. A return has our own state.
pub fn adyen(input: &[u8]) {
    let Some(scripted) = scripted_input(input) else { return };
    let (status, body) = (scripted.status, Bytes::copy_from_slice(scripted.body));
    let account = Account::open("adyen", Box::new(move |_| answer(status, body.clone())));
    match scripted.word {
        "hear" => receives_webhook(&account, &scripted),
        "back" => returns(&account, &scripted),
        "refund" => refunds(&account, &scripted),
        word => acts(&account, &scripted, word),
    }
}

fn answer(status: StatusCode, body: Bytes) -> Response<Bytes> {
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    answer
}

fn card() -> Authorization {
    Credential::new(CredentialKind::GooglePay, "{}").into()
}

fn acts(account: &Account, scripted: &ScriptedInput<'_>, word: &str) {
    let (authorization, reference, word) = match word.split_once('-') {
        Some(("link", word)) => (Authorization::Hosted, LINK, word),
        Some(("pay", word)) => (card(), ATTEMPT, word),
        Some(_) | None => return,
    };
    let attempt = used(&authorization, 1999, 1);
    let (processor, reference) = (&account.processor, Reference(reference.to_owned()));
    let result: OperationResult = match word {
        "create" => {
            let created = now(processor.create(&attempt));
            let made = matches!(created, Created::Ready(_));
            assert!(
                !made || scripted.status.is_success() || authorization == card(),
                "{created:?}"
            );
            return;
        }
        "confirm" => now(processor.confirm(&attempt, &reference)).into(),
        "read" => now(processor.retrieve(&attempt, &reference)).into(),
        "void" => now(processor.void(&attempt, &reference)).into(),
        _ => return,
    };
    let is_done = matches!(result, OperationResult::Done(_) | OperationResult::Voided);
    assert!(!is_done || scripted.status.is_success(), "{result:?}");
    if let OperationResult::RequiresAction { redirect: Some(redirect) } = &result {
        assert!(redirect.0.starts_with("http"), "a customer is sent to {}", redirect.0);
    }
}

fn refunds(account: &Account, scripted: &ScriptedInput<'_>) {
    let (nothing, charge) = (Authorization::Hosted, Reference(PSP.to_owned()));
    let refund = Refund {
        request: "req_01J00000000000000000000000".parse().expect("an id"),
        seq: 1,
        charge: &charge,
        money: used(&nothing, 500, 1).money().expect("an amount"),
        again: false,
        reported: None,
    };
    let refunded = now(account.processor.refund(&refund));
    assert!(!matches!(refunded, RefundResult::Done(_)), "a webhook reports the end of a refund");
    let taken = matches!(refunded, RefundResult::Pending(_));
    assert!(!taken || scripted.status.is_success(), "{refunded:?}");
}

/// A header `signed` signs each item first.
fn receives_webhook(account: &Account, scripted: &ScriptedInput<'_>) {
    let signed = scripted.header.as_ref().is_some_and(|header| header == "signed");
    let body = match serde_json::from_slice::<Value>(scripted.body) {
        Ok(mut webhook) if signed => {
            let items = webhook.get_mut("notificationItems").and_then(Value::as_array_mut);
            let items = items.into_iter().flatten();
            items.filter_map(|item| item.get_mut("NotificationRequestItem")).for_each(sign);
            webhook.to_string().into_bytes()
        }
        Ok(_) | Err(_) => scripted.body.to_vec(),
    };
    let received = account.processor.receive(&callback("adyen", Method::POST, "", &body));
    assert!(signed || received.is_err(), "{received:?}");
}

/// Signs an item by Adyen's rule, if it has the members for it.
fn sign(item: &mut Value) {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => String::new(),
    };
    let names = ["pspReference", "originalReference", "merchantAccountCode", "merchantReference"];
    let mut parts: Vec<String> = names.iter().map(|name| text(&item[*name])).collect();
    parts.extend(["value", "currency"].map(|name| text(&item["amount"][name])));
    parts.extend(["eventCode", "success"].map(|name| text(&item[name])));
    if let Some(data) = item.get_mut("additionalData").and_then(Value::as_object_mut) {
        data.insert("hmacSignature".to_owned(), json!(signature(&parts.join(":"))));
    }
}

/// The body is the query of the return. `STATE` stands for the state that a payment was sent with.
fn returns(account: &Account, scripted: &ScriptedInput<'_>) {
    let card = card();
    let attempt = used(&card, 1999, 1);
    now(account.processor.confirm(&attempt, &Reference(ATTEMPT.to_owned())));
    let paid: Value = serde_json::from_slice(&account.network.last_body()).unwrap_or_default();
    let url = paid["returnUrl"].as_str().unwrap_or_default();
    let state = url.split_once("state=").map_or("", |(_, state)| state);
    let query = String::from_utf8_lossy(scripted.body);
    let is_ours = query.contains("STATE");
    let query = format!("?{}", query.replace("STATE", state));
    let received = account.processor.receive(&callback("adyen", Method::GET, &query, b""));
    assert!(is_ours || received.is_err(), "{received:?}");
}

pub(super) fn samples() -> Vec<Vec<u8>> {
    let amount = json!({ "value": 1999, "currency": "EUR" });
    let link = |status: &str| {
        json!({ "id": LINK, "url": "https://test.adyen.link/PL1", "status": status, "reference": ATTEMPT,
            "merchantAccount": ACCOUNT, "amount": amount, "updatedAt": "2026-12-01T01:00:00+01:00" })
    };
    let payment = |code: &str| {
        json!({ "resultCode": code, "pspReference": PSP, "merchantReference": ATTEMPT, "amount": amount,
            "refusalReasonCode": "2", "paymentMethod": { "type": "scheme", "brand": "visa" },
            "additionalData": { "cardSummary": "1111", "expiryDate": "8/2030" },
            "action": { "type": "redirect", "method": "GET", "url": "https://bank.example/3ds" } })
    };
    let item = |event: &str, reference: &str| {
        let item = json!({ "eventCode": event, "success": "true", "pspReference": PSP,
            "originalReference": PSP, "merchantAccountCode": ACCOUNT, "merchantReference": reference,
            "amount": amount, "eventDate": "2026-12-01T01:00:00+01:00",
            "additionalData": { "hmacSignature": "AAAA", "disputeStatus": "Undefended" } });
        json!({ "live": "false", "notificationItems": [{ "NotificationRequestItem": item }] })
    };
    let mut all = vec![
        "back 200\nstate=STATE&redirectResult=eyJ0cmFuc1N0YXR1cyI6IlkifQ".to_owned(),
        format!("back 200\nstate={ATTEMPT}.00000000000000000000000000000000&redirectResult=x"),
        format!("refund 201\n{}", json!({ "status": "received", "pspReference": PSP })),
        format!(
            "refund 422\n{}",
            json!({ "status": 422, "errorCode": "167", "errorType": "validation" })
        ),
        format!("link-create 201\n{}", link("active")),
        "pay-create 200\n".to_owned(),
        format!(
            "link-confirm 403\n{}",
            json!({ "status": 403, "errorCode": "010", "errorType": "security" })
        ),
        "link-read 500\n<html>".to_owned(),
    ];
    for status in ["active", "completed", "paid", "expired", "paymentPending"] {
        all.extend(
            ["confirm", "read", "void"].map(|word| format!("link-{word} 200\n{}", link(status))),
        );
    }
    for code in
        ["Authorised", "Refused", "RedirectShopper", "Received", "Pending", "Error", "Cancelled"]
    {
        all.extend(["confirm", "void"].map(|word| format!("pay-{word} 200\n{}", payment(code))));
    }
    let refund = "req_01J00000000000000000000000.r1";
    for event in ["AUTHORISATION", "CANCEL_OR_REFUND", "CHARGEBACK", "NOTIFICATION_OF_CHARGEBACK"] {
        all.push(format!("hear 200 signed\n{}", item(event, ATTEMPT)));
    }
    all.push(format!("hear 200 signed\n{}", item("REFUND", refund)));
    all.push(format!("hear 200 forged\n{}", item("AUTHORISATION", ATTEMPT)));
    all.into_iter().map(String::into_bytes).collect()
}
