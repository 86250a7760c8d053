//! Messages that go from their sender to a receiver of the same process, without being read from the table.
//!
//! The table has such a message as a received one. So it is delivered again if its receiver ends before it is handled.

use std::sync::{Arc, Mutex, PoisonError};

use domain::message::{Message, QueueName};
use tokio::sync::mpsc;

use crate::of_queue::of_queue;
use crate::received::{Receipt, ReceivedMessage};

/// The most messages that wait for their receiver. Further ones wait in the table.
const WAITING_MAX: usize = 64;

/// The receiver of messages that are handed over.
pub type HandedOver = mpsc::Receiver<ReceivedMessage>;

/// The receivers of this process: at most one for each queue.
#[derive(Clone, Default)]
pub(crate) struct Handovers(Arc<[Mutex<Option<mpsc::Sender<ReceivedMessage>>>; 3]>);

impl Handovers {
    /// Begins to hand over the messages of a queue. An earlier receiver of the queue gets no more.
    pub(crate) fn begin(&self, queue: QueueName) -> HandedOver {
        let (sender, receiver) = mpsc::channel(WAITING_MAX);
        *of_queue(&self.0, queue).lock().unwrap_or_else(PoisonError::into_inner) = Some(sender);
        receiver
    }

    /// Reserves a place at the receiver of a queue; `None` where it has no place, or there is no receiver.
    pub(crate) fn reserve(&self, queue: QueueName, message: &Message) -> Option<Handover> {
        let sender =
            of_queue(&self.0, queue).lock().unwrap_or_else(PoisonError::into_inner).clone()?;
        let place = sender.try_reserve_owned().ok()?;
        Some(Handover { place, message: message.clone() })
    }
}

/// A message with its place at the receiver.
pub(crate) struct Handover {
    place: mpsc::OwnedPermit<ReceivedMessage>,
    message: Message,
}

impl Handover {
    /// Hands the message over, which the table has under this id.
    pub(crate) fn complete(self, id: i64) {
        let receipt = Receipt { message: id, receives: 1 };
        self.place.send(ReceivedMessage { receipt, message: self.message, receives: 1 });
    }
}
