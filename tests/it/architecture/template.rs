//! The template agrees with the folders, the wiring and the settings of the functions.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use yaml_rust2::{Yaml, YamlLoader};

use super::layers::wired;
use super::{read, root};

/// Loads the template. Its own tags, such as `!Ref`, are read as their values.
pub(super) fn template() -> Yaml {
    YamlLoader::load_from_str(&read("template.yaml")).unwrap().remove(0)
}

pub(super) fn text(yaml: &Yaml) -> String {
    yaml.as_str().unwrap_or_else(|| panic!("{yaml:?} is no text")).to_owned()
}

fn entries(yaml: &Yaml) -> Vec<(String, &Yaml)> {
    let map = yaml.as_hash().unwrap_or_else(|| panic!("{yaml:?} is no mapping"));
    map.iter().map(|(name, value)| (text(name), value)).collect()
}

/// Returns the resources of a type by name.
pub(super) fn resources(template: &Yaml, kind: &str) -> BTreeMap<String, Yaml> {
    let all = entries(&template["Resources"]).into_iter();
    let some = all.filter(|(_, resource)| resource["Type"].as_str() == Some(kind));
    some.map(|(name, resource)| (name, resource["Properties"].clone())).collect()
}

/// Returns the folder of a function.
fn folder(function: &Yaml) -> String {
    let uri = text(&function["CodeUri"]);
    uri.strip_prefix("target/lambda/").unwrap_or_else(|| panic!("{uri}")).to_owned()
}

/// Returns the functions by folder.
pub(super) fn functions(template: &Yaml) -> BTreeMap<String, Yaml> {
    let all = resources(template, "AWS::Serverless::Function").into_values();
    all.map(|function| (folder(&function), function)).collect()
}

/// Returns the folders of the functions by their names in the template.
pub(super) fn folders(template: &Yaml) -> BTreeMap<String, String> {
    let all = resources(template, "AWS::Serverless::Function").into_iter();
    all.map(|(name, function)| (name, folder(&function))).collect()
}

/// Returns the events of one type of a function.
pub(super) fn events(function: &Yaml, kind: &str) -> Vec<Yaml> {
    let all = function["Events"].as_hash().into_iter().flatten().map(|(_, event)| event);
    all.filter(|event| event["Type"].as_str() == Some(kind))
        .map(|event| event["Properties"].clone())
        .collect()
}

/// Returns the statements of a function's policies, conditional ones included.
pub(super) fn statements(function: &Yaml) -> Vec<Yaml> {
    let mut found = Vec::new();
    for policy in function["Policies"].as_vec().unwrap() {
        for statement in policy["Statement"].as_vec().unwrap() {
            match statement.as_vec() {
                Some(either) => {
                    found.extend(either.iter().filter(|one| one.as_hash().is_some()).cloned());
                }
                None => found.push(statement.clone()),
            }
        }
    }
    found
}

pub(super) fn list(yaml: &Yaml) -> Vec<String> {
    yaml.as_vec().map_or_else(|| vec![text(yaml)], |all| all.iter().map(text).collect())
}

#[test]
fn template_functions_equal_function_folders() {
    let template = template();
    let named: BTreeSet<String> = functions(&template).into_keys().collect();
    let folders = fs::read_dir(root().join("functions")).unwrap();
    let folders = folders.map(Result::unwrap).filter(|entry| entry.path().is_dir());
    let folders = folders.map(|entry| entry.file_name().into_string().unwrap());
    assert_eq!(named, folders.filter(|name| name != "local").collect());
}

#[test]
fn permissions_equal_the_adapters_of_each_function() {
    for (name, function) in functions(&template()) {
        let mut services = BTreeSet::new();
        for statement in statements(&function) {
            assert_eq!(text(&statement["Effect"]), "Allow");
            for action in list(&statement["Action"]) {
                let (service, verb) = action.split_once(':').unwrap();
                assert!(!verb.contains('*'), "{name} may {action}");
                services.insert(service.to_owned());
            }
            for resource in list(&statement["Resource"]) {
                assert_ne!(resource, "*", "{name} may act on everything");
            }
        }
        let adapters = ["dynamodb", "secretsmanager", "sqs"];
        let mut wanted: BTreeSet<String> = adapters
            .iter()
            .filter(|one| wired(&name).contains(*one))
            .map(|one| (*one).to_owned())
            .collect();
        // What is encrypted with a key of one's own is read and written with it.
        wanted.insert("kms".to_owned());
        // The functions that send prompts may send texts and mails with their own role.
        if name == "send-prompt" {
            wanted.extend(["ses", "sms-voice"].map(str::to_owned));
        }
        // Events go to requesters' buses with the function's own role.
        if name == "fetch-info" {
            wanted.insert("events".to_owned());
        }
        assert_eq!(services, wanted, "{name}");
    }
}

