//! What seeds found, each as a story of its own: seeds change their meaning when code does.

use tests::sim::{Fault, FaultKind, PHONE, PortFault, VISA, Verb, tell};

#[test]
fn a_request_written_after_its_guarding_check_was_spent_still_ends() {
    let story = [Verb::AskSlowly(PHONE, &["rcs"], 60, 4250)];
    let (end, _) = tell(&story, Fault::None).unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!(end.state, "expired ");
    let story = [Verb::AskSlowly(PHONE, &["rcs"], 600, 4250), Verb::Settle, Verb::Yes(VISA)];
    let (end, _) = tell(&story, Fault::None).unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!((end.state.as_str(), end.charges), ("fulfilled ", 1));
}

#[test]
fn whoever_changes_the_request_in_the_midst_of_a_payment_does_not_hold_it_up() {
    let story = [
        Verb::Ask(PHONE, &["rcs"], 3600, 4250),
        Verb::Settle,
        Verb::Yes(VISA),
        Verb::EndsWithin(10),
    ];
    let (_, uses) = tell(&story, Fault::None).unwrap_or_else(|failure| panic!("{failure}"));
    for using in 1..=uses {
        let fault = Fault::Port(PortFault { using, how: FaultKind::Conflicts });
        tell(&story, fault).unwrap_or_else(|failure| panic!("{fault:?}: {failure}"));
    }
}
