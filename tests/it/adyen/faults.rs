//! Whatever breaks, and wherever: one charge where a request was fulfilled, none where it was not, or an open doubt.

use std::collections::BTreeMap;

use tests::standins::adyen::Faults;

use super::world::{End, World};

/// Everything goes wrong, often.
const STORM: Faults = Faults {
    not_sent: 60,
    lost_before: 60,
    lost_after: 80,
    gateway: 60,
    transient: 60,
    throttled: 40,
    unheard: 80,
    late_hooks: 200,
    twice: 150,
};

async fn runs(
    seeds: std::ops::Range<u64>,
    hosted: bool,
    faults: Faults,
    shaky: u64,
) -> BTreeMap<End, u32> {
    let mut ends = BTreeMap::new();
    for seed in seeds {
        let world = World::new(seed, hosted, faults, shaky).await;
        let end = world.runs().await;
        *ends.entry(end).or_default() += 1;
    }
    ends
}

#[tokio::test]
async fn where_nothing_breaks_everything_ends() {
    for hosted in [true, false] {
        let ends = runs(0..100, hosted, Faults::default(), 0).await;
        assert!(ends[&End::Fulfilled] > 20 && ends[&End::NotCharged] > 20, "{ends:?}");
        assert_eq!(ends.get(&End::InDoubt), None, "{hosted} {ends:?}");
    }
}

#[tokio::test]
async fn a_link_is_paid_once_or_not_at_all_in_every_storm() {
    let ends = runs(0..1_000, true, STORM, 30).await;
    assert!(ends[&End::Fulfilled] > 200 && ends[&End::NotCharged] > 200, "{ends:?}");
    // Every webhook comes in the end, and with it the end of every doubt.
    assert_eq!(ends.get(&End::InDoubt), None, "{ends:?}");
}

#[tokio::test]
async fn a_payment_is_made_once_or_not_at_all_in_every_storm() {
    let ends = runs(0..1_000, false, STORM, 30).await;
    assert!(ends[&End::Fulfilled] > 200 && ends[&End::NotCharged] > 200, "{ends:?}");
    // Every webhook comes in the end, and with it the end of every doubt.
    assert_eq!(ends.get(&End::InDoubt), None, "{ends:?}");
}
