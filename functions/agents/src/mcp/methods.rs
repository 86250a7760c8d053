//! The methods of the protocol, over the tools.

use domain::problem::Problem;
use serde_json::{Map, Value, json};

use super::catalog;
use super::message::{Call, RpcError};
use super::revision::{Revision, TASKS, takes_tasks};
use super::tasks;
use super::tools::{self, ToolCall};
use crate::asking::Asking;

/// How long a client may keep the list of tools, which depends on its key, in milliseconds.
const FRESH_MS: u64 = 300_000;

/// What a model is told before it calls.
const INSTRUCTIONS: &str = "Assent asks a customer on their own phone for a payment, a saved card or identity claims. \
    Ask only for what the customer agreed to in this conversation. Read session_code out, so that the customer can pick it on \
    the phone. Never ask for card numbers, codes or documents yourself. Call wait_for_outcome until over is true, and promise \
    nothing before the state is fulfilled. After a denial, do not ask again.";

/// Answers a call.
///
/// # Errors
/// An [`RpcError`]. What a model can mend is an answer of the tool instead.
pub(crate) async fn answer(
    asking: &Asking,
    call: &Call,
    revision: Revision,
) -> Result<Map<String, Value>, RpcError> {
    let alone = revision.stands_alone();
    let result = match call.method.as_str() {
        "initialize" if !alone => json!({
            "protocolVersion": revision.name(),
            "capabilities": { "tools": {} },
            "serverInfo": server_info(),
            "instructions": INSTRUCTIONS,
        }),
        "ping" if !alone => json!({}),
        "server/discover" if alone => json!({
            "supportedVersions": Revision::ALL.map(Revision::name),
            "capabilities": { "tools": {}, "extensions": { TASKS: {} } },
            "instructions": INSTRUCTIONS,
            "ttlMs": FRESH_MS,
            "cacheScope": "public",
        }),
        "tools/list" => list_tools(asking, call, revision)?,
        "tools/call" => call_tool(asking, call).await?,
        "tasks/get" | "tasks/cancel" | "tasks/update" if alone => on_task(asking, call).await?,
        _ => return Err(RpcError::new(RpcError::METHOD_NOT_FOUND, "the method is not known")),
    };
    let Value::Object(mut result) = result else { return Ok(Map::new()) };
    if alone {
        result.entry("resultType").or_insert_with(|| "complete".into());
        result.insert(
            "_meta".to_owned(),
            json!({ "io.modelcontextprotocol/serverInfo": server_info() }),
        );
    }
    Ok(result)
}

fn server_info() -> Value {
    json!({ "name": "assent", "title": "Assent", "version": env!("CARGO_PKG_VERSION") })
}

fn list_tools(asking: &Asking, call: &Call, revision: Revision) -> Result<Value, RpcError> {
    if call.params.contains_key("cursor") {
        return Err(RpcError::new(RpcError::INVALID_PARAMS, "the list has one page"));
    }
    let mut list = json!({ "tools": catalog::tools(&asking.requester().key) });
    if let Some(fields) = list.as_object_mut().filter(|_| revision.stands_alone()) {
        fields.insert("ttlMs".to_owned(), FRESH_MS.into());
        fields.insert("cacheScope".to_owned(), "private".into());
    }
    Ok(list)
}

async fn call_tool(asking: &Asking, call: &Call) -> Result<Value, RpcError> {
    let Some(name) = call.text("name") else {
        return Err(RpcError::new(RpcError::INVALID_PARAMS, "`name` is missing"));
    };
    let none = Map::new();
    let arguments = match call.params.get("arguments") {
        None | Some(Value::Null) => &none,
        Some(Value::Object(arguments)) => arguments,
        Some(_) => {
            let message = "`arguments` must be an object";
            return Err(RpcError::new(RpcError::INVALID_PARAMS, message));
        }
    };
    let call_id = call.meta(tools::CALL_ID).and_then(Value::as_str);
    let answered = tools::call(asking, ToolCall { name, arguments, call_id }).await;
    let answered = answered.ok_or_else(|| {
        RpcError::new(RpcError::INVALID_PARAMS, "no tool of this server has this name")
    })?;
    match answered.created() {
        Some(brief) if takes_tasks(call) => {
            tasks::created(asking, brief).await.map_err(|problem| failed(&problem))
        }
        Some(_) | None => Ok(answered.result()),
    }
}

async fn on_task(asking: &Asking, call: &Call) -> Result<Value, RpcError> {
    if !takes_tasks(call) {
        let required = json!({ "requiredCapabilities": { "extensions": { TASKS: {} } } });
        let message = "the client does not declare the extension for tasks";
        return Err(RpcError::new(RpcError::MISSING_CAPABILITY, message).with_data(required));
    }
    let Some(id) = call.text("taskId") else {
        return Err(RpcError::new(RpcError::INVALID_PARAMS, "`taskId` is missing"));
    };
    let done = match call.method.as_str() {
        "tasks/cancel" => tasks::cancel(asking, id).await,
        // No task wants input, so that an update has nothing to do.
        "tasks/update" => asking.read(id).await.map(|_known| json!({})),
        _ => tasks::get(asking, id).await,
    };
    done.map_err(|problem| failed(&problem))
}

/// The error of a task that cannot be read or cancelled.
fn failed(problem: &Problem) -> RpcError {
    let (_, status, title, _) = problem.code.facts();
    let code = if status < 500 { RpcError::INVALID_PARAMS } else { RpcError::INTERNAL };
    RpcError::new(code, format!("{title}: {}", problem.detail))
}
