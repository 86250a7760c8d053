//! Each story, with one blow at each use of a port in turn: whoever dies, whatever fails, the end is the same.

use tests::sim::{Away, Fault, FaultKind, PHONE, PortFault, VISA, Verb, What, tell};

const POOR: &str = "pm_card_visa_chargeDeclinedInsufficientFunds";
const STOLEN: &str = "pm_card_visa_chargeDeclinedStolenCard";
const SECURE: &str = "pm_card_authenticationRequired";

/// Tells the story once in peace and once for each blow there can be.
fn the_end_is_always(state: &str, charges: usize, story: &[Verb]) {
    the_end_is(state, charges, story, "");
}

/// The same, where a text that is lost for good may leave the customer without a prompt.
fn the_end_is(state: &str, charges: usize, story: &[Verb], otherwise: &str) {
    let (peaceful, uses) = tell(story, Fault::None).unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!((peaceful.state.as_str(), peaceful.charges), (state, charges), "{peaceful:?}");
    for k in 1..=uses {
        let port_fault = |how| Fault::Port(PortFault { using: k, how });
        let faults = [
            Fault::Crash(k),
            port_fault(FaultKind::Fails),
            port_fault(FaultKind::Lost),
            port_fault(FaultKind::Conflicts),
        ];
        for fault in faults {
            let (end, _) =
                tell(story, fault).unwrap_or_else(|failure| panic!("{fault:?}: {failure}"));
            let unasked = end.state == otherwise && end.charges == 0;
            assert!(unasked || end == peaceful, "{fault:?} of {uses}: {end:?}, not {peaceful:?}");
        }
    }
}

/// The same, where what is told on the way may differ.
fn ends_as_ever(state: &str, story: &[Verb]) {
    let (peaceful, uses) = tell(story, Fault::None).unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!(peaceful.state, state, "{peaceful:?}");
    for k in 1..=uses {
        let port_fault = |how| Fault::Port(PortFault { using: k, how });
        let faults = [
            Fault::Crash(k),
            port_fault(FaultKind::Fails),
            port_fault(FaultKind::Lost),
            port_fault(FaultKind::Conflicts),
        ];
        for fault in faults {
            let (end, _) =
                tell(story, fault).unwrap_or_else(|failure| panic!("{fault:?}: {failure}"));
            assert_eq!(end.state, state, "{fault:?} of {uses}: {end:?}, not {peaceful:?}");
        }
    }
}

#[test]
fn a_payment_by_a_tap() {
    let story =
        [Verb::Ask(PHONE, &["rcs"], 3600, 4250), Verb::Settle, Verb::Yes(VISA), Verb::Settle];
    the_end_is_always("fulfilled ", 1, &story);
}

#[test]
fn a_payment_on_the_page_of_a_text() {
    let story = [
        Verb::Ask(PHONE, &["sms", "rcs"], 3600, 4250),
        Verb::Settle,
        Verb::Receipt("delivered"),
        Verb::MoreTime,
        Verb::Yes(VISA),
        Verb::Settle,
    ];
    the_end_is_always("fulfilled ", 1, &story);
}

#[test]
fn a_payment_that_takes_the_processor_a_while() {
    let story =
        [Verb::Ask(PHONE, &["rcs"], 3600, 4204), Verb::Settle, Verb::Yes(VISA), Verb::Settle];
    the_end_is_always("fulfilled ", 1, &story);
}

#[test]
fn a_second_card_after_the_first_was_refused() {
    let story = [
        Verb::Ask(PHONE, &["rcs"], 3600, 4250),
        Verb::Settle,
        Verb::Yes(POOR),
        Verb::Settle,
        Verb::Yes(POOR),
        Verb::Settle,
        Verb::Yes(VISA),
        Verb::Settle,
    ];
    the_end_is_always("fulfilled ", 1, &story);
}

#[test]
fn a_card_that_is_declined_for_good() {
    let story =
        [Verb::Ask(PHONE, &["rcs"], 3600, 4250), Verb::Settle, Verb::Yes(STOLEN), Verb::Settle];
    the_end_is_always("failed \"card_declined\"", 0, &story);
}

#[test]
fn the_next_route_after_a_silent_one() {
    let story = [
        Verb::Ask("+15551239002", &["rcs", "sms"], 3600, 4250),
        Verb::Settle,
        Verb::Receipt("delivered"),
        Verb::Yes(VISA),
        Verb::Settle,
    ];
    the_end_is("fulfilled ", 1, &story, "expired ");
}

#[test]
fn no_route_at_all() {
    let story = [Verb::Ask("+15551239001", &["rcs"], 3600, 4250), Verb::Settle];
    the_end_is_always("undeliverable \"not_on_channel\"", 0, &story);
}

#[test]
fn a_no() {
    let story = [Verb::Ask(PHONE, &["rcs"], 3600, 4250), Verb::Settle, Verb::No, Verb::Settle];
    the_end_is_always("denied \"customer\"", 0, &story);
}

