//! Customers on the sandbox's pages, who pay, save a card, or confirm their identity at the bank.

use std::time::Duration;

use ::sandbox::{Books, SandboxPage, SandboxVisit};
use domain::ask::Ask;
use domain::authorization::{Authorization, Credential, CredentialKind};
use domain::brand::Mode;
use domain::processor_result::Reference;
use domain::values::id::CardId;
use domain::values::time::Timestamp;
use pollster::block_on;
use ports::contract_tests::processor::OperationResult;
use ports::{Created, Fulfillment, PaymentOption, Processor, RedirectUrl, Refund, RefundResult};
use serde_json::json;

use crate::doubles::{Doubles, REQUEST, attempt, hosted, payment, payment_method, save_card};

/// A processor, one attempt at an ask, and its customer.
struct PageFixture {
    doubles: Doubles,
    processor: Box<dyn Processor>,
    ask: Ask,
    authorization: Authorization,
}

impl PageFixture {
    fn new(ask: Ask, authorization: Authorization) -> Self {
        let doubles = Doubles::default();
        let processor = doubles.open(Mode::Test, "sandbox", &json!({})).ok().unwrap();
        Self { doubles, processor, ask, authorization }
    }

    fn created(&self, attempt_no: u32) -> Reference {
        let what = attempt(self.ask.clone(), &self.authorization, attempt_no);
        let Created::Ready(reference) = block_on(self.processor.create(&what)) else { panic!() };
        reference
    }

    fn confirm(&self, reference: &Reference) -> OperationResult {
        let what = attempt(self.ask.clone(), &self.authorization, 1);
        block_on(self.processor.confirm(&what, reference)).into()
    }

    fn retrieve(&self, reference: &Reference) -> OperationResult {
        let what = attempt(self.ask.clone(), &self.authorization, 1);
        block_on(self.processor.retrieve(&what, reference)).into()
    }

    fn void(&self, reference: &Reference) -> OperationResult {
        let what = attempt(self.ask.clone(), &self.authorization, 1);
        block_on(self.processor.void(&what, reference)).into()
    }

    /// Returns the address to which the customer is redirected.
    fn page(&self, reference: &Reference) -> String {
        let answer = self.confirm(reference);
        let OperationResult::RequiresAction { redirect: Some(RedirectUrl(url)) } = answer else {
            panic!("{answer:?}")
        };
        url
    }

    /// Visits a page as the customer, with a form or without.
    fn visits(&self, url: &str, form: Option<&str>) -> Option<SandboxPage> {
        let id = url.rsplit('/').next().unwrap_or_default();
        let visit = SandboxVisit { id, form: form.map(str::as_bytes), branding: None };
        block_on(crate::sandbox_of(&self.doubles).page(&visit)).ok().flatten()
    }

    fn shown(&self, url: &str, form: Option<&str>) -> String {
        match self.visits(url, form) {
            Some(SandboxPage::Html { html, policy }) => {
                assert!(policy.starts_with("default-src 'none'"));
                html
            }
            other => panic!("{other:?}"),
        }
    }

    fn sent(&self, url: &str, form: Option<&str>) -> String {
        match self.visits(url, form) {
            Some(SandboxPage::Redirect(back)) => back,
            other => panic!("{other:?}"),
        }
    }

    fn books(&self) -> Books {
        let (store, clock) = (crate::store(&self.doubles), self.doubles.deps().clock);
        block_on(::sandbox::books(store, clock, REQUEST.parse().unwrap(), 5)).unwrap()
    }

    fn refund(&self, charge: &Reference, amount: u64, seq: u32, again: bool) -> RefundResult {
        let refund = Refund {
            request: REQUEST.parse().unwrap(),
            seq,
            charge,
            money: payment(amount).money().unwrap(),
            again,
            reported: None,
        };
        block_on(self.processor.refund(&refund))
    }
}

const VISA: Option<&str> = Some("card=pm_card_visa");
const PAGE: &str = "https://pay.example.com/c/page";
/// The page to which a customer returns who finished.
const DONE: &str = "https://pay.example.com/c/page?done=1";

fn charged(answer: &OperationResult) -> Option<u64> {
    let OperationResult::Done(Fulfillment::Payment(receipt)) = answer else { return None };
    Some(receipt.amount)
}

