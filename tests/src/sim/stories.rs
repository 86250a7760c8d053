//! Stories as data: each is told in peace, with each single fault, and under drawn faults.

use super::scenario::{POOR, SECURE, STOLEN};
use super::story::{OtherAsk, Verb};
use super::story_runner::{PHONE, VISA};
use crate::providers::stripe::HostedAction;

/// A story of one request, with its end.
#[derive(Clone, Copy, Debug)]
pub struct Story {
    /// The name, as a failure shows it.
    pub name: &'static str,
    /// What happens, in parts that follow one another.
    pub parts: &'static [&'static [Verb]],
    /// The state at the end, with its reason.
    pub end: &'static str,
    /// How often the request is charged, a card saved or a code exchanged. `None` where a fault changes that.
    pub charges: Option<usize>,
    /// Another state at the end, where a fault may leave the customer without a prompt.
    pub otherwise: &'static str,
    /// How often money goes back.
    pub refunds: usize,
}

impl Story {
    /// Returns all that happens.
    #[must_use]
    pub fn verbs(&self) -> Vec<Verb> {
        self.parts.concat()
    }

    const fn ends(
        name: &'static str,
        end: &'static str,
        parts: &'static [&'static [Verb]],
    ) -> Self {
        Self { name, parts, end, charges: Some(0), otherwise: "", refunds: 0 }
    }

    const fn fulfilled(name: &'static str, parts: &'static [&'static [Verb]]) -> Self {
        Self { charges: Some(1), ..Self::ends(name, "fulfilled ", parts) }
    }

    const fn refunded(
        name: &'static str,
        refunds: usize,
        parts: &'static [&'static [Verb]],
    ) -> Self {
        Self { refunds, ..Self::fulfilled(name, parts) }
    }

    /// A text that is lost for good may leave the customer without a prompt.
    const fn or_expired(self) -> Self {
        Self { otherwise: "expired ", ..self }
    }

    const fn charges_vary(self) -> Self {
        Self { charges: None, ..self }
    }
}

macro_rules! asked {
    ($($channel:literal),*) => {
        &[Verb::Ask(PHONE, &[$($channel),*], 3600, 4250), Verb::RunUntilIdle]
    };
}

const TAP: &[Verb] = asked!("rcs");
const TEXT: &[Verb] = asked!("sms", "rcs");
const CHAT: &[Verb] = asked!("whatsapp");
/// A customer who has written gets buttons.
const HELLO: &[Verb] = &[Verb::WriteOnWhatsapp("hello")];
const PAYS: Verb = Verb::ActOnHostedPage(HostedAction::Pays(VISA));
const REFUSES: Verb = Verb::ActOnHostedPage(HostedAction::Refuses);
const YES: &[Verb] = &[Verb::yes(VISA), Verb::RunUntilIdle];
const NO: &[Verb] = &[Verb::NO, Verb::RunUntilIdle];
const NOT_ME: &[Verb] = &[Verb::NOT_ME, Verb::RunUntilIdle];
const WRONG_CODE: &[Verb] = &[Verb::WRONG_CODE, Verb::RunUntilIdle];
const DECLINED: &[Verb] = &[Verb::yes(POOR), Verb::RunUntilIdle];
/// To the processor's page.
const REDIRECTED: &[Verb] = &[Verb::HOSTED, Verb::RunUntilRedirected, Verb::OpenPage];
/// To the bank's page.
const TO_THE_BANK: &[Verb] = &[Verb::yes(SECURE), Verb::RunUntilRedirected, Verb::OpenPage];
const DONE: &[Verb] = &[PAYS, Verb::ReturnFromHostedPage, Verb::RunUntilIdle];
const SAVING: &[Verb] =
    &[Verb::AskFor(OtherAsk::SavedCard, PHONE, &["rcs"], 3600), Verb::RunUntilIdle];
