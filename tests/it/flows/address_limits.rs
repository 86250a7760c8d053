//! The limits on prompts to one address: a flood of prompts must not wear a customer down.

use serde_json::json;
use tests::world::{Answer, Core, PHONE, World};

const LIMIT: &str = "too-many-requests-for-address";

fn tries(core: &Core) -> Answer {
    core.post("/v1/requests", &core.payment(PHONE, 100))
}

#[test]
fn fourth_open_request_is_rejected_until_one_ends() {
    let world = World::new();
    let first = world.asks(100);
    world.asks(100);
    world.asks(100);
    let refused = tries(&world).problem(429, "too-many-requests-for-address");
    assert!(refused.header("retry-after").parse::<u64>().unwrap() > 0);
    world.acts(&first, "cancel", &json!({})).ok(200);
    world.asks(100);
    tries(&world).problem(429, LIMIT);
    world.asks_at("+15551230002", 100);
}

/// A resend counts as a prompt.
#[test]
fn sixth_prompt_in_ten_minutes_is_rejected() {
    let world = World::new();
    let asked = world.asks(100);
    for _ in 0..4 {
        world.acts(&asked, "resend", &json!({})).ok(200);
    }
    let refused = world.acts(&asked, "resend", &json!({})).problem(429, LIMIT);
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!((598..=601).contains(&wait), "{wait}");
    tries(&world).problem(429, LIMIT);
    world.time_passes(wait);
    world.asks(100);
}

#[test]
fn twenty_first_prompt_of_a_day_is_rejected() {
    let world = World::new();
    for _ in 0..4 {
        for _ in 0..5 {
            let asked = world.asks(100);
            world.acts(&asked, "cancel", &json!({})).ok(200);
        }
        world.time_passes(601);
    }
    let refused = tries(&world).problem(429, LIMIT);
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!((83_000..86_400).contains(&wait), "{wait}");
    world.time_passes(wait);
    world.asks(100);
}

#[test]
fn two_denials_in_ten_minutes_start_a_cooldown() {
    let world = World::new();
    world.asks(100);
    world.customer().denies().ok(200);
    world.asks(100);
    world.customer().denies().ok(200);
    let refused = tries(&world).problem(429, "address-in-cooldown");
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!((1_790..=1_801).contains(&wait), "{wait}");
    world.time_passes(wait);
    world.asks(100);
}

#[test]
fn denials_far_apart_start_no_cooldown() {
    let world = World::new();
    world.asks(100);
    world.customer().denies().ok(200);
    world.time_passes(601);
    world.asks(100);
    world.customer().denies().ok(200);
    world.asks(100);
}

#[test]
fn wrong_code_counts_as_denial() {
    let world = World::new();
    for _ in 0..2 {
        world.asks(100);
        world.customer().approves_with_a_wrong_code().ok(200);
    }
    tries(&world).problem(429, "address-in-cooldown");
}

#[test]
fn thirteenth_prompt_of_a_request_is_rejected() {
    let policy = json!({ "prompts_per_ten_minutes": 100, "prompts_per_day": 100 });
    let world = World::builder().with("/policy", &policy).build();
    let asked = world.asks(100);
    let resent = (0..20).take_while(|_| world.acts(&asked, "resend", &json!({})).status == 200);
    let resent = resent.count();
    assert!((9..=12).contains(&resent), "{resent}");
    world.acts(&asked, "resend", &json!({})).problem(409, "conflict-state");
    assert!(world.customer().messages().len() <= 12);
}

#[test]
fn simultaneous_calls_are_counted_exactly() {
    let world = World::builder().with("/policy", &json!({ "open_max": 1 })).build();
    world.meanwhile("storing LIMIT#", |core| {
        tries(core).ok(201);
    });
    tries(&world).problem(429, LIMIT);
    world.run_until_idle();
}

#[test]
fn brands_limit_of_an_hour_refuses_with_a_clear_problem() {
    let policy = json!({ "prompts_per_hour": 2 });
    let world = World::builder().with("/policy", &policy).build();
    let asked = world.asks_at("+15551230001", 100);
    world.acts(&asked, "resend", &json!({})).ok(200);
    let third = world.post("/v1/requests", &world.payment("+15551230002", 100));
    let refused = third.problem(429, "brand-limit-reached");
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=3_601).contains(&wait), "{wait}");
    assert!(refused.header("ratelimit").contains("\"brand-hour\";r=0;t="), "{refused:?}");
    world.acts(&asked, "resend", &json!({})).problem(429, "brand-limit-reached");
    // Another brand has prompts of its own.
    let other = world.call(http::Method::POST, "/v1/requests").key(tests::world::brand::OTHER_KEY);
    other.json(&world.payment("+15551230003", 100)).send().ok(201);
    world.time_passes(wait);
    world.asks_at("+15551230002", 100);
}

#[test]
fn brands_limit_is_never_passed_by_two_at_once() {
    let policy = json!({ "prompts_per_hour": 2 });
    let world = World::builder().with("/policy", &policy).build();
    world.asks_at("+15551230001", 100);
    world.meanwhile("storing PROMPTS#", |core| {
        core.accepted(&core.payment("+15551230002", 100));
    });
    let third = world.post("/v1/requests", &world.payment("+15551230003", 100));
    third.problem(429, "brand-limit-reached");
    world.run_until_idle();
}

#[test]
fn responses_say_what_is_left_of_the_limits() {
    let policy = json!({ "prompts_per_hour": 9 });
    let world = World::builder().with("/policy", &policy).build();
    let answer = world.post("/v1/requests", &world.payment(PHONE, 100)).ok(201);
    let policies = "\"address-ten-minutes\";q=5;w=600, \"address-day\";q=20;w=86400, \"brand-hour\";q=9;w=3600";
    assert_eq!(answer.header("ratelimit-policy"), policies);
    let left = answer.header("ratelimit").to_owned();
    assert!(
        left.starts_with(
            "\"address-ten-minutes\";r=4;t=600, \"address-day\";r=19;t=86400, \"brand-hour\";r=8;t="
        ),
        "{left}"
    );
    let id = answer.json()["id"].as_str().unwrap().to_owned();
    world.run_until_idle();
    world.time_passes(60);
    let again = world.call(http::Method::POST, &format!("/v1/requests/{id}/resend")).send().ok(200);
    assert!(
        again.header("ratelimit").starts_with("\"address-ten-minutes\";r=3;t=540, "),
        "{again:?}"
    );
    let read = world.get(&format!("/v1/requests/{id}")).ok(200);
    assert_eq!(read.header("ratelimit"), "", "a read has no limit");
    world.run_until_idle();
}
