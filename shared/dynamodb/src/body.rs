//! The attribute that holds an item's body: its text, or its bytes compressed.
//!
//! DynamoDB charges a write by its kilobytes, in a transaction twice. JSON with its long names takes a fifth when it is
//! compressed behind a dictionary of those names. A request with its journal then fits into a kilobyte. An item of an older
//! release has its text, or is compressed without the dictionary. A small one keeps its text.

use std::io::{Read, Write};

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use flate2::Compression;
use flate2::bufread::{DeflateDecoder, ZlibDecoder};
use flate2::write::DeflateEncoder;
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

/// The text that compression begins behind: what long bodies have in common, the most frequent last.
///
/// It is never edited, since stored items cannot be read without it. Another one gets a name of its own.
const DICTIONARY: &[u8] = include_bytes!("dictionary-1.txt");
/// The header of zlib for a text behind a dictionary, whose checksum follows (RFC 1950, section 2.2).
const BEHIND_DICTIONARY: [u8; 2] = [0x78, 0xbb];

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
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(DICTIONARY).ok()?;
    encoder.flush().ok()?;
    let dictionary = encoder.get_ref().len();
    encoder.write_all(body.as_bytes()).ok()?;
    let text = encoder.finish().ok()?.split_off(dictionary);
    let mut bytes = BEHIND_DICTIONARY.to_vec();
    bytes.extend(adler32(DICTIONARY).to_be_bytes());
    bytes.extend(text);
    bytes.extend(adler32(body.as_bytes()).to_be_bytes());
    Some(bytes).filter(|bytes| bytes.len() < body.len())
}

/// Returns the checksum of RFC 1950.
fn adler32(bytes: &[u8]) -> u32 {
    const BASE: u32 = 65_521;
    let (low, high) = bytes.iter().fold((1_u32, 0_u32), |(low, high), byte| {
        let low = (low + u32::from(*byte)) % BASE;
        (low, (high + low) % BASE)
    });
    (high << 16) | low
}

/// Returns a compressed body as text; `None` where it is malformed.
fn decompressed(bytes: &[u8]) -> Option<String> {
    let Some(rest) = bytes.strip_prefix(&BEHIND_DICTIONARY) else {
        return text(ZlibDecoder::new(bytes));
    };
    let (dictionary, rest) = rest.split_first_chunk::<4>()?;
    let (compressed, checksum) = rest.split_last_chunk::<4>()?;
    if u32::from_be_bytes(*dictionary) != adler32(DICTIONARY) {
        return None;
    }
    let before = stored_block(DICTIONARY)?;
    let mut decoder = DeflateDecoder::new(before.as_slice().chain(compressed));
    decoder.read_exact(&mut vec![0; DICTIONARY.len()]).ok()?;
    text(decoder).filter(|body| adler32(body.as_bytes()) == u32::from_be_bytes(*checksum))
}

/// Returns the block that gives these bytes as they are, and is not the last (RFC 1951, section 3.2.4).
fn stored_block(bytes: &[u8]) -> Option<Vec<u8>> {
    let length = u16::try_from(bytes.len()).ok()?;
    let mut block = vec![0];
    block.extend(length.to_le_bytes());
    block.extend((!length).to_le_bytes());
    block.extend(bytes);
    Some(block)
}

/// Reads a text to its end. A writer of the table could store bytes that grow without an end.
fn text(decoder: impl Read) -> Option<String> {
    let mut body = String::new();
    decoder.take(BODY_MAX + 1).read_to_string(&mut body).ok()?;
    Some(body).filter(|body| u64::try_from(body.len()).is_ok_and(|length| length <= BODY_MAX))
}

/// Returns the body of an item that has it compressed; `None` where the item has its text.
pub(crate) fn find(attributes: &Attributes) -> Result<Option<String>, StoreError> {
    let damaged = || StoreError::Damaged(MalformedBody.into());
    let Some(value) = attributes.get(COMPRESSED) else { return Ok(None) };
    let bytes = value.as_b().map_err(|_another_type| damaged())?;
    decompressed(bytes.as_ref()).map(Some).ok_or_else(damaged)
}

#[cfg(test)]
mod tests {
    use flate2::write::ZlibEncoder;

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
    fn dictionary_is_the_one_that_stored_items_need() {
        assert_eq!(adler32(b"Wikipedia"), 0x11e6_0398);
        assert_eq!(adler32(DICTIONARY), 0x40ff_c137);
    }

    #[test]
    fn body_that_zlib_wrote_is_read() {
        // Python wrote the first, by zlib.compressobj(zdict=open("dictionary-1.txt", "rb").read()).
        let behind = hex(concat!(
            "78bb40ffc137233cd86111e8eae26c60601915146ce8626614e4171c196ce61c81340692929a9b8f",
            "180701f6e14b90c6415c80920a4ee0c606ae11115353536009061a8a059524006f7a2b62",
        ));
        let body = r#"{"version":"1","is":{"id":"req_01M8QEDC009ZRS1D62RNSYS6CX","brand":"demo","mode":"test","payee":"Demo Books","customer":{"phone":"+15551230001"}}}"#;
        assert_eq!(decompressed(&behind).as_deref(), Some(body));
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(body.as_bytes()).unwrap();
        assert_eq!(decompressed(&encoder.finish().unwrap()).as_deref(), Some(body));
    }

    #[test]
    fn body_behind_another_dictionary_or_cut_off_is_damaged() {
        let whole = compressed(&format!(r#"{{"of":"{}"}}"#, "requester ".repeat(400))).unwrap();
        assert!(decompressed(&whole).is_some());
        for end in 2..whole.len() {
            assert_eq!(decompressed(&whole[..end]), None);
        }
        for place in [2, 5, whole.len() - 1] {
            let mut other = whole.clone();
            other[place] ^= 1;
            assert_eq!(decompressed(&other), None);
        }
    }

    fn hex(text: &str) -> Vec<u8> {
        let pair = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
        (0..text.len()).step_by(2).map(pair).collect()
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
