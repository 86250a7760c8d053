//! The documents of a brand, as JSON that commands read, change and check before they write it.

mod files;
mod folder;
mod secrets_manager;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use domain::brand::Brand;
use domain::brand_documents::Document;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::Context;
use crate::arguments::{Keeper, Place};
use crate::failure::Failure;

pub(crate) use files::replace;

/// The order in which documents are written. A reader between two writes finds a valid brand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WriteOrder {
    /// Private keys before public ones, and `brand` last: for what is added.
    Adding,
    /// The reverse: for what is removed.
    Removing,
}

/// The document that every function reads, whose name is `brand`.
const SHARED: Option<Document> = None;

/// The documents of one brand: five, or one that holds everything.
#[derive(Clone, PartialEq)]
pub(crate) struct Documents {
    parts: BTreeMap<Option<Document>, Map<String, Value>>,
}

/// Returns a document's name; `None` is the one that every function reads.
const fn name_of(document: Option<Document>) -> &'static str {
    match document {
        None => "brand",
        Some(document) => document.as_str(),
    }
}

impl Documents {
    /// Parses the texts of documents.
    ///
    /// # Errors
    /// [`Failure`] names the document that is no JSON object.
    pub(crate) fn parse(
        texts: &BTreeMap<Option<Document>, Zeroizing<String>>,
    ) -> Result<Self, Failure> {
        let mut parts = BTreeMap::new();
        for (document, text) in texts {
            let part = serde_json::from_str(text).map_err(|error| {
                let (line, column) = (error.line(), error.column());
                let name = name_of(*document);
                let message = format!(
                    "the document `{name}` is not a JSON object (line {line}, column {column})"
                );
                Failure::new("invalid-brand", message)
            })?;
            parts.insert(*document, part);
        }
        Ok(Self { parts })
    }

    /// Creates the documents of these parts.
    pub(crate) const fn new(parts: BTreeMap<Option<Document>, Map<String, Value>>) -> Self {
        Self { parts }
    }

    /// Returns the document that every function reads.
    pub(crate) fn shared(&self) -> &Map<String, Value> {
        static EMPTY: LazyLock<Map<String, Value>> = LazyLock::new(Map::new);
        self.parts.get(&SHARED).unwrap_or(&EMPTY)
    }

    /// Returns the document that every function reads, to be changed.
    pub(crate) fn shared_mut(&mut self) -> &mut Map<String, Value> {
        self.parts.entry(SHARED).or_default()
    }

    /// Returns whether the brand has five documents.
    pub(crate) fn is_split(&self) -> bool {
        self.parts.len() > 1
    }

    /// Returns the document with these settings to be changed: the one document where there is no other.
    pub(crate) fn holder(&mut self, document: Document) -> &mut Map<String, Value> {
        let at = if self.is_split() { Some(document) } else { SHARED };
        self.parts.entry(at).or_default()
    }

    /// Puts the brand together, as the functions do.
    ///
    /// # Errors
    /// [`Failure`] names the field and its rule.
    pub(crate) fn assemble(&self) -> Result<Brand, Failure> {
        let invalid = |error: &dyn std::fmt::Display| {
            Failure::new("invalid-brand", error.to_string())
                .with_remedy("functions/brand-secret.md describes every field")
        };
        let shared = text(self.shared());
        if !self.is_split() {
            return Brand::parse(&shared).map_err(|error| invalid(&error));
        }
        let mut others = BTreeMap::new();
        for document in Document::ALL {
            let part = self.parts.get(&Some(document)).ok_or_else(|| missing(Some(document)))?;
            others.insert(document, text(part));
        }
        Brand::assemble(&shared, &others).map_err(|error| invalid(&error))
    }

    /// Returns the documents that differ from `before`, in the order of writing.
    fn changed(
        &self,
        before: &Self,
        order: WriteOrder,
    ) -> Vec<(Option<Document>, Zeroizing<String>)> {
        let adding = [
            Some(Document::Processors),
            Some(Document::Claims),
            Some(Document::Channels),
            Some(Document::Consent),
            SHARED,
        ];
        let differ =
            |document: &Option<Document>| self.parts.get(document) != before.parts.get(document);
        let changed = adding
            .into_iter()
            .filter(differ)
            .filter_map(|document| self.parts.get(&document).map(|part| (document, text(part))));
        let mut changed: Vec<_> = changed.collect();
        if order == WriteOrder::Removing {
            changed.reverse();
        }
        changed
    }
}

/// Returns the failure of an absent document.
fn missing(document: Option<Document>) -> Failure {
    let name = name_of(document);
    Failure::new("document-missing", format!("the document `{name}` does not exist"))
        .with_remedy("`brand new` makes all five documents of a brand")
}

fn text(part: &Map<String, Value>) -> Zeroizing<String> {
    Zeroizing::new(serde_json::to_string_pretty(part).unwrap_or_default())
}

/// The documents as they were read, with what their keeper needs for writing them.
pub(crate) struct LoadedDocuments<'a> {
    /// The documents before a change.
    pub(crate) documents: Documents,
    keeper: KeeperOf<'a>,
}

enum KeeperOf<'a> {
    Folder(folder::Folder),
    Aws(Box<secrets_manager::SecretsManager<'a>>),
}

/// Reads a brand's documents.
///
/// # Errors
/// [`Failure`] where one is absent or cannot be read.
pub(crate) async fn read<'a>(
    context: &'a Context,
    place: &Place,
) -> Result<LoadedDocuments<'a>, Failure> {
    match place.secrets {
        Keeper::Folder => {
            let folder = folder::Folder::open(&place.data)?;
            let documents = folder.read()?;
            if let Some(name) = &place.brand
                && documents.shared().get("name").and_then(Value::as_str) != Some(name)
            {
                let message = format!("the folder {} holds another brand", place.data.display());
                return Err(Failure::new("other-brand", message));
            }
            Ok(LoadedDocuments { documents, keeper: KeeperOf::Folder(folder) })
        }
        Keeper::Aws => {
            let mut keeper = secrets_manager::SecretsManager::open(context, place)?;
            let documents = keeper.read().await?;
            Ok(LoadedDocuments { documents, keeper: KeeperOf::Aws(Box::new(keeper)) })
        }
    }
}

impl LoadedDocuments<'_> {
    /// Checks the changed documents as a whole, and writes those that changed.
    ///
    /// # Errors
    /// [`Failure`]; an invalid change is not written.
    pub(crate) async fn write(
        &self,
        documents: &Documents,
        order: WriteOrder,
    ) -> Result<Brand, Failure> {
        let brand = documents.assemble()?;
        for (document, text) in documents.changed(&self.documents, order) {
            match &self.keeper {
                KeeperOf::Folder(folder) => folder.write(document, &text)?,
                KeeperOf::Aws(keeper) => keeper.replace(document, &text).await?,
            }
        }
        Ok(brand)
    }
}

/// Writes the documents of a new brand. None of them may exist.
///
/// # Errors
/// [`Failure`] where the brand exists, or a document cannot be written.
pub(crate) async fn create(
    context: &Context,
    place: &Place,
    documents: &Documents,
) -> Result<(), Failure> {
    let none = Documents { parts: BTreeMap::new() };
    let texts = documents.changed(&none, WriteOrder::Adding);
    match place.secrets {
        Keeper::Folder => folder::Folder::open(&place.data)?.create(&texts),
        Keeper::Aws => secrets_manager::SecretsManager::open(context, place)?.create(&texts).await,
    }
}

#[cfg(test)]
mod tests;
