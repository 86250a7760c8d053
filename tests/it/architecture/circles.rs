//! Import circles: within a folder, the modules call each other one way.

use std::collections::{BTreeMap, BTreeSet};

use super::files::production;
use super::{read, root};

/// The folders whose modules still call each other both ways. The list may only get shorter.
const TANGLED: [&str; 2] = ["shared/domain/src", "shared/records/src"];

/// The modules of each folder, with those of the same folder that each imports.
type Imports = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

/// Returns the code of a file in one line, without comments and unit tests.
fn code(source: &str) -> String {
    let shipped = source.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let lines = shipped.lines().map(str::trim).filter(|line| !line.starts_with("//"));
    lines.collect::<Vec<_>>().join(" ")
}

/// Returns the paths that a text begins with, such as `a::b` and `a::c` for `a::{b, c::D}`, each as its names.
fn paths(text: &str) -> Vec<Vec<String>> {
    let mut names = Vec::new();
    let mut rest = text;
    while let Some(after) = rest.strip_prefix("::") {
        if let Some(group) = after.strip_prefix('{') {
            return members(group).into_iter().map(|name| [&names[..], &[name]].concat()).collect();
        }
        let end = after.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(after.len());
        names.push(after[..end].to_owned());
        rest = &after[end..];
    }
    vec![names]
}

/// Returns the first name of each member of a group of imports.
fn members(group: &str) -> Vec<String> {
    let (mut depth, mut names, mut name) = (0_u32, Vec::new(), String::new());
    for c in group.chars() {
        match c {
            '}' if depth == 0 => break,
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => names.push(std::mem::take(&mut name)),
            _ if depth == 0 => name.push(c),
            _ => {}
        }
    }
    names.push(name);
    let first = |name: &String| name.trim().split("::").next().map(str::to_owned);
    names.iter().filter_map(first).filter(|name| !name.is_empty()).collect()
}

/// Returns the modules that a file imports, as paths from the crate's root.
fn imported(module: &[String], source: &str) -> Vec<Vec<String>> {
    let code = code(source);
    let parent = &module[..module.len().saturating_sub(1)];
    let mut found = Vec::new();
    for (start, base) in [("crate", &[][..]), ("super", parent)] {
        for (at, _) in code.match_indices(start) {
            let before = code[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || "_:".contains(c)) {
                continue;
            }
            for mut names in paths(&code[at + start.len()..]) {
                let ups = names.iter().take_while(|name| *name == "super").count();
                names.drain(..ups);
                let base = &base[..base.len().saturating_sub(ups)];
                found.push([base, &names].concat());
            }
        }
    }
    found
}

/// Returns a file's crate and the module that the file is.
fn place_of(path: &str) -> (&str, Vec<String>) {
    let (folder, file) = path.split_once("/src/").unwrap();
    let mut module: Vec<String> =
        file.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    if module.last().is_some_and(|name| ["mod", "lib", "main"].contains(&name.as_str())) {
        module.pop();
    }
    (folder, module)
}

/// Returns the modules that are built for tests alone, each with its crate.
fn test_modules() -> BTreeSet<(String, Vec<String>)> {
    let mut found = BTreeSet::new();
    for path in production() {
        let (folder, module) = place_of(&path);
        let source = read(&path);
        for declared in source.split("#[cfg(test)]\nmod ").skip(1) {
            if let Some((name, _)) = declared.split_once(";\n") {
                found.insert((folder.to_owned(), [&module[..], &[name.to_owned()]].concat()));
            }
        }
    }
    found
}

fn imports() -> Imports {
    let mut imports = Imports::new();
    let test_modules = test_modules();
    assert!(!test_modules.is_empty(), "the search finds no test module");
    for path in production() {
        let (folder, module) = place_of(&path);
        if test_modules.contains(&(folder.to_owned(), module.clone())) {
            continue;
        }
        for target in imported(&module, &read(&path)) {
            let shared = module.iter().zip(&target).take_while(|(a, b)| a == b).count();
            if let (Some(from), Some(to)) = (module.get(shared), target.get(shared)) {
                let common = [&[format!("{folder}/src")], &module[..shared]].concat().join("/");
                let place = root().join(&common).join(to);
                if place.is_dir() || place.with_extension("rs").is_file() {
                    let of_folder = imports.entry(common).or_default();
                    of_folder.entry(from.clone()).or_default().insert(to.clone());
                }
            }
        }
    }
    imports
}

/// Returns the modules of a folder that reach themselves.
fn tangled(modules: &BTreeMap<String, BTreeSet<String>>) -> Vec<&String> {
    let reaches_itself = |start: &&String| {
        let (mut open, mut seen) = (vec![*start], BTreeSet::new());
        while let Some(module) = open.pop() {
            for next in modules.get(module).into_iter().flatten() {
                if next == *start {
                    return true;
                }
                if seen.insert(next) {
                    open.push(next);
                }
            }
        }
        false
    };
    modules.keys().filter(reaches_itself).collect()
}

#[test]
fn modules_of_a_folder_import_one_way() {
    let imports = imports();
    assert!(imports.len() > 20, "the search finds {} folders only", imports.len());
    let found: BTreeMap<&str, Vec<&String>> = imports
        .iter()
        .map(|(folder, modules)| (folder.as_str(), tangled(modules)))
        .filter(|(_, modules)| !modules.is_empty())
        .collect();
    let folders: Vec<&str> = found.keys().copied().collect();
    assert_eq!(folders, TANGLED, "{found:#?}");
}

#[test]
fn imports_of_groups_and_of_parents_are_found() {
    let module = ["a".to_owned(), "b".to_owned()];
    let source = "use super::c::{D, e::F};\nuse super::super::g;\nuse crate::{h, i::J};\n// use crate::k;\nlet l = m::crate_n;";
    let found: Vec<String> =
        imported(&module, source).iter().map(|names| names.join("::")).collect();
    assert_eq!(found, ["h", "i", "a::c::D", "a::c::e", "g"]);
}