#[test]
fn payment_on_the_page_redirects_back_and_charges_once() {
    let fixture = PageFixture::new(payment(4250), hosted());
    let session = fixture.created(1);
    assert!(session.0.starts_with("cs_test_"));
    assert_eq!(fixture.created(1), session);
    let page = fixture.page(&session);
    assert_eq!(page, format!("https://pay.example.com/sandbox/checkout/{}", session.0));
    assert_eq!(fixture.page(&session), page);
    let html = fixture.shown(&page, None);
    assert!(html.contains("42.50 EUR") && html.contains("Invoice 4711"), "{html}");
    assert!(html.contains(&format!("href=\"{PAGE}?back=1\"")), "{html}");
    assert_eq!(fixture.books(), Books::default());
    assert_eq!(fixture.sent(&page, VISA), DONE);
    // A repeated form, or a page that is opened again, changes nothing.
    assert_eq!(fixture.sent(&page, VISA), DONE);
    assert_eq!(fixture.sent(&page, None), DONE);
    let OperationResult::Done(Fulfillment::Payment(receipt)) = fixture.retrieve(&session) else {
        panic!()
    };
    assert!(receipt.reference.0.starts_with("pi_"));
    assert_eq!((receipt.amount, receipt.last4.as_deref()), (4250, Some("4242")));
    assert_eq!(charged(&fixture.confirm(&session)), Some(4250));
    assert_eq!(charged(&fixture.void(&session)), Some(4250));
    assert_eq!(fixture.books().charges, 1);
}

#[test]
fn closed_page_takes_no_money() {
    let fixture = PageFixture::new(payment(4250), hosted());
    let session = fixture.created(1);
    let page = fixture.page(&session);
    assert_eq!(fixture.void(&session), OperationResult::Voided);
    assert_eq!(fixture.void(&session), OperationResult::Voided);
    let html = fixture.shown(&page, VISA);
    assert!(html.contains("This page is closed") && !html.contains("<form"), "{html}");
    assert_eq!(fixture.retrieve(&session), OperationResult::Voided);
    assert_eq!(fixture.books(), Books::default());
}

#[test]
fn page_closes_by_itself_after_its_time() {
    let fixture = PageFixture::new(payment(4250), hosted());
    let session = fixture.created(1);
    fixture.doubles.clock.pass(Duration::from_secs(45 * 60 - 1));
    let page = fixture.page(&session);
    fixture.doubles.clock.pass(Duration::from_secs(1));
    assert!(fixture.shown(&page, VISA).contains("This page is closed"));
    assert_eq!(fixture.retrieve(&session), OperationResult::Voided);
    assert_eq!(fixture.void(&session), OperationResult::Voided);
}

#[test]
fn session_can_be_created_as_long_as_an_attempt_is_tried() {
    let fixture = PageFixture::new(payment(4250), hosted());
    fixture.doubles.clock.pass(Duration::from_secs(15 * 60));
    fixture.created(1);
    let late = PageFixture::new(payment(4250), hosted());
    late.doubles.clock.pass(Duration::from_secs(15 * 60 + 2));
    let what = attempt(late.ask.clone(), &late.authorization, 1);
    let refused = Created::Invalid { code: "parameter_invalid_integer" };
    assert_eq!(block_on(late.processor.create(&what)), refused);
}

#[test]
fn refused_card_on_the_page_can_be_replaced_there() {
    let fixture = PageFixture::new(payment(4250), hosted());
    let session = fixture.created(1);
    let page = fixture.page(&session);
    for bad in ["", "card=", "card=4242424242424242", "card=pm_1A", "other=1"] {
        assert!(fixture.shown(&page, Some(bad)).contains("<form"), "{bad}");
    }
    assert!(fixture.shown(&page, Some("card=pm_card_chargeDeclined")).contains("was refused"));
    assert_eq!(fixture.page(&session), page);
    assert_eq!(fixture.sent(&page, Some("card=pm_card_mastercard")), DONE);
    assert_eq!(charged(&fixture.retrieve(&session)), Some(4250));
    assert_eq!(fixture.books().charges, 1);
}

#[test]
fn amounts_on_the_page_have_their_usual_results() {
    let once = PageFixture::new(payment(4202), hosted());
    let session = once.created(1);
    let page = once.page(&session);
    assert!(once.shown(&page, VISA).contains("not enough money"));
    assert_eq!(once.sent(&page, VISA), DONE);

    let never = PageFixture::new(payment(4203), hosted());
    let session = never.created(1);
    let page = never.page(&session);
    for _ in 0..3 {
        assert!(never.shown(&page, VISA).contains("was refused"));
    }
    assert_eq!(never.books().charges, 0);

    let later = PageFixture::new(payment(4204), hosted());
    let session = later.created(1);
    assert_eq!(later.sent(&later.page(&session), VISA), DONE);
    assert_eq!(later.retrieve(&session), OperationResult::Processing);
    assert_eq!(later.void(&session), OperationResult::Processing);
    later.doubles.clock.pass(Duration::from_secs(3));
    assert_eq!(charged(&later.retrieve(&session)), Some(4204));
}

