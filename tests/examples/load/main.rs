//! Load on one machine, with tables of the results. It uses loopback only, and is bounded in count and time.
//!
//! `sizes` measures a request's cost at 1,000, 100,000 and 1,000,000 stored requests. `isolation` measures whether one
//! brand's slow endpoint or dead processor slows another's requests.
//!
//! `cargo build --release -p local -p tests --bins --examples`, then `target/release/examples/load sizes` and `… isolation`.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a measurement that cannot be made ends the program, and what it finds is printed"
)]

mod customer;
mod isolation;
mod prefill;
mod sink;

use std::time::{Duration, Instant};

const USAGE: &str = "load sizes [REQUESTS [AT_ONCE [SIZE…]]] | load isolation [SECONDS]";

fn main() {
    let mut words = std::env::args().skip(1);
    let what = words.next().unwrap_or_default();
    let numbers: Vec<usize> = words.map(|word| word.parse().unwrap()).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    match what.as_str() {
        "sizes" => {
            let sizes = numbers.get(2..).filter(|sizes| !sizes.is_empty());
            let sizes = sizes.unwrap_or(&[1_000, 100_000, 1_000_000]);
            let requests = numbers.first().copied().unwrap_or(2_000);
            let at_once = numbers.get(1).copied().unwrap_or(32);
            runtime.block_on(customer::sizes(sizes, requests, at_once));
        }
        "isolation" => {
            let seconds = numbers.first().copied().unwrap_or(20);
            runtime.block_on(isolation::all(u32::try_from(seconds).unwrap()));
        }
        _ => println!("{USAGE}"),
    }
}

#[expect(clippy::disallowed_methods, reason = "this measures")]
fn instant() -> Instant {
    Instant::now()
}

/// Returns the median and the 99th percentile, in milliseconds.
fn quantiles(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    let at = |percent: usize| {
        let place = (times.len() * percent / 100).min(times.len().saturating_sub(1));
        times.get(place).map_or(0, Duration::as_micros)
    };
    let shown = |micros: u128| format!("{}.{}", micros / 1000, micros % 1000 / 100);
    format!("{:>8} {:>8}", shown(at(50)), shown(at(99)))
}
