//! The guards, and the test that must notice each disabled one.

use domain::guards::Guard;

use self::Invariant::{Breaker, C1, C2, C3, C4, C5, C6, C7, Chain, Erase, Once, Order, Stop};

/// A check of the simulation, by the word that begins its message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invariant {
    /// No processor call without an approval of exactly this ask.
    C1,
    /// At most one charge for a request.
    C2,
    /// Each request ends, and the requester is told.
    C3,
    /// An end never changes.
    C4,
    /// No processor call after an end.
    C5,
    /// An authorization is unreadable at rest and then gone.
    C6,
    /// No key exceeds its ceilings.
    C7,
    /// Each event continues the chain of hashes.
    Chain,
    /// A call or a return counts once.
    Once,
    /// Each version is written once and in order.
    Order,
    /// An open circuit breaker lets no call through.
    Breaker,
    /// A customer who opted out gets no prompt.
    Stop,
    /// An erasure ends, and leaves nothing.
    Erase,
}

impl Invariant {
    /// Returns the word that begins the simulation's message.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            C1 => "C1",
            C2 => "C2",
            C3 => "C3",
            C4 => "C4",
            C5 => "C5",
            C6 => "C6",
            C7 => "C7",
            Chain => "CHAIN",
            Once => "ONCE",
            Order => "ORDER",
            Breaker => "BREAKER",
            Stop => "STOP",
            Erase => "ERASE",
        }
    }
}

