//! The built `local` as a process, and its resource use as the kernel counts it.

use std::fs::read_to_string;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

/// A running `local`, killed with its handle.
pub(crate) struct LocalProcess {
    child: Child,
    pub(crate) api: String,
    pub(crate) key: String,
}

/// The resources that a process used so far.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ResourceUsage {
    pub(crate) cpu_ms: u64,
    pub(crate) written_kib: u64,
    pub(crate) resident_kib: u64,
}

impl LocalProcess {
    pub(crate) fn start(folder: &Path, webhooks: &str) -> Self {
        let program = std::env::current_exe().unwrap().ancestors().nth(2).unwrap().join("local");
        let mut child = Command::new(program)
            .args(["--format", "json", "--port", "0", "--webhooks", webhooks, "--data"])
            .arg(folder)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).unwrap();
        let text = |name: &str| said[name].as_str().unwrap().to_owned();
        Self { child, api: text("api"), key: text("key") }
    }

    pub(crate) fn used(&self) -> ResourceUsage {
        let file =
            |name: &str| read_to_string(format!("/proc/{}/{name}", self.child.id())).unwrap();
        let stat = file("stat");
        let ticks = stat.rsplit(") ").next().unwrap().split(' ');
        let ticks: u64 = ticks.skip(11).take(2).map(|text| text.parse::<u64>().unwrap()).sum();
        let number = |text: &str, name: &str| -> u64 {
            let line = text.lines().find(|line| line.starts_with(name)).unwrap();
            line.split_whitespace().nth(1).unwrap().parse().unwrap()
        };
        ResourceUsage {
            // The kernel counts hundredths of a second here.
            cpu_ms: ticks * 10,
            written_kib: number(&file("io"), "write_bytes:") / 1024,
            resident_kib: number(&file("status"), "VmRSS:"),
        }
    }
}

impl Drop for LocalProcess {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