#[test]
fn a_report() {
    let story =
        [Verb::Ask(PHONE, &["sms", "rcs"], 3600, 4250), Verb::Settle, Verb::NotMe, Verb::Settle];
    the_end_is_always("denied \"not_me\"", 0, &story);
}

#[test]
fn a_wrong_code() {
    let story =
        [Verb::Ask(PHONE, &["rcs"], 3600, 4250), Verb::Settle, Verb::WrongCode, Verb::Settle];
    the_end_is_always("denied \"wrong_session_code\"", 0, &story);
}

#[test]
fn a_customer_who_opts_out() {
    let story =
        [Verb::Ask(PHONE, &["sms", "rcs"], 3600, 4250), Verb::Settle, Verb::Stop, Verb::Settle];
    the_end_is_always("denied \"opted_out\"", 0, &story);
}

const CHAT: Verb = Verb::Ask(PHONE, &["whatsapp"], 3600, 4250);

#[test]
fn a_payment_by_the_right_code_in_a_chat() {
    // Whoever has written gets the codes as buttons.
    let story = [Verb::Chat("hello"), CHAT, Verb::Settle, Verb::Yes(VISA), Verb::Settle];
    the_end_is("fulfilled ", 1, &story, "expired ");
}

#[test]
fn a_payment_on_the_page_that_a_template_leads_to() {
    let story = [CHAT, Verb::Settle, Verb::Yes(VISA), Verb::Settle];
    the_end_is("fulfilled ", 1, &story, "expired ");
}

#[test]
fn a_payment_that_begins_in_a_chat_or_goes_on_elsewhere() {
    let ask = Verb::Ask(PHONE, &["whatsapp", "rcs"], 3600, 4250);
    let story = [Verb::Chat("hello"), ask, Verb::Settle, Verb::Yes(VISA), Verb::Settle];
    the_end_is_always("fulfilled ", 1, &story);
}

#[test]
fn a_wrong_code_in_a_chat() {
    let story = [Verb::Chat("hello"), CHAT, Verb::Settle, Verb::WrongCode, Verb::Settle];
    the_end_is("denied \"wrong_session_code\"", 0, &story, "expired ");
}

#[test]
fn a_report_by_a_button_of_a_template() {
    let story = [CHAT, Verb::Settle, Verb::NotMe, Verb::Settle];
    the_end_is("denied \"not_me\"", 0, &story, "expired ");
}

#[test]
fn a_no_behind_the_link_of_a_chat() {
    let story = [Verb::Chat("hello"), CHAT, Verb::Settle, Verb::No, Verb::Settle];
    the_end_is("denied \"customer\"", 0, &story, "expired ");
}

#[test]
fn a_customer_who_opts_out_in_a_chat() {
    let story = [CHAT, Verb::Settle, Verb::Chat("STOP"), Verb::Settle];
    the_end_is_always("denied \"opted_out\"", 0, &story);
}

#[test]
fn a_cancel_after_a_resend() {
    let story = [
        Verb::Ask(PHONE, &["rcs", "sms"], 3600, 4250),
        Verb::Settle,
        Verb::Act("resend"),
        Verb::Settle,
        Verb::Act("extend"),
        Verb::Act("cancel"),
        Verb::Settle,
    ];
    the_end_is_always("cancelled ", 0, &story);
}

#[test]
fn a_deadline_that_passes() {
    let story =
        [Verb::Ask(PHONE, &["rcs", "sms"], 700, 4250), Verb::Settle, Verb::Pass(900), Verb::Settle];
    the_end_is_always("expired ", 0, &story);
}

const PAYS: Verb = Verb::There(Away::ButtonAction(VISA));
const ASK: Verb = Verb::Ask(PHONE, &["rcs"], 3600, 4250);

/// To the processor's page.
const ONWARD: [Verb; 5] = [ASK, Verb::Settle, Verb::Hosted, Verb::Redirected, Verb::GoOn];

#[test]
fn a_payment_on_the_processors_page() {
    let story = [&ONWARD[..], &[PAYS, Verb::Done, Verb::Settle, PAYS, Verb::Settle]].concat();
    the_end_is_always("fulfilled ", 1, &story);
}

#[test]
fn a_payment_on_the_processors_page_of_which_only_the_processor_tells() {
    let story = [&ONWARD[..], &[PAYS, Verb::Hook, Verb::Hook, Verb::Settle]].concat();
    the_end_is_always("fulfilled ", 1, &story);
}

#[test]
fn a_customer_who_leaves_the_processors_page_and_pays_here() {
    let back = [Verb::TurnBack, Verb::Settle, PAYS, Verb::Yes(VISA), Verb::Settle, PAYS];
    the_end_is_always("fulfilled ", 1, &[&ONWARD[..], &back].concat());
}

#[test]
fn a_request_that_is_taken_back_while_the_customer_is_on_the_processors_page() {
    let back = [Verb::Act("cancel"), Verb::Settle, PAYS, Verb::Done, Verb::Settle];
    the_end_is_always("cancelled ", 0, &[&ONWARD[..], &back].concat());
}

