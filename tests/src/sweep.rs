//! Simulated runs of one seed after another, on all cores.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::lock::lock;
use crate::sim::{Failure, Plan, Report, run};

/// Runs seeds from `first` on until they took `steps` steps together, and calls `progress` after each run.
///
/// Returns the sum of all reports and the last seed.
///
/// # Errors
/// The first [`Failure`], which ends the sweep.
pub fn sweep(
    first: u64,
    steps: u64,
    progress: impl Fn(&Report) + Sync,
) -> Result<(Report, u64), Box<Failure>> {
    sweep_plans(Plan::of, first, |report| report.steps >= steps, progress)
}

/// Runs the plan of one seed after another until the sum of their reports is enough.
///
/// # Errors
/// The first [`Failure`], which ends the sweep.
pub fn sweep_plans(
    plan: impl Fn(u64) -> Plan + Sync,
    first: u64,
    is_enough: impl Fn(&Report) -> bool + Sync,
    progress: impl Fn(&Report) + Sync,
) -> Result<(Report, u64), Box<Failure>> {
    let seed = AtomicU64::new(first);
    let sum: Mutex<Result<Report, Box<Failure>>> = Mutex::new(Ok(Report::default()));
    let work = || {
        let goes_on = || {
            let sum = lock(&sum);
            sum.as_ref().is_ok_and(|report| !is_enough(report))
        };
        while goes_on() {
            let ran = run(&plan(seed.fetch_add(1, Ordering::SeqCst)));
            let mut sum = lock(&sum);
            match (&mut *sum, ran) {
                (Ok(sum), Ok(report)) => {
                    sum.add(&report);
                    progress(sum);
                }
                (sum @ Ok(_), Err(failure)) => *sum = Err(Box::new(failure)),
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
    sum.into_inner().unwrap_or_else(PoisonError::into_inner).map(|report| (report, last))
}
