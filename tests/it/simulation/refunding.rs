//! Every state that the refunds of a paid request reach, by every command in every order, within small bounds.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use domain::invariants;
use domain::journal::{EntryKind, JournalEntry};
use domain::outcome::Details;
use domain::processor_result::{Reference, ReportedResult};
use domain::request::{Change, LEASE, RefundEnd, RefundRecord, RefundRetry, Refusal, Request};
use domain::values::time::Timestamp;

use super::states::{accepted, at, consent, prompt, receipt, sealed};

const WAIT: Duration = Duration::from_secs(2);
/// The number of moments, with an expired lease between any two of them.
const MOMENTS: u32 = 3;
/// The number of refunds of a request. The first may fail or take a part, and the second takes the rest.
const REFUNDS: usize = 2;

/// A request that was paid with 42.50.
fn paid() -> Request {
    let request = accepted(false);
    let rcs = "rcs".parse().unwrap();
    let request = request.begin_prompt(prompt(1), &rcs, true, at(0)).request;
    let yes = consent(&request, prompt(1), at(0), false);
    let request = request.approve(yes, sealed(), at(0)).unwrap().request;
    let request = request.lease(at(0)).unwrap().request;
    let request = request.record_created(Reference("pi_1".to_owned()), at(0)).unwrap().request;
    let request = request.record_started(at(0)).unwrap().request;
    let details = Details::Payment(receipt());
    request.fulfill("CODE".to_owned(), details, at(0)).unwrap().request
}

fn moment(number: u32) -> Timestamp {
    at(0).after(LEASE.saturating_mul(number + 1))
}

fn commands(request: &Request, now: Timestamp) -> Vec<Result<Change, Refusal>> {
    let reported = |success, code: Option<&str>| ReportedResult {
        success,
        reference: Reference("re".to_owned()),
        code: code.map(str::to_owned),
        original: None,
    };
    let mut all = Vec::new();
    if request.refunds.len() < REFUNDS {
        for amount in [None, Some(0), Some(1), Some(4249), Some(4251)] {
            all.push(request.refund(amount, None, now));
        }
    }
    for seq in 0..=u32::try_from(REFUNDS).unwrap() {
        let id = Reference("re_1".to_owned());
        all.push(request.record_refund_started(seq, now));
        all.push(request.release_refund(
            seq,
            RefundRetry { reason: "again", reference: None, wait: WAIT },
            now,
        ));
        all.push(request.release_refund(
            seq,
            RefundRetry { reason: "pending", reference: Some(&id), wait: WAIT },
            now,
        ));
        all.push(request.complete_refund(seq, id, now));
        all.push(request.fail_refund(seq, "declined", now));
        all.push(request.record_refund_reported(seq, reported(true, None), now));
        for code in ["declined", ReportedResult::REVERSED] {
            all.push(request.record_refund_reported(seq, reported(false, Some(code)), now));
        }
    }
    all
}

/// The part of the refunds that decides which states can follow.
fn essence(request: &Request, number: u32) -> String {
    let refund = |refund: &RefundRecord| {
        let leased = refund.lease.is_some_and(|lease| moment(number) < lease);
        let known = (refund.started_at.is_some(), leased, refund.reference.is_some());
        let reported =
            refund.reported.as_ref().map(|reported| (reported.success, reported.is_reversed()));
        let end = refund.end.as_ref().map(|end| match end {
            RefundEnd::Done { .. } => "done",
            RefundEnd::Failed { code, .. } if code == ReportedResult::REVERSED => "reversed",
            RefundEnd::Failed { .. } => "failed",
        });
        format!("{} {known:?} {reported:?} {end:?}", refund.amount)
    };
    let refunds: Vec<String> = request.refunds.iter().map(refund).collect();
    format!("{number} {refunds:?}")
}

/// No order of commands refunds more than was charged, loses a refund, or changes the request's outcome.
#[test]
fn refunds_any_order_stay_within_the_charge() {
    let paid = paid();
    let mut seen = BTreeSet::new();
    let mut ahead = VecDeque::from([(paid.clone(), 0)]);
    let mut ends = BTreeSet::new();
    while let Some((request, number)) = ahead.pop_front() {
        if !seen.insert(essence(&request, number)) {
            continue;
        }
        let now = moment(number);
        // A check finds each open refund, and no check is due once all have ended.
        let open = request.open_refunds().count();
        assert_eq!(request.next_check(now).is_some(), open > 0);
        ends.insert((open, request.refundable()));
        if number + 1 < MOMENTS {
            ahead.push_back((request.clone(), number + 1));
        }
        for change in commands(&request, now).into_iter().flatten() {
            let after = &change.request;
            let broken = invariants::broken(Some(&request), after, &change.entries);
            assert_eq!(broken, Vec::<&str>::new(), "{request:#?} {:#?}", change.entries);
            assert_eq!((&after.state, &after.attempts), (&paid.state, &paid.attempts));
            let ends = |entry: &&JournalEntry| {
                matches!(entry.what, EntryKind::Refunded { .. } | EntryKind::RefundFailed { .. })
            };
            let reported = usize::try_from(after.webhooks - request.webhooks).unwrap();
            assert_eq!(reported, change.entries.iter().filter(ends).count());
            ahead.push_back((change.request, number));
        }
    }
    assert!(seen.len() > 1_000, "{} states", seen.len());
    for left in [0, 1, 4249, 4250] {
        assert!(ends.contains(&(0, left)), "{ends:?}");
    }
}

/// One worker at a time holds a refund. A reported failure undoes a success, and a repeated success changes nothing.
#[test]
fn refund_leased_once_and_failure_undoes_success() {
    let request = paid().refund(Some(100), None, at(1)).unwrap().request;
    let started = request.record_refund_started(1, at(1)).unwrap().request;
    let again = started.record_refund_started(1, at(1)).err();
    assert_eq!(again, Some(Refusal::Leased));
    let reported = |success| ReportedResult {
        success,
        reference: Reference("re".to_owned()),
        code: None,
        original: None,
    };
    let heard = started.record_refund_reported(1, reported(true), at(1)).unwrap().request;
    assert!(heard.record_refund_reported(1, reported(true), at(1)).unwrap().is_nothing());
    let done = heard.complete_refund(1, Reference("re".to_owned()), at(1)).unwrap().request;
    assert_eq!(done.fail_refund(1, "declined", at(1)).err(), Some(Refusal::Step));
    assert_eq!(done.refundable(), 4150);
    let reversed = done.record_refund_reported(1, reported(false), at(2)).unwrap().request;
    assert_eq!((reversed.refundable(), &reversed.state), (4250, &done.state));
    assert!(reversed.record_refund_reported(1, reported(true), at(3)).unwrap().is_nothing());
    assert_eq!(
        request.complete_refund(1, Reference("re".to_owned()), at(1)).err(),
        Some(Refusal::Step)
    );
}
