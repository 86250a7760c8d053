//! The queue port on the table `messages`.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::message::{Message, QueueName};
use domain::values::time::Timestamp;
use ports::{Outgoing, Queue, QueueError};
use rusqlite::{Connection, params};

use crate::database::Database;
use crate::fault::Fault;
use crate::group::Parts;
use crate::handover::{HandedOver, Handover};
use crate::queue::{arrived, whole};
use crate::writer::Durability;

/// A row of a new message. One that is handed over is hidden, as a received one is.
struct NewRow {
    queue: QueueName,
    text: String,
    due_at: Timestamp,
    receives: u32,
}

impl NewRow {
    /// Inserts the row, and returns its id.
    fn insert(&self, connection: &Connection) -> Result<i64, Fault> {
        connection
            .prepare_cached(
                "INSERT INTO messages (queue, body, due_at, receives) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![
                self.queue.as_str(),
                self.text,
                self.due_at.as_millis(),
                self.receives
            ])?;
        Ok(connection.last_insert_rowid())
    }
}

/// The receiver of a new message.
enum Receiver {
    /// It gets the message without reading it from the table.
    HandedTo(Handover),
    /// A receiver of this queue reads it from the table.
    Waits(QueueName),
}

#[async_trait]
impl Queue for Database {
    async fn send(&self, message: &Message, delay: Duration) -> Result<(), QueueError> {
        self.send_all(&[Outgoing { message: message.clone(), delay }]).await
    }

    async fn send_all(&self, messages: &[Outgoing]) -> Result<(), QueueError> {
        let now = self.clock.now();
        let new = messages.iter().map(|outgoing| self.new_row(outgoing, now));
        let (rows, receivers): (Vec<NewRow>, Vec<Receiver>) =
            new.collect::<Result<Vec<_>, Fault>>()?.into_iter().unzip();
        if rows.is_empty() {
            return Ok(());
        }
        let parts = if rows.len() == 1 { Parts::One } else { Parts::Several };
        // Not the database: the writing thread would wait for its own end if it dropped the last one.
        let arrivals = Arc::clone(&self.arrivals);
        let then = move |ids: &Vec<i64>| {
            for (receiver, id) in receivers.into_iter().zip(ids) {
                match receiver {
                    Receiver::HandedTo(handover) => handover.complete(*id),
                    Receiver::Waits(queue) => arrived(&arrivals, queue),
                }
            }
        };
        let insert = move |connection: &Connection| {
            rows.iter().map(|row| row.insert(connection)).collect::<Result<Vec<_>, Fault>>()
        };
        let sent =
            self.connections.write_then(Durability::Flushed, parts, insert, Some(Box::new(then)));
        sent.await?;
        Ok(())
    }
}

impl Database {
    /// Returns the row of a message, and its receiver: that of this process if the message is due at once.
    fn new_row(&self, outgoing: &Outgoing, now: Timestamp) -> Result<(NewRow, Receiver), Fault> {
        let Outgoing { message, delay } = outgoing;
        let (queue, delay) = (message.queue(), whole(*delay));
        let text = serde_json::to_string(message).map_err(Fault::Message)?;
        let handover = if delay.is_zero() { self.handovers.reserve(queue, message) } else { None };
        let (hidden_for, receives, receiver) = match handover {
            Some(handover) => (self.visibility(queue), 1, Receiver::HandedTo(handover)),
            None => (delay, 0, Receiver::Waits(queue)),
        };
        Ok((NewRow { queue, text, due_at: now.after(hidden_for), receives }, receiver))
    }

    /// Begins to hand over the messages of `queue` that are due when they are sent. A later call ends an earlier one's.
    ///
    /// A message is handed over once its row is committed, so that it is delivered again if this process ends.
    #[must_use]
    pub fn handed_over(&self, queue: QueueName) -> HandedOver {
        self.handovers.begin(queue)
    }
}
