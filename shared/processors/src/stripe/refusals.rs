//! Maps the refusals of a card to answers: every documented decline code, and the error codes of the same meaning.
//!
//! <https://docs.stripe.com/declines/codes>, read 2026-11-23 for the list of codes. UNVERIFIED: the advice that the grouping
//! follows. Compare the page's column "Next steps" with the groups below before going live.

use super::failure::StripeFailure;

/// The answer to every suspicion of fraud, loss or theft. A person with a stolen card must not learn what the bank knows.
pub(super) const DECLINED: StripeFailure = StripeFailure::HardDeclined("card_declined");

/// The error codes and decline codes of each refusal.
pub(super) const REFUSALS: &[(StripeFailure, &[&str])] = &[
    (StripeFailure::SoftDeclined("insufficient_funds"), &["insufficient_funds"]),
    (
        StripeFailure::SoftDeclined("card_limit"),
        &[
            "card_decline_rate_limit_exceeded",
            "card_velocity_exceeded",
            "charge_exceeds_source_limit",
            "charge_exceeds_transaction_limit",
            "invalid_amount",
            "withdrawal_count_limit_exceeded",
        ],
    ),
    (
        StripeFailure::SoftDeclined("card_declined"),
        &[
            "call_issuer",
            "do_not_honor",
            "generic_decline",
            "new_account_information_available",
            "no_action_taken",
            "not_permitted",
            "payment_intent_payment_attempt_failed",
            "payment_method_customer_decline",
            "payment_method_provider_decline",
            "revocation_of_all_authorizations",
            "revocation_of_authorization",
            "service_not_allowed",
            "setup_attempt_failed",
            "stop_payment_order",
            "testmode_decline",
            "transaction_not_allowed",
        ],
    ),
    (
        StripeFailure::SoftDeclined("try_again_later"),
        &[
            "approve_with_id",
            "duplicate_transaction",
            "issuer_not_available",
            "payment_intent_payment_attempt_expired",
            "processing_error",
            "reenter_transaction",
            "setup_intent_setup_attempt_expired",
            "three_d_secure_authentication_upstream_error",
            "try_again_later",
        ],
    ),
    (
        StripeFailure::SoftDeclined("expired_card"),
        &["expired_card", "expired_payment_method", "invalid_expiry_month", "invalid_expiry_year"],
    ),
    (
        StripeFailure::SoftDeclined("card_data_incorrect"),
        &[
            "incorrect_address",
            "incorrect_cvc",
            "incorrect_number",
            "incorrect_pin",
            "incorrect_postal_code",
            "incorrect_zip",
            "invalid_account",
            "invalid_cvc",
            "invalid_number",
            "invalid_pin",
        ],
    ),
    (
        StripeFailure::SoftDeclined("card_not_supported"),
        &[
            "card_not_supported",
            "currency_not_supported",
            "invalid_card_type",
            "offline_pin_required",
            "online_or_offline_pin_required",
            "payment_method_restricted",
            "pin_try_exceeded",
            // The wallet's token was for one payment, so this card cannot be saved with it.
            "setup_intent_mobile_wallet_unsupported",
            "three_d_secure_authentication_not_supported",
        ],
    ),
    (
        DECLINED,
        &[
            "do_not_try_again",
            "fraudulent",
            "lost_card",
            "merchant_blacklist",
            "pickup_card",
            "restricted_card",
            "security_violation",
            "stolen_card",
        ],
    ),
    (
        StripeFailure::RequiresAction,
        &[
            "approval_required",
            "authentication_failure",
            "authentication_not_handled",
            "authentication_required",
            "mobile_device_authentication_required",
            "payment_intent_authentication_failure",
            "setup_intent_authentication_failure",
        ],
    ),
];

/// Returns the refusal for an error code or decline code; `None` for a code that says nothing of the kind.
pub(super) fn refusal(code: &str) -> Option<StripeFailure> {
    let found = REFUSALS.iter().find(|(_, codes)| codes.contains(&code));
    found.map(|(failure, _)| *failure)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_for_fraud_share_one_code() {
        for code in ["lost_card", "stolen_card", "pickup_card", "fraudulent", "merchant_blacklist"]
        {
            assert_eq!(refusal(code), Some(StripeFailure::HardDeclined("card_declined")), "{code}");
        }
        assert_eq!(refusal("card_declined"), None);
    }
}
