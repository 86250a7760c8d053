//! Each public trait, and each public type that implements a port, has an example in its documentation.

use super::files::production;
use super::read;

/// The ports whose implementations are adapters.
const PORTS: [&str; 10] = [
    "Channels",
    "Clock",
    "Http",
    "Processors",
    "Queue",
    "Random",
    "SandboxRoutes",
    "Secrets",
    "Signer",
    "Store",
];

/// A public trait or type with its documentation.
struct DocumentedItem {
    /// Its keyword and name, such as `trait Store`.
    item: String,
    /// The lines of documentation and attributes before it.
    docs: String,
}

/// Returns the public traits and types of a file.
fn documented(source: &str) -> Vec<DocumentedItem> {
    let lines: Vec<&str> = source.lines().collect();
    let mut found = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        let Some(item) = line.strip_prefix("pub ") else { continue };
        if !item.starts_with("trait ") && !item.starts_with("struct ") {
            continue;
        }
        let name = item.split(|c: char| !c.is_alphanumeric() && c != '_' && c != ' ').next();
        let item = name.unwrap().trim_end().to_owned();
        let is_before = |line: &&&str| line.starts_with("///") || line.starts_with("#[");
        let docs: Vec<&str> = lines[..number].iter().rev().take_while(is_before).copied().collect();
        found.push(DocumentedItem { item, docs: docs.join("\n") });
    }
    found
}

/// Returns whether a crate's sources implement a port for a type.
fn is_adapter(sources: &[String], name: &str) -> bool {
    let implements = |port: &str| {
        let header = format!("impl {port} for {name} {{");
        sources.iter().any(|source| source.contains(&header))
    };
    PORTS.iter().any(|port| implements(port))
}

#[test]
fn public_traits_and_adapters_have_an_example() {
    // The contract tests are for the tests of other crates, which are their examples.
    let files: Vec<String> =
        production().into_iter().filter(|path| !path.contains("/contract_tests/")).collect();
    let folder = |path: &str| path.split("/src/").next().unwrap().to_owned();
    let (mut missing, mut count) = (Vec::new(), 0);
    for path in &files {
        let neighbours = files.iter().filter(|other| folder(other) == folder(path));
        let sources: Vec<String> = neighbours.map(|other| read(other)).collect();
        for DocumentedItem { item, docs } in documented(&read(path)) {
            let asks = match item.strip_prefix("struct ") {
                Some(name) => is_adapter(&sources, name),
                None => true,
            };
            count += usize::from(asks);
            if asks && !docs.contains("/// ```") {
                missing.push(format!("{path}: {item}"));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
    assert!(count > 20, "the search finds {count} only");
}
