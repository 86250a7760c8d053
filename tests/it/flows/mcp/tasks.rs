//! The tasks extension: a task is a request.

use serde_json::{Value, json};

use super::{does, payment, posts, result, world};

const TASKS: &str = "io.modelcontextprotocol/tasks";

/// Returns parameters of a client that takes tasks.
fn with_tasks(params: Value) -> Value {
    let mut params = params;
    params["_meta"] =
        json!({ "io.modelcontextprotocol/clientCapabilities": { "extensions": { TASKS: {} } } });
    params
}

#[test]
fn task_is_the_request_and_ends_with_the_tools_answer() {
    let world = world();
    let call = json!({ "name": "request_payment", "arguments": payment("call-1", 4250) });
    let task = result(&world, "tools/call", &with_tasks(call));
    assert_eq!((&task["resultType"], &task["status"]), (&json!("task"), &json!("working")));
    assert_eq!(task["pollIntervalMs"], 2_000);
    let id = task["taskId"].as_str().unwrap().to_owned();
    assert!(id.starts_with("req_"), "{task}");
    let get = with_tasks(json!({ "taskId": id }));
    world.run_until_idle();
    let working = result(&world, "tasks/get", &get);
    assert_eq!(
        (&working["status"], &working["resultType"]),
        (&json!("working"), &json!("complete"))
    );
    // The code to read out is in the sentence.
    let request = json!({ "request_id": id });
    let code = does(&world, "read_request", &request)["session_code"].as_str().unwrap().to_owned();
    let said: String =
        working["statusMessage"].as_str().unwrap().chars().filter(char::is_ascii_digit).collect();
    assert_eq!(said, code);
    assert!(working["lastUpdatedAt"].as_str() >= working["createdAt"].as_str(), "{working}");
    assert!(working["ttlMs"].as_u64() > Some(300_000), "{working}");
    world.customer().approves().ok(200);
    world.run_until_idle();
    let done = result(&world, "tasks/get", &get);
    assert_eq!(done["status"], "completed");
    assert_eq!(done["result"]["structuredContent"], does(&world, "read_request", &request));
    assert_eq!(done["result"]["structuredContent"]["state"], "fulfilled");
    result(&world, "tasks/cancel", &get);
    assert_eq!(result(&world, "tasks/get", &get)["status"], "completed");
}

#[test]
fn task_is_cancelled_with_its_request() {
    let world = world();
    let asked = does(&world, "request_payment", &payment("call-1", 4250));
    let get = with_tasks(json!({ "taskId": asked["request_id"] }));
    assert_eq!(result(&world, "tasks/get", &get)["status"], "working");
    result(
        &world,
        "tasks/update",
        &with_tasks(json!({ "taskId": asked["request_id"], "inputResponses": {} })),
    );
    result(&world, "tasks/cancel", &get);
    let cancelled = result(&world, "tasks/get", &get);
    assert_eq!(cancelled["status"], "cancelled");
    assert!(cancelled["result"].is_null(), "{cancelled}");
    world.run_until_idle();
}

#[test]
fn task_needs_a_client_that_takes_tasks() {
    let world = world();
    let foreign = world.asks(4250);
    let undeclared = posts(&world, "tasks/get", &json!({ "taskId": foreign.id })).ok(400).json();
    assert_eq!(undeclared["error"]["code"], -32_021);
    let required = &undeclared["error"]["data"]["requiredCapabilities"]["extensions"];
    assert!(required[TASKS].is_object(), "{undeclared}");
    // A stolen id is no task of this caller.
    for method in ["tasks/get", "tasks/cancel", "tasks/update"] {
        let refused = posts(&world, method, &with_tasks(json!({ "taskId": foreign.id }))).json();
        assert_eq!(refused["error"]["code"], -32_602, "{refused}");
    }
    assert_eq!(world.state(&foreign), "prompted");
    world.acts(&foreign, "cancel", &json!({})).ok(200);
    world.run_until_idle();
}
