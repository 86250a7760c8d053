//! Comparisons of the description's lists with the code, both ways.

use std::collections::BTreeSet;

use domain::ask::CLAIMS;
use domain::problem::Code;
use domain::request::LIFETIME_MAX;
use domain::values::money::{Currency, Money};
use serde_json::{Value, json};
use tests::openapi::{DESCRIPTION, Reading, examples, faults, operations, resolve, schema_name};

use crate::architecture::{read, routes};

/// Codes of answers that no call under `/v1` gets: webhooks of providers, the consent page, a wrong method.
const ELSEWHERE: [&str; 4] =
    ["callback-forged", "method-not-allowed", "session-code-missing", "settings-invalid"];

#[test]
fn described_routes_equal_router_routes() {
    let described: BTreeSet<(String, String)> = operations()
        .into_iter()
        .map(|operation| (operation.method.to_uppercase(), operation.path.to_owned()))
        .collect();
    let served: BTreeSet<(String, String)> = routes::served()
        .into_iter()
        .filter(|(function, _, path)| function == "intake" && path.starts_with("/v1"))
        .map(|(_, method, path)| (method, path))
        .collect();
    assert_eq!(described, served, "functions/intake/openapi.json and http_edge.rs differ");
}

#[test]
fn every_operation_has_its_own_id() {
    let ids: Vec<&str> =
        operations().iter().map(|one| one.value["operationId"].as_str().unwrap()).collect();
    let set: BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(set.len(), ids.len());
}

#[test]
fn described_codes_equal_those_of_the_code() {
    let mut described: BTreeSet<&str> = BTreeSet::new();
    for operation in operations() {
        let responses = operation.value["responses"].as_object().unwrap().iter();
        // The `code` of a brief answer is a session code.
        for (_, response) in responses.filter(|(status, _)| !status.starts_with('2')) {
            for example in examples(&resolve(response)["content"]).values() {
                if let Some(code) = example["code"].as_str() {
                    let known = Code::ALL.iter().map(|one| one.facts()).find(|one| one.0 == code);
                    let (code, status, title, _) = known.unwrap_or_else(|| panic!("{code}"));
                    assert_eq!(
                        (&example["status"], &example["title"]),
                        (&json!(status), &json!(title))
                    );
                    described.insert(code);
                }
            }
        }
    }
    described.extend(ELSEWHERE);
    let all: BTreeSet<&str> = Code::ALL.iter().map(|code| code.facts().0).collect();
    assert_eq!(described, all);
}

#[test]
fn described_events_equal_those_of_the_code() {
    let described: BTreeSet<&str> =
        DESCRIPTION["webhooks"].as_object().unwrap().keys().map(String::as_str).collect();
    let source = read("shared/domain/src/request/change.rs");
    let all: BTreeSet<&str> = source
        .split("=> \"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .filter(|name| name.starts_with("request.") || name.starts_with("webhook."))
        .collect();
    assert!(all.len() >= 20, "{all:?}");
    assert_eq!(described, all);
}

fn schema(pointer: &str) -> &'static Value {
    DESCRIPTION.pointer(&format!("/components/schemas/{pointer}")).unwrap()
}

#[test]
fn described_limits_equal_the_constants() {
    assert_eq!(schema("PaymentAsk/properties/amount/maximum"), Money::AMOUNT_MAX);
    assert_eq!(schema("RefundOrder/properties/amount/maximum"), Money::AMOUNT_MAX);
    for place in ["CreateRequest", "Extension"] {
        let pointer = format!("{place}/properties/expires_in/maximum");
        assert_eq!(schema(&pointer), LIFETIME_MAX.as_secs());
    }
    assert_eq!(schema("IdentityAsk/properties/claims/items/enum"), &json!(CLAIMS));
    let letters = || 'A'..='Z';
    let codes = letters()
        .flat_map(|a| letters().flat_map(move |b| letters().map(move |c| format!("{a}{b}{c}"))));
    let currencies: Vec<String> = codes.filter(|code| code.parse::<Currency>().is_ok()).collect();
    assert_eq!(schema("Currency/enum"), &json!(currencies));
}

/// Bodies of calls are closed, and answers open: callers tolerate what comes later.
#[test]
fn bodies_are_closed_and_answers_are_open() {
    for operation in operations() {
        let request = &operation.value["requestBody"]["content"];
        if let Some(name) = schema_name(request, "application/json") {
            assert!(!faults(&name, Reading::Body, &json!({ "surprise": 1 })).is_empty(), "{name}");
        }
        for response in operation.value["responses"].as_object().unwrap().values() {
            let content = &resolve(response)["content"];
            for example in content.as_object().unwrap().keys().zip(examples(content).values()) {
                let (media_type, value) = example;
                let name = schema_name(content, media_type).unwrap();
                let mut more = value.clone();
                more["surprise"] = json!(1);
                assert_eq!(
                    faults(&name, Reading::LaterAnswer, &more),
                    Vec::<String>::new(),
                    "{name}"
                );
            }
        }
    }
}

#[test]
fn every_example_has_the_form_of_its_schema() {
    let mut count = 0;
    let mut check = |content: &'static Value, reading: Reading, place: &str| {
        for media_type in content.as_object().into_iter().flatten().map(|(name, _)| name) {
            let name = schema_name(content, media_type).unwrap();
            let found = examples(content);
            assert!(!found.is_empty(), "{place} has no example");
            for (example, value) in found {
                let broken = faults(&name, reading, &value);
                assert!(broken.is_empty(), "{place} {example} is no {name}: {broken:#?}");
                count += 1;
            }
        }
    };
    for operation in operations() {
        let id = operation.value["operationId"].as_str().unwrap();
        check(&operation.value["requestBody"]["content"], Reading::StrictBody, id);
        for (status, response) in operation.value["responses"].as_object().unwrap() {
            check(&resolve(response)["content"], Reading::Answer, &format!("{id} {status}"));
        }
    }
    for (name, event) in DESCRIPTION["webhooks"].as_object().unwrap() {
        let content = &event["post"]["requestBody"]["content"];
        check(content, Reading::Answer, name);
        for value in examples(content).values() {
            assert_eq!(value["type"], name.as_str());
        }
    }
    assert!(count > 100, "{count}");
}
