//! The sandbox processor: its amounts and test cards, and its ledger under faults.

use std::time::Duration;

use crate::doubles::{Doubles, WriteFault, attempt, charge, payment, payment_method, save_card};
use domain::brand::Mode;
use domain::processor_result::Reference;
use pollster::block_on;
use ports::contract_tests::processor::OperationResult;
use ports::{CARD_NOT_KEPT, Created, DetachResult, Fulfillment, PaymentOption, Processor};
use serde_json::json;

struct SandboxFixture {
    doubles: Doubles,
    processor: Box<dyn Processor>,
}

impl SandboxFixture {
    fn new() -> Self {
        let doubles = Doubles::default();
        let processor = doubles.open(Mode::Test, "sandbox", &json!({})).ok().unwrap();
        Self { doubles, processor }
    }

    fn create(&self, card: &str, amount: u64, attempt_no: u32) -> Created {
        let card = payment_method(card);
        block_on(self.processor.create(&charge(&card, amount, attempt_no)))
    }

    fn ready(&self, card: &str, amount: u64, attempt_no: u32) -> Reference {
        let Created::Ready(reference) = self.create(card, amount, attempt_no) else { panic!() };
        reference
    }

    fn confirm(&self, reference: &Reference, attempt_no: u32) -> OperationResult {
        let card = payment_method("pm_card_visa");
        block_on(self.processor.confirm(&charge(&card, 1, attempt_no), reference)).into()
    }

    fn retrieve(&self, reference: &Reference) -> OperationResult {
        let card = payment_method("pm_card_visa");
        block_on(self.processor.retrieve(&charge(&card, 1, 1), reference)).into()
    }

    fn void(&self, reference: &Reference) -> OperationResult {
        let card = payment_method("pm_card_visa");
        block_on(self.processor.void(&charge(&card, 1, 1), reference)).into()
    }

    fn run(&self, card: &str, amount: u64, attempt_no: u32) -> OperationResult {
        self.confirm(&self.ready(card, amount, attempt_no), attempt_no)
    }

    fn charges(&self) -> u32 {
        let request = "req_01J00000000000000000000000".parse().unwrap();
        let clock = self.doubles.deps().clock;
        block_on(::sandbox::charges(crate::store(&self.doubles), clock, request, 5)).unwrap()
    }
}

fn is_done(answer: &OperationResult, amount: u64) -> bool {
    matches!(answer, OperationResult::Done(Fulfillment::Payment(receipt)) if receipt.amount == amount && receipt.currency == "EUR")
}

#[test]
fn ordinary_amount_is_charged_once_with_its_card_on_the_receipt() {
    let fixture = SandboxFixture::new();
    assert_eq!(
        fixture.processor.payment_options(&payment(4250)),
        [PaymentOption::TestCard, PaymentOption::Hosted]
    );
    let OperationResult::Done(Fulfillment::Payment(receipt)) = fixture.run("pm_card_visa", 4250, 1)
    else {
        panic!()
    };
    assert!(receipt.reference.0.starts_with("pi_"));
    assert_eq!((receipt.amount, receipt.currency.as_str()), (4250, "EUR"));
    assert_eq!(
        (receipt.card_brand.as_deref(), receipt.last4.as_deref()),
        (Some("visa"), Some("4242"))
    );
    assert_eq!((receipt.method.as_str(), receipt.wallet), ("card", None));
    assert_eq!(fixture.charges(), 1);
}

#[test]
fn create_moves_no_money() {
    let fixture = SandboxFixture::new();
    let reference = fixture.ready("pm_card_visa", 4250, 1);
    assert_eq!(fixture.retrieve(&reference), OperationResult::NotConfirmed);
    assert_eq!(fixture.charges(), 0);
}

#[test]
fn amount_02_is_refused_once_then_approved() {
    let fixture = SandboxFixture::new();
    let refused = OperationResult::SoftDeclined { code: "insufficient_funds" };
    let reference = fixture.ready("pm_card_visa", 4202, 1);
    assert_eq!(fixture.confirm(&reference, 1), refused);
    assert_eq!(fixture.confirm(&reference, 1), refused);
    assert_eq!(fixture.retrieve(&reference), refused);
    assert_eq!(fixture.charges(), 0);
    assert!(is_done(&fixture.run("pm_card_visa", 4202, 2), 4202));
    assert_eq!(fixture.charges(), 1);
}

#[test]
fn amount_03_is_declined_without_a_reason() {
    let fixture = SandboxFixture::new();
    for attempt_no in 1..=3 {
        let declined = OperationResult::HardDeclined { code: "card_declined" };
        assert_eq!(fixture.run("pm_card_visa", 4203, attempt_no), declined);
    }
    assert_eq!(fixture.charges(), 0);
}

