//! A saved card is deleted at Adyen, however often that is asked for.

use domain::authorization::{Credential, CredentialKind};
use pollster::block_on;
use ports::DetachResult;
use serde_json::{Value, json};

use super::{PSP, json_reply, open};
use crate::doubles::{Doubles, ScriptedReply};

fn card(stored: &str) -> Credential {
    let ids = json!({ "shopper": "req_1.1", "stored": stored });
    Credential::new(CredentialKind::SavedCard, ids.to_string())
}

fn list(ids: &[&str]) -> Value {
    let cards = ids.iter().map(|id| json!({ "id": id, "brand": "visa", "lastFour": "1111" }));
    json!({ "storedPaymentMethods": cards.collect::<Vec<Value>>() })
}

/// Returns what detaching a card comes to with these replies, and the methods and addresses of the calls.
fn tried(replies: Vec<ScriptedReply>, card: &Credential) -> (DetachResult, Vec<String>) {
    let doubles = Doubles::default();
    let processor = open(&doubles, &json!({}));
    doubles.http.play(replies);
    let result = block_on(processor.detach(card));
    let called = doubles.http.taken();
    let line = |call: &String| call.split(' ').take(2).collect::<Vec<&str>>().join(" ");
    (result, called.iter().map(line).collect())
}

const QUERY: &str = "merchantAccount=AcmeECOM&shopperReference=req_1.1";
const BASE: &str = "https://checkout-test.adyen.com/v72/storedPaymentMethods";

#[test]
fn detach_deletes_the_card_under_its_shopper() {
    let (result, calls) = tried(vec![ScriptedReply::Answer(204, Vec::new())], &card(PSP));
    assert_eq!(result, DetachResult::Detached);
    assert_eq!(calls, [format!("DELETE {BASE}/{PSP}?{QUERY}")]);
}

#[test]
fn detach_that_is_refused_is_explained_by_the_list() {
    let refused = || json_reply(422, &json!({ "errorCode": "000", "errorType": "validation" }));
    for (listed, expected) in [
        (list(&["8888888888888888"]), DetachResult::Detached),
        (list(&[]), DetachResult::Detached),
        (list(&[PSP]), DetachResult::Failed { code: "refused_by_processor" }),
        (json!("none"), DetachResult::Again),
    ] {
        let (result, calls) = tried(vec![refused(), json_reply(200, &listed)], &card(PSP));
        assert_eq!(result, expected, "{listed}");
        assert_eq!(calls[1], format!("GET {BASE}?{QUERY}"));
    }
    let (result, _) = tried(vec![refused(), ScriptedReply::Lost], &card(PSP));
    assert_eq!(result, DetachResult::Again);
}

#[test]
fn detach_of_a_missing_card_is_done_and_of_a_lost_reply_unknown() {
    let missing = json_reply(404, &json!({ "errorCode": "000", "errorType": "validation" }));
    assert_eq!(tried(vec![missing], &card(PSP)).0, DetachResult::Detached);
    for reply in [ScriptedReply::Lost, ScriptedReply::NotSent, json_reply(502, &json!("busy"))] {
        assert_eq!(tried(vec![reply], &card(PSP)).0, DetachResult::Again);
    }
}

#[test]
fn detach_of_a_malformed_card_makes_no_call() {
    let (result, calls) = tried(vec![ScriptedReply::Answer(204, Vec::new())], &card("../x"));
    assert_eq!(result, DetachResult::Failed { code: "card_malformed" });
    assert_eq!(calls, Vec::<String>::new());
}
