//! Stripe's form encoding: `a[b][0]=v` with literal brackets, in the order in which fields are added.
//!
//! It follows Stripe's SDK: <https://github.com/stripe/stripe-node>, 23.1.0, read 2026-11-23.

use std::fmt::Display;

/// A form under construction. It may hold a token, so it has no `Debug`.
#[derive(Default)]
pub(super) struct Form {
    text: String,
}

impl Form {
    /// Adds a field. `path` names each object's field and each list's index on the way to it.
    pub(super) fn field(mut self, path: &[&str], value: impl Display) -> Self {
        if !self.text.is_empty() {
            self.text.push('&');
        }
        for (depth, name) in path.iter().enumerate() {
            let open = if depth == 0 { "" } else { "[" };
            let close = if depth == 0 { "" } else { "]" };
            self.text.push_str(open);
            self.text.extend(encoded(name));
            self.text.push_str(close);
        }
        self.text.push('=');
        let value = value.to_string();
        self.text.extend(encoded(&value));
        self
    }

    /// Adds a field unless its value is `None`.
    pub(super) fn field_if_some(self, path: &[&str], value: Option<&str>) -> Self {
        match value {
            Some(value) => self.field(path, value),
            None => self,
        }
    }

    /// Returns the body of a `POST`.
    pub(super) fn into_body(self) -> String {
        self.text
    }
}

fn encoded(text: &str) -> form_urlencoded::ByteSerialize<'_> {
    form_urlencoded::byte_serialize(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// Collects the fields of a tree of parameters by their paths.
    fn fields(at: &[String], value: &Value, into: &mut Vec<(Vec<String>, String)>) {
        let below = |name: String| [at, &[name]].concat();
        match value {
            Value::Object(map) => {
                map.iter().for_each(|(name, value)| fields(&below(name.clone()), value, into));
            }
            Value::Array(list) => list
                .iter()
                .enumerate()
                .for_each(|(index, value)| fields(&below(index.to_string()), value, into)),
            Value::String(text) => into.push((at.to_vec(), text.clone())),
            Value::Null | Value::Bool(_) | Value::Number(_) => {
                into.push((at.to_vec(), value.to_string()));
            }
        }
    }

    fn written(path: &[String], value: &str) -> String {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        Form::default().field(&path, value).into_body()
    }

    #[test]
    fn forms_match_the_vectors_of_stripes_encoder() {
        let file = include_str!("fixtures/vectors-form-encoding.json");
        let file: Value = serde_json::from_str(file).unwrap();
        for vector in file["vectors"].as_array().unwrap() {
            let mut tree = Vec::new();
            fields(&[], &vector["params"], &mut tree);
            // JSON objects have no order. The pairs of the vectors have one.
            let pairs = vector["pairs"].as_array().unwrap().iter().map(|pair| {
                let (name, value) = (pair[0].as_str().unwrap(), pair[1].as_str().unwrap());
                let (path, value) = tree
                    .iter()
                    .find(|(path, text)| {
                        text == value && written(path, "").trim_end_matches('=') == name
                    })
                    .unwrap();
                (path.clone(), value.clone())
            });
            let body = pairs.fold(Form::default(), |form, (path, value)| {
                let path: Vec<&str> = path.iter().map(String::as_str).collect();
                form.field(&path, value)
            });
            assert_eq!(body.into_body(), vector["body"].as_str().unwrap());
        }
    }

    #[test]
    fn form_value_with_separators_adds_no_field() {
        let body = Form::default().field(&["description"], "a&amount=1\r\nx[y]=z").into_body();
        assert_eq!(body, "description=a%26amount%3D1%0D%0Ax%5By%5D%3Dz");
    }
}