#[test]
fn settings_given_equal_settings_read() {
    let template = template();
    let given = entries(&template["Globals"]["Function"]["Environment"]["Variables"]);
    let given: BTreeSet<String> = given.into_iter().map(|(name, _)| name).collect();
    let mut read_by_some = BTreeSet::new();
    for (name, function) in functions(&template) {
        let own = entries(&function["Environment"]["Variables"]).into_iter();
        let mut own: BTreeSet<String> = own.map(|(setting, _)| setting).collect();
        own.retain(|setting| !setting.ends_with("_SECRET_PREFIX"));
        let main = read(&format!("functions/{name}/src/main.rs"));
        // Every function is wired from these as well.
        let sources = [main, read("shared/lambda/src/wiring.rs")];
        let words = sources.iter().flat_map(|source| source.split('"').skip(1).step_by(2));
        let settings = words.filter(|word| {
            word.len() > 3 && word.bytes().all(|b| b.is_ascii_uppercase() || b == b'_')
        });
        for setting in settings {
            if !own.remove(setting) {
                assert!(given.contains(setting), "{name} reads {setting}");
                read_by_some.insert(setting.to_owned());
            }
        }
        assert!(own.is_empty(), "{name} reads none of {own:?}");
    }
    assert_eq!(read_by_some, given);
}

/// Returns the documents of a brand's secret that a function's `main.rs` names.
fn documents(name: &str) -> BTreeSet<String> {
    let main = read(&format!("functions/{name}/src/main.rs"));
    let (_, list) = main.split_once("const DOCUMENTS: &[Document] = &[").unwrap();
    let (list, _) = list.split_once(']').unwrap();
    list.split("Document::")
        .skip(1)
        .map(|name| name.trim_matches(|c: char| !c.is_alphabetic()).to_owned())
        .collect()
}

#[test]
fn secrets_that_a_function_may_read_are_those_it_reads() {
    let template = template();
    let mut readers: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, function) in functions(&template) {
        let documents = documents(&name);
        let settings = entries(&function["Environment"]["Variables"]).into_iter();
        let settings = settings.filter(|(setting, _)| setting.ends_with("_SECRET_PREFIX"));
        let settings: BTreeSet<(String, String)> =
            settings.map(|(setting, value)| (setting, text(value))).collect();
        let prefix = |document: &String| {
            (
                format!("{}_SECRET_PREFIX", document.to_uppercase()),
                format!("{document}SecretPrefix"),
            )
        };
        assert_eq!(settings, documents.iter().map(prefix).collect(), "{name}");
        let mut may_read = BTreeSet::new();
        for statement in statements(&function) {
            if list(&statement["Action"]) == ["secretsmanager:GetSecretValue"] {
                may_read.extend(list(&statement["Resource"]));
            }
        }
        let arn = |prefix: String| {
            let place = "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}";
            format!("{place}:secret:${{{prefix}}}*")
        };
        let own = documents.iter().map(|document| format!("{document}SecretPrefix"));
        let own = own.chain(["SecretPrefix".to_owned()]).map(arn);
        assert_eq!(may_read, own.collect(), "{name}");
        for document in documents {
            readers.entry(document).or_default().insert(name.clone());
        }
    }
    let of = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let wanted = BTreeMap::from([
        ("Channels".to_owned(), of(&["consent-callback", "send-prompt"])),
        ("Claims".to_owned(), of(&["fetch-info", "intake"])),
        ("Consent".to_owned(), of(&["consent-callback", "fetch-info"])),
        ("Processors".to_owned(), of(&["fetch-info"])),
    ]);
    assert_eq!(readers, wanted);
}

