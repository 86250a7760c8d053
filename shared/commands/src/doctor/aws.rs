//! SMS and RCS through AWS End User Messaging.
//!
//! UNVERIFIED: <https://docs.aws.amazon.com/pinpoint/latest/apireference_smsvoicev2/API_Operations.html> was not read again,
//! and `DescribeRcsAgents` least of all. Run the doctor once with an account of your own before going live.

use bytes::Bytes;
use domain::brand::Mode;
use http::Request;
use serde_json::{Value, json};

use super::Connection;
use super::calls::{Answer, ProviderCalls};
use super::report::{Fault, Report};

/// The most pages of a list that are read.
const PAGES_MAX: usize = 20;

/// A list of the service, and the members by which a sender is named in it.
struct Senders {
    operation: &'static str,
    list: &'static str,
    names: &'static [&'static str],
}

const NUMBERS: Senders = Senders {
    operation: "DescribePhoneNumbers",
    list: "/PhoneNumbers",
    names: &["PhoneNumber", "PhoneNumberId", "PhoneNumberArn"],
};
const POOLS: Senders =
    Senders { operation: "DescribePools", list: "/Pools", names: &["PoolId", "PoolArn"] };
const SENDER_IDS: Senders = Senders {
    operation: "DescribeSenderIds",
    list: "/SenderIds",
    names: &["SenderId", "SenderIdArn"],
};
const AGENTS: Senders = Senders {
    operation: "DescribeRcsAgents",
    list: "/RcsAgents",
    names: &["RcsAgentId", "RcsAgentArn"],
};

/// Examines the account, the sender and its events.
pub(super) async fn examine(
    calls: &ProviderCalls<'_>,
    connection: &Connection,
    report: &mut Report,
) {
    let account = account(calls, connection).await;
    let is_known = account.is_ok();
    report.record("credentials", account);
    if !is_known {
        return;
    }
    report.record("sender", sender(calls, connection).await);
    match connection.text("configuration_set") {
        Some(set) => report.record("events", events(calls, connection, set).await),
        None => report.unchecked("events", "without `configuration_set` no receipt arrives"),
    }
}

/// A call that reads at a service of AWS.
pub(super) struct AwsCall<'a> {
    /// The name of the service, as it is signed for and as permissions name it.
    pub(super) service: &'static str,
    /// The region that the call is signed for.
    pub(super) region: &'a str,
    /// The address of the region's service, or of a stand-in.
    pub(super) url: String,
    /// The service's name in the header of the operation.
    pub(super) target: &'static str,
    /// The media type of the service's protocol.
    pub(super) media_type: &'static str,
    /// The name of the operation, which must only read.
    pub(super) operation: &'a str,
}

async fn describe(
    calls: &ProviderCalls<'_>,
    connection: &Connection,
    operation: &str,
    body: &Value,
) -> Result<Answer, Fault> {
    let region = connection.text("region").unwrap_or_default();
    let base = connection.base(&format!("https://sms-voice.{region}.amazonaws.com"));
    let call = AwsCall {
        service: "sms-voice",
        region,
        url: format!("{base}/"),
        target: "PinpointSMSVoiceV2",
        media_type: "application/x-amz-json-1.0",
        operation,
    };
    call.make(calls, body).await
}

impl AwsCall<'_> {
    /// Makes the call.
    ///
    /// # Errors
    /// The [`Fault`] of a call that AWS refuses, or that has no answer.
    pub(super) async fn make(
        self,
        calls: &ProviderCalls<'_>,
        body: &Value,
    ) -> Result<Answer, Fault> {
        let no_identity = || {
            Fault::new(
                "credentials",
                "there are no AWS credentials to sign with",
                "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
            )
        };
        let Self { service, region, target, operation, .. } = self;
        let request = Request::post(self.url)
            .header("content-type", self.media_type)
            .header("x-amz-target", format!("{target}.{operation}"))
            .body(Bytes::from(body.to_string()));
        let request = request.map_err(|_invalid| {
            Fault::new("settings", "`region` or `base_url` makes no address", "correct the setting")
        })?;
        let signer = calls.context.signer.as_ref().ok_or_else(no_identity)?;
        let signed =
            signer.sign(request, service, region).await.map_err(|_invalid| no_identity())?;
        let answer = calls.send(signed).await?;
        if answer.status == 200 {
            return Ok(answer);
        }
        let kind = answer.text("/__type").rsplit('#').next().unwrap_or_default().to_owned();
        Err(match kind.as_str() {
            "UnrecognizedClientException"
            | "InvalidSignatureException"
            | "ExpiredTokenException"
            | "InvalidClientTokenId" => Fault {
                check: "credentials",
                says: format!("AWS refuses the credentials ({kind})"),
                mend: "renew the AWS credentials of the environment".to_owned(),
            },
            "AccessDeniedException" => Fault {
                check: "permission",
                says: format!("these credentials may not call {operation}"),
                mend: format!("allow {service}:{operation} for the doctor's identity"),
            },
            "ResourceNotFoundException" => Fault {
                check: "missing",
                says: format!("{operation} finds nothing of that name"),
                mend: "compare the name and the region with the console".to_owned(),
            },
            _ => answer.unexpected("account", "AWS"),
        })
    }
}

