//! The guards of C1 to C6, each with a name by which a test disables it.
//!
//! Every normal build has all guards on: [`is_disabled`] is the constant `false`, which the compiler removes. Only the
//! cargo feature `mutation`, which nothing but the package `tests` enables, reads the environment variable `GUARD`.
//! `cargo run --release -p tests --features mutation --example guards` disables each guard once.

/// Declares the guards, each with the sentence that the table prints.
macro_rules! guards {
    ($(#[doc = $sentence:literal] $guard:ident,)+) => {
        /// A check or an order of steps that C1 to C6 need.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Guard {
            $(#[doc = $sentence] $guard,)+
        }

        impl Guard {
            /// All guards, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$guard,)+];

            /// Returns the sentence that says what the guard ensures.
            #[must_use]
            pub const fn sentence(self) -> &'static str {
                match self {
                    $(Self::$guard => $sentence,)+
                }
            }
        }
    };
}

guards! {
    /// An approval after the deadline does not count.
    ApprovalDeadline,
    /// An approval needs the right session code.
    SessionCodeMatch,
    /// An approval without a session code does not count.
    SessionCodePresence,
    /// A consent counts only with a signature by a consent key.
    ConsentSignature,
    /// An authorization opens only under the consent and in the attempt that it was sealed for.
    SealedForApproval,
    /// An authorization counts only from a sender with a consent key.
    SealedBySender,
    /// An approval counts only for a prompt that was sent with exactly this ask to this customer.
    PromptMac,
    /// An approval is used within a day, while the processor knows the attempt's idempotency key.
    ApprovalAge,
    /// A link leads only to the prompt that its token was made for.
    LinkOfPrompt,
    /// A saved card's credential opens only for the customer and the processor that it was saved for.
    SealedForCustomer,
    /// Claims and saved cards need a session code, as payments do.
    SessionCodeEveryAsk,
    /// A restricted key may only do what its rights list.
    KeyRights,
    /// A restricted key asks for no more than its ceilings.
    KeyCeilings,
    /// A client token reads and acts on its own request or session only.
    ClientTokenScope,
    /// A model asks again after a denial only where it names the denied request.
    RetryAfterDenial,
    /// A model calls with a key of kind `ai_agent`, so that the customer reads that a machine asks.
    AssistantKey,
    /// A platform acts as a key only where the brand's secret lists its ARN.
    ListedCaller,
    /// An ask that its caller gave up creates nothing when it comes late.
    WithdrawnAsk,
    /// The call that charges is committed before it is made.
    CommitBeforeConfirm,
    /// The processor's object is committed before the call that charges.
    CommitBetweenCreateAndConfirm,
    /// A new attempt begins only after the last one has ended.
    OneOpenAttempt,
    /// An unknown answer is not a decline.
    UnknownIsNoDecline,
    /// A lost response may have moved the money.
    LostResponseIsInDoubt,
    /// A 500 response may have moved the money.
    ServerErrorIsInDoubt,
    /// An attempt is voided before it is given up.
    VoidBeforeGivingUp,
    /// A void that comes too late retrieves the attempt's result.
    RetrieveAfterLateVoid,
    /// A rejected API key says nothing about an attempt in doubt.
    RejectedKeyKeepsDoubt,
    /// Each change expects the version that it was decided from.
    ExpectedVersion,
    /// A request that has ended is not cancelled.
    NoCancelAfterEnd,
    /// An approved request is not cancelled.
    NoCancelAfterApproval,
    /// An approved request is not denied.
    NoDenialAfterApproval,
    /// An approved request does not expire.
    NoExpiryAfterApproval,
    /// An authorization is sealed at rest.
    SealAtRest,
    /// A check is queued before the request is written.
    CheckBeforeRequest,
    /// A check looks again for a request that is still being written.
    CheckDuringWrite,
    /// A check queues the next check.
    NextCheck,
    /// A check hands over a fetch whose message was lost.
    LostFetch,
    /// A check hands over a webhook whose message was lost.
    LostWebhook,
    /// A webhook that the endpoint did not take is retried.
    WebhookRetry,
    /// A webhook's message that comes early is queued again.
    EarlyWebhookMessage,
    /// Only a 2xx response counts as a delivered webhook.
    WebhookStatus,
    /// A message that failed to be handled comes again.
    MessageRetry,
    /// An idempotency key makes one request.
    IdempotencyKey,
    /// A customer who opted out is not asked.
    OptOut,
    /// A customer returns for the open attempt only.
    ReturnForOpenAttempt,
    /// A customer returns once.
    ReturnOnce,
    /// A return counts in the browser that left, or with the session code.
    SameBrowser,
    /// An authorization code that may have been used is not used again.
    CodeUsedOnce,
    /// The use of an authorization code is committed before it is made.
    CommitBeforeCodeUse,
    /// An attempt whose customer left the hosted page is voided before it ends.
    VoidAfterAbandon,
    /// An attempt on the hosted page is voided when its time is over.
    VoidOnHostedPage,
    /// An attempt whose customer is not redirected is voided.
    VoidWithoutRedirect,
    /// A request is not cancelled while its customer is on the hosted page.
    NoCancelOnHostedPage,
    /// A card that is not kept is removed at the processor.
    DiscardUnkeptCard,
    /// A redirect is removed when its attempt ends.
    ForgetRedirect,
    /// A button's reply counts only with our own signature.
    PostbackSignature,
    /// A tap on a button that opens the page is no approval.
    OpenIsNoApproval,
    /// A saved card is charged for its own customer only.
    SavedCardOwner,
    /// A channel's webhook changes requests of its own mode only.
    ChannelWebhookMode,
    /// A processor's webhook changes its own brand's requests only.
    ProcessorWebhookBrand,
    /// A refund is at most what is left of the charge.
    RefundMaximum,
    /// A refund is committed before the call that makes it.
    CommitBeforeRefund,
    /// A refund that may have been made is looked up before it is repeated.
    RefundLookUp,
    /// An unknown answer is not a failed refund.
    UnknownIsNoFailedRefund,
    /// A pending refund is not done.
    PendingRefundIsNotDone,
    /// A payment that succeeds after its attempt has ended is reversed.
    LatePaymentReversal,
    /// A reversal without a result counts as failed after a week.
    ReversalTimeout,
    /// A success that is reported after a refund failed stops a refund that would repeat it.
    LateRefundSuccess,
    /// A check is queued before a refund is written.
    CheckBeforeRefund,
    /// A check hands over a refund whose message was lost.
    LostRefund,
    /// A request that has ended is checked while a refund is open.
    CheckWhileRefundIsOpen,
    /// An account that rejected us is not called while its circuit is open.
    CircuitBreaker,
    /// An account that rejected us is tried again.
    CircuitBreakerProbe,
    /// A text written before a prompt is no reply to it.
    EarlyText,
    /// A text that may answer a request which has ended is no reply.
    AmbiguousText,
    /// A sender is looked up by handle before by number.
    HandleBeforeNumber,
    /// A reply of another customer's handle does not count.
    SenderOfAnotherAddress,
    /// A handle approves in words only where a function that knows the link key tied it.
    SignedHandle,
    /// An older stop or start does not undo a newer one.
    NewerWord,
    /// A message that was recorded is not recorded again.
    SeenMessage,
    /// A stop on a button of another message is an opt-out.
    ChosenWord,
    /// A button of ours is no opt-out by its label.
    OwnButtonIsNoWord,
    /// A customer who opted out at the provider is not asked over another channel.
    ReportedOptOut,
    /// A stop on one channel ends what is open on the others.
    StopOnEveryChannel,
    /// A request that has not ended is not erased.
    EraseAfterEnd,
    /// A customer with an open request is not erased.
    NoErasureDuringRequest,
    /// A customer who is being erased is not asked.
    NoAskDuringErasure,
    /// A customer is asked for the same once at a time.
    NoDuplicateRequest,
    /// A card that an open request names is not taken off file.
    CardInUse,
    /// A card that is being taken off file is not used.
    EndingCard,
    /// A saved card is deleted only after its processor has detached it.
    DetachBeforeDelete,
    /// Two prompts at once never pass the brand's limit of an hour.
    BrandPromptLimit,
    /// A card whose number was silent for too long is not used.
    SilentCard,
    /// A message in the customer's thread follows only a fact that is committed.
    MessageAfterFact,
    /// A fact has at most one message in the customer's thread.
    OneMessagePerFact,
    /// A customer who opted out gets no message in their thread.
    OptOutBeforeMessage,
    /// A message with a way out is sent only while its request can be answered.
    WayOutWhileOpen,
    /// A reader who unsubscribed gets no more mail.
    UnsubscribedMail,
    /// An unsubscribe link counts only with the brand's own MAC.
    UnsubscribeToken,
    /// A saved card is not charged over a route that proves no number.
    NoSavedCardWithoutNumber,
    /// An entry link's reference counts only with our own MAC.
    EntryReference,
    /// Who begins by an entry link is tied to its request, and not to the number of that request.
    EntryTiesNoNumber,
    /// A link that a requester shows is for keys of people and systems, not for AI agents and browsers.
    ShownLinkReaders,
}

/// Returns whether a mutation run disables the guard: never, in this build.
#[cfg(not(feature = "mutation"))]
#[inline]
#[must_use]
pub const fn is_disabled(_: Guard) -> bool {
    false
}

/// Returns whether the environment variable `GUARD` names the guard.
#[cfg(feature = "mutation")]
#[expect(clippy::disallowed_methods, reason = "no setting: only a mutation run reads it")]
#[must_use]
pub fn is_disabled(guard: Guard) -> bool {
    static DISABLED: std::sync::OnceLock<Option<Guard>> = std::sync::OnceLock::new();
    let named = || {
        let name = std::env::var("GUARD").ok()?;
        Guard::ALL.iter().copied().find(|guard| guard.name() == name)
    };
    *DISABLED.get_or_init(named) == Some(guard)
}

impl Guard {
    /// Returns the guard's name in kebab case.
    #[must_use]
    pub fn name(self) -> String {
        let mut name = String::new();
        for letter in format!("{self:?}").chars() {
            if letter.is_ascii_uppercase() && !name.is_empty() {
                name.push('-');
            }
            name.push(letter.to_ascii_lowercase());
        }
        name
    }
}
