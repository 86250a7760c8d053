//! The secrets port on `brand.json`: the one brand of one machine.

use std::fs;
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use async_trait::async_trait;
use domain::brand::Brand;
use domain::values::name::BrandName;
use ports::{Secrets, SecretsError};

use crate::private;

/// The brand whose secret is `brand.json` in the data folder. A changed file is read again.
///
/// A file that is no brand's secret is logged. The last good one stays in force until the file is mended.
///
/// ```
/// let folder = std::env::temp_dir().join("assent-example-brand-file");
/// let secrets: Box<dyn ports::Secrets> = Box::new(embedded::BrandFile::new(&folder));
/// ```
#[derive(Debug)]
pub struct BrandFile {
    file: PathBuf,
    cached: Mutex<Option<(FileState, Arc<Brand>)>>,
}

/// The state of the file, which changes with its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FileState {
    modified: Option<SystemTime>,
    length: u64,
}

/// The brand's file could not be written.
#[derive(Debug, thiserror::Error)]
#[error("failed to write brand.json in the data folder")]
pub struct CreateBrandError(#[source] io::Error);

impl BrandFile {
    /// Opens the file in `folder`, which may not exist yet.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self { file: folder.join("brand.json"), cached: Mutex::default() }
    }

    /// Returns whether the file exists.
    #[must_use]
    pub fn exists(&self) -> bool {
        self.file.exists()
    }

    /// Replaces the file by `text`, whole or not at all, readable by its owner only.
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
        let mut file = private::open_file(&draft)?;
        file.set_len(0)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&draft, &self.file)
    }

    fn state(&self) -> Result<FileState, SecretsError> {
        let found = fs::metadata(&self.file).map_err(read_error)?;
        Ok(FileState { modified: found.modified().ok(), length: found.len() })
    }

    fn load(&self, name: &BrandName, fresh: bool) -> Result<Arc<Brand>, SecretsError> {
        let mut cached = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
        // The state is read before the text, so that a change in between is seen by the next call.
        let state = self.state()?;
        let brand = match &*cached {
            Some((known, brand)) if !fresh && *known == state => Arc::clone(brand),
            known @ (Some(_) | None) => {
                let text = fs::read_to_string(&self.file).map_err(read_error)?;
                // A refresh of an unchanged file, which a wrong key causes, logs nothing again.
                let is_new = known.as_ref().is_none_or(|(known, _)| *known != state);
                let brand = match Brand::parse(&text) {
                    Ok(brand) => Arc::new(brand),
                    Err(error) => {
                        if is_new {
                            tracing::error!(brand.name = %name, %error, "brand.json is invalid");
                        }
                        let last_good = known.as_ref().map(|(_, brand)| Arc::clone(brand));
                        last_good.ok_or_else(|| SecretsError::Damaged(error.into()))?
                    }
                };
                if is_new {
                    tracing::info!(target: ports::AUDIT, event = "settings_read", brand = %brand.name, "settings read");
                }
                for setting in brand.unusable_settings().into_iter().filter(|_| is_new) {
                    tracing::error!(brand.name = %brand.name, setting, "setting of the brand's secret cannot be used");
                }
                *cached = Some((state, Arc::clone(&brand)));
                brand
            }
        };
        if brand.name == *name { Ok(brand) } else { Err(SecretsError::Unknown) }
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
