//! Statistics: each request counts once, on the day of its end, by what was known then.

use domain::digest::digest_hex;
use domain::statistics::EndFacts;
use records::storage::decode;
use serde_json::{Value, json};
use tests::world::brand::{OTHER_KEY, RESTRICTED_KEY};
use tests::world::{PHONE, World};

const OTHER_PHONE: &str = "+15551230002";
const UNREACHABLE: &str = "+15551239003";
const MINUTES: u64 = 60;

fn statistics(world: &World, query: &str) -> Value {
    world.get(&format!("/v1/statistics{query}")).ok(200).json()
}

/// Returns the counts of a row or the total that are not zero, by name.
fn counts(row: &Value) -> Vec<(String, u64)> {
    let counts = row.as_object().unwrap().iter();
    let counts = counts.filter_map(|(name, value)| Some((name.clone(), value.as_u64()?)));
    let mut counts: Vec<_> = counts.filter(|(_, count)| *count > 0).collect();
    counts.sort();
    counts
}

fn count(name: &str, count: u64) -> (String, u64) {
    (name.to_owned(), count)
}

/// Lets a request end in each way: fulfilled, denied, cancelled, expired and undeliverable.
fn ends_in_each_way(world: &World) {
    world.asks(4250);
    world.time_passes(31);
    world.customer().approves().ok(200);
    world.time_passes(5);
    world.asks_at(OTHER_PHONE, 100);
    world.customer_at(OTHER_PHONE).denies().ok(200);
    let asked = world.asks_at("+15551230003", 100);
    world.acts(&asked, "cancel", &json!({})).ok(200);
    world.asks_at(UNREACHABLE, 100);
    world.asks_at("+15551230004", 100);
    world.time_passes(400);
}

#[test]
fn each_end_counts_once_by_state_and_step() {
    let world = World::new();
    ends_in_each_way(&world);
    let read = statistics(&world, "");
    let wanted = [
        count("approved", 1),
        count("asked", 5),
        count("cancelled", 1),
        count("delivered", 4),
        count("denied", 1),
        count("expired", 1),
        count("fulfilled", 1),
        count("opened", 2),
        count("undeliverable", 1),
    ];
    assert_eq!(counts(&read["total"]), wanted);
    assert_eq!(read["rows"].as_array().unwrap().len(), 1);
    assert_eq!(read["rows"][0]["day"], "2026-12-01");
    assert_eq!(counts(&read["rows"][0]), wanted);
    let reasons = read["total"]["reasons"].as_array().unwrap();
    let denied = json!({ "state": "denied", "reason": "customer", "count": 1 });
    assert!(reasons.contains(&denied) && reasons.len() == 2, "{reasons:?}");
    let times = &read["total"]["seconds_to_fulfilled"];
    assert_eq!(times["buckets"], json!([{ "up_to": 40, "count": 1 }]));
    assert_eq!((&times["median"], &times["p90"]), (&json!(40), &json!(40)));
}

/// The counts are kept once they can no longer change. Later reads go on from there.
#[test]
fn counts_stay_the_same_however_often_they_are_read() {
    let world = World::new();
    ends_in_each_way(&world);
    let first = statistics(&world, "");
    let kept = || world.items().iter().any(|item| item.key.pk == "STATS#demo#test");
    assert_eq!(statistics(&world, "?from=2026-12-01")["total"], first["total"]);
    world.time_passes(20 * MINUTES);
    assert_eq!(statistics(&world, "")["total"], first["total"]);
    assert!(kept(), "the counts are kept");
    assert_eq!(statistics(&world, "")["total"], first["total"]);
    world.asks(100);
    world.customer().denies().ok(200);
    let total = statistics(&world, "")["total"].clone();
    assert_eq!((&total["asked"], &total["denied"]), (&json!(6), &json!(2)));
    world.time_passes(48 * 60 * MINUTES);
    assert_eq!(statistics(&world, "")["total"], total);
    let day = statistics(&world, "?from=2026-12-01&to=2026-12-01");
    assert_eq!(day["total"], total);
    assert_eq!(statistics(&world, "?from=2026-12-02")["total"]["asked"], 0);
}

