//! The ways in which a customer can pay or leave a card, by the settings: wallets, Stripe's own page, test cards.

use std::collections::BTreeMap;

use domain::ask::Ask;
use domain::brand::Mode;
use domain::ports::{ApplePay, GooglePay, PaymentOption};
use secrecy::SecretString;
use serde::Deserialize;

use super::settings::{is_address, is_key};
use crate::wallets;
pub(crate) use crate::wallets::GooglePayText;

/// Apple Pay, as the settings have it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApplePayText {
    /// `merchant.…`.
    merchant_identifier: String,
    /// What the sheet calls the payee, the same in every language: at most 64 bytes.
    display_name: String,
    /// The merchant identity certificate, as PEM.
    certificate: SecretString,
    /// Its key, as PEM.
    key: SecretString,
    /// Card networks in Apple's words.
    #[serde(default = "wallets::apple_networks")]
    networks: Vec<String>,
    /// Where payments are processed: ISO 3166, two letters.
    country: String,
    /// Whether cards may be kept by it too. Apple's sheet for one payment gives tokens that issuers may refuse to keep.
    #[serde(default)]
    keep_cards: bool,
    /// Where merchant sessions come from: China has its own, and so has a stand-in.
    gateway_url: Option<String>,
}

const GATEWAY_URL: &str = "https://apple-pay-gateway.apple.com";

/// What the settings say of ways to pay.
pub(crate) struct OfferText {
    pub(crate) publishable_key: Option<String>,
    pub(crate) google_pay: Option<GooglePayText>,
    pub(crate) apple_pay: Option<ApplePayText>,
    pub(crate) hosted: bool,
}

/// Why a way cannot be offered. Nothing of the settings is quoted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InvalidWay {
    #[error("the publishable key is not one of this mode (pk_test_ or pk_live_)")]
    PublishableKey,
    #[error("google pay needs the publishable key")]
    PublishableKeyMissing,
    #[error("google pay needs a merchant id in live mode")]
    MerchantId,
    #[error("the merchant identifier is not one of apple's")]
    MerchantIdentifier,
    #[error("the name on apple's sheet is empty or longer than 64 bytes")]
    DisplayName,
    #[error("the gateway is not an https address without a query")]
    GatewayUrl,
    #[error("there is no card network, or one is no word")]
    Networks,
    #[error("a country is two capital letters")]
    Country,
}

/// What is needed for Apple's merchant session.
pub(super) struct Merchant {
    pub(super) identifier: String,
    pub(super) display_name: String,
    pub(super) certificate: SecretString,
    pub(super) key: SecretString,
    /// Without a slash at its end.
    pub(super) gateway_url: String,
}

struct Apple {
    page: ApplePay,
    keep_cards: bool,
    merchant: Merchant,
}

/// The ways there are.
pub(crate) struct Offer {
    mode: Mode,
    google_pay: Option<GooglePay>,
    apple_pay: Option<Apple>,
    hosted: bool,
    /// Whether Google's example token is taken for a card, as it is in the sandbox.
    pub(super) takes_examples: bool,
}

impl Offer {
    pub(super) fn new(mode: Mode, text: OfferText, version: &str) -> Result<Self, InvalidWay> {
        let prefix = match mode {
            Mode::Test => "pk_test_",
            Mode::Live => "pk_live_",
        };
        if text.publishable_key.as_ref().is_some_and(|key| !is_key(key, prefix)) {
            return Err(InvalidWay::PublishableKey);
        }
        let gateway = text.publishable_key.map(|key| {
            let pairs = [
                ("gateway", "stripe".to_owned()),
                ("stripe:version", version.to_owned()),
                ("stripe:publishableKey", key),
            ];
            pairs.map(|(name, value)| (name.to_owned(), value)).into()
        });
        let google_pay = match (text.google_pay, gateway) {
            (Some(google), Some(gateway)) => Some(google_pay(mode, google, gateway)?),
            (Some(_), None) => return Err(InvalidWay::PublishableKeyMissing),
            (None, _) => None,
        };
        let apple_pay = text.apple_pay.map(|apple| apple_pay(mode, apple)).transpose()?;
        Ok(Self { mode, google_pay, apple_pay, hosted: text.hosted, takes_examples: false })
    }

    /// What the sandbox offers. Google's own test suite stands for a gateway there, and gives a token that is none.
    pub(crate) fn sandbox(text: OfferText) -> Result<Self, InvalidWay> {
        let gateway = [("gateway", "example"), ("gatewayMerchantId", "exampleGatewayMerchantId")];
        let gateway = gateway.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let google = text.google_pay;
        let google_pay =
            google.map(|google| google_pay(Mode::Test, google, gateway)).transpose()?;
        let apple_pay = text.apple_pay.map(|apple| apple_pay(Mode::Test, apple)).transpose()?;
        let (mode, hosted) = (Mode::Test, text.hosted);
        Ok(Self { mode, google_pay, apple_pay, hosted, takes_examples: true })
    }

    /// The ways for an ask, best first.
    pub(super) fn payment_options(&self, ask: &Ask) -> Vec<PaymentOption> {
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

    /// Who we are to Apple, where we are.
    pub(super) fn merchant(&self) -> Option<&Merchant> {
        self.apple_pay.as_ref().map(|apple| &apple.merchant)
    }
}

fn google_pay(
    mode: Mode,
    text: GooglePayText,
    gateway: BTreeMap<String, String>,
) -> Result<GooglePay, InvalidWay> {
    let GooglePayText { merchant_id, networks, country } = text;
    let named = merchant_id.as_ref().is_some_and(|id| is_word(id, ""));
    match mode {
        Mode::Test if merchant_id.is_none() || named => {}
        Mode::Live if named => {}
        Mode::Test | Mode::Live => return Err(InvalidWay::MerchantId),
    }
    check(&networks, &country)?;
    Ok(GooglePay { mode, merchant_id, gateway, networks, country })
}

fn apple_pay(mode: Mode, text: ApplePayText) -> Result<Apple, InvalidWay> {
    check(&text.networks, &text.country)?;
    if !is_word(&text.merchant_identifier, ".-_") {
        return Err(InvalidWay::MerchantIdentifier);
    }
    if text.display_name.trim().is_empty() || text.display_name.len() > 64 {
        return Err(InvalidWay::DisplayName);
    }
    let gateway_url = text.gateway_url.unwrap_or_else(|| GATEWAY_URL.to_owned());
    let schemes: &[&str] = match mode {
        Mode::Test => &["http", "https"],
        Mode::Live => &["https"],
    };
    if !is_address(&gateway_url, schemes) {
        return Err(InvalidWay::GatewayUrl);
    }
    Ok(Apple {
        page: ApplePay { networks: text.networks, country: text.country },
        keep_cards: text.keep_cards,
        merchant: Merchant {
            identifier: text.merchant_identifier,
            display_name: text.display_name,
            certificate: text.certificate,
            key: text.key,
            gateway_url: gateway_url.trim_end_matches('/').to_owned(),
        },
    })
}

fn check(networks: &[String], country: &str) -> Result<(), InvalidWay> {
    if networks.is_empty() || !networks.iter().all(|network| is_word(network, "_")) {
        return Err(InvalidWay::Networks);
    }
    if country.len() != 2 || !country.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Err(InvalidWay::Country);
    }
    Ok(())
}

/// A short word of letters, digits and these.
fn is_word(text: &str, also: &str) -> bool {
    (1..=128).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || also.as_bytes().contains(&byte))
}

#[cfg(test)]
mod tests;
