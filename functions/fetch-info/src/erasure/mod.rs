//! The erasure of a customer, and of a single saved card: owed until it is done.

mod cards;
mod silence;

use std::sync::Arc;
use std::time::Duration;

use domain::brand::{Brand, BrandScope};
use domain::message::Task;
use domain::request::Request;
use domain::values::id::RequestId;
use domain::values::time::Timestamp;
use ports::{Ports, Processors, Store};
use records::contact::ChannelScope;
use records::customers::{CustomerItem, CustomerScope};
use records::effects::send_task;
use records::erasures::Erasure;
use records::update::{Decision, Updated, commit, update};
use records::{claims, customers, erasures, limits, saved_cards};

use self::cards::CardEnd;
use crate::StepError;
use crate::waits::{DELAY_MAX, retry_wait};

/// The most pages of a customer's items in one run. The next run goes on with what is left.
const PAGES_MAX: usize = 5;

/// The worker that erases customers and takes cards off file.
pub(crate) struct Erasures<'a> {
    pub(crate) ports: &'a Ports,
    pub(crate) processors: &'a dyn Processors,
}

/// The stable code of a reason why an erasure cannot finish yet.
type Obstacle = &'static str;

impl Erasures<'_> {
    /// Runs a task. What it cannot finish now runs again, until it is finished.
    pub(crate) async fn run(&self, task: &Task) -> Result<(), StepError> {
        let wait = match task {
            Task::DetachCard { brand, mode, card } => {
                self.detach_alone(BrandScope { brand, mode: *mode }, *card).await?
            }
            Task::EraseCustomer { brand, mode, address } => {
                let of = BrandScope { brand, mode: *mode };
                self.erase(CustomerScope { of, address }).await?
            }
            Task::CheckCards => self.check_cards().await?,
        };
        let Some(wait) = wait else { return Ok(()) };
        Ok(send_task(self.ports.queue.as_ref(), task.clone(), wait).await?)
    }

    fn store(&self) -> &dyn Store {
        self.ports.store.as_ref()
    }

    /// Erases what it can of a customer. Returns the wait for the next run; `None` when nothing is owed.
    async fn erase(&self, customer: CustomerScope<'_>) -> Result<Option<Duration>, StepError> {
        let Some((erasure, version)) = erasures::load(self.store(), customer).await? else {
            return Ok(None);
        };
        if erasure.done_at.is_some() {
            return Ok(None);
        }
        let brand = self.ports.secrets.brand(customer.of.brand).await?;
        let (mut obstacle, mut after) = (None, None);
        for _ in 0..PAGES_MAX {
            let now = self.ports.clock.now();
            let page = customers::list(self.store(), customer, after, now).await?;
            for item in &page.items {
                obstacle = self.erase_item(&brand, customer, item).await?.or(obstacle);
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        if after.is_some() {
            return Ok(Some(Duration::from_secs(1)));
        }
        for setup in &brand.setup(customer.of.mode).channels {
            let BrandScope { brand, mode } = customer.of;
            let at = ChannelScope { brand, mode, channel: &setup.name };
            self.store().write(customers::delete_channel(at, customer.address).into()).await?;
        }
        self.store().write(vec![customers::delete_device(customer)]).await?;
        match obstacle {
            None => self.finish(customer, &erasure, version).await,
            Some(reason) => {
                let next = erasure.postponed(reason);
                let write = erasures::put(customer, &next, Some(version))?;
                self.store().write(vec![write]).await?;
                Ok(Some(wait_after(next.tries)))
            }
        }
    }

    /// Records that everything is erased, and lets the customer be asked again.
    async fn finish(
        &self,
        customer: CustomerScope<'_>,
        erasure: &Erasure,
        version: u64,
    ) -> Result<Option<Duration>, StepError> {
        let now = self.ports.clock.now();
        let (mut known, base) = limits::load(self.store(), customer.of, customer.address).await?;
        known.erasing_since = None;
        let writes = vec![
            erasures::put(customer, &erasure.done(now), Some(version))?,
            limits::put(customer.of, customer.address, &known, base, now)?,
        ];
        self.store().write(writes).await?;
        tracing::info!(brand.name = %customer.of.brand, "customer erased");
        Ok(None)
    }

    /// Erases one item of a customer. Returns what stands in the way.
    async fn erase_item(
        &self,
        brand: &Arc<Brand>,
        customer: CustomerScope<'_>,
        item: &CustomerItem,
    ) -> Result<Option<Obstacle>, StepError> {
        match item {
            CustomerItem::Request { request } => {
                let obstacle = self.erase_request(*request).await?;
                if obstacle.is_none() {
                    self.store().write(vec![customers::delete(customer, item)]).await?;
                }
                Ok(obstacle)
            }
            CustomerItem::Handle { channel, handle } => {
                let at = ChannelScope { brand: customer.of.brand, mode: customer.of.mode, channel };
                let deleted = customers::delete_handle(at, handle);
                self.store().write(vec![deleted, customers::delete(customer, item)]).await?;
                Ok(None)
            }
            CustomerItem::Card { card } => {
                let of = customer.of;
                let known = saved_cards::load(self.store(), of.brand, of.mode, *card).await?;
                let Some(known) = known else {
                    self.store().write(vec![customers::delete(customer, item)]).await?;
                    return Ok(None);
                };
                Ok(match self.detach(brand, of, *card, &known).await? {
                    CardEnd::Detached => None,
                    CardEnd::Waits(reason) | CardEnd::Failed(reason) => Some(reason),
                })
            }
        }
    }

    /// Erases a request that has ended, with its claims, its journal's personal members and its webhook events.
    async fn erase_request(&self, id: RequestId) -> Result<Option<Obstacle>, StepError> {
        let decide = |request: &Request, now: Timestamp| -> Result<Decision<()>, StepError> {
            let Some(change) = request.erase(now) else { return Ok(Decision::Stop(())) };
            Ok(commit(change).with_writes([claims::delete(id)]).into())
        };
        match update(self.ports, id, decide).await? {
            Updated::Stopped(()) => return Ok(Some("open_request")),
            Updated::Stored(_) | Updated::Absent => {}
        }
        let now = self.ports.clock.now();
        let erased = erasures::erase_parts(self.store(), id, now).await?;
        Ok((!erased).then_some("webhook_delivery"))
    }
}

/// Returns the wait after a run that could not finish: short at first, then the longest delay of the queue.
pub(super) fn wait_after(tries: u32) -> Duration {
    if tries > 10 { DELAY_MAX } else { retry_wait(tries) }
}
