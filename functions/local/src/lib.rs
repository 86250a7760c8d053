//! The four functions on one machine: the same handlers over the embedded store, in one process.
//!
//! **Touches** nothing itself: [`Machine`] is given its ports, `main.rs` opens the sockets and the file.
//! **Never** does what a function does: it hands calls and messages over, as Lambda would.

pub mod brand;
mod pages;
mod received;
mod site;
mod workers;

use std::sync::Arc;

use consent_callback::{ConsentCallback, SandboxAccess};
use domain::message::{Handled, Handler, Message, QueueName};
use domain::ports::{Channels, Clock, Http, Processors, Queue, Random, Reach, Secrets, Store};
use fetch_info::FetchInfo;
use intake::Intake;
use send_prompt::SendPrompt;

pub use received::ReceivedWebhooks;
pub use site::{Site, router};
pub use workers::{Stop, work};

/// What a machine is made of.
#[derive(Clone)]
pub struct Ports {
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// The table.
    pub store: Arc<dyn Store>,
    /// The queues.
    pub queue: Arc<dyn Queue>,
    /// The brands.
    pub secrets: Arc<dyn Secrets>,
    /// The way out.
    pub http: Arc<dyn Http>,
}

/// The four functions, wired to one set of ports.
pub struct Machine {
    /// Accepts requests.
    pub intake: Arc<Intake>,
    /// Puts prompts in front of customers.
    pub send_prompt: Arc<SendPrompt>,
    /// Records answers.
    pub consent_callback: Arc<ConsentCallback>,
    /// Uses authorizations and delivers notices.
    pub fetch_info: Arc<FetchInfo>,
}

impl Machine {
    /// Wires the functions. `public_base` is the address links and callbacks begin with, without a slash at its end.
    #[must_use]
    pub fn new(ports: &Ports, public_base: &str) -> Self {
        let channels: Arc<dyn Channels> = Arc::new(channels::Registry::new(channels::Deps {
            http: Arc::clone(&ports.http),
            store: Arc::clone(&ports.store),
            clock: Arc::clone(&ports.clock),
            random: Arc::clone(&ports.random),
            signer: None,
        }));
        let sandbox = sandbox::Sandbox::new(Arc::clone(&ports.store), Arc::clone(&ports.clock));
        let deps =
            processors::Deps { http: Arc::clone(&ports.http), clock: Arc::clone(&ports.clock) };
        let processors: Arc<dyn Processors> =
            Arc::new(processors::Registry::new(deps).with(sandbox.clone()));
        let Ports { clock, random, store, queue, secrets, http } = ports.clone();
        let intake = Intake {
            clock,
            random,
            store,
            queue,
            secrets,
            channels: Arc::clone(&channels),
            processors: Arc::clone(&processors),
            public_base: public_base.to_owned(),
        };
        let Ports { clock, random, store, queue, secrets, .. } = ports.clone();
        let send_prompt = SendPrompt {
            clock,
            random,
            store,
            queue,
            secrets,
            channels: Arc::clone(&channels),
            public_base: public_base.to_owned(),
        };
        let Ports { clock, random, store, queue, secrets, .. } = ports.clone();
        let consent_callback = ConsentCallback {
            clock,
            random,
            store,
            queue,
            secrets,
            channels,
            processors: Arc::clone(&processors),
            sandbox_pages: Some(Arc::new(sandbox)),
            public_base: public_base.to_owned(),
            sandbox: SandboxAccess::Open,
        };
        let Ports { clock, random, store, queue, secrets, .. } = ports.clone();
        let fetch_info = FetchInfo {
            clock,
            random,
            store,
            queue,
            secrets,
            processors,
            http,
            public_base: public_base.to_owned(),
            webhook_reach: Reach::Configured,
            crowds: fetch_info::Crowds::default(),
        };
        Self {
            intake: Arc::new(intake),
            send_prompt: Arc::new(send_prompt),
            consent_callback: Arc::new(consent_callback),
            fetch_info: Arc::new(fetch_info),
        }
    }

    /// Hands a message to the function its queue drives.
    pub async fn handle(&self, message: &Message) -> Handled {
        match message.queue() {
            QueueName::Prompts => self.send_prompt.handle(message).await,
            QueueName::Authorizations | QueueName::Webhooks => {
                self.fetch_info.handle(message).await
            }
        }
    }
}
