//! The rules on every answer to any input.

use domain::problem::Code;
use http::header;

use super::fuzz_fixture::{CallResult, SECRETS};

/// Asserts what holds of every answer: no fault of ours, documented problems, and pages with their policy. It holds no
/// secret that the caller did not send.
///
/// # Panics
/// When it does not hold.
pub fn assert_sound(answered: &CallResult, said: &[u8]) {
    let CallResult { status, kind, body, headers } = answered;
    assert!(*status < 500, "an answer of {status}: {answered:?}");
    if *status >= 400 {
        let page = kind == "text/html" && headers.contains_key(header::CONTENT_SECURITY_POLICY);
        assert!(page || is_problem(answered), "a refusal that is no problem: {answered:?}");
    }
    let says = |text: &[u8], secret: &str| {
        text.windows(secret.len()).any(|window| window == secret.as_bytes())
    };
    for secret in SECRETS {
        let reported =
            says(body, secret) || headers.values().any(|value| says(value.as_bytes(), secret));
        assert!(!reported || says(said, secret), "{secret} was told: {answered:?}");
    }
}

fn is_problem(answered: &CallResult) -> bool {
    // The answer to a HEAD has no body.
    if answered.body.is_empty() {
        return answered.kind == "application/problem+json";
    }
    let problem = answered.json();
    let known = Code::ALL.iter().map(|code| code.facts());
    let known = known.into_iter().any(|(code, status, ..)| {
        problem["code"] == code && problem["status"] == status && status == answered.status
    });
    known && answered.kind == "application/problem+json"
}
