//! Signatures by the vectors, and what follows from each event.

use serde_json::json;

use super::*;

const VECTORS: &str = include_str!("../../fixtures/vectors-webhook.json");
/// The key's own account in test mode.
const OWN: ReceivingAccount<'static> = ReceivingAccount { mode: Mode::Test, connected: None };
const REQUEST: &str = "req_01J00000000000000000000000";

fn secrets(all: &[&str]) -> Vec<SecretString> {
    all.iter().map(|text| (*text).into()).collect()
}

#[test]
fn signatures_match_the_reference_vectors() {
    let file: Value = serde_json::from_str(VECTORS).unwrap();
    let mut seen = 0;
    for vector in file["vectors"].as_array().unwrap() {
        let text = |name: &str| vector[name].as_str().unwrap_or_default();
        let now = Timestamp::from_millis(vector["now"].as_i64().unwrap() * 1000);
        let signed =
            is_signed(&secrets(&[text("secret")]), text("header"), text("body").as_bytes(), now);
        // Stripe's library accepts any future time. We are stricter.
        let expected = text("expect") == "valid" && text("name") != "future_timestamp";
        assert_eq!(signed, expected, "{}", text("name"));
        seen += 1;
    }
    assert_eq!(seen, 16);
}

fn sent(secret: &str, body: &str) -> UnverifiedCallback {
    let at = "1767225600";
    let signature = signature(&secret.into(), at, body.as_bytes()).unwrap();
    let mut headers = http::HeaderMap::new();
    headers.insert("stripe-signature", format!("t={at},v1={signature}").parse().unwrap());
    UnverifiedCallback {
        method: Method::POST,
        url: "https://pay.example.com/callbacks/acme/stripe".to_owned(),
        headers,
        body: body.to_owned().into(),
        now: Timestamp::from_millis(1_767_225_600_000),
        proof: ports::Proof::None,
    }
}

fn event(kind: &str, object: &Value) -> String {
    json!({ "id": "evt_1", "object": "event", "type": kind, "livemode": false,
        "data": { "object": object } })
    .to_string()
}

/// Returns the event of a signed body, or the reason why it has none.
fn heard(body: &str) -> Result<ProcessorEvent, IgnoredPart> {
    let webhook = receive(OWN, &secrets(&["whsec_a"]), &sent("whsec_a", body));
    let Ok(VerifiedWebhook { mut events, mut ignored, reply }) = webhook else { panic!() };
    let WebhookResponse::Plain(reply) = reply else { panic!() };
    assert_eq!(reply.status, 200);
    match (events.pop(), ignored.pop()) {
        (Some(event), None) => Ok(event),
        (None, Some(reason)) => Err(reason),
        other => panic!("{other:?}"),
    }
}

#[test]
fn event_about_a_request_triggers_a_look_up_others_nothing() {
    let ours = json!({ "id": "pi_1", "metadata": { "request_id": REQUEST } });
    let look = Ok(ProcessorEvent::StatusChanged(REQUEST.parse().unwrap()));
    for kind in EVENTS {
        assert_eq!(heard(&event(kind, &ours)), look, "{kind}");
    }
    let by_reference = json!({ "id": "cs_1", "client_reference_id": REQUEST, "metadata": {} });
    assert_eq!(heard(&event("checkout.session.completed", &by_reference)), look);
    for (kind, object, reason) in [
        ("customer.created", &ours, IgnoredPart::OtherType),
        ("payment_intent.succeeded", &json!({ "id": "pi_2" }), IgnoredPart::OtherObject),
        (
            "payment_intent.succeeded",
            &json!({ "metadata": { "request_id": "order 7" } }),
            IgnoredPart::OtherObject,
        ),
        ("payment_intent.succeeded", &json!({ "metadata": null }), IgnoredPart::OtherObject),
    ] {
        assert_eq!(heard(&event(kind, object)), Err(reason), "{kind} {object}");
    }
}

