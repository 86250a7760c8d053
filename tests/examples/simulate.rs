//! The simulation, for as long as one likes: `cargo run --release -p tests --example simulate -- [seed] [steps]`.

use std::io::Write;

use tests::sim::{Plan, run};

fn main() -> std::io::Result<()> {
    let mut numbers = std::env::args().skip(1).map(|text| text.replace('_', "").parse::<u64>());
    let first = numbers.next().and_then(Result::ok).unwrap_or(1);
    let most = numbers.next().and_then(Result::ok).unwrap_or(1_000_000);
    let mut out = std::io::stdout().lock();
    let (mut seed, mut steps) = (first, 0_u64);
    while steps < most {
        match run(&Plan::of(seed)) {
            Ok(taken) => steps = steps.saturating_add(taken),
            Err(failure) => {
                writeln!(out, "{failure}")?;
                std::fs::write("/tmp/simulate.txt", failure.told.join("\n"))?;
                return Err(std::io::Error::other("a seed failed"));
            }
        }
        seed = seed.saturating_add(1);
    }
    writeln!(out, "seeds {first} to {}, {steps} steps, nothing broken", seed.saturating_sub(1))
}
