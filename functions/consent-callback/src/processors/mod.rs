//! Records what processors report by webhook: results of attempts and refunds, and customers who return with a code.
//!
//! It makes no call to a processor and records no approval: what it queues, `fetch-info` does.

mod context;
mod events;
mod returns;
mod webhooks;

use std::sync::Arc;

use domain::brand::{Brand, Mode};
use domain::problem::Problem;
use domain::request::Request;
use ports::{Ports, ProcessorEvent, Processors};

pub(crate) use returns::ReturnPage;
pub(crate) use webhooks::ProcessorReply;

use crate::browser::Cookies;
use context::ProcessorContext;

/// The webhooks of processors, and the address to which their pages send customers back.
#[derive(Clone)]
pub struct ProcessorWebhooks {
    ports: Ports,
    processors: Arc<dyn Processors>,
    cookies: Cookies,
}

impl ProcessorWebhooks {
    /// Records an event that the sandbox plays, of a test request at its own processor.
    pub(crate) async fn record_played(
        &self,
        brand: &Brand,
        request: &Request,
        event: ProcessorEvent,
    ) -> Result<(), Problem> {
        let context = ProcessorContext { brand, mode: Mode::Test, name: &request.processor };
        self.record(context, event).await
    }

    pub(crate) const fn new(
        ports: Ports,
        processors: Arc<dyn Processors>,
        cookies: Cookies,
    ) -> Self {
        Self { ports, processors, cookies }
    }
}
