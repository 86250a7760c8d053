//! Refunds through a proxy that breaks each call in each way: made once, and reported truly.

use domain::processor_result::Reference;
use domain::values::money::Money;
use ports::{Refund, RefundResult};
use tests::proxy::{Call, ProxyFault};

use super::{FAULTS, Fixture, is_done};

/// Returns a fixture that has charged, and the charge's reference.
async fn charged() -> (Fixture, Reference) {
    let fixture = Fixture::with_card("pm_card_visa").await;
    let reference = fixture.create().await.unwrap();
    assert!(is_done(&fixture.settle(&reference).await));
    (fixture, reference)
}

async fn refund(
    fixture: &Fixture,
    charge: &Reference,
    amount: u64,
    seq: u32,
    again: bool,
) -> RefundResult {
    let refund = Refund {
        request: fixture.attempt(4250, 1).request,
        seq,
        charge,
        money: Money::new(amount, "EUR".parse().unwrap()).unwrap(),
        again,
        reported: None,
    };
    fixture.processor.refund(&refund).await
}

/// Repeats the worker's step until the port's answer is final.
async fn settle(fixture: &Fixture, charge: &Reference, amount: u64, seq: u32) -> RefundResult {
    let mut refunded = refund(fixture, charge, amount, seq, false).await;
    for _ in 0..6 {
        if !matches!(refunded, RefundResult::Again | RefundResult::Unknown) {
            break;
        }
        refunded = refund(fixture, charge, amount, seq, true).await;
    }
    refunded
}

#[tokio::test]
async fn any_fault_refunds_once() {
    for call in [Call::Refund, Call::Refunds] {
        for fault in FAULTS {
            let (fixture, charge) = charged().await;
            fixture.proxy.plan(call, fault);
            if call == Call::Refunds {
                fixture.proxy.plan(Call::Refund, ProxyFault::DropAfter);
            }
            let what = format!("{fault:?} at {call:?}");
            let refunded = settle(&fixture, &charge, 1000, 1).await;
            assert!(fixture.proxy.is_played(), "{what} never happened");
            let RefundResult::Done(reference) = refunded else { panic!("{what}: {refunded:?}") };
            assert_eq!(fixture.proxy.refunds().await.unwrap(), (1000, 1), "{what}");
            for again in [false, true] {
                let repeated = refund(&fixture, &charge, 1000, 1, again).await;
                // Stripe repeats a failure while it knows the key. The label finds the refund after that.
                let kept = call == Call::Refund && fault == ProxyFault::FailedAfter && !again;
                let expected = if kept {
                    RefundResult::Unknown
                } else {
                    RefundResult::Done(reference.clone())
                };
                assert_eq!(repeated, expected, "{what}");
            }
            assert_eq!(fixture.proxy.refunds().await.unwrap(), (1000, 1), "{what}");
            assert!(
                matches!(settle(&fixture, &charge, 250, 2).await, RefundResult::Done(_)),
                "{what}"
            );
            assert_eq!(fixture.proxy.refunds().await.unwrap(), (1250, 2), "{what}");
        }
    }
}

#[tokio::test]
async fn refund_made_is_found_after_its_key_expired() {
    let (fixture, charge) = charged().await;
    for seq in 1..=5 {
        assert!(matches!(settle(&fixture, &charge, 100, seq).await, RefundResult::Done(_)));
    }
    fixture.proxy.forgets_keys();
    for seq in 1..=5 {
        let found = refund(&fixture, &charge, 100, seq, true).await;
        assert!(matches!(found, RefundResult::Done(_)), "{found:?}");
    }
    assert_eq!(fixture.proxy.refunds().await.unwrap(), (500, 5));
}

#[tokio::test]
async fn simultaneous_workers_refund_once() {
    let (fixture, charge) = charged().await;
    let one = || settle(&fixture, &charge, 1000, 1);
    let answers = tokio::join!(one(), one(), one(), one());
    for answer in [answers.0, answers.1, answers.2, answers.3] {
        assert!(matches!(answer, RefundResult::Done(_)), "{answer:?}");
    }
    assert_eq!(fixture.proxy.refunds().await.unwrap(), (1000, 1));
}

#[tokio::test]
async fn uncharged_payment_is_not_refunded() {
    let fixture = Fixture::with_card("pm_card_chargeCustomerFail").await;
    let reference = fixture.create().await.unwrap();
    fixture.settle(&reference).await;
    let refunded = refund(&fixture, &reference, 1000, 1, false).await;
    assert!(matches!(refunded, RefundResult::Failed { .. }), "{refunded:?}");
    let missing = Reference("pi_missing".to_owned());
    let refunded = refund(&fixture, &missing, 1000, 1, false).await;
    assert_eq!(refunded, RefundResult::Failed { code: "charge_missing" });
}
