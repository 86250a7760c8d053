//! The simulation, for as long as one likes: `cargo run --release -p tests --example simulate -- [first seed] [steps]`.
//!
//! After `agents`, the numbers are a first seed and calls of tools: AI agents make them in any order.

use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};

use tests::sim::{CALLED_TOOL, Plan, Report};
use tests::sweep::{sweep, sweep_plans};

/// How many steps lie between two lines that tell the progress.
const PROGRESS_STEPS: u64 = 10_000_000;

fn main() -> std::io::Result<()> {
    let mut words = std::env::args().skip(1).peekable();
    let of_agents = words.next_if(|word| word == "agents").is_some();
    let mut numbers = words.map(|text| text.replace('_', "").parse::<u64>());
    let first = numbers.next().and_then(Result::ok).unwrap_or(1);
    let wanted = numbers.next().and_then(Result::ok).unwrap_or(1_000_000);
    let printed = AtomicU64::new(0);
    let progress = |report: &Report| {
        let reached = report.steps / PROGRESS_STEPS;
        if printed.fetch_max(reached, Ordering::SeqCst) < reached {
            print(&format!("{} steps", report.steps));
        }
    };
    let swept = if of_agents {
        let calls = |report: &Report| report.reached.get(CALLED_TOOL).copied().unwrap_or_default();
        sweep_plans(Plan::of_agents, first, |report| calls(report) >= wanted, progress)
    } else {
        sweep(first, wanted, progress)
    };
    match swept {
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
