//! The layout of the tree: its top level, the length of files and their first lines.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::layers::packages;
use super::root;

/// The whole top level, besides dot files and build output.
const TOP: [&str; 8] = [
    "Cargo.lock",
    "Cargo.toml",
    "README.md",
    "events",
    "functions",
    "shared",
    "template.yaml",
    "tests",
];
/// The longest file allowed, in lines.
const LINES_MAX: usize = 400;

fn sources(folder: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        let name = entry.file_name().into_string().unwrap();
        if entry.file_type().unwrap().is_dir() {
            // Build output and dot folders hold no sources of ours.
            if name != "target" && !name.starts_with('.') {
                found.extend(sources(&path, endings));
            }
        } else if path.extension().is_some_and(|e| endings.contains(&e.to_str().unwrap())) {
            found.push(path);
        }
    }
    found
}

/// Returns the files below a folder of the project that end in one of `endings`.
pub(crate) fn files_below(folder: &str, endings: &[&str]) -> Vec<PathBuf> {
    sources(&root().join(folder), endings)
}

pub(super) fn all(endings: &[&str]) -> Vec<PathBuf> {
    ["functions", "shared", "tests"]
        .iter()
        .flat_map(|top| sources(&root().join(top), endings))
        .collect()
}

/// The Rust files that ship, as paths within the project.
pub(super) fn production() -> Vec<String> {
    let root = root();
    let path = |file: PathBuf| file.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
    let ships = |path: &String| {
        path.contains("/src/") && !path.contains("/tests/") && !path.ends_with("/tests.rs")
    };
    all(&["rs"])
        .into_iter()
        .map(path)
        .filter(ships)
        .filter(|path| !path.starts_with("tests/"))
        .collect()
}

#[test]
fn top_level_holds_only_these_names() {
    let entries = fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().file_name());
    let names = entries.map(|name| name.into_string().unwrap());
    let shown: BTreeSet<String> =
        names.filter(|name| !name.starts_with('.') && name != "target").collect();
    assert_eq!(shown, TOP.map(str::to_owned).into());
}

#[test]
fn file_has_at_most_400_lines() {
    let long: Vec<String> = all(&["rs", "py", "js", "css", "html"])
        .into_iter()
        .map(|path| (fs::read_to_string(&path).unwrap().lines().count(), path))
        .filter(|(lines, _)| *lines > LINES_MAX)
        .map(|(lines, path)| format!("{} has {lines} lines", path.display()))
        .collect();
    assert!(long.is_empty(), "{long:#?}");
}

#[test]
fn file_begins_with_a_summary() {
    let silent: Vec<PathBuf> = all(&["rs"])
        .into_iter()
        .filter(|path| {
            let text = fs::read_to_string(path).unwrap();
            let first = text.lines().next().unwrap_or_default();
            // A crate's documentation may be its README.
            !first.starts_with("//! ") && !first.starts_with("#![doc = include_str!(")
        })
        .collect();
    assert!(silent.is_empty(), "{silent:#?}");
}

#[test]
fn readme_is_short_and_shown_in_the_crate_docs() {
    let lines = |path: &Path| fs::read_to_string(path).unwrap().lines().count();
    assert!(lines(&root().join("README.md")) <= 150);
    // Their settings and the steps from the provider's console make these two longer.
    let references = ["channels", "processors"];
    for package in packages() {
        let name = package["name"].as_str().unwrap();
        let folder = Path::new(package["manifest_path"].as_str().unwrap()).parent().unwrap();
        if ["tests", "it"].contains(&name) {
            continue;
        }
        let count = lines(&folder.join("README.md"));
        let most = if references.contains(&name) { 250 } else { 40 };
        assert!((15..=most).contains(&count), "{name}/README.md has {count} lines");
        let docs = fs::read_to_string(folder.join("src/lib.rs")).unwrap();
        assert!(docs.contains("#![doc = include_str!(\"../README.md\")]"), "{name}");
    }
}

#[test]
fn map_of_a_readme_names_files_that_exist() {
    let is_path =
        |name: &&str| (name.ends_with(".rs") || name.ends_with('/')) && !name.contains('*');
    let mut absent = Vec::new();
    for readme in all(&["md"]) {
        let folder = readme.parent().unwrap();
        let text = fs::read_to_string(&readme).unwrap();
        for row in text.lines().filter(|line| line.starts_with("| `")) {
            let cell = row.split('|').nth(1).unwrap();
            let names = cell.split('`').skip(1).step_by(2).filter(is_path);
            let is_absent = |name: &&str| {
                !folder.join(name).exists() && !folder.join("src").join(name).exists()
            };
            absent.extend(
                names.filter(is_absent).map(|name| format!("{}: {name}", readme.display())),
            );
        }
    }
    assert!(absent.is_empty(), "{absent:#?}");
}

#[test]
fn source_names_nothing_outside_the_project() {
    let outside = ["/work", "/shared/reference"].concat();
    for path in all(&["rs", "py", "js", "toml", "json"]) {
        let text = fs::read_to_string(&path).unwrap();
        assert!(!text.contains(&outside), "{} names {outside}", path.display());
    }
}
