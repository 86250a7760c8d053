//! Documents as files of a data folder: `brand.json` and, where the brand has five, the four beside it.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use domain::brand_documents::Document;
use zeroize::Zeroizing;

use super::{Documents, files, name_of};
use crate::failure::Failure;

/// A data folder that this process alone changes.
pub(super) struct Folder {
    path: PathBuf,
    /// Held so that two commands at once do not lose a change.
    _lock: File,
}

impl Folder {
    /// Opens the folder, and waits for another command to finish.
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        files::make_folder(path).map_err(|error| Failure::file("make", path, &error))?;
        let lock_path = path.join("documents.lock");
        let failed = |error| Failure::file("lock", &lock_path, &error);
        let mut options = OpenOptions::new();
        let lock = options.write(true).create(true).truncate(false).open(&lock_path);
        let lock = lock.map_err(failed)?;
        lock.lock().map_err(failed)?;
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    fn file(&self, document: Option<Document>) -> PathBuf {
        self.path.join(format!("{}.json", name_of(document)))
    }

    /// Reads the documents that exist. `brand.json` must.
    pub(super) fn read(&self) -> Result<Documents, Failure> {
        let mut texts = BTreeMap::new();
        let all = Document::ALL.into_iter().map(Some);
        for document in std::iter::once(None).chain(all) {
            let path = self.file(document);
            match fs::read_to_string(&path) {
                Ok(text) => drop(texts.insert(document, Zeroizing::new(text))),
                Err(error) if error.kind() == ErrorKind::NotFound && document.is_some() => {}
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    let message = format!("there is no brand: {} does not exist", path.display());
                    return Err(Failure::new("no-brand", message).with_remedy(
                        "make one with `brand new NAME`, or name its folder with --data",
                    ));
                }
                Err(error) => return Err(Failure::file("read", &path, &error)),
            }
        }
        Documents::parse(&texts)
    }

    /// Replaces a document.
    pub(super) fn write(&self, document: Option<Document>, text: &str) -> Result<(), Failure> {
        let path = self.file(document);
        files::replace(&path, text).map_err(|error| Failure::file("write", &path, &error))
    }

    /// Writes the documents of a new brand. No file of a brand may be there.
    pub(super) fn create(
        &self,
        texts: &[(Option<Document>, Zeroizing<String>)],
    ) -> Result<(), Failure> {
        let mut paths = texts.iter().map(|(document, _)| self.file(*document));
        if let Some(path) = paths.find(|path| path.exists()) {
            let message = format!("{} exists already", path.display());
            return Err(Failure::new("brand-exists", message)
                .with_remedy("choose another folder with --data"));
        }
        texts.iter().try_for_each(|(document, text)| self.write(*document, text))
    }
}