/// A dispute, and a refund of the dashboard, name the charge by its payment alone.
#[test]
fn dispute_or_outside_refund_is_reported_of_its_charge() {
    let object = |name: &str, status: &str| {
        json!({ "id": "du_1", "object": name, "status": status, "amount": 4250, "currency": "eur",
            "payment_intent": "pi_1", "charge": "ch_1", "reason": "fraudulent", "metadata": {} })
    };
    for (kind, status, expected) in [
        ("charge.dispute.created", "warning_needs_response", Some((DisputeStatus::Opened, 1))),
        ("charge.dispute.created", "needs_response", Some((DisputeStatus::Opened, 2))),
        ("charge.dispute.updated", "under_review", Some((DisputeStatus::Opened, 2))),
        ("charge.dispute.funds_withdrawn", "needs_response", Some((DisputeStatus::ChargedBack, 3))),
        ("charge.dispute.funds_reinstated", "won", Some((DisputeStatus::Won, 4))),
        ("charge.dispute.closed", "warning_closed", Some((DisputeStatus::Won, 4))),
        ("charge.dispute.closed", "lost", Some((DisputeStatus::Lost, 5))),
        ("charge.dispute.updated", "something_new", None),
    ] {
        let expected = expected.map(|(status, stage)| {
            let (reference, currency) = (Reference("du_1".into()), "EUR".into());
            ChargeReport::Dispute(DisputeReport {
                reference,
                status,
                stage,
                amount: 4250,
                currency,
            })
        });
        assert_eq!(reported(&event(kind, &object("dispute", status))), expected, "{kind} {status}");
    }
    for (status, success) in [
        ("succeeded", Some(true)),
        ("failed", Some(false)),
        ("canceled", Some(false)),
        ("pending", None),
    ] {
        let expected = success.map(|success| ChargeReport::Refund {
            reference: Reference("du_1".into()),
            amount: 4250,
            success,
        });
        assert_eq!(reported(&event("refund.updated", &object("refund", status))), expected);
    }
    let mut unknown = object("dispute", "lost");
    unknown["payment_intent"] = json!(null);
    assert_eq!(reported(&event("charge.dispute.closed", &unknown)), None);
}

/// Returns what an event reports of the charge `pi_1`.
fn reported(body: &str) -> Option<ChargeReport> {
    match heard(body) {
        Ok(ProcessorEvent::ChargeReported { charge, report }) => {
            assert_eq!(charge, ChargeSelector::Reference(Reference("pi_1".into())));
            Some(report)
        }
        Err(IgnoredPart::OtherObject) => None,
        other => panic!("{other:?}"),
    }
}

/// Only Stripe's own word for a failure ends a refund. Everything else is read from Stripe.
#[test]
fn refund_that_failed_is_reported_and_others_are_looked_up() {
    let refund = |status: &str, label: &str| {
        json!({ "id": "re_1", "object": "refund", "status": status, "amount": 100,
            "failure_reason": (status == "failed").then_some("lost_or_stolen_card"),
            "metadata": { "request_id": REQUEST, "refund": label } })
    };
    let label = format!("{REQUEST}-2");
    for (kind, status, code) in [
        ("refund.failed", "failed", "card_unavailable"),
        ("refund.updated", "failed", "card_unavailable"),
        ("charge.refund.updated", "canceled", "refund_canceled"),
    ] {
        let failed = heard(&event(kind, &refund(status, &label)));
        let Ok(ProcessorEvent::RefundReported { request, seq, reported }) = failed else {
            panic!("{kind}")
        };
        assert_eq!((request.to_string().as_str(), seq), (REQUEST, 2));
        assert_eq!((reported.success, reported.code.as_deref()), (false, Some(code)));
    }
    let look = Ok(ProcessorEvent::StatusChanged(REQUEST.parse().unwrap()));
    let other = format!("{REQUEST}-02");
    for (status, label) in
        [("succeeded", &label), ("pending", &label), ("failed", &other), ("failed", &"x".into())]
    {
        assert_eq!(heard(&event("refund.updated", &refund(status, label))), look, "{status}");
    }
}

