//! Ten thousand seeded runs of customers who pay or save a card elsewhere than on our page.

use tests::sim::{AT_THE_BANK, ON_HOSTED_PAGE, Plan, Report, Scenario, WITHOUT_CARD_NUMBER, run};

/// How many seeds each scenario is run from; there are thirteen.
const SEEDS: u64 = 770;

/// The faults and actions that must happen.
const HAPPENED: [&str; 12] = [
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
    "a customer is on the sandbox's page",
];

/// Runs each scenario from seeds of its own.
fn runs(scenarios: &'static [Scenario], first: u64) {
    let mut sum = Report::default();
    for (scenario, first) in scenarios.iter().zip((first..).step_by(1_000_000)) {
        for seed in first..first + SEEDS {
            let ran = run(&Plan::in_scenario(scenario, seed));
            sum.add(&ran.unwrap_or_else(|failure| panic!("{}: {failure}", scenario.name)));
        }
    }
    let runs = u64::try_from(scenarios.len()).unwrap() * SEEDS;
    assert!(sum.ends.values().sum::<u64>() >= runs);
    let ends: Vec<&str> = sum.ends.keys().copied().collect();
    assert_eq!(ends, ["denied", "expired", "failed", "fulfilled"], "{sum:?}");
    assert!(sum.ends.values().all(|count| *count > 10), "{sum:?}");
    for what in HAPPENED {
        assert!(sum.occurrences.get(what).is_some_and(|count| *count > 60), "{what}: {sum:?}");
    }
}

#[test]
fn hosted_page_charges_once_iff_reported_fulfilled() {
    runs(ON_HOSTED_PAGE, 0);
}

#[test]
fn bank_confirmation_charges_once_iff_reported_fulfilled() {
    runs(AT_THE_BANK, 10_000_000);
}

#[test]
fn saved_card_or_wallet_charges_once_iff_reported_fulfilled() {
    runs(WITHOUT_CARD_NUMBER, 20_000_000);
}

#[test]
fn scenarios_have_ten_thousand_runs() {
    let scenarios = ON_HOSTED_PAGE.len() + AT_THE_BANK.len() + WITHOUT_CARD_NUMBER.len();
    assert!(u64::try_from(scenarios).unwrap() * SEEDS >= 10_000);
}

/// How many seeds the agents are run from. Each makes some dozens of calls.
const AGENT_SEEDS: u64 = 100;

/// What agents must have done often.
const AGENTS_DID: [&str; 7] = [
    "an agent acts on a stolen id",
    "an agent acts on its request",
    "an agent asks",
    "an agent asks again after a denial",
    "an agent is confused",
    "an agent repeats a call id",
    "an agent reuses a call id",
];

#[test]
fn agents_in_any_order_exceed_no_ceiling() {
    let mut sum = Report::default();
    for seed in 30_000_000..30_000_000 + AGENT_SEEDS {
        sum.add(&run(&Plan::of_agents(seed)).unwrap_or_else(|failure| panic!("{failure}")));
    }
    let count = |of: &std::collections::BTreeMap<&str, u64>, what: &str| {
        of.get(what).copied().unwrap_or_default()
    };
    for what in AGENTS_DID {
        assert!(count(&sum.occurrences, what) > 300, "{what}: {sum:?}");
    }
    for end in ["cancelled", "denied", "expired", "fulfilled"] {
        assert!(count(&sum.ends, end) > 10, "{end}: {sum:?}");
    }
}
