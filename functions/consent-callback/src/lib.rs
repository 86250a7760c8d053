//! Records the customer's reply, from any channel.
#![doc = include_str!("../README.md")]

mod approvals;
mod browser;
mod callbacks;
mod channels;
mod compression;
mod http_edge;
mod page;
mod processors;
mod rejection;
mod sandbox;

use std::sync::Arc;

use ports::{Channels, Ports, Processors, SandboxRoutes};

use browser::Cookies;

pub use approvals::{ApprovalPayload, Approvals, CustomerReply, ReplyError, ReplySource};
pub use channels::{ChannelWebhooks, Topics};
pub use http_edge::router;
pub use page::ConsentPage;
pub use processors::ProcessorWebhooks;
pub use sandbox::SandboxCalls;

/// The composition root: everything that the function can touch, from which each part takes the ports that it needs.
pub struct ConsentCallback {
    /// The ports that every function needs.
    pub ports: Ports,
    /// The channels, which verify the webhooks of their providers.
    pub channels: Arc<dyn Channels>,
    /// The processors, which name their payment options and verify their own webhooks.
    pub processors: Arc<dyn Processors>,
    /// The sandbox's own calls; `None` where the installation has no sandbox.
    pub sandbox: Option<Arc<dyn SandboxRoutes>>,
    /// The public address, without a slash at its end.
    pub public_base: String,
}

impl ConsentCallback {
    /// Returns the part that records replies.
    #[must_use]
    pub fn approvals(&self) -> Approvals {
        Approvals::new(self.ports.clone(), Arc::clone(&self.processors))
    }

    /// Returns the part that serves the consent page.
    #[must_use]
    pub fn page(&self) -> ConsentPage {
        let (ports, processors) = (self.ports.clone(), Arc::clone(&self.processors));
        ConsentPage::new(ports, processors, self.approvals(), self.public_base.clone())
    }

    /// Returns the part that records the webhooks of channels.
    #[must_use]
    pub fn channel_webhooks(&self) -> ChannelWebhooks {
        ChannelWebhooks::new(self.ports.clone(), Arc::clone(&self.channels), self.approvals())
    }

    /// Returns the part that records the webhooks of processors.
    #[must_use]
    pub fn processor_webhooks(&self) -> ProcessorWebhooks {
        let cookies = Cookies::of(&self.public_base);
        ProcessorWebhooks::new(self.ports.clone(), Arc::clone(&self.processors), cookies)
    }

    /// Returns the part that serves the sandbox phone and the hosted page of the sandbox processor.
    #[must_use]
    pub fn sandbox_calls(&self) -> SandboxCalls {
        let (channels, processors) = (self.channel_webhooks(), self.processor_webhooks());
        let (routes, ports) = (self.sandbox.clone(), self.ports.clone());
        SandboxCalls::new(routes, ports, self.approvals(), channels, processors)
    }
}
