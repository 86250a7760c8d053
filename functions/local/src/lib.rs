//! The four functions on one machine: the same handlers over the embedded store, in one process.
#![doc = include_str!("../README.md")]

mod arguments;
mod aws_identity;
pub mod brand;
mod command_context;
mod invocations;
mod pages;
mod received_webhooks;
mod serve;
mod site;
mod start;
mod workers;

use std::sync::Arc;

use agents::{Agents, Callers};
use consent_callback::ConsentCallback;
use domain::message::{Message, MessageResult, QueueName};
use fetch_info::FetchInfo;
use intake::{DeskAccess, Intake};
use ports::Handler;
use ports::{Channels, Http, Ports, Processors, Reach, Signer};
use sandbox::{Sandbox, SandboxAccess};
use send_prompt::SendPrompt;

pub use arguments::{Arguments, Format};
pub use aws_identity::AwsIdentity;
pub use command_context::command_context;
pub use received_webhooks::ReceivedWebhooks;
pub use serve::serve;
pub use site::{Site, router};
pub use start::{StartError, run, variable};
pub use workers::{Stop, work};

/// The functions, wired to one set of ports.
pub struct Machine {
    /// Accepts requests.
    pub intake: Arc<Intake>,
    /// Puts prompts in front of customers.
    pub send_prompt: Arc<SendPrompt>,
    /// Records answers.
    pub consent_callback: Arc<ConsentCallback>,
    /// Uses authorizations and delivers webhook events.
    pub fetch_info: Arc<FetchInfo>,
}

impl Machine {
    /// Wires the functions to one set of ports, with `http` as their way out.
    ///
    /// `public_base` is the address that links and callbacks begin with, without a slash at its end.
    #[must_use]
    pub fn new(ports: &Ports, http: &Arc<dyn Http>, public_base: &str) -> Self {
        Self::with_signer(ports, http, public_base, None)
    }

    /// Wires the functions as [`Machine::new`] does. `signer` signs calls to AWS; `None` on a machine without credentials.
    #[must_use]
    pub fn with_signer(
        ports: &Ports,
        http: &Arc<dyn Http>,
        public_base: &str,
        signer: Option<Arc<dyn Signer>>,
    ) -> Self {
        let channels = channels::Registry::new(channels::Deps::new(ports, http, signer.clone()));
        let sandbox = Sandbox::new(ports);
        let channels: Arc<dyn Channels> = Arc::new(channels.with(sandbox.clone()));
        let processors = processors::Registry::new(processors::Deps::new(ports, http));
        let processors: Arc<dyn Processors> = Arc::new(processors.with(sandbox));
        let intake = Intake {
            ports: ports.clone(),
            channels: Arc::clone(&channels),
            processors: Arc::clone(&processors),
            public_base: public_base.to_owned(),
            desk: DeskAccess::Given,
        };
        let send_prompt = SendPrompt {
            ports: ports.clone(),
            channels: Arc::clone(&channels),
            public_base: public_base.to_owned(),
        };
        let consent_callback = ConsentCallback {
            ports: ports.clone(),
            channels,
            processors: Arc::clone(&processors),
            public_base: public_base.to_owned(),
            sandbox: sandbox::routes(ports, SandboxAccess::Open, public_base),
        };
        let fetch_info = FetchInfo {
            ports: ports.clone(),
            processors,
            http: Arc::clone(http),
            signer,
            public_base: public_base.to_owned(),
            webhook_reach: Reach::Configured,
            delivery_limit: fetch_info::InFlightLimit::default(),
        };
        Self {
            intake: Arc::new(intake),
            send_prompt: Arc::new(send_prompt),
            consent_callback: Arc::new(consent_callback),
            fetch_info: Arc::new(fetch_info),
        }
    }

    /// Returns the surfaces for AI agents and contact flows, over this machine's intake.
    #[must_use]
    pub fn agents(&self) -> Arc<Agents> {
        Arc::new(Agents { intake: Arc::clone(&self.intake), callers: Callers::default() })
    }

    /// Hands a message to the function its queue drives.
    pub async fn handle(&self, message: &Message) -> MessageResult {
        match message.queue() {
            QueueName::Prompts => self.send_prompt.handle(message).await,
            QueueName::Authorizations | QueueName::Webhooks => {
                self.fetch_info.handle(message).await
            }
        }
    }
}
