//! The contract tests of [`Store`] for lists.

use super::store::{assert_index, assert_list, item, key, put, put_all, range};
use crate::{Expect, Item, Key, Order, Range, Store, Write};

fn indexed(pk: &str, version: u64, index: Option<Key>) -> Item {
    Item { index, ..item(pk, "REQ", version) }
}

/// A list is in byte order of the sort keys, in both directions.
pub async fn list_is_in_byte_order(store: &dyn Store) {
    // In UTF-16 the emoji would come before the half-width stop.
    let ordered = ["#", "10", "9", "A", "EVT#1", "a", "z", "é", "ｱ", "😀"];
    let mut shuffled = ordered;
    shuffled.rotate_left(4);
    shuffled.swap(0, 7);
    put_all(store, "order", &shuffled).await;
    assert_list(store, &range("order", "", Order::Ascending), &ordered, false).await;
    let mut reversed = ordered;
    reversed.reverse();
    assert_list(store, &range("order", "", Order::Descending), &reversed, false).await;
}

/// A prefix excludes its neighbours, and partitions do not mix.
pub async fn list_prefix_excludes_neighbours(store: &dyn Store) {
    put_all(
        store,
        "prefix",
        &["EVT", "EVT\"", "EVT#", "EVT#1", "EVT#😀", "EVT$", "EVU", "é", "éa", "ê"],
    )
    .await;
    put_all(store, "prefix2", &["EVT#2"]).await;
    let ascending = range("prefix", "EVT#", Order::Ascending);
    assert_list(store, &ascending, &["EVT#", "EVT#1", "EVT#😀"], false).await;
    let descending = range("prefix", "EVT#", Order::Descending);
    assert_list(store, &descending, &["EVT#😀", "EVT#1", "EVT#"], false).await;
    assert_list(store, &range("prefix", "é", Order::Descending), &["éa", "é"], false).await;
    assert_list(store, &range("prefix", "zz", Order::Ascending), &[], false).await;
}

/// `after` continues beyond a sort key, present or absent, and stays within the prefix.
pub async fn list_after_continues_beyond_a_key(store: &dyn Store) {
    put_all(store, "after", &["A", "B", "E#1", "E#2", "E#3", "F", "Z"]).await;
    let ascending: [(&str, &[&str]); 7] = [
        ("A", &["E#1", "E#2", "E#3"]),
        ("E", &["E#1", "E#2", "E#3"]),
        ("E#1", &["E#2", "E#3"]),
        ("E#15", &["E#2", "E#3"]),
        ("E#3", &[]),
        ("E$", &[]),
        ("Z", &[]),
    ];
    let descending: [(&str, &[&str]); 7] = [
        ("Z", &["E#3", "E#2", "E#1"]),
        ("E$", &["E#3", "E#2", "E#1"]),
        ("E#25", &["E#2", "E#1"]),
        ("E#2", &["E#1"]),
        ("E#1", &[]),
        ("E#", &[]),
        ("A", &[]),
    ];
    for (order, cases) in [(Order::Ascending, ascending), (Order::Descending, descending)] {
        for (after, expected) in cases {
            let after = Some(after.to_owned());
            let beyond = Range { after, ..range("after", "E#", order) };
            assert_list(store, &beyond, expected, false).await;
        }
    }
    let all = Range { after: Some("E#3".to_owned()), ..range("after", "", Order::Ascending) };
    assert_list(store, &all, &["F", "Z"], false).await;
    let all = Range { after: Some("E#1".to_owned()), ..range("after", "", Order::Descending) };
    assert_list(store, &all, &["B", "A"], false).await;
}

/// A limit cuts the page, `more` is exact, and paging visits every item once.
pub async fn list_limit_cuts_the_page_and_reports_more(store: &dyn Store) {
    put_all(store, "limit", &["E1", "E2", "E3", "E4", "F"]).await;
    for order in [Order::Ascending, Order::Descending] {
        let cut = |limit, after| Range { limit, after, ..range("limit", "E", order) };
        let whole = store.list(&cut(4, None)).await.unwrap();
        assert!(!whole.more, "the item beyond the prefix is not more");
        let (mut met, mut after, mut more) = (Vec::new(), None, true);
        while more {
            let page = store.list(&cut(3, after)).await.unwrap();
            after = page.items.last().map(|item| item.key.sk.clone());
            more = page.more;
            met.push(page.items);
        }
        assert_eq!(met.iter().map(Vec::len).collect::<Vec<_>>(), [3, 1]);
        assert_eq!(met.concat(), whole.items);
        assert!(store.list(&cut(3, None)).await.unwrap().more);
    }
}

/// A body of the largest size comes back whole, and so does a list of many.
pub async fn list_returns_large_bodies_whole(store: &dyn Store) {
    let body = |fill: char| format!("\"{}\"", fill.to_string().repeat(256 * 1024 - 2));
    for fill in ('a'..='f').chain('u'..='z') {
        let item = Item { body: body(fill), ..item("big", &fill.to_string(), 1) };
        store.write(vec![put(item, Expect::Absent)]).await.unwrap();
    }
    let page = store.list(&range("big", "", Order::Ascending)).await.unwrap();
    assert_eq!(page.items.len(), 12);
    assert!(page.items.iter().all(|item| item.body == body(item.key.sk.chars().next().unwrap())));
    assert!(!page.more);
}

/// The index lists the items put under it, whole and paged, and no others.
pub async fn index_lists_by_key(store: &dyn Store) {
    for (pk, place) in [("index:b", "2"), ("index:a", "3"), ("index:c", "1")] {
        let item = indexed(pk, 1, Some(key("index:session", place)));
        store.write(vec![put(item, Expect::Absent)]).await.unwrap();
    }
    let elsewhere = indexed("index:d", 1, Some(key("index:session2", "4")));
    let nowhere = indexed("index:e", 1, None);
    store.write(vec![put(elsewhere, Expect::Absent), put(nowhere, Expect::Absent)]).await.unwrap();
    let up = range("index:session", "", Order::Ascending);
    assert_index(store, &up, &["index:c", "index:b", "index:a"], false).await;
    let down = range("index:session", "", Order::Descending);
    assert_index(store, &down, &["index:a", "index:b", "index:c"], false).await;
    let first = Range { limit: 2, ..down.clone() };
    assert_index(store, &first, &["index:a", "index:b"], true).await;
    let second = Range { after: Some("2".to_owned()), ..first };
    assert_index(store, &second, &["index:c"], false).await;
    let whole = store.list_index(&second).await.unwrap().items;
    assert_eq!(whole, [indexed("index:c", 1, Some(key("index:session", "1")))]);
}

/// The index drops an item that was deleted, or put without an index or under another key.
pub async fn index_drops_items_that_left(store: &dyn Store) {
    let at = |session: &str| Some(key(session, "1"));
    for pk in ["left:bare", "left:gone", "left:moved"] {
        let item = indexed(pk, 1, Some(key("left:session", pk)));
        store.write(vec![put(item, Expect::Absent)]).await.unwrap();
    }
    let listed = range("left:session", "", Order::Ascending);
    assert_index(store, &listed, &["left:bare", "left:gone", "left:moved"], false).await;
    store
        .write(vec![
            put(indexed("left:bare", 2, None), Expect::Version(1)),
            put(indexed("left:moved", 2, at("left:session2")), Expect::Version(1)),
            Write::Delete { key: key("left:gone", "REQ") },
        ])
        .await
        .unwrap();
    assert_index(store, &listed, &[], false).await;
    assert_index(store, &range("left:session2", "", Order::Ascending), &["left:moved"], false)
        .await;
}
