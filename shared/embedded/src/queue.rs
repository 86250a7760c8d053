//! The receiving side of the queues in the table `messages`: visibility timeouts, dead letters, redrive.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::message::QueueName;
use domain::values::time::Timestamp;
use ports::{QueueError, delay_seconds};
use rusqlite::{Connection, OptionalExtension, params};
use tokio::sync::watch;

use crate::database::Database;
use crate::fault::Fault;
use crate::group::Parts;
use crate::of_queue::of_queue;
use crate::received::{Receipt, ReceivedMessage};
use crate::writer::Durability;

/// The most deliveries of a message. Then it becomes a dead letter.
pub const RECEIVES_MAX: u32 = 5;

/// Changes whenever a message may be due earlier than before: after a send, a release or a redrive.
pub type Arrivals = watch::Receiver<u64>;

/// A message that no receiver handled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// Its queue.
    pub queue: QueueName,
    /// Its text, which may not parse in this release.
    pub text: String,
    /// The number of its deliveries.
    pub receives: u32,
    /// The time at which it became a dead letter.
    pub died_at: Timestamp,
}

struct Row {
    id: i64,
    text: String,
    receives: u32,
}

fn first_due(connection: &Connection, queue: &str, now: i64) -> Result<Option<Row>, Fault> {
    let mut first = connection.prepare_cached(
        "SELECT id, body, receives FROM messages WHERE queue = ?1 AND due_at <= ?2
         ORDER BY due_at, id LIMIT 1",
    )?;
    let row = first
        .query_row(params![queue, now], |row| {
            Ok(Row { id: row.get(0)?, text: row.get(1)?, receives: row.get(2)? })
        })
        .optional()?;
    Ok(row)
}

fn bury(connection: &Connection, row: &Row, now: i64) -> Result<(), Fault> {
    connection
        .prepare_cached(
            "INSERT INTO dead_letters (queue, body, receives, died_at)
             SELECT queue, body, receives, ?2 FROM messages WHERE id = ?1",
        )?
        .execute(params![row.id, now])?;
    connection.prepare_cached("DELETE FROM messages WHERE id = ?1")?.execute([row.id])?;
    Ok(())
}

fn delete(connection: &Connection, receipt: Receipt) -> Result<(), Fault> {
    connection
        .prepare_cached("DELETE FROM messages WHERE id = ?1 AND receives = ?2")?
        .execute(params![receipt.message, receipt.receives])?;
    Ok(())
}

/// Takes the first due message. Messages before it that do not parse, or reached the limit, become dead letters.
fn take(
    connection: &Connection,
    queue: QueueName,
    now: Timestamp,
    visibility: Duration,
) -> Result<Option<ReceivedMessage>, Fault> {
    while let Some(row) = first_due(connection, queue.as_str(), now.as_millis())? {
        let Ok(message) = serde_json::from_str(&row.text) else {
            tracing::error!(queue = queue.as_str(), "unreadable message moved to the dead letters");
            bury(connection, &row, now.as_millis())?;
            continue;
        };
        if row.receives >= RECEIVES_MAX {
            tracing::error!(queue = queue.as_str(), ?message, "message moved to the dead letters");
            bury(connection, &row, now.as_millis())?;
            continue;
        }
        let receives = row.receives + 1;
        connection
            .prepare_cached("UPDATE messages SET due_at = ?2, receives = ?3 WHERE id = ?1")?
            .execute(params![row.id, now.after(visibility).as_millis(), receives])?;
        let receipt = Receipt { message: row.id, receives };
        return Ok(Some(ReceivedMessage { receipt, message, receives }));
    }
    Ok(None)
}

/// Wakes who waits for messages of the queue.
pub(crate) fn arrived(arrivals: &[watch::Sender<u64>; 3], queue: QueueName) {
    of_queue(arrivals, queue).send_modify(|count| *count = count.wrapping_add(1));
}

/// Returns a delay in whole seconds, as queues have it.
pub(crate) fn whole(delay: Duration) -> Duration {
    Duration::from_secs(delay_seconds(delay).into())
}

impl Database {
    /// Receives the first visible message of `queue`, and hides it for the visibility timeout.
    ///
    /// A message with five deliveries becomes a dead letter instead.
    ///
    /// # Errors
    /// [`QueueError`]; a message may be hidden then.
    pub fn receive(
        &self,
        queue: QueueName,
        now: Timestamp,
    ) -> Result<Option<ReceivedMessage>, QueueError> {
        if !self.is_due(queue, now)? {
            return Ok(None);
        }
        let visibility = self.visibility(queue);
        Ok(self.connections.write_and_wait(Parts::Several, move |connection| {
            take(connection, queue, now, visibility)
        })?)
    }

    /// Receives at most `most` messages in one commit.
    ///
    /// It is not flushed: a power failure may make the messages visible again, as [`recover`](Self::recover) does.
    ///
    /// # Errors
    /// [`QueueError`]; messages may be hidden then.
    pub async fn receive_some(
        &self,
        queue: QueueName,
        now: Timestamp,
        most: usize,
    ) -> Result<Vec<ReceivedMessage>, QueueError> {
        if !self.is_due(queue, now)? {
            return Ok(Vec::new());
        }
        let visibility = self.visibility(queue);
        let taken =
            self.connections.write(Durability::Unflushed, Parts::Several, move |connection| {
                let mut taken = Vec::new();
                while taken.len() < most
                    && let Some(received) = take(connection, queue, now, visibility)?
                {
                    taken.push(received);
                }
                Ok(taken)
            });
        Ok(taken.await?)
    }

