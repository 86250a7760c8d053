//! The calls of the fake processor, the returns of its customers, and a test's script for both.

use domain::authorization::Grant;
use domain::processor_result::{
    ChargeReport, DisputeReport, DisputeStatus, Reference, ReportedResult,
};
use domain::values::id::RequestId;
use http::Method;
use ports::{
    CallbackError, CallbackReply, ChargeSelector, LateReversal, ProcessorEvent, RefundResult,
    UnverifiedCallback, VerifiedWebhook, WebhookResponse,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{FakeProcessorState, KIND, PROOF};
use crate::lock::lock;
use crate::world::calls::Answer;
use crate::world::{Core, CreatedRequest, WorldBuilder};

pub(super) fn receive(
    callback: &UnverifiedCallback,
    proof: &str,
) -> Result<VerifiedWebhook, CallbackError> {
    if callback.method == Method::GET || callback.body.starts_with(b"state=") {
        return returned(callback, proof);
    }
    let given = callback.headers.get(PROOF).and_then(|value| value.to_str().ok());
    if given != Some(proof) {
        return Err(CallbackError::Forged);
    }
    let body = "taken".to_owned();
    let reply = CallbackReply { status: 202, content_type: "text/plain", body };
    let reply = WebhookResponse::Plain(reply);
    Ok(VerifiedWebhook { events: vec![reported_event(callback)?], reply, ignored: Vec::new() })
}

/// An answer that a test scripts for the fake processor.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum ScriptedWebhook {
    Look(RequestId),
    Reported {
        request: RequestId,
        attempt_no: u32,
        success: bool,
    },
    Late {
        request: RequestId,
        attempt_no: u32,
        payment: String,
    },
    ReversalReported {
        request: RequestId,
        attempt_no: u32,
        success: bool,
        /// The payment that was reversed, where the fake processor names it.
        payment: Option<String>,
        /// Another word for the failure.
        code: Option<String>,
    },
    Charge {
        charge: String,
        what: ChargeState,
    },
    ChargeOf {
        request: RequestId,
        attempt_no: u32,
        what: ChargeState,
    },
    RefundReported {
        request: RequestId,
        seq: u32,
        success: bool,
        code: Option<String>,
    },
}

/// The fate of a charge.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum ChargeState {
    CaptureFailed,
    Dispute { status: DisputeStatus, stage: u8, currency: String },
    Refund { id: String, amount: u64, success: bool },
}

fn reported_event(callback: &UnverifiedCallback) -> Result<ProcessorEvent, CallbackError> {
    let report = |what| match what {
        ChargeState::CaptureFailed => ChargeReport::CaptureFailed,
        ChargeState::Dispute { status, stage, currency } => {
            let reference = Reference("dispute-1".to_owned());
            ChargeReport::Dispute(DisputeReport {
                reference,
                status,
                stage,
                amount: 4250,
                currency,
            })
        }
        ChargeState::Refund { id, amount, success } => {
            ChargeReport::Refund { reference: Reference(id), amount, success }
        }
    };
    let reported = |success| ReportedResult {
        success,
        reference: Reference("reported".to_owned()),
        code: (!success).then(|| "refused".to_owned()),
        original: None,
    };
    let said =
        serde_json::from_slice(&callback.body).map_err(|_not_one| CallbackError::Malformed)?;
    Ok(match said {
        ScriptedWebhook::Look(request) => ProcessorEvent::StatusChanged(request),
        ScriptedWebhook::Reported { request, attempt_no, success } => {
            ProcessorEvent::AttemptReported { request, attempt_no, reported: reported(success) }
        }
        ScriptedWebhook::Late { request, attempt_no, payment } => {
            let reported = ReportedResult { reference: Reference(payment), ..reported(true) };
            ProcessorEvent::AttemptReported { request, attempt_no, reported }
        }
        ScriptedWebhook::ReversalReported { request, attempt_no, success, payment, code } => {
            let usual =
                if success { ReportedResult::CANCELLED } else { ReportedResult::REVERSAL_FAILED };
            let code = Some(code.unwrap_or_else(|| usual.to_owned()));
            let original = payment.map(Reference);
            let reported = ReportedResult { code, original, ..reported(false) };
            ProcessorEvent::AttemptReported { request, attempt_no, reported }
        }
        ScriptedWebhook::Charge { charge, what } => ProcessorEvent::ChargeReported {
            charge: ChargeSelector::Reference(Reference(charge)),
            report: report(what),
        },
        ScriptedWebhook::ChargeOf { request, attempt_no, what } => ProcessorEvent::ChargeReported {
            charge: ChargeSelector::Attempt { request, attempt_no },
            report: report(what),
        },
        ScriptedWebhook::RefundReported { request, seq, success, code } => {
            let said = reported(success);
            let reported = ReportedResult { code: code.or(said.code), ..said };
            ProcessorEvent::RefundReported { request, seq, reported }
        }
    })
}

