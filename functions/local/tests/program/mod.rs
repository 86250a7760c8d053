//! The built program: run to its end with arguments, or served in the background.

use std::io::{BufRead, BufReader, Write as _};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

/// The output of a run of the program, and its exit code.
#[derive(Debug)]
pub(crate) struct ProgramOutput {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl ProgramOutput {
    /// Returns the last line of the output, as JSON.
    pub(crate) fn json(&self) -> Value {
        let line = self.out.lines().last().unwrap_or_default();
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Returns the whole output as one JSON document.
    pub(crate) fn json_document(&self) -> Value {
        serde_json::from_str(&self.out).unwrap()
    }
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_local"));
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    for name in ["ASSENT_KEY", "ASSENT_API", "RUST_LOG", "AWS_ACCESS_KEY_ID"] {
        command.env_remove(name);
    }
    command
}

/// Runs the program to its end.
pub(crate) fn assent(arguments: &[&str]) -> ProgramOutput {
    assent_with(arguments, &[], "")
}

/// Runs the program to its end with variables and standard input.
pub(crate) fn assent_with(
    arguments: &[&str],
    variables: &[(&str, &str)],
    input: &str,
) -> ProgramOutput {
    let mut child = command(arguments).envs(variables.iter().copied()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    end(child)
}

/// Begins a run of the program.
pub(crate) fn begin(arguments: &[&str]) -> Child {
    command(arguments).stdin(Stdio::null()).spawn().unwrap()
}

/// Waits for the end of a run.
pub(crate) fn end(child: Child) -> ProgramOutput {
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    ProgramOutput {
        code: output.status.code().unwrap(),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

/// Returns a folder that goes with the test.
pub(crate) fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

/// The program as it serves. Killed with its handle.
pub(crate) struct RunningProgram {
    child: Child,
    _out: BufReader<ChildStdout>,
    pub(crate) api: String,
    pub(crate) key: String,
}

impl RunningProgram {
    pub(crate) fn start(data: &str) -> Self {
        let mut child = command(&["--port", "0", "--data", data, "--json"])
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        let first: Value = serde_json::from_str(&line).unwrap();
        let text = |name: &str| first[name].as_str().unwrap().to_owned();
        Self { child, api: text("api"), key: text("key"), _out: out }
    }

    /// Returns the types of the webhook events that the machine received, once they have all come.
    pub(crate) fn webhooks(&self) -> Vec<String> {
        let mut before = 0;
        loop {
            let received = self.received();
            if received.len() == before && before > 0 {
                return received;
            }
            before = received.len();
            std::thread::sleep(Duration::from_millis(700));
        }
    }

    fn received(&self) -> Vec<String> {
        let address = self.api.strip_prefix("http://").unwrap();
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        let call = format!(
            "GET /local/webhooks.json HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(call.as_bytes()).unwrap();
        let answer = std::io::read_to_string(stream).unwrap();
        answer
            .split("\"type\":\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next().map(str::to_owned))
            .collect()
    }
}

impl Drop for RunningProgram {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
