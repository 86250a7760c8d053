//! All that is logged, kept to be searched.

use std::io::Write;
use std::sync::{Arc, Mutex};

use tracing::Dispatch;
use tracing_subscriber::fmt::MakeWriter;

use crate::lock::lock;

/// Everything that was logged, at every level, by us and by what we use.
#[derive(Clone, Default)]
pub(crate) struct Logs(Arc<Mutex<Vec<u8>>>);

impl Logs {
    /// Returns a dispatch that logs everything here.
    pub(crate) fn dispatch(&self) -> Dispatch {
        let lines = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE);
        Dispatch::new(lines.with_ansi(false).with_writer(self.clone()).finish())
    }

    /// All of it.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&lock(&self.0)).into_owned()
    }

    /// Returns what was logged since this was asked last.
    pub(crate) fn new_text(&self) -> String {
        String::from_utf8_lossy(&std::mem::take(&mut *lock(&self.0))).into_owned()
    }
}

impl Write for Logs {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        lock(&self.0).write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Logs {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}
