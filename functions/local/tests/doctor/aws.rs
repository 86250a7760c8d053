//! AWS End User Messaging, and an EventBridge bus.

use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};

use crate::{Case, HealthyProvider, assert_each_is_named, unknown};

fn aws(state: &Value, request: &Request<Bytes>) -> (u16, Value) {
    let target = request.headers()["x-amz-target"].to_str().unwrap();
    let operation = target.split('.').nth(1).unwrap();
    if state["refuses"][0] == operation || state["refuses"][0] == "all" {
        return (400, json!({ "__type": state["refuses"][1] }));
    }
    match operation {
        "DescribeAccountAttributes" => (
            200,
            json!({ "AccountAttributes": [{ "Name": "ACCOUNT_TIER", "Value": state["tier"] }] }),
        ),
        "DescribePhoneNumbers" => (200, json!({ "PhoneNumbers": state["senders"] })),
        "DescribeRcsAgents" => (200, json!({ "RcsAgents": state["senders"] })),
        "DescribePools" => (200, json!({ "Pools": state["senders"] })),
        "DescribeSenderIds" => (200, json!({ "SenderIds": state["senders"] })),
        "DescribeConfigurationSets" => {
            (200, json!({ "ConfigurationSets": [{ "EventDestinations": state["destinations"] }] }))
        }
        _ => unknown(request),
    }
}

#[test]
fn aws_misconfigured_is_named() {
    let number = HealthyProvider {
        section: "channels",
        kind: "sms",
        mode: "live",
        settings: json!({
            "provider": "aws", "region": "eu-west-1", "origination_identity": "+15005550006", "configuration_set": "set",
        }),
        provider: json!({
            "tier": "PRODUCTION",
            "senders": [{ "PhoneNumber": "+15005550006", "Status": "ACTIVE" }],
            "destinations": [{ "Enabled": true, "SnsDestination": { "TopicArn": "arn:aws:sns:eu-west-1:1:assent" } }],
        }),
        stand_in: aws,
    };
    let cases = [
        Case {
            check: "credentials",
            change: |_, provider| {
                provider["refuses"] = json!(["all", "UnrecognizedClientException"]);
            },
        },
        Case {
            check: "credentials",
            change: |_, provider| provider["refuses"] = json!(["all", "ExpiredTokenException"]),
        },
        Case {
            check: "permission",
            change: |_, provider| {
                provider["refuses"] = json!(["DescribeConfigurationSets", "AccessDeniedException"]);
            },
        },
        Case { check: "account", change: |_, provider| provider["tier"] = json!("SANDBOX") },
        Case { check: "sender", change: |_, provider| provider["senders"] = json!([]) },
        Case {
            check: "sender",
            change: |_, provider| provider["senders"][0]["Status"] = json!("PENDING"),
        },
        Case {
            check: "events",
            change: |_, provider| {
                provider["refuses"] =
                    json!(["DescribeConfigurationSets", "ResourceNotFoundException"]);
            },
        },
        Case { check: "events", change: |_, provider| provider["destinations"] = json!([]) },
        Case {
            check: "events",
            change: |_, provider| provider["destinations"][0]["Enabled"] = json!(false),
        },
    ];
    assert_each_is_named(&number, &cases);
    let agent = HealthyProvider {
        kind: "rcs",
        settings: json!({
            "provider": "aws", "region": "eu-west-1", "origination_identity": "rcs-agent-1", "configuration_set": "set",
        }),
        provider: json!({
            "tier": "PRODUCTION", "senders": [{ "RcsAgentId": "rcs-agent-1", "Status": "ACTIVE" }],
            "destinations": number.provider["destinations"],
        }),
        ..number
    };
    assert_each_is_named(&agent, &cases);
}

const BUS: &str = "arn:aws:events:eu-west-1:123456789012:event-bus/orders";

