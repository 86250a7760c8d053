//! The processor time that reading one input may take, and inputs that grow where a reader might be slow.
//!
//! A reader whose time grows with the square of its input takes seconds for the longest of these.

use std::time::Duration;

use serde_json::Value;

/// The most processor time for one input of at most [`GROWN`] bytes, in a build without optimisation.
pub const BUDGET: Duration = Duration::from_millis(400);
/// The length to which an input grows.
pub const GROWN: usize = 16 * 1024;
/// The most grown inputs of one target.
const INPUTS_MAX: usize = 240;
/// The most places of one sample at which text is inserted.
const PLACES_MAX: usize = 24;

/// What readers have repeated: negations, brackets, quotation marks, separators, accents, escapes.
const REPEATED: [&str; 20] = [
    "not it ",
    "stop ",
    "don't ",
    "“",
    "\"",
    "if not stop texting ",
    "a, ",
    ". ",
    "> \n",
    "\u{301}",
    "[",
    "{\"a\":",
    "%2525",
    "&a=1",
    "a=",
    "\\u0000",
    "..",
    "//",
    "no more ",
    "0",
];

/// Returns the processor time that this thread has used; `None` where the system does not say.
///
/// Other tests run at the same time, so that the time on the clock says nothing.
#[must_use]
pub fn processor_time() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(Duration::from_nanos(text.split_whitespace().next()?.parse().ok()?))
}

/// Runs a reader, and returns the processor time that it took; `None` where the system does not say.
pub fn time_of<T>(run: impl FnOnce() -> T) -> Option<Duration> {
    let begun = processor_time();
    std::hint::black_box(run());
    Some(processor_time()?.saturating_sub(begun?))
}

/// Returns samples with one text in each repeated until it is [`GROWN`] bytes long.
#[must_use]
pub fn grown(samples: &[Vec<u8>], words: &[&str]) -> Vec<Vec<u8>> {
    let mut units = REPEATED.iter().chain(words).filter(|unit| !unit.is_empty()).cycle();
    let mut inputs: Vec<Vec<u8>> = Vec::new();
    for sample in samples {
        for place in 0..PLACES_MAX {
            let Some(unit) = units.next() else { return inputs };
            let long = unit.repeat(GROWN.div_ceil(unit.len()));
            let Some(input) =
                in_tree(sample, place, &long).or_else(|| in_bytes(sample, place, &long))
            else {
                break;
            };
            inputs.push(input);
        }
    }
    // Every place of every sample has its turn, although not with every text.
    let step = inputs.len().div_ceil(INPUTS_MAX).max(1);
    inputs.into_iter().step_by(step).collect()
}

/// Puts a text in place of one text of a sample's JSON; `None` without such a place.
fn in_tree(sample: &[u8], place: usize, long: &str) -> Option<Vec<u8>> {
    let start = sample.iter().position(|byte| *byte == b'{')?;
    let (head, tail) = sample.split_at(start);
    let mut tree: Value = serde_json::from_slice(tail).ok()?;
    let mut place = place;
    let leaf = leaf(&mut tree, &mut place)?;
    *leaf = Value::from(long);
    Some([head, tree.to_string().as_bytes()].concat())
}

/// Returns the text at a place, counted depth first.
fn leaf<'a>(value: &'a mut Value, place: &mut usize) -> Option<&'a mut Value> {
    match value {
        Value::String(_) if *place == 0 => Some(value),
        Value::String(_) => {
            *place -= 1;
            None
        }
        Value::Array(values) => values.iter_mut().find_map(|value| leaf(value, place)),
        Value::Object(map) => map.values_mut().find_map(|value| leaf(value, place)),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

/// Inserts a text after a separator of a sample, and at its end; `None` without such a place.
fn in_bytes(sample: &[u8], place: usize, long: &str) -> Option<Vec<u8>> {
    let is_separator = |byte: &u8| b"=&\n /:?\"".contains(byte);
    let ends = sample.iter().enumerate().filter(|(_, byte)| is_separator(byte));
    let mut places = ends.map(|(at, _)| at.saturating_add(1)).chain([sample.len()]);
    let (head, tail) = sample.split_at_checked(places.nth(place)?)?;
    Some([head, long.as_bytes(), tail].concat())
}
