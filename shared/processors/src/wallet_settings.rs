//! The settings of Google Pay and Apple Pay on the consent page, shared by the processors that take their tokens.

use std::collections::BTreeMap;

use domain::brand::Mode;
use domain::values::money::Money;
use ports::GooglePay;
use serde::Deserialize;

use crate::checks::{is_country, is_word};

/// The longest merchant id and network name.
const WORD_MAX: usize = 128;

/// The setting `google_pay`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GooglePaySettings {
    /// The brand's merchant id at Google; live mode needs it.
    merchant_id: Option<String>,
    /// Card networks in Google's spelling, such as `VISA`.
    #[serde(default = "google_networks")]
    networks: Vec<String>,
    /// The country in which payments are processed: ISO 3166-1 alpha-2.
    country: String,
}

/// The reason why a wallet's settings cannot be used. No setting's value is quoted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InvalidWallet {
    /// `publishable_key` is of another mode, or not a key.
    #[error("publishable_key is not one of this mode (pk_test_ or pk_live_)")]
    PublishableKey,
    /// `google_pay` is set without `publishable_key`.
    #[error("google_pay needs publishable_key")]
    PublishableKeyMissing,
    /// `google_pay.merchant_id` is missing in live mode, or malformed.
    #[error(
        "google_pay.merchant_id is missing in live mode, or has other characters than letters and digits"
    )]
    MerchantId,
    /// `apple_pay.merchant_identifier` is malformed.
    #[error("apple_pay.merchant_identifier is not one of apple's")]
    MerchantIdentifier,
    /// `apple_pay.display_name` is empty, or over Apple's limit of 64.
    #[error("apple_pay.display_name is empty or longer than 64")]
    DisplayName,
    /// `apple_pay.gateway_url` is not an address of this mode.
    #[error("apple_pay.gateway_url is not an https address without a query")]
    GatewayUrl,
    /// `networks` is empty, or one of them is malformed.
    #[error("networks is empty, or a network is malformed")]
    Networks,
    /// `country` is malformed.
    #[error("country is not two capital letters")]
    Country,
}

impl GooglePaySettings {
    /// Builds what the consent page passes to Google's script; `gateway` says who decrypts the tokens.
    pub(crate) fn into_option(
        self,
        mode: Mode,
        gateway: BTreeMap<String, String>,
    ) -> Result<GooglePay, InvalidWallet> {
        let Self { merchant_id, networks, country } = self;
        let is_named = merchant_id.as_ref().is_some_and(|id| is_word(id, WORD_MAX, ""));
        match mode {
            Mode::Test if merchant_id.is_none() || is_named => {}
            Mode::Live if is_named => {}
            Mode::Test | Mode::Live => return Err(InvalidWallet::MerchantId),
        }
        check_networks(&networks, &country)?;
        Ok(GooglePay { mode, merchant_id, gateway, networks, country })
    }
}

fn google_networks() -> Vec<String> {
    ["AMEX", "MASTERCARD", "VISA"].map(str::to_owned).to_vec()
}

/// The networks of Apple Pay, where the settings name none.
pub(crate) fn apple_networks() -> Vec<String> {
    ["amex", "masterCard", "visa"].map(str::to_owned).to_vec()
}

/// Checks the networks and the country of a wallet.
pub(crate) fn check_networks(networks: &[String], country: &str) -> Result<(), InvalidWallet> {
    if networks.is_empty() || !networks.iter().all(|network| is_word(network, WORD_MAX, "_")) {
        return Err(InvalidWallet::Networks);
    }
    if is_country(country) { Ok(()) } else { Err(InvalidWallet::Country) }
}

/// Returns whether Google Pay can show an amount: its `totalPrice` has at most two decimals.
///
/// <https://developers.google.com/pay/api/web/reference/request-objects#TransactionInfo>, read 2026-11-26. Stripe's amounts all
/// fit, since their third decimal is 0.
pub(crate) const fn google_takes(money: Money) -> bool {
    match money.currency().exponent() {
        0..=2 => true,
        exponent => money.amount().is_multiple_of(10_u64.pow(exponent - 2)),
    }
}

/// Checks the name that Apple knows a merchant by.
pub(crate) fn check_merchant_identifier(identifier: &str) -> Result<(), InvalidWallet> {
    if is_word(identifier, WORD_MAX, ".-_") {
        Ok(())
    } else {
        Err(InvalidWallet::MerchantIdentifier)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn google_pay_takes_amounts_without_a_third_decimal() {
        for (amount, currency, takes) in [
            (4250, "KWD", true),
            (4251, "KWD", false),
            (4251, "EUR", true),
            (4251, "JPY", true),
            (4200, "CLF", true),
            (4210, "CLF", false),
        ] {
            let money = Money::new(amount, currency.parse().unwrap()).unwrap();
            assert_eq!(google_takes(money), takes, "{amount} {currency}");
        }
    }
}