/// The test that notices a disabled guard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Witness {
    /// The simulation, when any of these no longer holds.
    Simulation(&'static [Invariant]),
    /// The runs of one customer in the scenario of that name, which come to the guard sooner.
    Scenario(&'static str, &'static [Invariant]),
    /// A test of the binary `it`, where seeds hardly ever reach the guard.
    Test(&'static str),
}

// The tests of customers' ids and of late webhooks.
const TIED_ID: Witness =
    Witness::Test("flows::handles::stop_from_an_id_that_an_answer_named_counts");
const OTHER_CUSTOMER: Witness =
    Witness::Test("flows::handles::tap_of_another_customer_counts_nothing_and_ties_nothing");
const REPEATED_MESSAGE: Witness =
    Witness::Test("flows::handles::message_reported_again_is_recorded_once");
// The simulation's provider refuses no customer as opted out, and a later step of a request ends it too.
const PROVIDER_OPT_OUT: Witness =
    Witness::Test("flows::opt_outs::customer_opted_out_at_the_provider_is_not_asked");
const OTHER_CHANNEL: Witness =
    Witness::Test("flows::opt_outs::stop_on_one_channel_ends_requests_on_the_others");

/// Returns what must notice that the guard is disabled.
#[must_use]
#[expect(clippy::too_many_lines, reason = "each guard is listed once")]
pub const fn witness(guard: Guard) -> Witness {
    match guard {
        Guard::SessionCodeMatch
        | Guard::SessionCodePresence
        | Guard::OpenIsNoApproval
        | Guard::SavedCardOwner
        | Guard::SameBrowser => Witness::Simulation(&[C1]),
        // A forged tap of a stranger is heard before it approves.
        Guard::PostbackSignature => Witness::Simulation(&[C1, C5]),
        Guard::EarlyWebhookMessage => {
            Witness::Test("flows::webhooks::webhook_message_that_comes_early_is_queued_again")
        }
        Guard::ConsentSignature => Witness::Test("flows::consent::forged_consent_is_never_charged"),
        Guard::SealedForApproval => Witness::Test("flows::attacker::approval_is_used_once"),
        Guard::SealedBySender => {
            Witness::Test("flows::attacker::authorization_of_an_attacker_is_never_used")
        }
        Guard::PromptMac => {
            Witness::Test("flows::attacker::ask_altered_before_approval_is_refused")
        }
        Guard::ApprovalAge => {
            Witness::Test("flows::attacker::approval_put_back_after_a_day_is_not_used")
        }
        Guard::LinkOfPrompt => Witness::Test("flows::attacker::link_of_an_attacker_leads_nowhere"),
        Guard::SealedForCustomer => {
            Witness::Test("flows::attacker::saved_card_of_another_customer_is_never_charged")
        }
        Guard::ReturnForOpenAttempt => {
            Witness::Test("flows::hosted_page::unexpected_return_leads_to_the_page")
        }
        Guard::CommitBeforeConfirm | Guard::CommitBetweenCreateAndConfirm => {
            Witness::Simulation(&[C1, C2, C5])
        }
        Guard::ApprovalDeadline => Witness::Simulation(&[C1, C3]),
        Guard::CodeUsedOnce
        | Guard::CommitBeforeCodeUse
        | Guard::RefundMaximum
        | Guard::RefundLookUp
        | Guard::UnknownIsNoFailedRefund
        | Guard::PendingRefundIsNotDone => Witness::Simulation(&[C2]),
        Guard::ExpectedVersion => Witness::Simulation(&[C2, C3, C4, C5, Order, Chain]),
        Guard::NoCancelAfterEnd => Witness::Simulation(&[C2, C4, C5]),
        Guard::OneOpenAttempt
        | Guard::UnknownIsNoDecline
        | Guard::LostResponseIsInDoubt
        | Guard::VoidBeforeGivingUp
        | Guard::RetrieveAfterLateVoid
        | Guard::NoCancelAfterApproval
        | Guard::NoDenialAfterApproval
        | Guard::NoExpiryAfterApproval
        | Guard::VoidAfterAbandon
        | Guard::VoidOnHostedPage
        | Guard::NoCancelOnHostedPage => Witness::Simulation(&[C2, C5]),
        Guard::ServerErrorIsInDoubt => {
            Witness::Scenario("pays with a card that asks the bank", &[C2, C5])
        }
        Guard::RejectedKeyKeepsDoubt => {
            Witness::Test("flows::circuit_breaker::attempt_in_doubt_is_kept_while_circuit_is_open")
        }
        // Only a brand that refuses 3-D Secure comes to it in the simulation, with one card in ten.
        Guard::VoidWithoutRedirect => Witness::Test(
            "flows::money_path::action_without_redirect_is_voided_before_another_attempt",
        ),
        Guard::CheckBeforeRequest
        | Guard::NextCheck
        | Guard::LostFetch
        | Guard::LostWebhook
        | Guard::WebhookRetry
        | Guard::WebhookStatus
        | Guard::CheckBeforeRefund
        | Guard::CircuitBreakerProbe => Witness::Simulation(&[C3]),
        Guard::MessageRetry => Witness::Simulation(&[C3, Erase]),
        Guard::ProcessorWebhookBrand | Guard::CommitBeforeRefund => Witness::Simulation(&[C5]),
        Guard::SealAtRest | Guard::ForgetRedirect => Witness::Simulation(&[C6]),
        Guard::IdempotencyKey | Guard::ReturnOnce => Witness::Simulation(&[Once]),
        // Seeds hardly ever record a stop between a request and its prompt.
        Guard::OptOut => {
            Witness::Test("flows::opt_outs::customer_who_stops_before_the_prompt_is_not_asked")
        }
        Guard::CheckDuringWrite => {
            Witness::Test("simulation::found::request_written_after_its_check_still_ends")
        }
        Guard::LostRefund => {
            Witness::Test("flows::refunds::refund_with_lost_message_is_found_by_check")
        }
        Guard::CheckWhileRefundIsOpen => {
            Witness::Test("flows::refunds::slow_refund_is_reported_by_webhook_or_look_up")
        }
        Guard::EarlyText => {
            Witness::Test("flows::text_replies::text_written_before_its_prompt_is_no_answer")
        }
        Guard::CircuitBreaker => Witness::Simulation(&[Breaker]),
        // The simulation has one mode.
        Guard::ChannelWebhookMode => {
            Witness::Test("flows::channel_modes::test_credential_says_nothing_of_live_requests")
        }
        Guard::LatePaymentReversal => {
            Witness::Test("flows::aftermath::payment_after_the_end_is_reversed_at_once")
        }
        Guard::DiscardUnkeptCard => {
            Witness::Test("flows::session_codes::card_of_a_customer_who_never_returns_is_not_kept")
        }
        Guard::ReversalTimeout => {
            Witness::Test("flows::aftermath::reversal_without_a_result_ends_after_a_week")
        }
        Guard::LateRefundSuccess => {
            Witness::Test("flows::refunds::late_success_stops_the_refund_that_repeats_it")
        }
        // The simulation checks a code where a request has one, and cannot know that it should.
        Guard::SessionCodeEveryAsk => {
            Witness::Test("flows::session_codes::every_ask_needs_a_session_code_by_default")
        }
        // Seeds hardly ever end one of two open requests while a text is on its way.
        Guard::AmbiguousText => {
            Witness::Test("flows::text_replies::text_possibly_for_an_ended_request_is_no_answer")
        }
        // The simulation erases no customer.
        Guard::EraseAfterEnd => {
            Witness::Test("flows::forgetting::erasure_of_an_open_request_waits_for_its_end")
        }
        Guard::NoErasureDuringRequest => {
            Witness::Test("flows::forgetting::erasure_is_refused_while_a_request_is_open")
        }
        Guard::NoAskDuringErasure | Guard::DetachBeforeDelete => {
            Witness::Test("flows::forgetting::erasure_is_repeated_until_the_processor_has_detached")
        }
        // The simulation asks for the same on purpose.
        Guard::NoDuplicateRequest => {
            Witness::Test("flows::duplicates::second_open_request_for_the_same_is_refused")
        }
        Guard::CardInUse => Witness::Test(
            "flows::forgetting::card_that_an_open_request_names_is_not_taken_off_file",
        ),
        Guard::EndingCard => Witness::Test(
            "flows::forgetting::ending_card_is_offered_no_more_and_detached_in_the_end",
        ),
        Guard::BrandPromptLimit => {
            Witness::Test("flows::address_limits::brands_limit_is_never_passed_by_two_at_once")
        }
        Guard::SilentCard => Witness::Test("flows::forgetting::card_of_a_silent_number_ends"),
        Guard::MessageAfterFact => {
            Witness::Test("flows::thread::message_follows_only_what_is_stored")
        }
        Guard::OneMessagePerFact => Witness::Test("flows::thread::fact_is_told_once"),
        Guard::OptOutBeforeMessage => {
            Witness::Test("flows::thread::customer_who_opted_out_gets_no_message")
        }
        Guard::WayOutWhileOpen => {
            Witness::Test("flows::way_out::request_that_ended_meanwhile_gets_no_way_out")
        }
        Guard::KeyRights => Witness::Test("flows::keys::key_without_a_right_is_refused"),
        Guard::KeyCeilings => Witness::Test("flows::keys::key_above_its_ceilings_is_refused"),
        Guard::ListedCaller => {
            Witness::Test("flows::connect::steps::instance_not_listed_is_refused")
        }
        Guard::WithdrawnAsk => {
            Witness::Test("flows::connect::steps::withdrawn_ask_that_comes_late_is_refused")
        }
        Guard::ClientTokenScope => {
            Witness::Test("flows::client_tokens::token_reaches_nothing_outside_its_scope")
        }
        Guard::RetryAfterDenial => {
            Witness::Test("flows::keys::ai_agent_that_was_denied_names_the_denied_request")
        }
        Guard::AssistantKey => {
            Witness::Test("flows::mcp::tools::endpoint_takes_only_keys_of_ai_agents")
        }
        Guard::UnsubscribedMail => {
            Witness::Test("flows::email::reader_who_unsubscribed_gets_no_more_mail")
        }
        Guard::UnsubscribeToken => {
            Witness::Test("flows::email::forged_unsubscribe_link_stops_nothing")
        }
        Guard::NoSavedCardWithoutNumber => {
            Witness::Test("flows::link_channel::saved_card_is_not_charged_over_a_link")
        }
        Guard::EntryReference => {
            Witness::Test("flows::entry_links::forged_entry_reference_ties_no_person")
        }
        Guard::EntryTiesNoNumber => {
            Witness::Test("flows::entry_links::entry_link_ties_no_person_to_the_number")
        }
        Guard::ShownLinkReaders => {
            Witness::Test("flows::link_channel::link_is_hidden_from_ai_agents_and_browsers")
        }
        Guard::ChosenWord => Witness::Test("flows::opt_outs::tap_on_a_foreign_stop_button_stops"),
        Guard::OwnButtonIsNoWord => {
            Witness::Test("flows::opt_outs::tap_on_our_own_button_is_no_stop_by_its_label")
        }
        Guard::ReportedOptOut => PROVIDER_OPT_OUT,
        Guard::StopOnEveryChannel => OTHER_CHANNEL,
        Guard::HandleBeforeNumber => TIED_ID,
        Guard::SenderOfAnotherAddress => OTHER_CUSTOMER,
        Guard::SignedHandle => Witness::Test(
            "flows::forged_handles::yes_of_a_handle_without_signature_approves_nothing",
        ),
        Guard::NewerWord => Witness::Simulation(&[Stop]),
        Guard::SeenMessage => REPEATED_MESSAGE,
    }
}
