//! The ways in which a customer can pay or leave a card, by the settings: wallets, and Adyen's own page.

use domain::ask::Ask;
use domain::brand::Mode;
use domain::ports::{ApplePay, GooglePay, PaymentOption};
use domain::values::money::Currency;
use serde::Deserialize;

use super::amounts;
use super::settings::{KeepCards, is_country, is_word};
use crate::wallets::{self, GooglePayText};

/// Apple Pay, as the settings have it: Adyen's own certificate is used, so that none of it is ours.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ApplePayText {
    /// `merchant.…`.
    merchant_identifier: String,
    /// What the sheet calls the payee: at most 64 characters.
    display_name: String,
    /// Card networks in Apple's words.
    #[serde(default = "wallets::apple_networks")]
    networks: Vec<String>,
    /// Where payments are processed: ISO 3166, two letters.
    country: String,
}

/// What the settings say of ways to pay.
pub(super) struct OfferText<'a> {
    pub(super) merchant_account: &'a str,
    pub(super) pay_by_link: bool,
    pub(super) keep_cards: Option<KeepCards>,
    pub(super) google_pay: Option<GooglePayText>,
    pub(super) apple_pay: Option<ApplePayText>,
}

/// Why a way cannot be offered. Nothing of the settings is quoted.
#[derive(Debug, thiserror::Error)]
pub(super) enum InvalidWay {
    #[error("google pay needs a merchant id in live mode, of letters and digits")]
    MerchantId,
    #[error("the merchant identifier is not one of apple's")]
    MerchantIdentifier,
    #[error("the name on apple's sheet is empty or longer than 64 characters")]
    DisplayName,
    #[error("there is no card network, or one is no word")]
    Networks,
    #[error("a country is two capital letters")]
    Country,
}

/// What is needed for Apple's merchant session.
pub(super) struct Merchant {
    pub(super) identifier: String,
    pub(super) display_name: String,
}

/// The ways there are.
pub(super) struct Offer {
    pay_by_link: bool,
    keep_cards: Option<KeepCards>,
    google_pay: Option<GooglePay>,
    apple_pay: Option<(ApplePay, Merchant)>,
}

impl Offer {
    pub(super) fn new(mode: Mode, text: OfferText<'_>) -> Result<Self, InvalidWay> {
        let account = text.merchant_account;
        let google_pay = text.google_pay.map(|google| google_pay(mode, google, account));
        Ok(Self {
            pay_by_link: text.pay_by_link,
            keep_cards: text.keep_cards,
            google_pay: google_pay.transpose()?,
            apple_pay: text.apple_pay.map(apple_pay).transpose()?,
        })
    }

    /// The ways for an ask, best first. A card is put on file on Adyen's own page only.
    pub(super) fn payment_options(&self, ask: &Ask) -> Vec<PaymentOption> {
        let mut payment_options = Vec::new();
        match ask {
            Ask::Payment { money, .. } if amounts::to_adyen(*money).is_none() => {}
            Ask::Payment { card: Some(_), .. } => payment_options.push(PaymentOption::Nothing),
            Ask::Payment { card: None, .. } => {
                payment_options.extend(
                    self.apple_pay.iter().map(|(page, _)| PaymentOption::ApplePay(page.clone())),
                );
                payment_options.extend(self.google_pay.clone().map(PaymentOption::GooglePay));
                payment_options.extend(self.pay_by_link.then_some(PaymentOption::Hosted));
            }
            Ask::PaymentMethod { .. } => {
                payment_options.extend(self.keep_cards.map(|_| PaymentOption::Hosted))
            }
            Ask::Identity { .. } => {}
        }
        payment_options
    }

    /// In which currency an amount of nothing is asked for, where cards are kept.
    pub(super) fn keeps_cards_in(&self) -> Option<Currency> {
        self.keep_cards.map(|keep| keep.currency)
    }

    /// Who we are to Apple, where we are.
    pub(super) fn merchant(&self) -> Option<&Merchant> {
        self.apple_pay.as_ref().map(|(_, merchant)| merchant)
    }
}

fn google_pay(mode: Mode, text: GooglePayText, account: &str) -> Result<GooglePay, InvalidWay> {
    let GooglePayText { merchant_id, networks, country } = text;
    let named = merchant_id.as_ref().is_some_and(|id| is_word(id, 128, ""));
    match mode {
        Mode::Test if merchant_id.is_none() || named => {}
        Mode::Live if named => {}
        Mode::Test | Mode::Live => return Err(InvalidWay::MerchantId),
    }
    check(&networks, &country)?;
    // [M]: what the page tells Google of Adyen.
    let gateway = [("gateway", "adyen"), ("gatewayMerchantId", account)];
    let gateway = gateway.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    Ok(GooglePay { mode, merchant_id, gateway, networks, country })
}

fn apple_pay(text: ApplePayText) -> Result<(ApplePay, Merchant), InvalidWay> {
    check(&text.networks, &text.country)?;
    if !is_word(&text.merchant_identifier, 128, ".-_") {
        return Err(InvalidWay::MerchantIdentifier);
    }
    if text.display_name.trim().is_empty() || text.display_name.chars().count() > 64 {
        return Err(InvalidWay::DisplayName);
    }
    let page = ApplePay { networks: text.networks, country: text.country };
    let (identifier, display_name) = (text.merchant_identifier, text.display_name);
    Ok((page, Merchant { identifier, display_name }))
}

fn check(networks: &[String], country: &str) -> Result<(), InvalidWay> {
    if networks.is_empty() || !networks.iter().all(|network| is_word(network, 128, "_")) {
        return Err(InvalidWay::Networks);
    }
    if is_country(country) { Ok(()) } else { Err(InvalidWay::Country) }
}
