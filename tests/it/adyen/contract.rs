//! The adapter against Adyen's own contract, served by a third-party mock. Each call is one that Adyen documents.
//!
//! `tests/run.py` starts three mocks, and each knows one answer to a payment. A mock stores nothing, so these tests
//! check the wire format only.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use domain::ask::Ask;
use domain::authorization::{Authorization, Credential, CredentialKind, Grant};
use domain::brand::{Brand, Mode};
use domain::processor_result::{Reference, ReportedResult};
use domain::values::text::DisplayText;
use ports::{
    AttemptContext, Confirmed, Created, DetachResult, Fulfillment, Http, HttpError, Processor,
    Processors, Reach, Refund, RefundResult, VoidResult,
};
use processors::{Deps, Registry};
use serde_json::{Value, json};
use tests::doubles::{ManualClock, START_TIME, used};

const NAME: &str = "req_01J00000000000000000000000.1";

#[expect(clippy::disallowed_methods, reason = "a test's own setting")]
fn address(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("set {name} to Adyen's contract, served by Prism; tests/run.py starts it")
    })
}

/// An Http port to the mock, which fails the test on a call that the mock rejects.
struct StrictHttp(https::Client);

#[async_trait]
impl Http for StrictHttp {
    async fn call(
        &self,
        request: http::Request<Bytes>,
        reach: Reach,
        timeout: Duration,
    ) -> Result<http::Response<Bytes>, HttpError> {
        let sent = format!("{} {} {:?}", request.method(), request.uri(), request.body());
        let answer = self.0.call(request, reach, timeout).await?;
        assert!(answer.status().is_success(), "{} to {sent}", answer.status());
        Ok(answer)
    }
}

/// Opens an account whose Adyen is the mock of that setting, and returns it with its clock.
fn opened(name: &str) -> (Box<dyn Processor>, Arc<ManualClock>) {
    let key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let settings = json!({
        "api_key": "AQE_contract", "merchant_account": "AcmeECOM", "base_url": address(name),
        "hmac_keys": ["44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056"],
        "country": "NL", "keep_cards": { "currency": "EUR" },
        "apple_pay": { "merchant_identifier": "merchant.com.acme", "display_name": "Acme", "country": "NL" },
    });
    let brand = json!({
        "version": "1", "name": "acme", "display_name": "Acme", "keys": [],
        "sealing": { "current": "1", "keys": { "1": key } }, "address_key": key, "link_key": key,
        "test": { "processors": [{ "name": "adyen", "kind": "adyen", "settings": settings }] },
    });
    let clock = Arc::new(ManualClock::default());
    let outside = Deps {
        http: Arc::new(StrictHttp(https::Client::new().unwrap())),
        clock: Arc::<ManualClock>::clone(&clock),
    };
    let brand = Brand::parse(&brand.to_string()).unwrap();
    let opened = Registry::new(outside).open(&brand, Mode::Test, &"adyen".parse().unwrap());
    (opened.ok().unwrap(), clock)
}

fn yes(kind: CredentialKind, secret: &str) -> Authorization {
    Credential::new(kind, secret).into()
}

