//! A process that is killed at any moment has kept every write it answered, and half of none.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use domain::message::{Message, Step};
use domain::random::Random;
use domain::values::id::RequestId;
use domain::values::time::Timestamp;
use embedded::{Database, SystemClock, SystemRandom};
use ports::{Expect, Item, Key, Order, Queue, Range, Store, Write};

const FOLDER: &str = "ASSENT_KILLED_FOLDER";
const WRITERS: u8 = 3;
const ROUNDS: u8 = 12;

fn random() -> u8 {
    let mut bytes = [0];
    SystemRandom.fill(&mut bytes);
    bytes[0]
}

/// Each writer has a partition for each round, and counts up in it.
fn partition(round: u8, writer: u8) -> String {
    format!("killed:{round}:{writer}")
}

fn item(pk: &str, sk: &str, version: u64) -> Item {
    let body = format!("\"{}\"", "x".repeat(2_000));
    let key = Key { pk: pk.to_owned(), sk: sk.to_owned() };
    Item { key, version, body, expires_at: None, index: None }
}

/// Makes one step of a request: its item's next version, an entry and a message. It prints each answered step.
fn write_until_killed(folder: &Path, round: u8) {
    let database = Database::open(folder, Arc::new(SystemClock)).unwrap();
    let start = Barrier::new(WRITERS.into());
    std::thread::scope(|threads| {
        for writer in 0..WRITERS {
            let (database, start) = (&database, &start);
            threads.spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                let (pk, mut out) = (partition(round, writer), std::io::stdout());
                start.wait();
                for version in 1.. {
                    let expect =
                        if version == 1 { Expect::Absent } else { Expect::Version(version - 1) };
                    let request = item(&pk, "REQ", version);
                    let event = item(&pk, &format!("EVT#{version:08}"), 1);
                    let writes = vec![
                        Write::Put { item: request, expect },
                        Write::Put { item: event, expect: Expect::Absent },
                    ];
                    runtime.block_on(database.write(writes)).unwrap();
                    writeln!(out, "wrote {writer} {version}").unwrap();
                    let id = RequestId::new(Timestamp::EPOCH, [writer; 10]);
                    let message = Message::new(Step::Deliver, id);
                    runtime.block_on(database.send(&message, Duration::ZERO)).unwrap();
                    writeln!(out, "sent {writer} {version}").unwrap();
                }
            });
        }
    });
}

fn start_child(folder: &Path, round: u8) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["answered_write_survives_a_kill", "--exact", "--nocapture"])
        .env(FOLDER, folder)
        .env("ASSENT_KILLED_ROUND", round.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The child's own account: the last version written and the number of messages sent, per writer.
#[derive(Clone, Copy, Default)]
struct ChildReport {
    written: u64,
    sent: u64,
}

fn kill_at_random(mut child: Child) -> Vec<ChildReport> {
    let mut answered = vec![ChildReport::default(); WRITERS.into()];
    let mut left = Some(u32::from(random()) + 1);
    for line in BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok) {
        let words: Vec<&str> = line.split(' ').collect();
        let [what, writer, version] = words[..] else { continue };
        let Some(of) = writer.parse().ok().and_then(|writer: usize| answered.get_mut(writer))
        else {
            continue;
        };
        match what {
            "wrote" => of.written = version.parse().unwrap(),
            "sent" => of.sent = version.parse().unwrap(),
            _ => continue,
        }
        // What was said before the kill and is still in the pipe counts too.
        left = left.and_then(|left| left.checked_sub(1));
        if left == Some(0) {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    assert!(left.is_none_or(|left| left == 0), "the child died by itself");
    answered
}

async fn assert_whole(database: &Database, pk: &str, answered: ChildReport) {
    let key = Key { pk: pk.to_owned(), sk: "REQ".to_owned() };
    let version = database.read(&key).await.unwrap().map_or(0, |item| item.version);
    // One more may have been committed without the answer having been said.
    let may_be = answered.written..=answered.written + 1;
    assert!(may_be.contains(&version), "{pk}: {} answered, {version} there", answered.written);
    let (mut events, mut after, mut more) = (0, None, true);
    while more {
        let (pk, prefix) = (pk.to_owned(), "EVT#".to_owned());
        let range = Range { pk, prefix, after, limit: 100, order: Order::Ascending };
        let page = database.list(&range).await.unwrap();
        for item in &page.items {
            events += 1;
            assert_eq!(item.key.sk, format!("EVT#{events:08}"));
            assert_eq!(item.body.len(), 2_002);
        }
        after = page.items.last().map(|item| item.key.sk.clone());
        more = page.more;
    }
    assert_eq!(
        events, version,
        "{pk}: a request without its event, or an event without its request"
    );
}

#[tokio::test]
async fn answered_write_survives_a_kill() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        let round = std::env::var_os("ASSENT_KILLED_ROUND").unwrap();
        let round = round.to_str().unwrap().parse().unwrap();
        return std::thread::spawn(move || write_until_killed(Path::new(&folder), round))
            .join()
            .unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let (mut said, mut sent) = (Vec::new(), 0);
    for round in 0..ROUNDS {
        let answered = kill_at_random(start_child(folder.path(), round));
        sent += answered.iter().map(|answered| answered.sent).sum::<u64>();
        said.extend((0..WRITERS).map(|writer| partition(round, writer)).zip(answered));
        let database = Database::open(folder.path(), Arc::new(SystemClock)).unwrap();
        for (pk, answered) in &said {
            assert_whole(&database, pk, *answered).await;
        }
        let there: u64 = database.pending().unwrap().values().sum();
        // One more of each writer of each round may be there.
        let unsaid = u64::from(WRITERS) * (u64::from(round) + 1);
        assert!((sent..=sent + unsaid).contains(&there), "{sent} messages sent, {there} there");
    }
    let file = rusqlite::Connection::open(folder.path().join("assent.sqlite")).unwrap();
    let check =
        file.query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0)).unwrap();
    assert_eq!(check, "ok");
}