#[test]
fn signature_while_a_secret_is_rolled_is_accepted_from_both() {
    let body = event("payment_intent.succeeded", &json!({}));
    let both = secrets(&["whsec_new", "whsec_old"]);
    for secret in ["whsec_old", "whsec_new"] {
        assert!(receive(OWN, &both, &sent(secret, &body)).is_ok());
    }
    let forged = Err(CallbackError::Forged);
    assert_eq!(receive(OWN, &both, &sent("whsec_other", &body)), forged);
    assert_eq!(receive(OWN, &[], &sent("whsec_old", &body)), forged);
    let unsigned = UnverifiedCallback { headers: http::HeaderMap::new(), ..sent("a", &body) };
    assert_eq!(receive(OWN, &secrets(&[""]), &unsigned), forged);
}

#[test]
fn event_of_another_mode_or_account_is_ignored() {
    let ours = json!({ "metadata": { "request_id": REQUEST } });
    let test = event("payment_intent.succeeded", &ours);
    let live = test.replace("false", "true");
    assert_eq!(heard(&live), Err(IgnoredPart::OtherMode));
    let secrets = secrets(&["whsec_a"]);
    let in_live = |body: &str| {
        receive(
            ReceivingAccount { mode: Mode::Live, connected: None },
            &secrets,
            &sent("whsec_a", body),
        )
        .unwrap()
    };
    assert_eq!((in_live(&live).events.len(), in_live(&test).events.len()), (1, 0));
    let connected = test.replacen('{', r#"{"account":"acct_2","#, 1);
    assert_eq!(heard(&connected), Err(IgnoredPart::OtherAccount));
    let of_object = json!({ "type": "checkout.session.completed",
        "data": { "object": { "livemode": false, "metadata": { "request_id": REQUEST } } } });
    assert!(heard(&of_object.to_string()).is_ok());
}

#[test]
fn signed_body_of_another_format_is_ignored() {
    for body in [
        "",
        "[]",
        "{}",
        r#"{"id":"evt_1","object":"v2.core.event","type":"v1.billing.meter.no_meter_found","livemode":false}"#,
        r#"{"object":"v2.core.event","type":"a","livemode":false,"data":{"object":{}}}"#,
        r#"{"object":"event","type":"a","data":{"object":{}}}"#,
        r#"{"object":"event","type":"a","livemode":false,"data":{}}"#,
    ] {
        assert_eq!(heard(body), Err(IgnoredPart::OtherFormat), "{body}");
    }
    let get = UnverifiedCallback {
        method: Method::GET,
        ..sent("whsec_a", &event("payment_intent.succeeded", &json!({})))
    };
    let secrets = secrets(&["whsec_a"]);
    assert_eq!(receive(OWN, &secrets, &get), Err(CallbackError::Malformed));
}

/// A platform's endpoint gets the events of all its connected accounts, and of its own.
#[test]
fn event_of_the_connected_account_alone_is_read() {
    let connected = Some("acct_1A");
    let account = ReceivingAccount { connected, ..OWN };
    let of = |named: Option<&str>| {
        let mut event: Value = serde_json::from_str(&event(
            "payment_intent.succeeded",
            &json!({ "metadata": { "request_id": REQUEST } }),
        ))
        .unwrap();
        event["account"] = json!(named);
        let webhook =
            receive(account, &secrets(&["whsec_a"]), &sent("whsec_a", &event.to_string()));
        let VerifiedWebhook { events, ignored, .. } = webhook.ok().unwrap();
        (events.len(), ignored)
    };
    assert_eq!(of(connected), (1, Vec::new()));
    for other in [None, Some("acct_1B"), Some("")] {
        assert_eq!(of(other), (0, vec![IgnoredPart::OtherAccount]), "{other:?}");
    }
}
