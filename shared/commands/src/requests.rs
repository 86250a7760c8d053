//! `request create`, `get`, `watch` and `cancel`.

use std::time::Duration;

use domain::random::Random;
use serde_json::{Map, Value, json};

use crate::Context;
use crate::api::Api;
use crate::arguments::{NewRequest, RequestCommand, WatchRequest};
use crate::failure::{Exit, Failure};
use crate::input;

/// The states that never change any more.
const ENDED: [&str; 6] = ["fulfilled", "failed", "denied", "expired", "cancelled", "undeliverable"];
/// The longest wait of one read, in seconds.
const WAIT_MAX: u64 = 20;

/// Runs a command on requests.
///
/// # Errors
/// [`Failure`].
pub(crate) async fn run(context: &Context, command: RequestCommand) -> Result<Exit, Failure> {
    let (request, exit) = match command {
        RequestCommand::Create(arguments) => {
            let api = Api::open(context, &arguments.access)?;
            (create(context, &api, &arguments).await?, Exit::Done)
        }
        RequestCommand::Get(known) => {
            let api = Api::open(context, &known.access)?;
            (api.get(&path(&known.id)?).await?, Exit::Done)
        }
        RequestCommand::Cancel(known) => {
            let api = Api::open(context, &known.access)?;
            let path = format!("{}/cancel", path(&known.id)?);
            (api.post(&path, None, None).await?, Exit::Done)
        }
        RequestCommand::Watch(arguments) => return watch(context, &arguments).await,
    };
    context.output.result(&describe(&request), &request)?;
    Ok(exit)
}

/// Returns the path of a request. An id is one part of a path.
pub(crate) fn path(id: &str) -> Result<String, Failure> {
    if id.starts_with("req_") && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    {
        Ok(format!("/v1/requests/{id}"))
    } else {
        Err(Failure::usage(format!("`{id}` is not the id of a request (req_…)")))
    }
}

async fn create(
    context: &Context,
    api: &Api<'_>,
    arguments: &NewRequest,
) -> Result<Value, Failure> {
    let body = match &arguments.body {
        Some(path) => serde_json::from_str(&input::text(path)?)
            .map_err(|error| Failure::usage(format!("{} is not JSON: {error}", path.display())))?,
        None => body(context, arguments),
    };
    let drawn = format!("cli-{}", fresh(context.random.as_ref()));
    let key = arguments.idempotency_key.clone().unwrap_or(drawn);
    let made = api.post("/v1/requests", Some(&body), Some(&key)).await;
    made.map_err(|failure| match failure.exit {
        // Without an answer the request may exist, so a repeat must use the same key.
        Exit::NoAnswer => failure.with_remedy(format!("repeat it with --idempotency-key {key}")),
        Exit::Done
        | Exit::Failed
        | Exit::Usage
        | Exit::Refused
        | Exit::FaultFound
        | Exit::NotFulfilled
        | Exit::StillOpen => failure,
    })
}

fn body(context: &Context, arguments: &NewRequest) -> Value {
    let session = arguments.session.clone();
    let session = session.unwrap_or_else(|| format!("cli-{}", fresh(context.random.as_ref())));
    let mut body = Map::from_iter([
        ("customer".to_owned(), json!({ "phone": arguments.phone })),
        ("session".to_owned(), json!({ "kind": arguments.session_kind, "id": session })),
        (
            "ask".to_owned(),
            json!({
                "kind": "payment", "amount": arguments.amount, "currency": arguments.currency,
                "description": arguments.description,
            }),
        ),
    ]);
    if arguments.allow_duplicate {
        body.insert("allow_duplicate".to_owned(), json!(true));
    }
    if !arguments.channels.is_empty() {
        body.insert("channels".to_owned(), json!(arguments.channels));
    }
    Value::Object(body)
}

/// Draws a text that no other call has.
pub(crate) fn fresh(random: &dyn Random) -> String {
    let mut bytes = [0; 10];
    random.fill(&mut bytes);
    hex::encode(bytes)
}

fn text<'a>(request: &'a Value, pointer: &str) -> &'a str {
    request.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// Returns the request's state as a line for a person.
pub(crate) fn describe(request: &Value) -> String {
    let version = request.get("version").and_then(Value::as_u64).unwrap_or_default();
    let mut line =
        format!("{}  {}  version {version}", text(request, "/id"), text(request, "/state"));
    for (name, pointer) in [
        ("session code", "/session_code"),
        ("link", "/link"),
        ("transaction code", "/outcome/transaction_code"),
        ("code", "/outcome/code"),
        ("reason", "/outcome/reason"),
    ] {
        let value = text(request, pointer);
        if !value.is_empty() {
            line = format!("{line}  {name} {value}");
        }
    }
    line
}

/// Returns whether the request ended.
pub(crate) fn is_over(request: &Value) -> bool {
    ENDED.contains(&text(request, "/state"))
}

async fn watch(context: &Context, arguments: &WatchRequest) -> Result<Exit, Failure> {
    let api = Api::open(context, &arguments.access)?;
    let path = path(&arguments.id)?;
    let deadline = context.clock.now().after(Duration::from_secs(arguments.seconds));
    let mut request = api.get(&path).await?;
    let mut shown = None;
    loop {
        let version = request.get("version").and_then(Value::as_u64).unwrap_or_default();
        if shown != Some(version) {
            context.output.result(&describe(&request), &request)?;
            shown = Some(version);
        }
        if is_over(&request) {
            let is_fulfilled = text(&request, "/state") == "fulfilled";
            return Ok(if is_fulfilled { Exit::Done } else { Exit::NotFulfilled });
        }
        let left = context.clock.now().until(deadline).as_secs().min(WAIT_MAX);
        if left == 0 {
            return Ok(Exit::StillOpen);
        }
        request = api.get(&format!("{path}?wait={left}&after={version}")).await?;
    }
}