#[test]
fn amount_04_is_approved_after_three_seconds() {
    let fixture = SandboxFixture::new();
    let reference = fixture.ready("pm_card_visa", 4204, 1);
    assert_eq!(fixture.confirm(&reference, 1), OperationResult::Processing);
    assert_eq!(fixture.retrieve(&reference), OperationResult::Processing);
    assert_eq!(fixture.void(&reference), OperationResult::Processing);
    fixture.doubles.clock.pass(Duration::from_millis(2_999));
    assert_eq!(fixture.retrieve(&reference), OperationResult::Processing);
    fixture.doubles.clock.pass(Duration::from_millis(1));
    assert!(is_done(&fixture.retrieve(&reference), 4204));
    assert!(is_done(&fixture.void(&reference), 4204));
    assert_eq!(fixture.charges(), 1);
}

#[test]
fn amount_05_charges_and_is_unknown_until_looked_up() {
    let fixture = SandboxFixture::new();
    let reference = fixture.ready("pm_card_visa", 4205, 1);
    assert_eq!(fixture.confirm(&reference, 1), OperationResult::Unknown);
    assert!(is_done(&fixture.retrieve(&reference), 4205));
    assert!(is_done(&fixture.confirm(&reference, 1), 4205));
    assert!(is_done(&fixture.void(&reference), 4205));
    assert_eq!(fixture.charges(), 1);
}

#[test]
fn test_cards_have_the_results_of_stripe() {
    let refused = |code| OperationResult::SoftDeclined { code };
    for (card, answer) in [
        ("pm_card_chargeDeclined", refused("card_declined")),
        ("pm_card_visa_chargeDeclined", refused("card_declined")),
        ("pm_card_chargeCustomerFail", refused("card_declined")),
        ("pm_card_chargeDeclinedInsufficientFunds", refused("insufficient_funds")),
        ("pm_card_chargeDeclinedExpiredCard", refused("expired_card")),
        ("pm_card_chargeDeclinedIncorrectCvc", refused("card_data_incorrect")),
        ("pm_card_chargeDeclinedProcessingError", refused("try_again_later")),
        (
            "pm_card_visa_chargeDeclinedLostCard",
            OperationResult::HardDeclined { code: "card_declined" },
        ),
        (
            "pm_card_chargeDeclinedStolenCard",
            OperationResult::HardDeclined { code: "card_declined" },
        ),
        (
            "pm_card_visa_chargeDeclinedFraudulent",
            OperationResult::HardDeclined { code: "card_declined" },
        ),
    ] {
        let fixture = SandboxFixture::new();
        let reference = fixture.ready(card, 4250, 1);
        assert_eq!(fixture.confirm(&reference, 1), answer, "{card}");
        assert_eq!(fixture.retrieve(&reference), answer, "{card}");
        assert_eq!(fixture.void(&reference), OperationResult::Voided, "{card}");
        assert_eq!(fixture.charges(), 0);
    }
    assert!(is_done(&SandboxFixture::new().run("pm_card_mastercard", 4250, 1), 4250));
}

#[test]
fn unknown_card_is_an_invalid_attempt() {
    let missing = Created::Invalid { code: "resource_missing" };
    assert_eq!(SandboxFixture::new().create("pm_1NotOurs", 4250, 1), missing);
    let malformed = Created::Invalid { code: "authorization_malformed" };
    assert_eq!(SandboxFixture::new().create("4242424242424242", 4250, 1), malformed);
}

#[test]
fn voided_payment_never_charges() {
    let fixture = SandboxFixture::new();
    let reference = fixture.ready("pm_card_visa", 4250, 1);
    assert_eq!(fixture.void(&reference), OperationResult::Voided);
    assert_eq!(fixture.void(&reference), OperationResult::Voided);
    assert_eq!(fixture.confirm(&reference, 1), OperationResult::Unknown);
    assert_eq!(fixture.retrieve(&reference), OperationResult::Voided);
    assert_eq!(fixture.charges(), 0);
}

#[test]
fn void_after_the_charge_returns_done() {
    let fixture = SandboxFixture::new();
    let reference = fixture.ready("pm_card_visa", 4250, 1);
    assert!(is_done(&fixture.confirm(&reference, 1), 4250));
    assert!(is_done(&fixture.void(&reference), 4250));
}