#[test]
fn queue_reports_item_failures_and_alarms_dead_letters() {
    let template = template();
    let queues = resources(&template, "AWS::SQS::Queue");
    let alarms = read("template.yaml");
    let mut driven = BTreeSet::new();
    for (name, function) in functions(&template) {
        let timeout = function["Timeout"].as_i64().unwrap();
        for event in events(&function, "SQS") {
            let queue = text(&event["Queue"]).trim_end_matches(".Arn").to_owned();
            assert_eq!(
                list(&event["FunctionResponseTypes"]),
                ["ReportBatchItemFailures"],
                "{name}"
            );
            assert!(event["ScalingConfig"]["MaximumConcurrency"].as_i64().unwrap() >= 2);
            let visible = queues[&queue]["VisibilityTimeout"].as_i64().unwrap();
            assert!(visible >= 6 * timeout, "{queue} is seen again after {visible} seconds");
            driven.insert(queue);
        }
    }
    let expected = ["Authorizations", "Prompts", "Webhooks"];
    assert_eq!(driven, expected.map(str::to_owned).into());
    for queue in driven {
        let dead = text(&queues[&queue]["RedrivePolicy"]["deadLetterTargetArn"]);
        assert_eq!(dead, format!("{queue}Dead.Arn"));
        assert!(alarms.contains(&format!("Value: !GetAtt {queue}Dead.QueueName")), "{queue}");
    }
}

#[test]
fn topic_events_survive_failed_runs_of_own_topics() {
    let template = template();
    let listens = |name: &str| {
        read(&format!("functions/{name}/src/main.rs")).contains("lambda::serve_http_and_topics(")
    };
    let functions = functions(&template);
    let listening: Vec<&String> = functions.keys().filter(|name| listens(name)).collect();
    assert_eq!(listening, ["consent-callback"]);
    let runs = &functions["consent-callback"]["EventInvokeConfig"];
    assert_eq!(runs["MaximumRetryAttempts"].as_i64(), Some(2));
    let dead = text(&runs["DestinationConfig"]["OnFailure"]["Destination"]);
    let dead = dead.strip_suffix(".Arn").unwrap();
    assert!(resources(&template, "AWS::SQS::Queue").contains_key(dead), "{dead}");
    let alarms = read("template.yaml");
    assert!(alarms.contains(&format!("Value: !GetAtt {dead}.QueueName")), "{dead}");
    let permissions = resources(&template, "AWS::Lambda::Permission");
    let sns = permissions.values().filter(|one| text(&one["Principal"]) == "sns.amazonaws.com");
    assert_eq!(sns.count(), 1);
    let permission = &permissions["TopicsCallConsentCallback"];
    assert_eq!(text(&permission["FunctionName"]), "ConsentCallback");
    assert_eq!(text(&permission["Principal"]), "sns.amazonaws.com");
    let source = text(&permission["SourceArn"]);
    assert!(source.ends_with(":${AWS::AccountId}:${TopicPrefix}_*"), "{source}");
}

/// A prefix ends in a role's right to read `<prefix>*`. An empty one would open every secret of the account.
#[test]
fn every_prefix_of_secrets_is_bounded() {
    let template = template();
    let prefixes: Vec<(String, &Yaml)> = entries(&template["Parameters"])
        .into_iter()
        .filter(|(name, _)| name.ends_with("SecretPrefix"))
        .collect();
    assert_eq!(prefixes.len(), 5, "{prefixes:?}");
    let defaults: Vec<String> =
        prefixes.iter().map(|(_, parameter)| text(&parameter["Default"])).collect();
    for (name, parameter) in prefixes {
        assert!(text(&parameter["AllowedPattern"]).ends_with("*/"), "{name}");
        assert!(parameter["MinLength"].as_i64() >= Some(4), "{name}");
        let default = text(&parameter["Default"]);
        assert!(default.ends_with('/'), "{name}");
        // A function that may read one kind may read no other by it.
        let beginning = defaults.iter().filter(|one| default.starts_with(one.as_str()));
        assert_eq!(beginning.count(), 1, "{name}");
    }
    let address = text(&template["Parameters"]["PublicBaseUrl"]["AllowedPattern"]);
    assert!(address.starts_with("https://"), "{address}");
}
