//! The parameters of functions: values with names, no tuples that dodge the lint on their number.

use std::fs;

use super::files::all;
use super::root;

/// Returns the parameters of each function of a source, each with the line of its function.
fn parameters(source: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (at, _) in source.match_indices("fn ") {
        let line_start = source[..at].rfind('\n').map_or(0, |newline| newline + 1);
        if source[line_start..at].contains("//") || source[line_start..at].contains('"') {
            continue;
        }
        let Some(list) = list(&source[at..]) else { continue };
        let line = source[..at].matches('\n').count() + 1;
        found.extend(split(list).into_iter().map(|parameter| (line, parameter)));
    }
    found
}

/// Returns what stands between the parentheses of a function, behind its name and its type parameters.
fn list(function: &str) -> Option<&str> {
    let (mut generics, mut start, mut depth) = (0_u32, None, 0_u32);
    let mut before = ' ';
    for (at, c) in function.char_indices() {
        match (c, start) {
            ('<', None) => generics += 1,
            ('>', None) if before != '-' => generics = generics.checked_sub(1)?,
            ('(', None) if generics == 0 => start = Some(at + 1),
            ('{' | ';' | '=', None) if generics == 0 => return None,
            ('(', Some(_)) => depth += 1,
            (')', Some(start)) if depth == 0 => return Some(&function[start..at]),
            (')', Some(_)) => depth -= 1,
            _ => {}
        }
        before = c;
    }
    None
}

/// Splits a list at its own commas.
fn split(list: &str) -> Vec<String> {
    let (mut depth, mut found, mut text) = (0_i32, Vec::new(), String::new());
    for c in list.chars() {
        let is_arrow = c == '>' && text.ends_with(['-', '=']);
        match c {
            '(' | '[' | '{' | '<' => depth += 1,
            ')' | ']' | '}' | '>' if !is_arrow => depth -= 1,
            _ => {}
        }
        if c == ',' && depth == 0 {
            found.push(std::mem::take(&mut text));
        } else {
            text.push(c);
        }
    }
    found.push(text);
    found
}

/// Returns whether a parameter's type is a tuple of two values or more, or a reference to one.
fn is_tuple(parameter: &str) -> bool {
    let Some((_, kind)) = parameter.split_once(": ") else { return false };
    let bare = kind.trim().trim_start_matches('&').trim_start_matches("mut ");
    let inner = bare.strip_prefix('(');
    inner.is_some_and(|inner| split(inner.trim_end_matches(')')).len() > 1)
}

#[test]
fn parameters_are_no_tuples() {
    let mut found = Vec::new();
    for path in all(&["rs"]) {
        let shown = path.strip_prefix(root()).unwrap().display().to_string();
        let source = fs::read_to_string(&path).unwrap();
        let tuples = parameters(&source).into_iter().filter(|(_, parameter)| is_tuple(parameter));
        found
            .extend(tuples.map(|(line, parameter)| format!("{shown}:{line} {}", parameter.trim())));
    }
    assert!(found.is_empty(), "give the values of these parameters names:\n{}", found.join("\n"));
}

#[test]
fn tuple_is_found_behind_a_pattern_and_a_reference() {
    let source = "fn a((b, c): (u8, u8)) {}\nfn d<E: Fn(u8) -> u8>(e: E, f: &(u8, u8)) {}\nfn g(h: [(u8, u8); 2], (): ()) {}\n// fn i(j: (u8, u8))";
    let lines: Vec<usize> = parameters(source)
        .into_iter()
        .filter(|(_, parameter)| is_tuple(parameter))
        .map(|(line, _)| line)
        .collect();
    assert_eq!(lines, [1, 2]);
}
