//! `listen`: forwards a deployment's events to a URL on this machine, signed as webhooks are.
//!
//! The events come over TLS from the API, with the requester's key, so that no stranger can make one. They are signed with a
//! secret of the listener's own, since the deployment shows its secrets to no caller.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use domain::webhook;
use http::Request;
use http::header::CONTENT_TYPE;
use ports::Reach;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use crate::Context;
use crate::api::Api;
use crate::arguments::ListenArguments;
use crate::brand;
use crate::failure::{Exit, Failure};
use crate::input;

/// The pause between two looks at the events.
const PAUSE: Duration = Duration::from_secs(2);
/// The time for an answer of the local URL.
const TIMEOUT: Duration = Duration::from_secs(15);
/// The most pages of one look.
const PAGES_MAX: usize = 50;

/// Forwards events until an interrupt, or until enough were forwarded.
///
/// # Errors
/// [`Failure`] where the API refuses the key, or a secret cannot be used.
pub(crate) async fn run(context: &Context, arguments: &ListenArguments) -> Result<Exit, Failure> {
    let api = Api::open(context, &arguments.access)?;
    let target = arguments.forward_to.parse::<http::Uri>();
    if !target.is_ok_and(|uri| uri.scheme().is_some() && uri.authority().is_some()) {
        return Err(Failure::usage("--forward-to is no URL, such as http://localhost:3000/hooks"));
    }
    let secret = secret(context, arguments)?;
    if let Err(error) = webhook::signing_key(secret.expose_secret()) {
        return Err(Failure::usage(error.to_string()));
    }
    let forwarder = Forwarder { context, target: &arguments.forward_to, secret };
    // Without `--since`, the events that are there already are not forwarded.
    let mut known = match &arguments.since {
        Some(_) => BTreeSet::new(),
        None => {
            page(&api, None).await?.0.iter().map(|event| text(event, "/id").to_owned()).collect()
        }
    };
    let since = arguments.since.clone().unwrap_or_else(|| context.clock.now().to_string());
    context.output.note(&format!("Forwarding events to {}.", arguments.forward_to))?;
    let mut left = arguments.events;
    loop {
        let events = match unknown(&api, &known, &since).await {
            Ok(events) => events,
            // A deployment that does not answer for a while loses no event.
            Err(failure) if failure.exit == Exit::NoAnswer => {
                context.output.note(&format!("{failure}; trying again"))?;
                Vec::new()
            }
            Err(failure) => return Err(failure),
        };
        for event in events {
            if left == Some(0) {
                return Ok(Exit::Done);
            }
            forwarder.forward(&event).await?;
            known.insert(text(&event, "/id").to_owned());
            left = left.map(|left| left.saturating_sub(1));
        }
        if left == Some(0) {
            return Ok(Exit::Done);
        }
        context.clock.wait(PAUSE).await;
    }
}

/// Returns the secret that signs. A new one is shown, as the receiver needs it.
fn secret(context: &Context, arguments: &ListenArguments) -> Result<SecretString, Failure> {
    let variable = (context.variable)("ASSENT_WEBHOOK_SECRET").filter(|value| !value.is_empty());
    match (&arguments.secret_file, variable) {
        (Some(path), _) => input::secret(path),
        (None, Some(secret)) => Ok(secret.trim().to_owned().into()),
        (None, None) => {
            let secret = format!("whsec_{}", brand::secret(context.random.as_ref()));
            context.output.note(&format!("Events are signed with {secret}"))?;
            Ok(secret.into())
        }
    }
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// Reads a page of events, newest first, and the cursor of the next one.
async fn page(
    api: &Api<'_>,
    cursor: Option<&str>,
) -> Result<(Vec<Value>, Option<String>), Failure> {
    let cursor = cursor.map_or(String::new(), |cursor| {
        let cursor: String = form_urlencoded::byte_serialize(cursor.as_bytes()).collect();
        format!("&cursor={cursor}")
    });
    let answer = api.get(&format!("/v1/events?limit=100{cursor}")).await?;
    let events = answer.get("events").and_then(Value::as_array).cloned().unwrap_or_default();
    let next = answer.get("next_cursor").and_then(Value::as_str).map(str::to_owned);
    Ok((events, next))
}

/// Reads the events that were not forwarded yet, oldest first.
async fn unknown(
    api: &Api<'_>,
    known: &BTreeSet<String>,
    since: &str,
) -> Result<Vec<Value>, Failure> {
    let mut found = Vec::new();
    let mut cursor: Option<String> = None;
    for _ in 0..PAGES_MAX {
        let (events, next) = page(api, cursor.as_deref()).await?;
        // Two events of one millisecond may be listed in either order, so a page is read to its end.
        let is_older = |event: &Value| text(event, "/created_at") < since;
        let reaches_known =
            events.iter().any(|event| is_older(event) || known.contains(text(event, "/id")));
        let is_new = |event: &Value| !is_older(event) && !known.contains(text(event, "/id"));
        found.extend(events.into_iter().filter(is_new));
        if reaches_known || next.is_none() {
            break;
        }
        cursor = next;
    }
    found.reverse();
    Ok(found)
}

/// Delivers events to the local URL.
struct Forwarder<'a> {
    context: &'a Context,
    target: &'a str,
    secret: SecretString,
}

impl Forwarder<'_> {
    /// Delivers an event as a webhook, and prints how the receiver answers.
    async fn forward(&self, event: &Value) -> Result<(), Failure> {
        let (id, kind) = (text(event, "/id"), text(event, "/type"));
        let body = event.get("payload").unwrap_or(&Value::Null).to_string();
        let now = self.context.clock.now();
        let secrets = std::iter::once(self.secret.expose_secret());
        let signature = webhook::signature(secrets, id, now, &body);
        let signature = signature.map_err(|error| Failure::usage(error.to_string()))?;
        let request = Request::post(self.target)
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", now.as_secs().to_string())
            .header("webhook-signature", signature)
            .body(Bytes::from(body))?;
        let answer = self.context.http.call(request, Reach::Configured, TIMEOUT).await;
        let (status, shown) = match answer {
            Ok(answer) => (Some(answer.status().as_u16()), answer.status().to_string()),
            Err(error) => (None, ports::error_chain(&error)),
        };
        let line = format!("{}  {kind}  {id}  -> {shown}", text(event, "/created_at"));
        let value = json!({
            "event": id, "type": kind, "request": event.get("request"), "status": status, "answer": shown,
        });
        self.context.output.result(&line, &value)
    }
}

#[cfg(test)]
mod tests;
