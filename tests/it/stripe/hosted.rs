//! The hosted page of `emulate`, through a proxy that breaks each call in each way.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use domain::authorization::Authorization;
use domain::processor_result::Reference;
use ports::contract_tests::processor::OperationResult;
use ports::{Fulfillment, Http, Reach, RedirectUrl, VoidResult};
use serde_json::Value;
use tests::proxy::{Call, Proxy, ProxyFault};

use super::{FAULTS, Fixture, emulate, is_done, localstripe, opened};

async fn fixture(keeping: bool) -> Fixture {
    let client: Arc<dyn Http> = Arc::new(https::Client::new().unwrap());
    let proxy = Proxy::with_checkout(&localstripe(), &emulate(), client).await.unwrap();
    let processor = opened(&proxy, &Value::Null);
    let authorization = Authorization::Hosted;
    Fixture { proxy, processor, authorization, keeping }
}

/// Returns the redirect's address, and asks until it is known.
async fn redirect(fixture: &Fixture, reference: &Reference) -> String {
    let answer = fixture.settle(reference).await;
    let OperationResult::RequiresAction { redirect: Some(RedirectUrl(url)) } = answer else {
        panic!("{answer:?}")
    };
    url
}

/// A browser that returns a page and its redirect.
async fn visits(url: &str, pays: bool) -> (u16, String) {
    let client = https::Client::new().unwrap();
    let request = if pays {
        http::Request::post(format!("{url}/complete"))
            .header("content-type", "application/x-www-form-urlencoded")
    } else {
        http::Request::get(url)
    };
    let request = request.body(Bytes::new()).unwrap();
    let answer = client.call(request, Reach::Configured, Duration::from_secs(10)).await.unwrap();
    let location = answer.headers().get("location").and_then(|to| to.to_str().ok());
    (answer.status().as_u16(), location.unwrap_or_default().to_owned())
}

/// Presses the button on the page, and follows the return.
async fn pays(url: &str) {
    assert_eq!(visits(url, false).await.0, 200);
    assert_eq!(visits(url, true).await, (302, "https://pay.example.com/c/page?done=1".to_owned()));
}

#[tokio::test]
async fn any_fault_ends_as_one_reported_payment() {
    for keeping in [false, true] {
        for call in [Call::Session, Call::SessionRead] {
            for fault in FAULTS {
                let fixture = fixture(keeping).await;
                fixture.proxy.plan(call, fault);
                let what = format!("{fault:?} at {call:?}");
                let reference = match fixture.create().await {
                    Ok(reference) => reference,
                    Err(answer) => {
                        assert_eq!(
                            (call, fault),
                            (Call::Session, ProxyFault::FailedAfter),
                            "{what}"
                        );
                        assert_eq!(
                            answer,
                            OperationResult::Invalid { code: "processor_error" },
                            "{what}"
                        );
                        assert_eq!(fixture.acts().await, 0, "{what}");
                        continue;
                    }
                };
                let page = redirect(&fixture, &reference).await;
                assert_eq!(fixture.acts().await, 0, "{what}");
                fixture.proxy.plan(Call::SessionRead, fault);
                pays(&page).await;
                let answer = fixture.settle(&reference).await;
                assert!(fixture.proxy.is_played(), "{what} never happened");
                assert!(is_done(&answer), "{what}: {answer:?}");
                fixture.assert_reported_truly(&answer, &what).await;
                // Paying again charges nothing.
                visits(&page, true).await;
                assert!(is_done(&fixture.void(&reference).await), "{what}");
                assert_eq!(fixture.acts().await, 1, "{what}");
            }
        }
    }
}

#[tokio::test]
async fn any_fault_at_void_closes_page_or_finds_payment() {
    for call in [Call::SessionExpire, Call::SessionRead] {
        for fault in FAULTS {
            for paid in [false, true] {
                let fixture = fixture(false).await;
                let reference = fixture.create().await.unwrap();
                let page = redirect(&fixture, &reference).await;
                if paid {
                    pays(&page).await;
                }
                fixture.proxy.plan(call, fault);
                let answer = fixture.void(&reference).await;
                let what = format!("{fault:?} at {call:?}, paid {paid}");
                assert_eq!(answer == OperationResult::Voided, !paid, "{what}: {answer:?}");
                assert_eq!(is_done(&answer), paid, "{what}: {answer:?}");
                // A customer whose page was still open is too late.
                visits(&page, true).await;
                assert_eq!(fixture.charges().await, usize::from(paid), "{what}");
                let late = fixture.settle(&reference).await;
                assert_eq!(is_done(&late), paid, "{what}, then {late:?}");
            }
        }
    }
}

#[tokio::test]
async fn late_call_closing_the_page_finds_the_payment() {
    let fixture = fixture(false).await;
    let reference = fixture.create().await.unwrap();
    let page = redirect(&fixture, &reference).await;
    fixture.proxy.plan(Call::SessionExpire, ProxyFault::Late);
    let attempt = fixture.attempt(4250, 1);
    let answer = fixture.processor.void(&attempt, &reference).await;
    // The page is still open.
    assert_eq!(answer, VoidResult::Unknown);
    pays(&page).await;
    fixture.proxy.release().await;
    assert!(is_done(&fixture.void(&reference).await));
    assert_eq!(fixture.charges().await, 1);
}

#[tokio::test]
async fn payment_is_reported_by_its_refundable_id() {
    let fixture = fixture(false).await;
    let reference = fixture.create().await.unwrap();
    assert_eq!(fixture.create().await.unwrap(), reference);
    pays(&redirect(&fixture, &reference).await).await;
    let OperationResult::Done(Fulfillment::Payment(receipt)) = fixture.settle(&reference).await
    else {
        panic!()
    };
    assert!(receipt.reference.0.starts_with("pi_"), "{receipt:?}");
    assert_eq!((receipt.amount, receipt.currency.as_str()), (4250, "EUR"));
}
