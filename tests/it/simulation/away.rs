//! Ten thousand runs of customers who pay or leave a card somewhere else than on our page, each from a seed of its own.

use tests::away::{Gives, Report, STORIES, Story, Till};

/// How many seeds each story is run from; there are twelve.
const SEEDS: u64 = 850;

/// What goes wrong in runs, or happens.
const KINDS: [&str; 12] = [
    "500 after it acted",
    "500 for good",
    "a message is lost or doubled",
    "a read is lost",
    "a worker dies",
    "a write is lost",
    "acts late",
    "acts twice",
    "busy",
    "lost after it acted",
    "lost before it acted",
    "a customer is at the processor's page",
];

/// Runs some of the stories, each from seeds of its own.
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

#[test]
fn customers_on_the_processors_page_pay_once_where_they_are_told_so_and_never_else() {
    runs(|story| story.gives == Gives::Hosted);
}

#[test]
fn customers_at_their_bank_pay_once_where_they_are_told_so_and_never_else() {
    runs(|story| matches!(story.gives, Gives::Card(_)));
}

#[test]
fn customers_with_a_card_on_file_or_a_wallet_pay_once_where_they_are_told_so_and_never_else() {
    runs(|story| matches!(story.gives, Gives::Kept | Gives::GooglePay));
}

#[test]
fn there_are_ten_thousand_runs() {
    assert!(u64::try_from(STORIES.len()).unwrap() * SEEDS >= 10_000);
}
