//! Reads a provider's JSON so that one unreadable part takes nothing else of the body with it.

use std::borrow::Cow;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::{Number, Value};

/// The deepest nesting that is kept. The parser refuses a body of 128 levels.
const DEPTH_MAX: usize = 100;
/// The character that stands for one that cannot be read.
const UNREADABLE: char = '\u{FFFD}';

/// Reads a body; `None` for one without the structure of JSON.
///
/// A customer's phone can send half a surrogate pair, and a provider's gateway a raw control character. Both are
/// replaced, and so are numbers out of range and values that are nested too deeply.
pub(crate) fn read(body: &[u8]) -> Option<Value> {
    serde_json::from_slice(body).ok().or_else(|| {
        let mended = mended(body);
        let is_structure = mended.trim_start().starts_with(['{', '[']);
        serde_json::from_str(&mended).ok().filter(|_| is_structure)
    })
}

/// Returns the members of a list; none if there is no such list.
pub(crate) fn each<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    value.get(name).and_then(Value::as_array).into_iter().flatten()
}

/// Returns the text at a JSON pointer; `None` for another type.
pub(crate) fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer)?.as_str()
}

/// Reads an optional field; `None` for a value of another type, which then loses no other field.
///
/// # Errors
///
/// Only those of the text itself.
pub(crate) fn lenient<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    Ok(serde_json::from_value(Value::deserialize(deserializer)?).ok())
}

/// Returns the text with a replacement for each part that the parser refuses.
fn mended(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let mut kept = String::with_capacity(text.len());
    let mut skipped = String::new();
    let (mut rest, mut depth) = (text.trim_start_matches('\u{FEFF}'), 0_usize);
    while let Some(first) = rest.chars().next() {
        let out = if depth > DEPTH_MAX { &mut skipped } else { &mut kept };
        rest = match first {
            '"' => string(after(rest, first), out),
            '{' | '[' => {
                depth = depth.saturating_add(1);
                match depth {
                    ..=DEPTH_MAX => kept.push(first),
                    _ if depth == DEPTH_MAX + 1 => kept.push_str("null"),
                    _ => {}
                }
                after(rest, first)
            }
            '}' | ']' => {
                out.push(first);
                depth = depth.saturating_sub(1);
                after(rest, first)
            }
            ',' | ':' | ' ' | '\t' | '\r' | '\n' => {
                out.push(first);
                after(rest, first)
            }
            _ => word(rest, out),
        };
        skipped.clear();
    }
    kept
}

fn after(text: &str, first: char) -> &str {
    text.strip_prefix(first).unwrap_or_default()
}

/// Copies a number, `true`, `false` or `null`. Any other word becomes `null`.
fn word<'a>(text: &'a str, out: &mut String) -> &'a str {
    let end = |c: char| matches!(c, '"' | '{' | '}' | '[' | ']' | ',' | ':') || c.is_whitespace();
    let (word, rest) = text.split_at(text.find(end).unwrap_or(text.len()));
    let known = matches!(word, "true" | "false") || serde_json::from_str::<Number>(word).is_ok();
    out.push_str(if known { word } else { "null" });
    // A separator of another alphabet is no part of JSON.
    if word.is_empty() { after(rest, rest.chars().next().unwrap_or_default()) } else { rest }
}

/// Copies a string from behind its opening quote, and returns the text behind its closing quote.
fn string<'a>(text: &'a str, out: &mut String) -> &'a str {
    out.push('"');
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        rest = after(rest, first);
        match first {
            '"' => {
                out.push('"');
                return rest;
            }
            '\\' => {
                let (escape, behind) = escape(rest);
                out.push_str(&escape);
                rest = behind;
            }
            control if control.is_ascii_control() => out.push(' '),
            other => out.push(other),
        }
    }
    rest
}

/// Reads an escape from behind its backslash. An escape that stands for no character is replaced.
fn escape(text: &str) -> (Cow<'_, str>, &str) {
    let unreadable = Cow::Owned(UNREADABLE.to_string());
    if let Some(digits) = text.strip_prefix('u') {
        let Some((first, rest)) = unit(digits) else { return (unreadable, digits) };
        let second = rest.strip_prefix("\\u").and_then(unit);
        let pair = second.and_then(|(second, rest)| {
            let decoded = char::decode_utf16([first, second]).next()?.ok()?;
            Some((decoded, rest))
        });
        return match (char::from_u32(u32::from(first)), pair) {
            // Written again as an escape, since it may be a quote or a control character.
            (Some(_), _) => (Cow::Owned(format!("\\u{first:04x}")), rest),
            (None, Some((decoded, rest))) => (Cow::Owned(decoded.to_string()), rest),
            (None, None) => (unreadable, rest),
        };
    }
    let Some(letter) = text.chars().next() else { return (Cow::Borrowed(""), text) };
    if matches!(letter, '"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't') {
        (Cow::Owned(format!("\\{letter}")), after(text, letter))
    } else {
        (unreadable, text)
    }
}

