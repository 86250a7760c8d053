//! The group commit: changes that wait together are made in one transaction, and reach the disk with one flush.

use std::sync::Arc;

use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::fault::Fault;

/// The result of a change, or a channel that closes without one if the change was lost.
pub(crate) type Answer<T> = oneshot::Receiver<Result<T, Fault>>;

/// The number of statements of a change, which says whether a part of it can be made alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Parts {
    /// It is one statement, which SQLite makes whole or not at all.
    One,
    /// It is several statements.
    Several,
}

/// A change that waits for a commit.
pub(crate) trait Job: Send {
    /// Returns whether it can fail after a part of it was made.
    fn parts(&self) -> Parts;

    /// Makes the change within a transaction; `false` if it must be rolled back.
    fn run(&mut self, connection: &Connection) -> bool;

    /// Makes the change in a commit of its own.
    fn run_alone(&mut self, connection: &Connection);

    /// Passes the result to the caller that waits for it.
    fn answer(self: Box<Self>, committed: Result<(), Arc<rusqlite::Error>>);
}

/// The act that follows a committed change, also where its caller waits no longer.
pub(crate) type Then<T> = Box<dyn FnOnce(&T) + Send>;

struct Change<T, F> {
    parts: Parts,
    work: Option<F>,
    done: Option<Result<T, Fault>>,
    then: Option<Then<T>>,
    answer: oneshot::Sender<Result<T, Fault>>,
}

/// Returns a job that does this work, and the receiver of its result.
pub(crate) fn job<T: Send + 'static>(
    parts: Parts,
    work: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    then: Option<Then<T>>,
) -> (Box<dyn Job>, Answer<T>) {
    let (answer, receiver) = oneshot::channel();
    (Box::new(Change { parts, work: Some(work), done: None, then, answer }), receiver)
}

impl<T: Send, F> Job for Change<T, F>
where
    F: FnOnce(&Connection) -> Result<T, Fault> + Send,
{
    fn parts(&self) -> Parts {
        self.parts
    }

    fn run(&mut self, connection: &Connection) -> bool {
        self.done = self.work.take().map(|work| work(connection));
        matches!(self.done, Some(Ok(_)))
    }

    fn run_alone(&mut self, connection: &Connection) {
        let parts = self.parts;
        self.done = self.work.take().map(|work| commit_alone(connection, parts, work));
    }

    fn answer(self: Box<Self>, committed: Result<(), Arc<rusqlite::Error>>) {
        let answer = match (self.done, committed) {
            (Some(Ok(_)) | None, Err(error)) => Err(Fault::Commit(error)),
            (Some(done), Ok(()) | Err(_)) => done,
            (None, Ok(())) => Err(Fault::Lost),
        };
        if let (Ok(value), Some(then)) = (&answer, self.then) {
            then(value);
        }
        // The caller may wait no longer.
        drop(self.answer.send(answer));
    }
}

/// Makes the changes in one commit, and answers each of them.
pub(crate) fn commit(connection: &Connection, mut jobs: Vec<Box<dyn Job>>) {
    let committed = match jobs.as_mut_slice() {
        [job] => {
            job.run_alone(connection);
            Ok(())
        }
        several => commit_several(connection, several).map_err(Arc::new),
    };
    for job in jobs {
        job.answer(committed.clone());
    }
}

/// Makes one change in a commit of its own.
pub(crate) fn commit_alone<T>(
    connection: &Connection,
    parts: Parts,
    work: impl FnOnce(&Connection) -> Result<T, Fault>,
) -> Result<T, Fault> {
    // SQLite commits a statement outside of a transaction by itself.
    if parts == Parts::One {
        return work(connection);
    }
    execute(connection, "BEGIN IMMEDIATE")?;
    let done = work(connection);
    if done.is_ok() {
        end(connection)?;
    } else {
        roll_back(connection)?;
    }
    done
}

fn commit_several(
    connection: &Connection,
    jobs: &mut [Box<dyn Job>],
) -> Result<(), rusqlite::Error> {
    execute(connection, "BEGIN IMMEDIATE")?;
    for job in jobs {
        let made = match job.parts() {
            Parts::One => {
                job.run(connection);
                Ok(())
            }
            Parts::Several => within_savepoint(connection, job.as_mut()),
        };
        if made.is_err() {
            roll_back(connection)?;
            return made;
        }
        // A full disk ends the whole transaction. Later changes would be made outside of it, and the commit fails.
        if connection.is_autocommit() {
            break;
        }
    }
    end(connection)
}

