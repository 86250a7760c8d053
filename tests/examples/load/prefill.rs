//! Stored requests to measure against, written straight into the file in the functions' layout.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use domain::ask::{Ask, Customer, Metadata, Session, SessionKind};
use domain::digest::digest_hex;
use domain::request::Request;
use domain::values::id::RequestId;
use domain::values::money::Money;
use domain::values::text::DisplayText;
use domain::values::time::Timestamp;
use embedded::{Database, SystemClock};
use ports::Clock;
use records::storage::commit;
use tests::doubles::sample_request;

/// The number of commits that share one flush to the disk.
const WRITERS: usize = 64;

/// Stores `count` requests: accepted, and all but every tenth ended.
pub(crate) fn fill(folder: &Path, count: usize) {
    let database = Database::open(folder, Arc::new(SystemClock)).unwrap();
    let now = SystemClock.now();
    std::thread::scope(|threads| {
        for writer in 0..WRITERS {
            let database = &database;
            threads.spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                for number in (writer..count).step_by(WRITERS) {
                    runtime.block_on(store(database, number, now));
                }
            });
        }
    });
}

async fn store(database: &Database, number: usize, now: Timestamp) {
    let request = request(number, now);
    let accepted = commit(database, None, request.accepted(), Vec::new()).await.unwrap();
    if !number.is_multiple_of(10) {
        let change = accepted.request.cancel(now).unwrap();
        commit(database, Some(accepted.version), change, Vec::new()).await.unwrap();
    }
}

fn request(number: usize, now: Timestamp) -> Request {
    let mut random = [0_u8; 10];
    random[..8].copy_from_slice(&u64::try_from(number).unwrap().to_be_bytes());
    let at = now.before(Duration::from_millis(u64::try_from(number % 3_600_000).unwrap()));
    let id = RequestId::new(at, random);
    let brand = "demo".parse().unwrap();
    let money = Money::new(4250, "EUR".parse().unwrap()).unwrap();
    let ask =
        Ask::Payment { money, description: DisplayText::new("Invoice 4711").unwrap(), card: None };
    let language = Some("en-GB".parse().unwrap());
    Request {
        customer: Customer {
            phone: format!("+1666{number:07}").parse().unwrap(),
            email: None,
            name: Some(DisplayText::new("Ada").unwrap()),
            language,
        },
        address: digest_hex(&number.to_be_bytes()),
        session: Session { kind: SessionKind::Voice, id: format!("CA{}", number / 3), agent: None },
        routes: vec!["sandbox".parse().unwrap()],
        metadata: Metadata::from([("ticket".to_owned(), number.to_string())]),
        retention_seconds: 90 * 86_400,
        expires_at: at.after(Duration::from_secs(86_400)),
        ..sample_request(id, &brand, "Demo Shop Ltd", ask, at)
    }
}
