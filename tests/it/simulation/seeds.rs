//! Many short runs, each from a seed of its own.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use tests::sim::{Plan, Report, run};

/// Returns the number in that variable. CI runs the fixed seeds and those of its commit.
fn wanted(name: &str) -> Option<u64> {
    #[expect(clippy::disallowed_methods, reason = "the caller chooses the seed")]
    let text = std::env::var(name).ok()?;
    // A commit's id is hexadecimal; its first digits are a seed like any other.
    let digits = text.get(..12).unwrap_or(&text);
    text.parse().ok().or_else(|| u64::from_str_radix(digits, 16).ok())
}

/// Runs seeds from `first` on in two threads, until that many steps were taken.
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
    let reached = [
        "abandoned by the customer",
        "abandoned by the requester",
        "asked by a link on WhatsApp",
        "asked by a template on WhatsApp",
        "asked by buttons on WhatsApp",
        "failed to refund",
        "found a chat on WhatsApp closed",
        "left the processor's page",
        "lost a code",
        "paid",
        "paid by a saved card",
        "redirected",
        "refunded",
        "released claims",
        "reported by webhook",
        "returned",
        "said no on WhatsApp",
        "said yes by a link on WhatsApp",
        "said yes in a chat on WhatsApp",
        "said yes in words on WhatsApp",
        "saved a card",
        "wrote STOP on WhatsApp",
    ];
    assert_eq!(report.reached.keys().copied().collect::<Vec<_>>(), reached);
}

#[test]
fn seeds_of_this_commit_break_nothing() {
    // Apart from the fixed ones, which begin at 1.
    let first = wanted("SEED").unwrap_or(1_000_000);
    runs(first, 100_000);
}
