//! The payment options that a brand's settings offer: wallets, Stripe's own page and test cards.

use domain::ask::Ask;
use domain::brand::Mode;
use domain::values::money::Money;
use ports::{ApplePay, GooglePay, PaymentOption, UnsupportedAmount};
use secrecy::SecretString;
use serde::Deserialize;

use super::amounts;
use crate::checks::{is_address, is_api_key};
use crate::wallet_settings::{
    self, GooglePaySettings, InvalidWallet, check_merchant_identifier, check_networks,
};

/// The setting `apple_pay` of kind `stripe`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StripeApplePaySettings {
    /// `merchant.…`.
    merchant_identifier: String,
    /// The payee's name on Apple's sheet, the same in every language: at most 64 bytes.
    display_name: String,
    /// The merchant identity certificate, as PEM.
    certificate: SecretString,
    /// The certificate's private key, as PEM.
    key: SecretString,
    /// Card networks in Apple's spelling, such as `masterCard`.
    #[serde(default = "wallet_settings::apple_networks")]
    networks: Vec<String>,
    /// The country in which payments are processed: ISO 3166-1 alpha-2.
    country: String,
    /// Whether Apple Pay is offered for saving a card too. Issuers may refuse to save a card from a one-payment token.
    #[serde(default)]
    keep_cards: bool,
    /// The host that merchant sessions come from, where it is not Apple's global one.
    gateway_url: Option<String>,
}

/// Apple's global host for merchant sessions; China has `cn-apple-pay-gateway.apple.com`.
///
/// <https://developer.apple.com/documentation/applepayontheweb/requesting-an-apple-pay-payment-session>, read 2026-11-26.
const GATEWAY_URL: &str = "https://apple-pay-gateway.apple.com";

/// The settings that decide which payment options there are.
pub(crate) struct StripeOfferSettings {
    pub(crate) publishable_key: Option<String>,
    pub(crate) connected_account: Option<String>,
    pub(crate) google_pay: Option<GooglePaySettings>,
    pub(crate) apple_pay: Option<StripeApplePaySettings>,
    pub(crate) hosted: bool,
}

/// The brand's identity at Apple, with which merchant sessions are asked for.
pub(super) struct AppleMerchant {
    pub(super) identifier: String,
    pub(super) display_name: String,
    pub(super) certificate: SecretString,
    pub(super) key: SecretString,
    /// Without a slash at its end.
    pub(super) gateway_url: String,
}

/// Apple Pay: what the page is given, and what stays on the server.
struct StripeAppleOffer {
    page: ApplePay,
    keep_cards: bool,
    merchant: AppleMerchant,
}

/// The payment options of one account.
pub(crate) struct StripeOffer {
    mode: Mode,
    google_pay: Option<GooglePay>,
    apple_pay: Option<StripeAppleOffer>,
    hosted: bool,
    /// Whether Google's example token counts as a card, as it does in the sandbox.
    pub(super) takes_examples: bool,
}

impl StripeOffer {
    pub(super) fn new(
        mode: Mode,
        text: StripeOfferSettings,
        version: &str,
    ) -> Result<Self, InvalidWallet> {
        let prefix = match mode {
            Mode::Test => "pk_test_",
            Mode::Live => "pk_live_",
        };
        if text.publishable_key.as_ref().is_some_and(|key| !is_api_key(key, prefix)) {
            return Err(InvalidWallet::PublishableKey);
        }
        // UNVERIFIED: Google takes a named version such as `….dahlia`. Pay with Google Pay in Stripe's test mode.
        let gateway = text.publishable_key.map(|key| {
            // <https://github.com/stripe/stripe-android>, `GooglePayConfig`, read 2026-11-26: the account follows the key.
            let key =
                text.connected_account.map_or_else(|| key.clone(), |id| format!("{key}/{id}"));
            let pairs = [
                ("gateway", "stripe".to_owned()),
                ("stripe:version", version.to_owned()),
                ("stripe:publishableKey", key),
            ];
            pairs.map(|(name, value)| (name.to_owned(), value)).into()
        });
        let google_pay = match (text.google_pay, gateway) {
            (Some(google), Some(gateway)) => Some(google.into_option(mode, gateway)?),
            (Some(_), None) => return Err(InvalidWallet::PublishableKeyMissing),
            (None, _) => None,
        };
        let apple_pay = text.apple_pay.map(|apple| apple_pay(mode, apple)).transpose()?;
        Ok(Self { mode, google_pay, apple_pay, hosted: text.hosted, takes_examples: false })
    }

