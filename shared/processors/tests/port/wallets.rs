//! Wallets: tokens become payment methods, and Apple is asked for a session with the merchant's own certificate.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use domain::authorization::AuthorizationKind;
use domain::brand::Mode;
use domain::ports::{
    ClientIdentity, Confirmed, Created, Fetched, Http, HttpError, PaymentOption, Processor,
    Processors, Reach,
};
use pollster::block_on;
use processors::{Deps, Registry};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::doubles::{World, attempt, brand, charge, keeping, payment, yes};

/// Apple's gateway, which answers as told and remembers who asked what.
#[derive(Default)]
struct Apple {
    answer: Mutex<Option<(u16, &'static str)>>,
    asked: Mutex<Vec<(String, Value, String)>>,
}

#[async_trait]
impl Http for Apple {
    async fn call(
        &self,
        request: http::Request<Bytes>,
        _: Reach,
        _: Duration,
    ) -> Result<http::Response<Bytes>, HttpError> {
        let identity = request.extensions().get::<ClientIdentity>();
        let identity = identity.map(|identity| {
            format!(
                "{} {}",
                identity.certificate_pem.expose_secret(),
                identity.key_pem.expose_secret()
            )
        });
        let body = serde_json::from_slice(request.body()).unwrap();
        let asked = (request.uri().to_string(), body, identity.unwrap_or_default());
        self.asked.lock().unwrap().push(asked);
        match *self.answer.lock().unwrap() {
            Some((status, body)) => {
                Ok(http::Response::builder().status(status).body(body.into()).unwrap())
            }
            None => Err(HttpError::Lost("scripted".into())),
        }
    }
}

fn apple_pay() -> Value {
    json!({
        "merchant_identifier": "merchant.com.example.pay", "display_name": "Example Books", "country": "DE",
        "certificate": "the certificate", "key": "the key",
    })
}

fn opened(kind: &str, settings: &Value) -> (Arc<Apple>, Box<dyn Processor>) {
    let (world, apple) = (World::default(), Arc::new(Apple::default()));
    let outside = Deps { http: Arc::<Apple>::clone(&apple), ..world.outside() };
    let brand = brand(kind, settings);
    let processor =
        Registry::new(outside).open(&brand, Mode::Test, &"till".parse().unwrap()).ok().unwrap();
    (apple, processor)
}

#[test]
fn apple_is_asked_for_a_session_as_the_merchant_and_for_the_pages_own_host() {
    for (kind, settings) in [
        ("stripe", json!({ "secret_key": "sk_test_a", "apple_pay": apple_pay() })),
        ("sandbox", json!({ "apple_pay": apple_pay() })),
    ] {
        let (apple, processor) = opened(kind, &settings);
        let session = r#"{"merchantSessionIdentifier":"a", "signature":"b" }"#;
        *apple.answer.lock().unwrap() = Some((200, session));
        let given = block_on(processor.apple_pay_session("pay.example.com"));
        assert_eq!(given.as_deref(), Some(session));
        let asked = std::mem::take(&mut *apple.asked.lock().unwrap());
        let [(uri, body, identity)] = asked.as_slice() else { panic!("{}", asked.len()) };
        assert_eq!(uri, "https://apple-pay-gateway.apple.com/paymentservices/paymentSession");
        assert_eq!(
            *body,
            json!({ "merchantIdentifier": "merchant.com.example.pay", "displayName": "Example Books",
                "initiative": "web", "initiativeContext": "pay.example.com" })
        );
        assert_eq!(identity, "the certificate the key");
    }
}

#[test]
fn without_a_session_there_is_none() {
    let settings = json!({ "secret_key": "sk_test_a", "apple_pay": apple_pay() });
    let (apple, processor) = opened("stripe", &settings);
    for answer in [None, Some((400, "{}")), Some((417, "")), Some((200, "")), Some((200, "[]"))] {
        *apple.answer.lock().unwrap() = answer;
        assert_eq!(block_on(processor.apple_pay_session("pay.example.com")), None);
    }
    apple.asked.lock().unwrap().clear();
    for host in ["", "pay.example.com/x", "a b", "pay.example.com\"", &"a".repeat(254)] {
        assert_eq!(block_on(processor.apple_pay_session(host)), None, "{host}");
    }
    let (other, without) = opened("stripe", &json!({ "secret_key": "sk_test_a" }));
    assert_eq!(block_on(without.apple_pay_session("pay.example.com")), None);
    assert!(apple.asked.lock().unwrap().is_empty() && other.asked.lock().unwrap().is_empty());
}

#[test]
fn the_sandbox_offers_googles_own_test_suite_and_apple_pay_where_they_are_set() {
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
fn a_wallets_token_pays_once_and_is_told_as_the_wallets() {
    for (kind, secret, wallet) in [
        (AuthorizationKind::ApplePay, APPLE_TOKEN, Some("apple_pay")),
        (AuthorizationKind::GooglePay, GOOGLE_TOKEN, Some("google_pay")),
        (AuthorizationKind::GooglePay, "examplePaymentMethodToken", None),
    ] {
        let world = World::default();
        let processor = world.open(Mode::Test, "sandbox", &json!({})).ok().unwrap();
        let token = yes(kind, secret);
        let what = charge(&token, 4250, 1);
        let Created::Ready(reference) = block_on(processor.create(&what)) else { panic!() };
        assert_eq!(block_on(processor.create(&what)), Created::Ready(reference.clone()));
        let answer = block_on(processor.confirm(&what, &reference));
        let Confirmed::Done(Fetched::Payment(receipt)) = answer else { panic!("{answer:?}") };
        assert_eq!((receipt.amount, receipt.wallet.as_deref()), (4250, wallet));
        // A token that was spent pays for nothing else.
        let again = block_on(processor.create(&charge(&token, 4250, 2)));
        let spent = Created::Invalid { code: "token_already_used" };
        let reusable = secret == "examplePaymentMethodToken" || kind == AuthorizationKind::ApplePay;
        assert!(again == spent || reusable, "{again:?}");
    }
}

#[test]
fn a_google_token_for_another_gateway_is_taken_by_the_sandbox_only() {
    let example = yes(AuthorizationKind::GooglePay, "examplePaymentMethodToken");
    let (apple, stripe) = opened("stripe", &json!({ "secret_key": "sk_test_a" }));
    let created = block_on(stripe.create(&charge(&example, 4250, 1)));
    assert_eq!(created, Created::Invalid { code: "authorization_malformed" });
    assert!(apple.asked.lock().unwrap().is_empty());
}

#[test]
fn a_wallets_card_can_be_kept() {
    let world = World::default();
    let processor = world.open(Mode::Test, "sandbox", &json!({})).ok().unwrap();
    let token = yes(AuthorizationKind::GooglePay, GOOGLE_TOKEN);
    let what = attempt(keeping(), &token, 1);
    let Created::Ready(reference) = block_on(processor.create(&what)) else { panic!() };
    let answer = block_on(processor.confirm(&what, &reference));
    let Confirmed::Done(Fetched::Card { receipt, .. }) = answer else { panic!("{answer:?}") };
    assert_eq!(receipt.wallet.as_deref(), Some("google_pay"));
    assert_eq!((receipt.exp_month, receipt.exp_year), (Some(12), Some(2034)));
}
