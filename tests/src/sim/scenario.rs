//! Scenarios: what happens before faults begin, which processor the brand has, and what can happen with which weight.

use super::agents::AGENT;
use super::customer::CustomerReply;
use super::story::{OtherAsk, Verb};
use super::story_runner::{PHONE, VISA};
use super::world::Simulation;
use crate::rng::Weights;

/// One thing that can happen: its weight among the others of its table, its name, and what it does.
pub(super) type Choice = (u64, &'static str, fn(&mut Simulation));

/// A card that the customer's bank wants to confirm.
pub const SECURE: &str = "pm_card_authenticationRequired";
/// A card without enough money, which the customer can replace.
pub const POOR: &str = "pm_card_visa_chargeDeclinedInsufficientFunds";
/// A card that was stolen, which ends the request.
pub const STOLEN: &str = "pm_card_visa_chargeDeclinedStolenCard";
/// In place of a card: what Google Pay gave.
pub(super) const GOOGLE_PAY: &str = "google_pay";
/// In place of a card: the saved card that the request names.
pub(super) const SAVED: &str = "";

/// The fake that stands in for the brand's payment processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessorFake {
    /// Our fake of Stripe; for some seeds a processor of kind `sandbox`.
    Stripe,
    /// The sandbox's Stripe, behind the Stripe adapter.
    SandboxStripe,
    /// Our fake of Adyen.
    Adyen,
}

/// The parts of a run.
#[derive(Debug)]
pub struct Scenario {
    /// The name, as reports and the command line give it.
    pub name: &'static str,
    /// The fake that stands for the processor.
    pub processor: ProcessorFake,
    /// The brand's policy as JSON; without one, each plan says whether the seed draws it.
    pub policy: Option<&'static str>,
    /// What happens before faults begin.
    pub opening: &'static [Verb],
    /// What happens in each step.
    pub(super) step: &'static [Choice],
    /// What requesters do.
    pub(super) requester: &'static [Choice],
    /// What customers and providers do.
    pub(super) customer: &'static [Choice],
    /// What customers answer.
    pub(super) replies: &'static Weights<CustomerReply>,
    /// The cards that customers give.
    pub(super) cards: &'static Weights<&'static str>,
}

/// Each step of a storm.
const STEP: &[Choice] = &[
    (66, "a worker goes on", Simulation::goes_on_or_delivers),
    (14, "a message is delivered", Simulation::delivers_if_free),
    (5, "a requester acts", Simulation::requester_acts_if_free),
    (10, "a customer acts", Simulation::customer_acts_if_free),
    (3, "time passes", Simulation::time_passes),
    (1, "something rare happens", Simulation::rare),
    (1, "a late call arrives", Simulation::late_call_arrives),
];

/// Each step where one customer is what matters.
const STEP_OF_ONE: &[Choice] = &[
    (54, "a worker goes on", Simulation::goes_on_or_delivers),
    (20, "a message is delivered", Simulation::delivers_if_free),
    (1, "a requester acts", Simulation::requester_acts_if_free),
    (14, "a customer acts", Simulation::customer_acts_if_free),
    (5, "time passes", Simulation::time_passes),
    (1, "something rare happens", Simulation::rare),
    (5, "a late call arrives", Simulation::late_call_arrives),
];

/// Each step while no worker runs and no message is due.
pub(super) const IDLE: &[Choice] = &[
    (1, "time passes", Simulation::time_passes),
    (1, "a requester acts", Simulation::requester_acts),
    (2, "a customer acts", Simulation::customer_acts),
];

/// All that requesters do.
const REQUESTER: &[Choice] = &[
    (12, "asks", Simulation::asks_if_allowed),
    (6, "repeats an unanswered call", Simulation::repeats_unanswered_call),
    (2, "cancels", |world| world.calls_api_of_one("cancel")),
    (4, "extends", |world| world.calls_api_of_one("extend")),
    (4, "resends", |world| world.calls_api_of_one("resend")),
    (2, "reads", |world| world.calls_api_of_one("read")),
    (4, "refunds", Simulation::refunds_some_request),
    (2, "repeats any call", Simulation::repeats_any_call),
    (3, "is malicious", Simulation::is_malicious),
    (6, "is an AI agent", Simulation::is_agent),
    (1, "erases a customer", Simulation::erases_customer),
];

