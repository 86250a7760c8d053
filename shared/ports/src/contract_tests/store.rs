//! The contract tests of [`Store`].

use std::time::Duration;

use super::both;
use crate::{Expect, Item, Key, Order, Page, Range, Store, StoreError, Write};
use domain::values::time::Timestamp;

/// How often an eventually consistent index is read before it counts as wrong.
const INDEX_TRIES: u32 = 200;

pub(super) fn key(pk: &str, sk: &str) -> Key {
    Key { pk: pk.to_owned(), sk: sk.to_owned() }
}

pub(super) fn item(pk: &str, sk: &str, version: u64) -> Item {
    let body = format!(r#"{{"of":"{pk}","at":"{sk}","version":{version}}}"#);
    Item { key: key(pk, sk), version, body, expires_at: None, index: None }
}

pub(super) const fn put(item: Item, expect: Expect) -> Write {
    Write::Put { item, expect }
}

pub(super) async fn put_all(store: &dyn Store, pk: &str, places: &[&str]) {
    for places in places.chunks(20) {
        let writes = places.iter().map(|sk| put(item(pk, sk, 1), Expect::Absent)).collect();
        store.write(writes).await.unwrap();
    }
}

fn conflicts(written: Result<(), StoreError>) -> bool {
    match written {
        Ok(()) => false,
        Err(StoreError::Conflict) => true,
        Err(error @ (StoreError::Unavailable(_) | StoreError::Damaged(_))) => panic!("{error:?}"),
    }
}

/// Returns the sort keys of a page, and whether more follow.
fn places(page: &Page) -> (Vec<&str>, bool) {
    (page.items.iter().map(|item| item.key.sk.as_str()).collect(), page.more)
}

pub(super) fn range(pk: &str, prefix: &str, order: Order) -> Range {
    Range { pk: pk.to_owned(), prefix: prefix.to_owned(), after: None, limit: 100, order }
}

pub(super) async fn assert_list(store: &dyn Store, range: &Range, expected: &[&str], more: bool) {
    let page = store.list(range).await.unwrap();
    assert_eq!(places(&page), (expected.to_vec(), more), "{range:?}");
}

/// Reads the index until it agrees, since it is eventually consistent.
pub(super) async fn assert_index(store: &dyn Store, range: &Range, expected: &[&str], more: bool) {
    let mut seen = (Vec::new(), false);
    for _ in 0..INDEX_TRIES {
        let page = store.list_index(range).await.unwrap();
        seen = (page.items.iter().map(|item| item.key.pk.clone()).collect(), page.more);
        if seen.0 == expected && seen.1 == more {
            return;
        }
    }
    panic!("{range:?} holds {seen:?} and not {expected:?}");
}

/// A read returns every part of the write before it.
pub async fn read_returns_the_write_before_it(store: &dyn Store) {
    let whole = Item {
        index: Some(key("a-read:session", "1")),
        expires_at: Some(Timestamp::from_millis(4_102_444_800_000)),
        ..item("a-read", "REQ", 1)
    };
    store.write(vec![put(whole.clone(), Expect::Absent)]).await.unwrap();
    assert_eq!(store.read(&whole.key).await.unwrap(), Some(whole));
}

/// Several items are read in the order of their keys, with a gap where one is absent.
pub async fn batch_read_keeps_the_order_of_its_keys(store: &dyn Store) {
    put_all(store, "a-batch", &["1", "2", "3"]).await;
    let keys = ["3", "0", "1"].map(|sk| key("a-batch", sk));
    let read = store.read_many(&keys).await.unwrap();
    let found: Vec<_> = read.iter().map(|item| item.as_ref().map(|item| &item.key)).collect();
    assert_eq!(found, [Some(&keys[0]), None, Some(&keys[2])]);
    assert_eq!(store.read_many(&[]).await.unwrap(), []);
}

/// An item that was never written is absent from reads and lists.
pub async fn unwritten_item_is_absent(store: &dyn Store) {
    assert_eq!(store.read(&key("never", "REQ")).await.unwrap(), None);
    assert_list(store, &range("never", "", Order::Ascending), &[], false).await;
    assert_index(store, &range("never", "", Order::Ascending), &[], false).await;
}

/// A put without a condition replaces the whole item.
pub async fn put_replaces_the_whole_item(store: &dyn Store) {
    let before = Item {
        index: Some(key("whole:session", "1")),
        expires_at: Some(Timestamp::from_millis(4_102_444_800_000)),
        ..item("whole", "REQ", 7)
    };
    let after = item("whole", "REQ", 2);
    store.write(vec![put(before, Expect::Any)]).await.unwrap();
    store.write(vec![put(after.clone(), Expect::Any)]).await.unwrap();
    assert_eq!(store.read(&after.key).await.unwrap(), Some(after));
}

/// `Absent` holds only where no item is stored.
pub async fn absent_condition_holds_without_an_item_only(store: &dyn Store) {
    let first = item("absent", "REQ", 1);
    assert!(!conflicts(store.write(vec![put(first.clone(), Expect::Absent)]).await));
    assert!(conflicts(store.write(vec![put(item("absent", "REQ", 2), Expect::Absent)]).await));
    assert_eq!(store.read(&first.key).await.unwrap(), Some(first));
}

/// `Version` holds only where an item of that version is stored.
pub async fn version_condition_holds_for_that_version_only(store: &dyn Store) {
    let next = |version| put(item("version", "REQ", version), Expect::Version(version - 1));
    assert!(conflicts(store.write(vec![next(2)]).await), "nothing is there");
    store.write(vec![put(item("version", "REQ", 1), Expect::Absent)]).await.unwrap();
    assert!(!conflicts(store.write(vec![next(2)]).await));
    assert!(conflicts(store.write(vec![next(2)]).await), "a repeat finds the next version");
    assert!(conflicts(store.write(vec![next(4)]).await), "a version in between is missing");
    assert_eq!(store.read(&key("version", "REQ")).await.unwrap().unwrap().version, 2);
}

/// A large version keeps its exact number.
pub async fn large_version_is_kept(store: &dyn Store) {
    let large = item("large", "REQ", (1 << 53) + 1);
    store.write(vec![put(large.clone(), Expect::Any)]).await.unwrap();
    assert_eq!(store.read(&large.key).await.unwrap(), Some(large.clone()));
    let close = put(item("large", "REQ", 1), Expect::Version(1 << 53));
    assert!(conflicts(store.write(vec![close]).await));
}

/// A delete leaves nothing. Deleting an absent item is no error.
pub async fn delete_leaves_nothing(store: &dyn Store) {
    let gone = item("delete", "REQ", 1);
    let delete = || vec![Write::Delete { key: gone.key.clone() }];
    store.write(delete()).await.unwrap();
    store.write(vec![put(gone.clone(), Expect::Absent)]).await.unwrap();
    store.write(delete()).await.unwrap();
    store.write(delete()).await.unwrap();
    assert_eq!(store.read(&gone.key).await.unwrap(), None);
    assert!(!conflicts(store.write(vec![put(gone.clone(), Expect::Absent)]).await));
}

/// An empty transaction succeeds.
pub async fn empty_transaction_succeeds(store: &dyn Store) {
    store.write(Vec::new()).await.unwrap();
}

/// A transaction of the largest size makes all its puts and deletes, over several partitions.
pub async fn transaction_makes_all_its_changes(store: &dyn Store) {
    store.write(vec![put(item("all:1", "old", 1), Expect::Any)]).await.unwrap();
    store.write(vec![put(item("all:2", "REQ", 1), Expect::Any)]).await.unwrap();
    let events: Vec<String> = (0..17).map(|seq| format!("EVT#{seq:02}")).collect();
    let mut writes: Vec<Write> =
        events.iter().map(|sk| put(item("all:1", sk, 1), Expect::Absent)).collect();
    writes.push(Write::Delete { key: key("all:1", "old") });
    writes.push(Write::Delete { key: key("all:1", "never there") });
    writes.push(put(item("all:2", "REQ", 2), Expect::Version(1)));
    store.write(writes).await.unwrap();
    let expected: Vec<&str> = events.iter().map(String::as_str).collect();
    assert_list(store, &range("all:1", "", Order::Ascending), &expected, false).await;
    assert_eq!(store.read(&key("all:2", "REQ")).await.unwrap().unwrap().version, 2);
}

/// One failed condition prevents every change of its transaction.
pub async fn transaction_is_all_or_nothing(store: &dyn Store) {
    put_all(store, "nothing", &["deleted", "there"]).await;
    for failing in [
        put(item("nothing", "there", 2), Expect::Absent),
        put(item("nothing", "there", 3), Expect::Version(2)),
        put(item("nothing", "missing", 2), Expect::Version(1)),
    ] {
        let written = store
            .write(vec![
                put(item("nothing", "before", 1), Expect::Absent),
                Write::Delete { key: key("nothing", "deleted") },
                failing,
                put(item("nothing", "after", 1), Expect::Any),
            ])
            .await;
        assert!(conflicts(written));
        assert_list(store, &range("nothing", "", Order::Ascending), &["deleted", "there"], false)
            .await;
        assert_eq!(store.read(&key("nothing", "there")).await.unwrap().unwrap().version, 1);
    }
}

/// Exactly one of two concurrent conditional writes wins, and its item is stored.
pub async fn one_of_two_concurrent_writes_wins(store: &dyn Store) {
    for round in 0..10 {
        let pk = format!("race:{round}");
        let bid = |body: &str| {
            let item = Item { body: body.to_owned(), ..item(&pk, "REQ", 1) };
            store.write(vec![put(item, Expect::Absent)])
        };
        let (one, other) = both(bid("1"), bid("2")).await;
        let won = [!conflicts(one), !conflicts(other)];
        let body = store.read(&key(&pk, "REQ")).await.unwrap().unwrap().body;
        assert_eq!(won, [body == "1", body == "2"]);
    }
}

/// At most one of two overlapping transactions wins, and nothing of a loser stays.
pub async fn overlapping_transactions_never_mix(store: &dyn Store) {
    for round in 0..10 {
        let pk = format!("mix:{round}");
        let bid = |body: &str, order: [&str; 2]| {
            let all = order
                .map(|sk| put(Item { body: body.to_owned(), ..item(&pk, sk, 1) }, Expect::Absent));
            store.write(all.to_vec())
        };
        let (one, other) = both(bid("1", ["a", "b"]), bid("2", ["b", "a"])).await;
        let expected = match (conflicts(one), conflicts(other)) {
            (false, true) => vec!["1", "1"],
            (true, false) => vec!["2", "2"],
            // Each may stop the other: that is a conflict for both, and they decide again.
            (true, true) => Vec::new(),
            (false, false) => panic!("both won"),
        };
        let page = store.list(&range(&pk, "", Order::Ascending)).await.unwrap();
        assert_eq!(page.items.iter().map(|item| item.body.as_str()).collect::<Vec<_>>(), expected);
    }
}

/// Text of every kind is kept in keys and bodies.
pub async fn text_of_every_kind_is_kept(store: &dyn Store) {
    let text = "Grüße, 世界 👩‍👩‍👧‍👦 \u{0301}\u{200F}'\"\\%_:;--\t\u{1}";
    let item = Item { body: text.to_owned(), ..item(&format!("text:{text}"), text, 1) };
    store.write(vec![put(item.clone(), Expect::Absent)]).await.unwrap();
    assert_eq!(store.read(&item.key).await.unwrap(), Some(item.clone()));
    let within = range(&item.key.pk, "Grüße, 世", Order::Ascending);
    assert_list(store, &within, &[text], false).await;
}

/// The expiry is kept to the whole second, never earlier, and can be removed.
pub async fn expiry_is_kept_to_the_second(store: &dyn Store) {
    let said = Timestamp::from_millis(4_102_444_800_001);
    let item = Item { expires_at: Some(said), ..item("expiry", "REQ", 1) };
    store.write(vec![put(item.clone(), Expect::Absent)]).await.unwrap();
    let kept = store.read(&item.key).await.unwrap().unwrap().expires_at.unwrap();
    assert_eq!(kept, Timestamp::from_millis(4_102_444_801_000));
    let forever = Item { expires_at: None, version: 2, ..item };
    store.write(vec![put(forever.clone(), Expect::Version(1))]).await.unwrap();
    assert_eq!(store.read(&forever.key).await.unwrap(), Some(forever));
}

/// An expired item is read whole or not at all.
pub async fn expired_item_is_whole_or_gone(store: &dyn Store) {
    let over = Timestamp::EPOCH.after(Duration::from_secs(1_000_000_000));
    let item = Item { expires_at: Some(over), ..item("over", "REQ", 1) };
    store.write(vec![put(item.clone(), Expect::Absent)]).await.unwrap();
    if let Some(read) = store.read(&item.key).await.unwrap() {
        assert_eq!(read, item);
    }
}

/// Stamps the store's contract tests over the store of `$fresh`.
#[macro_export]
macro_rules! store_contract_tests {
    ($fresh:expr) => {
        $crate::stamp_contract_tests! { store, $fresh;
            read_returns_the_write_before_it,
            batch_read_keeps_the_order_of_its_keys,
            unwritten_item_is_absent,
            put_replaces_the_whole_item,
            absent_condition_holds_without_an_item_only,
            version_condition_holds_for_that_version_only,
            large_version_is_kept,
            delete_leaves_nothing,
            empty_transaction_succeeds,
            transaction_makes_all_its_changes,
            transaction_is_all_or_nothing,
            one_of_two_concurrent_writes_wins,
            overlapping_transactions_never_mix,
            text_of_every_kind_is_kept,
            expiry_is_kept_to_the_second,
            expired_item_is_whole_or_gone,
        }
        $crate::stamp_contract_tests! { listing, $fresh;
            list_is_in_byte_order,
            list_prefix_excludes_neighbours,
            list_after_continues_beyond_a_key,
            list_limit_cuts_the_page_and_reports_more,
            list_returns_large_bodies_whole,
            index_lists_by_key,
            index_drops_items_that_left,
        }
    };
}
