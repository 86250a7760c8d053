//! Records what processors report by webhook: results of attempts and refunds, and customers who return with a code.
//!
//! It makes no call to a processor and records no approval: what it queues, `fetch-info` does.

mod context;
mod events;
mod returns;
mod webhooks;

use std::sync::Arc;

use ports::{Ports, Processors};

pub(crate) use returns::ReturnPage;
pub(crate) use webhooks::ProcessorReply;

use crate::browser::Cookies;

/// The webhooks of processors, and the address to which their pages send customers back.
#[derive(Clone)]
pub struct ProcessorWebhooks {
    ports: Ports,
    processors: Arc<dyn Processors>,
    cookies: Cookies,
}

impl ProcessorWebhooks {
    pub(crate) const fn new(
        ports: Ports,
        processors: Arc<dyn Processors>,
        cookies: Cookies,
    ) -> Self {
        Self { ports, processors, cookies }
    }
}
