//! The metrics of a request: each act is counted once, by its channel and its processor.

use tests::world::{PHONE, World};

/// Returns the lines of metrics so far, each from its metric on.
fn counted(world: &World) -> Vec<String> {
    let logs = world.logs();
    let lines = logs.lines().filter(|line| line.contains(" metrics: "));
    lines.filter_map(|line| Some(format!("metric={}", line.split_once("metric=")?.1))).collect()
}

fn count(lines: &[String], parts: &[&str]) -> usize {
    lines.iter().filter(|line| parts.iter().all(|part| line.contains(part))).count()
}

#[test]
fn each_act_is_counted_once_by_channel_and_processor() {
    let world = World::new();
    world.asks(4205);
    world.customer().approves().ok(200);
    world.time_passes(120);
    let lines = counted(&world);
    for metric in ["Asked", "Delivered", "Approved", "InDoubt", "Fulfilled"] {
        let metric = format!("metric=\"{metric}\"");
        assert_eq!(count(&lines, &[&metric, "value=1 "]), 1, "{metric} {lines:#?}");
        let by = [metric.as_str(), "mode=\"test\"", "processor=sandbox"];
        assert_eq!(count(&lines, &by), 1, "{metric} {lines:#?}");
    }
    // Nothing is sent yet when it is accepted.
    assert_eq!(count(&lines, &["metric=\"Asked\"", "channel="]), 0, "{lines:#?}");
    assert_eq!(count(&lines, &["metric=\"Approved\"", "channel=rcs"]), 1, "{lines:#?}");
    let measured: Vec<u64> = lines
        .iter()
        .filter_map(|line| line.strip_prefix("metric=\"InDoubtSeconds\" value="))
        .map(|rest| rest.split(' ').next().unwrap().parse().unwrap())
        .collect();
    assert!(!measured.is_empty() && measured.iter().all(|seconds| *seconds <= 120), "{lines:#?}");
    assert!(measured.is_sorted(), "{measured:?}");
    world.asks(4250);
    world.customer().denies().ok(200);
    let lines = counted(&world);
    assert_eq!(count(&lines, &["metric=\"Denied\"", "channel=rcs"]), 1, "{lines:#?}");
    let all = lines.concat();
    for private in [PHONE.trim_start_matches('+'), "Ada", "req_", "Invoice"] {
        assert!(!all.contains(private), "{private} is in a metric");
    }
}
