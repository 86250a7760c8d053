//! Payments against third-party stand-ins, behind a proxy that breaks each call in each way.

use domain::authorization::CredentialKind;
use ports::contract_tests::processor::OperationResult;
use ports::{AttemptContext, Confirmed, Created, Retrieved};
use tests::proxy::{Call, ProxyFault};

use super::{FAULTS, Fixture, is_done, yes};

const REFUSED: OperationResult = OperationResult::SoftDeclined { code: "card_declined" };

#[tokio::test]
async fn any_fault_ends_as_one_reported_charge() {
    for call in [Call::Token, Call::PaymentMethod, Call::Create, Call::Confirm, Call::Read] {
        for fault in FAULTS {
            let fixture = Fixture::with_apple_pay().await;
            fixture.proxy.plan(call, fault);
            if call == Call::Read {
                fixture.proxy.plan(Call::Confirm, ProxyFault::DropAfter);
            }
            let answer = fixture.run().await;
            let what = format!("{fault:?} at {call:?}");
            assert!(fixture.proxy.is_played(), "{what} never happened");
            fixture.assert_reported_truly(&answer, &what).await;
            // A failure that Stripe keeps before any money moves ends the attempt. No other fault does.
            let ended =
                fault == ProxyFault::FailedAfter && !matches!(call, Call::Confirm | Call::Read);
            if ended {
                assert_eq!(answer, OperationResult::Invalid { code: "processor_error" }, "{what}");
            } else {
                assert!(is_done(&answer), "{what}: {answer:?}");
            }
        }
    }
}

#[tokio::test]
async fn any_fault_with_declined_card_ends_as_decline() {
    for call in [Call::Create, Call::Confirm, Call::Read] {
        for fault in FAULTS {
            let fixture = Fixture::with_card("pm_card_chargeCustomerFail").await;
            fixture.proxy.plan(call, fault);
            if call == Call::Read {
                fixture.proxy.plan(Call::Confirm, ProxyFault::DropAfter);
            }
            let answer = fixture.run().await;
            let what = format!("{fault:?} at {call:?}");
            fixture.assert_reported_truly(&answer, &what).await;
            let ended = fault == ProxyFault::FailedAfter && call == Call::Create;
            let expected =
                if ended { OperationResult::Invalid { code: "processor_error" } } else { REFUSED };
            assert_eq!(answer, expected, "{what}");
        }
    }
}

#[tokio::test]
async fn any_fault_at_void_ends_as_voided_or_earlier_charge() {
    for call in [Call::Cancel, Call::Read] {
        for fault in FAULTS {
            for charged in [false, true] {
                let fixture = Fixture::with_card("pm_card_visa").await;
                let reference = fixture.create().await.unwrap();
                if charged {
                    assert!(is_done(&fixture.settle(&reference).await));
                }
                fixture.proxy.plan(call, fault);
                let answer = fixture.void(&reference).await;
                assert_eq!(
                    answer == OperationResult::Voided,
                    !charged,
                    "{fault:?} at {call:?}: {answer:?}"
                );
                fixture.assert_reported_truly(&answer, &format!("{fault:?} at {call:?}")).await;
                let late = fixture.settle(&reference).await;
                assert_eq!(is_done(&late), charged, "{fault:?} at {call:?}, then {late:?}");
                assert_eq!(fixture.charges().await, usize::from(charged));
            }
        }
    }
}

#[tokio::test]
async fn money_call_after_void_moves_nothing() {
    let fixture = Fixture::with_card("pm_card_visa").await;
    let reference = fixture.create().await.unwrap();
    fixture.proxy.plan(Call::Confirm, ProxyFault::Late);
    let charge = fixture.attempt(4250, 1);
    assert_eq!(fixture.processor.confirm(&charge, &reference).await, Confirmed::Unknown);
    assert_eq!(fixture.processor.retrieve(&charge, &reference).await, Retrieved::NotConfirmed);
    assert_eq!(fixture.processor.confirm(&charge, &reference).await, Confirmed::Processing);
    assert_eq!(fixture.void(&reference).await, OperationResult::Voided);
    fixture.proxy.release().await;
    assert_eq!(fixture.charges().await, 0);
    assert_eq!(fixture.processor.retrieve(&charge, &reference).await, Retrieved::Voided);
}

#[tokio::test]
async fn money_call_before_void_is_found() {
    let fixture = Fixture::with_card("pm_card_visa").await;
    let reference = fixture.create().await.unwrap();
    fixture.proxy.plan(Call::Confirm, ProxyFault::Late);
    let charge = fixture.attempt(4250, 1);
    assert_eq!(fixture.processor.confirm(&charge, &reference).await, Confirmed::Unknown);
    fixture.proxy.release().await;
    assert!(is_done(&fixture.void(&reference).await));
    assert_eq!(fixture.charges().await, 1);
}

#[tokio::test]
async fn simultaneous_workers_charge_once() {
    let fixture = Fixture::with_card("pm_card_visa").await;
    let reference = fixture.create().await.unwrap();
    let settle = || fixture.settle(&reference);
    let answers = tokio::join!(settle(), settle(), settle(), settle());
    for answer in [answers.0, answers.1, answers.2, answers.3] {
        assert!(is_done(&answer), "{answer:?}");
    }
    assert_eq!(fixture.charges().await, 1);
}

#[tokio::test]
async fn same_key_with_another_amount_charges_nothing() {
    let fixture = Fixture::with_card("pm_card_visa").await;
    fixture.create().await.unwrap();
    let other = fixture.processor.create(&fixture.attempt(9900, 1)).await;
    assert_eq!(other, Created::Invalid { code: "idempotency_key_reused" });
    assert_eq!(fixture.charges().await, 0);
}

#[tokio::test]
async fn new_attempt_after_decline_is_a_new_object() {
    let fixture = Fixture::with_card("pm_card_chargeCustomerFail").await;
    let first = fixture.create().await.unwrap();
    assert_eq!(fixture.settle(&first).await, REFUSED);
    let visa = yes(CredentialKind::PaymentMethod, "pm_card_visa");
    let charge = AttemptContext { authorization: &visa, ..fixture.attempt(4250, 2) };
    let Created::Ready(second) = fixture.processor.create(&charge).await else { panic!() };
    assert_ne!(first, second);
    assert!(is_done(&fixture.processor.confirm(&charge, &second).await.into()));
    assert_eq!(fixture.charges().await, 1);
}
