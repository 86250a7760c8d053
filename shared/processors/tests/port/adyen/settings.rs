//! Settings that open a processor, and settings that are refused without being quoted.

use domain::authorization::Authorization;
use domain::brand::Mode;
use pollster::block_on;
use ports::{OpenProcessorError, PaymentOption};
use serde_json::{Value, json};

use super::{KEY, base, json_reply, open};
use crate::doubles::{Doubles, payment};

fn with(more: &Value) -> Value {
    let mut settings = base();
    settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    settings
}

#[test]
fn settings_when_unusable_are_refused_and_not_quoted() {
    let google = |more: Value| {
        let mut google = json!({ "country": "NL" });
        google.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "google_pay": google })
    };
    for more in [
        json!({ "api_key": "" }),
        json!({ "api_key": "N3ver\nSh0wn" }),
        json!({ "merchant_account": "N3verSh0wn:1" }),
        json!({ "merchant_accounts": [""] }),
        json!({ "hmac_keys": [] }),
        json!({ "hmac_keys": ["N3verSh0wn"] }),
        json!({ "hmac_keys": [KEY, ""] }),
        json!({ "live_prefix": "N3verSh0wn" }),
        json!({ "base_url": "ftp://N3verSh0wn" }),
        json!({ "base_url": "http://a/?N3verSh0wn" }),
        json!({ "country": "N3verSh0wn" }),
        json!({ "allowed_payment_methods": [] }),
        json!({ "allowed_payment_methods": ["N3ver Sh0wn"] }),
        json!({ "capture_delay_hours": 0 }),
        json!({ "capture_delay_hours": 673 }),
        json!({ "keep_cards": { "currency": "EUR" }, "pay_by_link": false }),
        json!({ "keep_cards": { "currency": "N3verSh0wn" } }),
        json!({ "N3verSh0wn": 1 }),
        google(json!({ "country": "N3verSh0wn" })),
        google(json!({ "networks": [] })),
        google(json!({ "merchant_id": "N3ver Sh0wn" })),
        google(json!({ "N3verSh0wn": 1 })),
        json!({ "apple_pay": { "merchant_identifier": "a b", "display_name": "A", "country": "NL" } }),
        json!({ "apple_pay": { "merchant_identifier": "m", "display_name": " ", "country": "NL" } }),
    ] {
        let doubles = Doubles::default();
        let error = doubles
            .open(Mode::Test, "adyen", &with(&more))
            .err()
            .unwrap_or_else(|| panic!("{more}"));
        assert!(matches!(error, OpenProcessorError::Settings(_)));
        let source = std::error::Error::source(&error).unwrap();
        let shown = format!("{error} {error:?} {source} {source:?}");
        assert!(!shown.contains("N3ver"), "{shown}");
    }
}

#[test]
fn calls_in_live_mode_use_the_live_address() {
    let doubles = Doubles::default();
    assert!(doubles.open(Mode::Live, "adyen", &base()).is_err());
    let both = with(&json!({ "live_prefix": "1a-Acme", "base_url": "https://a" }));
    assert!(doubles.open(Mode::Live, "adyen", &both).is_err());
    let live = with(&json!({ "live_prefix": "1a-Acme" }));
    let live = doubles.open(Mode::Live, "adyen", &live).ok().unwrap();
    let hosted = Authorization::Hosted;
    block_on(live.create(&crate::doubles::charge(&hosted, 4250, 1)));
    let call = doubles.http.taken().remove(0);
    let url = "https://1a-Acme-checkout-live.adyenpayments.com/checkout/v72/paymentLinks ";
    assert!(call.contains(url), "{call}");
    let no_id = with(&json!({ "live_prefix": "1a-Acme", "google_pay": { "country": "NL" } }));
    assert!(doubles.open(Mode::Live, "adyen", &no_id).is_err());
}

#[test]
fn payment_options_start_with_wallets_for_usable_amounts() {
    let doubles = Doubles::default();
    let apple = json!({ "merchant_identifier": "merchant.com.acme", "display_name": "Acme", "country": "NL" });
    let processor =
        open(&doubles, &json!({ "apple_pay": apple, "google_pay": { "country": "NL" } }));
    let payment_options = processor.payment_options(&payment(4250));
    let [PaymentOption::ApplePay(apple), PaymentOption::GooglePay(google), PaymentOption::Hosted] =
        payment_options.as_slice()
    else {
        panic!("{payment_options:?}")
    };
    assert_eq!(apple.country, "NL");
    assert_eq!(google.gateway["gatewayMerchantId"], "AcmeECOM");
    let money = domain::values::money::Money::new(4250, "IDR".parse().unwrap()).unwrap();
    let description = domain::values::text::DisplayText::new("Invoice").unwrap();
    let ask = domain::ask::Ask::Payment { money, description, card: None };
    assert_eq!(processor.payment_options(&ask), []);
    let off = open(&doubles, &json!({ "pay_by_link": false }));
    assert_eq!(off.payment_options(&payment(4250)), []);
}

#[test]
fn apple_pay_session_for_the_page_is_passed_on_unchanged() {
    let doubles = Doubles::default();
    let apple = json!({ "merchant_identifier": "merchant.com.acme", "display_name": "Acme", "country": "NL" });
    let processor = open(&doubles, &json!({ "apple_pay": apple }));
    // {"a":1}
    doubles.http.play([json_reply(200, &json!({ "data": "eyJhIjoxfQ==" }))]);
    let session = block_on(processor.apple_pay_session("pay.example.com"));
    assert_eq!(session.as_deref(), Some(r#"{"a":1}"#));
    let call = doubles.http.taken().remove(0);
    assert!(call.contains("/v72/applePay/sessions ") && call.contains("pay.example.com"), "{call}");
    assert_eq!(block_on(processor.apple_pay_session("a/b")), None);
    for (status, data) in [(200, "W10="), (200, "?"), (200, ""), (403, "eyJhIjoxfQ==")] {
        doubles.http.play([json_reply(status, &json!({ "data": data }))]);
        assert_eq!(block_on(processor.apple_pay_session("pay.example.com")), None, "{data}");
    }
}
