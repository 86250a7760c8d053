//! One attempt at the processor: one worker at a time, and at most one charge.
//!
//! [`Lease`] loads the request and takes it. [`RunContext`] opens what the run needs, then calls the processor and
//! classifies its result as a [`Run`]. [`Recorder`] commits that result and sends what is owed.

mod context;
mod discard;
mod lease;
mod processor;
mod record;
mod run;
mod timeouts;

use domain::request::Attempt;
use domain::values::id::RequestId;
use ports::{Ports, Processors};

use self::context::RunContext;
use self::lease::{Lease, Stop};
use self::record::Recorder;
use self::run::Run;
use crate::StepError;

/// The runs of approved requests at their processors.
pub(crate) struct Attempts<'a> {
    pub(crate) ports: &'a Ports,
    pub(crate) processors: &'a dyn Processors,
    pub(crate) public_base: &'a str,
}

impl Attempts<'_> {
    /// Runs the request's attempt, unless another worker has it or nothing is approved.
    pub(crate) async fn run(&self, id: RequestId) -> Result<(), StepError> {
        let Some(mut lease) = Lease::take(self.ports, id).await? else { return Ok(()) };
        let Some(before) = lease.request().open_attempt().cloned() else { return Ok(()) };
        match Box::pin(self.run_leased(&mut lease, &before)).await {
            Ok(()) | Err(Stop::LeaseLost) => Ok(()),
            Err(Stop::Failed(error)) => Err(error),
        }
    }

    async fn run_leased(&self, lease: &mut Lease<'_>, before: &Attempt) -> Result<(), Stop> {
        let mut circuit_wait = None;
        let run = match RunContext::open(self, lease.request(), before).await? {
            Ok(context) => {
                let run = Box::pin(context.run(lease)).await?;
                let run = context.discard_unkept(lease, run).await?;
                if let Some(status) = run.account {
                    circuit_wait = context.circuit.record(status).await;
                }
                run
            }
            Err(run) => run,
        };
        Recorder { lease, before, circuit_wait }.record(run.result).await
    }
}