#[test]
fn end_on_the_next_day_counts_there() {
    let world = World::new();
    world.time_passes(24 * 60 * MINUTES - 100);
    world.asks(100);
    world.time_passes(400);
    let read = statistics(&world, "?from=2026-12-01&to=2026-12-02");
    let rows = read["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!((&rows[0]["day"], &rows[0]["expired"]), (&json!("2026-12-02"), &json!(1)));
}

#[test]
fn rows_are_grouped_and_filtered() {
    let world = World::new();
    world.asks(100);
    world.customer().denies().ok(200);
    let mut card = world.payment("+15551239001", 1);
    card["ask"] = json!({ "kind": "payment_method", "description": "Keep" });
    let asked = world.asks_for(&card);
    world.acts(&asked, "cancel", &json!({})).ok(200);
    let grouped = |query: &str| {
        let read = statistics(&world, query);
        let row = |row: &Value| {
            (row["kind"].clone(), row["channel"].clone(), row["asked"].as_u64().unwrap())
        };
        read["rows"].as_array().unwrap().iter().map(row).collect::<Vec<_>>()
    };
    let rcs = (json!("payment"), json!("rcs"), 1);
    let sms = || (json!("payment_method"), json!("sms"), 1);
    assert_eq!(grouped("?group_by=channel,kind"), [rcs, sms()]);
    assert_eq!(grouped("?group_by=kind,channel&channel=sms"), [sms()]);
    assert_eq!(grouped("?group_by=kind,channel&kind=payment_method"), [sms()]);
    assert_eq!(grouped("?group_by=kind")[0], (json!("payment"), Value::Null, 1));
    assert_eq!(grouped("?group_by="), []);
    let total = statistics(&world, "?group_by=&kind=payment")["total"].clone();
    assert_eq!(total["asked"], 1);
}

#[test]
fn declined_attempts_count_by_their_reason() {
    let world = World::new();
    world.asks(4202);
    world.customer().approves().ok(200);
    world.customer().approves().ok(200);
    world.asks_at(OTHER_PHONE, 4203);
    world.customer_at(OTHER_PHONE).approves().ok(200);
    let total = statistics(&world, "")["total"].clone();
    let declined = json!([{ "reason": "insufficient_funds", "count": 1 }]);
    assert_eq!(total["declines"], declined, "{total}");
    assert_eq!(total["reasons"][0]["state"], "failed", "{total}");
    assert_eq!(total["reasons"][0]["count"], 1, "{total}");
    assert_eq!((&total["asked"], &total["approved"]), (&json!(2), &json!(2)));
}

/// A request without a channel that reaches the customer fails, and says so for each channel.
#[test]
fn failed_prompts_count_by_channel_and_reason() {
    let world = World::new();
    world.asks_at(UNREACHABLE, 100);
    world.time_passes(60);
    let end = world.items().into_iter().find(|item| item.key.pk.starts_with("STATS#")).unwrap();
    let end: EndFacts = decode(&end.body).unwrap();
    assert_eq!(end.state, "undeliverable");
    assert!(end.prompts.len() > 1, "{:?}", end.prompts);
    for (channel, prompts) in &end.prompts {
        assert_eq!(prompts.delivered, 0, "{channel}");
        assert_eq!(prompts.failed.values().sum::<u64>(), prompts.sent, "{channel} {prompts:?}");
    }
}

#[test]
fn statistics_are_of_the_brand_and_have_no_customer() {
    let world = World::new();
    ends_in_each_way(&world);
    let other = world.call(http::Method::GET, "/v1/statistics").key(OTHER_KEY).send().ok(200);
    assert_eq!(other.json()["total"]["asked"], 0);
    for item in world.items().into_iter().filter(|item| item.key.pk.starts_with("STATS#")) {
        for private in [PHONE.trim_start_matches('+'), "Ada", "Invoice", "CA123"] {
            assert!(!item.body.contains(private), "{private} is in {}", item.body);
        }
    }
}

#[test]
fn statistics_survive_the_erasure_of_their_customer() {
    let world = World::new();
    ends_in_each_way(&world);
    let before = statistics(&world, "")["total"].clone();
    let path = format!("/v1/customers/{PHONE}");
    world.call(http::Method::DELETE, &path).send().ok(202);
    world.time_passes(60);
    assert_eq!(statistics(&world, "")["total"], before);
}

#[test]
fn key_without_the_right_or_with_own_sessions_reads_none() {
    for (may, sessions, limit) in [("read", "all", "may"), ("statistics", "own", "sessions")] {
        let key = json!([{ "mode": "test", "sha256": digest_hex(RESTRICTED_KEY.as_bytes()),
            "may": [may], "sessions": sessions }]);
        let world = World::builder().with("/keys", &key).build();
        let call = world.call(http::Method::GET, "/v1/statistics").key(RESTRICTED_KEY);
        let problem = call.send().problem(403, "not-allowed-for-key");
        assert_eq!(problem.json()["limit"], limit);
    }
}
