//! Mail through Amazon SES: the account, the sender's identity, and the events of its configuration set.
//!
//! Source: the API model `sesv2` in botocore 1.43.11. UNVERIFIED: run the doctor once with an account of your own before
//! going live.

use bytes::Bytes;
use domain::brand::Mode;
use http::Request;
use serde_json::Value;

use super::Connection;
use super::calls::{Answer, ProviderCalls};
use super::report::{Fault, Report};

/// The kinds of event that the channel reads.
const EVENTS: [&str; 3] = ["BOUNCE", "COMPLAINT", "DELIVERY"];

/// Examines the account, the sender and its events.
pub(super) async fn examine(
    calls: &ProviderCalls<'_>,
    connection: &Connection,
    report: &mut Report,
) {
    let account = account(calls, connection).await;
    let is_known = account.is_ok();
    report.record("account", account);
    if !is_known {
        return;
    }
    report.record("sender", sender(calls, connection).await);
    match connection.text("configuration_set") {
        Some(set) => report.record("events", events(calls, connection, set).await),
        None => {
            report.unchecked(
                "events",
                "without `configuration_set` no bounce and no complaint arrives",
            );
        }
    }
}

/// Reads a resource of SES.
///
/// # Errors
/// The [`Fault`] of a call that AWS refuses, or that has no answer. `Ok(None)` stands for a resource that is not there.
async fn read(
    calls: &ProviderCalls<'_>,
    connection: &Connection,
    path: &str,
) -> Result<Option<Answer>, Fault> {
    let region = connection.text("region").unwrap_or_default();
    let base = connection.base(&format!("https://email.{region}.amazonaws.com"));
    let request = Request::get(format!("{base}/v2/email/{path}")).body(Bytes::new());
    let request = request.map_err(|_invalid| {
        Fault::new("settings", "`region` or `base_url` makes no address", "correct the setting")
    })?;
    let no_identity = || {
        Fault::new(
            "credentials",
            "there are no AWS credentials to sign with",
            "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        )
    };
    let signer = calls.context.signer.as_ref().ok_or_else(no_identity)?;
    let signed = signer.sign(request, "ses", region).await.map_err(|_invalid| no_identity())?;
    let answer = calls.send(signed).await?;
    match answer.status {
        200 => Ok(Some(answer)),
        404 => Ok(None),
        401 | 403 => Err(Fault::new(
            "credentials",
            "AWS refuses the credentials, or they may not read SES",
            "renew them, and allow ses:GetAccount, ses:GetEmailIdentity and ses:GetConfigurationSetEventDestinations",
        )),
        _ => Err(answer.unexpected("account", "AWS")),
    }
}

fn is_true(answer: &Value, pointer: &str) -> bool {
    answer.pointer(pointer).and_then(Value::as_bool) == Some(true)
}

async fn account(
    calls: &ProviderCalls<'_>,
    connection: &Connection,
) -> Result<&'static str, Fault> {
    let answer = read(calls, connection, "account").await?;
    let answer = answer.map(|answer| answer.value).unwrap_or_default();
    if !is_true(&answer, "/SendingEnabled") {
        return Err(Fault::new(
            "account",
            "SES has paused the account's sending in this region",
            "answer AWS's review in the SES console, under Account dashboard",
        ));
    }
    match (is_true(&answer, "/ProductionAccessEnabled"), connection.mode) {
        (true, Mode::Live | Mode::Test) => Ok("the account may send to every address"),
        (false, Mode::Test) => {
            Ok("the account is in SES's sandbox: it reaches verified addresses only")
        }
        (false, Mode::Live) => Err(Fault::new(
            "account",
            "the account is in SES's sandbox, which reaches verified addresses only",
            "request production access in the SES console, under Account dashboard",
        )),
    }
}

/// Examines the identity of the sender's address, or else of its domain.
async fn sender(calls: &ProviderCalls<'_>, connection: &Connection) -> Result<&'static str, Fault> {
    let from = connection.text("from").unwrap_or_default();
    let domain = from.rsplit('@').next().unwrap_or_default();
    for identity in [from, domain] {
        let Some(answer) = read(calls, connection, &format!("identities/{identity}")).await? else {
            continue;
        };
        if is_true(&answer.value, "/VerifiedForSendingStatus") {
            return Ok("SES has verified the sender");
        }
    }
    Err(Fault::new(
        "sender",
        "SES has verified neither `from` nor its domain in this region",
        "create the identity in the SES console, and publish the DNS records that it shows",
    ))
}

async fn events(
    calls: &ProviderCalls<'_>,
    connection: &Connection,
    set: &str,
) -> Result<&'static str, Fault> {
    let path = format!("configuration-sets/{set}/event-destinations");
    let Some(answer) = read(calls, connection, &path).await? else {
        return Err(Fault::new(
            "events",
            "the account has no `configuration_set` of that name in this region",
            "copy the name from the SES console, under Configuration sets",
        ));
    };
    let has_topic = answer.list("/EventDestinations").iter().any(|one| {
        let types = one.get("MatchingEventTypes").and_then(Value::as_array);
        let matches = |kind: &&str| types.is_some_and(|types| types.iter().any(|one| one == *kind));
        is_true(one, "/Enabled")
            && one.pointer("/SnsDestination/TopicArn").is_some()
            && EVENTS.iter().all(matches)
    });
    if has_topic {
        return Ok("the configuration set reports deliveries, bounces and complaints to a topic");
    }
    Err(Fault::new(
        "events",
        "no enabled SNS destination of the configuration set has BOUNCE, COMPLAINT and DELIVERY",
        "aws sesv2 create-configuration-set-event-destination, as shared/channels/email.md shows",
    ))
}
