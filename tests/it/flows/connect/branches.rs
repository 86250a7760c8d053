//! Every branch of the shipped module is reached, most of them by drawn failures.

use std::collections::BTreeSet;

use serde_json::json;
use tests::connect_flow::Contact;
use tests::world::{PHONE, World};

use super::caller::{Call, INSTANCE, Reply, world_with};
use super::seeds::{drawn, plays};
use super::steps::does;
use super::{payment, shipped};

/// The first seed of the drawn calls, and the most of them.
const FIRST: u64 = 10_000;
const CALLS_MAX: u64 = 200;
/// How many drawn calls one world takes.
const CALLS_OF_WORLD: u64 = 20;

type BranchSet = BTreeSet<(String, String)>;

/// The failures of a call, and the keys that the caller presses.
#[derive(Clone, Copy, Default)]
struct Failures<'a> {
    steps: &'a [&'static str],
    actions: &'a [&'static str],
    keys: &'a str,
}

/// Plays a call in which steps, by `op`, and actions of Connect fail once.
fn fails(world: &World, failures: Failures<'_>, taken: &mut BranchSet) -> Contact {
    let mut call = Call::new(world, PHONE, Reply::Nothing);
    call.failing.extend(failures.steps);
    call.failing_actions.extend(failures.actions);
    call.keys.extend(failures.keys.chars().map(Some));
    let mut contact = payment("c-1", PHONE);
    contact.plays(&shipped(), &mut call);
    taken.extend(contact.taken.iter().cloned());
    contact
}

/// An ask that is refused, and failures of Connect where the end is kept and spoken.
fn refusals(taken: &mut BranchSet) {
    for actions in [&["say-refusal"][..], &["keep-refusal"], &[]] {
        let world = world_with(&json!({ "amount_max": { "EUR": 1 } }));
        let contact = fails(&world, Failures { actions, ..Failures::default() }, taken);
        let is_kept = !actions.contains(&"keep-refusal");
        let error = if is_kept { "ceiling-reached" } else { "" };
        assert_eq!(contact.attribute("assent_error"), error);
    }
}

/// The answers to all asks are lost. They are withdrawn, or the end stays unknown.
fn lost_asks(taken: &mut BranchSet) {
    for actions in [&["say-lost"][..], &["keep-lost"]] {
        let failures = Failures { steps: &["ask"; 3], actions, keys: "" };
        let contact = fails(&world_with(&json!({})), failures, taken);
        let is_kept = !actions.contains(&"keep-lost");
        assert_eq!(contact.attribute("assent_state"), if is_kept { "none" } else { "" });
    }
    for actions in [&["say-unknown", "say-withdrawing"][..], &["keep-unknown"]] {
        let steps = [["ask"; 3], ["cancel"; 3]].concat();
        let failures = Failures { steps: &steps, actions, keys: "" };
        let contact = fails(&world_with(&json!({})), failures, taken);
        let is_kept = !actions.contains(&"keep-unknown");
        assert_eq!(contact.attribute("assent_state"), if is_kept { "unknown" } else { "" });
    }
    // The brand took the instance off its list during the call.
    let unlisted = world_with(&json!({ "callers": [format!("{INSTANCE}1")] }));
    let failures = Failures { steps: &["ask"; 3], ..Failures::default() };
    let contact = fails(&unlisted, failures, taken);
    assert_eq!(contact.attribute("assent_state"), "unknown");
}

/// The caller wants the message again, and Connect fails to keep or to speak the answer.
fn resends(taken: &mut BranchSet) {
    for actions in [["keep-resent"], ["say-resent"]] {
        let world = world_with(&json!({}));
        let failures = Failures { actions: &actions, keys: "12", ..Failures::default() };
        let contact = fails(&world, failures, taken);
        assert_eq!(contact.attribute("assent_state"), "cancelled");
        assert_eq!(world.customer().messages().len(), 2);
    }
}

/// A cancel fails, and the request goes on.
fn settling(taken: &mut BranchSet) {
    let failures = Failures { steps: &["cancel"], keys: "2", ..Failures::default() };
    let contact = fails(&world_with(&json!({})), failures, taken);
    assert_eq!(contact.attribute("assent_state"), "unknown");
}

/// The answer to the ask is lost. The customer denies before it is repeated.
fn ended_asks(taken: &mut BranchSet) {
    let world = world_with(&json!({}));
    let ask = json!({ "op": "ask", "step": "ask", "amount": "4250", "currency": "EUR",
        "reference": "Invoice 4711", "expires_in": "240", "language": "en-US" });
    let asked = does(&world, "c-1", &ask);
    world.customer().denies().ok(200);
    world.run_until_idle();
    let contact = fails(&world, Failures::default(), taken);
    assert_eq!(contact.attribute("assent_request"), asked["id"]);
    assert_eq!(contact.attribute("assent_state"), "denied");
}

#[test]
fn every_branch_of_the_module_is_reached() {
    let module = shipped();
    let mut taken = BTreeSet::new();
    refusals(&mut taken);
    lost_asks(&mut taken);
    resends(&mut taken);
    settling(&mut taken);
    ended_asks(&mut taken);
    let missed =
        |taken: &BranchSet| module.branches().difference(taken).cloned().collect::<Vec<_>>();
    let mut world = world_with(&json!({}));
    for seed in FIRST..FIRST + CALLS_MAX {
        if missed(&taken).is_empty() {
            return;
        }
        let place = (seed - FIRST) % CALLS_OF_WORLD;
        if place == 0 {
            world.time_passes(1_000);
            world = world_with(&json!({}));
        }
        let phone = format!("+1555123{:04}", 100 + place);
        let mut call = drawn(&world, &phone, seed);
        let mut contact = payment(&format!("c-{seed}"), &phone);
        plays(&module, &mut contact, &mut call, seed);
        drop(call);
        taken.extend(contact.taken);
    }
    let missed = missed(&taken);
    assert!(missed.is_empty(), "branches that no call took: {missed:?}");
}
