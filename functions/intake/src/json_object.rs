//! Reads a JSON object and finds members that come twice.
//!
//! Readers differ in which one counts. A gateway that checks the first and a function that takes the last would disagree on an
//! amount.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Returns whether a number is an integer. JSON Schema counts `220.0` and `2.2e2` as integers too, and some tools write those.
pub(crate) fn is_whole(number: &Number) -> bool {
    !number.is_f64() || number.as_f64().is_some_and(|float| float.fract() == 0.0)
}

/// Returns an integer, however it is spelt; `None` where it is negative, too large or no integer.
pub(crate) fn whole(number: &Number) -> Option<u64> {
    number.as_u64().or_else(|| {
        let float = number.as_f64().filter(|_| is_whole(number))?;
        // Minus zero is written with its sign.
        if float == 0.0 { Some(0) } else { format!("{float:.0}").parse().ok() }
    })
}

/// Returns whether a JSON text has a number that only rounding makes an integer, such as `220.00000000000000000001`.
pub(crate) fn rounds_to_an_integer(text: &str) -> bool {
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c == '"' || c.is_ascii_digit()) {
        rest = rest.get(at..).unwrap_or_default();
        let length = if rest.starts_with('"') {
            string_length(rest)
        } else {
            let end = |c: char| !c.is_ascii_digit() && !matches!(c, '.' | 'e' | 'E' | '+' | '-');
            let length = rest.find(end).unwrap_or(rest.len());
            let number = rest.get(..length).unwrap_or_default();
            if is_rounded(number) {
                return true;
            }
            length
        };
        rest = rest.get(length..).unwrap_or_default();
    }
    false
}

/// Returns the length of the string literal that a text begins with.
fn string_length(text: &str) -> usize {
    let mut is_escaped = true;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'"' if !is_escaped => return at.saturating_add(1),
            b'\\' if !is_escaped => is_escaped = true,
            _ => is_escaped = false,
        }
    }
    text.len()
}

/// Returns whether a number is no integer, but the nearest float is one.
fn is_rounded(number: &str) -> bool {
    let lower = number.to_ascii_lowercase();
    let (digits, exponent) = lower.split_once('e').unwrap_or((&lower, "0"));
    let fraction = digits.split_once('.').map_or("", |(_, fraction)| fraction);
    let exponent: i64 = exponent.parse().unwrap_or(0);
    let float = number.parse::<f64>().unwrap_or(f64::NAN);
    // Zeros before the point may hold more digits than a negative exponent takes away.
    let whole = digits.replace('.', "");
    let zeros = whole.len().saturating_sub(whole.trim_end_matches('0').len());
    let left = exponent.saturating_add(i64::try_from(zeros).unwrap_or(0));
    let left = left.saturating_sub(i64::try_from(fraction.len()).unwrap_or(i64::MAX));
    left < 0 && float.fract() == 0.0 && whole.bytes().any(|b| b != b'0')
}

/// Spells each integer in one way, so that equal bodies have equal texts.
pub(crate) fn spell_integers_alike(value: &mut Value) {
    match value {
        Value::Number(number) => {
            if let Some(whole) = whole(number) {
                *number = whole.into();
            }
        }
        Value::Array(values) => values.iter_mut().for_each(spell_integers_alike),
        Value::Object(map) => map.values_mut().for_each(spell_integers_alike),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

/// The place of the first member that comes twice: a JSON pointer.
pub(crate) struct DuplicateMember(pub(crate) String);

/// Parses a JSON text; the inner error is the place of a member that comes twice.
///
/// # Errors
/// [`serde_json::Error`] for a text that is not JSON.
pub(crate) fn parse(text: &[u8]) -> Result<Result<Value, DuplicateMember>, serde_json::Error> {
    let mut repeated = None;
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let place = Place { pointer: String::new(), repeated: &mut repeated };
    let value = place.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(repeated.map_or(Ok(value), |pointer| Err(DuplicateMember(pointer))))
}

/// A value to be read, and where the first repeated member is noted.
struct Place<'a> {
    pointer: String,
    repeated: &'a mut Option<String>,
}

impl Place<'_> {
    fn inner(&mut self, name: &str) -> Place<'_> {
        let name = name.replace('~', "~0").replace('/', "~1");
        Place { pointer: format!("{}/{name}", self.pointer), repeated: self.repeated }
    }
}

impl<'de> DeserializeSeed<'de> for Place<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Place<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<Value, A::Error> {
        let mut values: Vec<Value> = Vec::new();
        while let Some(value) = {
            let place = self.inner(&values.len().to_string());
            list.next_element_seed(place)?
        } {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some(name) = map.next_key::<String>()? {
            let place = self.inner(&name);
            if members.contains_key(&name) && place.repeated.is_none() {
                *place.repeated = Some(place.pointer.clone());
            }
            let value = map.next_value_seed(place)?;
            members.insert(name, value);
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repeated(text: &str) -> Option<String> {
        parse(text.as_bytes()).unwrap().err().map(|DuplicateMember(pointer)| pointer)
    }

    #[test]
    fn number_that_rounds_to_an_integer_is_found() {
        for text in [
            "{\"a\": 4250.000000000000000000001}",
            "[1, 425.0000000000000000000000001e1]",
            "[\"\\\"\", 1.0000000000000000000000000000001]",
            "1e-400",
        ] {
            assert!(rounds_to_an_integer(text), "{text}");
        }
        for text in [
            "{\"a\": 4250.0, \"b\": 4.25e3, \"c\": 42500e-1, \"d\": 0.0, \"e\": -0.0}",
            "[1.5, 1e3, 18446744073709551615, 2200E-1, 0.5e1, 100e-2, 0.000e-3]",
            "\"4250.000000000000000000001\"",
            "[\"a\\\\\", 4250.5, \"1.00000000000000000000000000001\"]",
        ] {
            assert!(!rounds_to_an_integer(text), "{text}");
        }
    }

    #[test]
    fn member_that_comes_twice_is_found_at_any_depth() {
        for (text, pointer) in [
            (r#"{"a":1,"a":2}"#, "/a"),
            (r#"{"ask":{"amount":1,"currency":"EUR","amount":2}}"#, "/ask/amount"),
            (r#"{"a":[{"b":1},{"c":1,"c":1}]}"#, "/a/1/c"),
            (r#"{"a/b":{"~":1,"~":1}}"#, "/a~1b/~0"),
            (r#"{"a":1,"\u0061":2}"#, "/a"),
            (r#"{"a":null,"a":null}"#, "/a"),
        ] {
            assert_eq!(repeated(text).as_deref(), Some(pointer), "{text}");
        }
    }

    #[test]
    fn value_without_repeats_is_what_others_read() {
        for text in [
            r#"{"a":{"b":1},"c":{"b":1},"d":[1,-2,3.5,true,null,"x"],"e":18446744073709551615}"#,
            "[]",
            r#""x""#,
            "1e3",
        ] {
            let value = parse(text.as_bytes()).unwrap().ok().unwrap();
            assert_eq!(value, serde_json::from_str::<Value>(text).unwrap(), "{text}");
        }
        for text in ["", "{", "{} {}", "{\"a\":1,}", "nul"] {
            assert!(parse(text.as_bytes()).is_err(), "{text}");
        }
        assert!(parse(&vec![b'['; 10_000]).is_err());
    }
}
