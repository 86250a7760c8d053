//! Plays what a processor or a provider reports later, so that each case can be seen in test mode.

use domain::brand::{Brand, Mode};
use domain::problem::{Code, Problem};
use domain::processor_result::{
    ChargeReport, DisputeReport, DisputeStatus, Receipt, Reference, ReportedResult,
};
use domain::request::{RefundEnd, Request};
use ports::{ChargeSelector, ProcessorEvent, SandboxEvent};
use serde::Deserialize;

use crate::KIND;

/// A report that the sandbox plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum PlayedReport {
    /// The cardholder disputes the charge.
    DisputeOpened,
    /// The disputed money was taken back.
    ChargedBack,
    /// The dispute ended for the brand.
    DisputeWon,
    /// The dispute ended for the cardholder.
    DisputeLost,
    /// The capture of the charge failed.
    CaptureFailed,
    /// A part of the charge was refunded in the processor's dashboard.
    RefundedOutside,
    /// The newest refund fails after it had succeeded.
    RefundFailed,
    /// A payment succeeds after the request ended without one.
    PaidLate,
    /// The channel's provider says that the customer opted out.
    OptedOut,
}

/// The amount that is refunded in the dashboard, in minor units, unless the charge is smaller.
const OUTSIDE_AMOUNT: u64 = 100;

/// Returns the event with which a processor or a provider would report this.
///
/// # Errors
/// [`Code::ConflictState`] where the request has nothing that the report could be about.
pub(super) fn event(
    brand: &Brand,
    request: &Request,
    report: PlayedReport,
) -> Result<SandboxEvent, Problem> {
    if report == PlayedReport::OptedOut {
        return Ok(SandboxEvent::OptedOut);
    }
    let mut setups = brand.setup(Mode::Test).processors.iter();
    if !setups.any(|setup| setup.name == request.processor && setup.kind == KIND) {
        return Err(unfit("the request is at a processor that is no sandbox"));
    }
    let event = match report {
        PlayedReport::RefundFailed => refund_failed(request),
        PlayedReport::PaidLate => paid_late(request),
        PlayedReport::DisputeOpened
        | PlayedReport::ChargedBack
        | PlayedReport::DisputeWon
        | PlayedReport::DisputeLost
        | PlayedReport::CaptureFailed
        | PlayedReport::RefundedOutside
        | PlayedReport::OptedOut => request.charge().and_then(|charge| of_charge(charge, report)),
    };
    match event {
        Some(event) => Ok(SandboxEvent::Reported(event)),
        None => Err(unfit("the request has no charge, refund or ended attempt to report of")),
    }
}

fn unfit(detail: &'static str) -> Problem {
    Problem::new(Code::ConflictState, detail)
}

fn of_charge(charge: &Receipt, report: PlayedReport) -> Option<ProcessorEvent> {
    let of = |name: &str| Reference(format!("{name}_{}", charge.reference.0));
    let dispute = |status, stage| {
        ChargeReport::Dispute(DisputeReport {
            reference: of("dp"),
            status,
            stage,
            amount: charge.amount,
            currency: charge.currency.clone(),
        })
    };
    let report = match report {
        PlayedReport::DisputeOpened => dispute(DisputeStatus::Opened, 1),
        PlayedReport::ChargedBack => dispute(DisputeStatus::ChargedBack, 2),
        PlayedReport::DisputeWon => dispute(DisputeStatus::Won, 3),
        PlayedReport::DisputeLost => dispute(DisputeStatus::Lost, 3),
        PlayedReport::CaptureFailed => ChargeReport::CaptureFailed,
        PlayedReport::RefundedOutside => ChargeReport::Refund {
            reference: of("re_dashboard"),
            amount: charge.amount.min(OUTSIDE_AMOUNT),
            success: true,
        },
        PlayedReport::RefundFailed | PlayedReport::PaidLate | PlayedReport::OptedOut => {
            return None;
        }
    };
    let charge = ChargeSelector::Reference(charge.reference.clone());
    Some(ProcessorEvent::ChargeReported { charge, report })
}

fn refund_failed(request: &Request) -> Option<ProcessorEvent> {
    let done = |end: &Option<RefundEnd>| matches!(end, Some(RefundEnd::Done { .. }));
    let refund = request.refunds.iter().rev().find(|refund| done(&refund.end))?;
    let reported = ReportedResult {
        success: false,
        reference: Reference(format!("re_failed_{}", refund.seq)),
        code: Some("refund_failed".to_owned()),
        original: None,
    };
    Some(ProcessorEvent::RefundReported { request: request.id, seq: refund.seq, reported })
}

fn paid_late(request: &Request) -> Option<ProcessorEvent> {
    if request.charge().is_some() {
        return None;
    }
    let attempt = request.attempts.last().filter(|attempt| !attempt.is_open())?;
    let attempt_no = attempt.attempt_no;
    let reference = Reference(format!("pi_late_{attempt_no}"));
    let reported = ReportedResult { success: true, reference, code: None, original: None };
    Some(ProcessorEvent::AttemptReported { request: request.id, attempt_no, reported })
}
