//! Money that goes back, through a proxy that breaks each call in each way: once, and told truly.

use domain::ports::{Reference, Refund, Refunded};
use domain::values::money::Money;
use tests::proxy::{Call, Fault};

use super::{FAULTS, Till, is_done};

/// A till that has charged, and what by.
async fn charged() -> (Till, Reference) {
    let till = Till::with_card("pm_card_visa").await;
    let reference = till.prepare().await.unwrap();
    assert!(is_done(&till.settle(&reference).await));
    (till, reference)
}

async fn refund(
    till: &Till,
    charge: &Reference,
    (amount, seq): (u64, u32),
    again: bool,
) -> Refunded {
    let refund = Refund {
        request: till.attempt(4250, 1).request,
        seq,
        charge,
        money: Money::new(amount, "EUR".parse().unwrap()).unwrap(),
        again,
        told: None,
    };
    till.processor.refund(&refund).await
}

/// Does as the worker does, until the port says something definite.
async fn settle(till: &Till, charge: &Reference, what: (u64, u32)) -> Refunded {
    let mut refunded = refund(till, charge, what, false).await;
    for _ in 0..6 {
        if !matches!(refunded, Refunded::Again | Refunded::Unknown) {
            break;
        }
        refunded = refund(till, charge, what, true).await;
    }
    refunded
}

#[tokio::test]
async fn any_fault_refunds_once() {
    for call in [Call::Refund, Call::Refunds] {
        for fault in FAULTS {
            let (till, charge) = charged().await;
            till.proxy.plan(call, fault);
            if call == Call::Refunds {
                till.proxy.plan(Call::Refund, Fault::DropAfter);
            }
            let what = format!("{fault:?} at {call:?}");
            let refunded = settle(&till, &charge, (1000, 1)).await;
            assert!(till.proxy.is_played(), "{what} never happened");
            let Refunded::Done(reference) = refunded else { panic!("{what}: {refunded:?}") };
            assert_eq!(till.proxy.refunds().await.unwrap(), (1000, 1), "{what}");
            for again in [false, true] {
                let repeated = refund(&till, &charge, (1000, 1), again).await;
                // A failure that Stripe keeps is told for as long as its key is known; what came of it is found by its label.
                let kept = call == Call::Refund && fault == Fault::FailedAfter && !again;
                let expected =
                    if kept { Refunded::Unknown } else { Refunded::Done(reference.clone()) };
                assert_eq!(repeated, expected, "{what}");
            }
            assert_eq!(till.proxy.refunds().await.unwrap(), (1000, 1), "{what}");
            assert!(matches!(settle(&till, &charge, (250, 2)).await, Refunded::Done(_)), "{what}");
            assert_eq!(till.proxy.refunds().await.unwrap(), (1250, 2), "{what}");
        }
    }
}

#[tokio::test]
async fn refund_made_is_found_after_its_key_expired() {
    let (till, charge) = charged().await;
    for seq in 1..=5 {
        assert!(matches!(settle(&till, &charge, (100, seq)).await, Refunded::Done(_)));
    }
    till.proxy.forgets_keys();
    for seq in 1..=5 {
        let found = refund(&till, &charge, (100, seq), true).await;
        assert!(matches!(found, Refunded::Done(_)), "{found:?}");
    }
    assert_eq!(till.proxy.refunds().await.unwrap(), (500, 5));
}

#[tokio::test]
async fn simultaneous_workers_refund_once() {
    let (till, charge) = charged().await;
    let one = || settle(&till, &charge, (1000, 1));
    let answers = tokio::join!(one(), one(), one(), one());
    for answer in [answers.0, answers.1, answers.2, answers.3] {
        assert!(matches!(answer, Refunded::Done(_)), "{answer:?}");
    }
    assert_eq!(till.proxy.refunds().await.unwrap(), (1000, 1));
}

#[tokio::test]
async fn uncharged_payment_is_not_refunded() {
    let till = Till::with_card("pm_card_chargeCustomerFail").await;
    let reference = till.prepare().await.unwrap();
    till.settle(&reference).await;
    let refunded = refund(&till, &reference, (1000, 1), false).await;
    assert!(matches!(refunded, Refunded::Failed { .. }), "{refunded:?}");
    let missing = Reference("pi_missing".to_owned());
    let refunded = refund(&till, &missing, (1000, 1), false).await;
    assert_eq!(refunded, Refunded::Failed { code: "charge_missing" });
}
