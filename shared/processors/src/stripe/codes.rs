//! Classifies every error code that Stripe documents: 209 codes of the API's list.
//!
//! <https://github.com/stripe/openapi>, version `2026-10-28.endive`, read 2026-11-23. The 50 decline codes are in
//! [`refusals`](super::refusals).

use super::refusals::refusal;

/// The meaning of an error code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StripeErrorClass {
    /// The card was refused; [`refusal`] says how.
    CardDeclined,
    /// The API key is unknown or revoked.
    Credentials,
    /// The account may not do this.
    AccountRestricted,
    /// Too many calls were made; nothing was done.
    Throttled,
    /// The same call is still in progress, or another call holds the object.
    Locked,
    /// The object does not exist.
    Missing,
    /// The object's state does not allow this call.
    UnexpectedState,
    /// The call is invalid; nothing was done.
    Wrong,
    /// The charge cannot be refunded; the text is our code for it.
    NotRefundable(&'static str),
    /// The code belongs to products, payment methods or objects that are never used here.
    Elsewhere,
}

/// The codes of each class.
pub(super) const CODES: &[(StripeErrorClass, &[&str])] = &[
    (StripeErrorClass::Credentials, &["api_key_expired", "platform_api_key_expired"]),
    (
        StripeErrorClass::AccountRestricted,
        &[
            "account_invalid",
            "capability_not_active",
            "no_account",
            "not_allowed_on_standard_account",
            "platform_account_required",
            "secret_key_required",
            "storer_capability_missing",
            "storer_capability_not_active",
            "testmode_charges_only",
            "tls_version_unsupported",
        ],
    ),
    (StripeErrorClass::Throttled, &["payment_intent_rate_limit_exceeded", "rate_limit"]),
    (StripeErrorClass::Locked, &["idempotency_key_in_use", "lock_timeout"]),
    (StripeErrorClass::Missing, &["resource_missing"]),
    (
        StripeErrorClass::UnexpectedState,
        &[
            "charge_already_captured",
            // Not in Stripe's list. The sandbox answers it for a Checkout Session that is not open.
            "checkout_session_not_open",
            "intent_invalid_state",
            "payment_intent_action_required",
            "payment_intent_unexpected_state",
            "setup_intent_unexpected_state",
        ],
    ),
    (StripeErrorClass::Wrong, WRONG),
    (StripeErrorClass::NotRefundable("already_refunded"), &["charge_already_refunded"]),
    (StripeErrorClass::NotRefundable("disputed"), &["charge_disputed", "refund_disputed_payment"]),
    (StripeErrorClass::NotRefundable("not_refundable"), &["charge_not_refundable"]),
    (StripeErrorClass::NotRefundable("balance_insufficient"), &["balance_insufficient"]),
    (StripeErrorClass::Elsewhere, ELSEWHERE),
];

/// The codes of an invalid call, before anything was done.
const WRONG: &[&str] = &[
    "amount_too_large",
    "amount_too_small",
    "charge_invalid_parameter",
    "country_code_invalid",
    "country_unsupported",
    "customer_max_payment_methods",
    "email_invalid",
    "invalid_characters",
    "invalid_charge_amount",
    // From older versions of the API.
    "invalid_currency",
    "livemode_mismatch",
    "missing",
    "parameter_invalid_empty",
    "parameter_invalid_integer",
    "parameter_invalid_string_blank",
    "parameter_invalid_string_empty",
    "parameter_missing",
    "parameter_unknown",
    "parameters_exclusive",
    "payment_intent_incompatible_payment_method",
    "payment_intent_invalid_parameter",
    "payment_method_billing_details_address_missing",
    "payment_method_configuration_failures",
    "payment_method_currency_mismatch",
    "payment_method_invalid_parameter",
    "payment_method_invalid_parameter_testmode",
    "payment_method_not_available",
    "payment_method_unactivated",
    "payment_method_unexpected_state",
    "payment_method_unsupported_type",
    "resource_already_exists",
    "setup_intent_invalid_parameter",
    "token_already_used",
    "token_card_network_invalid",
    "token_in_use",
    "url_invalid",
];

