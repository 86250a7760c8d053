//! The guards that a test can disable: all of them stand in production code, and none can be disabled there.

use domain::guards::Guard;
use serde_json::Value;
use tests::guards::{Witness, witness};
use tests::sim::scenario;

use super::files::production;
use super::layers::packages;
use super::{read, root};

/// The cargo feature that lets the environment disable a guard.
const FEATURE: &str = "mutation";

#[test]
fn mutation_feature_is_enabled_by_the_tests_only() {
    for package in packages() {
        let name = package["name"].as_str().unwrap();
        let mut enabled: Vec<(&str, &Value)> = Vec::new();
        for (feature, enables) in package["features"].as_object().unwrap() {
            if feature == FEATURE || enables.to_string().contains(FEATURE) {
                enabled.push((feature, enables));
            }
        }
        let expected: &[(&str, &Value)] = match name {
            "domain" => &[(FEATURE, &serde_json::json!([]))],
            "tests" => &[(FEATURE, &serde_json::json!(["domain/mutation"]))],
            _ => &[],
        };
        assert_eq!(enabled, expected, "{name}");
        for used in package["dependencies"].as_array().unwrap() {
            assert!(!used["features"].to_string().contains(FEATURE), "{name} uses {used}");
        }
    }
    for path in [".cargo/config.toml", ".ci/run", "template.yaml"] {
        assert!(!read(path).contains(FEATURE), "{path}");
    }
}

#[test]
fn each_guard_stands_in_production_code() {
    let sources: Vec<String> = production().iter().map(|path| read(path)).collect();
    for guard in Guard::ALL {
        let mark = format!("is_disabled(Guard::{guard:?})");
        let stands = sources.iter().any(|source| source.contains(&mark));
        assert!(stands, "{guard:?} is used nowhere");
    }
}

#[test]
fn each_scenario_that_is_a_witness_exists() {
    for guard in Guard::ALL {
        if let Witness::Scenario(name, _) = witness(*guard) {
            assert!(scenario(name).is_some(), "{name}");
        }
    }
}

#[test]
fn each_test_that_is_a_witness_exists() {
    for test in Guard::ALL.iter().filter_map(|guard| match witness(*guard) {
        Witness::Test(test) => Some(test),
        Witness::Simulation(_) | Witness::Scenario(..) => None,
    }) {
        let (module, name) = test.rsplit_once("::").unwrap();
        let module = format!("tests/it/{}", module.replace("::", "/"));
        let file = format!("{module}.rs");
        let is_file = root().join(&file).exists();
        let source = read(&if is_file { file } else { format!("{module}/mod.rs") });
        assert!(source.contains(&format!("#[test]\nfn {name}()")), "{test}");
    }
}
