//! Every two that can meet, switched between at every two uses of a port: whoever wins, nothing breaks and all ends.

use std::collections::BTreeSet;

use tests::sim::{PHONE, VISA, Verb, race};

const POOR: &str = "pm_card_visa_chargeDeclinedInsufficientFunds";
const ASK: Verb = Verb::Ask(PHONE, &["sms", "rcs"], 3600, 4250);
const TAP: Verb = Verb::Ask(PHONE, &["rcs", "sms"], 3600, 4250);

/// Runs the two in every order of their turns that switches twice, either of them first, and compares the ends there were.
fn these_ends_are_possible(story: &[Verb], one: Verb, other: Verb, ends: &[(&str, usize)]) {
    let mut seen = BTreeSet::new();
    for two in [(one, other), (other, one)] {
        let ran =
            |switches| race(story, two, switches).unwrap_or_else(|failure| panic!("{failure}"));
        // Retries make a pair longer than the two are alone; what is beyond their ends changes nothing.
        let (_, first, both) = ran((u64::MAX, 0));
        for i in 0..=first {
            for j in 0..=both.saturating_sub(first) {
                let (end, _, _) = ran((i, j));
                let back = end.given_back;
                let back = if back > 0 { format!("{back} back") } else { String::new() };
                seen.insert((format!("{}{back}", end.state), end.charges));
            }
        }
    }
    let expected = ends.iter().map(|(state, charges)| ((*state).to_owned(), *charges)).collect();
    assert_eq!(seen, expected);
}

#[test]
fn two_yeses() {
    let story = [TAP, Verb::Settle];
    these_ends_are_possible(&story, Verb::Yes(VISA), Verb::Yes(VISA), &[("fulfilled ", 1)]);
}

#[test]
fn two_yeses_with_two_cards_on_the_page() {
    let story = [ASK, Verb::Settle];
    // The poor card can come first: then the customer is asked again and does not answer.
    let ends = [("expired ", 0), ("fulfilled ", 1)];
    these_ends_are_possible(&story, Verb::Yes(VISA), Verb::Yes(POOR), &ends);
}

#[test]
fn a_yes_and_a_cancel() {
    let story = [TAP, Verb::Settle];
    let ends = [("cancelled ", 0), ("fulfilled ", 1)];
    these_ends_are_possible(&story, Verb::Yes(VISA), Verb::Act("cancel"), &ends);
}

#[test]
fn a_yes_and_a_no() {
    let story = [TAP, Verb::Settle];
    let ends = [("denied \"customer\"", 0), ("fulfilled ", 1)];
    these_ends_are_possible(&story, Verb::Yes(VISA), Verb::No, &ends);
}

#[test]
fn a_yes_and_an_opting_out() {
    let story = [ASK, Verb::Settle];
    let ends = [("denied \"opted_out\"", 0), ("fulfilled ", 1)];
    these_ends_are_possible(&story, Verb::Yes(VISA), Verb::Stop, &ends);
}

#[test]
fn two_workers_at_the_processor() {
    let story = [TAP, Verb::Settle, Verb::Yes(VISA)];
    these_ends_are_possible(&story, Verb::Next, Verb::Again, &[("fulfilled ", 1)]);
}

#[test]
fn a_worker_at_the_processor_and_a_late_receipt() {
    let story = [ASK, Verb::Settle, Verb::Yes(VISA)];
    let receipt = Verb::Receipt("delivered");
    these_ends_are_possible(&story, Verb::Next, receipt, &[("fulfilled ", 1)]);
}

#[test]
fn a_worker_at_the_processor_and_a_cancel() {
    let story = [TAP, Verb::Settle, Verb::Yes(VISA)];
    these_ends_are_possible(&story, Verb::Next, Verb::Act("cancel"), &[("fulfilled ", 1)]);
}

#[test]
fn a_prompt_and_a_cancel() {
    these_ends_are_possible(&[TAP], Verb::Next, Verb::Act("cancel"), &[("cancelled ", 0)]);
}

#[test]
fn a_prompt_and_a_resend() {
    these_ends_are_possible(&[TAP], Verb::Next, Verb::Act("resend"), &[("expired ", 0)]);
}

#[test]
fn a_prompt_sent_by_two_and_an_opting_out() {
    these_ends_are_possible(&[ASK], Verb::Next, Verb::Again, &[("expired ", 0)]);
    these_ends_are_possible(&[ASK], Verb::Next, Verb::Stop, &[("denied \"opted_out\"", 0)]);
}

#[test]
fn the_deadline_and_a_yes() {
    // The last check is due at the deadline, and time comes to it when the worker sets to work.
    let story = [Verb::Ask(PHONE, &["rcs", "sms"], 300, 4250), Verb::Settle];
    let ends = [("expired ", 0), ("fulfilled ", 1)];
    these_ends_are_possible(&story, Verb::Next, Verb::Yes(VISA), &ends);
}

#[test]
fn one_call_made_twice() {
    these_ends_are_possible(&[], TAP, TAP, &[("expired ", 0)]);
}

#[test]
fn two_workers_who_give_money_back() {
    let story = [TAP, Verb::Settle, Verb::Yes(VISA), Verb::Settle, Verb::GiveBack(None)];
    these_ends_are_possible(&story, Verb::Next, Verb::Again, &[("fulfilled 1 back", 1)]);
}

#[test]
fn two_who_give_all_that_is_left_back() {
    let story = [TAP, Verb::Settle, Verb::Yes(VISA), Verb::Settle];
    let all = Verb::GiveBack(None);
    these_ends_are_possible(&story, all, all, &[("fulfilled 1 back", 1)]);
}

#[test]
fn a_worker_who_gives_money_back_and_the_processors_word_of_it() {
    let story = [TAP, Verb::Settle, Verb::Yes(VISA), Verb::Settle, Verb::GiveBack(Some(1206))];
    these_ends_are_possible(&story, Verb::Next, Verb::Hook, &[("fulfilled 1 back", 1)]);
}