/// All that customers and providers do.
const CUSTOMER: &[Choice] = &[
    (16, "answers", Simulation::answers),
    (2, "answers twice at once", Simulation::answers_twice),
    (1, "opens the page", Simulation::opens_text_page),
    (12, "is on the processor's page", Simulation::is_on_hosted_page),
    (1, "comes back again", Simulation::repeats_return),
    (4, "a processor's webhook comes", Simulation::receives_processor_webhook),
    (6, "a receipt comes", Simulation::receipt),
    (1, "opts out", Simulation::opts_out),
    (1, "an old webhook comes again", Simulation::replays_webhook),
    (4, "opts in or a receipt comes", Simulation::opts_in_or_receipt),
    (10, "does something on WhatsApp", Simulation::acts_on_whatsapp),
];

const REPLIES: &Weights<CustomerReply> = &[
    (8, CustomerReply::Hosted),
    (20, CustomerReply::Yes),
    (2, CustomerReply::WrongCode),
    (1, CustomerReply::NoCode),
    (3, CustomerReply::No),
    (1, CustomerReply::NotMe),
    (5, CustomerReply::MoreTime),
];

/// The same for claims, which are mostly given on the provider's page.
pub(super) const REPLIES_FOR_CLAIMS: &Weights<CustomerReply> = &[
    (26, CustomerReply::Hosted),
    (2, CustomerReply::Yes),
    (2, CustomerReply::WrongCode),
    (1, CustomerReply::NoCode),
    (3, CustomerReply::No),
    (1, CustomerReply::NotMe),
    (5, CustomerReply::MoreTime),
];

/// Everything at once: many requests, all channels, every fault.
pub const STORM: Scenario = Scenario {
    name: "storm",
    processor: ProcessorFake::Stripe,
    policy: None,
    opening: &[],
    step: STEP,
    requester: REQUESTER,
    customer: CUSTOMER,
    replies: REPLIES,
    cards: &[(6, VISA), (2, POOR), (1, STOLEN), (1, SECURE)],
};

/// What a customer does who pays on a processor's page, at their bank or with what they have.
const AT_A_PROCESSOR: &[Choice] = &[
    (3, "answers", Simulation::answers_if_asked),
    (1, "turns back or refuses", Simulation::chooses_other_option_or_refuses),
    (1, "a processor's webhook comes", Simulation::receives_processor_webhook),
    (4, "acts on the processor's page", Simulation::is_redirected_and_acts),
    (2, "comes back to our page", |world| world.opens_some_page("done=1")),
    (1, "is on the processor's page", Simulation::is_on_hosted_page),
];

/// Each step where AI agents are what matters.
const STEP_OF_AGENTS: &[Choice] = &[
    (58, "a worker goes on", Simulation::goes_on_or_delivers),
    (14, "a message is delivered", Simulation::delivers_if_free),
    (12, "a requester acts", Simulation::requester_acts_if_free),
    (12, "a customer acts", Simulation::customer_acts_if_free),
    (2, "time passes", Simulation::time_passes),
    (1, "something rare happens", Simulation::rare),
    (1, "a late call arrives", Simulation::late_call_arrives),
];

/// What the customers of AI agents do: they answer, and now and then forbid messages.
const CUSTOMER_OF_AGENTS: &[Choice] = &[
    (30, "answers", Simulation::answers),
    (2, "answers twice at once", Simulation::answers_twice),
    (8, "is on the processor's page", Simulation::is_on_hosted_page),
    (4, "a processor's webhook comes", Simulation::receives_processor_webhook),
    (4, "a receipt comes", Simulation::receipt),
    (1, "opts out", Simulation::opts_out),
    (8, "opts in or a receipt comes", Simulation::opts_in_or_receipt),
    (3, "does something on WhatsApp", Simulation::acts_on_whatsapp),
];

