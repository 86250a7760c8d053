//! The brief answer: a flat object with a sentence to read out. Voice platforms take no more.

use domain::ask::AskKind;
use domain::outcome::{DenialReason, Details, Outcome};
use domain::request::{Attempt, RedirectState, Request, State};
use domain::values::language::Language;
use serde::Serialize;
use serde_json::Value;
use texts::SayContent;

/// The wait that a caller without one of its own is offered, in seconds. Amazon Connect gives a Lambda function at most eight:
/// <https://docs.aws.amazon.com/connect/latest/adminguide/invoke-lambda-function-block.html>, read 2026-11-27.
const WAIT: u64 = 6;

/// The request in brief. Every value is a text or a boolean, and each field is always there: an empty text means none.
#[derive(Serialize)]
struct Brief {
    id: String,
    state: &'static str,
    over: bool,
    version: String,
    say: String,
    say_language: &'static str,
    code: String,
    reason: String,
    transaction_code: String,
    last4: String,
    next_wait: String,
}

/// Renders a request in brief. `wait` is the wait of this call, in seconds.
pub(crate) fn request(
    request: &Request,
    version: u64,
    brand_language: &Language,
    wait: u64,
) -> Value {
    let language = request.customer.language.as_ref().unwrap_or(brand_language);
    let said = texts::say(content(request), language, brand_language);
    let over = request.is_closed();
    let next_wait = match (over, wait) {
        (true, _) => 0,
        (false, 0) => WAIT,
        (false, wait) => wait,
    };
    let outcome = request.outcome();
    let reason = outcome.and_then(Outcome::reason).unwrap_or_default();
    let (transaction_code, last4) = outcome.map(receipt).unwrap_or_default();
    let brief = Brief {
        id: request.id.to_string(),
        state: request.state_name(),
        over,
        version: version.to_string(),
        say: said.text,
        say_language: said.tag,
        code: wanted_code(request).unwrap_or_default().to_owned(),
        reason: reason.to_owned(),
        transaction_code,
        last4,
        next_wait: next_wait.to_string(),
    };
    serde_json::to_value(brief).unwrap_or_default()
}

/// Returns the session code until the answer. On the hosted page, the customer has given it.
fn wanted_code(request: &Request) -> Option<&str> {
    let code = request.session_code.as_ref().filter(|_| request.is_open_to_answers())?;
    Some(code.code.as_str())
}

fn is_on_hosted_page(request: &Request) -> bool {
    let redirect = request.open_attempt().and_then(|open| open.redirect.as_ref());
    redirect.is_some_and(|redirect| matches!(redirect.state, RedirectState::OnHostedPage))
}

/// Returns whether the last attempt failed. A customer who left the hosted page for another payment option failed nowhere.
fn is_asked_again(request: &Request) -> bool {
    let left = |attempt: &Attempt| {
        attempt.redirect.as_ref().is_some_and(|redirect| redirect.abandoned_by().is_some())
    };
    request.attempts.last().is_some_and(|attempt| !left(attempt))
}

/// Returns the transaction code and the card's last four digits, or empty texts without one.
fn receipt(outcome: &Outcome) -> (String, String) {
    let Outcome::Fulfilled { transaction_code, receipt, .. } = outcome else {
        return (String::new(), String::new());
    };
    let last4 = match receipt {
        Details::Payment(receipt) => receipt.last4.as_deref(),
        Details::Card { receipt, .. } => receipt.last4.as_deref(),
        Details::Claims(_) => None,
    };
    (transaction_code.clone(), last4.unwrap_or_default().to_owned())
}

fn content(request: &Request) -> SayContent<'_> {
    match &request.state {
        State::Pending => SayContent::Sending,
        State::Prompted => {
            SayContent::Waiting { code: wanted_code(request), again: is_asked_again(request) }
        }
        State::Authorized { .. } => SayContent::Working,
        State::Processing { .. } => {
            if is_on_hosted_page(request) {
                SayContent::HostedPage
            } else if request.reported_doubt().is_some() {
                SayContent::InDoubt
            } else {
                SayContent::Working
            }
        }
        State::Closed { outcome, .. } => match outcome {
            Outcome::Fulfilled { .. } => SayContent::Fulfilled(AskKind::of(&request.ask)),
            Outcome::Denied { reason: DenialReason::WrongSessionCode } => SayContent::WrongCode,
            Outcome::Denied {
                reason: DenialReason::Customer | DenialReason::NotMe | DenialReason::OptedOut,
            } => SayContent::Denied,
            Outcome::Expired => SayContent::Expired,
            Outcome::Cancelled => SayContent::Cancelled,
            Outcome::Undeliverable { .. } => SayContent::Undeliverable,
            Outcome::Failed { .. } => SayContent::Failed,
        },
    }
}
