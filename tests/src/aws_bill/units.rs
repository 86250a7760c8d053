//! DynamoDB's units: what an item weighs, and what a call of it costs.
//!
//! Sizes: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>. Units:
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html>. Both read 2026-11-26.

use std::io::Write as _;

use ::ports::{Item, Write};
use flate2::Compression;
use flate2::write::DeflateEncoder;

/// A unit of write holds this many bytes.
const WRITE: usize = 1024;
/// A strongly consistent unit of read holds this many bytes.
const READ: usize = 4096;
/// Whether the index holds whole items, as `template.yaml` says.
const INDEX_HOLDS_ALL: bool = false;

/// A longer body is compressed, as `dynamodb` says.
const COMPRESSED_FROM: usize = 700;

/// The text that a compressed body stands behind, and the bytes that zlib adds to such a body.
const DICTIONARY: &[u8] = include_bytes!("../../../shared/dynamodb/src/dictionary-1.txt");
const ZLIB: usize = 10;

/// Returns the bytes of a text, compressed behind the dictionary.
fn compressed(body: &str) -> std::io::Result<usize> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(DICTIONARY)?;
    encoder.flush()?;
    let before = encoder.get_ref().len();
    encoder.write_all(body.as_bytes())?;
    Ok(encoder.finish()?.len() - before + ZLIB)
}

/// Returns the bytes of a body, with its attribute's name.
fn body(body: &str) -> usize {
    match compressed(body) {
        Ok(bytes) if body.len() >= COMPRESSED_FROM && bytes < body.len() => "zbody".len() + bytes,
        Ok(_) | Err(_) => "body".len() + body.len(),
    }
}

/// Returns the bytes of an item: its attributes' names and values. A number weighs about half its digits and one more.
pub(super) fn bytes(item: &Item) -> usize {
    let number = |value: i64| value.to_string().len().div_ceil(2) + 1;
    let text = |name: &str, value: &str| name.len() + value.len();
    let version = i64::try_from(item.version).unwrap_or(i64::MAX);
    let ttl = item.expires_at.map_or(0, |at| "ttl".len() + number(at.as_secs()));
    let index = item.index.as_ref().map_or(0, |key| text("ipk", &key.pk) + text("isk", &key.sk));
    text("pk", &item.key.pk)
        + text("sk", &item.key.sk)
        + body(&item.body)
        + "version".len()
        + number(version)
        + ttl
        + index
}

fn units(bytes: usize, unit: usize) -> u64 {
    u64::try_from(bytes.div_ceil(unit).max(1)).unwrap_or(u64::MAX)
}

/// Returns the half read units of one item, read with strong consistency.
pub(super) fn half_reads(item: Option<&Item>) -> u64 {
    2 * units(item.map_or(0, bytes), READ)
}

/// Returns the half read units of a query, which are those of all its items together.
pub(super) fn half_reads_of_query(items: &[Item], is_consistent: bool) -> u64 {
    let units = units(items.iter().map(bytes).sum(), READ);
    if is_consistent { 2 * units } else { units }
}

/// Returns the write units of a change that meets `before`, in the table and in its index.
pub(super) fn writes(write: &Write, before: Option<&Item>, is_transaction: bool) -> u64 {
    let old = before.map_or(0, bytes);
    let times = if is_transaction { 2 } else { 1 };
    let old_index = before.and_then(|item| item.index.as_ref());
    match write {
        Write::Put { item, .. } => {
            let table = units(bytes(item).max(old), WRITE) * times;
            let size = |item: &Item| if INDEX_HOLDS_ALL { units(bytes(item), WRITE) } else { 1 };
            let index = match (old_index, item.index.as_ref()) {
                (None, None) => 0,
                (None, Some(_)) => size(item),
                (Some(_), None) => before.map_or(0, size),
                (Some(old), Some(new)) if old == new => {
                    if INDEX_HOLDS_ALL {
                        size(item)
                    } else {
                        0
                    }
                }
                (Some(_), Some(_)) => size(item) + before.map_or(0, size),
            };
            table + index
        }
        Write::Delete { .. } => {
            let index =
                old_index.map_or(0, |_| if INDEX_HOLDS_ALL { units(old, WRITE) } else { 1 });
            units(old, WRITE) * times + index
        }
    }
}
