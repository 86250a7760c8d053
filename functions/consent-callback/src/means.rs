//! The ways in which a customer can give what a yes needs: what the page offers of them, and what a yes then carries.

use domain::ask::AskHash;
use domain::authorization::{Authorization, AuthorizationKind};
use domain::brand::{Brand, Mode};
use domain::guards::{self, Guard};
use domain::ports::{ApplePay, CardReceipt, GooglePay, PaymentOption, StoreError};
use domain::problem::{Code, Problem};
use domain::request::Request;
use domain::saved_cards::{self, SavedCard};
use domain::seal;
use domain::values::money::Money;
use serde_json::{Value, json};

use crate::ConsentCallback;
use crate::answer::{Means, Unanswered};
use crate::page::Offer;

/// The test card of a yes that names none.
const CARD_DEFAULT: &str = "pm_card_visa";

impl ConsentCallback {
    /// The ways that this request's processor takes, best first.
    pub(crate) fn payment_options(
        &self,
        request: &Request,
        brand: &Brand,
    ) -> Result<Vec<PaymentOption>, Problem> {
        let processor = self.processors.open(brand, request.mode, &request.processor);
        let processor = processor.map_err(|_logged| {
            Problem::new(Code::ProcessorNotConfigured, "the processor cannot be used")
        })?;
        let mut payment_options = processor.payment_options(&request.ask);
        // An ask that names a card on file is about that card.
        let testing =
            request.mode == Mode::Test && !payment_options.contains(&PaymentOption::Nothing);
        payment_options.retain(|option| testing || *option != PaymentOption::TestCard);
        Ok(payment_options)
    }

    /// What the page of this request offers, best first.
    pub(crate) async fn offers(
        &self,
        request: &Request,
        brand: &Brand,
    ) -> Result<Vec<Offer>, Problem> {
        let mut offers = Vec::new();
        for option in self.payment_options(request, brand)? {
            let offer = match (option, request.ask.money()) {
                (PaymentOption::Nothing, _) => {
                    let card = self.saved_card(request).await?;
                    card.map(|card| Offer::Kept { label: label(&card.receipt) })
                }
                (PaymentOption::TestCard, _) => Some(Offer::TestCard),
                (PaymentOption::Hosted, _) => Some(Offer::Hosted),
                (PaymentOption::GooglePay(told), Some(money)) => {
                    Some(Offer::GooglePay { setup: google(&told, request, money).to_string() })
                }
                (PaymentOption::ApplePay(told), Some(money)) => {
                    Some(Offer::ApplePay { setup: apple(&told, request, money).to_string() })
                }
                // A wallet's sheet says how much.
                (PaymentOption::GooglePay(_) | PaymentOption::ApplePay(_), None) => None,
            };
            offers.extend(offer);
        }
        Ok(offers)
    }

    /// The card on file that the ask names, if it still is this customer's at this processor.
    async fn saved_card(&self, request: &Request) -> Result<Option<SavedCard>, StoreError> {
        let Some(card) = request.ask.card() else { return Ok(None) };
        let known =
            saved_cards::load(self.store.as_ref(), &request.brand, request.mode, card).await?;
        Ok(known.filter(|known| {
            known.processor == request.processor
                && (guards::is_disabled(Guard::SavedCardOwner)
                    || domain::keys::same(&known.address, &request.address))
        }))
    }

    /// What the yes carries to the processor.
    pub(crate) async fn authorization(
        &self,
        request: &Request,
        brand: &Brand,
        means: &Means,
    ) -> Result<Authorization, Unanswered> {
        let payment_options = self.payment_options(request, brand).map_err(Unanswered::Trouble)?;
        let offered = |wanted: fn(&PaymentOption) -> bool| payment_options.iter().any(wanted);
        match means {
            Means::Tap if offered(|option| *option == PaymentOption::Nothing) => {
                self.kept(request, brand).await
            }
            Means::Tap if offered(|option| *option == PaymentOption::TestCard) => {
                test_card(CARD_DEFAULT)
            }
            Means::TestCard(card) if offered(|option| *option == PaymentOption::TestCard) => {
                test_card(card)
            }
            // Whoever has nothing to pick from gives nothing more on the page.
            Means::TestCard(_) if offered(|option| *option == PaymentOption::Nothing) => {
                self.kept(request, brand).await
            }
            Means::Hosted if offered(|option| *option == PaymentOption::Hosted) => {
                Ok(Authorization { kind: AuthorizationKind::Hosted, secret: "".into() })
            }
            Means::Paid(authorization) => Ok(authorization.clone()),
            Means::Wallet(authorization) => {
                let taken = match authorization.kind {
                    AuthorizationKind::GooglePay => {
                        offered(|option| matches!(option, PaymentOption::GooglePay(_)))
                    }
                    AuthorizationKind::ApplePay => {
                        offered(|option| matches!(option, PaymentOption::ApplePay(_)))
                    }
                    AuthorizationKind::PaymentMethod
                    | AuthorizationKind::Hosted
                    | AuthorizationKind::KeptCard
                    | AuthorizationKind::Code
                    | AuthorizationKind::AccessToken
                    | AuthorizationKind::Onward
                    | AuthorizationKind::Claims => false,
                };
                taken.then(|| authorization.clone()).ok_or(Unanswered::Unable)
            }
            Means::Tap | Means::TestCard(_) | Means::Hosted => Err(Unanswered::Unable),
        }
    }

