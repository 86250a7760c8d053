//! Twilio: SMS, RCS and `WhatsApp`.
//!
//! A template and its approval: <https://www.twilio.com/docs/content/content-api-resources> by the API description that Twilio
//! publishes, read 2026-11-27. UNVERIFIED: <https://www.twilio.com/docs/iam/api/account>,
//! <https://www.twilio.com/docs/phone-numbers/api/incomingphonenumber-resource> and
//! <https://www.twilio.com/docs/messaging/api/service-resource> were not read again. Run the doctor once with a test
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
        if number.starts_with('+') {
            let found = number_findings(calls, connection, number).await;
            report.record("sender", found);
        } else {
            report.unchecked(
                "sender",
                "only numbers in E.164 can be looked up; look at the sender's webhook in the console",
            );
        }
    }
    if connection.kind != "sms" {
        report.record("templates", templates(calls, connection).await);
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
    let sends_texts = connection.kind == "sms";
    if sends_texts && numbers.status == 200 && numbers.list("/phone_numbers").is_empty() {
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
    Ok(if sends_texts {
        "the messaging service has numbers"
    } else {
        "the messaging service is there"
    })
}

/// Checks that each template is there with the variables of the settings. On `WhatsApp` those that open chats are approved.
async fn templates(
    calls: &ProviderCalls<'_>,
    connection: &Connection,
) -> Result<&'static str, Fault> {
    let fault = |sid: &str, says: &str, mend: &str| Fault {
        check: "templates",
        says: format!("the template {sid} {says}"),
        mend: mend.to_owned(),
    };
    let base = connection.base("https://content.twilio.com");
    for (template, opens_chats) in wanted(connection) {
        let variables = template.get("variables").and_then(Value::as_array).map_or(0, Vec::len);
        let content = template.get("content").and_then(Value::as_object);
        for sid in content.into_iter().flat_map(|all| all.values()).filter_map(Value::as_str) {
            let url = format!("{base}/v1/Content/{sid}");
            let found = get(calls, connection, &url).await?;
            match found.status {
                200 => {}
                404 => {
                    let mend = "copy its SID (HX…) from the console, Content Template Builder";
                    return Err(fault(sid, "is not in this account", mend));
                }
                _ => return Err(found.unexpected("templates", "Twilio")),
            }
            let has = found.value.get("variables").and_then(Value::as_object);
            if has.map_or(0, serde_json::Map::len) != variables {
                let mend =
                    "name each of its variables in `variables`, in the order of their numbers";
                return Err(fault(sid, "has another number of variables", mend));
            }
            if !opens_chats {
                continue;
            }
            let approval = get(calls, connection, &format!("{url}/ApprovalRequests")).await?;
            if approval.text("/whatsapp/status") != "approved" {
                let mend = "submit it for approval in the console, Content Template Builder, and wait. \
                            Or set `only_in_window`";
                return Err(fault(sid, "is not approved by WhatsApp", mend));
            }
        }
    }
    Ok("every template can be used")
}

/// Returns the templates of the settings, each with whether it opens chats on `WhatsApp`.
fn wanted(connection: &Connection) -> impl Iterator<Item = (&Value, bool)> {
    let list =
        |name: &str| connection.settings.get(name).and_then(Value::as_array).into_iter().flatten();
    let is_whatsapp = connection.kind == "whatsapp";
    let prompts = list("templates").map(move |template| {
        let only_in_window = template.get("only_in_window").and_then(Value::as_bool);
        (template, is_whatsapp && only_in_window != Some(true))
    });
    prompts.chain(list("thread_templates").map(|template| (template, false)))
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
