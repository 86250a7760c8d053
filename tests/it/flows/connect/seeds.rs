//! Runs of the shipped module with drawn failures: throttles, lost and late answers, repeats, and failures of Connect itself.

use std::collections::BTreeSet;

use serde_json::json;
use tests::connect_flow::{Contact, FlowModule};
use tests::rng::Rng;
use tests::world::World;

use super::caller::{Call, Rates, Reply, world_with};
use super::{payment, requests, shipped};

/// How many calls are played.
const CALLS: u64 = 1_000;
/// How many of them one world takes.
const CALLS_OF_WORLD: u64 = 20;

const REPLIES: &[(u64, Reply)] = &[
    (6, Reply::Approves),
    (1, Reply::ApprovesOnHostedPage),
    (2, Reply::Denies),
    (1, Reply::ReportsNotMe),
    (1, Reply::PicksAnotherCode),
    (2, Reply::Nothing),
];

/// The ends that promise that nothing was paid.
const UNPAID: [&str; 7] =
    ["cancelled", "denied", "expired", "failed", "none", "refused", "undeliverable"];

fn fulfilled(world: &World, contact: &str) -> usize {
    let made = requests(world, contact);
    made.iter().filter(|request| request["state"] == "fulfilled").count()
}

/// Draws how the caller behaves, and what fails.
pub(super) fn drawn<'a>(world: &'a World, phone: &str, seed: u64) -> Call<'a> {
    let mut rng = Rng::new(seed);
    let reply = rng.weighted(REPLIES).unwrap();
    let mut call = Call::new(world, phone, reply);
    call.reply.0 = rng.below(4);
    let rates = [
        (4, Rates { invocation: 0, action: 0 }),
        (4, Rates { invocation: 150, action: 20 }),
        (2, Rates { invocation: 600, action: 20 }),
        (1, Rates { invocation: 980, action: 50 }),
        (2, Rates { invocation: 100, action: 300 }),
    ];
    call.rates = rng.weighted(&rates).unwrap();
    let keys = [(20, None), (1, Some('1')), (1, Some('2')), (1, Some('9'))];
    call.keys = (0..30).map(|_| rng.weighted(&keys).unwrap()).collect();
    call.rng = rng;
    call
}

/// Plays a run of the module. What it said must be true then, and once every late step has run and the customer has tried again.
pub(super) fn plays(module: &FlowModule, contact: &mut Contact, call: &mut Call<'_>, seed: u64) {
    let world = call.world;
    let before = fulfilled(world, &contact.id);
    let heard = call.heard.len();
    contact.plays(module, call);
    call.runs_late_invocations();
    world.run_until_idle();
    let customer = world.customer_at(&call.phone);
    if !customer.messages().is_empty() {
        // A late yes with the right code.
        let message = customer.newest();
        let code = customer.session_code_of(&message);
        customer.taps(&message, &json!({ "action": "approve", "session_code": code }));
        world.run_until_idle();
    }
    let paid = fulfilled(world, &contact.id) - before;
    let state = contact.attribute("assent_state");
    let said = &call.heard[heard..];
    let trail = || format!("seed {seed}: {state}, paid {paid}, {said:?}");
    assert!(paid <= 1, "{}", trail());
    if state == "fulfilled" {
        assert_eq!(paid, 1, "{}", trail());
    }
    if UNPAID.contains(&state) || said.iter().any(|text| text.contains("othing was paid")) {
        assert_eq!(paid, 0, "{}", trail());
    }
    if said.iter().any(|text| text.starts_with("Your transaction code is:")) {
        assert_eq!(paid, 1, "{}", trail());
    }
}

/// Plays a quarter of the calls.
fn plays_quarter(quarter: u64) {
    let module = shipped();
    let mut states = BTreeSet::new();
    let calls = CALLS / 4;
    let first = quarter * calls;
    for first in (first..first + calls).step_by(usize::try_from(CALLS_OF_WORLD).unwrap()) {
        let world = world_with(&json!({}));
        for seed in first..(first + CALLS_OF_WORLD).min((quarter + 1) * calls) {
            let phone = format!("+1555123{:04}", 100 + seed - first);
            let mut call = drawn(&world, &phone, seed);
            let mut contact = payment(&format!("c-{seed}"), &phone);
            plays(&module, &mut contact, &mut call, seed);
            states.insert(contact.attribute("assent_state").to_owned());
            // The flow may ask once more in the same call.
            if UNPAID.contains(&contact.attribute("assent_state")) && call.rng.happens(300) {
                call.reply = (0, Reply::Approves);
                plays(&module, &mut contact, &mut call, seed);
            }
        }
        world.time_passes(1_000);
    }
    for state in ["fulfilled", "denied", "cancelled"] {
        assert!(states.contains(state), "{state} is not among {states:?}");
    }
}

#[test]
fn first_quarter_of_drawn_calls_ends_as_it_was_told() {
    plays_quarter(0);
}

#[test]
fn second_quarter_of_drawn_calls_ends_as_it_was_told() {
    plays_quarter(1);
}

#[test]
fn third_quarter_of_drawn_calls_ends_as_it_was_told() {
    plays_quarter(2);
}

#[test]
fn fourth_quarter_of_drawn_calls_ends_as_it_was_told() {
    plays_quarter(3);
}
