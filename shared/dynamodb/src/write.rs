//! Writes one change, or several in a transaction.
//!
//! The SDK repeats a call whose answer was lost. A transaction carries a token, so its repeat is the same transaction. A
//! single put stores such a token with its item. A repeat that meets its own effect is then told from a conflict.

use std::hash::{BuildHasher, RandomState};

use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeValue, Delete, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
};
use ports::{Expect, Key, StoreError, Write};

use crate::item::{Attributes, call_error, from_item, from_key, number, text};
use crate::table::Table;

/// The attribute of the token of a single put with a condition.
const TOKEN: &str = "write";

/// Returns a token that no other write has.
fn token(key: &Key) -> AttributeValue {
    text(&format!("{:016x}", RandomState::new().hash_one((&key.pk, &key.sk))))
}

/// Returns whether the item that a put met is its own, from a call whose answer was lost.
fn is_own(met: Option<&Attributes>, token: &AttributeValue) -> bool {
    met.and_then(|met| met.get(TOKEN)) == Some(token)
}

/// Returns an expectation as DynamoDB's condition, and the values of its placeholders.
fn condition(expect: Expect) -> (Option<String>, Option<Attributes>) {
    match expect {
        Expect::Any => (None, None),
        Expect::Absent => (Some("attribute_not_exists(pk)".to_owned()), None),
        Expect::Version(version) => {
            let value: (String, AttributeValue) = (":version".to_owned(), number(&version));
            (Some("version = :version".to_owned()), Some([value].into()))
        }
    }
}

pub(crate) async fn write(table: &Table, writes: Vec<Write>) -> Result<(), StoreError> {
    let mut changes = writes.into_iter();
    match (changes.next(), changes.next()) {
        (None, _) => Ok(()),
        (Some(only), None) => write_one(table, only).await,
        (Some(first), Some(second)) => {
            write_transaction(table, [first, second].into_iter().chain(changes)).await
        }
    }
}

async fn write_one(table: &Table, write: Write) -> Result<(), StoreError> {
    match write {
        Write::Put { item, expect } => {
            let (condition, values) = condition(expect);
            let token = token(&item.key);
            let mut attributes = from_item(item);
            if condition.is_some() {
                attributes.insert(TOKEN.to_owned(), token.clone());
            }
            let put = table.client.put_item().table_name(&table.name).set_item(Some(attributes));
            let put = put.set_condition_expression(condition);
            let met = ReturnValuesOnConditionCheckFailure::AllOld;
            let put = put.return_values_on_condition_check_failure(met);
            match put.set_expression_attribute_values(values).send().await {
                Ok(_) => Ok(()),
                Err(error) => match error.as_service_error() {
                    Some(PutItemError::ConditionalCheckFailedException(failed))
                        if is_own(failed.item.as_ref(), &token) =>
                    {
                        Ok(())
                    }
                    Some(
                        PutItemError::ConditionalCheckFailedException(_)
                        | PutItemError::TransactionConflictException(_),
                    ) => Err(StoreError::Conflict),
                    Some(_) | None => Err(call_error(error)),
                },
            }
        }
        Write::Delete { key } => {
            let delete = table.client.delete_item().table_name(&table.name);
            match delete.set_key(Some(from_key(&key))).send().await {
                Ok(_) => Ok(()),
                Err(error) => match error.as_service_error() {
                    Some(DeleteItemError::TransactionConflictException(_)) => {
                        Err(StoreError::Conflict)
                    }
                    Some(_) | None => Err(call_error(error)),
                },
            }
        }
    }
}

fn change(table: &Table, write: Write) -> Result<TransactWriteItem, BuildError> {
    let change = TransactWriteItem::builder();
    Ok(match write {
        Write::Put { item, expect } => {
            let (condition, values) = condition(expect);
            let put = Put::builder().table_name(&table.name).set_item(Some(from_item(item)));
            let put = put.set_condition_expression(condition);
            change.put(put.set_expression_attribute_values(values).build()?).build()
        }
        Write::Delete { key } => {
            let delete = Delete::builder().table_name(&table.name);
            change.delete(delete.set_key(Some(from_key(&key))).build()?).build()
        }
    })
}

async fn write_transaction(
    table: &Table,
    writes: impl Iterator<Item = Write>,
) -> Result<(), StoreError> {
    let changes: Result<Vec<_>, _> = writes.map(|write| change(table, write)).collect();
    let changes = changes.map_err(|error| StoreError::Unavailable(error.into()))?;
    match table.client.transact_write_items().set_transact_items(Some(changes)).send().await {
        Ok(_) => Ok(()),
        Err(error) if error.as_service_error().is_some_and(is_conflict) => {
            Err(StoreError::Conflict)
        }
        Err(error) => Err(call_error(error)),
    }
}

/// Returns whether another write cancelled the transaction. DynamoDB reports one reason for each change.
fn is_conflict(error: &TransactWriteItemsError) -> bool {
    let TransactWriteItemsError::TransactionCanceledException(cancelled) = error else {
        return false;
    };
    let codes = cancelled.cancellation_reasons().iter().filter_map(|reason| reason.code());
    codes.into_iter().any(|code| matches!(code, "ConditionalCheckFailed" | "TransactionConflict"))
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::types::CancellationReason;
    use aws_sdk_dynamodb::types::error::TransactionCanceledException;

    use super::*;

    fn cancelled(codes: &[&str]) -> TransactWriteItemsError {
        let reasons = codes.iter().map(|code| CancellationReason::builder().code(*code).build());
        let cancelled = TransactionCanceledException::builder();
        let cancelled = cancelled.set_cancellation_reasons(Some(reasons.collect())).build();
        TransactWriteItemsError::TransactionCanceledException(cancelled)
    }

    #[test]
    fn put_knows_its_own_effect_and_no_other() {
        let key = Key { pk: "REQ#1".to_owned(), sk: "REQ".to_owned() };
        let (own, other) = (token(&key), token(&key));
        let met = |token: &AttributeValue| [(TOKEN.to_owned(), token.clone())].into();
        assert!(is_own(Some(&met(&own)), &own));
        assert!(!is_own(Some(&met(&other)), &own));
        assert!(!is_own(Some(&Attributes::new()), &own));
        assert!(!is_own(None, &own));
    }

    #[test]
    fn only_a_lost_race_is_a_conflict() {
        assert!(is_conflict(&cancelled(&["None", "ConditionalCheckFailed"])));
        assert!(is_conflict(&cancelled(&["TransactionConflict", "None"])));
        assert!(!is_conflict(&cancelled(&["None", "ThrottlingError"])));
        assert!(!is_conflict(&cancelled(&["ValidationError"])));
        assert!(!is_conflict(&cancelled(&[])));
    }
}
