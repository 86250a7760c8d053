//! The service's own model, from its Python client (botocore 1.43.102, `pinpoint-sms-voice-v2`, Apache-2.0). It has
//! the shapes of the two calls, without their descriptions.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Number, Value};

/// All shapes, by name.
pub(super) struct Model(BTreeMap<String, Shape>);

#[derive(Deserialize)]
struct Shape {
    #[serde(rename = "type")]
    kind: Kind,
    #[serde(default)]
    required: Vec<String>,
    #[serde(default)]
    members: BTreeMap<String, MemberShape>,
    #[serde(default)]
    union: bool,
    member: Option<MemberShape>,
    key: Option<MemberShape>,
    value: Option<MemberShape>,
    min: Option<Number>,
    max: Option<Number>,
    pattern: Option<String>,
    #[serde(rename = "enum")]
    words: Option<Vec<String>>,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Boolean,
    Double,
    Integer,
    List,
    Map,
    String,
    Structure,
    Timestamp,
}

#[derive(Deserialize)]
struct MemberShape {
    shape: String,
}

impl Model {
    pub(super) fn read() -> Self {
        Self(serde_json::from_str(include_str!("shapes.json")).expect("shapes are shapes"))
    }

    /// Everything about a value that its shape does not allow, each with its place.
    pub(super) fn faults(&self, shape: &str, value: &Value) -> Vec<String> {
        let mut faults = Vec::new();
        self.check(shape, value, shape, &mut faults);
        faults
    }

    fn check(&self, name: &str, value: &Value, place: &str, faults: &mut Vec<String>) {
        let shape = self.0.get(name).expect("every shape is there");
        match (shape.kind, value) {
            (Kind::Structure, Value::Object(object)) => self.members(shape, object, place, faults),
            (Kind::Map, Value::Object(object)) => {
                sized(shape, object.len(), place, faults);
                for (key, value) in object {
                    let place = format!("{place}.{key}");
                    let (keys, values) = (shape.key.as_ref(), shape.value.as_ref());
                    let (keys, values) = (keys.expect("keys"), values.expect("values"));
                    self.check(&keys.shape, &Value::String(key.clone()), &place, faults);
                    self.check(&values.shape, value, &place, faults);
                }
            }
            (Kind::List, Value::Array(items)) => {
                sized(shape, items.len(), place, faults);
                for (at, item) in items.iter().enumerate() {
                    let of = shape.member.as_ref().expect("a list is of something");
                    self.check(&of.shape, item, &format!("{place}[{at}]"), faults);
                }
            }
            (Kind::String, Value::String(text)) => spelled(shape, text, place, faults),
            (Kind::Integer, Value::Number(number)) if number.is_i64() || number.is_u64() => {
                within(shape, number, place, faults);
            }
            (Kind::Double, Value::Number(number)) => within(shape, number, place, faults),
            (Kind::Boolean, Value::Bool(_)) | (Kind::Timestamp, Value::Number(_)) => {}
            (
                Kind::Boolean
                | Kind::Double
                | Kind::Integer
                | Kind::List
                | Kind::Map
                | Kind::String
                | Kind::Structure
                | Kind::Timestamp,
                _,
            ) => faults.push(format!("{place} is of another type")),
        }
    }

    fn members(
        &self,
        shape: &Shape,
        object: &Map<String, Value>,
        place: &str,
        faults: &mut Vec<String>,
    ) {
        let missing = shape.required.iter().filter(|name| !object.contains_key(*name));
        faults.extend(missing.map(|name| format!("{place}.{name} is missing")));
        if shape.union && object.len() != 1 {
            faults.push(format!("{place} is not one of its kinds"));
        }
        for (name, value) in object {
            let place = format!("{place}.{name}");
            match shape.members.get(name) {
                Some(of) => self.check(&of.shape, value, &place, faults),
                None => faults.push(format!("{place} is unknown")),
            }
        }
    }
}

fn sized(shape: &Shape, count: usize, place: &str, faults: &mut Vec<String>) {
    within(shape, &Number::from(count), place, faults);
}

fn within(shape: &Shape, number: &Number, place: &str, faults: &mut Vec<String>) {
    let value = number.as_f64();
    let least = shape.min.as_ref().and_then(Number::as_f64);
    let most = shape.max.as_ref().and_then(Number::as_f64);
    if least.is_some_and(|least| value < Some(least)) || most.is_some_and(|most| value > Some(most))
    {
        faults.push(format!("{place} is out of bounds"));
    }
}

fn spelled(shape: &Shape, text: &str, place: &str, faults: &mut Vec<String>) {
    sized(shape, text.chars().count(), place, faults);
    if shape.words.as_ref().is_some_and(|words| !words.iter().any(|word| word == text)) {
        faults.push(format!("{place} is not one of its words"));
    }
    if let Some(pattern) = &shape.pattern {
        // The whole text has to match, as the service takes it.
        let whole = regress::Regex::new(&format!("^(?:{pattern})$"));
        if whole.expect("a pattern is one").find(text).is_none() {
            faults.push(format!("{place} is not spelled as it should be"));
        }
    }
}
