//! The payment options for each ask, and the settings that are refused.

use domain::values::id::CardId;
use domain::values::money::Money;
use domain::values::text::DisplayText;
use domain::values::time::Timestamp;
use serde_json::{Value, json};

use super::*;
use crate::stripe::StripeAccount;

fn account(mode: Mode, settings: &Value) -> Result<StripeAccount, String> {
    let key = match mode {
        Mode::Test => "sk_test_a",
        Mode::Live => "sk_live_a",
    };
    let mut settings = settings.as_object().unwrap().clone();
    settings.insert("secret_key".to_owned(), json!(key));
    StripeAccount::read(mode, &settings.into()).map_err(|error| format!("{error:?}"))
}

fn payment(card: Option<CardId>) -> Ask {
    let money = Money::new(4250, "EUR".parse().unwrap()).unwrap();
    Ask::Payment { money, description: DisplayText::new("Invoice").unwrap(), card }
}

fn keeping() -> Ask {
    Ask::PaymentMethod { description: DisplayText::new("For later").unwrap() }
}

fn payment_options(mode: Mode, settings: &Value, ask: &Ask) -> Vec<&'static str> {
    let payment_options = account(mode, settings).unwrap().offer.payment_options(ask);
    payment_options
        .iter()
        .map(|option| match option {
            PaymentOption::Nothing => "nothing",
            PaymentOption::TestCard => "test card",
            PaymentOption::GooglePay(_) => "google pay",
            PaymentOption::ApplePay(_) => "apple pay",
            PaymentOption::Hosted => "hosted",
        })
        .collect()
}

fn wallets(mode: &str, keep_cards: bool) -> Value {
    json!({
        "publishable_key": format!("pk_{mode}_a"),
        "google_pay": { "merchant_id": "BCR2DN4T", "country": "DE" },
        "apple_pay": {
            "merchant_identifier": "merchant.com.example.pay", "display_name": "Example", "country": "DE",
            "certificate": "-----BEGIN CERTIFICATE-----", "key": "-----BEGIN PRIVATE KEY-----", "keep_cards": keep_cards,
        },
    })
}

#[test]
fn payment_options_in_live_mode_are_wallets_and_hosted() {
    let none = json!({});
    assert_eq!(payment_options(Mode::Live, &none, &payment(None)), ["hosted"]);
    assert_eq!(payment_options(Mode::Live, &none, &keeping()), ["hosted"]);
    let all = wallets("live", false);
    assert_eq!(
        payment_options(Mode::Live, &all, &payment(None)),
        ["apple pay", "google pay", "hosted"]
    );
    assert_eq!(payment_options(Mode::Live, &all, &keeping()), ["google pay", "hosted"]);
    let kept = wallets("live", true);
    assert_eq!(
        payment_options(Mode::Live, &kept, &keeping()),
        ["apple pay", "google pay", "hosted"]
    );
    assert!(payment_options(Mode::Live, &json!({ "hosted": false }), &payment(None)).is_empty());
}

#[test]
fn payment_options_in_test_mode_include_test_cards() {
    assert_eq!(payment_options(Mode::Test, &json!({}), &payment(None)), ["test card", "hosted"]);
    assert_eq!(payment_options(Mode::Test, &json!({ "hosted": false }), &keeping()), ["test card"]);
}

#[test]
fn payment_options_for_saved_cards_and_identity_are_empty() {
    let card = CardId::new(Timestamp::EPOCH, [1; 10]);
    for mode in [Mode::Test, Mode::Live] {
        assert_eq!(payment_options(mode, &json!({}), &payment(Some(card))), ["nothing"]);
        let claims = vec![DisplayText::new("birthdate").unwrap()];
        let description = DisplayText::new("Age").unwrap();
        let identity = Ask::Identity { acr: Vec::new(), claims, description, max_age: None };
        assert!(payment_options(mode, &json!({}), &identity).is_empty());
    }
}

#[test]
fn google_pay_names_the_gateway_and_apple_pay_the_networks() {
    let account = account(Mode::Test, &wallets("test", false)).unwrap();
    let payment_options = account.offer.payment_options(&payment(None));
    let Some(PaymentOption::GooglePay(google)) =
        payment_options.iter().find(|option| matches!(option, PaymentOption::GooglePay(_)))
    else {
        panic!()
    };
    let gateway: Vec<(&str, &str)> =
        google.gateway.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(
        gateway,
        [
            ("gateway", "stripe"),
            ("stripe:publishableKey", "pk_test_a"),
            ("stripe:version", "2026-08-26.dahlia")
        ]
    );
    assert_eq!(google.networks, ["AMEX", "MASTERCARD", "VISA"]);
    assert_eq!((google.country.as_str(), google.merchant_id.as_deref()), ("DE", Some("BCR2DN4T")));
    let Some(PaymentOption::ApplePay(apple)) =
        payment_options.iter().find(|option| matches!(option, PaymentOption::ApplePay(_)))
    else {
        panic!()
    };
    assert_eq!(apple.networks, ["amex", "masterCard", "visa"]);
}

#[test]
fn wallet_settings_when_unusable_are_refused_on_open() {
    let changed = |place: &str, value: Value| {
        let mut settings = wallets("live", false);
        *settings.pointer_mut(place).unwrap() = value;
        settings
    };
    for (settings, wrong) in [
        (changed("/publishable_key", json!("pk_test_a")), "PublishableKey"),
        (changed("/publishable_key", Value::Null), "PublishableKeyMissing"),
        (changed("/google_pay/merchant_id", Value::Null), "MerchantId"),
        (changed("/google_pay/merchant_id", json!("a b")), "MerchantId"),
        (changed("/google_pay/country", json!("de")), "Country"),
        (changed("/apple_pay/country", json!("DEU")), "Country"),
        (changed("/apple_pay/merchant_identifier", json!("a/b")), "MerchantIdentifier"),
        (changed("/apple_pay/display_name", json!(" ")), "DisplayName"),
    ] {
        let error = account(Mode::Live, &settings).err().unwrap();
        assert!(error.ends_with(&format!("({wrong})")), "{error} is not {wrong}");
    }
    let mut networks = wallets("live", false);
    networks["google_pay"]["networks"] = json!([]);
    assert!(account(Mode::Live, &networks).err().unwrap().contains("Networks"));
    let mut plain = wallets("live", false);
    plain["apple_pay"]["gateway_url"] = json!("http://apple-pay-gateway.apple.com");
    assert!(account(Mode::Live, &plain).err().unwrap().contains("GatewayUrl"));
}
