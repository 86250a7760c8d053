//! The payment options that a brand's settings offer: wallets, and Adyen's own page.

use std::collections::BTreeMap;

use domain::ask::Ask;
use domain::brand::Mode;
use domain::values::money::Currency;
use ports::{ApplePay, GooglePay, PaymentOption};
use serde::Deserialize;

use super::amounts;
use crate::wallet_settings::{
    self, GooglePaySettings, InvalidWallet, check_merchant_identifier, check_networks, google_takes,
};

/// The setting `apple_pay` of kind `adyen`. The certificate is Adyen's own.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AdyenApplePaySettings {
    /// `merchant.…`.
    merchant_identifier: String,
    /// The payee's name on Apple's sheet: at most 64 characters.
    display_name: String,
    /// Card networks in Apple's spelling, such as `masterCard`.
    #[serde(default = "wallet_settings::apple_networks")]
    networks: Vec<String>,
    /// The country in which payments are processed: ISO 3166-1 alpha-2.
    country: String,
}

/// The setting `keep_cards`. A card is verified with an amount of zero, which needs a currency too.
#[derive(Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeepCardsSettings {
    currency: Currency,
}

/// The settings that decide which payment options there are.
pub(super) struct AdyenOfferSettings<'a> {
    pub(super) merchant_account: &'a str,
    pub(super) pay_by_link: bool,
    pub(super) keep_cards: Option<KeepCardsSettings>,
    pub(super) google_pay: Option<GooglePaySettings>,
    pub(super) apple_pay: Option<AdyenApplePaySettings>,
}

/// The brand's identity at Apple, with which merchant sessions are asked for.
pub(super) struct AdyenMerchant {
    pub(super) identifier: String,
    pub(super) display_name: String,
}

/// Apple Pay: what the page is given, and what stays on the server.
struct AdyenAppleOffer {
    page: ApplePay,
    merchant: AdyenMerchant,
}

/// The payment options of one account.
pub(super) struct AdyenOffer {
    pay_by_link: bool,
    keep_cards: Option<KeepCardsSettings>,
    google_pay: Option<GooglePay>,
    apple_pay: Option<AdyenAppleOffer>,
}

impl AdyenOffer {
    pub(super) fn new(mode: Mode, text: AdyenOfferSettings<'_>) -> Result<Self, InvalidWallet> {
        let account = text.merchant_account;
        let google_pay = text.google_pay.map(|google| google.into_option(mode, gateway(account)));
        Ok(Self {
            pay_by_link: text.pay_by_link,
            keep_cards: text.keep_cards,
            google_pay: google_pay.transpose()?,
            apple_pay: text.apple_pay.map(apple_pay).transpose()?,
        })
    }

    /// Returns the payment options for an ask, best first. A card is saved on Adyen's own page only.
    pub(super) fn payment_options(&self, ask: &Ask) -> Vec<PaymentOption> {
        let mut payment_options = Vec::new();
        match ask {
            Ask::Payment { money, .. } if amounts::to_adyen(*money).is_none() => {}
            Ask::Payment { card: Some(_), .. } => payment_options.push(PaymentOption::Nothing),
            Ask::Payment { card: None, money, .. } => {
                payment_options.extend(
                    self.apple_pay.iter().map(|apple| PaymentOption::ApplePay(apple.page.clone())),
                );
                let google_pay = self.google_pay.as_ref().filter(|_| google_takes(*money));
                payment_options.extend(google_pay.cloned().map(PaymentOption::GooglePay));
                payment_options.extend(self.pay_by_link.then_some(PaymentOption::Hosted));
            }
            Ask::PaymentMethod { .. } => {
                payment_options.extend(self.keep_cards.map(|_| PaymentOption::Hosted));
            }
            Ask::Identity { .. } => {}
        }
        payment_options
    }

    /// Returns the currency of the zero amount that saves a card; `None` where saving is off.
    pub(super) fn keeps_cards_in(&self) -> Option<Currency> {
        self.keep_cards.map(|keep| keep.currency)
    }

    /// Returns the brand's identity at Apple; `None` without Apple Pay.
    pub(super) fn merchant(&self) -> Option<&AdyenMerchant> {
        self.apple_pay.as_ref().map(|apple| &apple.merchant)
    }
}

/// Returns the tokenization parameters that the page passes to Google.
///
/// <https://docs.adyen.com/payment-methods/google-pay/api-only>, read 2026-11-26.
fn gateway(account: &str) -> BTreeMap<String, String> {
    let gateway = [("gateway", "adyen"), ("gatewayMerchantId", account)];
    gateway.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

fn apple_pay(text: AdyenApplePaySettings) -> Result<AdyenAppleOffer, InvalidWallet> {
    check_networks(&text.networks, &text.country)?;
    check_merchant_identifier(&text.merchant_identifier)?;
    if text.display_name.trim().is_empty() || text.display_name.chars().count() > 64 {
        return Err(InvalidWallet::DisplayName);
    }
    let page = ApplePay { networks: text.networks, country: text.country };
    let (identifier, display_name) = (text.merchant_identifier, text.display_name);
    Ok(AdyenAppleOffer { page, merchant: AdyenMerchant { identifier, display_name } })
}