#[test]
fn identity_confirmed_at_the_bank_charges_once() {
    let fixture = PageFixture::new(payment(4250), payment_method("pm_card_authenticationRequired"));
    let intent = fixture.created(1);
    let page = fixture.page(&intent);
    assert_eq!(page, format!("https://pay.example.com/sandbox/checkout/{}", intent.0));
    // A repeat and a look-up return the same.
    assert_eq!(fixture.page(&intent), page);
    assert_eq!(fixture.retrieve(&intent), fixture.confirm(&intent));
    assert!(fixture.shown(&page, None).contains("42.50 EUR"));
    assert!(fixture.shown(&page, Some("is_me=maybe")).contains("<form"));
    assert_eq!(fixture.books().charges, 0);
    let back = fixture.sent(&page, Some("is_me=yes"));
    assert!(back.starts_with(&format!("{DONE}&payment_intent=pi_")), "{back}");
    assert_eq!(fixture.sent(&page, Some("is_me=no")), back);
    assert_eq!(charged(&fixture.retrieve(&intent)), Some(4250));
    assert_eq!(fixture.books().charges, 1);
}

#[test]
fn identity_denied_at_the_bank_charges_nothing() {
    for form in [Some("is_me=no"), None] {
        let fixture =
            PageFixture::new(payment(4250), payment_method("pm_card_authenticationRequired"));
        let intent = fixture.created(1);
        let page = fixture.page(&intent);
        if form.is_some() {
            fixture.sent(&page, form);
            assert_eq!(
                fixture.retrieve(&intent),
                OperationResult::RequiresAction { redirect: None }
            );
        }
        assert_eq!(fixture.void(&intent), OperationResult::Voided);
        fixture.sent(&page, Some("is_me=yes"));
        assert_eq!(fixture.retrieve(&intent), OperationResult::Voided);
        assert_eq!(fixture.books(), Books::default());
    }
}

#[test]
fn saved_card_is_charged_on_a_later_approval() {
    for (authorization, visits) in [(payment_method("pm_card_visa"), false), (hosted(), true)] {
        let fixture = PageFixture::new(save_card(), authorization);
        assert_eq!(
            fixture.processor.payment_options(&fixture.ask),
            [PaymentOption::TestCard, PaymentOption::Hosted]
        );
        let reference = fixture.created(1);
        assert_eq!(fixture.created(1), reference);
        if visits {
            let page = fixture.page(&reference);
            assert!(fixture.shown(&page, None).contains("Keep a card on file"));
            assert_eq!(fixture.sent(&page, VISA), DONE);
        }
        let OperationResult::Done(Fulfillment::Card { receipt, saved: kept }) =
            fixture.confirm(&reference)
        else {
            panic!()
        };
        assert!(receipt.reference.0.starts_with("seti_"));
        assert_eq!(receipt.last4.as_deref(), Some("4242"));
        let again = OperationResult::Done(Fulfillment::Card { receipt, saved: kept.clone() });
        assert_eq!(fixture.confirm(&reference), again);
        assert_eq!(fixture.retrieve(&reference), again);
        assert_eq!(fixture.void(&reference), again);
        assert_eq!(fixture.books(), Books { cards: 1, ..Books::default() });

        // Months later, in another request.
        assert_eq!(kept.kind, CredentialKind::SavedCard);
        let kept = Authorization::Credential(kept);
        fixture.doubles.clock.pass(Duration::from_secs(100 * 86_400));
        let card = CardId::new(Timestamp::EPOCH, [1; 10]);
        let Ask::Payment { money, description, .. } = payment(990) else { panic!() };
        let ask = Ask::Payment { money, description, card: Some(card) };
        assert_eq!(fixture.processor.payment_options(&ask), [PaymentOption::Nothing]);
        let what = attempt(ask, &kept, 1);
        let Created::Ready(intent) = block_on(fixture.processor.create(&what)) else { panic!() };
        let answer = block_on(fixture.processor.confirm(&what, &intent));
        assert_eq!(charged(&answer.clone().into()), Some(990), "{answer:?}");
        assert_eq!(fixture.books().charges, 1);
    }
}

