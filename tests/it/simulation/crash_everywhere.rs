//! Each story, with one fault at each use of a port in turn.
//!
//! The story must end as it does without a fault, no matter which process dies or which call fails.

use tests::sim::{Away, Fault, FaultKind, PHONE, PortFault, VISA, Verb, What, tell};

const POOR: &str = "pm_card_visa_chargeDeclinedInsufficientFunds";
const STOLEN: &str = "pm_card_visa_chargeDeclinedStolenCard";
const SECURE: &str = "pm_card_authenticationRequired";

/// Asserts the story's end without a fault, and the same end with each possible fault.
fn assert_end(state: &str, charges: usize, story: &[Verb]) {
    assert_end_or(state, charges, story, "");
}

/// Asserts the same as `assert_end`, except that a fault may also lead to `otherwise`, without a charge.
///
/// A message that is lost for good can leave the customer without a prompt. An empty `otherwise` allows no other end.
fn assert_end_or(state: &str, charges: usize, story: &[Verb], otherwise: &str) {
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

/// Asserts the state at the story's end, where faults may change the charges and the webhooks on the way.
fn assert_state(state: &str, story: &[Verb]) {
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
fn payment_by_tap_fulfilled() {
    let story =
        [Verb::Ask(PHONE, &["rcs"], 3600, 4250), Verb::Settle, Verb::Yes(VISA), Verb::Settle];
    assert_end("fulfilled ", 1, &story);
}

#[test]
fn payment_on_page_of_text_fulfilled() {
    let story = [
        Verb::Ask(PHONE, &["sms", "rcs"], 3600, 4250),
        Verb::Settle,
        Verb::Receipt("delivered"),
        Verb::MoreTime,
        Verb::Yes(VISA),
        Verb::Settle,
    ];
    assert_end("fulfilled ", 1, &story);
}

/// The processor takes a while to complete the payment.
#[test]
fn payment_processing_for_a_while_fulfilled() {
    let story =
        [Verb::Ask(PHONE, &["rcs"], 3600, 4204), Verb::Settle, Verb::Yes(VISA), Verb::Settle];
    assert_end("fulfilled ", 1, &story);
}

/// The first card is declined twice before the customer gives another.
#[test]
fn second_card_after_decline_fulfilled() {
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
    assert_end("fulfilled ", 1, &story);
}

#[test]
fn stolen_card_declined_for_good() {
    let story =
        [Verb::Ask(PHONE, &["rcs"], 3600, 4250), Verb::Settle, Verb::Yes(STOLEN), Verb::Settle];
    assert_end("failed \"card_declined\"", 0, &story);
}

#[test]
fn next_route_after_silent_one_fulfilled() {
    let story = [
        Verb::Ask("+15551239002", &["rcs", "sms"], 3600, 4250),
        Verb::Settle,
        Verb::Receipt("delivered"),
        Verb::Yes(VISA),
        Verb::Settle,
    ];
    assert_end_or("fulfilled ", 1, &story, "expired ");
}

#[test]
fn request_without_route_undeliverable() {
    let story = [Verb::Ask("+15551239001", &["rcs"], 3600, 4250), Verb::Settle];
    assert_end("undeliverable \"not_on_channel\"", 0, &story);
}

#[test]
fn customer_says_no_denied() {
    let story = [Verb::Ask(PHONE, &["rcs"], 3600, 4250), Verb::Settle, Verb::No, Verb::Settle];
    assert_end("denied \"customer\"", 0, &story);
}

#[test]
fn customer_says_not_me_denied() {
    let story =
        [Verb::Ask(PHONE, &["sms", "rcs"], 3600, 4250), Verb::Settle, Verb::NotMe, Verb::Settle];
    assert_end("denied \"not_me\"", 0, &story);
}

#[test]
fn wrong_code_denied() {
    let story =
        [Verb::Ask(PHONE, &["rcs"], 3600, 4250), Verb::Settle, Verb::WrongCode, Verb::Settle];
    assert_end("denied \"wrong_session_code\"", 0, &story);
}

#[test]
fn opt_out_by_text_denied() {
    let story =
        [Verb::Ask(PHONE, &["sms", "rcs"], 3600, 4250), Verb::Settle, Verb::Stop, Verb::Settle];
    assert_end("denied \"opted_out\"", 0, &story);
}

const CHAT: Verb = Verb::Ask(PHONE, &["whatsapp"], 3600, 4250);

#[test]
fn right_code_in_chat_fulfilled() {
    // A customer who wrote before gets the session codes as buttons.
    let story = [Verb::Chat("hello"), CHAT, Verb::Settle, Verb::Yes(VISA), Verb::Settle];
    assert_end_or("fulfilled ", 1, &story, "expired ");
}

#[test]
fn page_behind_template_fulfilled() {
    let story = [CHAT, Verb::Settle, Verb::Yes(VISA), Verb::Settle];
    assert_end_or("fulfilled ", 1, &story, "expired ");
}

/// A fault in the chat may move the request to its next route, but never loses the payment.
#[test]
fn chat_or_next_route_fulfilled() {
    let ask = Verb::Ask(PHONE, &["whatsapp", "rcs"], 3600, 4250);
    let story = [Verb::Chat("hello"), ask, Verb::Settle, Verb::Yes(VISA), Verb::Settle];
    assert_end("fulfilled ", 1, &story);
}

#[test]
fn wrong_code_in_chat_denied() {
    let story = [Verb::Chat("hello"), CHAT, Verb::Settle, Verb::WrongCode, Verb::Settle];
    assert_end_or("denied \"wrong_session_code\"", 0, &story, "expired ");
}

#[test]
fn not_me_on_template_denied() {
    let story = [CHAT, Verb::Settle, Verb::NotMe, Verb::Settle];
    assert_end_or("denied \"not_me\"", 0, &story, "expired ");
}

#[test]
fn no_behind_chat_link_denied() {
    let story = [Verb::Chat("hello"), CHAT, Verb::Settle, Verb::No, Verb::Settle];
    assert_end_or("denied \"customer\"", 0, &story, "expired ");
}

#[test]
fn opt_out_in_chat_denied() {
    let story = [CHAT, Verb::Settle, Verb::Chat("STOP"), Verb::Settle];
    assert_end("denied \"opted_out\"", 0, &story);
}

#[test]
fn cancel_after_resend_cancelled() {
    let story = [
        Verb::Ask(PHONE, &["rcs", "sms"], 3600, 4250),
        Verb::Settle,
        Verb::Act("resend"),
        Verb::Settle,
        Verb::Act("extend"),
        Verb::Act("cancel"),
        Verb::Settle,
    ];
    assert_end("cancelled ", 0, &story);
}

#[test]
fn deadline_passes_expired() {
    let story =
        [Verb::Ask(PHONE, &["rcs", "sms"], 700, 4250), Verb::Settle, Verb::Pass(900), Verb::Settle];
    assert_end("expired ", 0, &story);
}

const PAYS: Verb = Verb::There(Away::ButtonAction(VISA));
const ASK: Verb = Verb::Ask(PHONE, &["rcs"], 3600, 4250);

/// The steps until the customer is on the hosted page.
const REDIRECT: [Verb; 5] = [ASK, Verb::Settle, Verb::Hosted, Verb::Redirected, Verb::GoOn];

#[test]
fn payment_on_hosted_page_fulfilled() {
    let story = [&REDIRECT[..], &[PAYS, Verb::Done, Verb::Settle, PAYS, Verb::Settle]].concat();
    assert_end("fulfilled ", 1, &story);
}

/// The customer never returns from the hosted page, so that only the processor's webhook reports the payment.
#[test]
fn hosted_payment_reported_by_webhook_fulfilled() {
    let story = [&REDIRECT[..], &[PAYS, Verb::Hook, Verb::Hook, Verb::Settle]].concat();
    assert_end("fulfilled ", 1, &story);
}

/// The customer returns from the hosted page unpaid, and a late payment there charges nothing more.
#[test]
fn customer_abandons_hosted_page_pays_here() {
    let back = [Verb::TurnBack, Verb::Settle, PAYS, Verb::Yes(VISA), Verb::Settle, PAYS];
    assert_end("fulfilled ", 1, &[&REDIRECT[..], &back].concat());
}

/// The requester cancels while the customer is on the hosted page, and a late payment there charges nothing.
#[test]
fn cancel_while_on_hosted_page_cancelled() {
    let back = [Verb::Act("cancel"), Verb::Settle, PAYS, Verb::Done, Verb::Settle];
    assert_end("cancelled ", 0, &[&REDIRECT[..], &back].concat());
}

#[test]
fn deadline_on_hosted_page_failed() {
    let story = [&REDIRECT[..], &[Verb::Pass(4000), Verb::Settle, PAYS, Verb::Settle]].concat();
    assert_end("failed \"customer_left\"", 0, &story);
}

#[test]
fn card_with_3d_secure_fulfilled() {
    let bank =
        [Verb::Yes(SECURE), Verb::Redirected, Verb::GoOn, PAYS, Verb::Done, Verb::Settle, PAYS];
    assert_end("fulfilled ", 1, &[&[ASK, Verb::Settle], &bank[..]].concat());
}

/// The bank does not authenticate the customer, who then pays with another card.
#[test]
fn failed_3d_secure_then_other_card_fulfilled() {
    let bank = [Verb::Yes(SECURE), Verb::Redirected, Verb::GoOn, Verb::There(Away::Refuses)];
    let other = [Verb::Done, Verb::Settle, Verb::Yes(VISA), Verb::Settle];
    assert_end("fulfilled ", 1, &[&[ASK, Verb::Settle], &bank[..], &other].concat());
}

const KEEP: Verb = Verb::AskFor(What::Card, PHONE, &["rcs"], 3600);

#[test]
fn payment_by_saved_card_fulfilled() {
    let kept = [KEEP, Verb::Settle, Verb::Yes(VISA), Verb::Settle];
    assert_end("fulfilled ", 1, &kept);
    let paid = [Verb::AskFor(What::ByCard, PHONE, &["rcs"], 3600), Verb::Settle];
    let yes = [Verb::Yes(VISA), Verb::Settle];
    assert_end("fulfilled ", 1, &[&kept[..], &paid, &yes].concat());
}

#[test]
fn card_saved_on_hosted_page() {
    let redirect = [KEEP, Verb::Settle, Verb::Hosted, Verb::Redirected, Verb::GoOn];
    let story = [&redirect[..], &[PAYS, Verb::Done, Verb::Settle, PAYS]].concat();
    assert_end("fulfilled ", 1, &story);
}

#[test]
fn card_with_3d_secure_saved() {
    let bank = [Verb::Yes(SECURE), Verb::Redirected, Verb::GoOn, PAYS, Verb::Done, Verb::Settle];
    assert_end("fulfilled ", 1, &[&[KEEP, Verb::Settle], &bank[..]].concat());
}

#[test]
fn claims_released() {
    let asked = [Verb::AskFor(What::Facts, PHONE, &["rcs"], 3600), Verb::Settle];
    let signs_in = [Verb::Hosted, Verb::Redirected, Verb::GoOn, PAYS, Verb::Reload, Verb::Settle];
    // A lost authorization code is never used again, so the customer signs in once more.
    let story = [&asked[..], &signs_in, &signs_in].concat();
    assert_state("fulfilled ", &story);
}

#[test]
fn claims_refused_denied() {
    let asked = [Verb::AskFor(What::Facts, PHONE, &["rcs"], 3600), Verb::Settle];
    let away =
        [Verb::Hosted, Verb::Redirected, Verb::GoOn, Verb::There(Away::Refuses), Verb::Settle];
    assert_end("denied \"customer\"", 0, &[&asked[..], &away, &[Verb::No]].concat());
}

/// A payment of 42.50.
const PAID: [Verb; 4] = [ASK, Verb::Settle, Verb::Yes(VISA), Verb::Settle];

/// Asserts that each fault leaves the same refunds of a paid request, in one or more parts.
fn assert_refunds(times: usize, parts: &[Verb]) {
    let story = [&PAID[..], parts].concat();
    let (end, _) = tell(&story, Fault::None).unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!(end.given_back, times, "{end:?}");
    assert_end("fulfilled ", 1, &story);
}

#[test]
fn whole_refund_done() {
    assert_refunds(1, &[Verb::GiveBack(None), Verb::Settle]);
}

/// The refund is pending for a while, until the processor's webhook reports its end.
#[test]
fn slow_refund_reported_by_webhook_done() {
    assert_refunds(
        1,
        &[Verb::GiveBack(Some(1206)), Verb::Settle, Verb::Hook, Verb::Hook, Verb::Settle],
    );
}

/// The customer's bank rejects the first refund and accepts the second.
#[test]
fn second_refund_after_failed_one_done() {
    // The worker that looks again after a lost answer comes within the hour.
    let comes_back = [Verb::GiveBack(Some(1007)), Verb::Settle, Verb::Pass(3600), Verb::Settle];
    assert_refunds(1, &[&comes_back[..], &[Verb::GiveBack(Some(1000)), Verb::Settle]].concat());
}

#[test]
fn refund_in_parts_done() {
    let parts = [Verb::GiveBack(Some(4000)), Verb::GiveBack(Some(249)), Verb::GiveBack(None)];
    assert_refunds(3, &[&parts[..], &[Verb::Settle]].concat());
}
