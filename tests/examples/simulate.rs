//! The simulation, for as long as one likes: `cargo run --release -p tests --example simulate -- [first seed] [steps]`.

use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};

use tests::sweep::sweep;

/// How many steps lie between two lines that tell the progress.
const PROGRESS_STEPS: u64 = 10_000_000;

fn main() -> std::io::Result<()> {
    let mut numbers = std::env::args().skip(1).map(|text| text.replace('_', "").parse::<u64>());
    let first = numbers.next().and_then(Result::ok).unwrap_or(1);
    let steps = numbers.next().and_then(Result::ok).unwrap_or(1_000_000);
    let printed = AtomicU64::new(0);
    let progress = |report: &tests::sim::Report| {
        let reached = report.steps / PROGRESS_STEPS;
        if printed.fetch_max(reached, Ordering::SeqCst) < reached {
            print(&format!("{} steps", report.steps));
        }
    };
    match sweep(first, steps, progress) {
        Ok((report, last)) => {
            print(&format!("seeds {first} to {last}, nothing broken: {report:?}"));
            Ok(())
        }
        Err(failure) => {
            print(&failure.to_string());
            let path = std::env::temp_dir().join("simulation.txt");
            std::fs::write(&path, failure.trace.join("\n"))?;
            print(&format!("all of it is in {}", path.display()));
            Err(std::io::Error::other("a seed failed"))
        }
    }
}

fn print(line: &str) {
    // A reader that closed the pipe needs no more lines.
    drop(writeln!(std::io::stdout(), "{line}"));
}
