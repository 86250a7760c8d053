//! Holds calls, answers and webhook events to the description of the API, `functions/intake/openapi.json`.
//!
//! The harness hands every call to [`check`], and every webhook event to [`check_webhook`]. Answers are checked closed: a
//! member that the description does not name fails, although callers must tolerate it.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a call that breaks the description fails the test it is in"
)]

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex};

use domain::values::numbering::number_facts;
use domain::values::phone::Phone;
use domain::values::text::{DisplayText, contact_detail};
use http::{HeaderMap, Method};
use jsonschema::{Draft, Validator};
use serde_json::{Map, Value, json};

use crate::lock::lock;

/// The description. It is read as a file, so that a change of it needs no build.
pub static DESCRIPTION: LazyLock<Value> = LazyLock::new(|| {
    let path = crate::project_folder().join("functions/intake/openapi.json");
    let text = std::fs::read_to_string(path).expect("the description is there");
    serde_json::from_str(&text).expect("the description is JSON")
});

/// The validators that were built so far, by schema and reading.
type Validators = BTreeMap<(String, Reading), Arc<Validator>>;

static VALIDATORS: LazyLock<Mutex<Validators>> = LazyLock::new(Mutex::default);
/// The validators of query parameters, by the text of their schema.
static OF_PARAMETERS: LazyLock<Mutex<BTreeMap<String, Arc<Validator>>>> =
    LazyLock::new(Mutex::default);

/// One call and its answer.
#[derive(Clone, Copy, Debug)]
pub struct Exchange<'a> {
    /// The method of the call.
    pub method: &'a Method,
    /// The path and the query.
    pub uri: &'a str,
    /// The headers of the call.
    pub sent_headers: &'a HeaderMap,
    /// The body of the call.
    pub sent: &'a [u8],
    /// The status of the answer.
    pub status: u16,
    /// The headers of the answer.
    pub headers: &'a HeaderMap,
    /// The body of the answer.
    pub body: &'a [u8],
}

/// An operation of the description.
#[derive(Clone, Copy, Debug)]
pub struct Operation<'a> {
    /// The path with its placeholders.
    pub path: &'a str,
    /// The path item, which has parameters of its own.
    pub item: &'a Value,
    /// The method, in lower case.
    pub method: &'a str,
    /// The operation itself.
    pub value: &'a Value,
}

/// Follows references within the description.
#[must_use]
pub fn resolve(mut value: &'static Value) -> &'static Value {
    while let Some(reference) = value["$ref"].as_str() {
        let pointer = reference.strip_prefix('#').expect("references stay within the file");
        let found = DESCRIPTION.pointer(pointer);
        value = found.unwrap_or_else(|| panic!("{reference} leads nowhere"));
    }
    value
}

/// Returns every operation below `paths`.
#[must_use]
pub fn operations() -> Vec<Operation<'static>> {
    let mut found = Vec::new();
    for (path, item) in DESCRIPTION["paths"].as_object().into_iter().flatten() {
        for (method, value) in item.as_object().into_iter().flatten() {
            if method != "parameters" {
                found.push(Operation { path, item, method, value });
            }
        }
    }
    found
}

/// The strictness with which a value is held to its schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reading {
    /// A body of a brand whose policy allows links in texts.
    Body,
    /// A body of a brand with the usual policy.
    StrictBody,
    /// An answer, which has no member that its schema does not name.
    Answer,
    /// An answer of a later release, which may have more members.
    LaterAnswer,
}

/// Returns the schema of that name as a validator.
#[must_use]
pub fn validator(name: &str, reading: Reading) -> Arc<Validator> {
    let key = (name.to_owned(), reading);
    if let Some(known) = lock(&VALIDATORS).get(&key) {
        return Arc::clone(known);
    }
    let mut schemas = DESCRIPTION["components"]["schemas"].clone();
    if reading == Reading::Answer {
        close(&mut schemas);
    }
    let schema = json!({
        "$ref": format!("#/components/schemas/{name}"),
        "components": { "schemas": schemas },
    });
    let built = Arc::new(build(&schema, reading));
    lock(&VALIDATORS).insert(key, Arc::clone(&built));
    built
}

/// Returns the validator of a query parameter.
fn of_parameter(schema: &Value) -> Arc<Validator> {
    let mut known = lock(&OF_PARAMETERS);
    let built = known.entry(schema.to_string());
    Arc::clone(built.or_insert_with(|| Arc::new(build(schema, Reading::Body))))
}

