//! SMS through Twilio.
//!
//! UNVERIFIED: <https://www.twilio.com/docs/iam/api/account>, <https://www.twilio.com/docs/phone-numbers/api/incomingphonenumber-resource>
//! and <https://www.twilio.com/docs/messaging/api/service-resource> were not read again. Run the doctor once with a test
//! account, and with one wrong setting at a time, before going live.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::Connection;
use super::calls::{Answer, ProviderCalls};
use super::report::{Fault, Report};

/// Examines the account and its sender.
pub(super) async fn examine(
    calls: &ProviderCalls<'_>,
    connection: &Connection,
    report: &mut Report,
) {
    let found = credentials(calls, connection).await;
    let is_known = found.is_ok();
    report.record("credentials", found);
    if !is_known {
        return;
    }
    if let Some(service) = connection.text("messaging_service_sid") {
        let found = service_findings(calls, connection, service).await;
        report.record("sender", found);
    } else if let Some(number) = connection.text("from") {
        if !number.starts_with('+') {
            report.unchecked("sender", "only numbers in E.164 can be looked up");
            return;
        }
        let found = number_findings(calls, connection, number).await;
        report.record("sender", found);
    }
    if connection.callback.is_none() {
        report.unchecked("webhook", "name the public address with --public-url");
    }
}

fn base(connection: &Connection) -> String {
    let sid = connection.text("account_sid").unwrap_or_default();
    format!("{}/2010-04-01/Accounts/{sid}", connection.base("https://api.twilio.com"))
}

async fn get(
    calls: &ProviderCalls<'_>,
    connection: &Connection,
    url: &str,
) -> Result<Answer, Fault> {
    let (user, password) = match connection.text("api_key/sid") {
        Some(sid) => (sid, connection.text("api_key/secret").unwrap_or_default()),
        None => {
            (connection.text("account_sid").unwrap_or_default(), connection.secret("auth_token"))
        }
    };
    let basic = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
    calls.get(url, &[("authorization", &basic)]).await
}

/// Checks who we are. A standard API key may not read its account, so a list is read in its place.
async fn credentials(
    calls: &ProviderCalls<'_>,
    connection: &Connection,
) -> Result<&'static str, Fault> {
    let has_key = connection.text("api_key/sid").is_some();
    let base = base(connection);
    let url = if has_key {
        format!("{base}/IncomingPhoneNumbers.json?PageSize=1")
    } else {
        format!("{base}.json")
    };
    let answer = get(calls, connection, &url).await?;
    match answer.status {
        200 if has_key || answer.text("/status") == "active" => Ok("Twilio takes the credentials"),
        200 => Err(Fault {
            check: "account",
            says: format!("the account is {}", answer.text("/status")),
            mend: "reactivate the account in Twilio's console, under Account".to_owned(),
        }),
        401 if has_key => Err(Fault::new(
            "credentials",
            "Twilio refuses `api_key`",
            "make a new key in the console under API keys & tokens, and enter its SID and secret",
        )),
        401 => Err(Fault::new(
            "credentials",
            "Twilio refuses `auth_token`",
            "copy the primary token from the console's start page into `auth_token`",
        )),
        403 => Err(Fault::new(
            "permission",
            "the restricted `api_key` may not read phone numbers",
            "give the key the permissions for Messaging and Phone Numbers, or use a standard key",
        )),
        404 => Err(Fault::new(
            "account",
            "Twilio knows no account `account_sid`",
            "copy the account SID (AC…) from the console's start page",
        )),
        _ => Err(answer.unexpected("credentials", "Twilio")),
    }
}

async fn number_findings(
    calls: &ProviderCalls<'_>,
    connection: &Connection,
    number: &str,
) -> Result<&'static str, Fault> {
    let wanted = form_urlencoded::byte_serialize(number.as_bytes()).collect::<String>();
    let url = format!("{}/IncomingPhoneNumbers.json?PhoneNumber={wanted}", base(connection));
    let answer = get(calls, connection, &url).await?;
    if answer.status != 200 {
        return Err(answer.unexpected("sender", "Twilio"));
    }
    let numbers = answer.list("/incoming_phone_numbers");
    let is_it = |known: &&Value| known.get("phone_number").and_then(Value::as_str) == Some(number);
    let Some(known) = numbers.iter().find(is_it) else {
        return Err(Fault::new(
            "sender",
            "this account does not own the number in `from`",
            "choose a number under Phone Numbers, Active numbers, and enter it as `from`",
        ));
    };
    if known.pointer("/capabilities/sms").and_then(Value::as_bool) == Some(false) {
        return Err(Fault::new(
            "sender",
            "the number in `from` cannot send SMS",
            "buy a number with the capability SMS, and enter it as `from`",
        ));
    }
    let text = |name: &str| known.get(name).and_then(Value::as_str).unwrap_or_default();
    webhook(connection, text("sms_url"), text("sms_method"))?;
    Ok("the number is the account's, and sends SMS")
}

async fn service_findings(
    calls: &ProviderCalls<'_>,
    connection: &Connection,
    service: &str,
) -> Result<&'static str, Fault> {
    let url = format!("{}/v1/Services/{service}", connection.base("https://messaging.twilio.com"));
    let answer = get(calls, connection, &url).await?;
    match answer.status {
        200 => {}
        404 => {
            return Err(Fault::new(
                "sender",
                "Twilio knows no service `messaging_service_sid`",
                "copy the SID (MG…) from the console under Messaging, Services",
            ));
        }
        _ => return Err(answer.unexpected("sender", "Twilio")),
    }
    let numbers = get(calls, connection, &format!("{url}/PhoneNumbers?PageSize=1")).await?;
    if numbers.status == 200 && numbers.list("/phone_numbers").is_empty() {
        return Err(Fault::new(
            "sender",
            "the messaging service has no number",
            "add a number to its sender pool, under Messaging, Services",
        ));
    }
    let on_number = answer.value.get("use_inbound_webhook_on_number").and_then(Value::as_bool);
    if on_number != Some(true) {
        webhook(connection, answer.text("/inbound_request_url"), answer.text("/inbound_method"))?;
    }
    Ok("the messaging service has numbers")
}

fn webhook(connection: &Connection, url: &str, method: &str) -> Result<(), Fault> {
    let Some(callback) = &connection.callback else { return Ok(()) };
    if url == callback && (method.is_empty() || method == "POST") {
        return Ok(());
    }
    let says = if url == callback {
        format!("Twilio sends inbound messages by {method}")
    } else {
        "inbound messages go to another address, so that STOP and replies are lost".to_owned()
    };
    let mend = format!("set the inbound webhook of the number or service to POST {callback}");
    Err(Fault { check: "webhook", says, mend })
}