#[test]
fn saved_card_of_another_customer_is_not_charged() {
    let fixture = PageFixture::new(save_card(), payment_method("pm_card_visa"));
    let reference = fixture.created(1);
    let OperationResult::Done(Fulfillment::Card { saved: kept, .. }) = fixture.confirm(&reference)
    else {
        panic!()
    };
    let text = secrecy::ExposeSecret::expose_secret(&kept.secret).to_owned();
    let mut mixed: serde_json::Value = serde_json::from_str(&text).unwrap();
    mixed["customer"] = json!("cus_of_another_customer");
    let mixed = Credential::new(kept.kind, mixed.to_string()).into();
    let created = block_on(fixture.processor.create(&attempt(payment(990), &mixed, 2)));
    assert_eq!(created, Created::Invalid { code: "resource_missing" });
}

#[test]
fn card_to_save_is_refused_or_authenticated_at_the_bank() {
    let refused = PageFixture::new(save_card(), payment_method("pm_card_chargeDeclined"));
    let setup = refused.created(1);
    let answer = OperationResult::SoftDeclined { code: "card_declined" };
    assert_eq!(refused.confirm(&setup), answer);
    assert_eq!(refused.confirm(&setup), answer);
    assert_eq!(refused.retrieve(&setup), answer);
    assert_eq!(refused.void(&setup), OperationResult::Voided);
    assert_eq!(refused.books(), Books::default());

    for (form, kept) in [("is_me=yes", 1), ("is_me=no", 0)] {
        let fixture =
            PageFixture::new(save_card(), payment_method("pm_card_authenticationRequired"));
        let setup = fixture.created(1);
        let back = fixture.sent(&fixture.page(&setup), Some(form));
        assert!(back.starts_with(&format!("{DONE}&setup_intent=seti_")), "{back}");
        let done =
            matches!(fixture.retrieve(&setup), OperationResult::Done(Fulfillment::Card { .. }));
        assert_eq!(u32::from(done), kept);
        assert_eq!(fixture.void(&setup) == OperationResult::Voided, kept == 0);
        assert_eq!(fixture.books().cards, kept);
    }
}

#[test]
fn refund_is_made_once_and_at_most_the_charge() {
    let fixture = PageFixture::new(payment(4250), hosted());
    let session = fixture.created(1);
    fixture.sent(&fixture.page(&session), VISA);
    let OperationResult::Done(Fulfillment::Payment(receipt)) = fixture.retrieve(&session) else {
        panic!()
    };
    let charge = receipt.reference;
    let RefundResult::Done(first) = fixture.refund(&charge, 1000, 1, false) else { panic!() };
    for again in [false, true] {
        assert_eq!(fixture.refund(&charge, 1000, 1, again), RefundResult::Done(first.clone()));
    }
    // After a day the key is forgotten, as at Stripe. The label in the metadata stays.
    assert_eq!(fixture.books().refunded, 1000);
    let too_much = RefundResult::Failed { code: "amount_too_large" };
    assert_eq!(fixture.refund(&charge, 3251, 2, false), too_much);
    assert!(matches!(fixture.refund(&charge, 3250, 2, false), RefundResult::Done(_)));
    assert_eq!(fixture.books().refunded, 4250);
    let nothing_left = RefundResult::Failed { code: "already_refunded" };
    assert_eq!(fixture.refund(&charge, 1, 3, false), nothing_left);
    let missing = Reference("pi_missing".to_owned());
    assert_eq!(fixture.refund(&missing, 1, 1, true), RefundResult::Unknown);
    assert_eq!(
        fixture.refund(&missing, 1, 1, false),
        RefundResult::Failed { code: "charge_missing" }
    );
}

#[test]
fn refund_can_be_pending_and_then_fail() {
    let fixture = PageFixture::new(payment(4250), payment_method("pm_card_visa"));
    let intent = fixture.created(1);
    fixture.confirm(&intent);
    let RefundResult::Pending(slow) = fixture.refund(&intent, 1006, 1, false) else { panic!() };
    let RefundResult::Pending(_) = fixture.refund(&intent, 1007, 2, false) else { panic!() };
    assert_eq!(fixture.books().refunded, 2013);
    fixture.doubles.clock.pass(Duration::from_secs(3));
    assert_eq!(fixture.refund(&intent, 1006, 1, true), RefundResult::Done(slow));
    let returned = RefundResult::Failed { code: "card_unavailable" };
    assert_eq!(fixture.refund(&intent, 1007, 2, true), returned);
    assert_eq!(fixture.books().refunded, 1006);
}

#[test]
fn page_of_an_unknown_object_is_absent() {
    let fixture = PageFixture::new(payment(4250), payment_method("pm_card_visa"));
    let intent = fixture.created(1);
    let base = "https://pay.example.com/sandbox/checkout/";
    for id in ["", "cs_test_x", "pi_x", "seti_x", "cus_x", &intent.0] {
        assert_eq!(fixture.visits(&format!("{base}{id}"), None), None, "{id}");
    }
}
