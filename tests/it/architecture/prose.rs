//! The rules on prose, counted over every source of the project. A count may only fall.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::prose_rules::source::{Kind, Prose, of_lines, of_markdown, of_rust};
use super::prose_rules::{Offence, Rule, offences};
use super::root;

/// How often each rule is broken today. A number may only be lowered.
const CEILINGS: [(Rule, usize); 6] = [
    (Rule::Word, 0),
    (Rule::Mark, 0),
    (Rule::LongName, 0),
    (Rule::EmptySummary, 0),
    (Rule::LongSentence, 0),
    (Rule::Joints, 0),
];
/// How many offences a failure lists.
const SHOWN: usize = 40;

/// Every file of the project, besides what is built and what git keeps for itself.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(Result::unwrap).collect();
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name().into_string().unwrap();
        if !entry.file_type().unwrap().is_dir() {
            found.push(entry.path());
        } else if !["target", "node_modules", ".git"].contains(&name.as_str()) {
            files(&entry.path(), found);
        }
    }
}

/// The prose of a file, or nothing for a file that is data.
fn prose(path: &Path, source: &str) -> Vec<Prose> {
    let ending = path.extension().map(|ending| ending.to_str().unwrap());
    match ending {
        Some("rs") => of_rust(source),
        Some("md") => of_markdown(source),
        Some("py" | "yaml" | "toml") => of_lines(source, "#"),
        Some("js" | "mjs") => of_lines(source, "//"),
        Some("html" | "css") => of_lines(source, "<!--"),
        _ => Vec::new(),
    }
}

/// Returns whether customers read the literals of a file. They are written to in a style of its own.
fn holds_customer_texts(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == "texts")
}

fn offences_of(path: &Path) -> Vec<Offence> {
    let Ok(source) = fs::read_to_string(path) else { return Vec::new() };
    let mut pieces = prose(path, &source);
    if holds_customer_texts(path) {
        pieces.retain(|piece| piece.kind != Kind::Text);
    }
    offences(&pieces)
}

#[test]
fn prose_offences_equal_their_ceilings() {
    let mut found: BTreeMap<Rule, Vec<String>> = BTreeMap::new();
    let mut paths = Vec::new();
    files(&root(), &mut paths);
    for path in paths {
        let shown = path.strip_prefix(root()).unwrap().display().to_string();
        for offence in offences_of(&path) {
            found.entry(offence.rule).or_default().push(format!("{shown}:{offence}"));
        }
    }
    let mut failures = Vec::new();
    for (rule, ceiling) in CEILINGS {
        let broken = found.remove(&rule).unwrap_or_default();
        if broken.len() > ceiling {
            let shown =
                broken.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join("\n");
            failures
                .push(format!("{rule:?}: {} places, {ceiling} allowed:\n{shown}", broken.len()));
        } else if broken.len() < ceiling {
            failures
                .push(format!("{rule:?}: {} places; lower its ceiling of {ceiling}", broken.len()));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn ceilings_name_every_rule_once() {
    assert_eq!(CEILINGS.map(|(rule, _)| rule), Rule::ALL);
}
