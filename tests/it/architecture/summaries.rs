//! The summaries of modules, types and functions: statements, not questions.

use std::fs;

use super::files::all;
use super::root;

/// A summary that begins with one of these is half a question. Fields and constants may have one: "Whether it is open."
const QUESTION_WORDS: [&str; 8] =
    ["How", "What", "When", "Where", "Whether", "Which", "Who", "Why"];
/// The words that can stand before the kind of an item.
const QUALIFIERS: [&str; 5] = ["pub", "async", "const", "unsafe", "extern"];
const KINDS: [&str; 5] = ["fn", "struct", "enum", "trait", "type"];

fn is_question(summary: &str) -> bool {
    summary.split_whitespace().next().is_some_and(|word| QUESTION_WORDS.contains(&word))
}

/// Returns the kind of the item that a line of code declares, if it is one of `KINDS`.
fn kind(code: &str) -> Option<&str> {
    let words = code.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|w| !w.is_empty());
    let mut words = words.skip_while(|word| {
        QUALIFIERS.contains(word) || ["crate", "super", "self", "in"].contains(word)
    });
    words.next().filter(|word| KINDS.contains(word))
}

/// Returns the lines whose summary is half a question.
fn questions(source: &str) -> Vec<usize> {
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let follows = |marker: &str| at > 0 && lines[at - 1].starts_with(marker);
        let asks =
            |marker: &str| !follows(marker) && line.strip_prefix(marker).is_some_and(is_question);
        let mut rest =
            lines[at..].iter().skip_while(|l| l.starts_with("//") || l.starts_with("#["));
        if asks("//!") || (asks("///") && rest.next().and_then(|code| kind(code)).is_some()) {
            found.push(at + 1);
        }
    }
    found
}

#[test]
fn summaries_are_statements() {
    let mut found = Vec::new();
    for path in all(&["rs"]) {
        let shown = path.strip_prefix(root()).unwrap().display().to_string();
        let source = fs::read_to_string(&path).unwrap();
        found.extend(questions(&source).into_iter().map(|line| format!("{shown}:{line}")));
    }
    assert!(found.is_empty(), "write \"Returns whether …\" or \"The …\":\n{}", found.join("\n"));
}

#[test]
fn question_is_allowed_for_a_field_and_not_for_a_function() {
    let source = "//! What it is.\n\n/// Whether it is.\npub(super) async fn is() {}\nstruct S {\n    /// How many.\n    n: u8,\n}\n";
    assert_eq!(questions(source), [1, 3]);
}
