//! Many short runs, each from a seed of its own.

use tests::sim::{Plan, run};

/// The first seed, and how many: `SEED` and `STEPS` choose others.
fn wanted(name: &str, otherwise: u64) -> u64 {
    #[expect(clippy::disallowed_methods, reason = "whoever looks for a fault chooses the seed")]
    let text = std::env::var(name);
    text.ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

#[test]
fn a_million_steps_break_nothing() {
    let mut steps = 0;
    let mut seed = wanted("SEED", 1);
    let most = wanted("STEPS", 100_000);
    while steps < most {
        match run(&Plan::of(seed)) {
            Ok(taken) => steps += taken,
            Err(failure) => panic!("{failure}\nALL\n{}", failure.told.join("\n")),
        }
        seed += 1;
    }
}
