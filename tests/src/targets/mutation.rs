//! Mutations of samples, the same for the same seed: of bytes, of a language's words, and of JSON trees.

use serde_json::Value;

use crate::rng::Rng;

/// The bytes that most often mean something.
const INTERESTING_BYTES: &[u8] =
    b"\0\n\r\t \"#%&'()*+,-./0123456789:;<=>?@AZ[\\]_az{|}~\x7f\x80\xc3\xff";
/// No case grows beyond this.
const LENGTH_MAX: usize = 8 * 1024;

fn byte(rng: &mut Rng) -> u8 {
    let [byte, ..] = rng.roll().to_be_bytes();
    byte
}

/// A range within `length`, mostly a short one.
fn range(rng: &mut Rng, length: usize) -> std::ops::Range<usize> {
    let start = rng.place(length + 1);
    let most = if rng.place(8) == 0 { length } else { 8 };
    start..start.saturating_add(rng.place(most + 1)).min(length)
}

/// Makes a case out of samples and words.
#[must_use]
pub fn case(rng: &mut Rng, samples: &[Vec<u8>], words: &[&str]) -> Vec<u8> {
    if rng.place(16) == 0 {
        return (0..rng.place(64)).map(|_| byte(rng)).collect();
    }
    let mut bytes = rng.pick(samples).cloned().unwrap_or_default();
    for _ in 0..=rng.place(4) {
        bytes = match rng.place(3) {
            0 => in_tree(rng, &bytes, words).unwrap_or(bytes),
            _ => in_bytes(rng, bytes, samples, words),
        };
        bytes.truncate(LENGTH_MAX);
    }
    bytes
}

fn in_bytes(rng: &mut Rng, mut bytes: Vec<u8>, samples: &[Vec<u8>], words: &[&str]) -> Vec<u8> {
    let range = range(rng, bytes.len());
    let place = range.start;
    match rng.place(8) {
        0 => {
            if let Some(byte) = bytes.get_mut(place) {
                *byte ^= 1 << rng.place(8);
            }
        }
        1 => {
            if let Some(byte) = bytes.get_mut(place) {
                *byte = rng.pick(INTERESTING_BYTES).copied().unwrap_or(0);
            }
        }
        2 => drop(bytes.drain(range)),
        3 => {
            let copy = bytes.get(range).unwrap_or_default().to_vec();
            let to = rng.place(bytes.len() + 1);
            bytes.splice(to..to, copy);
        }
        4 => bytes.truncate(place),
        5 => {
            let other = rng.pick(samples).cloned().unwrap_or_default();
            let from = rng.place(other.len() + 1);
            bytes.truncate(place);
            bytes.extend(other.get(from..).unwrap_or_default());
        }
        6 => drop(bytes.splice(range, [byte(rng)])),
        _ => {
            let word = rng.pick(words).copied().unwrap_or_default();
            bytes.splice(range, word.bytes());
        }
    }
    bytes
}

/// Changes a node of the JSON a case ends with, if it ends with any.
fn in_tree(rng: &mut Rng, bytes: &[u8], words: &[&str]) -> Option<Vec<u8>> {
    let start = bytes.iter().position(|byte| *byte == b'{')?;
    let (head, tail) = bytes.split_at(start);
    let mut tree: Value = serde_json::from_slice(tail).ok()?;
    let count = nodes(&tree);
    let mut place = rng.place(count);
    let node = node(&mut tree, &mut place)?;
    let text = rng.pick(words).copied().unwrap_or_default();
    match rng.place(8) {
        0 => *node = Value::Null,
        1 => *node = Value::Array(vec![node.clone(), node.clone()]),
        2 => *node = Value::from(rng.roll() >> rng.place(64)),
        3 => *node = Value::from(-1_i64),
        4 => *node = Value::from(text.repeat(1 + rng.place(40))),
        5 => *node = serde_json::from_str(text).unwrap_or_else(|_| Value::from(text)),
        6 => {
            let map = node.as_object_mut()?;
            let name = map.keys().nth(rng.place(map.len()))?.clone();
            map.remove(&name);
        }
        _ => {
            let inner = node.clone();
            node.as_object_mut()?.insert(text.to_owned(), inner);
        }
    }
    Some([head, tree.to_string().as_bytes()].concat())
}

fn nodes(value: &Value) -> usize {
    1 + match value {
        Value::Array(values) => values.iter().map(nodes).sum(),
        Value::Object(map) => map.values().map(nodes).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

/// The node at a place, counted depth first.
fn node<'a>(value: &'a mut Value, place: &mut usize) -> Option<&'a mut Value> {
    if *place == 0 {
        return Some(value);
    }
    *place -= 1;
    match value {
        Value::Array(values) => values.iter_mut().find_map(|value| node(value, place)),
        Value::Object(map) => map.values_mut().find_map(|value| node(value, place)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}
