//! Wallets: Apple is asked for a session with the merchant's certificate, and foreign tokens are refused.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use domain::authorization::CredentialKind;
use domain::brand::Mode;
use pollster::block_on;
use ports::{ClientIdentity, Created, Http, HttpError, Processor, Processors, Reach};
use processors::Deps;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::doubles::{Doubles, approval, brand, charge};

/// Apple's gateway: it answers by a script and records the calls.
#[derive(Default)]
pub(crate) struct Apple {
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

pub(crate) fn apple_pay() -> Value {
    json!({
        "merchant_identifier": "merchant.com.example.pay", "display_name": "Example Books", "country": "DE",
        "certificate": "the certificate", "key": "the key",
    })
}

pub(crate) fn opened(kind: &str, settings: &Value) -> (Arc<Apple>, Box<dyn Processor>) {
    let (doubles, apple) = (Doubles::default(), Arc::new(Apple::default()));
    let deps = Deps { http: Arc::<Apple>::clone(&apple), ..doubles.deps() };
    let registry = crate::registry(&doubles, deps);
    let processor = registry
        .open(&brand(kind, settings), Mode::Test, &"primary".parse().unwrap())
        .ok()
        .unwrap();
    (apple, processor)
}

/// Opens a processor with `apple_pay`, and checks that it asks Apple for a session as the merchant.
pub(crate) fn asks_apple_for_a_session(kind: &str, settings: &Value) {
    let (apple, processor) = opened(kind, settings);
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

#[test]
fn apple_pay_session_is_requested_as_the_merchant_of_stripe() {
    let settings = json!({ "secret_key": "sk_test_a", "apple_pay": apple_pay() });
    asks_apple_for_a_session("stripe", &settings);
}

#[test]
fn apple_pay_session_needs_apples_answer() {
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
fn google_example_token_is_malformed_for_stripe() {
    let example = approval(CredentialKind::GooglePay, "examplePaymentMethodToken");
    let (apple, stripe) = opened("stripe", &json!({ "secret_key": "sk_test_a" }));
    let created = block_on(stripe.create(&charge(&example, 4250, 1)));
    assert_eq!(created, Created::Invalid { code: "authorization_malformed" });
    assert!(apple.asked.lock().unwrap().is_empty());
}
