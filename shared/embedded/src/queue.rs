//! The queue port on the table `messages`, and the receiving side with its visibility timeouts and dead letters.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use domain::message::{Message, QueueName};
use domain::ports::{Queue, QueueError, delay_seconds};
use domain::values::time::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use tokio::sync::watch;

use crate::database::Database;
use crate::fault::Fault;

/// How many times a message is given before it goes to the dead letters.
pub const RECEIVES_MAX: u32 = 5;

/// Changes whenever a message may have become due earlier than was known: sent, let go or redriven.
pub type Arrivals = watch::Receiver<u64>;

/// What deletes a received message or lets it go; it names this one time the message was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    message: i64,
    receives: u32,
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.message, self.receives)
    }
}

/// A message that is hidden from others until its visibility timeout is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// What deletes it or lets it go.
    pub receipt: Receipt,
    /// The message.
    pub message: Message,
    /// How many times it was given, this time included.
    pub receives: u32,
}

/// A message that was given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// The queue it was on.
    pub queue: QueueName,
    /// Its text, which may be one that this release cannot read.
    pub text: String,
    /// How many times it was given.
    pub receives: u32,
    /// When it was given up.
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

fn insert(connection: &Connection, queue: &str, text: &str, due_at: i64) -> Result<(), Fault> {
    connection
        .prepare_cached("INSERT INTO messages (queue, body, due_at) VALUES (?1, ?2, ?3)")?
        .execute(params![queue, text, due_at])?;
    Ok(())
}

/// Takes the first message that is due, and buries on the way what was given too often or cannot be read.
fn take(
    connection: &Connection,
    queue: QueueName,
    now: Timestamp,
    visibility: Duration,
) -> Result<Option<Received>, Fault> {
    while let Some(row) = first_due(connection, queue.as_str(), now.as_millis())? {
        let Ok(message) = serde_json::from_str(&row.text) else {
            tracing::error!(
                queue = queue.as_str(),
                "a message that cannot be read is a dead letter"
            );
            bury(connection, &row, now.as_millis())?;
            continue;
        };
        if row.receives >= RECEIVES_MAX {
            tracing::error!(queue = queue.as_str(), ?message, "a message is a dead letter");
            bury(connection, &row, now.as_millis())?;
            continue;
        }
        let receives = row.receives + 1;
        connection
            .prepare_cached("UPDATE messages SET due_at = ?2, receives = ?3 WHERE id = ?1")?
            .execute(params![row.id, now.after(visibility).as_millis(), receives])?;
        let receipt = Receipt { message: row.id, receives };
        return Ok(Some(Received { receipt, message, receives }));
    }
    Ok(None)
}

#[async_trait]
impl Queue for Database {
    async fn send(&self, message: &Message, delay: Duration) -> Result<(), QueueError> {
        let text = serde_json::to_string(message).map_err(Fault::Message)?;
        let queue = message.queue().as_str();
        let due_at = self.clock.now().after(whole(delay)).as_millis();
        self.connections.write(move |connection| insert(connection, queue, &text, due_at))?;
        self.arrived();
        Ok(())
    }
}

fn whole(delay: Duration) -> Duration {
    Duration::from_secs(delay_seconds(delay).into())
}

impl Database {
    /// Takes the first message on `queue` that can be seen at `now`, and hides it for the visibility timeout. One that
    /// was given five times before goes to the dead letters instead.
    ///
    /// # Errors
    /// [`QueueError`]; a message may then be hidden all the same.
    pub fn receive(
        &self,
        queue: QueueName,
        now: Timestamp,
    ) -> Result<Option<Received>, QueueError> {
        Ok(self.receive_some(queue, now, 1)?.pop())
    }

    /// Takes the first messages, at most `most` of them, with one flush to the disk.
    ///
    /// # Errors
    /// [`QueueError`]; messages may then be hidden all the same.
    pub fn receive_some(
        &self,
        queue: QueueName,
        now: Timestamp,
        most: usize,
    ) -> Result<Vec<Received>, QueueError> {
        let due = |connection: &Connection| first_due(connection, queue.as_str(), now.as_millis());
        if self.connections.read(due)?.is_none() {
            return Ok(Vec::new());
        }
        let visibility = self.visibility(queue);
        Ok(self.connections.write(move |connection| {
            let mut taken = Vec::new();
            while taken.len() < most
                && let Some(received) = take(connection, queue, now, visibility)?
            {
                taken.push(received);
            }
            Ok(taken)
        })?)
    }

    /// Deletes a message that was taken. A receipt that ran out deletes nothing, and that is no error: whoever took
    /// the message since then deletes it.
    ///
    /// # Errors
    /// [`QueueError`]; the message comes again, or not.
    pub fn delete(&self, receipt: Receipt) -> Result<(), QueueError> {
        Ok(self.connections.write(move |connection| {
            connection
                .prepare_cached("DELETE FROM messages WHERE id = ?1 AND receives = ?2")?
                .execute(params![receipt.message, receipt.receives])?;
            Ok(())
        })?)
    }

    /// Lets a message go that was taken, to be seen again after `delay`. A receipt that ran out changes nothing.
    ///
    /// # Errors
    /// [`QueueError`]; the message comes again when its visibility timeout is over.
    pub fn release(&self, receipt: Receipt, delay: Duration) -> Result<(), QueueError> {
        let due_at = self.clock.now().after(whole(delay)).as_millis();
        self.connections.write(move |connection| {
            connection
                .prepare_cached("UPDATE messages SET due_at = ?3 WHERE id = ?1 AND receives = ?2")?
                .execute(params![receipt.message, receipt.receives, due_at])?;
            Ok(())
        })?;
        self.arrived();
        Ok(())
    }

    /// When the next message on `queue` can be seen, which may be in the past; `None` while there is none.
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

    /// Tells of messages as they are sent, so that whoever waits for [`next_due`](Self::next_due) hears of an earlier one.
    #[must_use]
    pub fn arrivals(&self) -> Arrivals {
        self.arrivals.subscribe()
    }

    fn arrived(&self) {
        self.arrivals.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Shows every hidden message again at once: called when a process begins that is alone with the file, since whoever
    /// had taken them is gone, and that it went is not held against the messages.
    ///
    /// # Errors
    /// [`QueueError`]; the messages come again when their visibility timeouts are over.
    pub fn recover(&self) -> Result<(), QueueError> {
        let now = self.clock.now().as_millis();
        self.connections.write(move |connection| {
            connection
                .prepare_cached(
                    "UPDATE messages SET due_at = ?1, receives = receives - 1
                     WHERE receives > 0 AND due_at > ?1",
                )?
                .execute([now])?;
            Ok(())
        })?;
        self.arrived();
        Ok(())
    }

    /// How many messages are on each queue: due, delayed and hidden ones.
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

    /// The messages that were given up, oldest first, at most a hundred of each queue.
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

    /// Puts the dead letters of `queue` back onto it, counted anew, and says how many there were.
    ///
    /// # Errors
    /// [`QueueError`]; none is lost.
    pub fn redrive(&self, queue: QueueName) -> Result<usize, QueueError> {
        let now = self.clock.now().as_millis();
        let moved = self.connections.write(move |connection| {
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
        self.arrived();
        Ok(moved)
    }
}