    /// Returns whether a message of the queue is visible.
    fn is_due(&self, queue: QueueName, now: Timestamp) -> Result<bool, Fault> {
        let due = |connection: &Connection| first_due(connection, queue.as_str(), now.as_millis());
        self.connections.read(due).map(|row| row.is_some())
    }

    /// Deletes a received message. An expired receipt deletes nothing, without an error: the later receiver deletes it.
    ///
    /// # Errors
    /// [`QueueError`]; the message may be delivered again.
    pub fn delete(&self, receipt: Receipt) -> Result<(), QueueError> {
        Ok(self
            .connections
            .write_and_wait(Parts::One, move |connection| delete(connection, receipt))?)
    }

    /// Deletes a received message with the next commit, and does not wait for it.
    ///
    /// If the process ends before, the message is delivered again.
    pub fn delete_later(&self, receipt: Receipt) {
        self.connections.defer(Parts::One, move |connection| delete(connection, receipt));
    }

    /// Releases a received message, which is visible again after `delay`. An expired receipt changes nothing.
    ///
    /// # Errors
    /// [`QueueError`]; the message is visible again after its visibility timeout.
    pub fn release(&self, receipt: Receipt, delay: Duration) -> Result<(), QueueError> {
        let due_at = self.clock.now().after(whole(delay)).as_millis();
        self.connections.write_and_wait(Parts::One, move |connection| {
            connection
                .prepare_cached("UPDATE messages SET due_at = ?3 WHERE id = ?1 AND receives = ?2")?
                .execute(params![receipt.message, receipt.receives, due_at])?;
            Ok(())
        })?;
        self.all_arrived();
        Ok(())
    }

    /// Returns the time at which the next message of `queue` is visible, or `None` for an empty queue. The time may be past.
    ///
    /// # Errors
    /// [`QueueError`].
    pub fn next_due(&self, queue: QueueName) -> Result<Option<Timestamp>, QueueError> {
        let due: Option<i64> = self.connections.read(|connection| {
            let mut next =
                connection.prepare_cached("SELECT min(due_at) FROM messages WHERE queue = ?1")?;
            Ok(next.query_row([queue.as_str()], |row| row.get(0))?)
        })?;
        Ok(due.map(Timestamp::from_millis))
    }

    /// Returns a watch that changes with each send to `queue`, so that a waiter for [`next_due`](Self::next_due) checks
    /// again.
    #[must_use]
    pub fn arrivals(&self, queue: QueueName) -> Arrivals {
        of_queue(&self.arrivals, queue).subscribe()
    }

    fn all_arrived(&self) {
        QueueName::ALL.into_iter().for_each(|queue| arrived(&self.arrivals, queue));
    }

    /// Makes every hidden message visible, and does not count its last delivery.
    ///
    /// Call it when a process starts that has the file alone: the receivers of those messages have ended.
    ///
    /// # Errors
    /// [`QueueError`]; the messages are visible again after their visibility timeouts.
    pub fn recover(&self) -> Result<(), QueueError> {
        let now = self.clock.now().as_millis();
        self.connections.write_and_wait(Parts::One, move |connection| {
            connection
                .prepare_cached(
                    "UPDATE messages SET due_at = ?1, receives = receives - 1
                     WHERE receives > 0 AND due_at > ?1",
                )?
                .execute([now])?;
            Ok(())
        })?;
        self.all_arrived();
        Ok(())
    }

    /// Counts the messages of each queue: due, delayed and hidden ones.
    ///
    /// # Errors
    /// [`QueueError`].
    pub fn pending(&self) -> Result<BTreeMap<QueueName, u64>, QueueError> {
        Ok(self.connections.read(|connection| {
            let mut count =
                connection.prepare_cached("SELECT count(*) FROM messages WHERE queue = ?1")?;
            let mut counts = BTreeMap::new();
            for queue in QueueName::ALL {
                counts.insert(queue, count.query_row([queue.as_str()], |row| row.get(0))?);
            }
            Ok(counts)
        })?)
    }

    /// Returns the dead letters, oldest first, at most a hundred of each queue.
    ///
    /// # Errors
    /// [`QueueError`].
    pub fn dead_letters(&self) -> Result<Vec<DeadLetter>, QueueError> {
        Ok(self.connections.read(|connection| {
            let mut found = connection.prepare_cached(
                "SELECT body, receives, died_at FROM dead_letters WHERE queue = ?1 ORDER BY id LIMIT 100",
            )?;
            let mut letters = Vec::new();
            for queue in QueueName::ALL {
                let rows = found.query_map([queue.as_str()], |row| {
                    let died_at = Timestamp::from_millis(row.get(2)?);
                    Ok(DeadLetter { queue, text: row.get(0)?, receives: row.get(1)?, died_at })
                })?;
                letters.extend(rows.collect::<Result<Vec<_>, _>>()?);
            }
            Ok(letters)
        })?)
    }

    /// Moves the dead letters of `queue` back to it with no deliveries, and returns their number.
    ///
    /// # Errors
    /// [`QueueError`]; none is lost.
    pub fn redrive(&self, queue: QueueName) -> Result<usize, QueueError> {
        let now = self.clock.now().as_millis();
        let moved = self.connections.write_and_wait(Parts::Several, move |connection| {
            let moved = connection
                .prepare_cached(
                    "INSERT INTO messages (queue, body, due_at)
                     SELECT queue, body, ?2 FROM dead_letters WHERE queue = ?1 ORDER BY id",
                )?
                .execute(params![queue.as_str(), now])?;
            connection
                .prepare_cached("DELETE FROM dead_letters WHERE queue = ?1")?
                .execute([queue.as_str()])?;
            Ok(moved)
        })?;
        arrived(&self.arrivals, queue);
        Ok(moved)
    }
}
