//! Refunds are made once, however often they are requested.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use domain::values::id::RequestId;
use domain::values::money::Money;
use serde_json::json;

use super::*;

const REQUEST: &str = "req_01J00000000000000000000000";

#[test]
fn refund_replies_have_the_referenced_meaning() {
    for case in cases(REFUNDS) {
        let refunded = refunds::outcome(&case.reply, 500);
        let means = match &refunded {
            RefundResult::Done(reference) => format!("Done {}", reference.0),
            RefundResult::Pending(reference) => format!("Pending {}", reference.0),
            RefundResult::Failed { code } => format!("Failed {code}"),
            RefundResult::Blocked { by } => format!("Blocked {}", by.code()),
            RefundResult::Again | RefundResult::Unknown => format!("{refunded:?}"),
        };
        assert_eq!(means, case.means, "{}", case.name);
    }
}

/// An `Http` that answers by a script and records the calls.
#[derive(Default)]
struct RefundScript {
    answers: Mutex<VecDeque<(u16, Value)>>,
    asked: Mutex<Vec<String>>,
}

#[async_trait]
impl Http for RefundScript {
    async fn call(
        &self,
        request: http::Request<Bytes>,
        _: Reach,
        _: Duration,
    ) -> Result<http::Response<Bytes>, HttpError> {
        let body = String::from_utf8_lossy(request.body()).into_owned();
        let line = format!("{} {} {body}", request.method(), request.uri());
        self.asked.lock().unwrap().push(line);
        let Some(answer) = self.answers.lock().unwrap().pop_front() else {
            return Err(HttpError::Lost("scripted".into()));
        };
        let (status, body) = answer;
        Ok(http::Response::builder().status(status).body(Bytes::from(body.to_string())).unwrap())
    }
}

fn refund(charge: &Reference, again: bool) -> Refund<'_> {
    let request: RequestId = REQUEST.parse().unwrap();
    let money = Money::new(500, "EUR".parse().unwrap()).unwrap();
    Refund { request, seq: 1, charge, money, again, reported: None }
}

/// Returns a refund's result with these replies, and the calls that it made.
fn tried(charge: &str, again: bool, answers: Vec<Value>) -> (RefundResult, Vec<String>) {
    let answers = answers.into_iter().map(|answer| (200, answer)).collect();
    let charge = Reference(charge.to_owned());
    played(answers, |stripe| pollster::block_on(stripe.refund(&refund(&charge, again))))
}

/// Returns the result of a call with these replies, and the calls that it made.
pub(super) fn played<R>(
    answers: Vec<(u16, Value)>,
    call: impl FnOnce(&Stripe) -> R,
) -> (R, Vec<String>) {
    let settings = json!({ "secret_key": "sk_test_a", "base_url": "http://stripe" });
    let settings = settings.as_object().unwrap().clone().into();
    let account = StripeAccount::read(domain::brand::Mode::Test, &settings).unwrap();
    let script =
        Arc::new(RefundScript { answers: Mutex::new(answers.into()), ..RefundScript::default() });
    let (http, web) = (Arc::<RefundScript>::clone(&script), Arc::<RefundScript>::clone(&script));
    let stripe = Stripe { account, http, web };
    let result = call(&stripe);
    let asked = std::mem::take(&mut *script.asked.lock().unwrap());
    (result, asked)
}

fn object(id: &str, label: &str, status: &str) -> Value {
    json!({ "id": id, "object": "refund", "amount": 500, "status": status, "metadata": { "refund": label } })
}

fn ours(status: &str) -> Value {
    object("re_1", &format!("{REQUEST}-1"), status)
}

const LIST: &str = "GET http://stripe/v1/refunds?payment_intent=pi_1C&limit=100 ";

fn made() -> String {
    format!(
        "POST http://stripe/v1/refunds payment_intent=pi_1C&amount=500&metadata[refund]={REQUEST}-1\
         &metadata[request_id]={REQUEST}"
    )
}

#[test]
fn refund_on_first_try_is_created_directly() {
    let (refunded, asked) = tried("pi_1C", false, vec![ours("succeeded")]);
    assert_eq!(refunded, RefundResult::Done(Reference("re_1".to_owned())));
    assert_eq!(asked, [made()]);
    let (refunded, _) = tried("pi_1C", false, Vec::new());
    assert_eq!(refunded, RefundResult::Unknown);
}

#[test]
fn refund_on_repeat_looks_for_an_earlier_one_first() {
    let others = |has_more: bool| {
        let data = [object("re_9", "another", "succeeded"), object("re_8", "", "failed")];
        json!({ "object": "list", "data": data, "has_more": has_more })
    };
    let found =
        json!({ "object": "list", "data": [object("re_9", "x", "succeeded"), ours("pending")] });
    let (refunded, asked) = tried("pi_1C", true, vec![found.clone()]);
    assert_eq!(refunded, RefundResult::Pending(Reference("re_1".to_owned())));
    assert_eq!(asked, [LIST]);

    let (refunded, asked) = tried("pi_1C", true, vec![others(true), found]);
    assert_eq!(refunded, RefundResult::Pending(Reference("re_1".to_owned())));
    assert_eq!(asked[1], format!("{}&starting_after=re_8 ", LIST.trim_end()));

    let (refunded, asked) = tried("pi_1C", true, vec![others(false), ours("succeeded")]);
    assert_eq!(refunded, RefundResult::Done(Reference("re_1".to_owned())));
    assert_eq!(asked, [LIST.to_owned(), made()]);
}

#[test]
fn refund_on_repeat_is_not_created_when_the_list_fails() {
    for answers in [
        Vec::new(),
        vec![json!({ "error": { "code": "rate_limit" } })],
        vec![json!({ "data": "none" })],
        vec![json!({ "data": [], "has_more": true })],
    ] {
        let (refunded, asked) = tried("pi_1C", true, answers);
        assert_eq!((refunded, asked.len()), (RefundResult::Unknown, 1));
    }
}

#[test]
fn refund_of_a_malformed_charge_id_is_not_supported() {
    for charge in ["", "ch_1", "seti_1", "cs_1", "pi_../x", "pi_1?a=b"] {
        let (refunded, asked) = tried(charge, false, vec![ours("succeeded")]);
        assert_eq!(refunded, RefundResult::Failed { code: "not_supported" });
        assert_eq!(asked, Vec::<String>::new(), "{charge}");
    }
}
