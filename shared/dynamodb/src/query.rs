//! Reading part of a partition, of the table or of its index.

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use domain::ports::{Item, Order, Page, Range, StoreError};

use crate::item::{text, to_item, unanswered};
use crate::table::Table;

/// What is read.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Listing {
    /// The table.
    Table,
    /// The sparse index.
    Index,
}

/// The places a range can hold. DynamoDB takes one condition on a place, so a range with both a prefix and a place to
/// go on from is read from there and cut where the prefix ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Places<'a> {
    /// None at all.
    None,
    /// Those that begin with this.
    Beginning(&'a str),
    /// Those larger than this.
    Above(&'a str),
    /// Those smaller than this.
    Below(&'a str),
}

fn places(range: &Range) -> Places<'_> {
    let prefix = range.prefix.as_str();
    match (range.order, range.after.as_deref()) {
        (Order::Ascending, Some(after)) if after >= prefix => Places::Above(after),
        (Order::Descending, Some(after)) if after <= prefix => Places::None,
        (Order::Descending, Some(after)) if after.starts_with(prefix) => Places::Below(after),
        (Order::Ascending | Order::Descending, Some(_) | None) => Places::Beginning(prefix),
    }
}

fn narrow(
    query: QueryFluentBuilder,
    listing: Listing,
    range: &Range,
) -> Option<QueryFluentBuilder> {
    let (pk, sk) = match listing {
        Listing::Table => ("pk", "sk"),
        Listing::Index => ("ipk", "isk"),
    };
    let query = query.expression_attribute_values(":pk", text(&range.pk));
    let (condition, place) = match places(range) {
        Places::None => return None,
        Places::Beginning("") => {
            return Some(query.key_condition_expression(format!("{pk} = :pk")));
        }
        Places::Beginning(prefix) => (format!("{pk} = :pk AND begins_with({sk}, :sk)"), prefix),
        Places::Above(after) => (format!("{pk} = :pk AND {sk} > :sk"), after),
        Places::Below(after) => (format!("{pk} = :pk AND {sk} < :sk"), after),
    };
    Some(query.key_condition_expression(condition).expression_attribute_values(":sk", text(place)))
}

fn place(listing: Listing, item: &Item) -> Option<&str> {
    match listing {
        Listing::Table => Some(&item.key.sk),
        Listing::Index => item.index.as_ref().map(|index| index.sk.as_str()),
    }
}

pub(crate) async fn list(
    table: &Table,
    listing: Listing,
    range: &Range,
) -> Result<Page, StoreError> {
    let query = table.client.query().table_name(&table.name);
    let query = query.scan_index_forward(match range.order {
        Order::Ascending => true,
        Order::Descending => false,
    });
    let query = match listing {
        Listing::Table => query.consistent_read(true),
        Listing::Index => query.index_name("session"),
    };
    let Some(query) = narrow(query, listing, range) else {
        return Ok(Page { items: Vec::new(), more: false });
    };
    // One more than asked for tells whether there is more. A page of DynamoDB ends at 1 MB whatever its limit.
    let mut items: Vec<Item> = Vec::new();
    let mut start = None;
    loop {
        let missing = range.limit.saturating_add(1).saturating_sub(items.len());
        let query = query.clone().limit(i32::try_from(missing).unwrap_or(i32::MAX));
        let page = query.set_exclusive_start_key(start).send().await.map_err(unanswered)?;
        for attributes in page.items() {
            items.push(to_item(attributes)?);
        }
        start = page.last_evaluated_key;
        if start.is_none() || items.len() > range.limit {
            break;
        }
    }
    let within = |item: &Item| place(listing, item).is_some_and(|at| at.starts_with(&range.prefix));
    if let Some(end) = items.iter().position(|item| !within(item)) {
        items.truncate(end);
    }
    let more = items.len() > range.limit;
    items.truncate(range.limit);
    Ok(Page { items, more })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_to_go_on_from_outside_the_prefix_reads_all_of_it_or_nothing() {
        let range = |after: &str, order| Range {
            pk: "p".to_owned(),
            prefix: "E#".to_owned(),
            after: Some(after.to_owned()),
            limit: 1,
            order,
        };
        assert_eq!(places(&range("A", Order::Ascending)), Places::Beginning("E#"));
        assert_eq!(places(&range("E#1", Order::Ascending)), Places::Above("E#1"));
        assert_eq!(places(&range("A", Order::Descending)), Places::None);
        assert_eq!(places(&range("E#1", Order::Descending)), Places::Below("E#1"));
        assert_eq!(places(&range("Z", Order::Descending)), Places::Beginning("E#"));
    }
}
