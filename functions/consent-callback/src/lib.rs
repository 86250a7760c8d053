//! Records the customer's answer: serves the consent page, hears what providers tell of prompts, and is the sandbox phone.
//!
//! A `GET` never consents. What a yes is to comes from what is stored, never from a link, a form or a provider.

mod answer;
mod callbacks;
mod http_edge;
mod knowledge;
mod link;
mod means;
mod news;
mod onward;
mod opt_out;
pub mod page;
mod sandbox;
mod taps;
mod topics;
mod view;
mod words;

use std::sync::Arc;

use domain::ports::{Channels, Clock, Processors, Queue, Random, SandboxPages, Secrets, Store};

pub use answer::{Answer, Given, Means, Unanswered};
pub use http_edge::router;
pub use topics::Topics;

/// Who may use the sandbox phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SandboxAccess {
    /// Nobody: there is none.
    Off,
    /// Whoever has a test key of the brand whose prompts they are.
    Key,
    /// Everybody, on a machine of one's own.
    Open,
}

/// Everything consent-callback can touch.
pub struct ConsentCallback {
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Ids and the nonces of sealed authorizations.
    pub random: Arc<dyn Random>,
    /// The table.
    pub store: Arc<dyn Store>,
    /// The queues.
    pub queue: Arc<dyn Queue>,
    /// The brands.
    pub secrets: Arc<dyn Secrets>,
    /// The channels, for verifying what their providers send.
    pub channels: Arc<dyn Channels>,
    /// The processors, for what they need from a customer.
    pub processors: Arc<dyn Processors>,
    /// The pages of the sandbox's processor; `None` where the installation has no sandbox.
    pub sandbox_pages: Option<Arc<dyn SandboxPages>>,
    /// The public address, without a slash at its end.
    pub public_base: String,
    /// Who may use the sandbox phone.
    pub sandbox: SandboxAccess,
}
