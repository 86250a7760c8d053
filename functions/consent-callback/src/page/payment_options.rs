//! The payment options that the page offers, with what the wallets' scripts need.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::ask::AskHash;
use domain::brand::{Brand, Mode};
use domain::card_name::CardName;
use domain::problem::Problem;
use domain::request::Request;
use domain::values::id::PromptId;
use domain::values::money::Money;
use ports::{ApplePay, GooglePay, PaymentOption};
use serde_json::{Value, json};

use super::ConsentPage;
use super::html::Offer;

impl ConsentPage {
    /// Returns what the page of this request offers, best first.
    pub(super) async fn offers(
        &self,
        request: &Request,
        brand: &Brand,
        prompt: PromptId,
    ) -> Result<Vec<Offer>, Problem> {
        let mut offers = Vec::new();
        for option in self.approvals.payment_options(request, brand)? {
            let offer = match (option, request.ask.money()) {
                (PaymentOption::Nothing, _) => {
                    let card = self.approvals.saved_card(request, brand, prompt).await?;
                    card.map(|card| {
                        let label = CardName::from(&card.receipt).dotted();
                        Offer::SavedCard { label: label.unwrap_or_else(|| "Card".to_owned()) }
                    })
                }
                (PaymentOption::TestCard, _) => Some(Offer::TestCard),
                (PaymentOption::Hosted, _) => Some(Offer::Hosted),
                (PaymentOption::GooglePay(settings), Some(money)) => {
                    let mut nonce = [0_u8; 16];
                    self.ports.random.fill(&mut nonce);
                    let style_nonce = URL_SAFE_NO_PAD.encode(nonce);
                    let mut setup = google(&settings, request, money);
                    if let Some(setup) = setup.as_object_mut() {
                        setup.insert("nonce".to_owned(), json!(style_nonce));
                    }
                    Some(Offer::GooglePay { setup: setup.to_string(), style_nonce })
                }
                (PaymentOption::ApplePay(settings), Some(money)) => {
                    Some(Offer::ApplePay { setup: apple(&settings, request, money).to_string() })
                }
                // A wallet's sheet needs an amount to show.
                (PaymentOption::GooglePay(_) | PaymentOption::ApplePay(_), None) => None,
            };
            offers.extend(offer);
        }
        Ok(offers)
    }
}

/// Returns the amount as wallets read it: digits and a point, such as `42.50`.
fn digits(money: Money) -> String {
    let text = money.to_string();
    text.split_once(' ').map_or(text.clone(), |(digits, _)| digits.to_owned())
}

/// Returns the amount as Google's script reads it: at most two decimals.
///
/// The pattern is `^[0-9]+(\.[0-9][0-9])?$`:
/// <https://developers.google.com/pay/api/web/reference/request-objects#TransactionInfo>, read 2026-11-26. A processor offers
/// Google Pay only for amounts without a third decimal.
fn google_price(money: Money) -> String {
    let text = digits(money);
    match text.split_once('.') {
        Some((whole, decimals)) => {
            format!("{whole}.{}", decimals.chars().take(2).collect::<String>())
        }
        None => text,
    }
}

/// Returns the `PaymentDataRequest` of Google Pay's API, version 2.0.
///
/// It has no field that binds a token to the ask. The amount of a relayed token comes from the stored request alone.
fn google(settings: &GooglePay, request: &Request, money: Money) -> Value {
    let mut merchant = json!({ "merchantName": request.payee });
    if let (Some(id), Some(fields)) = (&settings.merchant_id, merchant.as_object_mut()) {
        fields.insert("merchantId".to_owned(), json!(id));
    }
    json!({
        "environment": match settings.mode {
            Mode::Test => "TEST",
            Mode::Live => "PRODUCTION",
        },
        "apiVersion": 2,
        "apiVersionMinor": 0,
        "merchantInfo": merchant,
        "allowedPaymentMethods": [{
            "type": "CARD",
            // Device tokens come before bare card numbers, which may need 3-D Secure on top.
            "parameters": {
                "allowedAuthMethods": ["CRYPTOGRAM_3DS", "PAN_ONLY"],
                "allowedCardNetworks": settings.networks,
            },
            "tokenizationSpecification": { "type": "PAYMENT_GATEWAY", "parameters": settings.gateway },
        }],
        "transactionInfo": {
            "totalPriceStatus": "FINAL",
            "totalPrice": google_price(money),
            "currencyCode": money.currency().code(),
            "countryCode": settings.country,
        },
    })
}

/// Returns the `ApplePayPaymentRequest`. Its `applicationData` is the digest of the ask, whose hash Apple signs with the token.
fn apple(settings: &ApplePay, request: &Request, money: Money) -> Value {
    json!({
        "countryCode": settings.country,
        "currencyCode": money.currency().code(),
        "merchantCapabilities": ["supports3DS"],
        "supportedNetworks": settings.networks,
        "total": { "label": request.payee, "amount": digits(money), "type": "final" },
        "applicationData": application_data(&request.ask_hash),
    })
}

/// Returns the digest's bytes in base64.
fn application_data(hash: &AskHash) -> String {
    use base64::Engine;
    let bytes = hash.bytes();
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn google_price_has_two_decimals_at_most() {
        for (amount, currency, price) in [
            (4250, "EUR", "42.50"),
            (5, "USD", "0.05"),
            (4250, "JPY", "4250"),
            (4250, "KWD", "4.25"),
            (1010, "BHD", "1.01"),
            (150_000_000, "IDR", "1500000.00"),
        ] {
            let money = Money::new(amount, currency.parse().unwrap()).unwrap();
            assert_eq!(google_price(money), price, "{currency}");
        }
    }
}
