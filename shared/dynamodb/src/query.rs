//! Reads a range of a partition, of the table or of its index.

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use ports::{Item, Key, Order, Page, Range, StoreError};

use crate::batch;
use crate::item::{Attributes, call_error, require_text, text, to_item, to_key};
use crate::table::Table;

/// The source of a query.
#[derive(Clone, Copy, Debug)]
pub(crate) enum QuerySource {
    /// The table, with consistent reads.
    Table,
    /// The sparse index `session`, which has keys alone and no consistent reads.
    Index,
}

/// The condition on the sort key. DynamoDB takes one condition.
///
/// So a range with a prefix and a cursor is read from the cursor, and cut where the prefix ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SortKeys<'a> {
    /// No key.
    None,
    /// Keys with this prefix.
    Prefix(&'a str),
    /// Keys above this one.
    Above(&'a str),
    /// Keys below this one.
    Below(&'a str),
}

fn sort_keys(range: &Range) -> SortKeys<'_> {
    let prefix = range.prefix.as_str();
    match (range.order, range.after.as_deref()) {
        (Order::Ascending, Some(after)) if after >= prefix => SortKeys::Above(after),
        (Order::Descending, Some(after)) if after <= prefix => SortKeys::None,
        (Order::Descending, Some(after)) if after.starts_with(prefix) => SortKeys::Below(after),
        (Order::Ascending | Order::Descending, Some(_) | None) => SortKeys::Prefix(prefix),
    }
}

fn with_condition(
    query: QueryFluentBuilder,
    source: QuerySource,
    range: &Range,
) -> Option<QueryFluentBuilder> {
    let (pk, sk) = match source {
        QuerySource::Table => ("pk", "sk"),
        QuerySource::Index => ("ipk", "isk"),
    };
    let query = query.expression_attribute_values(":pk", text(&range.pk));
    let (condition, key) = match sort_keys(range) {
        SortKeys::None => return None,
        SortKeys::Prefix("") => {
            return Some(query.key_condition_expression(format!("{pk} = :pk")));
        }
        SortKeys::Prefix(prefix) => (format!("{pk} = :pk AND begins_with({sk}, :sk)"), prefix),
        SortKeys::Above(after) => (format!("{pk} = :pk AND {sk} > :sk"), after),
        SortKeys::Below(after) => (format!("{pk} = :pk AND {sk} < :sk"), after),
    };
    Some(query.key_condition_expression(condition).expression_attribute_values(":sk", text(key)))
}

fn sort_key(source: QuerySource, place: &Attributes) -> Result<String, StoreError> {
    require_text(
        place,
        match source {
            QuerySource::Table => "sk",
            QuerySource::Index => "isk",
        },
    )
}

/// Lists a part of a partition of the table.
pub(crate) async fn list(table: &Table, range: &Range) -> Result<Page, StoreError> {
    let found = run(table, QuerySource::Table, range).await?;
    let items = found.places.iter().map(to_item).collect::<Result<_, _>>()?;
    Ok(Page { items, more: found.more })
}

/// Lists a part of an index partition. The index has keys alone, and the table has the items.
///
/// The index lags: an item that is gone, or has moved in the index since, is left out.
pub(crate) async fn list_index(table: &Table, range: &Range) -> Result<Page, StoreError> {
    let mut range = range.clone();
    loop {
        let QueryResult { places, more } = run(table, QuerySource::Index, &range).await?;
        let keys: Vec<Key> = places.iter().map(to_key).collect::<Result<_, _>>()?;
        let read = batch::read(table, &keys).await?.into_iter().flatten();
        let is_there = |item: &Item| item.index.as_ref().is_some_and(|key| key.pk == range.pk);
        let items: Vec<Item> = read.filter(is_there).collect();
        let last = places.last().map(|place| sort_key(QuerySource::Index, place)).transpose()?;
        match last {
            Some(last) if items.is_empty() && more => range.after = Some(last),
            Some(_) | None => return Ok(Page { items, more }),
        }
    }
}

/// The attributes that a query found.
struct QueryResult {
    places: Vec<Attributes>,
    more: bool,
}

async fn run(table: &Table, source: QuerySource, range: &Range) -> Result<QueryResult, StoreError> {
    let query = table.client.query().table_name(&table.name);
    let query = query.scan_index_forward(match range.order {
        Order::Ascending => true,
        Order::Descending => false,
    });
    let query = match source {
        QuerySource::Table => query.consistent_read(true),
        QuerySource::Index => query.index_name("session"),
    };
    let Some(query) = with_condition(query, source, range) else {
        return Ok(QueryResult { places: Vec::new(), more: false });
    };
    // One item beyond the limit shows whether there is more. A page of DynamoDB ends at 1 MB, even below its limit.
    let mut places: Vec<Attributes> = Vec::new();
    let mut start = None;
    loop {
        let missing = range.limit.saturating_add(1).saturating_sub(places.len());
        let query = query.clone().limit(i32::try_from(missing).unwrap_or(i32::MAX));
        let page = query.set_exclusive_start_key(start).send().await.map_err(call_error)?;
        places.extend(page.items.unwrap_or_default());
        start = page.last_evaluated_key;
        if start.is_none() || places.len() > range.limit {
            break;
        }
    }
    let mut within = 0;
    for place in &places {
        if !sort_key(source, place)?.starts_with(&range.prefix) {
            break;
        }
        within += 1;
    }
    places.truncate(within);
    let more = places.len() > range.limit;
    places.truncate(range.limit);
    Ok(QueryResult { places, more })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursor_outside_the_prefix_reads_all_or_nothing() {
        let range = |after: &str, order| Range {
            pk: "p".to_owned(),
            prefix: "E#".to_owned(),
            after: Some(after.to_owned()),
            limit: 1,
            order,
        };
        assert_eq!(sort_keys(&range("A", Order::Ascending)), SortKeys::Prefix("E#"));
        assert_eq!(sort_keys(&range("E#1", Order::Ascending)), SortKeys::Above("E#1"));
        assert_eq!(sort_keys(&range("A", Order::Descending)), SortKeys::None);
        assert_eq!(sort_keys(&range("E#1", Order::Descending)), SortKeys::Below("E#1"));
        assert_eq!(sort_keys(&range("Z", Order::Descending)), SortKeys::Prefix("E#"));
    }
}
