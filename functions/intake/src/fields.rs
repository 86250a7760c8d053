//! Reads a JSON body field by field, so that one answer names every fault by its place.

use std::cell::RefCell;
use std::fmt::Display;
use std::rc::Rc;
use std::str::FromStr;

use domain::problem::FieldError;
use serde_json::{Map, Value};

use crate::json_object::{self, DuplicateMember};

type Faults = Rc<RefCell<Vec<FieldError>>>;

/// The smallest and the largest number that a field takes.
#[derive(Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) min: u64,
    pub(crate) max: u64,
}

/// A JSON object whose fields are taken one by one. A field that is left at the end is unknown.
pub(crate) struct Fields {
    pointer: String,
    map: Map<String, Value>,
    faults: Faults,
}

impl Fields {
    /// Reads a body. With `optional`, an empty body is an empty object.
    pub(crate) fn of_body(body: &[u8], optional: bool) -> Result<Self, Vec<FieldError>> {
        let fault = |code, detail: &str| vec![FieldError::in_body("", code, detail)];
        if body.is_empty() && optional {
            return Ok(Self::new(Map::new()));
        }
        if std::str::from_utf8(body).is_ok_and(json_object::rounds_to_an_integer) {
            return Err(fault("type", "a number is almost an integer; send it without a fraction"));
        }
        match json_object::parse(body) {
            Ok(Ok(Value::Object(map))) => Ok(Self::new(map)),
            Ok(Err(DuplicateMember(pointer))) => {
                let detail = "the field comes twice; send it once";
                Err(vec![FieldError::in_body(&pointer, "repeated", detail)])
            }
            Ok(Ok(_)) => Err(fault("type", "the body is a JSON object")),
            Err(error) => Err(fault(
                "syntax",
                &format!("the body is not JSON (line {}, column {})", error.line(), error.column()),
            )),
        }
    }

    fn new(map: Map<String, Value>) -> Self {
        Self { pointer: String::new(), map, faults: Faults::default() }
    }

    fn place(&self, name: &str) -> String {
        format!("{}/{}", self.pointer, name.replace('~', "~0").replace('/', "~1"))
    }

    /// Records a fault of one field.
    pub(crate) fn fault(&self, name: &str, code: &'static str, detail: impl Display) {
        let fault = FieldError::in_body(&self.place(name), code, detail.to_string());
        self.faults.borrow_mut().push(fault);
    }

    fn take(&mut self, name: &str, required: bool) -> Option<Value> {
        match self.map.remove(name) {
            None | Some(Value::Null) => {
                if required {
                    self.fault(name, "missing", "the field is required");
                }
                None
            }
            found @ Some(_) => found,
        }
    }

    /// Takes a string.
    pub(crate) fn text(&mut self, name: &str, required: bool) -> Option<String> {
        match self.take(name, required)? {
            Value::String(text) => Some(text),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Array(_)
            | Value::Object(_) => {
                self.fault(name, "type", "the field is a string");
                None
            }
        }
    }