/// The codes of bank accounts, invoices, payouts, taxes, terminals and similar products. A call that still gets one is
/// looked up, since the code says nothing about its result.
const ELSEWHERE: &[&str] = &[
    "account_closed",
    "account_country_invalid_address",
    "account_error_country_change_requires_additional_steps",
    "account_information_mismatch",
    "account_number_invalid",
    "account_token_required_for_v2_account",
    "acss_debit_session_incomplete",
    "action_blocked",
    "alipay_upgrade_required",
    "anomalous_money_movement_request",
    "application_fees_not_allowed",
    "balance_invalid_parameter",
    "bank_account_bad_routing_numbers",
    "bank_account_declined",
    "bank_account_exists",
    "bank_account_restricted",
    "bank_account_unusable",
    "bank_account_unverified",
    "bank_account_verification_failed",
    "billing_invalid_mandate",
    "bitcoin_upgrade_required",
    "capture_charge_authorization_expired",
    "capture_unauthorized_payment",
    "cardholder_phone_number_required",
    "charge_expired_for_capture",
    "clearing_code_unsupported",
    "coupon_expired",
    "customer_max_subscriptions",
    "customer_session_expired",
    "customer_tax_location_invalid",
    "debit_not_authorized",
    "dispute_evidence_page_limit_exceeded",
    "failed_tax_calculation",
    "financial_account_balance_does_not_support_currency",
    "financial_account_capability_not_enabled",
    "financial_account_capability_restricted",
    "financial_connections_account_inactive",
    "financial_connections_account_pending_account_numbers",
    "financial_connections_account_unavailable_account_numbers",
    "financial_connections_consent_locale_invalid",
    "financial_connections_consent_locale_unsupported",
    "financial_connections_no_successful_transaction_refresh",
    "forwarding_api_inactive",
    "forwarding_api_invalid_parameter",
    "forwarding_api_retryable_upstream_error",
    "forwarding_api_upstream_connection_error",
    "forwarding_api_upstream_connection_timeout",
    "forwarding_api_upstream_error",
    "india_recurring_payment_mandate_canceled",
    "instant_payouts_config_disabled",
    "instant_payouts_currency_disabled",
    "instant_payouts_limit_exceeded",
    "instant_payouts_unsupported",
    "intent_verification_method_missing",
    "invalid_canceled_subscription_fields",
    "invalid_mandate_reference_prefix_format",
    "invalid_source_usage",
    "invalid_tax_location",
    "invoice_no_customer_line_items",
    "invoice_no_payment_method_types",
    "invoice_no_subscription_line_items",
    "invoice_not_editable",
    "invoice_on_behalf_of_not_editable",
    "invoice_payment_intent_requires_action",
    "invoice_upcoming_none",
    "out_of_inventory",
    "ownership_declaration_not_allowed",
    "payment_evaluation_on_api_version_not_supported",
    "payment_intent_konbini_rejected_confirmation_number",
    "payment_intent_mandate_invalid",
    "payment_method_bank_account_already_verified",
    "payment_method_bank_account_blocked",
    "payment_method_microdeposit_failed",
    "payment_method_microdeposit_processing_error",
    "payment_method_microdeposit_verification_amounts_invalid",
    "payment_method_microdeposit_verification_amounts_mismatch",
    "payment_method_microdeposit_verification_attempts_exceeded",
    "payment_method_microdeposit_verification_descriptor_code_mismatch",
    "payment_method_microdeposit_verification_timeout",
    "payment_method_provider_timeout",
    "payout_reconciliation_not_ready",
    "payouts_limit_exceeded",
    "payouts_not_allowed",
    "postal_code_invalid",
    "product_inactive",
    "progressive_onboarding_limit_exceeded",
    "refer_to_customer",
    "request_blocked",
    "return_intent_already_processed",
    "routing_number_invalid",
    "sepa_unsupported_account",
    "service_period_coupon_with_metered_tiered_item_unsupported",
    "setup_intent_mandate_invalid",
    "shipping_address_invalid",
    "shipping_calculation_failed",
    "siret_invalid",
    "sku_inactive",
    "smart_disputes_not_available",
    "state_unsupported",
    "status_transition_invalid",
    "stripe_tax_inactive",
    "subscription_update_trial_after_billing_cycle_anchor",
    "tax_id_invalid",
    "tax_id_prohibited",
    "taxes_calculation_failed",
    "terminal_location_country_unsupported",
    "terminal_reader_busy",
    "terminal_reader_hardware_fault",
    "terminal_reader_invalid_location_for_activation",
    "terminal_reader_invalid_location_for_payment",
    "terminal_reader_offline",
    "terminal_reader_timeout",
    "transfer_source_balance_parameters_mismatch",
    "transfers_not_allowed",
];

/// Returns the class of an error code and its static text; `None` for an unlisted code.
pub(super) fn class(code: &str) -> Option<(StripeErrorClass, &'static str)> {
    if code == "card_declined" || refusal(code).is_some() {
        return Some((StripeErrorClass::CardDeclined, "card_declined"));
    }
    CODES.iter().find_map(|(class, codes)| {
        codes.iter().find(|known| **known == code).map(|known| (*class, *known))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::stripe::refusals::REFUSALS;

    /// The error codes of the API's types, version `2026-10-28.endive`, and the decline codes of the documentation.
    const LISTED: &str = include_str!("fixtures/codes.json");

    #[test]
    fn codes_when_listed_have_exactly_one_class() {
        let listed: serde_json::Value = serde_json::from_str(LISTED).unwrap();
        let names = |name: &str| -> BTreeSet<&str> {
            listed[name].as_array().unwrap().iter().map(|code| code.as_str().unwrap()).collect()
        };
        let (codes, declines) = (names("codes"), names("decline_codes"));
        assert_eq!((codes.len(), declines.len()), (209, 50));
        for code in &codes {
            let groups = CODES.iter().filter(|(_, codes)| codes.contains(code)).count()
                + REFUSALS.iter().filter(|(_, codes)| codes.contains(code)).count()
                + usize::from(*code == "card_declined");
            assert_eq!(groups, 1, "{code}");
            assert!(class(code).is_some());
        }
        for code in &declines {
            let groups = REFUSALS.iter().filter(|(_, codes)| codes.contains(code)).count();
            assert_eq!(groups, 1, "{code}");
        }
        let spelt = ["checkout_session_not_open", "invalid_currency"];
        let ours = CODES.iter().flat_map(|(_, codes)| codes.iter());
        for code in ours.chain(REFUSALS.iter().flat_map(|(_, codes)| codes.iter())) {
            let known = codes.contains(code) || declines.contains(code) || spelt.contains(code);
            assert!(known, "{code} is nowhere listed");
        }
    }
}
