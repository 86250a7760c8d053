//! Tests of the alarms: each counted event has one, each is explained, and the patterns fit the logged lines.

use std::collections::{BTreeMap, BTreeSet};

use yaml_rust2::Yaml;

use super::read;
use super::template::{functions, resources, template, text};

/// Returns the metric filters, each with its log group, its pattern and its metric.
fn filters(template: &Yaml) -> Vec<(String, String, String)> {
    let filters = resources(template, "AWS::Logs::MetricFilter").into_values();
    let filters = filters.map(|filter| {
        let metric = filter["MetricTransformations"][0].clone();
        assert_eq!(text(&metric["MetricNamespace"]), "Assent/${AWS::StackName}");
        (text(&filter["LogGroupName"]), text(&filter["FilterPattern"]), text(&metric["MetricName"]))
    });
    filters.collect()
}

/// Returns the name of each function's log group.
fn log_groups(template: &Yaml) -> BTreeMap<String, String> {
    let functions = functions(template).into_iter();
    functions.map(|(name, function)| (name, text(&function["LoggingConfig"]["LogGroup"]))).collect()
}

#[test]
fn every_counted_metric_has_an_alarm() {
    let template = template();
    let own = "Assent/${AWS::StackName}";
    let alarms = resources(&template, "AWS::CloudWatch::Alarm").into_values();
    let alarms = alarms.filter(|alarm| text(&alarm["Namespace"]) == own);
    let watched: BTreeSet<String> = alarms.map(|alarm| text(&alarm["MetricName"])).collect();
    let mut counted: BTreeSet<String> =
        filters(&template).into_iter().map(|(.., metric)| metric).collect();
    assert_eq!(counted.len(), 4);
    // The functions measure this one themselves.
    counted.insert("InDoubtSeconds".to_owned());
    assert_eq!(watched, counted);
    let server_errors = &resources(&template, "AWS::CloudWatch::Alarm")["ServerErrorsAlarm"];
    assert_eq!(text(&server_errors["Namespace"]), "AWS/ApiGateway");
    assert_eq!(text(&server_errors["MetricName"]), "5xx");
}

#[test]
fn errors_of_every_function_are_counted() {
    let template = template();
    let counted: BTreeSet<String> = filters(&template)
        .into_iter()
        .filter(|(_, pattern, metric)| {
            metric == "LoggedErrors" && pattern == r#"{ $.level = "ERROR" }"#
        })
        .map(|(group, ..)| group)
        .collect();
    assert_eq!(counted, log_groups(&template).into_values().collect());
}

/// A pattern that names a field or an event that no line has would never count anything.
#[test]
fn patterns_fit_the_lines_of_the_audit_stream() {
    let template = template();
    let sources = [
        read("shared/records/src/audit.rs"),
        read("functions/consent-callback/src/browser/reports.rs"),
    ];
    let groups = log_groups(&template);
    let http = [&groups["agents"], &groups["intake"], &groups["consent-callback"]];
    let audit: Vec<_> = filters(&template)
        .into_iter()
        .filter(|(_, pattern, _)| pattern.contains("audit"))
        .collect();
    assert_eq!(audit.len(), 5);
    for (group, pattern, _) in audit {
        assert!(http.contains(&&group), "{group}");
        let conditions = pattern.trim_matches(['{', '}', ' ']).split(" && ");
        for condition in conditions {
            let (field, value) = condition.split_once(" = ").unwrap();
            let (field, value) = (field.strip_prefix("$.").unwrap(), value.trim_matches('"'));
            match field {
                "target" => assert_eq!(value, "audit"),
                "event" => {
                    let line = format!("event = \"{value}\"");
                    assert!(sources.iter().any(|source| source.contains(&line)), "{pattern}");
                }
                "status" => assert!(["401", "403"].contains(&value), "{pattern}"),
                other => panic!("{other} in {pattern}"),
            }
        }
    }
}

#[test]
fn dashboard_shows_every_metric_of_the_functions() {
    let template = template();
    let board = &resources(&template, "AWS::CloudWatch::Dashboard")["Dashboard"];
    let body: serde_json::Value = serde_json::from_str(&text(&board["DashboardBody"])).unwrap();
    let shown = body.to_string();
    let source = read("shared/records/src/metrics.rs");
    let written: BTreeSet<&str> = source
        .split('"')
        .skip(1)
        .step_by(2)
        .filter(|word| word.len() > 4 && word.starts_with(|c: char| c.is_ascii_uppercase()))
        .filter(|word| !["Count", "Seconds"].contains(word))
        .collect();
    assert_eq!(written.len(), 7, "{written:?}");
    for metric in written {
        assert!(shown.contains(&format!("\"{metric}\"")), "{metric} is not on the dashboard");
    }
}

#[test]
fn every_alarm_is_explained() {
    let operations = read("functions/operations.md");
    for name in resources(&template(), "AWS::CloudWatch::Alarm").into_keys() {
        let is_explained = operations.contains(&format!("`{name}`"))
            || ["Dead", "Age", "Errors", "Throttles"].iter().any(|kind| {
                let of_each = format!("{kind}Alarm");
                name.ends_with(&of_each) && operations.contains(&format!("`…{of_each}`"))
            });
        assert!(is_explained, "{name} is not in functions/operations.md");
    }
}

/// PCI DSS 4.0.1, 10.2.2 and 10.5.1: the origin of each call, kept for twelve months.
#[test]
fn access_log_has_the_source_and_logs_are_kept_a_year() {
    let template = template();
    let stage = resources(&template, "AWS::ApiGatewayV2::Stage");
    let format = text(&stage["HttpApiStage"]["AccessLogSettings"]["Format"]);
    assert!(format.contains(r#""source":"$context.identity.sourceIp""#), "{format}");
    assert!(format.contains(r#""requestId":"$context.requestId""#), "{format}");
    assert!(!format.contains("path") && !format.contains("Path"), "{format}");
    let parameter = &template["Parameters"]["LogRetentionDays"];
    assert!(parameter["Default"].as_i64() >= Some(365));
    let groups = resources(&template, "AWS::Logs::LogGroup");
    assert_eq!(groups.len(), log_groups(&template).len() + 1);
    for (name, group) in groups {
        assert_eq!(text(&group["RetentionInDays"]), "LogRetentionDays", "{name}");
    }
}