/// `?state={request}.{attempt}.{proof}&code=…`, or without a code where the customer would not.
fn returned(callback: &UnverifiedCallback, proof: &str) -> Result<VerifiedWebhook, CallbackError> {
    let query = callback.url.split_once('?').map_or("", |(_, query)| query);
    let sent = if callback.method == Method::POST { &callback.body } else { query.as_bytes() };
    let field = |name: &str| {
        let found = form_urlencoded::parse(sent).find(|(known, _)| known == name);
        found.map(|(_, value)| value.into_owned())
    };
    let state = field("state").unwrap_or_default();
    let parts: Vec<&str> = state.split('.').collect();
    let [request, attempt_no, given] = parts.as_slice() else { return Err(CallbackError::Forged) };
    if *given != proof {
        return Err(CallbackError::Forged);
    }
    let request = request.parse().map_err(|_not_one| CallbackError::Malformed)?;
    let attempt_no = attempt_no.parse().map_err(|_not_one| CallbackError::Malformed)?;
    let code = field("code").map(|code| ProcessorEvent::Returned {
        request,
        attempt_no,
        grant: Grant::Code(code.into()),
    });
    let events = vec![code.unwrap_or(ProcessorEvent::StatusChanged(request))];
    let reply = WebhookResponse::ToPage(request);
    Ok(VerifiedWebhook { events, reply, ignored: Vec::new() })
}

impl FakeProcessorState {
    /// Takes a reversal, and answers as a test says of refunds.
    pub(super) fn reverses(&self, late: &LateReversal<'_>) -> RefundResult {
        lock(&self.calls).push(format!("Reverse {} {}", late.attempt_no, late.payment.0));
        let pending = RefundResult::Pending(late.payment.clone());
        lock(&self.refunds_said).pop_front().unwrap_or(pending)
    }
}

impl WorldBuilder {
    /// Gives the brand one processor in test mode, with these payment options. An empty list means all.
    #[must_use]
    pub fn with_fake_processor(self, payment_options: &[&str]) -> Self {
        let settings = if payment_options.is_empty() {
            json!({})
        } else {
            json!({ "payment_options": payment_options })
        };
        self.with(
            "/test/processors",
            &json!([{ "name": "fake", "kind": KIND, "settings": settings }]),
        )
    }
}

impl Core {
    /// The books of the fake processor.
    #[must_use]
    pub fn fake_processor(&self) -> &FakeProcessorState {
        &self.books
    }

    /// The fake processor tells something, and what follows from it is done.
    pub fn processor_sends(&self, said: &Value) -> Answer {
        let call = self.call(Method::POST, "/callbacks/demo/fake").key(None).idempotency(None);
        let answer = call.header(PROOF, "proven").json(said).send();
        self.run_until_idle();
        answer
    }

    /// The customer's browser comes back from the fake processor by its address, and what follows from it is done.
    pub fn comes_back(
        &self,
        asked: &CreatedRequest,
        attempt_no: u32,
        code: Option<&str>,
    ) -> Answer {
        let code = code.map(|code| format!("&code={code}")).unwrap_or_default();
        let uri = format!("/callbacks/demo/fake?state={}.{attempt_no}.proven{code}", asked.id);
        let answer = self.call(Method::GET, &uri).key(None).send();
        self.run_until_idle();
        answer
    }
}