    /// What the card on file is charged by. It is sealed for the request that put it there, and is sealed anew for this one.
    async fn kept(&self, request: &Request, brand: &Brand) -> Result<Authorization, Unanswered> {
        let card = self.saved_card(request).await?.ok_or(Unanswered::Unable)?;
        match seal::open(&brand.sealing, card.request, &card.sealed) {
            Ok(kept) => Ok(Authorization { kind: AuthorizationKind::KeptCard, ..kept }),
            Err(error) => {
                tracing::error!(request.id = %request.id, error = %error, "a card on file does not open");
                let detail = "the card on file cannot be used";
                Err(Unanswered::Trouble(Problem::new(Code::Internal, detail)))
            }
        }
    }
}

fn test_card(card: &str) -> Result<Authorization, Unanswered> {
    let plain = card.len() <= 64
        && card.starts_with("pm_card_")
        && card.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if !plain {
        let detail = "a test card is one of the processor's pm_card_… names";
        return Err(Unanswered::Trouble(Problem::new(Code::InvalidRequest, detail)));
    }
    Ok(Authorization { kind: AuthorizationKind::PaymentMethod, secret: card.into() })
}

/// Such as `Visa •••• 4242`.
fn label(receipt: &CardReceipt) -> String {
    let brand = match receipt.card_brand.as_deref().unwrap_or("card") {
        "amex" => "American Express".to_owned(),
        "jcb" => "JCB".to_owned(),
        other => {
            let mut letters = other.chars();
            let first = letters.next().map(|letter| letter.to_uppercase().to_string());
            first.unwrap_or_default() + letters.as_str()
        }
    };
    match &receipt.last4 {
        Some(last4) => format!("{brand} •••• {last4}"),
        None => brand,
    }
}

/// The amount as wallets read it: digits and a point, such as `42.50`.
fn digits(money: Money) -> String {
    let text = money.to_string();
    text.split_once(' ').map_or(text.clone(), |(digits, _)| digits.to_owned())
}

/// `PaymentDataRequest` of Google Pay's API, version 2.0. It has no place for what binds a token to the ask: who relays a token
/// of Google's knows its amount from nowhere but the request the yes is stored with.
fn google(told: &GooglePay, request: &Request, money: Money) -> Value {
    let mut merchant = json!({ "merchantName": request.payee });
    if let (Some(id), Some(fields)) = (&told.merchant_id, merchant.as_object_mut()) {
        fields.insert("merchantId".to_owned(), json!(id));
    }
    json!({
        "environment": match told.mode {
            Mode::Test => "TEST",
            Mode::Live => "PRODUCTION",
        },
        "apiVersion": 2,
        "apiVersionMinor": 0,
        "merchantInfo": merchant,
        "allowedPaymentMethods": [{
            "type": "CARD",
            // Tokens of the device before bare card numbers, which may need 3-D Secure on top.
            "parameters": {
                "allowedAuthMethods": ["CRYPTOGRAM_3DS", "PAN_ONLY"],
                "allowedCardNetworks": told.networks,
            },
            "tokenizationSpecification": { "type": "PAYMENT_GATEWAY", "parameters": told.gateway },
        }],
        "transactionInfo": {
            "totalPriceStatus": "FINAL",
            "totalPrice": digits(money),
            "currencyCode": money.currency().code(),
            "countryCode": told.country,
        },
    })
}

/// `ApplePayPaymentRequest`. The digest of the ask is its `applicationData`, whose hash Apple signs with the token.
fn apple(told: &ApplePay, request: &Request, money: Money) -> Value {
    json!({
        "countryCode": told.country,
        "currencyCode": money.currency().code(),
        "merchantCapabilities": ["supports3DS"],
        "supportedNetworks": told.networks,
        "total": { "label": request.payee, "amount": digits(money), "type": "final" },
        "applicationData": bound(&request.ask_hash),
    })
}

/// The digest's bytes in base64.
fn bound(hash: &AskHash) -> String {
    use base64::Engine;
    let bytes = hash.bytes();
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
