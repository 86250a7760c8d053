//! The description, its documentation and the pages of the problems, as they are served: without a key.

use domain::problem::Code;
use http::Method;
use serde_json::{Value, json};
use tests::openapi::DESCRIPTION;
use tests::world::{Answer, PUBLIC_BASE, World};

fn get(world: &World, path: &str, accept: &str) -> Answer {
    let call = world.call(Method::GET, path).key(None);
    let call = if accept.is_empty() { call } else { call.header("accept", accept) };
    call.send()
}

#[test]
fn description_is_served_with_its_own_address() {
    let world = World::new();
    let answer = get(&world, "/openapi.json", "").ok(200);
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("cache-control"), "public, max-age=300");
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    let mut expected = DESCRIPTION.clone();
    expected["servers"][0]["url"] = json!(PUBLIC_BASE);
    assert_eq!(answer.json(), expected);
    let tag = answer.header("etag").to_owned();
    for (known, status) in [(tag.as_str(), 304), (&format!("\"x\", W/{tag}"), 304), ("\"x\"", 200)]
    {
        let call = world.call(Method::GET, "/openapi.json").key(None);
        let again = call.header("if-none-match", known).send().ok(status);
        assert_eq!(again.header("etag"), tag);
        assert_eq!(again.body.is_empty(), status == 304);
    }
}

#[test]
fn documentation_loads_nothing_from_elsewhere() {
    let world = World::new();
    let page = get(&world, "/docs", "text/html").ok(200);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    for path in ["/docs", "/docs/docs.js", "/docs/docs.css"] {
        let answer = get(&world, path, "").ok(200);
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{path}: {policy}");
        assert!(!policy.contains("unsafe") && !policy.contains("http"), "{path}: {policy}");
        assert!(!answer.text().contains("://"), "{path} names another place");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
    assert!(!page.text().contains("style=") && !page.text().contains("onclick"));
    get(&world, "/docs/docs.map", "").problem(404, "not-found");
    get(&world, "/docs/%2e%2e", "").problem(404, "not-found");
}

#[test]
fn problem_pages_are_for_browsers_and_programs() {
    let world = World::new();
    let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    let index = get(&world, "/problems", "application/json").ok(200).json();
    let listed = index["problems"].as_array().unwrap();
    let pages = get(&world, "/problems", browser).ok(200);
    assert_eq!(pages.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(listed.len(), Code::ALL.len());
    for (code, listed) in Code::ALL.iter().zip(listed) {
        let (code, status, title, remedy) = code.facts();
        let path = format!("/problems/{code}");
        let expected = json!({ "type": format!("{PUBLIC_BASE}{path}"), "code": code, "status": status,
            "title": title, "remedy": remedy });
        assert_eq!(*listed, expected);
        let program = get(&world, &path, "*/*").ok(200);
        assert_eq!(program.json(), expected);
        assert_eq!(program.header("vary"), "accept");
        let page = get(&world, &path, browser).ok(200);
        assert_eq!(page.header("vary"), "accept");
        assert_eq!(page.json(), Value::Null);
        let text = page.text();
        assert!(
            text.contains(&format!("<code>{code}</code>")) && text.contains(&status.to_string())
        );
        assert!(!text.contains("<script"), "{text}");
        assert!(pages.text().contains(&format!("href=\"{path}\"")), "{code}");
    }
    get(&world, "/problems/unheard-of", browser).problem(404, "not-found");
}