    /// Builds the sandbox's payment options. Google's test gateway `example` returns a token without a card behind it.
    pub(crate) fn sandbox(text: StripeOfferSettings) -> Result<Self, InvalidWallet> {
        let gateway = [("gateway", "example"), ("gatewayMerchantId", "exampleGatewayMerchantId")];
        let gateway = gateway.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let google = text.google_pay;
        let google_pay =
            google.map(|google| google.into_option(Mode::Test, gateway)).transpose()?;
        let apple_pay = text.apple_pay.map(|apple| apple_pay(Mode::Test, apple)).transpose()?;
        let (mode, hosted) = (Mode::Test, text.hosted);
        Ok(Self { mode, google_pay, apple_pay, hosted, takes_examples: true })
    }

    /// Returns the payment options for an ask, best first.
    pub(super) fn payment_options(&self, ask: &Ask) -> Vec<PaymentOption> {
        if ask.money().is_some_and(|money| self.check_amount(money).is_err()) {
            return Vec::new();
        }
        let keeping = match ask {
            Ask::Payment { card: Some(_), .. } => return vec![PaymentOption::Nothing],
            Ask::Payment { card: None, .. } => false,
            Ask::PaymentMethod { .. } => true,
            Ask::Identity { .. } => return Vec::new(),
        };
        let mut payment_options = Vec::new();
        match self.mode {
            Mode::Test => payment_options.push(PaymentOption::TestCard),
            Mode::Live => {}
        }
        let apple = self.apple_pay.as_ref().filter(|apple| apple.keep_cards || !keeping);
        payment_options.extend(apple.map(|apple| PaymentOption::ApplePay(apple.page.clone())));
        payment_options.extend(self.google_pay.clone().map(PaymentOption::GooglePay));
        if self.hosted {
            payment_options.push(PaymentOption::Hosted);
        }
        payment_options
    }

    /// Judges an amount. The sandbox has no minimum, so that its magic amounts stay small.
    pub(super) fn check_amount(&self, money: Money) -> Result<(), UnsupportedAmount> {
        amounts::check(money, !self.takes_examples)
    }

    /// Returns the brand's identity at Apple; `None` without Apple Pay.
    pub(super) fn merchant(&self) -> Option<&AppleMerchant> {
        self.apple_pay.as_ref().map(|apple| &apple.merchant)
    }
}

fn apple_pay(mode: Mode, text: StripeApplePaySettings) -> Result<StripeAppleOffer, InvalidWallet> {
    check_networks(&text.networks, &text.country)?;
    check_merchant_identifier(&text.merchant_identifier)?;
    if text.display_name.trim().is_empty() || text.display_name.len() > 64 {
        return Err(InvalidWallet::DisplayName);
    }
    let gateway_url = text.gateway_url.unwrap_or_else(|| GATEWAY_URL.to_owned());
    if !is_address(&gateway_url, mode) {
        return Err(InvalidWallet::GatewayUrl);
    }
    Ok(StripeAppleOffer {
        page: ApplePay { networks: text.networks, country: text.country },
        keep_cards: text.keep_cards,
        merchant: AppleMerchant {
            identifier: text.merchant_identifier,
            display_name: text.display_name,
            certificate: text.certificate,
            key: text.key,
            gateway_url: gateway_url.trim_end_matches('/').to_owned(),
        },
    })
}

#[cfg(test)]
mod tests;
