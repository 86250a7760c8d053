//! A page of `GET /v1/requests` reads the same number of items however many requests are stored.

use axum::body::to_bytes;
use domain::values::id::RequestId;
use domain::values::time::Timestamp;
use ports::{Expect, Item, Key, Store, Write};
use serde_json::Value;
use tests::memory::Counts;
use tests::targets::fuzz_fixture::SESSION;

use crate::cost::Fixture;

/// The changes of one transaction, of as many items as a request has.
const CHANGES: usize = 40;

/// Returns every item that is found by a request's id: its own, and those in lists.
async fn items_of(fixture: &Fixture, id: RequestId) -> Vec<Item> {
    let store = &fixture.database;
    let key = Key { pk: format!("REQ#{id}"), sk: "REQ".to_owned() };
    let mut items = vec![store.read(&key).await.unwrap().unwrap()];
    let address = items[0].body.split(r#""address":""#).nth(1).unwrap().split('"').next().unwrap();
    let customer = (format!("CUST#acme#Test#{address}"), format!("REQ#{id}"));
    let key_id = items[0].body.split(r#""id":"key_"#).nth(1).unwrap().split('"').next().unwrap();
    let lists = ["all", "ended#fulfilled", &format!("key#key_{key_id}"), &agent_list()]
        .map(|list| (format!("LIST#acme#test#{list}"), id.to_string()));
    for (pk, sk) in lists.into_iter().chain([customer]) {
        let key = Key { pk, sk };
        items.push(store.read(&key).await.unwrap().unwrap_or_else(|| panic!("{key:?}")));
    }
    items
}

fn agent_list() -> String {
    format!("agent#{}", &domain::digest::digest_hex(b"a17")[..32])
}

/// Stores `count` more requests like this one, each a millisecond older than the one before.
async fn store_older(fixture: &Fixture, id: RequestId, places: std::ops::Range<i64>) {
    let items = items_of(fixture, id).await;
    let (text, made) = (id.to_string(), format!("{:016}", id.made_at().as_millis()));
    let mut writes = Vec::new();
    for place in places {
        let at = Timestamp::from_millis(id.made_at().as_millis() - 1 - place);
        let older = RequestId::new(at, [7; 10]).to_string();
        for item in &items {
            let renamed = |key: &Key| Key {
                pk: key.pk.replace(&text, &older),
                sk: key
                    .sk
                    .replace(&text, &older)
                    .replace(&made, &format!("{:016}", at.as_millis())),
            };
            let item = Item {
                key: renamed(&item.key),
                index: item.index.as_ref().map(renamed),
                body: item.body.replace(&text, &older),
                ..item.clone()
            };
            writes.push(Write::Put { item, expect: Expect::Any });
        }
        if writes.len() + items.len() > CHANGES {
            fixture.database.write(std::mem::take(&mut writes)).await.unwrap();
        }
    }
    fixture.database.write(writes).await.unwrap();
}

/// The cost of a page: operations, and DynamoDB's read units in halves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct PageCost {
    counts: Counts,
    half_reads: u64,
}

/// Returns the cost of a page, and the page.
async fn page(fixture: &Fixture, query: &str) -> (PageCost, Value) {
    let before = fixture.counts();
    fixture.meter.start();
    fixture.meter.turn(|| query.to_owned());
    let answer = fixture.get(&format!("/v1/requests?{query}")).await;
    assert_eq!(answer.status(), 200, "{query}");
    let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    let turns = fixture.meter.stop();
    let half_reads = turns.iter().flat_map(|turn| &turn.calls).map(|call| call.half_reads).sum();
    let counts = fixture.counts().since(&before);
    (PageCost { counts, half_reads }, serde_json::from_slice(&body).unwrap())
}

#[tokio::test]
async fn page_of_a_list_costs_the_same_at_any_size() {
    let fixture = Fixture::open();
    let newest = fixture.approved(0).await;
    let key = items_of(&fixture, newest).await[0]
        .body
        .split(r#""id":"key_"#)
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .to_owned();
    let full = [
        "limit=5".to_owned(),
        "limit=5&state=fulfilled".to_owned(),
        "limit=5&phone=%2B17770000000".to_owned(),
        format!("limit=5&session={SESSION}"),
        "limit=5&agent=a17".to_owned(),
        format!("limit=5&key=key_{key}"),
        "limit=5&kind=payment&state=fulfilled&agent=a17".to_owned(),
        "limit=5&created_from=2020-01-01T00:00:00Z&created_before=2100-01-01T00:00:00Z".to_owned(),
        "limit=5&ended_from=2020-01-01T00:00:00Z".to_owned(),
    ];
    // Nothing passes these, and the last one's list is as long as the store.
    let none = [
        "limit=5&state=open",
        "limit=5&agent=b",
        "limit=5&transaction_code=AAAA-AAAA",
        "limit=5&reference=pi_unknown",
        "limit=5&session=unknown",
        "limit=5&phone=%2B17770000001",
        "limit=5&created_before=2020-01-01T00:00:00Z",
    ];
    let long = "limit=5&kind=identity";
    let (mut stored, mut costs) = (0, Vec::new());
    for size in [10, 1_000, 100_000] {
        store_older(&fixture, newest, stored..size).await;
        stored = size;
        let mut cost = Vec::new();
        for query in &full {
            let (paid, page) = page(&fixture, query).await;
            let counts = paid.counts;
            assert_eq!(page["requests"].as_array().unwrap().len(), 5, "{query}");
            assert!(page["next_cursor"].is_string(), "{query}");
            assert!(
                counts.reads <= 6 && counts.lists <= 1 && counts.listed <= 5,
                "{query} {counts:?}"
            );
            cost.push(paid);
        }
        for query in none {
            let (paid, page) = page(&fixture, query).await;
            let counts = paid.counts;
            assert!(page["next_cursor"].is_null(), "{query}");
            assert!(counts.lists == 1 && counts.listed == 0, "{query} {counts:?}");
            cost.push(paid);
        }
        costs.push(cost);
        let (PageCost { counts, .. }, page) = page(&fixture, long).await;
        assert_eq!(page["requests"], serde_json::json!([]));
        // One call examines the whole list of a thousand, and a share of a longer one.
        assert_eq!(page["next_cursor"].is_null(), size < 100_000, "at {size}");
        assert!(counts.lists <= 12 && counts.listed <= 1_105 && counts.reads <= 1, "{counts:?}");
    }
    assert_eq!(costs[0], costs[1]);
    assert_eq!(costs[0], costs[2]);
}

/// A list is walked to its end by cursors, also where all of it is left out.
#[tokio::test]
async fn sparse_list_is_walked_to_its_end_by_cursors() {
    let fixture = Fixture::open();
    let newest = fixture.approved(0).await;
    store_older(&fixture, newest, 0..2_500).await;
    let (mut cursor, mut pages) = (String::new(), 0);
    loop {
        let query = format!("limit=2&kind=payment_method&cursor={cursor}");
        let (PageCost { counts, .. }, page) = page(&fixture, &query).await;
        pages += 1;
        assert!(page["requests"].as_array().unwrap().is_empty() && counts.listed <= 1_105);
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = next.to_owned();
    }
    assert_eq!(pages, 3);
}
