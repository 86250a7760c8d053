//! The laws of [`Store`](crate::ports::Store).

use std::time::Duration;

use super::both;
use crate::ports::{Expect, Item, Key, Order, Page, Range, Store, StoreError, Write};
use crate::values::time::Timestamp;

/// How often an index that may be a moment behind is asked before it counts as wrong.
const INDEX_TRIES: u32 = 200;

fn key(pk: &str, sk: &str) -> Key {
    Key { pk: pk.to_owned(), sk: sk.to_owned() }
}

fn item(pk: &str, sk: &str, version: u64) -> Item {
    let body = format!(r#"{{"of":"{pk}","at":"{sk}","version":{version}}}"#);
    Item { key: key(pk, sk), version, body, expires_at: None, index: None }
}

fn indexed(pk: &str, version: u64, index: Option<Key>) -> Item {
    Item { index, ..item(pk, "REQ", version) }
}

const fn put(item: Item, expect: Expect) -> Write {
    Write::Put { item, expect }
}

async fn put_all(store: &dyn Store, pk: &str, places: &[&str]) {
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

/// The places of a page, and whether there is more.
fn places(page: &Page) -> (Vec<&str>, bool) {
    (page.items.iter().map(|item| item.key.sk.as_str()).collect(), page.more)
}

fn range(pk: &str, prefix: &str, order: Order) -> Range {
    Range { pk: pk.to_owned(), prefix: prefix.to_owned(), after: None, limit: 100, order }
}

async fn assert_list(store: &dyn Store, range: &Range, expected: &[&str], more: bool) {
    let page = store.list(range).await.unwrap();
    assert_eq!(places(&page), (expected.to_vec(), more), "{range:?}");
}

/// The index is allowed to be a moment behind, so it is asked until it agrees.
async fn assert_index(store: &dyn Store, range: &Range, expected: &[&str], more: bool) {
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

/// A read sees the write before it, every part of it.
pub async fn a_read_sees_the_write_before_it(store: &dyn Store) {
    let whole = Item {
        index: Some(key("a-read:session", "1")),
        expires_at: Some(Timestamp::from_millis(4_102_444_800_000)),
        ..item("a-read", "REQ", 1)
    };
    store.write(vec![put(whole.clone(), Expect::Absent)]).await.unwrap();
    assert_eq!(store.read(&whole.key).await.unwrap(), Some(whole));
}

/// What was never written is absent, in reads and in lists.
pub async fn what_was_never_written_is_absent(store: &dyn Store) {
    assert_eq!(store.read(&key("never", "REQ")).await.unwrap(), None);
    assert_list(store, &range("never", "", Order::Ascending), &[], false).await;
    assert_index(store, &range("never", "", Order::Ascending), &[], false).await;
}

/// A put with no expectation replaces the whole item: nothing of the one before shines through.
pub async fn a_put_replaces_the_whole_item(store: &dyn Store) {
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

/// `Absent` holds only where nothing is.
pub async fn absent_holds_only_where_nothing_is(store: &dyn Store) {
    let first = item("absent", "REQ", 1);
    assert!(!conflicts(store.write(vec![put(first.clone(), Expect::Absent)]).await));
    assert!(conflicts(store.write(vec![put(item("absent", "REQ", 2), Expect::Absent)]).await));
    assert_eq!(store.read(&first.key).await.unwrap(), Some(first));
}

/// `Version` holds only where an item of that version is, and not where nothing is.
pub async fn a_version_holds_only_where_it_is(store: &dyn Store) {
    let next = |version| put(item("version", "REQ", version), Expect::Version(version - 1));
    assert!(conflicts(store.write(vec![next(2)]).await), "nothing is there");
    store.write(vec![put(item("version", "REQ", 1), Expect::Absent)]).await.unwrap();
    assert!(!conflicts(store.write(vec![next(2)]).await));
    assert!(conflicts(store.write(vec![next(2)]).await), "a repeat finds the next version");
    assert!(conflicts(store.write(vec![next(4)]).await), "a version in between is missing");
    assert_eq!(store.read(&key("version", "REQ")).await.unwrap().unwrap().version, 2);
}

/// A version survives as the number it is, however large it grew.
pub async fn a_large_version_survives(store: &dyn Store) {
    let large = item("large", "REQ", (1 << 53) + 1);
    store.write(vec![put(large.clone(), Expect::Any)]).await.unwrap();
    assert_eq!(store.read(&large.key).await.unwrap(), Some(large.clone()));
    let close = put(item("large", "REQ", 1), Expect::Version(1 << 53));
    assert!(conflicts(store.write(vec![close]).await));
}

/// A delete leaves nothing; deleting what is absent is no error.
pub async fn a_delete_leaves_nothing(store: &dyn Store) {
    let gone = item("delete", "REQ", 1);
    let delete = || vec![Write::Delete { key: gone.key.clone() }];
    store.write(delete()).await.unwrap();
    store.write(vec![put(gone.clone(), Expect::Absent)]).await.unwrap();
    store.write(delete()).await.unwrap();
    store.write(delete()).await.unwrap();
    assert_eq!(store.read(&gone.key).await.unwrap(), None);
    assert!(!conflicts(store.write(vec![put(gone.clone(), Expect::Absent)]).await));
}

/// No change is a change that can be made.
pub async fn no_changes_are_made_without_error(store: &dyn Store) {
    store.write(Vec::new()).await.unwrap();
}

/// A transaction makes all its changes: as many as are allowed, over several partitions, puts and deletes.
pub async fn a_transaction_makes_all_its_changes(store: &dyn Store) {
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

/// One expectation that does not hold undoes the changes before it and prevents the ones after it.
pub async fn a_transaction_is_all_or_nothing(store: &dyn Store) {
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

/// Of two conditional writes at once exactly one wins, and what is there is the winner's.
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

/// Of two transactions at once that overlap at most one wins, and nothing of a loser stays.
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
            // Each may stop the other; that is a conflict for both, and they decide again.
            (true, true) => Vec::new(),
            (false, false) => panic!("both won"),
        };
        let page = store.list(&range(&pk, "", Order::Ascending)).await.unwrap();
        assert_eq!(page.items.iter().map(|item| item.body.as_str()).collect::<Vec<_>>(), expected);
    }
}

/// A list is in the order of the places' bytes, whichever way it is read.
pub async fn a_list_is_in_byte_order(store: &dyn Store) {
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

/// A prefix keeps its neighbours out, and partitions do not mix.
pub async fn a_prefix_keeps_its_neighbours_out(store: &dyn Store) {
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

/// `after` goes on beyond a place in the order asked for, whether or not anything is there, and stays in the prefix.
pub async fn after_goes_on_beyond_a_place(store: &dyn Store) {
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

/// A limit cuts the page, `more` says so exactly, and paging meets every item once.
pub async fn a_limit_cuts_the_page_and_says_so(store: &dyn Store) {
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

/// A body of the size allowed comes back whole, and so does a list of many.
pub async fn big_bodies_come_back_whole(store: &dyn Store) {
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

/// Text of every kind comes back as it was, in keys and bodies.
pub async fn text_of_every_kind_survives(store: &dyn Store) {
    let text = "Grüße, 世界 👩‍👩‍👧‍👦 \u{0301}\u{200F}'\"\\%_:;--\t\u{1}";
    let item = Item { body: text.to_owned(), ..item(&format!("text:{text}"), text, 1) };
    store.write(vec![put(item.clone(), Expect::Absent)]).await.unwrap();
    assert_eq!(store.read(&item.key).await.unwrap(), Some(item.clone()));
    let within = range(&item.key.pk, "Grüße, 世", Order::Ascending);
    assert_list(store, &within, &[text], false).await;
}

/// The index lists what is put under it, by place, whole and paged, and knows nothing else.
pub async fn the_index_lists_by_place(store: &dyn Store) {
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

/// An item put without an index, put under another or deleted is no longer listed where it was.
pub async fn the_index_forgets_what_left_it(store: &dyn Store) {
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

/// The time of deletion is kept to the whole second, never earlier than said, and can be taken back.
pub async fn the_time_of_deletion_is_kept(store: &dyn Store) {
    let said = Timestamp::from_millis(4_102_444_800_001);
    let item = Item { expires_at: Some(said), ..item("expiry", "REQ", 1) };
    store.write(vec![put(item.clone(), Expect::Absent)]).await.unwrap();
    let kept = store.read(&item.key).await.unwrap().unwrap().expires_at.unwrap();
    assert_eq!(kept, Timestamp::from_millis(4_102_444_801_000));
    let forever = Item { expires_at: None, version: 2, ..item };
    store.write(vec![put(forever.clone(), Expect::Version(1))]).await.unwrap();
    assert_eq!(store.read(&forever.key).await.unwrap(), Some(forever));
}

/// Deletion comes when it comes: an item whose time is over is read as it was or not at all.
pub async fn what_is_over_is_whole_or_gone(store: &dyn Store) {
    let over = Timestamp::EPOCH.after(Duration::from_secs(1_000_000_000));
    let item = Item { expires_at: Some(over), ..item("over", "REQ", 1) };
    store.write(vec![put(item.clone(), Expect::Absent)]).await.unwrap();
    if let Some(read) = store.read(&item.key).await.unwrap() {
        assert_eq!(read, item);
    }
}

/// Stamps the laws of the store as tests over the store that `$fresh` makes.
#[macro_export]
macro_rules! store_laws {
    ($fresh:expr) => {
        $crate::stamp_laws! { store, $fresh;
            a_read_sees_the_write_before_it,
            what_was_never_written_is_absent,
            a_put_replaces_the_whole_item,
            absent_holds_only_where_nothing_is,
            a_version_holds_only_where_it_is,
            a_large_version_survives,
            a_delete_leaves_nothing,
            no_changes_are_made_without_error,
            a_transaction_makes_all_its_changes,
            a_transaction_is_all_or_nothing,
            one_of_two_concurrent_writes_wins,
            overlapping_transactions_never_mix,
            a_list_is_in_byte_order,
            a_prefix_keeps_its_neighbours_out,
            after_goes_on_beyond_a_place,
            a_limit_cuts_the_page_and_says_so,
            big_bodies_come_back_whole,
            text_of_every_kind_survives,
            the_index_lists_by_place,
            the_index_forgets_what_left_it,
            the_time_of_deletion_is_kept,
            what_is_over_is_whole_or_gone,
        }
    };
}
