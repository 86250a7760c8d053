//! A saved card is taken off file, however often that is asked for.

use domain::authorization::Credential;
use ports::DetachResult;
use serde_json::json;

use super::refunding::played;
use super::*;

const DETACHES: &str = include_str!("../fixtures/detaches.json");
const DETACH: &str = "POST http://stripe/v1/payment_methods/pm_1C/detach ";
const READ: &str = "GET http://stripe/v1/payment_methods/pm_1C ";

fn saved(text: &str) -> Credential {
    Credential::new(CredentialKind::SavedCard, text)
}

fn card() -> Credential {
    saved(r#"{"customer":"cus_1C","payment_method":"pm_1C"}"#)
}

/// Returns what detaching a card comes to with these replies, and the calls that were made.
fn tried(card: &Credential, answers: Vec<(u16, Value)>) -> (DetachResult, Vec<String>) {
    played(answers, |stripe| pollster::block_on(stripe.detach(card)))
}

fn method(customer: &Value) -> Value {
    json!({ "id": "pm_1C", "object": "payment_method", "customer": customer })
}

/// Stripe's refusal to detach a card that is not attached has no code.
fn refused() -> (u16, Value) {
    (400, json!({ "error": { "type": "invalid_request_error" } }))
}

#[test]
fn detach_replies_have_the_referenced_meaning() {
    for case in cases(DETACHES) {
        let means = match methods::detached(&case.reply, "pm_1C") {
            None => "read".to_owned(),
            Some(DetachResult::Failed { code }) => format!("Failed {code}"),
            Some(DetachResult::Blocked { by }) => format!("Blocked {}", by.code()),
            Some(result @ (DetachResult::Detached | DetachResult::Again)) => format!("{result:?}"),
        };
        assert_eq!(means, case.means, "{}", case.name);
    }
}

#[test]
fn detach_of_a_detached_card_is_read_and_done() {
    let detached = method(&Value::Null);
    let (result, calls) = tried(&card(), vec![(200, detached.clone())]);
    assert_eq!((result, calls), (DetachResult::Detached, vec![DETACH.to_owned()]));
    let (result, calls) = tried(&card(), vec![refused(), (200, detached)]);
    assert_eq!((result, calls), (DetachResult::Detached, vec![DETACH.to_owned(), READ.to_owned()]));
    let missing = (404, json!({ "error": { "code": "resource_missing" } }));
    assert_eq!(tried(&card(), vec![refused(), missing]).0, DetachResult::Detached);
}

#[test]
fn detach_is_not_done_while_the_card_has_its_customer() {
    let kept = method(&json!("cus_1C"));
    let failed = DetachResult::Failed { code: "refused_by_processor" };
    assert_eq!(tried(&card(), vec![refused(), (200, kept)]).0, failed);
    assert_eq!(tried(&card(), vec![refused(), refused()]).0, DetachResult::Again);
    assert_eq!(tried(&card(), Vec::new()).0, DetachResult::Again, "no reply");
    assert_eq!(tried(&card(), vec![refused()]).0, DetachResult::Again, "no reply to the read");
}

#[test]
fn detach_of_a_malformed_card_makes_no_call() {
    for text in [
        "",
        "pm_1C",
        r#"{"customer":"cus_1C","payment_method":"pm_../x"}"#,
        r#"{"customer":"x","payment_method":"pm_1C"}"#,
    ] {
        let (result, calls) = tried(&saved(text), vec![(200, method(&Value::Null))]);
        assert_eq!(result, DetachResult::Failed { code: "card_malformed" }, "{text}");
        assert_eq!(calls, Vec::<String>::new(), "{text}");
    }
    let other = Credential::new(CredentialKind::PaymentMethod, "pm_1C");
    assert_eq!(tried(&other, Vec::new()).0, DetachResult::Failed { code: "card_malformed" });
}