fn within_savepoint(connection: &Connection, job: &mut dyn Job) -> Result<(), rusqlite::Error> {
    execute(connection, "SAVEPOINT change")?;
    if !job.run(connection) {
        execute(connection, "ROLLBACK TO change")?;
    }
    execute(connection, "RELEASE change")
}

/// Commits the transaction, and ends it also where that fails.
fn end(connection: &Connection) -> Result<(), rusqlite::Error> {
    let committed = execute(connection, "COMMIT");
    if committed.is_err() {
        roll_back(connection)?;
    }
    committed
}

fn roll_back(connection: &Connection) -> Result<(), rusqlite::Error> {
    if connection.is_autocommit() { Ok(()) } else { execute(connection, "ROLLBACK") }
}

/// Executes a statement that is prepared once.
fn execute(connection: &Connection, sql: &str) -> Result<(), rusqlite::Error> {
    connection.prepare_cached(sql)?.execute([]).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE made (id INTEGER PRIMARY KEY, text TEXT)").unwrap();
        connection
    }

    fn insert(connection: &Connection, text: &str) -> Result<(), Fault> {
        connection.execute("INSERT INTO made (text) VALUES (?1)", [text])?;
        Ok(())
    }

    fn made(connection: &Connection) -> Vec<String> {
        let mut found =
            connection.prepare("SELECT substr(text, 1, 9) FROM made ORDER BY id").unwrap();
        let rows = found.query_map([], |row| row.get(0)).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    }

    /// A change that makes one insert after another, and fails then if it is told to.
    fn change(
        parts: Parts,
        texts: &'static [&'static str],
        fails: bool,
    ) -> (Box<dyn Job>, Answer<()>) {
        let work = move |connection: &Connection| {
            texts.iter().try_for_each(|text| insert(connection, text))?;
            if fails { Err(Fault::Conflict) } else { Ok(()) }
        };
        job(parts, work, None)
    }

    #[test]
    fn failed_change_of_a_group_is_undone_alone() {
        let connection = opened();
        let changes = [
            change(Parts::One, &["first"], false),
            change(Parts::Several, &["undone", "undone"], true),
            change(Parts::One, &[], true),
            change(Parts::Several, &["second", "third"], false),
        ];
        let (jobs, answers): (Vec<_>, Vec<_>) = changes.into_iter().unzip();
        commit(&connection, jobs);
        let answers = answers.into_iter().map(|mut answer| answer.try_recv().unwrap());
        let is_conflict = |answer: Result<(), Fault>| matches!(answer, Err(Fault::Conflict));
        assert_eq!(answers.map(is_conflict).collect::<Vec<_>>(), [false, true, true, false]);
        assert_eq!(made(&connection), ["first", "second", "third"]);
        assert!(connection.is_autocommit());
    }

    #[test]
    fn failed_change_alone_is_undone() {
        let connection = opened();
        commit(&connection, vec![change(Parts::Several, &["undone"], true).0]);
        commit(&connection, vec![change(Parts::Several, &["kept"], false).0]);
        assert_eq!(made(&connection), ["kept"]);
    }

    /// Within a full file, SQLite ends the whole transaction by itself, or the statement alone.
    #[test]
    fn no_change_of_a_group_is_answered_without_being_kept() {
        let connection = opened();
        connection.execute_batch("PRAGMA max_page_count = 8").unwrap();
        let large = || {
            let text = format!("large    {}", "x".repeat(100_000));
            job(Parts::One, move |connection| insert(connection, &text), None)
        };
        let changes = [
            change(Parts::One, &["before"], false),
            large(),
            change(Parts::One, &["after"], false),
        ];
        let (jobs, answers): (Vec<_>, Vec<_>) = changes.into_iter().unzip();
        commit(&connection, jobs);
        let kept = answers.into_iter().map(|mut answer| answer.try_recv().unwrap().is_ok());
        let kept: Vec<bool> = kept.collect();
        assert!(!kept[1]);
        let names = ["before", "large", "after"].into_iter().zip(kept);
        let expected: Vec<&str> = names.filter(|(_, kept)| *kept).map(|(name, _)| name).collect();
        assert_eq!(made(&connection), expected);
        assert!(connection.is_autocommit());
    }
}
