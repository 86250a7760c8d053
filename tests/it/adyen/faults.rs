//! Faults at Adyen and in the store.
//!
//! A fulfilled request has one charge, and any other ended request has none. The rest is reported as in doubt.

use std::collections::BTreeMap;

use tests::standins::adyen::Faults;

use super::world::{End, World};

/// Every fault, often.
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
        let end = world.run().await;
        *ends.entry(end).or_default() += 1;
    }
    ends
}

#[tokio::test]
async fn adyen_without_faults_ends_each_request() {
    for hosted in [true, false] {
        let ends = runs(0..100, hosted, Faults::default(), 0).await;
        assert!(ends[&End::Fulfilled] > 20 && ends[&End::NotCharged] > 20, "{ends:?}");
        assert_eq!(ends.get(&End::InDoubt), None, "{hosted} {ends:?}");
    }
}

/// A payment link is paid once or not at all, with every fault.
#[tokio::test]
async fn adyen_link_charges_once_iff_fulfilled() {
    let ends = runs(0..1_000, true, STORM, 30).await;
    assert!(ends[&End::Fulfilled] > 200 && ends[&End::NotCharged] > 200, "{ends:?}");
    // Every webhook arrives in the end and resolves its doubt.
    assert_eq!(ends.get(&End::InDoubt), None, "{ends:?}");
}

/// A wallet payment is made once or not at all, with every fault.
#[tokio::test]
async fn adyen_wallet_charges_once_iff_fulfilled() {
    let ends = runs(0..1_000, false, STORM, 30).await;
    assert!(ends[&End::Fulfilled] > 200 && ends[&End::NotCharged] > 200, "{ends:?}");
    // Every webhook arrives in the end and resolves its doubt.
    assert_eq!(ends.get(&End::InDoubt), None, "{ends:?}");
}
