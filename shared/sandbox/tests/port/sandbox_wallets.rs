//! Wallets at the sandbox: tokens pay once and save cards, and the settings offer the wallets.

use domain::authorization::CredentialKind;
use domain::brand::Mode;
use pollster::block_on;
use ports::{Confirmed, Created, Fulfillment, PaymentOption};
use serde_json::json;

use crate::doubles::{Doubles, approval, attempt, charge, payment, save_card};
use crate::wallets::{apple_pay, asks_apple_for_a_session, opened};

#[test]
fn apple_pay_session_is_requested_as_the_merchant() {
    asks_apple_for_a_session("sandbox", &json!({ "apple_pay": apple_pay() }));
}

#[test]
fn payment_options_include_wallets_where_set() {
    let settings = json!({ "google_pay": { "country": "DE" }, "apple_pay": apple_pay() });
    let (_, processor) = opened("sandbox", &settings);
    let payment_options = processor.payment_options(&payment(4250));
    let [
        PaymentOption::TestCard,
        PaymentOption::ApplePay(_),
        PaymentOption::GooglePay(google),
        PaymentOption::Hosted,
    ] = payment_options.as_slice()
    else {
        panic!("{payment_options:?}")
    };
    assert_eq!(google.gateway["gateway"], "example");
    assert_eq!(google.gateway["gatewayMerchantId"], "exampleGatewayMerchantId");
    let (_, plain) = opened("sandbox", &json!({ "hosted": false }));
    assert_eq!(plain.payment_options(&payment(4250)), [PaymentOption::TestCard]);
}

const APPLE_TOKEN: &str = r#"{"paymentData":{"version":"EC_v1"},"paymentMethod":{"network":"Visa"},"transactionIdentifier":"f7"}"#;
const GOOGLE_TOKEN: &str = r#"{"id":"tok_1A","object":"token","livemode":false}"#;

#[test]
fn wallet_token_pays_once_and_names_its_wallet() {
    for (kind, secret, wallet) in [
        (CredentialKind::ApplePay, APPLE_TOKEN, Some("apple_pay")),
        (CredentialKind::GooglePay, GOOGLE_TOKEN, Some("google_pay")),
        (CredentialKind::GooglePay, "examplePaymentMethodToken", None),
    ] {
        let doubles = Doubles::default();
        let processor = doubles.open(Mode::Test, "sandbox", &json!({})).ok().unwrap();
        let token = approval(kind, secret);
        let what = charge(&token, 4250, 1);
        let Created::Ready(reference) = block_on(processor.create(&what)) else { panic!() };
        assert_eq!(block_on(processor.create(&what)), Created::Ready(reference.clone()));
        let answer = block_on(processor.confirm(&what, &reference));
        let Confirmed::Done(Fulfillment::Payment(receipt)) = answer else { panic!("{answer:?}") };
        assert_eq!((receipt.amount, receipt.wallet.as_deref()), (4250, wallet));
        // A spent token pays for nothing else.
        let again = block_on(processor.create(&charge(&token, 4250, 2)));
        let spent = Created::Invalid { code: "token_already_used" };
        let reusable = secret == "examplePaymentMethodToken" || kind == CredentialKind::ApplePay;
        assert!(again == spent || reusable, "{again:?}");
    }
}

#[test]
fn wallet_token_saves_a_card() {
    let doubles = Doubles::default();
    let processor = doubles.open(Mode::Test, "sandbox", &json!({})).ok().unwrap();
    let token = approval(CredentialKind::GooglePay, GOOGLE_TOKEN);
    let what = attempt(save_card(), &token, 1);
    let Created::Ready(reference) = block_on(processor.create(&what)) else { panic!() };
    let answer = block_on(processor.confirm(&what, &reference));
    let Confirmed::Done(Fulfillment::Card { receipt, .. }) = answer else { panic!("{answer:?}") };
    assert_eq!(receipt.wallet.as_deref(), Some("google_pay"));
    assert_eq!((receipt.exp_month, receipt.exp_year), (Some(12), Some(2034)));
}
