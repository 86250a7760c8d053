//! Runs the simulation without an end: `cargo run --release -p tests --example simulate -- [first seed] [steps]`.

use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use tests::sim::{Failure, Plan, Report, run};

/// The number of steps between two lines of progress.
const NEWS: u64 = 10_000_000;

fn main() -> std::io::Result<()> {
    let mut numbers = std::env::args().skip(1).map(|text| text.replace('_', "").parse::<u64>());
    let first = numbers.next().and_then(Result::ok).unwrap_or(1);
    let most = numbers.next().and_then(Result::ok).unwrap_or(1_000_000);
    let seed = AtomicU64::new(first);
    let sum: Mutex<Result<Report, Failure>> = Mutex::new(Ok(Report::default()));
    let work = || {
        let goes_on = || {
            let sum = sum.lock().unwrap_or_else(PoisonError::into_inner);
            sum.as_ref().is_ok_and(|report| report.steps < most)
        };
        while goes_on() {
            let ran = run(&Plan::of(seed.fetch_add(1, Ordering::SeqCst)));
            let mut sum = sum.lock().unwrap_or_else(PoisonError::into_inner);
            match (&mut *sum, ran) {
                (Ok(sum), Ok(report)) => {
                    let before = sum.steps / NEWS;
                    sum.add(&report);
                    if sum.steps / NEWS > before {
                        tell(&format!("{} steps", sum.steps));
                    }
                }
                (sum @ Ok(_), Err(failure)) => *sum = Err(failure),
                (Err(_), Ok(_) | Err(_)) => {}
            }
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    let last = seed.load(Ordering::SeqCst).saturating_sub(1);
    match sum.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Ok(report) => tell(&format!("seeds {first} to {last}, nothing broken: {report:?}")),
        Err(failure) => {
            tell(&failure.to_string());
            let whole = std::env::temp_dir().join("simulation.txt");
            std::fs::write(&whole, failure.told.join("\n"))?;
            tell(&format!("all of it is in {}", whole.display()));
            return Err(std::io::Error::other("a seed failed"));
        }
    }
    Ok(())
}

fn tell(what: &str) {
    // A closed output does not stop the run.
    drop(writeln!(std::io::stdout(), "{what}"));
}
