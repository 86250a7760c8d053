//! Asks axe-core whether a page breaks WCAG 2.2 at level AA, in light and in dark.

use serde_json::Value;

use super::driver::Browser;

/// How often a check begins again, since the page has reloaded.
const CHECKS_MAX: u32 = 2;

/// The colour schemes of a device, and the rules that axe-core checks in each.
///
/// In the dark, a page has only other colours.
const SCHEMES: [(&str, &str); 2] = [
    ("light", "{ type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] }"),
    ("dark", "{ type: 'rule', values: ['color-contrast', 'link-in-text-block'] }"),
];
/// Runs axe-core where the page has it, and returns one line for each element that breaks a rule.
const RUN: &str = r"
const done = arguments[arguments.length - 1];
const line = (rule, node) => `${rule.id}: ${node.html} (${node.failureSummary})`;
if (typeof axe === 'undefined') done(null);
else axe.run(document, { runOnly: only, resultTypes: ['violations'] }).then(
  (found) => done(found.violations.flatMap((rule) => rule.nodes.map((node) => line(rule, node)))),
  (error) => done([`axe failed: ${error}`]),
);";

/// Returns axe-core, which `tests/run.py` installs.
fn axe() -> String {
    let path = tests::project_folder().join("target/tests/axe/node_modules/axe-core/axe.min.js");
    std::fs::read_to_string(&path).unwrap_or_else(|error| {
        panic!("{}: {error}; tests/run.py installs axe-core", path.display())
    })
}

/// Returns one line for each element that breaks one of these rules.
async fn check(browser: &Browser, only: &str) -> Vec<Value> {
    let script = format!("const only = {only}; {RUN}");
    if let Some(Value::Array(lines)) = browser.runs_unless_reloaded(&script).await {
        return lines;
    }
    // The library is let in by the driver. The page's own policy would not admit it. A page that has reloaded has lost it.
    let with_library = format!("{}; {script}", axe());
    for _ in 0..CHECKS_MAX {
        if let Some(found) = browser.runs_unless_reloaded(&with_library).await {
            return found.as_array().unwrap_or_else(|| panic!("axe answers {found}")).clone();
        }
    }
    panic!("the page reloads again and again");
}

/// Asserts that a page breaks no rule in either scheme, and saves it in the dark.
pub(super) async fn assert_accessible(browser: &Browser, name: &str) {
    let mut broken = Vec::new();
    for (scheme, only) in SCHEMES {
        browser
            .shows_as(&[("prefers-color-scheme", scheme), ("prefers-reduced-motion", "reduce")])
            .await;
        let lines = check(browser, only).await;
        broken.extend(lines.iter().map(|line| format!("{name}, {scheme}: {line}")));
        if scheme == "dark" {
            browser.shot(&format!("{name}-dark")).await;
        }
    }
    browser.shows_as(&[]).await;
    assert!(broken.is_empty(), "{broken:#?}");
}
