//! A data folder that outlives a failed test, for inspection.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A folder that is removed when dropped, unless the test fails.
pub(crate) struct Folder(Option<TempDir>);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(Some(TempDir::with_prefix("assent-").unwrap()))
    }

    /// Returns the folder of the program's data.
    pub(crate) fn data(&self) -> PathBuf {
        self.path().join("data")
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.as_ref().unwrap().path()
    }
}

impl Drop for Folder {
    #[expect(clippy::print_stderr, reason = "the runner shows what a failed test printed")]
    fn drop(&mut self) {
        if std::thread::panicking()
            && let Some(folder) = self.0.take()
        {
            eprintln!("kept: {}", folder.keep().display());
        }
    }
}