fn wallets() -> [Authorization; 3] {
    [
        yes(CredentialKind::ApplePay, r#"{"paymentData":{"version":"EC_v1","data":"b+/="}}"#),
        yes(CredentialKind::GooglePay, r#"{"signature":"MEUCIQ","protocolVersion":"ECv2"}"#),
        yes(CredentialKind::SavedCard, r#"{"shopper":"req_1.1","stored":"7219687191761347"}"#),
    ]
}

fn name() -> Reference {
    Reference(NAME.to_owned())
}

#[tokio::test]
async fn contract_wallet_or_saved_card_payment_accepted() {
    let (processor, _) = opened("ADYEN_AUTHORISED_URL");
    for wallet in &wallets() {
        let what = used(wallet, 4250, 1);
        assert_eq!(processor.create(&what).await, Created::Ready(name()));
        let answer = processor.confirm(&what, &name()).await;
        let Confirmed::Done(Fulfillment::Payment(receipt)) = answer else {
            panic!("{wallet:?} {answer:?}")
        };
        assert_eq!((receipt.amount, receipt.reference.0.as_str()), (4250, "993617895204576J"));
    }
    let code = Authorization::Grant(Grant::Code("eyJ0cmFuc1N0YXR1cyI6IlkifQ==".into()));
    let back = AttemptContext { on_hosted_page: true, ..used(&code, 4250, 1) };
    let answer = processor.confirm(&back, &name()).await;
    assert!(matches!(answer, Confirmed::Done(_)), "{answer:?}");
}

#[tokio::test]
async fn contract_decline_and_redirect_parsed() {
    let (refusing, _) = opened("ADYEN_REFUSED_URL");
    let (redirecting, _) = opened("ADYEN_REDIRECT_URL");
    for wallet in &wallets() {
        let what = used(wallet, 4250, 1);
        let answer = refusing.confirm(&what, &name()).await;
        assert_eq!(answer, Confirmed::SoftDeclined { code: "insufficient_funds" });
        let answer = redirecting.confirm(&what, &name()).await;
        assert!(matches!(answer, Confirmed::RequiresAction { redirect: Some(_) }), "{answer:?}");
    }
}

#[tokio::test]
async fn contract_link_created_read_and_expired() {
    let (processor, _) = opened("ADYEN_AUTHORISED_URL");
    let hosted = Authorization::Hosted;
    let what = used(&hosted, 4250, 1);
    let Created::Ready(link) = processor.create(&what).await else { panic!() };
    assert_eq!(link.0, "PLE83C39B0A0DE0C1E");
    let link = Reference("PL61C53A8B97E6915A".to_owned());
    let answer = processor.confirm(&what, &link).await;
    assert!(matches!(answer, Confirmed::RequiresAction { redirect: Some(_) }), "{answer:?}");
    assert_eq!(processor.void(&what, &link).await, VoidResult::Voided);
    // This link is over no amount, to save a card. The mock accepts it, but answers with its fixed amount.
    // The adapter does not believe that answer.
    let ask = Ask::PaymentMethod { description: DisplayText::new("Card for later").unwrap() };
    let what = AttemptContext { ask: &ask, ..what };
    assert_eq!(processor.create(&what).await, Created::Again);
}

/// An authorisation, as the adapter stores it, that was reported that many seconds after the beginning.
fn reported_at(seconds: u64) -> Reference {
    let at = START_TIME.after(Duration::from_secs(seconds)).as_millis();
    Reference(format!("993617895204576J 4250 EUR {at}"))
}

#[tokio::test]
async fn contract_cancel_and_refund_accepted() {
    let (processor, clock) = opened("ADYEN_AUTHORISED_URL");
    let [apple, ..] = &wallets();
    let what = used(apple, 4250, 1);
    clock.stand_at(START_TIME.after(Duration::from_secs(1_800)));
    // A payment that was reported too late is reversed by its own id. An unreported one is cancelled by our reference.
    let late =
        ReportedResult { success: true, reference: reported_at(1_800), code: None, original: None };
    for reported in [None, Some(&late)] {
        assert_eq!(
            processor.void(&AttemptContext { reported, ..what }, &name()).await,
            VoidResult::Unknown
        );
    }
    let psp = Reference("993617895204576J".to_owned());
    let refund = Refund {
        request: what.request,
        seq: 1,
        charge: &psp,
        money: what.money().unwrap(),
        again: false,
        reported: None,
    };
    let taken = RefundResult::Pending(Reference("993617894906488A".to_owned()));
    assert_eq!(processor.refund(&refund).await, taken);
    let session = processor.apple_pay_session("pay.example.com").await;
    assert_eq!(session.as_deref(), Some(r#"{"a":1}"#));
}

/// The mock is as strict as the contract. Otherwise the tests above would prove nothing.
#[tokio::test]
async fn contract_violation_rejected() {
    let url = address("ADYEN_AUTHORISED_URL");
    let client = https::Client::new().unwrap();
    let good = json!({
        "merchantAccount": "AcmeECOM", "amount": { "value": 4250, "currency": "EUR" },
        "reference": NAME, "returnUrl": "https://pay.example.com/c/page",
        "paymentMethod": { "type": "applepay", "applePayToken": "e30=" },
    });
    let with = |name: &str, value: Value| {
        let mut body = good.clone();
        body[name] = value;
        body
    };
    let without = |name: &str| {
        let mut body = good.clone();
        body.as_object_mut().unwrap().remove(name);
        body
    };
    for (path, key, body, status) in [
        ("/payments", true, good.clone(), 200),
        ("/payments", false, good.clone(), 401),
        ("/payments", true, without("returnUrl"), 422),
        ("/payments", true, without("reference"), 422),
        ("/payments", true, with("amount", json!({ "value": "4250", "currency": "EUR" })), 422),
        ("/payments", true, with("paymentMethod", json!({ "type": "applepay" })), 422),
        ("/payments", true, with("paymentMethod", json!({ "type": "unheard_of" })), 422),
        ("/payments", true, with("recurringProcessingModel", json!("Sometimes")), 422),
        ("/cancels", true, json!({ "merchantAccount": "AcmeECOM" }), 422),
        ("/cancels", true, json!({ "merchantAccount": "AcmeECOM", "paymentReference": NAME }), 201),
        ("/payments/993617895204576J/reversals", true, json!({}), 422),
        (
            "/payments/993617895204576J/reversals",
            true,
            json!({ "merchantAccount": "A", "reference": NAME }),
            201,
        ),
        ("/paymentLinks", true, json!({ "merchantAccount": "AcmeECOM" }), 422),
    ] {
        let mut call = http::Request::post(format!("{url}{path}"))
            .header("content-type", "application/json")
            .header("idempotency-key", "k");
        if key {
            call = call.header("x-api-key", "AQE_contract");
        }
        let call = call.body(Bytes::from(body.to_string())).unwrap();
        let answer = client.call(call, Reach::Configured, Duration::from_secs(10)).await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{path} {body}");
    }
}

#[tokio::test]
async fn contract_saved_card_deletion_accepted() {
    let (processor, _) = opened("ADYEN_AUTHORISED_URL");
    let ids = r#"{"shopper":"req_1.1","stored":"7219687191761347"}"#;
    let card = Credential::new(CredentialKind::SavedCard, ids);
    assert_eq!(processor.detach(&card).await, DetachResult::Detached);
}
