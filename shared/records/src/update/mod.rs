//! One way to change a stored request: load, decide, commit, and decide again when another writer was first.
//!
//! A decision sees the newest request each time. Its preconditions, such as the brand or a lease, are therefore checked
//! again after every conflict.

mod commit;
#[cfg(test)]
mod tests;

use crate::effects::EffectError;
use crate::storage;
use crate::storage::VersionedRequest;
use domain::request::Request;
use domain::values::id::RequestId;
use domain::values::time::Timestamp;
use ports::{Ports, StoreError};

pub use commit::{Commit, commit};

/// The most attempts of one update: more than one request has receipts, refunds and replies at once. A worker that holds a processor's answer must not give it up, so the limit is that of the charge.
pub const CONFLICTS_MAX: u32 = 32;

/// A decision on the request that it was shown.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "each value lives for one step of one update")]
pub enum Decision<S> {
    /// Stores a change, then sends what follows from it.
    Commit(Commit),
    /// Leaves the request as it is and sends nothing. Carries what the caller needs to know.
    Stop(S),
}

impl<S, C: Into<Commit>> From<C> for Decision<S> {
    fn from(commit: C) -> Self {
        Self::Commit(commit.into())
    }
}

/// The result of an update.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "each value lives for one step of one update")]
pub enum Updated<S> {
    /// The change is stored and its messages are sent. A repeat stored nothing and sent them again.
    Stored(VersionedRequest),
    /// The decision was [`Decision::Stop`].
    Stopped(S),
    /// No request has this id.
    Absent,
}

impl<S> Updated<S> {
    /// Returns the stored request; `None` when the decision stopped or the request is absent.
    #[must_use]
    pub fn stored(self) -> Option<VersionedRequest> {
        match self {
            Self::Stored(stored) => Some(stored),
            Self::Stopped(_) | Self::Absent => None,
        }
    }
}

/// The result of storing a new request.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "each value lives for one step of one update")]
pub enum Created<S> {
    /// The request is stored and its messages are sent.
    Stored(VersionedRequest),
    /// The decision was [`Decision::Stop`].
    Stopped(S),
}

/// The starting point of an update.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "each value lives for one step of one update")]
pub enum Start {
    /// The request of this id, which is read first.
    Id(RequestId),
    /// A request that was read a moment ago. It is read again only after a conflict.
    Loaded(VersionedRequest),
}

impl From<RequestId> for Start {
    fn from(id: RequestId) -> Self {
        Self::Id(id)
    }
}

impl From<VersionedRequest> for Start {
    fn from(loaded: VersionedRequest) -> Self {
        Self::Loaded(loaded)
    }
}

/// An error that may mean that another writer committed first.
///
/// ```
/// use records::update::{Conflict, retry_conflicts};
///
/// /// An error of a step over a file that two programs write.
/// #[derive(Debug)]
/// enum StepError {
///     Changed,
///     Broken,
/// }
///
/// impl Conflict for StepError {
///     fn is_conflict(&self) -> bool {
///         matches!(self, Self::Changed)
///     }
/// }
///
/// let tries = std::cell::Cell::new(0);
/// let step = || {
///     tries.set(tries.get() + 1);
///     std::future::ready(Err::<(), _>(if tries.get() < 3 { StepError::Changed } else { StepError::Broken }))
/// };
/// assert!(matches!(pollster::block_on(retry_conflicts(step)), Err(StepError::Broken)));
/// assert_eq!(tries.get(), 3);
/// ```
pub trait Conflict {
    /// Returns whether the same step, taken again from the newest state, may succeed.
    fn is_conflict(&self) -> bool;
}

impl Conflict for StoreError {
    fn is_conflict(&self) -> bool {
        match self {
            Self::Conflict => true,
            Self::Unavailable(_) | Self::Damaged(_) => false,
        }
    }
}

