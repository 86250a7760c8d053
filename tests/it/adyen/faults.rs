//! Seeded runs of a customer who pays at Adyen, with any call, webhook, write or worker lost.
//!
//! A fulfilled request was charged once, and any other one never. The simulation's oracle compares the books.

use tests::sim::{ADYEN_LINK, ADYEN_WALLET, FaultRates, Plan, Report, Scenario, run};

const SEEDS: u64 = 1_000;

fn runs(seeds: u64, scenario: &'static Scenario, faults: Option<&FaultRates>) -> Report {
    let mut sum = Report::default();
    for seed in 0..seeds {
        let plan = Plan { faults: faults.cloned(), ..Plan::in_scenario(scenario, seed) };
        sum.add(&run(&plan).unwrap_or_else(|failure| panic!("{failure}")));
    }
    sum
}

fn count(report: &Report, fulfilled: bool) -> u64 {
    let ends = report.ends.iter().filter(|(end, _)| (**end == "fulfilled") == fulfilled);
    ends.map(|(_, count)| *count).sum()
}

#[test]
fn adyen_without_faults_ends_each_request() {
    for scenario in [&ADYEN_LINK, &ADYEN_WALLET] {
        let report = runs(100, scenario, Some(&FaultRates::none()));
        assert!(count(&report, true) > 20 && count(&report, false) > 20, "{report:?}");
    }
}

#[test]
fn adyen_link_charges_once_iff_fulfilled() {
    let report = runs(SEEDS, &ADYEN_LINK, None);
    assert!(count(&report, true) > 200 && count(&report, false) > 200, "{report:?}");
}

#[test]
fn adyen_wallet_charges_once_iff_fulfilled() {
    let report = runs(SEEDS, &ADYEN_WALLET, None);
    assert!(count(&report, true) > 200 && count(&report, false) > 200, "{report:?}");
}