/// Reads the four hexadecimal digits of a UTF-16 unit.
fn unit(digits: &str) -> Option<(u16, &str)> {
    let (unit, rest) = digits.split_at_checked(4)?;
    let plain = unit.bytes().all(|byte| byte.is_ascii_hexdigit());
    Some((u16::from_str_radix(unit, 16).ok().filter(|_| plain)?, rest))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn whole_body_is_read_unchanged() {
        let body = json!({ "a": ["x\u{1F44D}\"\\\n", -1.5e3, true, null], "b": {} });
        assert_eq!(read(body.to_string().as_bytes()), Some(body.clone()));
        assert_eq!(
            serde_json::from_str::<Value>(&mended(body.to_string().as_bytes())).unwrap(),
            body
        );
    }

    #[test]
    fn half_a_surrogate_pair_is_replaced() {
        for (text, read_as) in [
            (r#"{"body":"STOP \ud83d"}"#, "STOP \u{FFFD}"),
            (r#"{"body":"STOP \ude00!"}"#, "STOP \u{FFFD}!"),
            (r#"{"body":"STOP \ud83d\ud83d\ude00"}"#, "STOP \u{FFFD}\u{1F600}"),
            (r#"{"body":"STOP \ud83d\n"}"#, "STOP \u{FFFD}\n"),
            (r#"{"body":"STOP \u12","x":"\ud83d"}"#, "STOP \u{FFFD}12"),
            (r#"{"body":"STOP\u0022\u005c \ud83d"}"#, "STOP\"\\ \u{FFFD}"),
            (r#"{"body":"STOP\x"}"#, "STOP\u{FFFD}x"),
            ("{\"body\":\"STOP\n\u{1}\"}", "STOP  "),
        ] {
            let value = read(text.as_bytes()).unwrap();
            assert_eq!(self::text(&value, "/body"), Some(read_as), "{text}");
        }
        let value = read(b"\xef\xbb\xbf{\"body\":\"STOP \xff\"}").unwrap();
        assert_eq!(value, json!({ "body": "STOP \u{FFFD}" }));
    }

    #[test]
    fn number_or_word_out_of_range_becomes_null() {
        let value = read(br#"{"a":1e999,"b":NaN,"c":[01,-,2],"body":"STOP"}"#).unwrap();
        assert_eq!(value, json!({ "a": null, "b": null, "c": [null, null, 2], "body": "STOP" }));
    }

    #[test]
    fn value_nested_too_deeply_becomes_null() {
        let deep = format!("{}\"\\\"]\"{}", "[".repeat(5_000), "]".repeat(5_000));
        let value = read(format!(r#"{{"a":{deep},"b":"STOP"}}"#).as_bytes()).unwrap();
        assert_eq!(text(&value, "/b"), Some("STOP"));
    }

    #[test]
    fn text_without_structure_is_refused() {
        for text in ["", "{", "[1", "{\"a\":\"", "\\", "{\"a\":1}}", "a=b&c=d {"] {
            assert_eq!(read(text.as_bytes()), None, "{text}");
        }
        assert_eq!(read("[".repeat(100_000).as_bytes()), None);
    }

    #[test]
    fn field_of_another_type_loses_no_other_field() {
        #[derive(Deserialize)]
        struct Message {
            body: String,
            #[serde(default, deserialize_with = "lenient")]
            at: Option<u64>,
            #[serde(default, deserialize_with = "lenient")]
            group: Option<String>,
        }
        let read = |text| serde_json::from_str::<Message>(text).unwrap();
        let Message { body, at, group } = read(r#"{"body":"STOP","at":"yesterday"}"#);
        assert_eq!((body.as_str(), at, group), ("STOP", None, None));
        let Message { at, group, .. } = read(r#"{"body":"STOP","at":7,"group":"a"}"#);
        assert_eq!((at, group.as_deref()), (Some(7), Some("a")));
    }
}