#[test]
fn charge_under_write_faults_happens_at_most_once() {
    let faults = [
        None,
        Some(WriteFault::LostBefore),
        Some(WriteFault::LostAfter),
        Some(WriteFault::Conflict),
    ];
    for create in faults {
        for confirm in faults {
            let fixture = SandboxFixture::new();
            fixture.doubles.store.faults.lock().unwrap().push_back(create);
            let created = fixture.create("pm_card_visa", 4250, 1);
            assert!(matches!(created, Created::Ready(_) | Created::Again), "{created:?}");
            let reference = fixture.ready("pm_card_visa", 4250, 1);
            fixture.doubles.store.faults.lock().unwrap().clear();
            fixture.doubles.store.faults.lock().unwrap().push_back(confirm);
            let answer = fixture.confirm(&reference, 1);
            let settled = if is_done(&answer, 4250) {
                answer
            } else {
                assert_eq!(answer, OperationResult::Unknown);
                fixture.retrieve(&reference)
            };
            assert_eq!(fixture.charges(), u32::from(is_done(&settled, 4250)), "{settled:?}");
            assert!(is_done(&fixture.confirm(&reference, 1), 4250));
            assert_eq!(fixture.charges(), 1);
        }
    }
}

#[test]
fn reused_key_with_another_body_is_blocked() {
    let fixture = SandboxFixture::new();
    assert!(is_done(&fixture.run("pm_card_visa", 4250, 1), 4250));
    let reused = Created::Invalid { code: "idempotency_key_reused" };
    assert_eq!(fixture.create("pm_card_visa", 9900, 1), reused);
    assert_eq!(fixture.charges(), 1);
}

#[test]
fn ledger_forgets_a_payment_after_a_day() {
    let fixture = SandboxFixture::new();
    let reference = fixture.ready("pm_card_visa", 4250, 1);
    let key = ::sandbox::key(&reference.0);
    let item = fixture.doubles.store.items.lock().unwrap().get(&key).cloned().unwrap();
    assert!(item.expires_at.is_some());
    fixture.doubles.clock.pass(Duration::from_secs(86_400));
    assert_eq!(fixture.retrieve(&reference), OperationResult::Unknown);
    assert_eq!(fixture.ready("pm_card_visa", 4250, 1), reference);
    assert_eq!(fixture.retrieve(&reference), OperationResult::NotConfirmed);
}

#[test]
fn sandbox_in_live_mode_or_with_unknown_settings_is_refused() {
    assert!(Doubles::default().open(Mode::Live, "sandbox", &json!({})).is_err());
    assert!(Doubles::default().open(Mode::Test, "sandbox", &json!({ "x": 1 })).is_err());
}

#[test]
fn repeated_charge_is_one_object_and_one_charge() {
    let doubles = Doubles::default();
    let processor = doubles.open(Mode::Test, "sandbox", &json!({})).ok().unwrap();
    let visa = payment_method("pm_card_visa");
    let charge = charge(&visa, 4250, 1);
    let Created::Ready(reference) = block_on(processor.create(&charge)) else { panic!() };
    let first = block_on(processor.confirm(&charge, &reference));
    let items = doubles.store.items.lock().unwrap().clone();
    assert_eq!(block_on(processor.create(&charge)), Created::Ready(reference.clone()));
    assert_eq!(block_on(processor.confirm(&charge, &reference)), first);
    assert_eq!(*doubles.store.items.lock().unwrap(), items);
}

#[test]
fn detached_card_is_charged_no_more() {
    let fixture = SandboxFixture::new();
    let card = payment_method("pm_card_visa");
    let keeping = attempt(save_card(), &card, 1);
    let Created::Ready(setup) = block_on(fixture.processor.create(&keeping)) else { panic!() };
    let kept: OperationResult = block_on(fixture.processor.confirm(&keeping, &setup)).into();
    let OperationResult::Done(Fulfillment::Card { saved, .. }) = kept else { panic!("{kept:?}") };

    for fault in [Some(WriteFault::LostBefore), Some(WriteFault::LostAfter), None, None] {
        fixture.doubles.store.faults.lock().unwrap().push_back(fault);
        let expected = if fault.is_some() { DetachResult::Again } else { DetachResult::Detached };
        let (before, later) = (block_on(fixture.processor.detach(&saved)), fault);
        // The second try after a lost write finds the card detached, and reads it.
        if later != Some(WriteFault::LostAfter) {
            assert_eq!(before, expected);
        }
        fixture.doubles.store.faults.lock().unwrap().clear();
    }
    let saved = saved.into();
    let again = charge(&saved, 4250, 2);
    let refused = block_on(fixture.processor.create(&again));
    assert!(
        matches!(refused, Created::Invalid { .. } | Created::SoftDeclined { code: CARD_NOT_KEPT }),
        "{refused:?}"
    );
}
