//! Records a customer's approval or denial, from any channel.
//!
//! `page`, `channels` and `sandbox` call this folder; it calls none of them.

mod authorization;
mod denial;
mod record;
mod reply;

use std::sync::Arc;

use ports::{Ports, Processors};

pub(crate) use denial::deny;
pub use reply::{ApprovalPayload, CustomerReply, ReplyError, ReplySource};
pub(crate) use reply::{DecisionInput, PromptedRequest};

/// Records replies. It opens a processor only to read which payment options the processor takes.
#[derive(Clone)]
pub struct Approvals {
    ports: Ports,
    processors: Arc<dyn Processors>,
}

impl Approvals {
    pub(crate) const fn new(ports: Ports, processors: Arc<dyn Processors>) -> Self {
        Self { ports, processors }
    }
}
