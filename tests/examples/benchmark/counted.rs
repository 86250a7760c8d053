//! The machine in a process that counts its allocations, beneath `strace` that counts its flushes to the disk.

use std::alloc::System;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use clap::Parser;
use serde_json::json;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use tests::measured::MeasuredProcess;

/// The first argument of the counting process.
pub(crate) const COMMAND: &str = "machine";

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Runs the machine until standard input ends, and answers each line on standard input with the counts so far.
#[expect(clippy::exit, reason = "the thread that reads ends the process")]
pub(crate) async fn run(words: &[String]) -> ExitCode {
    std::thread::spawn(|| {
        for _line in std::io::stdin().lines() {
            let stats = ALLOCATOR.stats();
            let counts = json!([stats.allocations + stats.reallocations, stats.bytes_allocated,]);
            println!("{counts}");
            std::io::stdout().flush().unwrap();
        }
        // The benchmark ended. `strace` does not pass its own end on.
        std::process::exit(0);
    });
    match local::run(local::Arguments::parse_from(words)).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Returns the command of the counting process, and the file with a line for each flush if `strace` is installed.
pub(crate) fn command(folder: &Path) -> (Command, Option<PathBuf>) {
    let own = std::env::current_exe().unwrap();
    if Command::new("strace").arg("--version").output().is_err() {
        let mut command = Command::new(own);
        command.arg(COMMAND);
        return (command, None);
    }
    let trace = folder.with_extension("strace");
    let mut command = Command::new("strace");
    command.args(["-f", "--seccomp-bpf", "-qq", "-e", "trace=fsync,fdatasync", "-o"]).arg(&trace);
    command.arg(own).arg(COMMAND);
    (command, Some(trace))
}

/// Returns the allocations, their bytes and the flushes so far.
pub(crate) fn counts(process: &mut MeasuredProcess, trace: Option<&Path>) -> [u64; 3] {
    let counted = process.ask().unwrap();
    let flushes = trace.map_or(0, |trace| {
        // A call that another thread interrupts in the trace has a second line.
        let text = std::fs::read_to_string(trace).unwrap();
        text.lines().filter(|line| line.contains("sync(")).count()
    });
    [counted[0].as_u64().unwrap(), counted[1].as_u64().unwrap(), u64::try_from(flushes).unwrap()]
}