fn event_bus(state: &Value, request: &Request<Bytes>) -> (u16, Value) {
    assert_eq!(request.uri(), "https://events.eu-west-1.amazonaws.com/");
    let scope = request.headers()["authorization"].to_str().unwrap();
    assert!(scope.contains("/eu-west-1/events/aws4_request"), "{scope}");
    assert_eq!(request.headers()["x-amz-target"], "AWSEvents.DescribeEventBus");
    if state["refuses"].is_string() {
        return (400, json!({ "__type": state["refuses"] }));
    }
    (200, json!({ "Arn": state["arn"], "Name": "orders" }))
}

#[test]
fn event_bus_misconfigured_is_named() {
    let healthy = HealthyProvider {
        section: "webhooks",
        kind: "eventbridge",
        mode: "live",
        settings: json!({ "eventbridge": BUS }),
        provider: json!({ "arn": BUS }),
        stand_in: event_bus,
    };
    assert_each_is_named(
        &healthy,
        &[
            Case {
                check: "webhooks",
                change: |settings, _| settings["eventbridge"] = json!("orders"),
            },
            Case {
                check: "webhooks",
                change: |settings, _| settings["eventbridge_base_url"] = json!("http://a.example"),
            },
            Case {
                check: "eventbridge",
                change: |_, provider| provider["refuses"] = json!("ResourceNotFoundException"),
            },
            Case {
                check: "eventbridge",
                change: |_, provider| provider["arn"] = json!(format!("{BUS}2")),
            },
            Case {
                check: "permission",
                change: |_, provider| provider["refuses"] = json!("AccessDeniedException"),
            },
            Case {
                check: "credentials",
                change: |_, provider| provider["refuses"] = json!("UnrecognizedClientException"),
            },
        ],
    );
}

fn ses(state: &Value, request: &Request<Bytes>) -> (u16, Value) {
    let scope = request.headers()["authorization"].to_str().unwrap();
    assert!(scope.contains("/eu-west-1/ses/aws4_request"), "{scope}");
    if state["forbidden"] == true {
        return (403, json!({ "message": "not authorized" }));
    }
    let (path, missing) = (request.uri().path(), (404, json!({ "message": "not found" })));
    let part = match path {
        "/v2/email/account" => &state["account"],
        "/v2/email/identities/pay@acme.example.com" => &state["address"],
        "/v2/email/identities/acme.example.com" => &state["domain"],
        "/v2/email/configuration-sets/set/event-destinations" => &state["events"],
        _ => return missing,
    };
    if part.is_null() { missing } else { (200, part.clone()) }
}

#[test]
fn ses_misconfigured_is_named() {
    let healthy = HealthyProvider {
        section: "channels",
        kind: "email",
        mode: "live",
        settings: json!({
            "provider": "aws", "region": "eu-west-1", "from": "pay@acme.example.com", "configuration_set": "set",
        }),
        provider: json!({
            "account": { "SendingEnabled": true, "ProductionAccessEnabled": true },
            "domain": { "VerifiedForSendingStatus": true },
            "events": { "EventDestinations": [{
                "Enabled": true, "MatchingEventTypes": ["BOUNCE", "COMPLAINT", "DELIVERY"],
                "SnsDestination": { "TopicArn": "arn:aws:sns:eu-west-1:1:assent" },
            }] },
        }),
        stand_in: ses,
    };
    assert_each_is_named(
        &healthy,
        &[
            Case {
                check: "credentials",
                change: |_, provider| provider["forbidden"] = json!(true),
            },
            Case {
                check: "account",
                change: |_, provider| provider["account"]["SendingEnabled"] = json!(false),
            },
            Case {
                check: "account",
                change: |_, provider| provider["account"]["ProductionAccessEnabled"] = json!(false),
            },
            Case {
                check: "sender",
                change: |_, provider| provider["domain"]["VerifiedForSendingStatus"] = json!(false),
            },
            Case { check: "sender", change: |_, provider| provider["domain"] = json!(null) },
            Case {
                check: "events",
                change: |settings, _| settings["configuration_set"] = json!("other"),
            },
            Case {
                check: "events",
                change: |_, provider| {
                    let kinds = json!(["BOUNCE", "DELIVERY"]);
                    provider["events"]["EventDestinations"][0]["MatchingEventTypes"] = kinds;
                },
            },
            Case { check: "settings", change: |settings, _| settings["from"] = json!("Acme") },
        ],
    );
}
