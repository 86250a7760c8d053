//! The desk and the widget as they are served: their places, sizes and policies.

use std::io::Write;
use std::sync::Arc;

use axum::body::Body;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{Method, Request, StatusCode};
use intake::{DESK_FILES, DESK_PAGE, DeskAccess, Intake, WIDGET};
use sha2::{Digest, Sha384};
use tests::world::{Answer, World};
use tower::ServiceExt;

use crate::architecture::read;

/// The most bytes of all files together, as a proxy in front compresses them.
const COMPRESSED_MAX: usize = 60_000;
/// The most bytes of one answer, as it is served here.
const FILE_MAX: usize = 50_000;
const VIEWS: [&str; 3] =
    ["/desk", "/desk/webhooks", "/desk/requests/req_01JDZ8ZQ4V9M6T3X2B7C5N8K1P"];

fn get(world: &World, path: &str) -> Answer {
    world.call(Method::GET, path).key(None).send()
}

fn compressed(text: &str) -> usize {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap().len()
}

#[test]
fn desk_is_served_under_a_strict_policy() {
    let world = World::new();
    for path in VIEWS {
        let page = get(&world, path).ok(200);
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
        assert_eq!(page.header("cache-control"), "no-store");
        assert!(page.text().contains("data-access=\"given\""), "{path}");
    }
    let files = DESK_FILES.map(|(name, ..)| format!("/desk/{name}"));
    for path in files.iter().map(String::as_str).chain(VIEWS).chain(["/widget.js"]) {
        let answer = get(&world, path).ok(200);
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; "), "{path}: {policy}");
        for rule in ["frame-ancestors 'none'", "require-trusted-types-for 'script'"] {
            assert!(policy.contains(rule), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe") && !policy.contains("http"), "{path}: {policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        let text = answer.text().replace("http://www.w3.org/2000/svg", "");
        assert!(!text.contains("://"), "{path} names another place");
    }
    for path in ["/desk/desk.map", "/desk/%2e%2e", "/desk/requests/a/b"] {
        get(&world, path).problem(404, "not-found");
    }
}

#[test]
fn file_is_served_again_only_where_it_changed() {
    let world = World::new();
    for path in ["/widget.js", "/desk/desk.js"] {
        let tag = get(&world, path).ok(200).header("etag").to_owned();
        let again = world.call(Method::GET, path).key(None).header("if-none-match", &tag);
        assert!(again.send().ok(304).body.is_empty(), "{path}");
    }
}

#[test]
fn widget_is_for_every_origin_and_desk_for_none() {
    let world = World::new();
    let from = |path| {
        let call = world.call(Method::GET, path).key(None);
        call.header("origin", "https://crm.example").send().ok(200)
    };
    let widget = from("/widget.js");
    assert_eq!(widget.header("access-control-allow-origin"), "*");
    assert_eq!(widget.header("cross-origin-resource-policy"), "cross-origin");
    assert!(from("/desk/desk.js").headers.get("access-control-allow-origin").is_none());
}

/// Pages of others name the digest, so that their browsers run no other text.
#[test]
fn documents_cite_the_digest_of_the_widget() {
    let digest = format!("sha384-{}", STANDARD.encode(Sha384::digest(WIDGET.as_bytes())));
    let text = read("functions/intake/desk/README.md");
    assert!(text.contains(&format!("integrity=\"{digest}\"")), "cite {digest} in desk/README.md");
    assert!(
        !WIDGET.lines().any(|line| line.starts_with("import ")),
        "the widget depends on a file"
    );
}

#[test]
fn desk_stays_small() {
    let files = DESK_FILES.iter().map(|(name, _, text)| (*name, *text));
    let all: Vec<_> = files.chain([("desk.html", DESK_PAGE), ("widget.js", WIDGET)]).collect();
    for (name, text) in &all {
        assert!(text.len() < FILE_MAX, "{name} has {} bytes", text.len());
    }
    let sum: usize = all.iter().map(|(_, text)| compressed(text)).sum();
    assert!(sum < COMPRESSED_MAX, "the desk has {sum} bytes compressed");
}

/// An intake with another access to the desk answers.
fn with_access(world: &World, desk: DeskAccess, path: &str) -> (StatusCode, String) {
    let own = &world.machine.intake;
    let intake = Intake {
        ports: own.ports.clone(),
        channels: Arc::clone(&own.channels),
        processors: Arc::clone(&own.processors),
        public_base: own.public_base.clone(),
        desk,
    };
    let call = Request::get(path).body(Body::empty()).unwrap();
    let answer = world.run(intake::router(Arc::new(intake)).oneshot(call)).unwrap();
    let (parts, body) = answer.into_parts();
    let body = world.run(axum::body::to_bytes(body, FILE_MAX)).unwrap();
    (parts.status, String::from_utf8(body.to_vec()).unwrap())
}

#[test]
fn deployed_desk_asks_for_a_key_or_is_off() {
    let world = World::new();
    for path in VIEWS.into_iter().chain(["/desk/desk.js"]) {
        let (status, body) = with_access(&world, DeskAccess::Off, path);
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
        assert!(body.contains("not-found"), "{path}: {body}");
        let (status, body) = with_access(&world, DeskAccess::Key, path);
        assert_eq!(status, StatusCode::OK, "{path}");
        assert!(!body.contains("data-access=\"given\""), "{path}");
    }
    assert_eq!(with_access(&world, DeskAccess::Off, "/widget.js").0, StatusCode::OK);
}
