//! The events that the service publishes on a channel's topic, and how SNS delivers them to a function.

use serde_json::{Value, json};

/// The agent's id, as events name it.
const AGENT: &str = "rcs-c020de2520714385964ebf7b095c4b60";

/// Returns a status event of a card, with the card's own context.
#[must_use]
pub fn of_card(kind: &str, status: &str, reference: &str, to: &str) -> String {
    json!({
        "eventType": kind, "eventVersion": "1.0", "eventTimestamp": 1_796_083_201_000_u64, "isFinal": true,
        "originationPhoneNumber": AGENT, "destinationPhoneNumber": to, "isoCountryCode": "US",
        "isInternationalSend": false, "messageId": "0a1b2c3d-4e5f-6071-8293-000000000001",
        "messageRequestTimestamp": 1_796_083_200_000_u64, "messageEncoding": "UNICODE", "messageType": "TRANSACTIONAL",
        "messageStatus": status, "messageStatusDescription": "Message has been accepted by phone",
        "context": { "ref": reference }, "totalMessageParts": 1, "totalMessagePrice": 0.007, "totalCarrierFee": 0.00494,
        "rcsMetadata": { "billingEventType": "RICH" }, "rcsBusinessId": "acme_06fr8x6o_agent",
        "agentIsoCountryCode": "US",
    })
    .to_string()
}

/// Returns a status event of a text.
#[must_use]
pub fn of_text(status: &str, reference: &str, to: &str) -> String {
    json!({
        "eventType": format!("TEXT_{status}"), "eventVersion": "1.0", "eventTimestamp": 1_796_083_201_000_u64,
        "isFinal": true, "originationPhoneNumber": "+12065550152", "destinationPhoneNumber": to,
        "isInternationalSend": false, "mcc": "310", "mnc": "800",
        "messageId": "862a8790-60c0-4430-9b2b-000000000001", "messageRequestTimestamp": 1_796_083_200_000_u64,
        "messageEncoding": "GSM", "messageType": "TRANSACTIONAL", "messageStatus": status,
        "messageStatusDescription": "Message has been accepted by phone carrier", "context": { "ref": reference },
        "totalMessageParts": 1, "totalMessagePrice": 0.00581, "totalCarrierFee": 0.006,
    })
    .to_string()
}

/// A tap. RCS leaves out the `+` of the number.
#[must_use]
pub fn tap(from: &str, label: &str, postback: &str) -> String {
    let body = json!({ "type": "SUGGESTION", "text": label, "postbackData": postback });
    inbound(from.trim_start_matches('+'), &body.to_string())
}

/// A customer's own words.
#[must_use]
pub fn text(from: &str, words: &str) -> String {
    let mut event: Value = serde_json::from_str(&inbound(from, words)).expect("JSON");
    event["messageKeyword"] = json!("KEYWORD_123456789012");
    event["previousPublishedMessageId"] = json!("0a1b2c3d-4e5f-6071-8293-000000000001");
    event.to_string()
}

/// That a customer is typing.
#[must_use]
pub fn typing(from: &str) -> String {
    let body = json!({ "type": "RCS_TYPING", "receivedAt": "2026-12-01T00:00:01.937+0000" });
    inbound(from.trim_start_matches('+'), &body.to_string())
}

/// That the time began in which messages cost nothing more.
#[must_use]
pub fn conversation_started(from: &str) -> String {
    let body = json!({
        "type": "CONVERSATION_STARTED", "startTime": "2026-12-01T00:00:01.002+0000",
        "endTime": "2026-12-02T00:00:01.002+0000",
        "conversationInitiatingMessageId": "7e7da6ec-234a-4d4f-bbc5-943bcca663ab",
        "conversationInitiatingMessageType": "OUTBOUND",
    });
    inbound(from.trim_start_matches('+'), &body.to_string())
}

fn inbound(from: &str, body: &str) -> String {
    json!({
        "originationNumber": from, "destinationNumber": AGENT, "messageBody": body,
        "inboundMessageId": domain::digest::digest_hex(format!("{from} {body}").as_bytes()),
    })
    .to_string()
}

/// Returns what SNS hands to a function when `message` was published on `topic`.
#[must_use]
pub fn published(topic: &str, message: &str) -> Value {
    published_at(topic, message, "2026-12-01T00:00:01.000Z")
}

/// Returns what SNS hands to a function when `message` was published on `topic` at a time. It repeats the same for an hour.
#[must_use]
pub fn published_at(topic: &str, message: &str, at: &str) -> Value {
    let arn = format!("arn:aws:sns:eu-west-1:123456789012:{topic}");
    json!({ "Records": [{
        "EventSource": "aws:sns", "EventVersion": "1.0",
        "EventSubscriptionArn": format!("{arn}:21be56ed-a058-49f5-8c98-aedd2564c486"),
        "Sns": {
            "Type": "Notification", "MessageId": "95df01b4-ee98-5cb9-9903-4c221d41eb5e", "TopicArn": arn,
            "Subject": null, "Message": message, "Timestamp": at,
            "SignatureVersion": "1", "Signature": "tcc6faL2yUC6dgZdmrwh1Y4cGa/ebXEkAi6RibDsvpi+tE/1+82j",
            "SigningCertUrl": "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-ac565b8b.pem",
            "UnsubscribeUrl": "https://sns.eu-west-1.amazonaws.com/?Action=Unsubscribe",
            "MessageAttributes": {},
        },
    }] })
}
