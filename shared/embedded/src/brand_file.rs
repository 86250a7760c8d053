//! The secrets port on the files of a data folder: the one brand of one machine.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use async_trait::async_trait;
use domain::brand::Brand;
use domain::brand_documents::Document;
use domain::values::name::BrandName;
use ports::{Secrets, SecretsError, Source, error_chain};
use zeroize::Zeroizing;

use crate::private;

/// The brand whose secret is in the data folder. A changed file is read again.
///
/// The secret is `brand.json` alone, or `brand.json` with the four other documents beside it. One that is no brand's is
/// logged, and the last good one stays in force until it is mended.
///
/// ```
/// let folder = std::env::temp_dir().join("assent-example-brand-file");
/// let secrets: Box<dyn ports::Secrets> = Box::new(embedded::BrandFile::new(&folder));
/// ```
#[derive(Debug)]
pub struct BrandFile {
    folder: PathBuf,
    cached: Mutex<CacheEntry>,
}

/// The state of each file when it was read last, and the last good brand.
#[derive(Debug, Default)]
struct CacheEntry {
    states: Option<Vec<Option<FileState>>>,
    good: Option<Arc<Brand>>,
}

/// The state of a file, which changes with its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FileState {
    modified: Option<SystemTime>,
    length: u64,
}

/// The brand's file could not be written.
#[derive(Debug, thiserror::Error)]
#[error("failed to write brand.json in the data folder")]
pub struct CreateBrandError(#[source] io::Error);

/// The documents do not belong together.
#[derive(Debug, thiserror::Error)]
enum MismatchedDocuments {
    #[error("document `{0}` does not exist, though another one beside `brand` does")]
    Absent(Document),
    #[error("setting `name` is invalid: it was another name before")]
    Renamed,
}

impl BrandFile {
    /// Opens the brand of `folder`, which may not exist yet.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), cached: Mutex::default() }
    }

    /// Returns whether `brand.json` exists.
    #[must_use]
    pub fn exists(&self) -> bool {
        self.path(None).exists()
    }

    /// Replaces `brand.json` by `text`, whole or not at all, readable by its owner only.
    ///
    /// # Errors
    /// [`CreateBrandError`].
    pub fn create(&self, text: &str) -> Result<(), CreateBrandError> {
        self.replace(text).map_err(CreateBrandError)
    }

    /// Reads the brand of the folder, with its name.
    ///
    /// # Errors
    /// [`SecretsError`].
    pub fn read(&self) -> Result<Brand, SecretsError> {
        let text = fs::read_to_string(self.path(None)).map_err(read_error)?;
        let mut others = BTreeMap::new();
        for document in Document::ALL {
            match fs::read_to_string(self.path(Some(document))) {
                Ok(text) => drop(others.insert(document, Zeroizing::new(text))),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(read_error(error)),
            }
        }
        let mut absent = Document::ALL.into_iter().filter(|one| !others.contains_key(one));
        let brand = match absent.next() {
            Some(_) if others.is_empty() => Brand::parse(&text).map_err(Source::from),
            Some(document) => Err(MismatchedDocuments::Absent(document).into()),
            None => Brand::assemble(&text, &others).map_err(Source::from),
        };
        brand.map_err(SecretsError::Damaged)
    }

    fn path(&self, document: Option<Document>) -> PathBuf {
        self.folder.join(format!("{}.json", document.map_or("brand", Document::as_str)))
    }

    fn replace(&self, text: &str) -> io::Result<()> {
        private::make_folder(&self.folder)?;
        let file = self.path(None);
        let draft = file.with_extension(format!("json.{}", std::process::id()));
        let mut written = private::open_file(&draft)?;
        written.set_len(0)?;
        written.write_all(text.as_bytes())?;
        written.sync_all()?;
        fs::rename(&draft, &file)
    }

    fn states(&self) -> Result<Vec<Option<FileState>>, SecretsError> {
        let all = Document::ALL.into_iter().map(Some);
        let states = std::iter::once(None).chain(all).map(|document| {
            match fs::metadata(self.path(document)) {
                Ok(found) => {
                    let (modified, length) = (found.modified().ok(), found.len());
                    Ok(Some(FileState { modified, length }))
                }
                Err(error) if document.is_some() && error.kind() == ErrorKind::NotFound => Ok(None),
                Err(error) => Err(read_error(error)),
            }
        });
        states.collect()
    }

    fn load(&self, name: &BrandName, fresh: bool) -> Result<Arc<Brand>, SecretsError> {
        let mut cached = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
        // The state is read before the text, so that a change in between is seen by the next call.
        let states = self.states()?;
        // A refresh of unchanged files, which a wrong key causes, logs nothing again.
        let is_new = cached.states.as_ref() != Some(&states);
        let brand = match &cached.good {
            Some(brand) if !fresh && !is_new => Arc::clone(brand),
            good @ (Some(_) | None) => {
                let brand = self.read_or_keep(name, good.as_ref(), is_new)?;
                *cached = CacheEntry { states: Some(states), good: Some(Arc::clone(&brand)) };
                brand
            }
        };
        if brand.name == *name { Ok(brand) } else { Err(SecretsError::Unknown) }
    }

    /// Reads the brand, and returns the last good one where it is damaged. It logs what is new.
    fn read_or_keep(
        &self,
        name: &BrandName,
        good: Option<&Arc<Brand>>,
        is_new: bool,
    ) -> Result<Arc<Brand>, SecretsError> {
        let read = self.read().and_then(|brand| match good {
            Some(good) if good.name != brand.name => {
                Err(SecretsError::Damaged(MismatchedDocuments::Renamed.into()))
            }
            Some(_) | None => Ok(brand),
        });
        match read {
            Ok(brand) => {
                if is_new {
                    tracing::info!(target: ports::AUDIT, event = "settings_read", brand = %brand.name, "settings read");
                    for setting in brand.unusable_settings() {
                        tracing::error!(brand.name = %brand.name, setting, "setting of the brand's secret cannot be used");
                    }
                }
                Ok(Arc::new(brand))
            }
            Err(SecretsError::Damaged(error)) => {
                if is_new {
                    let error = error_chain(error.as_ref());
                    tracing::error!(brand.name = %name, error, "brand's secret is invalid");
                }
                good.map(Arc::clone).ok_or(SecretsError::Damaged(error))
            }
            Err(error @ (SecretsError::Unknown | SecretsError::Unavailable(_))) => Err(error),
        }
    }
}

fn read_error(error: io::Error) -> SecretsError {
    if error.kind() == ErrorKind::NotFound {
        SecretsError::Unknown
    } else {
        SecretsError::Unavailable(error.into())
    }
}

#[async_trait]
impl Secrets for BrandFile {
    async fn brand(&self, name: &BrandName) -> Result<Arc<Brand>, SecretsError> {
        self.load(name, false)
    }

    async fn refresh(&self, name: &BrandName) -> Result<Arc<Brand>, SecretsError> {
        self.load(name, true)
    }
}
