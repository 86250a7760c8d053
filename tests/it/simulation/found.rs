//! The bugs that seeds found, each as a story, since a seed changes its meaning when the code changes.

use tests::sim::{Fault, FaultKind, PHONE, PortFault, VISA, Verb};

use super::told;

/// The check that guards a new request may run before the request is written.
#[test]
fn request_written_after_its_check_still_ends() {
    let story = [Verb::AskSlowly(PHONE, &["rcs"], 60, 4250)];
    assert_eq!(told(&story, Fault::None).ending.state, "expired ");
    let story = [Verb::AskSlowly(PHONE, &["rcs"], 600, 4250), Verb::RunUntilIdle, Verb::yes(VISA)];
    let end = told(&story, Fault::None).ending;
    assert_eq!((end.state.as_str(), end.charges), ("fulfilled ", 1));
}

/// A writer that changes the request during a payment does not delay the payment.
#[test]
fn conflict_during_payment_delays_nothing() {
    let story = [
        Verb::Ask(PHONE, &["rcs"], 3600, 4250),
        Verb::RunUntilIdle,
        Verb::yes(VISA),
        Verb::EndsWithin(10),
    ];
    let is_conflict =
        |fault: &Fault| matches!(fault, Fault::Port(PortFault { how: FaultKind::Conflicts, .. }));
    for fault in told(&story, Fault::None).faults().filter(is_conflict) {
        told(&story, fault);
    }
}
