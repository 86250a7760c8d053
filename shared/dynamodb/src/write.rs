//! Making changes: one alone, or several in a transaction.
//!
//! The SDK repeats a call whose answer was lost. A transaction carries a token, so its repeat is the same transaction; a
//! change alone carries none, so its repeat can find its own work and report a conflict. Whoever gets one loads again
//! and decides again, and finds its change made.

use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, TransactWriteItem};
use domain::ports::{Expect, StoreError, Write};

use crate::item::{Attributes, from_item, from_key, number, unanswered};
use crate::table::Table;

/// An expectation in DynamoDB's words: the condition and its one value.
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
        (Some(only), None) => alone(table, only).await,
        (Some(first), Some(second)) => {
            together(table, [first, second].into_iter().chain(changes)).await
        }
    }
}

async fn alone(table: &Table, write: Write) -> Result<(), StoreError> {
    match write {
        Write::Put { item, expect } => {
            let (condition, values) = condition(expect);
            let put = table.client.put_item().table_name(&table.name);
            let put = put.set_item(Some(from_item(item))).set_condition_expression(condition);
            match put.set_expression_attribute_values(values).send().await {
                Ok(_) => Ok(()),
                Err(error) => match error.as_service_error() {
                    Some(
                        PutItemError::ConditionalCheckFailedException(_)
                        | PutItemError::TransactionConflictException(_),
                    ) => Err(StoreError::Conflict),
                    Some(_) | None => Err(unanswered(error)),
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
                    Some(_) | None => Err(unanswered(error)),
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

async fn together(table: &Table, writes: impl Iterator<Item = Write>) -> Result<(), StoreError> {
    let changes: Result<Vec<_>, _> = writes.map(|write| change(table, write)).collect();
    let changes = changes.map_err(|error| StoreError::Unavailable(error.into()))?;
    match table.client.transact_write_items().set_transact_items(Some(changes)).send().await {
        Ok(_) => Ok(()),
        Err(error) if error.as_service_error().is_some_and(is_conflict) => {
            Err(StoreError::Conflict)
        }
        Err(error) => Err(unanswered(error)),
    }
}

/// Whether a transaction was cancelled because somebody else was there first: the reasons tell, one for each change.
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
    fn only_a_lost_race_is_a_conflict() {
        assert!(is_conflict(&cancelled(&["None", "ConditionalCheckFailed"])));
        assert!(is_conflict(&cancelled(&["TransactionConflict", "None"])));
        assert!(!is_conflict(&cancelled(&["None", "ThrottlingError"])));
        assert!(!is_conflict(&cancelled(&["ValidationError"])));
        assert!(!is_conflict(&cancelled(&[])));
    }
}
