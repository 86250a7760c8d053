//! A saved card, charged when its customer approves again.

use domain::authorization::{Credential, CredentialKind};
use ports::contract_tests::processor::OperationResult;
use ports::{AttemptContext, Confirmed, Created, DetachResult, Fulfillment, Retrieved};
use tests::proxy::{Call, ProxyFault};

use super::{FAULTS, Fixture, is_done, yes};

async fn with_card(id: &str) -> Fixture {
    Fixture::with_card(id).await.that_keeps()
}

#[tokio::test]
async fn any_fault_ends_as_one_saved_and_reported_card() {
    for call in [
        Call::Token,
        Call::PaymentMethod,
        Call::Customer,
        Call::SetupCreate,
        Call::SetupConfirm,
        Call::SetupRead,
    ] {
        for fault in FAULTS {
            let fixture = Fixture::with_apple_pay().await.that_keeps();
            fixture.proxy.plan(call, fault);
            if call == Call::SetupRead {
                fixture.proxy.plan(Call::SetupConfirm, ProxyFault::DropAfter);
            }
            let answer = fixture.run().await;
            let what = format!("{fault:?} at {call:?}");
            assert!(fixture.proxy.is_played(), "{what} never happened");
            fixture.assert_reported_truly(&answer, &what).await;
            let ended = fault == ProxyFault::FailedAfter
                && !matches!(call, Call::SetupConfirm | Call::SetupRead);
            if ended {
                assert_eq!(answer, OperationResult::Invalid { code: "processor_error" }, "{what}");
            } else {
                assert!(is_done(&answer), "{what}: {answer:?}");
            }
        }
    }
}

#[tokio::test]
async fn any_fault_with_declined_card_saves_no_card() {
    for call in [Call::SetupCreate, Call::SetupConfirm, Call::SetupRead] {
        for fault in FAULTS {
            let fixture = with_card("pm_card_visa_chargeDeclined").await;
            fixture.proxy.plan(call, fault);
            if call == Call::SetupRead {
                fixture.proxy.plan(Call::SetupConfirm, ProxyFault::DropAfter);
            }
            let answer = fixture.run().await;
            let what = format!("{fault:?} at {call:?}");
            fixture.assert_reported_truly(&answer, &what).await;
            let ended = fault == ProxyFault::FailedAfter && call == Call::SetupCreate;
            let expected = if ended {
                OperationResult::Invalid { code: "processor_error" }
            } else {
                OperationResult::SoftDeclined { code: "card_declined" }
            };
            assert_eq!(answer, expected, "{what}");
        }
    }
}

#[tokio::test]
async fn any_fault_at_void_ends_as_voided_or_earlier_card() {
    for call in [Call::SetupCancel, Call::SetupRead] {
        for fault in FAULTS {
            for kept in [false, true] {
                let fixture = with_card("pm_card_visa").await;
                let reference = fixture.create().await.unwrap();
                if kept {
                    assert!(is_done(&fixture.settle(&reference).await));
                }
                fixture.proxy.plan(call, fault);
                let answer = fixture.void(&reference).await;
                assert_eq!(
                    answer == OperationResult::Voided,
                    !kept,
                    "{fault:?} at {call:?}: {answer:?}"
                );
                fixture.assert_reported_truly(&answer, &format!("{fault:?} at {call:?}")).await;
                let late = fixture.settle(&reference).await;
                assert_eq!(is_done(&late), kept, "{fault:?} at {call:?}, then {late:?}");
                assert_eq!(fixture.acts().await, usize::from(kept));
            }
        }
    }
}

#[tokio::test]
async fn saving_call_after_void_saves_no_card() {
    let fixture = with_card("pm_card_visa").await;
    let reference = fixture.create().await.unwrap();
    fixture.proxy.plan(Call::SetupConfirm, ProxyFault::Late);
    let attempt = fixture.attempt(4250, 1);
    assert_eq!(fixture.processor.confirm(&attempt, &reference).await, Confirmed::Unknown);
    assert_eq!(fixture.processor.retrieve(&attempt, &reference).await, Retrieved::NotConfirmed);
    assert_eq!(fixture.void(&reference).await, OperationResult::Voided);
    fixture.proxy.release().await;
    assert_eq!(fixture.acts().await, 0);
    assert_eq!(fixture.processor.retrieve(&attempt, &reference).await, Retrieved::Voided);
}

/// Returns a card that was saved just now.
async fn kept() -> (Fixture, Credential) {
    let fixture = with_card("pm_card_visa").await;
    let answer = fixture.run().await;
    let OperationResult::Done(Fulfillment::Card { receipt, saved: kept }) = answer else {
        panic!("{answer:?}")
    };
    assert_eq!(receipt.last4.as_deref(), Some("4242"));
    assert_eq!((receipt.exp_month, receipt.exp_year), (Some(12), Some(2030)));
    (fixture, kept)
}

#[tokio::test]
async fn saved_card_is_charged_once_despite_any_fault() {
    let (keeper, kept) = kept().await;
    assert_eq!(keeper.charges().await, 0);
    for fault in FAULTS {
        let fixture = Fixture::new(kept.clone().into()).await;
        fixture.proxy.plan(Call::Confirm, fault);
        let answer = fixture.run().await;
        assert!(is_done(&answer), "{fault:?}: {answer:?}");
        fixture.assert_reported_truly(&answer, &format!("{fault:?}")).await;
    }
}

#[tokio::test]
async fn saved_card_of_unknown_customer_is_not_charged() {
    let (_, kept) = kept().await;
    let text = secrecy::ExposeSecret::expose_secret(&kept.secret);
    let mut other: serde_json::Value = serde_json::from_str(text).unwrap();
    other["customer"] = serde_json::json!("cus_unknown");
    let fixture = Fixture::new(yes(CredentialKind::SavedCard, &other.to_string())).await;
    assert_eq!(fixture.run().await, OperationResult::Invalid { code: "resource_missing" });
    assert_eq!(fixture.charges().await, 0);
}

#[tokio::test]
async fn new_attempt_has_its_own_customer_and_setup() {
    let fixture = with_card("pm_card_visa_chargeDeclined").await;
    let first = fixture.create().await.unwrap();
    assert_eq!(
        fixture.settle(&first).await,
        OperationResult::SoftDeclined { code: "card_declined" }
    );
    let visa = yes(CredentialKind::PaymentMethod, "pm_card_visa");
    let attempt = AttemptContext { authorization: &visa, ..fixture.attempt(4250, 2) };
    let Created::Ready(second) = fixture.processor.create(&attempt).await else { panic!() };
    assert_ne!(first, second);
    assert!(is_done(&fixture.processor.confirm(&attempt, &second).await.into()));
    assert_eq!(fixture.acts().await, 1);
}

#[tokio::test]
async fn any_fault_at_detach_ends_as_a_detached_card() {
    for fault in FAULTS {
        let (fixture, kept) = kept().await;
        fixture.proxy.plan(Call::Detach, fault);
        let mut result = fixture.processor.detach(&kept).await;
        assert!(fixture.proxy.is_played(), "{fault:?} never happened");
        for _ in 0..3 {
            if result == DetachResult::Again {
                result = fixture.processor.detach(&kept).await;
            }
        }
        assert_eq!(result, DetachResult::Detached, "{fault:?}");
        assert_eq!(fixture.processor.detach(&kept).await, DetachResult::Detached, "{fault:?}");
        // Stripe refuses to charge a detached card. localstripe charges it, so that refusal is not asked for here.
    }
}
