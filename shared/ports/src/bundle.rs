//! The ports that every function needs.

use std::sync::Arc;

use super::{Clock, Queue, Random, Secrets, Store};

/// The ports that every function needs. None of them reaches a channel or a processor.
///
/// A clone shares them, so that each part of a function can own the ports it uses.
#[derive(Clone)]
pub struct Ports {
    /// The current time and waits.
    pub clock: Arc<dyn Clock>,
    /// The source of ids, session codes, nonces and the spread of retries.
    pub random: Arc<dyn Random>,
    /// The table of all state.
    pub store: Arc<dyn Store>,
    /// The queues between the functions.
    pub queue: Arc<dyn Queue>,
    /// The brands' secrets.
    pub secrets: Arc<dyn Secrets>,
}
