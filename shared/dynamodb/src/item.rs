//! Converts items to DynamoDB attributes and back.

use std::error::Error;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::values::time::Timestamp;
use ports::{Item, Key, StoreError};

use crate::body;
pub(crate) use crate::body::Attributes;

/// An item of the table does not have the shape that this crate writes.
#[derive(Debug, thiserror::Error)]
#[error("item attribute `{attribute}` is missing or malformed")]
struct MalformedItem {
    attribute: &'static str,
}

fn damaged(attribute: &'static str) -> StoreError {
    StoreError::Damaged(MalformedItem { attribute }.into())
}

/// Converts the error of a call, other than a conflict. The raw response is dropped, as it may hold a stored item.
pub(crate) fn call_error<E, R>(error: SdkError<E, R>) -> StoreError
where
    E: Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    StoreError::Unavailable(error.into_source().unwrap_or_else(Into::into))
}

pub(crate) fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

pub(crate) fn number(number: &impl ToString) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

pub(crate) fn from_key(key: &Key) -> Attributes {
    [("pk", &key.pk), ("sk", &key.sk)].map(|(name, part)| (name.to_owned(), text(part))).into()
}

pub(crate) fn from_item(item: Item) -> Attributes {
    let mut attributes = from_key(&item.key);
    attributes.insert("version".to_owned(), number(&item.version));
    attributes.extend([body::attribute(item.body)]);
    if let Some(time) = item.expires_at {
        // Whole seconds, rounded up, so that no item is deleted early.
        let seconds = time.as_millis().saturating_add(999).div_euclid(1000);
        attributes.insert("ttl".to_owned(), number(&seconds));
    }
    if let Some(index) = item.index {
        attributes.insert("ipk".to_owned(), AttributeValue::S(index.pk));
        attributes.insert("isk".to_owned(), AttributeValue::S(index.sk));
    }
    attributes
}

fn find_text(attributes: &Attributes, name: &'static str) -> Result<Option<String>, StoreError> {
    match attributes.get(name).map(AttributeValue::as_s) {
        None => Ok(None),
        Some(Ok(text)) => Ok(Some(text.clone())),
        Some(Err(_)) => Err(damaged(name)),
    }
}

fn find_number<T: std::str::FromStr>(
    attributes: &Attributes,
    name: &'static str,
) -> Result<Option<T>, StoreError> {
    let Some(value) = attributes.get(name) else { return Ok(None) };
    match value.as_n().map(|digits| digits.parse()) {
        Ok(Ok(number)) => Ok(Some(number)),
        Ok(Err(_)) | Err(_) => Err(damaged(name)),
    }
}

/// Returns a text that each item has.
pub(crate) fn require_text(
    attributes: &Attributes,
    name: &'static str,
) -> Result<String, StoreError> {
    find_text(attributes, name)?.ok_or_else(|| damaged(name))
}

/// Returns the key of an item, of which an index has no more.
pub(crate) fn to_key(attributes: &Attributes) -> Result<Key, StoreError> {
    Ok(Key { pk: require_text(attributes, "pk")?, sk: require_text(attributes, "sk")? })
}

pub(crate) fn to_item(attributes: &Attributes) -> Result<Item, StoreError> {
    let index = match (find_text(attributes, "ipk")?, find_text(attributes, "isk")?) {
        (None, None) => None,
        (Some(pk), Some(sk)) => Some(Key { pk, sk }),
        (Some(_), None) | (None, Some(_)) => return Err(damaged("isk")),
    };
    let ttl: Option<i64> = find_number(attributes, "ttl")?;
    Ok(Item {
        key: to_key(attributes)?,
        version: find_number(attributes, "version")?.ok_or_else(|| damaged("version"))?,
        body: match body::find(attributes)? {
            Some(body) => body,
            None => require_text(attributes, "body")?,
        },
        expires_at: ttl.map(|secs| Timestamp::from_millis(secs.saturating_mul(1000))),
        index,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole() -> Item {
        Item {
            key: Key { pk: "REQ#1".to_owned(), sk: "REQ".to_owned() },
            version: u64::MAX,
            body: "{}".to_owned(),
            expires_at: Some(Timestamp::from_millis(4_102_444_800_000)),
            index: Some(Key { pk: "a".to_owned(), sk: "b".to_owned() }),
        }
    }

    #[test]
    fn item_survives_its_attributes() {
        assert_eq!(to_item(&from_item(whole())).unwrap(), whole());
    }

    #[test]
    fn item_with_a_malformed_attribute_is_damaged() {
        for name in ["pk", "sk", "version", "body", "ipk", "isk"] {
            let mut attributes = from_item(whole());
            attributes.remove(name);
            assert!(
                matches!(to_item(&attributes), Err(StoreError::Damaged(_))),
                "{name} is missing"
            );
        }
        for name in ["pk", "sk", "version", "body", "ttl", "ipk", "isk"] {
            let mut attributes = from_item(whole());
            attributes.insert(name.to_owned(), AttributeValue::Bool(true));
            assert!(matches!(to_item(&attributes), Err(StoreError::Damaged(_))), "{name} is wrong");
        }
    }
}
