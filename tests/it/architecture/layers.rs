//! The dependencies between packages. A new one starts as a line here that a reviewer sees.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use super::{cargo, root};

/// A package, the packages it may always use, and those that only its Lambda binary may use.
type Layer = (&'static str, &'static [&'static str], &'static [&'static str]);

const LAYERS: &[Layer] = &[
    (
        "agents",
        &["domain", "intake", "ports", "records", "texts"],
        &["channels", "lambda", "processors", "sandbox"],
    ),
    ("channels", &["domain", "ports", "texts"], &[]),
    ("commands", &["domain", "ports"], &[]),
    (
        "consent-callback",
        &["domain", "ports", "records", "texts"],
        &["channels", "lambda", "processors", "sandbox"],
    ),
    ("domain", &[], &[]),
    ("dynamodb", &["domain", "ports"], &[]),
    ("embedded", &["domain", "ports"], &[]),
    ("fetch-info", &["domain", "ports", "records"], &["lambda", "processors", "sandbox"]),
    ("https", &["domain", "ports"], &[]),
    (
        "intake",
        &["domain", "ports", "prompts", "records", "texts"],
        &["channels", "lambda", "processors", "sandbox"],
    ),
    // It has dependencies of its tests alone.
    ("it", &[], &[]),
    (
        "lambda",
        &["domain", "dynamodb", "https", "lambda-events", "ports", "secretsmanager", "sqs"],
        &[],
    ),
    ("lambda-events", &["domain", "ports"], &[]),
    (
        "local",
        &[
            "agents",
            "channels",
            "commands",
            "consent-callback",
            "domain",
            "embedded",
            "fetch-info",
            "https",
            "intake",
            "ports",
            "processors",
            "sandbox",
            "send-prompt",
            "texts",
        ],
        &[],
    ),
    ("ports", &["domain"], &[]),
    ("processors", &["domain", "ports"], &[]),
    ("prompts", &["domain", "ports", "texts"], &[]),
    ("records", &["domain", "ports"], &[]),
    ("sandbox", &["channels", "domain", "ports", "processors", "records", "texts"], &[]),
    ("secretsmanager", &["domain", "ports"], &[]),
    (
        "send-prompt",
        &["domain", "ports", "prompts", "records", "texts"],
        &["channels", "lambda", "sandbox"],
    ),
    ("sqs", &["domain", "ports"], &[]),
    (
        "tests",
        &[
            "agents",
            "channels",
            "consent-callback",
            "domain",
            "embedded",
            "https",
            "intake",
            "lambda-events",
            "local",
            "ports",
            "processors",
            "records",
            "sandbox",
            "texts",
        ],
        &[],
    ),
    ("texts", &["domain", "ports"], &[]),
];

/// The adapters that link an AWS SDK or the Lambda runtime.
const AWS: [&str; 4] = ["dynamodb", "lambda", "secretsmanager", "sqs"];

/// Returns the packages of ours that only a function's Lambda binary uses, those wired by `lambda` among them.
pub(super) fn wired(package: &str) -> BTreeSet<&'static str> {
    let layer = |package| LAYERS.iter().find(|(name, ..)| *name == package).unwrap();
    let own = layer(package).2;
    assert!(own.contains(&"lambda"), "{package} is wired by lambda");
    own.iter().chain(layer("lambda").1).copied().collect()
}

pub(super) fn packages() -> Vec<Value> {
    let metadata = cargo(&["metadata", "--no-deps", "--format-version", "1"]);
    let metadata: Value = serde_json::from_str(&metadata).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

#[test]
fn package_uses_only_what_the_table_allows() {
    let packages = packages();
    let name = |value: &Value| value["name"].as_str().unwrap().to_owned();
    let ours: BTreeSet<String> = packages.iter().map(name).collect();
    let listed: BTreeSet<String> = LAYERS.iter().map(|(name, ..)| (*name).to_owned()).collect();
    assert_eq!(ours, listed);
    for package in &packages {
        let (_, always, lambda) =
            LAYERS.iter().find(|(known, ..)| *known == name(package)).unwrap();
        let uses = |kind: &Value, optional: bool| -> BTreeSet<String> {
            let all = package["dependencies"].as_array().unwrap().iter();
            let some = all.filter(|used| used["kind"] == *kind && used["optional"] == optional);
            some.map(name).filter(|used| ours.contains(used)).collect()
        };
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let expected: BTreeSet<String> = set(always);
        assert_eq!(uses(&Value::Null, false), expected, "{}", name(package));
        let expected: BTreeSet<String> = set(lambda);
        assert_eq!(uses(&Value::Null, true), expected, "{}", name(package));
        // Tests of one package use the domain and the ports' contract tests. What needs more is in `it`.
        let for_tests = uses(&"dev".into(), false);
        assert!(
            name(package) == "it"
                || for_tests.iter().all(|used| ["domain", "ports"].contains(&used.as_str())),
            "{} {for_tests:?}",
            name(package)
        );
    }
}

#[test]
fn package_is_where_its_name_says() {
    for package in packages() {
        let name = package["name"].as_str().unwrap();
        let manifest = package["manifest_path"].as_str().unwrap();
        let folders =
            ["functions/", "shared/", "tests/", ""].map(|folder| format!("{folder}{name}"));
        let found =
            folders.iter().any(|folder| manifest.ends_with(&format!("/{folder}/Cargo.toml")));
        assert!(found, "{name} is at {manifest}");
    }
}

/// Without it, neither the compiler's nor clippy's lints of the workspace apply to the package.
#[test]
fn package_has_the_lints_of_the_workspace() {
    for package in packages() {
        let manifest = package["manifest_path"].as_str().unwrap();
        let text = fs::read_to_string(manifest).unwrap();
        assert!(text.contains("\n[lints]\nworkspace = true\n"), "{manifest}");
    }
}

/// Returns the names of all packages that a package links, itself among them.
fn linked(package: &str, kinds: &str) -> BTreeSet<String> {
    let tree = cargo(&["tree", "-p", package, "-e", kinds, "--prefix", "none"]);
    tree.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

#[test]
fn local_and_tests_link_no_aws_sdk() {
    for (package, kinds) in [("local", "normal"), ("tests", "normal,dev"), ("it", "normal,dev")] {
        let linked = linked(package, kinds);
        let found: Vec<&String> = linked
            .iter()
            .filter(|name| name.starts_with("aws-") || AWS.contains(&name.as_str()))
            .collect();
        assert!(found.is_empty(), "{package} links {found:?}");
    }
}

/// The commands are for people at a terminal, and no function carries their weight.
#[test]
fn function_links_no_commands() {
    for package in ["agents", "consent-callback", "fetch-info", "intake", "lambda", "send-prompt"] {
        let linked = linked(package, "normal");
        let found: Vec<&str> =
            ["clap", "commands"].into_iter().filter(|name| linked.contains(*name)).collect();
        assert!(found.is_empty(), "{package} links {found:?}");
    }
}

#[test]
fn domain_touches_nothing() {
    let linked = linked("domain", "normal");
    let outside = ["axum", "hyper", "mio", "rusqlite", "rustls", "socket2", "tokio", "getrandom"];
    let found: Vec<&&str> = outside.iter().filter(|name| linked.contains(**name)).collect();
    assert!(found.is_empty(), "the domain links {found:?}");
}

/// The domain decides. Waiting for an answer is the business of what calls it.
#[test]
fn domain_has_no_async_code() {
    let mut found = Vec::new();
    let mut folders = vec![root().join("shared/domain/src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let source = fs::read_to_string(&path).unwrap();
                let code = source.lines().filter(|line| !line.trim_start().starts_with("//"));
                let waits = |line: &str| {
                    let mut words = line.split(|c: char| !c.is_alphanumeric() && c != '_');
                    words.any(|word| word == "async" || word == "await")
                };
                found.extend(
                    code.filter(|line| waits(line)).map(|line| format!("{path:?}: {line}")),
                );
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn channels_and_processors_link_no_network_or_storage() {
    for package in ["channels", "processors", "sandbox"] {
        let linked = linked(package, "normal");
        let outside = ["axum", "hyper", "mio", "rusqlite", "rustls", "socket2", "tokio"];
        let found: Vec<&&str> = outside.iter().filter(|name| linked.contains(**name)).collect();
        assert!(found.is_empty(), "{package} links {found:?}");
    }
}

/// Assent relays wallet tokens that it has no key for. Decrypting them is account data in the sense of PCI DSS.
#[test]
fn functions_link_nothing_that_decrypts_wallet_tokens() {
    for package in ["agents", "consent-callback", "fetch-info", "intake", "local", "send-prompt"] {
        let linked = linked(package, "normal,build,dev");
        let found: Vec<&str> =
            ["p256", "x509-cert"].into_iter().filter(|name| linked.contains(*name)).collect();
        assert!(found.is_empty(), "{package} links {found:?}");
    }
}
