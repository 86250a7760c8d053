//! The built `local` program as its own process, which can be killed as by a power cut.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;

/// The reason why the program does not run.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// It was not built.
    #[error("{0} is not there: build it with `cargo build -p local`")]
    Missing(PathBuf),
    /// It cannot be started, or its folder cannot be used.
    #[error("the program cannot be started")]
    Start(#[from] std::io::Error),
    /// Its first line is not the promised one; what it logged says why.
    #[error("the program ended before it was ready, see {0}")]
    Silent(PathBuf),
}

/// A running `local`. Killed with its handle.
#[derive(Debug)]
pub struct Local {
    child: Child,
    /// Kept open: a program whose standard output is closed may end.
    _said: BufReader<ChildStdout>,
    /// The address of the API.
    pub api: String,
    /// The test key.
    pub key: String,
    /// The address of the agents' desk.
    pub desk: String,
    /// The address of the sandbox phone.
    pub phone: String,
}

/// Returns where Cargo put `local`: beside the folder of the test that runs.
fn program() -> Result<PathBuf, StartError> {
    let test = std::env::current_exe()?;
    let folder = test.ancestors().nth(2).unwrap_or_else(|| Path::new("."));
    let program = folder.join(format!("local{}", std::env::consts::EXE_SUFFIX));
    if program.is_file() { Ok(program) } else { Err(StartError::Missing(program)) }
}

impl Local {
    /// Starts the program on the folder `data` and that port (0 for any), and waits until it is ready. What it logs
    /// is kept in the folder's `log`.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn start(data: &Path, port: u16, arguments: &[&str]) -> Result<Self, StartError> {
        let program = program()?;
        std::fs::create_dir_all(data)?;
        let log_path = data.join("log");
        let log = File::options().create(true).append(true).open(&log_path)?;
        let mut child = Command::new(program)
            .args(["--format", "json", "--port", &port.to_string(), "--data"])
            .arg(data)
            .args(arguments)
            .env("RUST_LOG", "info")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()?;
        let mut line = String::new();
        let said = child.stdout.take().map(BufReader::new);
        let read = said.and_then(|mut said| said.read_line(&mut line).ok().map(|_| said));
        let first: Value = serde_json::from_str(&line).unwrap_or_default();
        let text = |name: &str| first.get(name).and_then(Value::as_str).map(str::to_owned);
        let ready = (read, text("api"), text("key"), text("desk"), text("phone"));
        let (Some(said), Some(api), Some(key), Some(desk), Some(phone)) = ready else {
            end(&mut child);
            return Err(StartError::Silent(log_path));
        };
        Ok(Self { child, _said: said, api, key, desk, phone })
    }

    /// The port it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.api.rsplit(':').next().and_then(|port| port.parse().ok()).unwrap_or_default()
    }

    /// Ends it with SIGKILL: it does nothing more, not even what it was about to.
    pub fn kill(self) {}
}

impl Drop for Local {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

/// Kills a child and waits until it is gone, so that its port and its files are free.
fn end(child: &mut Child) {
    // One that ended by itself is what was wanted.
    child.kill().ok();
    child.wait().ok();
}
