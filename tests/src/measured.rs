//! A program as its own process, and the resources that the kernel counted for it.

use std::fs::read_to_string;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;

/// The bytes of the counter of commits in the shared memory of SQLite's log.
///
/// Source: <https://www.sqlite.org/walformat.html#walidxfmt>, 2026-11-26.
const COMMITS: std::ops::Range<usize> = 8..12;

/// A running program. Killed with its handle.
#[derive(Debug)]
pub struct MeasuredProcess {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    /// The JSON of its first line.
    pub ready: Value,
}

/// The resources that a process used so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct ResourceUsage {
    /// Milliseconds of all its threads, in steps of ten.
    pub cpu_ms: u64,
    /// KiB that it had the kernel write to a disk.
    pub written_kib: u64,
    /// KiB that it holds in memory.
    pub resident_kib: u64,
}

impl MeasuredProcess {
    /// Starts the program, and waits for its first line, which is JSON.
    ///
    /// # Errors
    /// [`io::Error`] if it does not start, or its first line is no JSON.
    pub fn start(command: &mut Command) -> io::Result<Self> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::Error::other("process has no pipes"));
        };
        let output = BufReader::new(output);
        let mut process = Self { child, input, output, ready: Value::Null };
        process.ready = process.line()?;
        Ok(process)
    }

    /// Returns a text of its first line, or an empty one.
    #[must_use]
    pub fn said(&self, name: &str) -> String {
        self.ready.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    /// Writes an empty line to its standard input, and returns the JSON of the line that it answers.
    ///
    /// # Errors
    /// [`io::Error`] if it ended, or its line is no JSON.
    pub fn ask(&mut self) -> io::Result<Value> {
        self.input.write_all(b"\n")?;
        self.line()
    }

    fn line(&mut self) -> io::Result<Value> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        Ok(serde_json::from_str(&line)?)
    }

    /// Returns the resources that it used so far.
    ///
    /// # Errors
    /// [`io::Error`] if the kernel does not tell.
    pub fn used(&self) -> io::Result<ResourceUsage> {
        let file = |name: &str| read_to_string(format!("/proc/{}/{name}", self.child.id()));
        let stat = file("stat")?;
        let ticks = stat.rsplit(") ").next().unwrap_or_default().split(' ');
        let ticks: u64 = ticks.skip(11).take(2).filter_map(|text| text.parse::<u64>().ok()).sum();
        let number = |text: &str, name: &str| -> u64 {
            let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
            line.split_whitespace().nth(1).and_then(|text| text.parse().ok()).unwrap_or_default()
        };
        Ok(ResourceUsage {
            // The kernel counts hundredths of a second here.
            cpu_ms: ticks.saturating_mul(10),
            written_kib: number(&file("io")?, "write_bytes:") / 1024,
            resident_kib: number(&file("status")?, "VmRSS:"),
        })
    }
}

impl Drop for MeasuredProcess {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Returns how many commits the open database of this data folder had so far, modulo 2^32.
///
/// # Errors
/// [`io::Error`] if no process has the database open.
pub fn commits(folder: &Path) -> io::Result<u32> {
    let shared = std::fs::read(folder.join("assent.sqlite-shm"))?;
    let counter = shared.get(COMMITS).and_then(|bytes| bytes.try_into().ok());
    counter.map(u32::from_ne_bytes).ok_or_else(|| io::Error::other("shared memory is too short"))
}