/// AI agents and the customers of few sessions, with every channel and fault.
pub const AGENTS: Scenario = Scenario {
    name: "AI agents ask in any order",
    processor: ProcessorFake::Stripe,
    policy: Some(TALKATIVE_POLICY),
    opening: &[],
    step: STEP_OF_AGENTS,
    requester: AGENT,
    customer: CUSTOMER_OF_AGENTS,
    replies: &[(7, CustomerReply::Yes), (1, CustomerReply::Hosted), (3, CustomerReply::No)],
    cards: &[(6, VISA), (2, POOR), (1, STOLEN), (1, SECURE)],
};

/// Agents ask often and are denied often, so that neither limits of an address nor cooldowns stop them.
const TALKATIVE_POLICY: &str = r#"{"open_max": 20, "attempts_max": 4, "prompts_per_ten_minutes": 1000,
    "prompts_per_day": 1000, "denials_per_ten_minutes": 100, "report_cooldown_seconds": 5, "countries": "all"}"#;

/// At Stripe only the customer acts.
const PASSIVE: &[Choice] = &[(1, "reads", |world| world.calls_api_of_one("read"))];
/// A requester who shows a link sends it again now and then, which ends the one before.
const SHOWS_LINK: &[Choice] = &[
    (4, "reads", |world| world.calls_api_of_one("read")),
    (1, "resends", |world| world.calls_api_of_one("resend")),
];
const PAYING_BY_LINK: &[Verb] = &[Verb::Ask(PHONE, &["link"], 600, 4250), Verb::RunUntilIdle];
const PATIENT_POLICY: &str =
    r#"{"session_code": false, "open_max": 20, "attempts_max": 4, "fallback_seconds": 30}"#;

const fn at_stripe(
    name: &'static str,
    opening: &'static [Verb],
    replies: &'static Weights<CustomerReply>,
    cards: &'static Weights<&'static str>,
) -> Scenario {
    Scenario {
        name,
        processor: ProcessorFake::SandboxStripe,
        policy: Some(PATIENT_POLICY),
        opening,
        step: STEP_OF_ONE,
        requester: PASSIVE,
        customer: AT_A_PROCESSOR,
        replies,
        cards,
    }
}

const HOSTED: &Weights<CustomerReply> =
    &[(4, CustomerReply::Hosted), (2, CustomerReply::Yes), (1, CustomerReply::No)];
const HERE: &Weights<CustomerReply> =
    &[(5, CustomerReply::Yes), (1, CustomerReply::Hosted), (1, CustomerReply::No)];
const ANY_CARD: &Weights<&str> = &[(1, VISA), (1, SECURE)];
const MOSTLY_SECURE: &Weights<&str> = &[(4, SECURE), (1, VISA)];
const MOSTLY_SAVED: &Weights<&str> = &[(4, SAVED), (1, VISA), (1, SECURE)];
const MOSTLY_GOOGLE_PAY: &Weights<&str> = &[(4, GOOGLE_PAY), (1, VISA), (1, SECURE)];

macro_rules! paying {
    ($amount:literal) => {
        &[Verb::Ask(PHONE, &["rcs"], 600, $amount), Verb::RunUntilIdle]
    };
}
const SAVING: &[Verb] =
    &[Verb::AskFor(OtherAsk::SavedCard, PHONE, &["rcs"], 600), Verb::RunUntilIdle];
macro_rules! paying_with_saved_card {
    ($amount:literal) => {
        &[
            Verb::AskFor(OtherAsk::SavedCard, PHONE, &["rcs"], 600),
            Verb::RunUntilIdle,
            Verb::yes(VISA),
            Verb::RunUntilIdle,
            Verb::Wait(3_600),
            Verb::AskFor(OtherAsk::PaymentBySavedCard($amount), PHONE, &["rcs"], 600),
            Verb::RunUntilIdle,
        ]
    };
}

