//! Results on standard output, as text or as one JSON value a line; remarks on standard error.

use std::io::Write;
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use crate::failure::Failure;

/// A place that text is written to.
pub type Sink = Box<dyn Write + Send>;

/// The two streams of the program.
pub struct Output {
    is_json: bool,
    results: Mutex<Sink>,
    remarks: Mutex<Sink>,
}

impl Output {
    /// Opens the streams. With `is_json`, each result is one line of JSON.
    #[must_use]
    pub fn new(is_json: bool, results: Sink, remarks: Sink) -> Self {
        Self { is_json, results: Mutex::new(results), remarks: Mutex::new(remarks) }
    }

    /// Writes a result: `text` for a person, or `value` for a program.
    ///
    /// # Errors
    /// [`Failure`] of a closed stream.
    pub(crate) fn result(&self, text: &str, value: &Value) -> Result<(), Failure> {
        if self.is_json {
            write(&self.results, &value.to_string())
        } else {
            write(&self.results, text)
        }
    }

    /// Writes text that is the same for persons and programs.
    ///
    /// # Errors
    /// [`Failure`] of a closed stream.
    pub(crate) fn raw(&self, text: &str) -> Result<(), Failure> {
        write(&self.results, text)
    }

    /// Writes a remark for a person. It is no part of the result.
    ///
    /// # Errors
    /// [`Failure`] of a closed stream.
    pub(crate) fn note(&self, text: &str) -> Result<(), Failure> {
        write(&self.remarks, text)
    }

    /// Writes why the command failed. A stream that is closed has no reader who would miss it.
    pub fn failure(&self, failure: &Failure) {
        let written = if self.is_json {
            let error = json!({
                "code": failure.code, "message": failure.message, "remedy": failure.remedy,
                "exit_code": failure.exit.code(),
            });
            write(&self.results, &json!({ "error": error }).to_string())
        } else {
            let remedy = failure.remedy.as_ref().map_or(String::new(), |it| format!("\n  {it}"));
            write(&self.remarks, &format!("error: {failure}{remedy}"))
        };
        drop(written);
    }
}

fn write(sink: &Mutex<Sink>, text: &str) -> Result<(), Failure> {
    let mut sink = sink.lock().unwrap_or_else(PoisonError::into_inner);
    let written = writeln!(sink, "{text}").and_then(|()| sink.flush());
    written.map_err(|error| Failure::new("output", format!("failed to write the result: {error}")))
}
