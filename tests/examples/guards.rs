//! Disables each guard of C1 to C6 in turn and prints what noticed, as a table.
//!
//! `cargo run --release -p tests --features mutation --example guards -- [names]`
//!
//! A name is a guard's in kebab case; no name means all guards. The variable `STEPS` sets how many steps are simulated
//! before a guard counts as not noticed. The process fails when one is not noticed.

#![expect(clippy::disallowed_methods, reason = "a program of the tests reads its own settings")]

use std::io::{self, Write};
use std::process::{Command, ExitCode, Stdio};

use domain::guards::Guard;
use serde::{Deserialize, Serialize};
use tests::guards::{Invariant, Witness, witness};
use tests::sim::{Plan, Scenario, scenario};
use tests::sweep::{sweep, sweep_plans};

/// What `GUARD` says when all guards are on.
const NONE: &str = "none";
/// How many steps show that nothing is broken while all guards are on.
const STEPS_BEFORE: u64 = 100_000;
/// How many steps are simulated for a guard unless `STEPS` says otherwise.
const STEPS: u64 = 20_000_000;

/// The findings of a simulation with a guard disabled.
#[derive(Debug, Serialize, Deserialize)]
struct Findings {
    seed: u64,
    step: u64,
    broken: Vec<String>,
}

/// One line of the table.
struct Row {
    noticed: bool,
    what: String,
    when: String,
}

fn main() -> io::Result<ExitCode> {
    if !cfg!(feature = "mutation") {
        return Err(io::Error::other(
            "build with --features mutation, or no guard can be disabled",
        ));
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some((word, [steps, name @ ..])) = arguments.split_first()
        && word == "simulate"
    {
        return simulate(number(steps)?, name.first().and_then(|name| scenario(name)));
    }
    let steps = std::env::var("STEPS").map_or(Ok(STEPS), |text| number(&text))?;
    let chosen = chosen(&arguments)?;
    if let Some(found) = simulated(NONE, STEPS_BEFORE, None)? {
        return Err(io::Error::other(format!("broken with all guards on: {found:?}")));
    }
    print("| # | guard | what noticed | after |")?;
    print("| --- | --- | --- | --- |")?;
    let mut missed = 0_u32;
    for (place, guard) in (1_u32..).zip(Guard::ALL.iter().copied()) {
        if !chosen.contains(&guard) {
            continue;
        }
        let Row { noticed, what, when } = tried(guard, steps)?;
        missed += u32::from(!noticed);
        let (name, sentence) = (guard.name(), guard.sentence().trim());
        print(&format!("| {place} | `{name}`: {sentence} | {what} | {when} |"))?;
    }
    if missed > 0 {
        print(&format!("{missed} guards can be disabled unnoticed"))?;
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns the guards of those names, or all.
fn chosen(names: &[String]) -> io::Result<Vec<Guard>> {
    if names.is_empty() {
        return Ok(Guard::ALL.to_vec());
    }
    let named = |name: &String| {
        let found = Guard::ALL.iter().copied().find(|guard| guard.name() == *name);
        found.ok_or_else(|| io::Error::other(format!("no guard has the name {name}")))
    };
    names.iter().map(named).collect()
}

/// Disables one guard and looks whether its witness notices.
fn tried(guard: Guard, steps: u64) -> io::Result<Row> {
    match witness(guard) {
        Witness::Simulation(expected) => {
            Ok(noticed(simulated(&guard.name(), steps, None)?, expected, steps))
        }
        Witness::Scenario(name, expected) => {
            let found = simulated(&guard.name(), steps, Some(name))?;
            let Row { noticed, what, when } = noticed(found, expected, steps);
            Ok(Row { noticed, what, when: format!("{name}: {when}") })
        }
        Witness::Test(test) => {
            let noticed = test_passes(test, NONE)? && !test_passes(test, &guard.name())?;
            let what = if noticed { "a test" } else { "NOT the test" };
            Ok(Row { noticed, what: what.to_owned(), when: test.to_owned() })
        }
    }
}

/// Returns the row of a simulation's findings.
fn noticed(found: Option<Findings>, expected: &[Invariant], steps: u64) -> Row {
    let Some(found) = found else {
        let (what, when) = ("NOTHING".to_owned(), format!("{steps} steps"));
        return Row { noticed: false, what, when };
    };
    let words: Vec<&str> = expected
        .iter()
        .map(|invariant| invariant.word())
        .filter(|word| found.broken.iter().any(|line| begins_with(line, word)))
        .collect();
    let noticed = !words.is_empty();
    let what = if noticed { words.join(", ") } else { format!("OTHERS: {:?}", found.broken) };
    Row { noticed, what, when: format!("seed {}, step {}", found.seed, found.step) }
}

fn begins_with(line: &str, word: &str) -> bool {
    line.strip_prefix(word).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
}

/// Simulates in a process of its own, since a process reads only once which guard is disabled.
fn simulated(guard: &str, steps: u64, scenario: Option<&str>) -> io::Result<Option<Findings>> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["simulate", &steps.to_string()]).args(scenario).env("GUARD", guard);
    let output = command.stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(io::Error::other(format!("the simulation without {guard} died")));
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Simulates, and prints what was found as JSON.
fn simulate(steps: u64, scenario: Option<&'static Scenario>) -> io::Result<ExitCode> {
    let swept = match scenario {
        Some(scenario) => {
            let plan = |seed| Plan::in_scenario(scenario, seed);
            sweep_plans(plan, 1, |report| report.steps >= steps, |_| {})
        }
        None => sweep(1, steps, |_| {}),
    };
    let found = swept.err().map(|failure| Findings {
        seed: failure.seed,
        step: failure.step,
        broken: failure.broken,
    });
    print(&serde_json::to_string(&found)?)?;
    Ok(ExitCode::SUCCESS)
}

/// Runs one test of the binary `it`, built like every other test: with the development profile.
fn test_passes(test: &str, guard: &str) -> io::Result<bool> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let mut command = Command::new(cargo);
    command.args(["test", "--quiet", "--package", "it", "--features", "tests/mutation"]);
    command.args(["--lib", "--", "--exact", test]).env("GUARD", guard);
    let output = command.current_dir(env!("CARGO_MANIFEST_DIR")).output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    match (text.contains("1 passed"), text.contains("1 failed")) {
        (true, false) => Ok(true),
        (false, true) => Ok(false),
        (true, true) | (false, false) => {
            let errors = String::from_utf8_lossy(&output.stderr);
            Err(io::Error::other(format!("failed to run the test {test}: {text}{errors}")))
        }
    }
}

fn number(text: &str) -> io::Result<u64> {
    let parsed = text.replace('_', "").parse();
    parsed.map_err(|error| io::Error::other(format!("{text} is no number of steps: {error}")))
}

fn print(line: &str) -> io::Result<()> {
    let mut out = io::stdout();
    writeln!(out, "{line}")?;
    out.flush()
}