#[test]
fn a_deadline_that_passes_on_the_processors_page() {
    let story = [&ONWARD[..], &[Verb::Pass(4000), Verb::Settle, PAYS, Verb::Settle]].concat();
    the_end_is_always("failed \"customer_left\"", 0, &story);
}

#[test]
fn a_card_that_wants_3d_secure() {
    let bank =
        [Verb::Yes(SECURE), Verb::Redirected, Verb::GoOn, PAYS, Verb::Done, Verb::Settle, PAYS];
    the_end_is_always("fulfilled ", 1, &[&[ASK, Verb::Settle], &bank[..]].concat());
}

#[test]
fn a_customer_who_is_not_known_to_their_bank_and_takes_another_card() {
    let bank = [Verb::Yes(SECURE), Verb::Redirected, Verb::GoOn, Verb::There(Away::Refuses)];
    let other = [Verb::Done, Verb::Settle, Verb::Yes(VISA), Verb::Settle];
    the_end_is_always("fulfilled ", 1, &[&[ASK, Verb::Settle], &bank[..], &other].concat());
}

const KEEP: Verb = Verb::AskFor(What::Card, PHONE, &["rcs"], 3600);

#[test]
fn a_card_put_on_file_and_a_payment_with_it() {
    let kept = [KEEP, Verb::Settle, Verb::Yes(VISA), Verb::Settle];
    the_end_is_always("fulfilled ", 1, &kept);
    let paid = [Verb::AskFor(What::ByCard, PHONE, &["rcs"], 3600), Verb::Settle];
    let yes = [Verb::Yes(VISA), Verb::Settle];
    the_end_is_always("fulfilled ", 1, &[&kept[..], &paid, &yes].concat());
}

#[test]
fn a_card_left_on_the_processors_page() {
    let redirect = [KEEP, Verb::Settle, Verb::Hosted, Verb::Redirected, Verb::GoOn];
    let story = [&redirect[..], &[PAYS, Verb::Done, Verb::Settle, PAYS]].concat();
    the_end_is_always("fulfilled ", 1, &story);
}

#[test]
fn a_card_left_that_wants_3d_secure() {
    let bank = [Verb::Yes(SECURE), Verb::Redirected, Verb::GoOn, PAYS, Verb::Done, Verb::Settle];
    the_end_is_always("fulfilled ", 1, &[&[KEEP, Verb::Settle], &bank[..]].concat());
}

#[test]
fn facts_that_a_customer_releases() {
    let asked = [Verb::AskFor(What::Facts, PHONE, &["rcs"], 3600), Verb::Settle];
    let signs_in = [Verb::Hosted, Verb::Redirected, Verb::GoOn, PAYS, Verb::Reload, Verb::Settle];
    // A code that was lost is never used again: the customer is asked once more.
    let story = [&asked[..], &signs_in, &signs_in].concat();
    ends_as_ever("fulfilled ", &story);
}

#[test]
fn facts_that_a_customer_keeps_to_themselves() {
    let asked = [Verb::AskFor(What::Facts, PHONE, &["rcs"], 3600), Verb::Settle];
    let away =
        [Verb::Hosted, Verb::Redirected, Verb::GoOn, Verb::There(Away::Refuses), Verb::Settle];
    the_end_is_always("denied \"customer\"", 0, &[&asked[..], &away, &[Verb::No]].concat());
}

/// A payment of 42.50.
const PAID: [Verb; 4] = [ASK, Verb::Settle, Verb::Yes(VISA), Verb::Settle];

/// The same blows, at money that goes back in one or more parts.
fn goes_back(times: usize, parts: &[Verb]) {
    let story = [&PAID[..], parts].concat();
    let (end, _) = tell(&story, Fault::None).unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!(end.given_back, times, "{end:?}");
    the_end_is_always("fulfilled ", 1, &story);
}

#[test]
fn money_that_goes_back() {
    goes_back(1, &[Verb::GiveBack(None), Verb::Settle]);
}

#[test]
fn money_that_takes_a_while_to_go_back_of_which_the_processor_tells() {
    goes_back(1, &[Verb::GiveBack(Some(1206)), Verb::Settle, Verb::Hook, Verb::Hook, Verb::Settle]);
}

#[test]
fn money_that_the_customers_bank_does_not_take_back_and_then_does() {
    // Whoever looks again after a lost answer comes within the hour.
    let comes_back = [Verb::GiveBack(Some(1007)), Verb::Settle, Verb::Pass(3600), Verb::Settle];
    goes_back(1, &[&comes_back[..], &[Verb::GiveBack(Some(1000)), Verb::Settle]].concat());
}

#[test]
fn money_that_goes_back_in_parts() {
    let parts = [Verb::GiveBack(Some(4000)), Verb::GiveBack(Some(249)), Verb::GiveBack(None)];
    goes_back(3, &[&parts[..], &[Verb::Settle]].concat());
}
