//! The house rules that a program can check: dependencies, layout, routes, the template and the prose.

mod alarms;
mod circles;
mod examples;
mod files;
mod guards;
mod layers;
mod names;
mod parameters;
mod prose;
mod prose_rules;
mod rooms;
pub(crate) mod routes;
mod summaries;
mod table_access;
mod template;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

pub(crate) use files::files_below;

/// Returns the project's folder.
fn root() -> PathBuf {
    tests::project_folder().to_owned()
}

pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// Returns the output of `cargo`, which runs without the network.
fn cargo(arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO"));
    let output = command.current_dir(root()).args(arguments).arg("--offline").output().unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo {arguments:?}: {complaint}");
    String::from_utf8(output.stdout).unwrap()
}