/// Builds a validator that knows the description's own formats.
fn build(schema: &Value, reading: Reading) -> Validator {
    let may_lead = reading != Reading::StrictBody;
    let options = jsonschema::options()
        .with_draft(Draft::Draft202012)
        .should_validate_formats(true)
        .with_format("e164", |text: &str| {
            text.parse::<Phone>().is_ok_and(|phone| number_facts(&phone).is_ok())
        })
        .with_format("display-text", move |text: &str| {
            let leads = contact_detail(text).is_some();
            DisplayText::<500>::new(text).is_ok() && (may_lead || !leads)
        });
    options
        .build(schema)
        .unwrap_or_else(|error| panic!("the description has a bad schema: {error}"))
}

/// Allows no member that a schema does not name.
fn close(value: &mut Value) {
    match value {
        Value::Object(map) => {
            if map.get("properties").is_some_and(Value::is_object)
                && map.contains_key("type")
                && !map.contains_key("additionalProperties")
            {
                map.insert("additionalProperties".to_owned(), json!(false));
            }
            map.values_mut().for_each(close);
        }
        Value::Array(values) => values.iter_mut().for_each(close),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Returns how a value breaks a schema, or nothing.
#[must_use]
pub fn faults(name: &str, reading: Reading, value: &Value) -> Vec<String> {
    let validator = validator(name, reading);
    validator
        .iter_errors(value)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

/// Returns the name of the schema of a JSON body.
#[must_use]
pub fn schema_name(content: &Value, media_type: &str) -> Option<String> {
    let reference = content[media_type]["schema"]["$ref"].as_str()?;
    reference.strip_prefix("#/components/schemas/").map(str::to_owned)
}

/// Returns whether a path is one of those that a pattern with placeholders names.
fn matches_path(pattern: &str, path: &str) -> bool {
    let (pattern, path): (Vec<&str>, Vec<&str>) =
        (pattern.split('/').collect(), path.split('/').collect());
    pattern.len() == path.len()
        && pattern
            .iter()
            .zip(&path)
            .all(|(known, part)| (known.starts_with('{') && !part.is_empty()) || known == part)
}

/// Fails the test where a call or its answer is not as described.
///
/// # Panics
/// With what differs.
pub fn check(exchange: Exchange<'_>) {
    let Exchange { method, uri, status, headers, body, .. } = exchange;
    let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
    let content_type = headers.get("content-type").map_or("", |value| value.to_str().unwrap_or(""));
    let answer_json = serde_json::from_slice::<Value>(body).unwrap_or_default();
    if content_type == "application/problem+json" {
        let faults = faults("Problem", Reading::Answer, &answer_json);
        assert!(
            faults.is_empty(),
            "{method} {uri} answered {answer_json}, which is no problem: {faults:?}"
        );
    }
    if !path.starts_with("/v1") || [Method::HEAD, Method::OPTIONS].contains(method) {
        return;
    }
    let described = operations().into_iter().filter(|one| matches_path(one.path, path));
    let described: Vec<_> = described.collect();
    let name = method.as_str().to_lowercase();
    let Some(operation) = described.iter().find(|one| one.method == name) else {
        let expected = if described.is_empty() { 404 } else { 405 };
        assert_eq!(status, expected, "{method} {uri} is not described, and answered {answer_json}");
        return;
    };
    check_answer(exchange, *operation, content_type, &answer_json);
    if status < 300 {
        check_query(*operation, query);
    }
    check_body(exchange, *operation, &answer_json);
}

fn check_answer(
    exchange: Exchange<'_>,
    operation: Operation<'static>,
    content_type: &str,
    answer_json: &Value,
) {
    let Exchange { method, uri, status, headers, .. } = exchange;
    let responses = operation.value["responses"].as_object().expect("an operation has responses");
    let response = responses.get(&status.to_string());
    let response = response
        .unwrap_or_else(|| panic!("{method} {uri}: {status} is not described: {answer_json}"));
    let response = resolve(response);
    let content = &response["content"];
    let schema = schema_name(content, content_type);
    let schema =
        schema.unwrap_or_else(|| panic!("{method} {uri}: {content_type:?} is not described"));
    let faults = faults(&schema, Reading::Answer, answer_json);
    assert!(
        faults.is_empty(),
        "{method} {uri} answered {answer_json}, which is no {schema}: {faults:#?}"
    );
    if let Some(code) = answer_json["code"].as_str().filter(|_| schema == "Problem") {
        let examples = content[content_type]["examples"].as_object().expect("problems are listed");
        let is_listed = examples.values().any(|one| resolve(one)["value"]["code"] == code);
        assert!(is_listed, "{method} {uri}: {code} is not listed under {status}");
    }
    for name in ["location", "retry-after", "www-authenticate", "idempotency-replayed", "accept"] {
        let described = response["headers"].as_object().into_iter().flatten();
        let described = described.into_iter().any(|(known, _)| known.eq_ignore_ascii_case(name));
        // A ceiling that no waiting helps against has no time to wait.
        let is_optional =
            name == "idempotency-replayed" || (name == "retry-after" && status == 403);
        let found = headers.contains_key(name);
        assert!(
            found == described || (is_optional && !found),
            "{method} {uri}: the header {name} of {status} is {found}, and described: {described}"
        );
    }
}

/// Returns the parameters of an operation that stand in that place.
#[must_use]
pub fn parameters(operation: Operation<'static>, place: &str) -> Vec<&'static Value> {
    let lists = [&operation.item["parameters"], &operation.value["parameters"]];
    let all = lists.into_iter().filter_map(Value::as_array).flatten().map(resolve);
    all.filter(|one| one["in"] == place).collect()
}

fn check_query(operation: Operation<'static>, query: &str) {
    let known = parameters(operation, "query");
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let found = known.iter().find(|one| one["name"] == *name);
        let found = found.unwrap_or_else(|| panic!("{}: {name} is not described", operation.path));
        let schema = resolve(&found["schema"]);
        let value = match schema["type"].as_str() {
            Some("integer") => value.parse::<u64>().map_or(Value::Null, Value::from),
            _ => Value::from(value.as_ref()),
        };
        assert!(
            of_parameter(schema).is_valid(&value),
            "{}: {name}={value} was taken",
            operation.path
        );
    }
}

/// Checks a body both ways: a body that was taken is as described, and one that was refused is not.
fn check_body(exchange: Exchange<'_>, operation: Operation<'static>, answer_json: &Value) {
    let Exchange { method, uri, sent_headers, sent, status, .. } = exchange;
    let request = &operation.value["requestBody"];
    let Some(schema) = schema_name(&request["content"], "application/json") else {
        assert!(sent.is_empty() || status >= 300, "{method} {uri} took a body");
        return;
    };
    if sent.is_empty() {
        let is_required = request["required"] == true;
        assert!(!is_required || status >= 300, "{method} {uri} took no body");
        return;
    }
    let Ok(value) = serde_json::from_slice::<Value>(sent) else { return };
    if status < 300 {
        let broken = faults(&schema, Reading::Body, &value);
        assert!(broken.is_empty(), "{method} {uri} took {value}: {broken:#?}");
    }
    let refused = answer_json["errors"].as_array().filter(|_| status == 400);
    let is_live = sent_headers
        .get("authorization")
        .is_some_and(|key| key.to_str().unwrap_or_default().contains("sk_live_"));
    // No schema says which members come twice, which cursor is of another list, nor which request was denied.
    let is_beyond =
        |fault: &Value| ["repeated", "cursor", "denied"].iter().any(|code| fault["code"] == *code);
    let by_schema = |fault: &Value| fault.get("pointer").is_some() && !is_beyond(fault);
    if !is_live && refused.is_some_and(|faults| faults.iter().any(by_schema)) {
        let broken = faults(&schema, Reading::StrictBody, &value);
        assert!(
            !broken.is_empty(),
            "{method} {uri} refused {value}, which is described: {answer_json}"
        );
    }
}

/// Fails the test where a webhook event is not as described.
///
/// # Panics
/// With what differs.
pub fn check_webhook(headers: &HeaderMap, body: &[u8]) {
    let event: Value = serde_json::from_slice(body).expect("a webhook event is JSON");
    let kind = event["type"].as_str().expect("a webhook event has a type");
    let described = &DESCRIPTION["webhooks"][kind]["post"];
    assert!(described.is_object(), "{kind} is not described");
    let content = &described["requestBody"]["content"];
    let schema = schema_name(content, "application/json").expect("an event has a schema");
    let faults = faults(&schema, Reading::Answer, &event);
    assert!(faults.is_empty(), "{event} is no {schema}: {faults:#?}");
    for parameter in described["parameters"].as_array().into_iter().flatten().map(resolve) {
        let name = parameter["name"].as_str().expect("a parameter has a name");
        assert!(headers.contains_key(name), "{kind} came without {name}");
    }
}

/// Returns the named examples in a `content` object, with their values.
#[must_use]
pub fn examples(content: &'static Value) -> Map<String, Value> {
    let mut found = Map::new();
    for media_type in content.as_object().into_iter().flat_map(Map::values) {
        for (name, example) in media_type["examples"].as_object().into_iter().flatten() {
            found.insert(name.clone(), resolve(example)["value"].clone());
        }
    }
    found
}