    /// Takes a string that `read` accepts.
    pub(crate) fn read<T, E: Display>(
        &mut self,
        name: &str,
        required: bool,
        read: impl Fn(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = self.text(name, required)?;
        read(&text).map_err(|error| self.fault(name, "value", error)).ok()
    }

    /// Takes a string that parses.
    pub(crate) fn parse<T: FromStr<Err: Display>>(
        &mut self,
        name: &str,
        required: bool,
    ) -> Option<T> {
        self.read(name, required, str::parse)
    }

    /// Takes a whole number within bounds.
    pub(crate) fn number(&mut self, name: &str, required: bool, bounds: Bounds) -> Option<u64> {
        let Value::Number(number) = self.take(name, required)? else {
            self.fault(name, "type", "the field is a whole number");
            return None;
        };
        let Bounds { min, max } = bounds;
        if !json_object::is_whole(&number) {
            self.fault(name, "type", "the field is a whole number");
            return None;
        }
        let found = json_object::whole(&number).filter(|whole| (min..=max).contains(whole));
        if found.is_none() {
            self.fault(name, "range", format!("the number is {min} to {max}"));
        }
        found
    }

    /// Takes a boolean; false where it is absent.
    pub(crate) fn flag(&mut self, name: &str) -> bool {
        match self.take(name, false) {
            Some(Value::Bool(is_set)) => is_set,
            Some(
                Value::Null
                | Value::Number(_)
                | Value::String(_)
                | Value::Array(_)
                | Value::Object(_),
            ) => {
                self.fault(name, "type", "the field is true or false");
                false
            }
            None => false,
        }
    }

    /// Takes an object.
    pub(crate) fn object(&mut self, name: &str, required: bool) -> Option<Self> {
        match self.take(name, required)? {
            Value::Object(map) => {
                Some(Self { pointer: self.place(name), map, faults: Rc::clone(&self.faults) })
            }
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Array(_)
            | Value::String(_) => {
                self.fault(name, "type", "the field is an object");
                None
            }
        }
    }

    /// Takes a list of 1 to `most` strings that `read` accepts.
    pub(crate) fn list<T, E: Display>(
        &mut self,
        name: &str,
        required: bool,
        most: usize,
        read: impl Fn(&str) -> Result<T, E>,
    ) -> Option<Vec<T>> {
        let Value::Array(values) = self.take(name, required)? else {
            self.fault(name, "type", "the field is a list");
            return None;
        };
        if values.is_empty() || values.len() > most {
            self.fault(name, "length", format!("the list has 1 to {most} entries"));
            return None;
        }
        let mut entries = Vec::with_capacity(values.len());
        for (place, value) in values.iter().enumerate() {
            let entry = format!("{name}/{place}");
            match value.as_str().map(&read) {
                Some(Ok(read)) => entries.push(read),
                Some(Err(error)) => self.fault_at(&entry, "value", &error),
                None => self.fault_at(&entry, "type", &"the entry is a string"),
            }
        }
        Some(entries)
    }

    fn fault_at(&self, path: &str, code: &'static str, detail: &dyn Display) {
        let pointer = format!("{}/{path}", self.pointer);
        self.faults.borrow_mut().push(FieldError::in_body(&pointer, code, detail.to_string()));
    }

    /// Returns the names of the fields that are left.
    pub(crate) fn names(&self) -> Vec<String> {
        self.map.keys().cloned().collect()
    }

    /// Ends the object: each field that is left is recorded as unknown.
    pub(crate) fn end(self) {
        for name in self.map.keys() {
            self.fault(name, "unknown", "the field is unknown; remove it");
        }
    }

    /// Returns the faults so far, with those of inner objects.
    pub(crate) fn faults(&self) -> Faults {
        Rc::clone(&self.faults)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_invalid_body_names_every_fault_by_its_place() {
        let body = br#"{"a": 1, "b": {"c": -2, "x/y": 1}, "l": ["ok", 3], "extra": null}"#;
        let mut fields = Fields::of_body(body, false).unwrap();
        let faults = fields.faults();
        assert_eq!(fields.text("a", true), None);
        assert_eq!(fields.text("missing", true), None);
        let mut inner = fields.object("b", true).unwrap();
        assert_eq!(inner.number("c", true, Bounds { min: 1, max: 9 }), None);
        inner.end();
        fields.list("l", true, 3, |text| Ok::<_, String>(text.to_owned()));
        fields.end();
        let told: Vec<_> =
            faults.borrow().iter().map(|fault| (fault.place.to_string(), fault.code)).collect();
        let expected = [
            ("/a", "type"),
            ("/missing", "missing"),
            ("/b/c", "range"),
            ("/b/x~1y", "unknown"),
            ("/l/1", "type"),
            ("/extra", "unknown"),
        ];
        assert_eq!(told, expected.map(|(place, code)| (place.to_owned(), code)));
    }

    #[test]
    fn whole_number_counts_in_any_spelling() {
        for (text, expected) in [
            ("220", Ok(220)),
            ("220.0", Ok(220)),
            ("2.2e2", Ok(220)),
            ("2200E-1", Ok(220)),
            ("0.0", Ok(0)),
            ("-0.0", Ok(0)),
            ("999.0", Ok(999)),
            ("220.5", Err("type")),
            ("1e-9", Err("type")),
            ("1000.0", Err("range")),
            ("-1.0", Err("range")),
            ("1e300", Err("range")),
            ("18446744073709551616", Err("range")),
            ("\"220\"", Err("type")),
        ] {
            let body = format!("{{\"n\": {text}}}");
            let mut fields = Fields::of_body(body.as_bytes(), false).unwrap();
            let found = fields.number("n", true, Bounds { min: 0, max: 999 });
            let fault = fields.faults().borrow().first().map(|fault| fault.code);
            assert_eq!(found.ok_or_else(|| fault.unwrap()), expected, "{text}");
        }
    }
}