/// Customers on the processor's own page.
pub const ON_HOSTED_PAGE: &[Scenario] = &[
    at_stripe("pays on the page", paying!(4250), HOSTED, ANY_CARD),
    at_stripe("is declined once on the page", paying!(4202), HOSTED, ANY_CARD),
    at_stripe("is declined on the page for good", paying!(4203), HOSTED, ANY_CARD),
    at_stripe("pays on the page, which takes a while", paying!(4204), HOSTED, ANY_CARD),
    at_stripe("saves a card on the page", SAVING, HOSTED, ANY_CARD),
    Scenario {
        requester: SHOWS_LINK,
        ..at_stripe("pays over a shown link", PAYING_BY_LINK, HERE, ANY_CARD)
    },
];

/// Customers with a card here, which their bank mostly wants to confirm.
pub const AT_THE_BANK: &[Scenario] = &[
    at_stripe("pays with a card that asks the bank", paying!(4250), HERE, MOSTLY_SECURE),
    at_stripe("pays at the bank, which takes a while", paying!(4204), HERE, MOSTLY_SECURE),
    at_stripe("saves a card that asks the bank", SAVING, HERE, MOSTLY_SECURE),
    at_stripe("saves a card", SAVING, HERE, &[(4, VISA), (1, SECURE)]),
];

/// Customers with a saved card or a wallet.
pub const WITHOUT_CARD_NUMBER: &[Scenario] = &[
    at_stripe("pays with a saved card", paying_with_saved_card!(4250), HERE, MOSTLY_SAVED),
    at_stripe(
        "pays with a saved card unanswered",
        paying_with_saved_card!(4205),
        HERE,
        MOSTLY_SAVED,
    ),
    at_stripe("pays by wallet", paying!(4250), HERE, MOSTLY_GOOGLE_PAY),
];

const ADYEN_POLICY: &str = r#"{"session_code": false, "open_max": 20, "attempts_max": 4}"#;
/// The requester gives up now and then, while the customer is at Adyen.
const IMPATIENT: &[Choice] = &[
    (3, "reads", |world| world.calls_api_of_one("read")),
    (1, "cancels", |world| world.calls_api_of_one("cancel")),
];

const fn at_adyen(
    name: &'static str,
    replies: &'static Weights<CustomerReply>,
    cards: &'static Weights<&'static str>,
) -> Scenario {
    Scenario {
        name,
        processor: ProcessorFake::Adyen,
        policy: Some(ADYEN_POLICY),
        opening: &[Verb::Ask(PHONE, &["rcs"], 1_800, 4250), Verb::RunUntilIdle],
        step: STEP_OF_ONE,
        requester: IMPATIENT,
        customer: AT_A_PROCESSOR,
        replies,
        cards,
    }
}

/// A customer who pays by Adyen's payment link.
pub const ADYEN_LINK: Scenario =
    at_adyen("pays by link at Adyen", &[(1, CustomerReply::Hosted)], ANY_CARD);
/// A customer who pays with Google Pay at Adyen.
pub const ADYEN_WALLET: Scenario =
    at_adyen("pays by wallet at Adyen", &[(1, CustomerReply::Yes)], &[(1, GOOGLE_PAY)]);

/// Returns the scenario of one customer with that name.
#[must_use]
pub fn scenario(name: &str) -> Option<&'static Scenario> {
    let lists = [ON_HOSTED_PAGE, AT_THE_BANK, WITHOUT_CARD_NUMBER];
    let listed = lists.into_iter().flatten().find(|scenario| scenario.name == name);
    listed.or_else(|| {
        [&ADYEN_LINK, &ADYEN_WALLET, &AGENTS].into_iter().find(|known| known.name == name)
    })
}
