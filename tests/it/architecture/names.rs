//! The names of types: nouns of the field, not participles, question words or words of one author.

use std::collections::BTreeSet;
use std::fs;

use super::files::all;
use super::root;

/// Participles that end in "ed" and name results: of a processor's operation, of an update, of sealing.
const RESULTS: [&str; 5] = ["Confirmed", "Created", "Retrieved", "Sealed", "Updated"];
/// Participles of other forms, question words and verbs. Alone, none of them says what a value is.
const NO_NOUNS: &str = "Told Said Seen Kept Sent Went Ran Given Taken Shown Made Held Found Done Broken Heard Gone Begun \
    Written Who What How When Where Which Why Does Doing Stands Was Became Came Until Nowhere";
/// Names of one author, each with the field's name for the same. A file of its own, since prose has none of these words.
const PRIVATE_NAMES: &str = include_str!("type_names.txt");

/// The kinds of items that declare a type.
const KINDS: [&str; 4] = ["struct", "enum", "trait", "type"];

/// Returns the name of the type that a line of code declares.
fn declared(line: &str) -> Option<&str> {
    let code = line.trim_start();
    let code = code.strip_prefix("pub").map_or(code, |rest| match rest.strip_prefix('(') {
        Some(scope) => scope.split_once(") ").map_or("", |(_, code)| code),
        None => rest.trim_start(),
    });
    let (kind, rest) = code.split_once(' ')?;
    let name = rest.split(|c: char| !c.is_alphanumeric()).next()?;
    (KINDS.contains(&kind) && name.starts_with(char::is_uppercase)).then_some(name)
}

/// Returns what is wrong with a type's name.
fn fault(name: &str) -> Option<String> {
    let is_one_word = name.chars().filter(|c| c.is_uppercase()).count() == 1;
    let is_participle = is_one_word && name.ends_with("ed") && !RESULTS.contains(&name);
    let is_no_noun = NO_NOUNS.split_whitespace().any(|word| word == name);
    let mut pairs = PRIVATE_NAMES.lines().filter_map(|pair| pair.split_once(' '));
    let private = pairs.find(|(private, _)| *private == name);
    match private {
        Some((_, better)) => Some(format!("{name}: write {better}")),
        None if is_participle || is_no_noun => Some(format!("{name}: no noun")),
        None => None,
    }
}

/// Returns the faults of a source file, each with its line.
fn faults(source: &str) -> Vec<(usize, String)> {
    let lines = source.lines().enumerate();
    lines.filter_map(|(at, line)| Some((at + 1, fault(declared(line)?)?))).collect()
}

#[test]
fn type_names_are_nouns_of_the_field() {
    let mut found = BTreeSet::new();
    for path in all(&["rs"]) {
        let shown = path.strip_prefix(root()).unwrap().display().to_string();
        let source = fs::read_to_string(&path).unwrap();
        found.extend(
            faults(&source).into_iter().map(|(line, text)| format!("{shown}:{line} {text}")),
        );
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn participle_is_counted_and_noun_is_not() {
    let private = PRIVATE_NAMES.split(' ').next().unwrap();
    let source = format!(
        "pub(in crate::sim) struct Asked {{\n    kept: u8,\n}}\nenum How {{\ntype {private} = u8;\npub enum Created {{"
    );
    let lines: Vec<usize> = faults(&source).into_iter().map(|(line, _)| line).collect();
    assert_eq!(lines, [1, 4, 5]);
    let nouns = "pub trait StoredReply {\nstruct Sender;\n// struct Kept\nlet type_of = 1;";
    assert_eq!(faults(nouns), []);
}
