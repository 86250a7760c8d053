//! The secrets port on `brand.json`: the one brand of one machine.

use std::fs;
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use async_trait::async_trait;
use domain::brand::Brand;
use domain::ports::{Secrets, SecretsError};
use domain::values::name::BrandName;

use crate::private;

/// The brand whose secret is `brand.json` in the data folder, read anew whenever the file changes.
#[derive(Debug)]
pub struct BrandFile {
    file: PathBuf,
    read: Mutex<Option<(Stamp, Arc<Brand>)>>,
}

/// What tells one state of the file from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    length: u64,
}

/// The brand's file could not be made.
#[derive(Debug, thiserror::Error)]
#[error("the data folder's brand.json could not be made")]
pub struct CreateBrandError(#[source] io::Error);

impl BrandFile {
    /// The file in `folder`; it need not be there yet.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self { file: folder.join("brand.json"), read: Mutex::default() }
    }

    /// Whether the file is there.
    #[must_use]
    pub fn exists(&self) -> bool {
        self.file.exists()
    }

    /// Puts `text` in place of the file, whole or not at all, readable by its owner only.
    ///
    /// # Errors
    /// [`CreateBrandError`].
    pub fn create(&self, text: &str) -> Result<(), CreateBrandError> {
        self.replace(text).map_err(CreateBrandError)
    }

    fn replace(&self, text: &str) -> io::Result<()> {
        if let Some(folder) = self.file.parent() {
            private::make_folder(folder)?;
        }
        let draft = self.file.with_extension(format!("json.{}", std::process::id()));
        let mut written = private::open_file(&draft)?;
        written.set_len(0)?;
        written.write_all(text.as_bytes())?;
        written.sync_all()?;
        fs::rename(&draft, &self.file)
    }

    fn stamp(&self) -> Result<Stamp, SecretsError> {
        let found = fs::metadata(&self.file).map_err(unreadable)?;
        Ok(Stamp { modified: found.modified().ok(), length: found.len() })
    }

    fn load(&self, name: &BrandName, fresh: bool) -> Result<Arc<Brand>, SecretsError> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        // The stamp is taken before the text: a change in between is seen the next time.
        let stamp = self.stamp()?;
        let brand = match &*read {
            Some((of, brand)) if !fresh && *of == stamp => Arc::clone(brand),
            Some(_) | None => {
                let text = fs::read_to_string(&self.file).map_err(unreadable)?;
                let brand =
                    Brand::parse(&text).map_err(|error| SecretsError::Damaged(error.into()))?;
                let brand = Arc::new(brand);
                *read = Some((stamp, Arc::clone(&brand)));
                brand
            }
        };
        if brand.name == *name { Ok(brand) } else { Err(SecretsError::Unknown) }
    }
}

fn unreadable(error: io::Error) -> SecretsError {
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
