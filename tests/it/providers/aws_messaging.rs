//! The stand-in for AWS accepts the calls of the guide, and rejects all that the model does not allow.

use http::{HeaderMap, Uri};
use serde_json::{Value, json};
use tests::providers::aws_messaging::{SentMessage, ServiceError, answer, receive};

fn signed(operation: &str) -> HeaderMap {
    let scope = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261201/eu-west-1/sms-voice/aws4_request, SignedHeaders=host";
    let target = format!("PinpointSMSVoiceV2.{operation}");
    [
        ("authorization", scope),
        ("content-type", "application/x-amz-json-1.0"),
        ("x-amz-target", &target),
    ]
    .into_iter()
    .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
    .collect()
}

fn looked(operation: &str, headers: &HeaderMap, body: &Value) -> Result<SentMessage, ServiceError> {
    let headers = if headers.is_empty() { signed(operation) } else { headers.clone() };
    receive(
        &Uri::from_static("https://sms-voice.eu-west-1.amazonaws.com/"),
        &headers,
        &body.to_string().into(),
    )
}

fn card() -> Value {
    json!({
        "DestinationPhoneNumber": "+15551230001", "OriginationIdentity": "rcs-a1b2c3d4",
        "RcsMessageContent": {"Content": {"RichCard": {"CardOrientation": "VERTICAL", "CardContent": {
            "Title": "Approve payment?", "Description": "Acme Ltd asks for 42.50 EUR.",
            "Suggestions": [
                {"Reply": {"Text": "Approve", "PostbackData": "v1"}},
                {"OpenUrl": {"Text": "Pay", "PostbackData": "v1", "Url": "https://pay.example.com/c/1", "Application": "BROWSER"}},
            ]}}}},
        "TimeToLive": 60, "MessageTrafficType": "SERVICE_REQUEST",
        "FallbackConfiguration": {"Channel": "SMS", "MessageBody": "Acme", "OriginationIdentity": "+15550001111"},
        "ConfigurationSetName": "authz-events", "Context": {"ref": "x"},
    })
}

#[test]
fn call_of_the_guide_is_accepted() {
    let text = json!({
        "DestinationPhoneNumber": "+447700900123", "OriginationIdentity": "pool-0a1b2c3d4e5f",
        "MessageBody": "Acme: approve 42.50 EUR", "MessageType": "TRANSACTIONAL", "TimeToLive": 120,
        "MaxPrice": "0.10", "Context": {"req": "01HZX", "tenant": "t1"}, "MessageFeedbackEnabled": true,
    });
    for (operation, body) in [("SendTextMessage", &text), ("SendRcsMessage", &card())] {
        let looked = looked(operation, &HeaderMap::new(), body);
        assert_eq!(answer(&looked, 7).0, 200, "{looked:?}");
    }
}

#[test]
fn call_outside_model_or_guide_is_rejected() {
    let suggestions = "/RcsMessageContent/Content/RichCard/CardContent/Suggestions";
    let reply = json!({"Reply": {"Text": "Approve", "PostbackData": "v1"}});
    let both = json!({"Reply": {"Text": "a", "PostbackData": "b"}, "OpenUrl": {"Text": "a", "PostbackData": "b", "Url": "https://a"}});
    let cases = [
        ("/DestinationPhoneNumber", json!("0155")),
        ("/DestinationPhoneNumber", json!(15_551_230_001_u64)),
        ("/OriginationIdentity", json!("a b")),
        ("/TimeToLive", json!(0)),
        ("/TimeToLive", json!(172_801)),
        ("/TimeToLive", json!("60")),
        ("/MessageTrafficType", json!("SERVICEREQUEST")),
        ("/Context/ref", json!(" x")),
        ("/Context", json!({"a": "1", "b": "2", "c": "3", "d": "4", "e": "5", "f": "6"})),
        ("/RcsMessageContent/Content/RichCard/CardOrientation", json!("DIAGONAL")),
        ("/RcsMessageContent/Content/RichCard/CardContent/Title", json!("x".repeat(201))),
        ("/RcsMessageContent/Content/RichCard/CardContent/Title", json!("")),
        ("/RcsMessageContent/Content/RichCard/CardContent/Description", json!("x".repeat(2_001))),
        (suggestions, json!(vec![reply; 5])),
        (suggestions, json!([both])),
        (suggestions, json!([{"Answer": {"Text": "a", "PostbackData": "b"}}])),
        (suggestions, json!([{"Reply": {"Text": "x".repeat(26), "PostbackData": "b"}}])),
        (suggestions, json!([{"Reply": {"Text": "a", "PostbackData": "x".repeat(2_049)}}])),
        (suggestions, json!([{"Reply": {"Text": "a"}}])),
        (suggestions, json!([{"OpenUrl": {"Text": "a", "PostbackData": "b", "Url": "http://a"}}])),
        ("/FallbackConfiguration/OriginationIdentity", json!("pool-1")),
        ("/FallbackConfiguration/Channel", json!("EMAIL")),
        ("/FallbackConfiguration/MessageBody", json!(" ")),
        ("/RcsMessageContent/Content", json!({})),
    ];
    for (place, value) in cases {
        let mut body = card();
        *body.pointer_mut(place).unwrap() = value.clone();
        let looked = looked("SendRcsMessage", &HeaderMap::new(), &body);
        assert_eq!(
            looked.map_err(|refused| refused.error).unwrap_err(),
            "ValidationException",
            "{place} {value}"
        );
    }
    for place in ["DestinationPhoneNumber", "OriginationIdentity", "RcsMessageContent"] {
        let mut body = card();
        body.as_object_mut().unwrap().remove(place);
        assert!(looked("SendRcsMessage", &HeaderMap::new(), &body).is_err(), "{place}");
    }
    let mut body = card();
    body["ClientToken"] = json!("x");
    assert!(
        looked("SendRcsMessage", &HeaderMap::new(), &body).is_err(),
        "the service knows no client token"
    );
}

#[test]
fn call_unsigned_for_region_or_operation_is_rejected() {
    let mut elsewhere = signed("SendRcsMessage");
    let scope = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261201/us-east-1/sms-voice/aws4_request";
    elsewhere.insert("authorization", scope.parse().unwrap());
    let mut unsigned = signed("SendRcsMessage");
    unsigned.remove("authorization");
    for headers in [elsewhere, unsigned, signed("DeletePool")] {
        assert!(looked("SendRcsMessage", &headers, &card()).is_err(), "{headers:?}");
    }
}