const CLAIMS: &[Verb] =
    &[Verb::AskFor(OtherAsk::Claims, PHONE, &["rcs"], 3600), Verb::RunUntilIdle];
const SIGNS_IN: &[Verb] = &[
    Verb::HOSTED,
    Verb::RunUntilRedirected,
    Verb::OpenPage,
    PAYS,
    Verb::RepeatReturn,
    Verb::RunUntilIdle,
];

/// All stories.
pub const STORIES: &[Story] = &[
    Story::fulfilled("payment_by_tap_fulfilled", &[TAP, YES]),
    Story::fulfilled(
        "payment_on_page_of_text_fulfilled",
        &[TEXT, &[Verb::ReportTextStatus("delivered"), Verb::MORE_TIME], YES],
    ),
    Story::fulfilled(
        "payment_processing_for_a_while_fulfilled",
        &[&[Verb::Ask(PHONE, &["rcs"], 3600, 4204), Verb::RunUntilIdle], YES],
    ),
    Story::fulfilled("second_card_after_decline_fulfilled", &[TAP, DECLINED, DECLINED, YES]),
    Story::ends(
        "stolen_card_declined_for_good",
        "failed \"card_declined\"",
        &[TAP, &[Verb::yes(STOLEN), Verb::RunUntilIdle]],
    ),
    Story::fulfilled(
        "next_route_after_silent_one_fulfilled",
        &[
            &[Verb::Ask("+15551239002", &["rcs", "sms"], 3600, 4250), Verb::RunUntilIdle],
            &[Verb::ReportTextStatus("delivered")],
            YES,
        ],
    )
    .or_expired(),
    Story::ends(
        "request_without_route_undeliverable",
        "undeliverable \"not_on_channel\"",
        &[&[Verb::Ask("+15551239001", &["rcs"], 3600, 4250), Verb::RunUntilIdle]],
    ),
    Story::ends("customer_says_no_denied", "denied \"customer\"", &[TAP, NO]),
    Story::ends("customer_says_not_me_denied", "denied \"not_me\"", &[TEXT, NOT_ME]),
    Story::ends("wrong_code_denied", "denied \"wrong_session_code\"", &[TAP, WRONG_CODE]),
    Story::ends(
        "opt_out_by_text_denied",
        "denied \"opted_out\"",
        &[TEXT, &[Verb::Stop, Verb::RunUntilIdle]],
    ),
    Story::fulfilled("right_code_in_chat_fulfilled", &[HELLO, CHAT, YES]).or_expired(),
    Story::fulfilled("page_behind_template_fulfilled", &[CHAT, YES]).or_expired(),
    Story::fulfilled("chat_or_next_route_fulfilled", &[HELLO, asked!("whatsapp", "rcs"), YES]),
    Story::ends(
        "wrong_code_in_chat_denied",
        "denied \"wrong_session_code\"",
        &[HELLO, CHAT, WRONG_CODE],
    )
    .or_expired(),
    Story::ends("not_me_on_template_denied", "denied \"not_me\"", &[CHAT, NOT_ME]).or_expired(),
    Story::ends("no_beside_numbers_denied", "denied \"customer\"", &[HELLO, CHAT, NO]).or_expired(),
    Story::ends(
        "opt_out_in_chat_denied",
        "denied \"opted_out\"",
        &[CHAT, &[Verb::WriteOnWhatsapp("STOP"), Verb::RunUntilIdle]],
    ),
    Story::ends(
        "cancel_after_resend_cancelled",
        "cancelled ",
        &[
            asked!("rcs", "sms"),
            &[Verb::CallApi("resend"), Verb::RunUntilIdle, Verb::CallApi("extend")],
            &[Verb::CallApi("cancel"), Verb::RunUntilIdle],
        ],
    ),
    Story::ends(
        "deadline_passes_expired",
        "expired ",
        &[
            &[Verb::Ask(PHONE, &["rcs", "sms"], 700, 4250), Verb::RunUntilIdle],
            &[Verb::Wait(900), Verb::RunUntilIdle],
        ],
    ),
    Story::fulfilled(
        "payment_on_hosted_page_fulfilled",
        &[TAP, REDIRECTED, DONE, &[PAYS, Verb::RunUntilIdle]],
    ),
    Story::fulfilled(
        "hosted_payment_reported_by_webhook_fulfilled",
        &[TAP, REDIRECTED, &[PAYS, Verb::ReceiveWebhook, Verb::ReceiveWebhook, Verb::RunUntilIdle]],
    ),
    Story::fulfilled(
        "customer_abandons_hosted_page_pays_here",
        &[TAP, REDIRECTED, &[Verb::ChooseOtherOption, Verb::RunUntilIdle, PAYS], YES, &[PAYS]],
    ),
    Story::ends(
        "cancel_while_on_hosted_page_cancelled",
        "cancelled ",
        &[TAP, REDIRECTED, &[Verb::CallApi("cancel"), Verb::RunUntilIdle], DONE],
    ),
    Story::ends(
        "deadline_on_hosted_page_failed",
        "failed \"customer_left\"",
        &[TAP, REDIRECTED, &[Verb::Wait(4000), Verb::RunUntilIdle, PAYS, Verb::RunUntilIdle]],
    ),
    Story::fulfilled("card_with_3d_secure_fulfilled", &[TAP, TO_THE_BANK, DONE, &[PAYS]]),
    Story::fulfilled(
        "failed_3d_secure_then_other_card_fulfilled",
        &[TAP, TO_THE_BANK, &[REFUSES, Verb::ReturnFromHostedPage, Verb::RunUntilIdle], YES],
    ),
    Story::fulfilled("card_saved", &[SAVING, YES]),
    Story::fulfilled(
        "payment_by_saved_card_fulfilled",
        &[
            SAVING,
            YES,
            &[
                Verb::AskFor(OtherAsk::PaymentBySavedCard(4250), PHONE, &["rcs"], 3600),
                Verb::RunUntilIdle,
            ],
            YES,
        ],
    ),
    Story::fulfilled("card_saved_on_hosted_page", &[SAVING, REDIRECTED, DONE, &[PAYS]]),
    Story::fulfilled("card_with_3d_secure_saved", &[SAVING, TO_THE_BANK, DONE]),
    // A code that was lost is never used again: the customer is asked once more.
    Story::fulfilled("claims_released", &[CLAIMS, SIGNS_IN, SIGNS_IN]).charges_vary(),
    Story::ends(
        "claims_refused_denied",
        "denied \"customer\"",
        &[CLAIMS, REDIRECTED, &[REFUSES, Verb::RunUntilIdle, Verb::NO]],
    ),
    Story::refunded("whole_refund_done", 1, &[TAP, YES, &[Verb::Refund(None), Verb::RunUntilIdle]]),
    Story::refunded(
        "slow_refund_reported_by_webhook_done",
        1,
        &[
            TAP,
            YES,
            &[
                Verb::Refund(Some(1206)),
                Verb::RunUntilIdle,
                Verb::ReceiveWebhook,
                Verb::ReceiveWebhook,
                Verb::RunUntilIdle,
            ],
        ],
    ),
    // A worker that looks again after a lost answer comes within the hour.
    Story::refunded(
        "second_refund_after_failed_one_done",
        1,
        &[
            TAP,
            YES,
            &[Verb::Refund(Some(1007)), Verb::RunUntilIdle, Verb::Wait(3600), Verb::RunUntilIdle],
            &[Verb::Refund(Some(1000)), Verb::RunUntilIdle],
        ],
    ),
    Story::refunded(
        "refund_in_parts_done",
        3,
        &[
            TAP,
            YES,
            &[Verb::Refund(Some(4000)), Verb::Refund(Some(249)), Verb::Refund(None)],
            &[Verb::RunUntilIdle],
        ],
    ),
];
