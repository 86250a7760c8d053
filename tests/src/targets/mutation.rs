//! Mutations of samples, the same for the same seed: of bytes, of words, and of JSON trees.

use serde_json::Value;

/// Random numbers, the same for the same seed (`SplitMix64`).
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    /// Begins the numbers of a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Returns a number below `count`, or zero where `count` is zero.
    pub fn below(&mut self, count: usize) -> usize {
        let count = u64::try_from(count).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.draw() % count).unwrap_or(0)
    }

    fn byte(&mut self) -> u8 {
        let [byte, ..] = self.draw().to_be_bytes();
        byte
    }

    fn of<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        all.get(self.below(all.len()))
    }

    /// A range within `length`, mostly short.
    fn range(&mut self, length: usize) -> std::ops::Range<usize> {
        let start = self.below(length + 1);
        let most = if self.below(8) == 0 { length } else { 8 };
        start..start.saturating_add(self.below(most + 1)).min(length)
    }
}

/// The bytes that most often mean something.
const TELLING: &[u8] = b"\0\n\r\t \"#%&'()*+,-./0123456789:;<=>?@AZ[\\]_az{|}~\x7f\x80\xc3\xff";
/// No case grows beyond this.
const LENGTH_MAX: usize = 8 * 1024;

/// Makes a case out of samples and words.
#[must_use]
pub fn case(rng: &mut Rng, samples: &[Vec<u8>], words: &[&str]) -> Vec<u8> {
    if rng.below(16) == 0 {
        return (0..rng.below(64)).map(|_| rng.byte()).collect();
    }
    let mut bytes = rng.of(samples).cloned().unwrap_or_default();
    for _ in 0..=rng.below(4) {
        bytes = match rng.below(3) {
            0 => in_tree(rng, &bytes, words).unwrap_or(bytes),
            _ => in_bytes(rng, bytes, samples, words),
        };
        bytes.truncate(LENGTH_MAX);
    }
    bytes
}

fn in_bytes(rng: &mut Rng, mut bytes: Vec<u8>, samples: &[Vec<u8>], words: &[&str]) -> Vec<u8> {
    let range = rng.range(bytes.len());
    let place = range.start;
    match rng.below(8) {
        0 => {
            if let Some(byte) = bytes.get_mut(place) {
                *byte ^= 1 << rng.below(8);
            }
        }
        1 => {
            if let Some(byte) = bytes.get_mut(place) {
                *byte = rng.of(TELLING).copied().unwrap_or(0);
            }
        }
        2 => drop(bytes.drain(range)),
        3 => {
            let copy = bytes.get(range).unwrap_or_default().to_vec();
            let to = rng.below(bytes.len() + 1);
            bytes.splice(to..to, copy);
        }
        4 => bytes.truncate(place),
        5 => {
            let other = rng.of(samples).cloned().unwrap_or_default();
            let from = rng.below(other.len() + 1);
            bytes.truncate(place);
            bytes.extend(other.get(from..).unwrap_or_default());
        }
        6 => drop(bytes.splice(range, [rng.byte()])),
        _ => {
            let word = rng.of(words).copied().unwrap_or_default();
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
    let mut place = rng.below(count);
    let node = node(&mut tree, &mut place)?;
    let text = rng.of(words).copied().unwrap_or_default();
    match rng.below(8) {
        0 => *node = Value::Null,
        1 => *node = Value::Array(vec![node.clone(), node.clone()]),
        2 => *node = Value::from(rng.draw() >> rng.below(64)),
        3 => *node = Value::from(-1_i64),
        4 => *node = Value::from(text.repeat(1 + rng.below(40))),
        5 => *node = serde_json::from_str(text).unwrap_or_else(|_| Value::from(text)),
        6 => {
            let map = node.as_object_mut()?;
            let name = map.keys().nth(rng.below(map.len()))?.clone();
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
