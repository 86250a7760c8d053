//! The attribute that holds an item's body: its text, or its bytes compressed.
//!
//! DynamoDB charges a write by its kilobytes, in a transaction twice. JSON with its long names and ids takes a third when
//! compressed. An item of an older release has its text, and a small one keeps it.

use std::io::{Read, Write};

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use ports::StoreError;

/// An item's attributes by name, in the SDK's own type.
#[expect(clippy::disallowed_types, reason = "the SDK takes and gives nothing else")]
pub(crate) type Attributes = std::collections::HashMap<String, AttributeValue>;

/// The attribute of a body as text.
const TEXT: &str = "body";
/// The attribute of a body as zlib writes it (RFC 1950).
const COMPRESSED: &str = "zbody";
/// A shorter body fits into the smallest unit, with its item's other attributes, and stays readable in the console.
const COMPRESSED_FROM: usize = 700;
/// The longest body of the port.
const BODY_MAX: u64 = 256 * 1024;

/// The compressed body of an item cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("item attribute `zbody` is malformed")]
struct MalformedBody;

/// Returns the attribute of a body.
pub(crate) fn attribute(body: String) -> (String, AttributeValue) {
    match compressed(&body) {
        Some(bytes) => (COMPRESSED.to_owned(), AttributeValue::B(Blob::new(bytes))),
        None => (TEXT.to_owned(), AttributeValue::S(body)),
    }
}

/// Returns a body compressed; `None` where that saves nothing.
fn compressed(body: &str) -> Option<Vec<u8>> {
    if body.len() < COMPRESSED_FROM {
        return None;
    }
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body.as_bytes()).ok()?;
    encoder.finish().ok().filter(|bytes| bytes.len() < body.len())
}

/// Returns the body of an item that has it compressed; `None` where the item has its text.
pub(crate) fn find(attributes: &Attributes) -> Result<Option<String>, StoreError> {
    let damaged = || StoreError::Damaged(MalformedBody.into());
    let Some(value) = attributes.get(COMPRESSED) else { return Ok(None) };
    let bytes = value.as_b().map_err(|_another_type| damaged())?;
    let mut body = String::new();
    // A writer of the table could store bytes that grow without an end.
    let mut decoder = ZlibDecoder::new(bytes.as_ref()).take(BODY_MAX + 1);
    match decoder.read_to_string(&mut body) {
        Ok(_) if u64::try_from(body.len()).is_ok_and(|length| length <= BODY_MAX) => Ok(Some(body)),
        Ok(_) | Err(_) => Err(damaged()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(value: AttributeValue) -> Attributes {
        [(COMPRESSED.to_owned(), value)].into()
    }

    #[test]
    fn long_body_is_compressed_and_read_again() {
        let body = format!(r#"{{"of":"{}"}}"#, "requester ".repeat(400));
        let (name, value) = attribute(body.clone());
        assert_eq!(name, COMPRESSED);
        assert!(value.as_b().unwrap().as_ref().len() < body.len() / 3);
        assert_eq!(find(&stored(value)).unwrap(), Some(body));
    }

    #[test]
    fn short_or_incompressible_body_stays_text() {
        assert_eq!(attribute("{}".to_owned()).0, TEXT);
        let digest = |number: u32| {
            format!(
                "{:x}",
                u128::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
            )
        };
        let noise: String = (1..60).map(digest).collect();
        assert!(compressed(&noise).is_none_or(|bytes| bytes.len() < noise.len()));
        assert_eq!(find(&Attributes::new()).unwrap(), None);
    }

    #[test]
    fn compressed_body_that_is_malformed_or_endless_is_damaged() {
        let mut endless = ZlibEncoder::new(Vec::new(), Compression::best());
        endless.write_all(&vec![b' '; 300 * 1024]).unwrap();
        let mut latin = ZlibEncoder::new(Vec::new(), Compression::best());
        latin.write_all(&[0xe4; 1_000]).unwrap();
        for bytes in [vec![1, 2, 3], endless.finish().unwrap(), latin.finish().unwrap()] {
            let read = find(&stored(AttributeValue::B(Blob::new(bytes))));
            assert!(matches!(read, Err(StoreError::Damaged(_))));
        }
        assert!(find(&stored(AttributeValue::Bool(true))).is_err());
    }
}
