//! Every pair of actors that can meet, with a switch between them at every two uses of a port.
//!
//! The invariants hold and the request ends, no matter which actor wins.

use std::collections::BTreeSet;

use tests::sim::{PHONE, POOR, Racer, VISA, Verb, race};

const ASK: Verb = Verb::Ask(PHONE, &["sms", "rcs"], 3600, 4250);
const TAP: Verb = Verb::Ask(PHONE, &["rcs", "sms"], 3600, 4250);

/// Runs the two actors in every order with two switches, either of them first, and asserts the ends reached.
fn assert_ends(story: &[Verb], one: Verb, other: Verb, ends: &[(&str, usize)]) {
    let mut seen = BTreeSet::new();
    for [first_verb, other_verb] in [[one, other], [other, one]] {
        let ran = |turns: u64, other_turns: u64| {
            let other = Racer { verb: other_verb, turns: other_turns };
            let ends = race(story, Racer { verb: first_verb, turns }, other);
            ends.unwrap_or_else(|failure| panic!("{failure}"))
        };
        // Retries make a pair longer than its actors are alone. A switch beyond the end of an actor changes nothing.
        let (_, first, both) = ran(u64::MAX, 0);
        for i in 0..=first {
            for j in 0..=both.saturating_sub(first) {
                let (end, _, _) = ran(i, j);
                let back = end.refunds;
                let back = if back > 0 { format!("{back} back") } else { String::new() };
                seen.insert((format!("{}{back}", end.state), end.charges));
            }
        }
    }
    let expected = ends.iter().map(|(state, charges)| ((*state).to_owned(), *charges)).collect();
    assert_eq!(seen, expected);
}

#[test]
fn two_approvals_charge_once() {
    let story = [TAP, Verb::RunUntilIdle];
    assert_ends(&story, Verb::yes(VISA), Verb::yes(VISA), &[("fulfilled ", 1)]);
}

#[test]
fn two_approvals_with_two_cards_charge_at_most_once() {
    let story = [ASK, Verb::RunUntilIdle];
    // The declined card can come first. Then the customer is asked again and does not answer.
    let ends = [("expired ", 0), ("fulfilled ", 1)];
    assert_ends(&story, Verb::yes(VISA), Verb::yes(POOR), &ends);
}

#[test]
fn approval_and_cancel_one_wins() {
    let story = [TAP, Verb::RunUntilIdle];
    let ends = [("cancelled ", 0), ("fulfilled ", 1)];
    assert_ends(&story, Verb::yes(VISA), Verb::CallApi("cancel"), &ends);
}

#[test]
fn approval_and_denial_one_wins() {
    let story = [TAP, Verb::RunUntilIdle];
    let ends = [("denied \"customer\"", 0), ("fulfilled ", 1)];
    assert_ends(&story, Verb::yes(VISA), Verb::NO, &ends);
}

#[test]
fn approval_and_opt_out_one_wins() {
    let story = [ASK, Verb::RunUntilIdle];
    let ends = [("denied \"opted_out\"", 0), ("fulfilled ", 1)];
    assert_ends(&story, Verb::yes(VISA), Verb::Stop, &ends);
}

#[test]
fn two_workers_at_processor_charge_once() {
    let story = [TAP, Verb::RunUntilIdle, Verb::yes(VISA)];
    assert_ends(&story, Verb::HandleNext, Verb::HandleAgain, &[("fulfilled ", 1)]);
}

#[test]
fn worker_and_late_receipt_charge_once() {
    let story = [ASK, Verb::RunUntilIdle, Verb::yes(VISA)];
    let receipt = Verb::ReportTextStatus("delivered");
    assert_ends(&story, Verb::HandleNext, receipt, &[("fulfilled ", 1)]);
}

#[test]
fn worker_and_cancel_charge_once() {
    let story = [TAP, Verb::RunUntilIdle, Verb::yes(VISA)];
    assert_ends(&story, Verb::HandleNext, Verb::CallApi("cancel"), &[("fulfilled ", 1)]);
}

#[test]
fn prompt_and_cancel_cancelled() {
    assert_ends(&[TAP], Verb::HandleNext, Verb::CallApi("cancel"), &[("cancelled ", 0)]);
}

#[test]
fn prompt_and_resend_expired() {
    assert_ends(&[TAP], Verb::HandleNext, Verb::CallApi("resend"), &[("expired ", 0)]);
}

#[test]
fn prompt_by_two_workers_or_opt_out_ends() {
    assert_ends(&[ASK], Verb::HandleNext, Verb::HandleAgain, &[("expired ", 0)]);
    assert_ends(&[ASK], Verb::HandleNext, Verb::Stop, &[("denied \"opted_out\"", 0)]);
}

#[test]
fn deadline_and_approval_one_wins() {
    // The last check is due at the deadline, and the clock moves there when the worker begins.
    let story = [Verb::Ask(PHONE, &["rcs", "sms"], 300, 4250), Verb::RunUntilIdle];
    let ends = [("expired ", 0), ("fulfilled ", 1)];
    assert_ends(&story, Verb::HandleNext, Verb::yes(VISA), &ends);
}

#[test]
fn one_call_twice_makes_one_request() {
    assert_ends(&[], TAP, TAP, &[("expired ", 0)]);
}

#[test]
fn two_workers_refund_once() {
    let story = [TAP, Verb::RunUntilIdle, Verb::yes(VISA), Verb::RunUntilIdle, Verb::Refund(None)];
    assert_ends(&story, Verb::HandleNext, Verb::HandleAgain, &[("fulfilled 1 back", 1)]);
}

#[test]
fn two_refunds_of_all_refund_once() {
    let story = [TAP, Verb::RunUntilIdle, Verb::yes(VISA), Verb::RunUntilIdle];
    let all = Verb::Refund(None);
    assert_ends(&story, all, all, &[("fulfilled 1 back", 1)]);
}

#[test]
fn refund_and_its_webhook_refund_once() {
    let story =
        [TAP, Verb::RunUntilIdle, Verb::yes(VISA), Verb::RunUntilIdle, Verb::Refund(Some(1206))];
    assert_ends(&story, Verb::HandleNext, Verb::ReceiveWebhook, &[("fulfilled 1 back", 1)]);
}
