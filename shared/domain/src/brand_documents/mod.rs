//! The documents that a brand's secret is split into, so that each function reads only what it needs.
//!
//! Every function reads `brand`, which names the channels and processors. Where a setting is secret, `brand` names the document
//! that holds it: `"auth_token": {"in": "channels"}`. That document holds it under the same path. A function that may not
//! read the document opens the channel or processor without it.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::brand;
use crate::brand::{Brand, InvalidBrand, Key32};
use crate::keys;
use crate::settings::WITHHELD;

/// A document of a brand's secret, beside the one that every function reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Document {
    /// What sends messages and verifies those that come: send-prompt and consent-callback read it.
    Channels,
    /// What opens released claims: intake and fetch-info read it.
    Claims,
    /// What records an approval, and verifies what processors report: consent-callback and fetch-info read it.
    Consent,
    /// What moves money and delivers webhooks: only fetch-info reads it.
    Processors,
}

/// The members that settings are under, in a mode.
const SECTIONS: [&str; 2] = ["channels", "processors"];
/// The section of the webhook endpoint, of which there is one.
const WEBHOOKS: &str = "webhooks";
const MODES: [&str; 2] = ["test", "live"];

impl Document {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Channels, Self::Claims, Self::Consent, Self::Processors];

    /// Returns the name in references, and in the secret's own name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Channels => "channels",
            Self::Claims => "claims",
            Self::Consent => "consent",
            Self::Processors => "processors",
        }
    }

    /// Returns the keys that the document holds, beside secret settings.
    const fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Channels => &["link_key"],
            Self::Claims => &["claims"],
            Self::Consent => &["consent", "link_key", "sealing_public"],
            Self::Processors => &["sealing"],
        }
    }

    fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|document| document.as_str() == text)
    }
}

impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A split secret that cannot be put together. No message quotes a value.
#[derive(Debug, thiserror::Error)]
pub enum InvalidDocuments {
    /// A document is not JSON, or no object.
    #[error("document `{0}`: {1}")]
    Unread(Document, #[source] InvalidBrand),
    /// A document is another brand's, or of another version.
    #[error("document `{0}` has another name or version than the document `brand`")]
    Name(Document),
    /// A document lacks a key.
    #[error("document `{0}`: setting `{1}` is missing")]
    Missing(Document, &'static str),
    /// A document has an unknown member.
    #[error(
        "document `{0}`: unknown setting beside `version`, `name`, `test`, `live` and its keys"
    )]
    Unknown(Document),
    /// The document that every function reads has a key that only some may read.
    #[error("document `brand`: `{0}` belongs into another document")]
    Misplaced(&'static str),
    /// The document `brand` refers to a document that does not exist.
    #[error("document `brand`: setting `{0}` is in no known document")]
    Reference(String),
    /// The document `brand` refers to a setting that the other document lacks.
    #[error("document `{0}`: setting `{1}` is missing, to which the document `brand` refers")]
    Absent(Document, String),
    /// A document has a setting to which the document `brand` does not refer.
    #[error("document `{0}`: the document `brand` does not refer to a setting in `{1}`")]
    Unused(Document, String),
    /// Two documents hold different link keys.
    #[error("the documents `channels` and `consent` hold different settings `link_key`")]
    LinkKeys,
    /// The document `brand` is invalid, alone or together with the others.
    #[error(transparent)]
    Brand(#[from] InvalidBrand),
}

/// The members of a document, each of which comes once.
struct Members(Map<String, Value>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Members, A::Error> {
        let mut found = Map::new();
        while let Some((name, value)) = members.next_entry::<String, Value>()? {
            if found.contains_key(&name) {
                return Err(A::Error::custom(format!("duplicate field `{name}`")));
            }
            found.insert(name, value);
        }
        Ok(Members(found))
    }
}

impl Brand {
    /// Puts a brand together from the document that every function reads, and from the others that this function reads.
    ///
    /// # Errors
    /// [`InvalidDocuments`] with the document and the place of the fault.
    pub fn assemble(
        text: &str,
        others: &BTreeMap<Document, Zeroizing<String>>,
    ) -> Result<Self, InvalidDocuments> {
        let Members(mut whole) = brand::read(text)?;
        let mut keys = Document::ALL.iter().flat_map(|document| document.keys());
        if let Some(key) = keys.find(|key| whole.contains_key(**key)) {
            return Err(InvalidDocuments::Misplaced(key));
        }
        let mut parts = BTreeMap::new();
        for (document, text) in others {
            let read = brand::read(text);
            let Members(mut part) =
                read.map_err(|error| InvalidDocuments::Unread(*document, error))?;
            let is_same =
                ["version", "name"].map(|key| part.remove(key) == whole.get(key).cloned());
            if is_same != [true, true] {
                return Err(InvalidDocuments::Name(*document));
            }
            take_keys(*document, &mut part, &mut whole)?;
            parts.insert(*document, part);
        }
        let mut settings = SecretSettings { parts };
        settings.fill(&mut whole)?;
        settings.check_all_used()?;
        if !whole.contains_key("link_key") {
            whole.insert("link_key".to_owned(), withheld_link_key(&whole));
        }
        let brand: Self = brand::read_value(Value::Object(whole))?;
        Ok(brand.checked()?)
    }
}

/// Moves a document's keys into the whole. Every document that holds the link key holds the same.
fn take_keys(
    document: Document,
    part: &mut Map<String, Value>,
    whole: &mut Map<String, Value>,
) -> Result<(), InvalidDocuments> {
    for key in document.keys() {
        let value = part.remove(*key).ok_or(InvalidDocuments::Missing(document, key))?;
        if let Some(known) = whole.insert((*key).to_owned(), value.clone())
            && known != value
        {
            return Err(InvalidDocuments::LinkKeys);
        }
    }
    let is_known = |name: &String| MODES.contains(&name.as_str());
    if part.keys().all(is_known) { Ok(()) } else { Err(InvalidDocuments::Unknown(document)) }
}

/// Returns a link key for a function that may not read it. It makes and verifies no link of a customer.
fn withheld_link_key(whole: &Map<String, Value>) -> Value {
    let address_key = whole.get("address_key").and_then(|key| Key32::deserialize(key).ok());
    let key = address_key.map(|key| keys::sealing_key(&key, "no link key"));
    Value::String(STANDARD.encode(key.map_or([0; 32], |key| *key.bytes())))
}

/// The secret settings of the documents that were read. Those that were put in place are removed.
struct SecretSettings {
    parts: BTreeMap<Document, Map<String, Value>>,
}

impl SecretSettings {
    /// Puts the secret settings where the document `brand` refers to them.
    fn fill(&mut self, whole: &mut Map<String, Value>) -> Result<(), InvalidDocuments> {
        for mode in MODES {
            let Some(setup) = whole.get_mut(mode).and_then(Value::as_object_mut) else { continue };
            for section in SECTIONS {
                let Some(entries) = setup.get_mut(section).and_then(Value::as_array_mut) else {
                    continue;
                };
                for entry in entries {
                    let name = entry.get("name").and_then(Value::as_str).map(str::to_owned);
                    let (Some(name), Some(settings)) = (name, entry.get_mut("settings")) else {
                        continue;
                    };
                    let mut path = vec![mode.to_owned(), section.to_owned(), name];
                    self.resolve(settings, &mut path)?;
                }
            }
            if let Some(webhooks) = setup.get_mut(WEBHOOKS) {
                self.resolve(webhooks, &mut vec![mode.to_owned(), WEBHOOKS.to_owned()])?;
            }
        }
        Ok(())
    }

    fn resolve(
        &mut self,
        value: &mut Value,
        path: &mut Vec<String>,
    ) -> Result<(), InvalidDocuments> {
        let Some(object) = value.as_object_mut() else { return Ok(()) };
        if let Some(Value::String(document)) = object.get("in").filter(|_| object.len() == 1) {
            let document = Document::named(document)
                .ok_or_else(|| InvalidDocuments::Reference(path.join(".")))?;
            *value = self.take(document, path)?;
            return Ok(());
        }
        for (name, inner) in object.iter_mut() {
            path.push(name.clone());
            self.resolve(inner, path)?;
            path.pop();
        }
        Ok(())
    }

    /// Takes the setting of a path from its document; [`WITHHELD`] where this function does not read the document.
    fn take(&mut self, document: Document, path: &[String]) -> Result<Value, InvalidDocuments> {
        let Some(part) = self.parts.get_mut(&document) else {
            return Ok(Value::String(WITHHELD.to_owned()));
        };
        let absent = || InvalidDocuments::Absent(document, path.join("."));
        let (last, parents) = path.split_last().ok_or_else(absent)?;
        let mut at = part;
        for name in parents {
            at = at.get_mut(name).and_then(Value::as_object_mut).ok_or_else(absent)?;
        }
        at.remove(last).ok_or_else(absent)
    }

    /// Checks that every secret setting was put in place: one that nothing refers to is misspelt.
    fn check_all_used(&self) -> Result<(), InvalidDocuments> {
        for (document, part) in &self.parts {
            for (mode, sections) in part {
                if !is_used_up(sections) {
                    return Err(InvalidDocuments::Unused(*document, mode.clone()));
                }
            }
        }
        Ok(())
    }
}

/// Returns whether nothing is left but objects without members.
fn is_used_up(value: &Value) -> bool {
    value.as_object().is_some_and(|object| object.values().all(is_used_up))
}

#[cfg(test)]
mod tests;
