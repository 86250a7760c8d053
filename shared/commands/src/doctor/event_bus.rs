//! The EventBridge bus of a brand's webhooks. Only its description is read, since an event on it is no read.
//!
//! Source: `DescribeEventBus` takes a name or an ARN by the API model in botocore 1.43.106, read 2026-11-26. Ministack 1.5
//! takes a name only, so that the doctor finds no bus there.

use domain::brand::{EventBus, Mode, WebhookEndpoint};
use serde_json::json;

use super::aws::AwsCall;
use super::calls::ProviderCalls;
use super::report::{Fault, Report};

/// Examines the bus. A setting that is no bus is named elsewhere.
pub(super) async fn examine(
    calls: &ProviderCalls<'_>,
    webhooks: &WebhookEndpoint,
    mode: Mode,
    report: &mut Report,
) {
    if let Some(bus) = webhooks.bus(mode) {
        report.record("eventbridge", described(calls, &bus).await);
    }
}

async fn described(calls: &ProviderCalls<'_>, bus: &EventBus) -> Result<&'static str, Fault> {
    let call = AwsCall {
        service: "events",
        region: &bus.region,
        url: format!("{}/", bus.base),
        target: "AWSEvents",
        media_type: "application/x-amz-json-1.1",
        operation: "DescribeEventBus",
    };
    let answer = call.make(calls, &json!({ "Name": bus.arn })).await;
    let answer = answer.map_err(|fault| match fault.check {
        "missing" => Fault::new(
            "eventbridge",
            "the account has no bus of this ARN",
            "compare `webhooks.eventbridge` with `aws events list-event-buses`",
        ),
        _ => fault,
    })?;
    if answer.text("/Arn") == bus.arn {
        return Ok("the bus is there; the parameter EventBusArns must name it too");
    }
    Err(Fault::new(
        "eventbridge",
        "EventBridge describes another bus than the one of this ARN",
        "copy the ARN of the bus from the EventBridge console",
    ))
}
