//! Ten thousand seeded runs of customers who pay, or save a card, away from our page.

use tests::away::{Gives, Report, STORIES, Story, Till};

/// How many seeds each of the twelve stories runs from.
const SEEDS: u64 = 850;

/// The faults and events that the runs must reach.
const KINDS: [&str; 12] = [
    "500 after it acted",
    "500 for good",
    "a customer is at the processor's page",
    "a message is lost or doubled",
    "a read is lost",
    "a worker dies",
    "a write is lost",
    "acts late",
    "acts twice",
    "busy",
    "lost after it acted",
    "lost before it acted",
];

/// Runs the chosen stories, each from its own seeds, and asserts that they reach every end and every fault.
fn runs(which: fn(&Story) -> bool) {
    let mut sum = Report::default();
    let mut stories = 0;
    for (story, first) in STORIES.iter().zip((0_u64..).step_by(1_000_000)) {
        if !which(story) {
            continue;
        }
        stories += 1;
        let till = Till::new(*story).unwrap();
        for seed in first..first + SEEDS {
            match till.run(seed) {
                Ok(report) => sum.add(&report),
                Err(failure) => panic!("{failure}"),
            }
        }
    }
    assert_eq!(sum.runs, stories * SEEDS);
    let ends: Vec<&str> = sum.ends.keys().map(String::as_str).collect();
    assert_eq!(ends, ["denied", "expired", "failed", "fulfilled"], "{sum:?}");
    assert!(sum.ends.values().all(|count| *count > 10), "{sum:?}");
    assert_eq!(sum.happened.keys().copied().collect::<Vec<_>>(), KINDS);
    assert!(sum.happened.values().all(|count| *count > 60), "{sum:?}");
}

/// A customer on the hosted page pays once where the request ends as fulfilled, and never otherwise.
#[test]
fn hosted_page_charges_once_iff_reported_fulfilled() {
    runs(|story| story.gives == Gives::Hosted);
}

/// A customer at the bank's 3-D Secure page pays once where the request ends as fulfilled, and never otherwise.
#[test]
fn bank_confirmation_charges_once_iff_reported_fulfilled() {
    runs(|story| matches!(story.gives, Gives::Card(_)));
}

/// A customer with a saved card or Google Pay pays once where the request ends as fulfilled, and never otherwise.
#[test]
fn saved_card_or_wallet_charges_once_iff_reported_fulfilled() {
    runs(|story| matches!(story.gives, Gives::Kept | Gives::GooglePay));
}

#[test]
fn scenarios_have_ten_thousand_runs() {
    assert!(u64::try_from(STORIES.len()).unwrap() * SEEDS >= 10_000);
}