/// Changes a request by a decision that needs nothing but the request and the time.
///
/// `start` is an id or a request that was just read. See [`update_async`] for decisions that look something up. The
/// closure says its error type, since `?` on the result would leave it open.
///
/// ```
/// use records::effects::EffectError;
/// use ports::Ports;
/// use records::update::{Decision, Updated, commit, update};
/// use domain::values::id::RequestId;
/// use domain::values::name::BrandName;
///
/// /// Cancels a request of this brand. `false` when there is nothing to cancel.
/// async fn cancel(ports: &Ports, id: RequestId, own: &BrandName) -> Result<bool, EffectError> {
///     let updated = update(ports, id, |request, now| -> Result<_, EffectError> {
///         if request.brand != *own {
///             return Ok(Decision::Stop(()));
///         }
///         let Ok(change) = request.cancel(now) else { return Ok(Decision::Stop(())) };
///         Ok(commit(change).then(domain::message::Step::Deliver).into())
///     });
///     match updated.await? {
///         Updated::Stored(_) => Ok(true),
///         Updated::Stopped(()) | Updated::Absent => Ok(false),
///     }
/// }
/// ```
///
/// # Errors
/// The decision's own, an [`EffectError`], and a conflict after [`CONFLICTS_MAX`] attempts.
pub async fn update<S, E>(
    ports: &Ports,
    start: impl Into<Start>,
    decide: impl Fn(&Request, Timestamp) -> Result<Decision<S>, E>,
) -> Result<Updated<S>, E>
where
    E: From<EffectError>,
{
    let decide = |loaded: VersionedRequest, now| std::future::ready(decide(&loaded.request, now));
    update_async(ports, start, decide).await
}

/// Changes a request by a decision that looks something up first, such as a brand or an address's limits.
///
/// What it looks up it looks up again after each conflict. `decide` takes the request by value, so that its future needs
/// no higher-ranked lifetime and stays `Send`.
///
/// # Errors
/// The decision's own, an [`EffectError`], and a conflict after [`CONFLICTS_MAX`] attempts.
pub async fn update_async<S, E, F>(
    ports: &Ports,
    start: impl Into<Start>,
    decide: impl Fn(VersionedRequest, Timestamp) -> F,
) -> Result<Updated<S>, E>
where
    E: From<EffectError>,
    F: Future<Output = Result<Decision<S>, E>>,
{
    let mut loaded = match start.into() {
        Start::Loaded(loaded) => Some(loaded),
        Start::Id(id) => load(ports, id).await?,
    };
    for _ in 0..CONFLICTS_MAX {
        let Some(current) = loaded else { return Ok(Updated::Absent) };
        let (id, version) = (current.request.id, current.version);
        let commit = match decide(current, ports.clock.now()).await? {
            Decision::Commit(commit) => commit,
            Decision::Stop(stop) => return Ok(Updated::Stopped(stop)),
        };
        match commit.apply(ports, Some(version)).await {
            Ok(stored) => return Ok(Updated::Stored(stored)),
            Err(error) if error.is_conflict() => loaded = load(ports, id).await?,
            Err(error) => return Err(error.into()),
        }
    }
    Err(EffectError::Store(StoreError::Conflict).into())
}

/// Stores a new request. `decide` is asked again when one of the writes that go along met a conflict.
///
/// # Errors
/// The decision's own, an [`EffectError`], and a conflict after [`CONFLICTS_MAX`] attempts.
pub async fn create<S, E, F>(
    ports: &Ports,
    decide: impl Fn(Timestamp) -> F,
) -> Result<Created<S>, E>
where
    E: From<EffectError>,
    F: Future<Output = Result<Decision<S>, E>>,
{
    for _ in 0..CONFLICTS_MAX {
        let commit = match decide(ports.clock.now()).await? {
            Decision::Commit(commit) => commit,
            Decision::Stop(stop) => return Ok(Created::Stopped(stop)),
        };
        match commit.apply(ports, None).await {
            Ok(stored) => return Ok(Created::Stored(stored)),
            Err(error) if error.is_conflict() => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(EffectError::Store(StoreError::Conflict).into())
}

/// Runs a step again from its start while another writer is first, for what is no single request's change.
///
/// # Errors
/// The step's own, which is a conflict after [`CONFLICTS_MAX`] attempts.
pub async fn retry_conflicts<T, E, F>(attempt: impl Fn() -> F) -> Result<T, E>
where
    E: Conflict,
    F: Future<Output = Result<T, E>>,
{
    for _ in 1..CONFLICTS_MAX {
        match attempt().await {
            Err(error) if error.is_conflict() => {}
            done => return done,
        }
    }
    attempt().await
}

async fn load(ports: &Ports, id: RequestId) -> Result<Option<VersionedRequest>, EffectError> {
    Ok(storage::load(ports.store.as_ref(), id).await?)
}
