//! Many short runs, each from its own seed.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use tests::sim::{Plan, Report, run};

/// Reads a number that a person looking for a fault sets in the environment, or `None`.
///
/// CI runs the fixed seeds, and those that its commit's id gives.
fn wanted(name: &str) -> Option<u64> {
    #[expect(clippy::disallowed_methods, reason = "a person looking for a fault chooses the seed")]
    let text = std::env::var(name).ok()?;
    // A commit's id is hexadecimal, and its first digits are a seed like any other.
    let digits = text.get(..12).unwrap_or(&text);
    text.parse().ok().or_else(|| u64::from_str_radix(digits, 16).ok())
}

/// Runs seeds from `first` on, in two threads, until that many steps were taken.
fn runs(first: u64, steps: u64) -> Report {
    let (seed, taken) = (AtomicU64::new(first), AtomicU64::new(0));
    let work = || {
        let mut sum = Report::default();
        while taken.load(Ordering::SeqCst) < steps {
            match run(&Plan::of(seed.fetch_add(1, Ordering::SeqCst))) {
                Ok(report) => {
                    taken.fetch_add(report.steps, Ordering::SeqCst);
                    sum.add(&report);
                }
                Err(failure) => panic!("{failure}"),
            }
        }
        sum
    };
    thread::scope(|scope| {
        let both = [scope.spawn(work), scope.spawn(work)];
        let mut sum = Report::default();
        for one in both {
            sum.add(&one.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        sum
    })
}

#[test]
fn seeds_million_steps_reach_every_end() {
    let report = runs(1, wanted("STEPS").unwrap_or(1_000_000));
    let ends = ["cancelled", "denied", "expired", "failed", "fulfilled", "undeliverable"];
    assert_eq!(report.ends.keys().copied().collect::<Vec<_>>(), ends);
    assert!(report.ends.values().all(|count| *count > 50), "{report:?}");
    assert!(report.webhooks.1 > 0, "{report:?}");
    let payment_options = [
        "asked by a link on WhatsApp",
        "asked by a template on WhatsApp",
        "asked by buttons on WhatsApp",
        "could not give money back",
        "found a chat on WhatsApp closed",
        "gave money back",
        "kept a card",
        "left",
        "lost a code",
        "paid",
        "paid by a card on file",
        "redirect cancelled by the customer",
        "redirect cancelled by the requester",
        "redirected",
        "released claims",
        "reported",
        "returned",
        "said no on WhatsApp",
        "said yes by a link on WhatsApp",
        "said yes in a chat on WhatsApp",
        "said yes in words on WhatsApp",
        "wrote STOP on WhatsApp",
    ];
    assert_eq!(report.payment_options.keys().copied().collect::<Vec<_>>(), payment_options);
}

#[test]
fn seeds_of_this_commit_break_nothing() {
    // The fixed seeds begin at 1, far from these.
    let first = wanted("SEED").unwrap_or(1_000_000);
    runs(first, 100_000);
}
