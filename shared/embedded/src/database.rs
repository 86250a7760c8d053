//! The database: one file, or the same tables in memory.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use domain::message::QueueName;
use ports::{Clock, Source};
use tokio::sync::watch;

use crate::connection::Connections;
use crate::handover::Handovers;
use crate::of_queue::of_queue;
use crate::private;

/// The store and the queues of one machine. Clones are the same database.
///
/// ```
/// use std::sync::Arc;
///
/// use domain::message::QueueName;
/// use domain::values::time::Timestamp;
///
/// let database = embedded::Database::in_memory(Arc::new(embedded::SystemClock)).unwrap();
/// assert!(database.receive(QueueName::Prompts, Timestamp::EPOCH).unwrap().is_none());
/// ```
#[derive(Clone)]
pub struct Database {
    pub(crate) connections: Arc<Connections>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) arrivals: Arc<[watch::Sender<u64>; 3]>,
    pub(crate) handovers: Handovers,
    visibility: [Duration; 3],
}

/// The database could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("failed to open assent.sqlite in the data folder")]
pub struct OpenError(#[source] Source);

impl Database {
    /// Opens `assent.sqlite` in `folder`, and creates what is missing. Delays end by `clock`.
    ///
    /// # Errors
    /// [`OpenError`] if the folder or file is unusable, or a newer release wrote the file.
    pub fn open(folder: &Path, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        let file = folder.join("assent.sqlite");
        // SQLite gives its other files the permissions of this one.
        private::make_folder(folder)
            .and_then(|()| private::open_file(&file))
            .map_err(|error| OpenError(error.into()))?;
        let connections = Connections::open(&file).map_err(|error| OpenError(error.into()))?;
        Ok(Self::new(connections, clock))
    }

    /// Creates the same database in memory. It ends with its last clone.
    ///
    /// # Errors
    /// [`OpenError`] if there is no memory for it.
    pub fn in_memory(clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        let connections = Connections::in_memory().map_err(|error| OpenError(error.into()))?;
        Ok(Self::new(connections, clock))
    }

    fn new(connections: Connections, clock: Arc<dyn Clock>) -> Self {
        Self {
            connections: Arc::new(connections),
            clock,
            arrivals: Arc::new([0, 0, 0].map(watch::Sender::new)),
            handovers: Handovers::default(),
            visibility: [60, 180, 120].map(Duration::from_secs),
        }
    }

    /// Returns the same database with another visibility timeout for `queue`, for this clone and its clones.
    #[must_use]
    pub const fn with_visibility(mut self, queue: QueueName, timeout: Duration) -> Self {
        let [prompts, authorizations, webhooks] = &mut self.visibility;
        *(match queue {
            QueueName::Prompts => prompts,
            QueueName::Authorizations => authorizations,
            QueueName::Webhooks => webhooks,
        }) = timeout;
        self
    }

    /// Returns the time for which a received message of `queue` is hidden from other receivers.
    ///
    /// By default that is 60 s for prompts, 180 s for authorizations and 120 s for webhooks.
    #[must_use]
    pub const fn visibility(&self, queue: QueueName) -> Duration {
        *of_queue(&self.visibility, queue)
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database").field("visibility", &self.visibility).finish_non_exhaustive()
    }
}
