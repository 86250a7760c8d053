//! Amazon SES: takes mails that its API model and its guides allow, and reports on them over a topic.
//!
//! Sources: the API model `sesv2` in botocore 1.43.11, RFC 8058, and
//! <https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-examples.html>, read 2026-11-27.

use http::{HeaderMap, Uri, header};
use serde_json::{Value, json};

/// Where a region's service is.
pub const HOST: &str = "email.eu-west-1.amazonaws.com";

/// Looks at a call as SES would, and returns its body.
///
/// # Errors
/// What SES would find wrong.
pub fn receive(uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Result<Value, String> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("");
    let scope = header(header::AUTHORIZATION.as_str());
    if !scope.contains("/eu-west-1/ses/aws4_request") {
        return Err("the signature's scope".to_owned());
    }
    if uri.path() != "/v2/email/outbound-emails" || header("content-type") != "application/json" {
        return Err("the operation".to_owned());
    }
    let body: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    match faults(&body) {
        faults if faults.is_empty() => Ok(body),
        faults => Err(faults.join("; ")),
    }
}

/// Returns SES's answer: a status and a body. `count` makes the message's id.
#[must_use]
pub fn answer(taken: &Result<Value, String>, count: usize) -> (u16, Value) {
    match taken {
        Ok(_) => {
            let id = format!("0102019b7a3c5d2e-1f0a6b1c-4d11-8c3e-9f5a-{count:012x}-000000");
            (200, json!({ "MessageId": id }))
        }
        Err(fault) => (400, json!({ "message": fault })),
    }
}

/// Returns the members of a mail that a list holds.
fn list<'a>(body: &'a Value, pointer: &str) -> Vec<&'a Value> {
    body.pointer(pointer).and_then(Value::as_array).into_iter().flatten().collect()
}

fn faults(body: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    let mut wants = |holds: bool, what: &str| {
        if !holds {
            faults.push(what.to_owned());
        }
    };
    let known = [
        "FromEmailAddress",
        "ReplyToAddresses",
        "Destination",
        "Content",
        "ConfigurationSetName",
        "EmailTags",
    ];
    let members = body.as_object().into_iter().flatten();
    for (name, _) in members {
        wants(known.contains(&name.as_str()), name);
    }
    let is_ascii = |value: &Value| value.as_str().is_some_and(|text| text.is_ascii());
    wants(is_ascii(&body["FromEmailAddress"]), "FromEmailAddress");
    let to = list(body, "/Destination/ToAddresses");
    wants(to.len() == 1 && to.iter().all(|to| is_ascii(to)), "ToAddresses");
    let simple = &body["Content"]["Simple"];
    for text in [&simple["Subject"], &simple["Body"]["Text"], &simple["Body"]["Html"]] {
        let data = text["Data"].as_str().unwrap_or_default();
        wants(!data.is_empty() && text["Charset"] == "UTF-8", "a text and its charset");
    }
    let subject = simple["Subject"]["Data"].as_str().unwrap_or_default();
    wants(!subject.contains(['\r', '\n']), "Subject");
    let headers = list(body, "/Content/Simple/Headers");
    for header in &headers {
        let value = header["Value"].as_str().unwrap_or_default();
        let is_plain = value.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        wants((1..=995).contains(&value.len()) && is_plain, "the value of a header");
    }
    let value = |name: &str| headers.iter().find(|header| header["Name"] == name);
    let value = |name: &str| value(name).and_then(|header| header["Value"].as_str()).unwrap_or("");
    let url = value("List-Unsubscribe");
    wants(url.starts_with("<https://") && url.ends_with('>'), "List-Unsubscribe");
    let post = value("List-Unsubscribe-Post");
    wants(post == "List-Unsubscribe=One-Click", "List-Unsubscribe-Post");
    for tag in list(body, "/EmailTags") {
        for text in [&tag["Name"], &tag["Value"]] {
            let text = text.as_str().unwrap_or_default();
            let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
            wants((1..=256).contains(&text.len()) && text.bytes().all(fits), "a tag");
        }
    }
    faults
}

/// Returns the event of a kind about a sent mail. `details` stand beside the mail.
#[must_use]
pub fn event(mail: &Value, kind: &str, details: Value) -> String {
    let mut tags = json!({ "ses:configuration-set": ["assent-mail"] });
    for tag in list(mail, "/EmailTags") {
        tags[tag["Name"].as_str().unwrap_or_default()] = json!([tag["Value"]]);
    }
    let mut event = json!({
        "eventType": kind,
        "mail": { "destination": mail["Destination"]["ToAddresses"], "tags": tags },
    });
    event[kind.to_lowercase()] = details;
    event.to_string()
}

/// Returns the event of a mail whose address does not exist.
#[must_use]
pub fn bounced(mail: &Value) -> String {
    let recipient =
        json!({ "emailAddress": mail["Destination"]["ToAddresses"][0], "status": "5.1.1" });
    let details = json!({
        "bounceType": "Permanent", "bounceSubType": "General", "bouncedRecipients": [recipient],
    });
    event(mail, "Bounce", details)
}

/// Returns the event of a mail that its reader marked as spam.
#[must_use]
pub fn complained(mail: &Value) -> String {
    event(mail, "Complaint", json!({ "complaintFeedbackType": "abuse", "complaintSubType": null }))
}
