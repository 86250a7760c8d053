//! Many short runs, each from its own seed.

use tests::sim::Report;
use tests::sweep::sweep;

/// The actions that must happen often.
const HAPPENED: [&str; 18] = [
    "a webhook comes again after hours or days",
    "acts with another brand's key",
    "approves by a made-up link",
    "asks for a card of another brand",
    "erases a customer",
    "forges a return",
    "repeats a key with another body",
    "an attacker alters a consent",
    "an attacker alters what is asked",
    "an attacker changes counters",
    "an attacker follows a link of their own",
    "an attacker gives a saved card away",
    "an attacker puts back an approval",
    "an attacker puts back an item",
    "an attacker swaps authorizations",
    "an attacker swaps prompts",
    "an attacker turns a request to another customer",
    "an attacker writes a consent",
];

/// Returns the number in that variable. CI runs the fixed seeds and those of its commit.
fn wanted(name: &str) -> Option<u64> {
    #[expect(clippy::disallowed_methods, reason = "the caller chooses the seed")]
    let text = std::env::var(name).ok()?;
    // A commit's id is hexadecimal, and its first digits are a seed like any other.
    let digits = text.get(..12).unwrap_or(&text);
    text.parse().ok().or_else(|| u64::from_str_radix(digits, 16).ok())
}

/// Runs seeds from `first` on until that many steps were taken.
fn runs(first: u64, steps: u64) -> Report {
    let swept = sweep(first, steps, |_| {}).map(|(report, _last)| report);
    swept.unwrap_or_else(|failure| panic!("{failure}"))
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
        "an agent called a tool",
        "asked by a link on WhatsApp",
        "asked by a template on WhatsApp",
        "asked by buttons on WhatsApp",
        "asked with a way out on WhatsApp",
        "failed to refund",
        "found a chat on WhatsApp closed",
        "left the processor's page",
        "lost a code",
        "paid",
        "paid by a saved card",
        "redirected",
        "refunded",
        "released claims",
        "reported an old word on WhatsApp",
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
    // A repeat after days, an attacker's writes and an erasure are in each run or in every fifth.
    for what in HAPPENED {
        assert!(
            report.occurrences.get(what).is_some_and(|count| *count > 20),
            "{what}: {report:?}"
        );
    }
}

#[test]
fn seeds_of_this_commit_break_nothing() {
    // Apart from the fixed ones, which begin at 1.
    let first = wanted("SEED").unwrap_or(1_000_000);
    runs(first, 100_000);
}