async fn account(
    calls: &ProviderCalls<'_>,
    connection: &Connection,
) -> Result<&'static str, Fault> {
    let answer = describe(calls, connection, "DescribeAccountAttributes", &json!({})).await?;
    let mut attributes = answer.list("/AccountAttributes").iter();
    let is_sandbox = attributes.any(|attribute| {
        attribute.get("Name").is_some_and(|name| name == "ACCOUNT_TIER")
            && attribute.get("Value").is_some_and(|tier| tier == "SANDBOX")
    });
    match (is_sandbox, connection.mode) {
        (true, Mode::Live) => Err(Fault::new(
            "account",
            "the account is in AWS's sandbox, which reaches verified numbers only",
            "request production access in the End User Messaging console, under Overview",
        )),
        (true, Mode::Test) => {
            Ok("the account is in AWS's sandbox: it reaches verified numbers only")
        }
        (false, Mode::Live | Mode::Test) => Ok("AWS takes the credentials"),
    }
}

async fn sender(calls: &ProviderCalls<'_>, connection: &Connection) -> Result<&'static str, Fault> {
    let identity = connection.text("origination_identity").unwrap_or_default();
    let senders = match identity {
        _ if identity.contains("pool-") || identity.contains(":pool/") => POOLS,
        _ if connection.kind == "rcs" => AGENTS,
        _ if identity.starts_with('+') || identity.contains("phone") => NUMBERS,
        _ => SENDER_IDS,
    };
    let mut token: Option<String> = None;
    for _ in 0..PAGES_MAX {
        let mut body = json!({ "MaxResults": 100 });
        if let (Some(token), Some(body)) = (&token, body.as_object_mut()) {
            body.insert("NextToken".to_owned(), json!(token));
        }
        let answer = describe(calls, connection, senders.operation, &body).await?;
        let is_it = |one: &&Value| {
            senders.names.iter().any(|name| one.get(name).is_some_and(|known| known == identity))
        };
        if let Some(known) = answer.list(senders.list).iter().find(is_it) {
            return usable(known);
        }
        token = answer.value.get("NextToken").and_then(Value::as_str).map(str::to_owned);
        if token.is_none() {
            break;
        }
    }
    Err(Fault::new(
        "sender",
        "the account has no sender `origination_identity` in this region",
        "copy the number, pool, sender id or agent from the End User Messaging console",
    ))
}

fn usable(sender: &Value) -> Result<&'static str, Fault> {
    let status = sender.get("Status").and_then(Value::as_str).unwrap_or("ACTIVE");
    let is_unregistered = sender.get("Registered").and_then(Value::as_bool) == Some(false)
        && sender.get("RegistrationId").is_some();
    if !matches!(status, "ACTIVE" | "LAUNCHED" | "PARTIAL" | "TESTING") || is_unregistered {
        let state = if is_unregistered { "not registered yet" } else { status };
        return Err(Fault {
            check: "sender",
            says: format!("the sender is {state}"),
            mend: "complete its registration in the End User Messaging console".to_owned(),
        });
    }
    Ok("the sender is active")
}

async fn events(
    calls: &ProviderCalls<'_>,
    connection: &Connection,
    set: &str,
) -> Result<&'static str, Fault> {
    let body = json!({ "ConfigurationSetNames": [set] });
    let answer = describe(calls, connection, "DescribeConfigurationSets", &body).await;
    let answer = answer.map_err(|fault| match fault.check {
        "missing" => Fault::new(
            "events",
            "the account has no `configuration_set` of that name in this region",
            "copy the name from the console, under Configuration sets",
        ),
        _ => fault,
    })?;
    let sets = answer.list("/ConfigurationSets").iter();
    let mut destinations =
        sets.filter_map(|set| set.get("EventDestinations").and_then(Value::as_array)).flatten();
    let has_topic = destinations.any(|one| {
        one.get("Enabled").and_then(Value::as_bool) == Some(true)
            && one.pointer("/SnsDestination/TopicArn").is_some()
    });
    if has_topic {
        return Ok("the configuration set reports to a topic");
    }
    Err(Fault::new(
        "events",
        "the configuration set has no enabled destination of kind SNS, so that no receipt arrives",
        "aws pinpoint-sms-voice-v2 create-event-destination, as shared/channels/README.md shows",
    ))
}
