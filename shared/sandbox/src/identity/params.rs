//! The parameters of a call: of its query or of its form.

use std::collections::BTreeMap;

/// The parameters by their names.
pub(super) struct Params(BTreeMap<String, String>);

impl Params {
    /// Reads parameters. `None` where one comes twice, which OAuth forbids (RFC 6749, section 3.1).
    pub(super) fn read(text: &[u8]) -> Option<Self> {
        let mut params = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(text).into_owned() {
            if params.insert(name, value).is_some() {
                return None;
            }
        }
        Some(Self(params))
    }

    /// Returns a parameter. One without a value counts as missing.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}
