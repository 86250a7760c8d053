//! How often one customer may be asked: nobody's phone is worn down until they press yes.

use serde_json::json;
use tests::world::{Answer, Core, PHONE, World};

const LIMIT: &str = "too-many-requests-for-address";

fn tries(core: &Core) -> Answer {
    core.post("/v1/requests", &core.payment(PHONE, 100))
}

#[test]
fn three_requests_may_be_open_for_one_address_and_one_that_ends_makes_room() {
    let world = World::new();
    let first = world.asks(100);
    world.asks(100);
    world.asks(100);
    let refused = tries(&world).problem(429, LIMIT);
    assert!(refused.header("retry-after").parse::<u64>().unwrap() > 0);
    world.acts(&first, "cancel", &json!({})).ok(200);
    world.asks(100);
    tries(&world).problem(429, LIMIT);
    world.asks_at("+15551230002", 100);
}

#[test]
fn five_prompts_in_ten_minutes_are_enough_and_a_resend_counts_as_one() {
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
fn twenty_prompts_a_day_are_enough() {
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
fn two_noes_in_ten_minutes_leave_the_address_in_peace_for_half_an_hour() {
    let world = World::new();
    world.asks(100);
    world.customer().declines().ok(200);
    world.asks(100);
    world.customer().declines().ok(200);
    let refused = tries(&world).problem(429, LIMIT);
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!((1_790..=1_801).contains(&wait), "{wait}");
    world.time_passes(wait);
    world.asks(100);
}

#[test]
fn two_noes_that_are_far_apart_are_two_noes() {
    let world = World::new();
    world.asks(100);
    world.customer().declines().ok(200);
    world.time_passes(601);
    world.asks(100);
    world.customer().declines().ok(200);
    world.asks(100);
}

#[test]
fn a_wrong_code_counts_as_a_no() {
    let world = World::new();
    for _ in 0..2 {
        world.asks(100);
        world.customer().approves_with_a_wrong_code().ok(200);
    }
    tries(&world).problem(429, LIMIT);
}

#[test]
fn one_request_has_twelve_prompts_at_most() {
    let policy = json!({ "prompts_per_ten_minutes": 100, "prompts_per_day": 100 });
    let world = World::beginning().with("/policy", &policy).begin();
    let asked = world.asks(100);
    let resent = (0..20).take_while(|_| world.acts(&asked, "resend", &json!({})).status == 200);
    let resent = resent.count();
    assert!((9..=12).contains(&resent), "{resent}");
    world.acts(&asked, "resend", &json!({})).problem(409, "conflict-state");
    assert!(world.customer().messages().len() <= 12);
}

#[test]
fn the_open_ones_are_counted_right_when_two_calls_come_at_the_same_moment() {
    let world = World::beginning().with("/policy", &json!({ "open_max": 1 })).begin();
    world.meanwhile("storing LIMIT#", |core| {
        tries(core).ok(201);
    });
    tries(&world).problem(429, LIMIT);
    world.settles();
}
